"""The hands of a transaction: each method is one step that changes the disk, or makes it last."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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

    def write_new(self, path: Path, data: bytes, like: os.stat_result | None = None) -> None:
        """Write a file that is not there yet, and wait until the disk has it.

        It gets the permissions and, where possible, the owner of `like`.
        """
        mode = 0o666 if like is None else 0o600
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, mode), "wb") as file:
            file.write(data)
            file.flush()
            if like is not None:
                _take_after(file.fileno(), like)
            os.fsync(file.fileno())

    def copy_attributes(self, source: Path, target: Path) -> None:
        """Give a file the extended attributes of another, access lists among them, where possible."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                for name in os.listxattr(source):
                    os.setxattr(target, name, os.getxattr(source, name))

    def replace(self, source: Path, target: Path) -> None:
        """Put a file, or a directory, in the place of another, in one step."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file; it is all right if it is gone."""
        path.unlink(missing_ok=True)

    def sync(self, directory: Path) -> None:
        """Wait until the disk has the names in a directory, where the system can wait for that."""
        if sys.platform != "win32":
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _take_after(handle: int, like: os.stat_result) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.fchown(handle, like.st_uid, like.st_gid)
        os.fchmod(handle, stat.S_IMODE(like.st_mode))
