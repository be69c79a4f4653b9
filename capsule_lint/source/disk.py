"""The hands of a transaction: each method is one step that changes the disk, or makes it last."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def contents(path: Path | str) -> tuple[bytes, os.stat_result]:
    """The bytes of a regular file, and its status. Never waits: a pipe or a device is refused.

    Raises OSError if it cannot be read, ValueError if no file can have that name.
    """
    with open(path, "rb", opener=_open_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.ENXIO, "Not a regular file", str(path))
        return file.read(), status


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class Disk:
    """Changes files and directories. Every method raises OSError if it cannot do its step."""

    def make_directory(self, path: Path) -> None:
        """Make one directory; it is all right if it is there."""
        path.mkdir(exist_ok=True)

    def remove_directory(self, path: Path) -> None:
        """Remove a directory, unless something is in it or it is gone."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if not any(path.iterdir()):
                path.rmdir()

    def remove_tree(self, path: Path) -> None:
        """Remove a directory and all that is in it; it is all right if it is gone."""
        import shutil

        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)

    def write_new(self, path: Path, data: bytes, like: Path | None = None) -> None:
        """Write a file that is not there yet, and wait until the disk has it.

        It gets the permissions of the file `like` and, where possible, its owner and its extended
        attributes, access lists among them.
        """
        mode = 0o666 if like is None else 0o600
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, mode), "wb") as file:
            file.write(data)
            file.flush()
            if like is not None:
                _take_after(file.fileno(), like)
            os.fsync(file.fileno())

    def replace(self, source: Path, target: Path) -> None:
        """Put a file in the place of another, or move a directory, in one step."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file; it is all right if it is gone."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()

    def sync(self, directory: Path) -> None:
        """Wait until the disk has the names in a directory, where the system can wait for that."""
        if sys.platform != "win32":
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _take_after(handle: int, like: Path) -> None:
    status = like.stat()
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            for name in os.listxattr(like):
                os.setxattr(handle, name, os.getxattr(like, name))
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.fchown(handle, status.st_uid, status.st_gid)
        os.fchmod(handle, stat.S_IMODE(status.st_mode))
