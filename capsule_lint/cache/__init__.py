"""What earlier runs found out, by content: facts of files, and reports of whole runs."""

from __future__ import annotations

from capsule_lint.cache.contents import Contents
from capsule_lint.cache.store import Store, place_of

__all__ = ["Contents", "Store", "place_of"]
