"""The Python files of a corpus as they were, to compare with and to go back to."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from bench.planting import python_files

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The bytes of each file. To take one reads all, so they are in the page cache then."""

    root: Path
    files: dict[str, bytes]

    @classmethod
    def take(cls, root: Path) -> Self:
        """Read all Python files below a folder."""
        return cls(root, {name: (root / name).read_bytes() for name in python_files(root)})

    def changed(self) -> dict[str, bytes]:
        """The files that are different now, and new ones; those that are gone are empty."""
        now = Snapshot.take(self.root).files
        names = sorted(self.files.keys() | now.keys())
        return {n: now.get(n, b"") for n in names if now.get(n) != self.files.get(n)}

    def restore(self) -> None:
        """Make all files what they were."""
        for name in self.changed():
            if name in self.files:
                (self.root / name).write_bytes(self.files[name])
            else:
                (self.root / name).unlink()
        if (self.root / ".git").exists():
            subprocess.run(("git", "status", "--porcelain"), cwd=self.root, capture_output=True)

    @property
    def lines(self) -> int:
        """How many lines all files have."""
        return sum(data.count(b"\n") for data in self.files.values())
