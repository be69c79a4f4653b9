"""The directory in which a transaction keeps its books, and the lock that admits one run to it."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Final

from capsule_lint.errors import SourceError
from capsule_lint.source.disk import contents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from capsule_lint.source.disk import Disk

STATE: Final = ".capsule-lint"
_LOCK: Final = "lock"
_IGNORE: Final = ".gitignore"
_EVERYTHING: Final = b"*\n"


@contextlib.contextmanager
def locked(state: Path, disk: Disk) -> Iterator[None]:
    """Hold the lock of a state directory, which is made if it is missing and ignores itself.

    Raises SourceError if another run holds the lock, or if there can be no such directory.
    """
    handle = _open(state, disk)
    try:
        _take(handle)
        _ignore_itself(state, disk)
        yield
    finally:
        os.close(handle)


def _open(state: Path, disk: Disk) -> int:
    try:
        disk.make_directory(state)
        if state.is_symlink():
            raise SourceError(STATE, "is a link: remove it")
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        return os.open(state / _LOCK, flags, 0o666)
    except OSError as error:
        raise _unusable(error) from error


def _unusable(error: OSError) -> SourceError:
    return SourceError(STATE, f"cannot be written: {error.strerror or error}")


def _take(handle: int) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        raise SourceError(STATE, "another run is writing: wait until it is done") from error
    except OSError as error:
        raise SourceError(STATE, f"cannot be locked: {error.strerror or error}") from error


def _ignore_itself(state: Path, disk: Disk) -> None:
    path = state / _IGNORE
    try:
        if path.is_file() and contents(path)[0] == _EVERYTHING:
            return
        disk.remove(path)
        disk.write_new(path, _EVERYTHING)
    except OSError as error:
        raise _unusable(error) from error
