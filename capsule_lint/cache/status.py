"""The status of files and directories: what is looked at in place of what is in them."""

from __future__ import annotations

import os
from typing import Final, TypeAlias

Status: TypeAlias = tuple[int, int, int, int]
"""Times of modification and of change in nanoseconds, size, inode."""

_SETTLED: Final = 2_000_000_000
"""Nanoseconds: what changed later than that before it was looked at may change again unseen."""


def status_of(path: str) -> Status | None:
    """The status of what a path leads to; `None` for what is not there, or cannot be looked at."""
    try:
        return of_result(os.stat(path))  # noqa: PTH116  # thousands of them
    except (OSError, ValueError):
        return None


def of_result(found: os.stat_result) -> Status:
    """The part of a status that is compared."""
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def is_settled(status: Status, now: int) -> bool:
    """Whether what had this status at the time `now`, in nanoseconds, cannot change without another."""
    return max(status[:2]) + _SETTLED < now
