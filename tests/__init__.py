"""The tests, a package because streams name its classes: `tests.victims` means one module wherever pytest is run."""
