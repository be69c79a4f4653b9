"""Blobs in a directory of their own: written whole, checked when read, bounded, never in the way."""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Plain: TypeAlias = "int | str | bytes | Sequence[Plain] | Mapping[str, Plain] | None"
"""What `marshal` can hold."""

STATE: Final = ".capsule-lint"
CACHE: Final = "cache"
_MAGIC: Final = b"capsule-lint cache 1\n"
_DIGEST_SIZE: Final = 16
_MAX_BLOB: Final = 32 << 20
_MAX_TOTAL: Final = 192 << 20
_MAX_FILES: Final = 64
_TAG: Final = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n# What capsule-lint can find out again.\n"
)


def place_of(root: Path, given: Path | None) -> Path:
    """The directory of the cache of the program below `root`."""
    return given if given is not None else root / STATE / CACHE


def digest(*parts: bytes) -> bytes:
    """The name of a content."""
    found = hashlib.sha256()  # what processors compute by themselves
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.digest()[:_DIGEST_SIZE]


@dataclass(eq=False, slots=True)
class Store:
    """Values that `marshal` can hold, by name. Whatever fails, it acts as if it held nothing."""

    directory: Path
    notes: list[str] = field(default_factory=list)
    """What a person should know: a damaged blob was dropped."""
    _writable: bool = True

    def load(self, name: str) -> object:
        """The value of that name, `None` where there is none or where it is not as it was written."""
        path = self.directory / name
        try:
            data = path.read_bytes()
        except OSError:
            return None
        body = data[len(_MAGIC) + _DIGEST_SIZE :]
        if data[: len(_MAGIC)] == _MAGIC and data[len(_MAGIC) :][:_DIGEST_SIZE] == _seal(body):
            try:
                value: object = marshal.loads(body)
            except (ValueError, EOFError, TypeError):
                value = None
            if value is not None:
                return value
        self.notes.append(f"{path} is damaged, or not of this version: dropped")
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def save(self, name: str, value: Plain) -> None:
        """Keep a value, in the place of an older one of that name."""
        body = marshal.dumps(value)  # type: ignore[arg-type]  # it is plain
        if len(body) > _MAX_BLOB or not self._writable:
            return
        path = self.directory / name
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self._make()
            temporary.write_bytes(_MAGIC + _seal(body) + body)
            temporary.replace(path)
        except OSError:
            self._writable = False
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def touch(self, name: str) -> None:
        """Say that a value was of use: those of no use go first."""
        with contextlib.suppress(OSError):
            os.utime(self.directory / name)

    def prune(self) -> None:
        """Drop what was of no use for longest, until the cache is small enough."""
        try:
            entries = [entry for entry in os.scandir(self.directory) if entry.is_file()]
            known = sorted((e.stat().st_mtime_ns, e.stat().st_size, e.path) for e in entries)
        except OSError:
            return
        total = 0
        for number, (_, size, path) in enumerate(reversed(known)):
            total += size
            if total > _MAX_TOTAL or number >= _MAX_FILES:
                with contextlib.suppress(OSError):
                    Path(path).unlink()

    def _make(self) -> None:
        if self.directory.is_dir():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / ".gitignore").write_bytes(b"*\n")
        (self.directory / "CACHEDIR.TAG").write_bytes(_TAG)


def _seal(body: bytes) -> bytes:
    """`marshal` differs between interpreters: a blob of another one is foreign."""
    return digest(sys.version.encode(), body)
