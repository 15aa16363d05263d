"""How fast the codec is, as ratios to CPython's own, and how its cost grows: `python -m tests.bench --help`.

Not run by pytest: no clock decides over a change.  What pytest checks is that the tables can be made, and, by counting
steps instead of seconds, that cost grows with the length of a stream and no faster (`tests/test_growth.py`).
"""
