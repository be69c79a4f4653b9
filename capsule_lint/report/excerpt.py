"""Excerpts of a file: numbered lines, and carets under the span that matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.report.text import BLUE, RED, cells, painted, shown, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.model import Span
    from capsule_lint.report.data import Style

_AROUND = 2
"""How many lines are shown before and after the marked one."""
_TAB = 4
_NARROWEST = 20
_ELLIPSIS = "…"


class Line(Struct, frozen=True):
    """A line as a terminal shows it: a text for each character, and where each of them begins."""

    texts: Sequence[str]
    offsets: Sequence[int]
    """One more than there are texts: the last one is the width of the line."""

    @classmethod
    def of(cls, source: str) -> Line:
        """Expand the tabs of a line, escape what cannot be printed, and measure the rest."""
        source = source.rstrip("\r\n")
        if source.isascii() and source.isprintable():
            return cls(source, range(len(source) + 1))
        texts: list[str] = []
        offsets = [0]
        for char in source:
            text = " " * (_TAB - offsets[-1] % _TAB) if char == "\t" else shown(char)
            wide = cells(text) if len(text) == 1 else len(text)
            texts.append(text)
            offsets.append(offsets[-1] + wide)
        return cls(texts, offsets)

    def offset(self, column: int) -> int:
        """Where the character at `column`, counted from 1, begins; past the end is the end."""
        return self.offsets[min(max(column - 1, 0), len(self.texts))]

    @property
    def width(self) -> int:
        """How many columns of a terminal the whole line takes."""
        return self.offsets[-1]

    def cropped(self, window: Window) -> str:
        """What can be seen of the line through `window`, with an ellipsis where it goes on."""
        left = _ELLIPSIS if window.start and self.texts else ""
        right = _ELLIPSIS if self.width > window.stop else ""
        first = window.start + len(left)
        last = window.stop - len(right)
        seen = [
            (text, begin)
            for text, begin, end in zip(self.texts, self.offsets, self.offsets[1:], strict=False)
            if begin >= first and end <= last
        ]
        indent = " " * (seen[0][1] - first) if seen else ""
        return (left + indent + "".join(text for text, _ in seen) + right).rstrip()


class Window(Struct, frozen=True):
    """The columns of a line that are shown: from `start` up to, and not including, `stop`."""

    start: int
    stop: int

    @classmethod
    def around(cls, line: Line, begin: int, end: int, room: int) -> Window:
        """From the start of the line if that shows the span; else what fits around it."""
        if max(line.width, end) <= room or end <= room - room // 4:
            return cls(0, room)
        context = max(room - (end - begin), room // 4)
        start = max(0, min(begin - context // 2, max(line.width, end) - room))
        return cls(start, start + room)


class Excerpt(Struct, frozen=True):
    """The lines around a span."""

    rows: Sequence[tuple[int, Line]]
    marked: int
    begin: int
    end: int
    remark: str
    """Where a span of several lines ends."""

    @classmethod
    def of(cls, lines: Sequence[str], span: Span) -> Excerpt | None:
        """Nothing where the file, or the line, is not there."""
        start, end = span.start, span.end
        if not 1 <= start.row <= len(lines):
            return None
        line = Line.of(lines[start.row - 1])
        many = end.row > start.row
        begin = line.offset(start.column)
        stop = line.width if many else line.offset(end.column)
        rows = [(row, Line.of(lines[row - 1])) for row in _rows(lines, start.row)]
        remark = f" to line {end.row}" if many else ""
        return cls(rows, start.row, begin, max(stop, begin + 1), remark)

    @property
    def gutter(self) -> int:
        """How many digits the line numbers need."""
        return len(str(self.rows[-1][0]))

    def render(self, style: Style) -> list[str]:
        """The numbered lines with carets, without line ends."""
        line = dict(self.rows)[self.marked]
        room = max(style.width - self.gutter - 3 - width(self.remark), _NARROWEST)
        window = Window.around(line, self.begin, self.end, room)
        shown_rows = [self._bar("", "", style)]
        for row, text in self.rows:
            shown_rows.append(self._bar(str(row), text.cropped(window), style))
            if row == self.marked:
                shown_rows.append(self._bar("", self._carets(line, window, style), style))
        shown_rows.append(self._bar("", "", style))
        return shown_rows

    def _carets(self, line: Line, window: Window, style: Style) -> str:
        stop = window.stop - (line.width > window.stop)
        begin = self.begin - window.start
        count = max(min(self.end, stop) - self.begin, 1)
        return " " * begin + painted("^" * count + self.remark, RED, style.color)

    def _bar(self, number: str, text: str, style: Style) -> str:
        bar = painted(f"{number:>{self.gutter}} |", BLUE, style.color)
        return f"{bar} {text}" if text else bar


def _rows(lines: Sequence[str], row: int) -> range:
    """The rows to show around `row`, without the blank ones at either end."""
    first = max(row - _AROUND, 1)
    last = min(row + _AROUND, len(lines))
    while first < row and not lines[first - 1].strip():
        first += 1
    while last > row and not lines[last - 1].strip():
        last -= 1
    return range(first, last + 1)
