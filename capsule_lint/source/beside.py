"""Data files beside the tests of a program: JSON, YAML and the like."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KINDS: Final = frozenset(
    (
        ".json",
        ".jsonl",
        ".ndjson",
        ".yaml",
        ".yml",
        ".toml",
        ".csv",
        ".tsv",
        ".txt",
        ".snap",
        ".ambr",
    )
)
_SKIPPED: Final = frozenset(("__pycache__", "node_modules", "venv", "site-packages"))
_MAX_BYTES: Final = 1 << 20
_MAX_FILES: Final = 5_000


def data_files(root: Path, test_files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names, relative to `root`, and the texts of data files in the folders of tests. Files that are
    long or cannot be read are left out."""
    folders = sorted({name.rpartition("/")[0] for name in test_files})
    outer = [f for f in folders if not any(f.startswith(f"{o}/") for o in folders if o)]
    seen = 0
    for folder in outer:
        for path in sorted(_in(root / folder, deep=bool(folder))):
            seen += 1
            text = _text(path) if seen <= _MAX_FILES else None
            if text is not None:
                yield path.relative_to(root).as_posix(), text


def _in(folder: Path, *, deep: bool) -> Iterator[Path]:
    for home, inner, names in os.walk(folder):
        inner[:] = [n for n in inner if deep and n not in _SKIPPED and not n.startswith(".")]
        yield from (Path(home, name) for name in names if Path(name).suffix in _KINDS)


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8") if path.stat().st_size <= _MAX_BYTES else None
    except (OSError, ValueError):
        return None
