"""The packaged policies: one YAML file each, beside this module."""
