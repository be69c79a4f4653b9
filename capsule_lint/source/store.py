"""Single files of our own beside the program: reports, baselines, policies to start from."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from capsule_lint.errors import SourceError


def store(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all. Raises SourceError where that cannot be done."""
    temporary = None
    try:
        if path.exists() and not path.is_file():  # a pipe, `/dev/stdout`
            path.write_bytes(data)
            return
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        temporary.replace(path.resolve())
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        raise SourceError(str(path), f"cannot be written: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_bytes(path: Path) -> bytes | None:
    """The bytes of a file, `None` where there is none. Raises SourceError where it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(str(path), f"cannot be read: {error.strerror or error}") from error


def remove_tree(path: Path) -> bool:
    """Remove a directory with all that is in it; whether there was one. Raises SourceError."""
    if not path.is_dir() or path.is_symlink():
        return False
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise SourceError(str(path), f"cannot be removed: {error.strerror or error}") from error
    return True
