"""One file to plain, frozen, picklable data."""
