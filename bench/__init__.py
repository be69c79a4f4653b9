"""Measures the tool beside its peers on published packages: `python -m bench --help`."""
