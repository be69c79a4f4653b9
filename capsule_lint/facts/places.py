"""Where nodes, names and offsets of a text stand, in rows and columns that count characters."""

from __future__ import annotations

import re
from bisect import bisect_right
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from capsule_lint.facts.tree import At

_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_DEFINED: Final = {word: re.compile(rf"{word}[\s\\]+(\w+)") for word in ("def", "class")}


class _Inner(Struct, frozen=True):
    """A piece of the text that is parsed by itself: where it stands, and its lines as parsed."""

    row: int
    column: int
    lines: list[str]


class Places:
    """The places of a text; those of a piece that is parsed by itself, while one is `inside` it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
        self._ascii = text.isascii()
        self._encoded: dict[int, bytes] = {}
        self._inner: _Inner | None = None

    @contextmanager
    def inside(self, text: str, row: int, column: int) -> Iterator[None]:
        """Nodes are those of a piece that stands at `row` and `column`; `text` is what was parsed."""
        outer, self._inner = self._inner, _Inner(row, column, _NEWLINE.split(text))
        try:
            yield
        finally:
            self._inner = outer

    def at(
        self, node: ast.expr | ast.stmt | ast.keyword | ast.arg | ast.alias | ast.pattern
    ) -> At:
        """Where a node stands."""
        if self._ascii and self._inner is None:  # nearly always; it is asked of every node
            row, column = node.lineno, node.col_offset + 1
            return row, column, node.end_lineno or row, (node.end_col_offset or 0) + 1
        end_row, end = node.end_lineno or node.lineno, node.end_col_offset or 0
        return (*self._point(node.lineno, node.col_offset), *self._point(end_row, end))

    def _point(self, row: int, offset: int) -> tuple[int, int]:
        """A place of the tree in rows and columns of the file."""
        if self._inner is None:
            return row, self._column(row, offset)
        line = self._inner.lines[row - 1].encode()
        column = len(line[:offset].decode(errors="replace")) + 1
        if row == 1:
            column += self._inner.column - 2  # its text is parsed inside one parenthesis
        return self._inner.row + row - 1, column

    def _column(self, row: int, offset: int) -> int:
        if self._ascii:
            return offset + 1
        line = self._encoded.get(row)
        if line is None:
            stop = self._starts[row] if row < len(self._starts) else len(self.text)
            line = self._encoded[row] = self.text[self._starts[row - 1] : stop].encode()
        return len(line[:offset].decode(errors="replace")) + 1

    def offset(self, row: int, column: int) -> int:
        """The offset in the text of a row and column."""
        return self._starts[row - 1] + column - 1

    def of_offset(self, offset: int) -> tuple[int, int]:
        """The row and column of an offset of the text."""
        row = bisect_right(self._starts, offset)
        return row, offset - self._starts[row - 1] + 1

    def name_at(self, at: At, name: str, keyword: str) -> At:
        """The token of a definition's name: the first `keyword name` at or after its line."""
        every = _DEFINED[keyword].finditer(self.text, self.offset(*at[:2]))
        found = next((match for match in every if match[1] == name), None)
        if found is None:  # an identifier that NFKC changes
            return at
        row, column = self.of_offset(found.start(1))
        return row, column, row, column + len(name)

    def word(self, name: str, at: At, *, first: bool = False) -> At:
        """Where a name stands that has no node of its own: the last, or the first, such word in a part
        of the text. No width where it is spelled otherwise there."""
        start, stop = self.offset(*at[:2]), self.offset(*at[2:])
        found = [m.start() for m in re.finditer(rf"\b{re.escape(name)}\b", self.text[start:stop])]
        if not found:
            return (*at[:2], *at[:2])
        row, column = self.of_offset(start + found[0 if first else -1])
        return (row, column, row, column + len(name))
