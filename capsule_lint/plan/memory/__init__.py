"""What programs keep in memory under keys: dicts, caches, filters, and who reads their keys."""
