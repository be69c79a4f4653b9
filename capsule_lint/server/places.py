"""Rows, columns and file names as editors say them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from lsprotocol import types
from msgspec import Struct
from pygls.uris import to_fs_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pygls.workspace import PositionCodec

    from capsule_lint.model import Position, Span


def range_of(span: Span, lines: Sequence[str], codec: PositionCodec) -> types.Range:
    """A span of a text with these lines, in the units that were agreed upon."""
    return types.Range(_position(span.start, lines, codec), _position(span.end, lines, codec))


def _position(at: Position, lines: Sequence[str], codec: PositionCodec) -> types.Position:
    if at.row <= len(lines):
        before = lines[at.row - 1][: at.column - 1]
        return types.Position(at.row - 1, codec.client_num_units(before))
    if lines and not lines[-1].endswith(("\r", "\n")):
        return types.Position(len(lines) - 1, codec.client_num_units(lines[-1]))
    return types.Position(len(lines), 0)


def meet(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges overlap or touch."""
    return _order(one.start) <= _order(other.end) and _order(other.start) <= _order(one.end)


def _order(at: types.Position) -> tuple[int, int]:
    return at.line, at.character


def path_of(uri: str) -> Path | None:
    """The file that a URI means, links followed; `None` where it is no file."""
    path = to_fs_path(uri)
    return Path(os.path.realpath(path)) if path else None


class Names(Struct, frozen=True):
    """The URIs by which the editor knows files: its own, where it has told us one of the file or of a
    folder around it."""

    files: dict[Path, str]
    folders: tuple[tuple[Path, str], ...]

    @classmethod
    def of(cls, files: dict[Path, str], folders: Iterable[str]) -> Names:
        """The names that follow from open files and from the folders of a workspace."""
        known = [(path, uri.rstrip("/")) for uri in folders if (path := path_of(uri)) is not None]
        known.sort(key=lambda folder: -len(folder[0].parts))
        return cls(files, tuple(known))

    def uri_of(self, path: Path) -> str:
        """The URI of a file."""
        if path in self.files:
            return self.files[path]
        for folder, uri in self.folders:
            if path.is_relative_to(folder):
                inner = path.relative_to(folder).as_posix()
                return f"{uri}/{quote(inner, errors='surrogateescape')}"
        return path.as_uri()
