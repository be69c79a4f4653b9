"""The smallest statements that hold certain places, cut out of a file and parsed alone."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Final, Generic, TypeGuard, TypeVar

import libcst as cst
from msgspec import Struct

from capsule_lint.errors import InternalError
from capsule_lint.lines import lines_of, newline_of
from capsule_lint.rewrite.base import Place
from capsule_lint.rewrite.offsets import Offsets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from capsule_lint.model import Position, Span

T = TypeVar("T")

_BARE: Final = re.compile(r"whitespace|lines|indent|newline|semicolon|equal|dot")
"""The fields of nodes that hold no expression and no statement."""


_FEED: Final = re.compile(r"[ \t\f]*\f(?=[ \t]*[^\s#])")
"""A form feed before code, after which the line's indentation begins."""
_FEEDS: Final = re.compile(rf"(?m)^{_FEED.pattern}")


class Piece(Struct, frozen=True, order=True):
    """Statements that share whole lines: `first` to `last`, counted from 1; `nested` in others.

    `body` is the indentation of the body of a statement that is cut off behind its head.
    """

    first: int
    last: int
    nested: bool = False
    body: str = ""


class Parsed(Struct, frozen=True):
    """A piece's text and syntax, and where its nodes stand in the file.

    A nested piece has a first line of its own before it, so that its indentation is a block's; a
    statement without its body has another body behind it. `lead` is what stood before the text: a
    form feed at the start of a line, which LibCST does not keep.
    """

    piece: Piece
    text: str
    head: str
    tail: str
    module: cst.Module
    place: Place
    lead: str = ""

    def visit(self, visitors: Sequence[cst.CSTVisitor], starts: Iterable[Position]) -> None:
        """Several visitors in one traversal, of the nodes that start there and of those around."""
        leaving = {id(visitor) for visitor in visitors if _leaves(type(visitor))}
        self._visit(self.module, visitors, self.place.around(starts), leaving)

    def _visit(
        self,
        node: cst.CSTNode,
        visitors: Sequence[cst.CSTVisitor],
        around: set[int],
        leaving: set[int],
    ) -> None:
        if id(node) not in around:
            return
        below = [visitor for visitor in visitors if visitor.on_visit(node)]
        if below:
            for child in _children(node):
                self._visit(child, below, around, leaving)
        for visitor in visitors if leaving else ():
            if id(visitor) in leaving:
                visitor.on_leave(node)


@cache
def _leaves(kind: type[cst.CSTVisitor]) -> bool:
    """Whether visitors of a class do anything where they leave a node: LibCST's own do nothing, for each kind of node."""
    own = takewhile(lambda one: one is not cst.CSTVisitor, kind.__mro__)
    return any(name.startswith(("leave_", "on_leave")) for one in own for name in vars(one))


def pieces_of(statements: Iterable[Span]) -> list[Piece]:
    """Statements, outer ones before inner ones, as ranges of whole lines of the outermost."""
    found: list[Piece] = []
    for span in statements:
        first, last = span.start.row, span.end.row
        if found and first <= found[-1].last:
            found[-1] = Piece(found[-1].first, max(last, found[-1].last))
        else:
            found.append(Piece(first, last))
    return found


def _piece_at(row: int, pieces: Sequence[Piece]) -> Piece | None:
    """The piece that holds a row."""
    at = bisect_right(pieces, row, key=lambda piece: piece.first) - 1
    return pieces[at] if at >= 0 and row <= pieces[at].last else None


def parse_piece(text: str, piece: Piece, *, reading: bool = False) -> Parsed:
    """A piece's syntax, and where its nodes stand in the file.

    Raises InternalError when LibCST would not give the text back as it is (unless that is for
    reading only: then form feeds may be lost), ParserSyntaxError when it cannot read it.
    """
    lead = _FEED.match(text)
    if not reading:
        if lead is None:
            return _parse(text, piece)
        return _parse(text[lead.end() :], piece, {0: lead.end()}, lead[0])
    try:
        return _parse(text, piece)
    except InternalError:
        found = [(number, _FEED.match(line)) for number, line in enumerate(lines_of(text))]
        feeds = {number: match.end() for number, match in found if match is not None}
        return _parse(_FEEDS.sub("", text), piece, feeds, reading=True)


def _parse(
    text: str,
    piece: Piece,
    feeds: Mapping[int, int] | None = None,
    lead: str = "",
    *,
    reading: bool = False,
) -> Parsed:
    """`feeds` are the characters that were taken from the start of lines, by their number."""
    end = newline_of(text)
    head = f"if 1:{end}" if piece.nested else ""
    tail = f"{piece.body}pass{end}" if piece.body else ""
    whole = head + text + tail
    module = cst.parse_module(whole)
    if whole.endswith("\r"):  # LibCST does not take it for the end of a line
        module = module.with_changes(has_trailing_newline=True)
    offsets = Offsets(module)
    if offsets.code != whole and not reading:
        raise InternalError(f"line {piece.first}: a statement cannot be read without loss")
    shift = bool(head)
    columns = {number + 1 + shift: count for number, count in (feeds or {}).items()}
    place = Place(offsets, piece.first - shift, columns)
    return Parsed(piece, text, head, tail, module, place, lead)


_FIELDS: Final[dict[type, tuple[str, ...] | None]] = {}
"""The fields of a kind of node that may hold nodes; `None` for what is no node."""


def _fields_of(kind: type) -> tuple[str, ...] | None:
    if kind not in _FIELDS:
        node = issubclass(kind, cst.CSTNode) and is_dataclass(kind)
        names = tuple(f.name for f in fields(kind) if not _BARE.search(f.name)) if node else None
        _FIELDS[kind] = names
    return _FIELDS[kind]


def _is_node(value: object) -> TypeGuard[cst.CSTNode]:
    return _fields_of(type(value)) is not None


def _children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for name in _fields_of(type(node)) or ():
        value: object = getattr(node, name)
        if isinstance(value, tuple | list):
            yield from filter(_is_node, value)
        elif _is_node(value):
            yield value


@dataclass(eq=False, slots=True)
class Cutter(Generic[T]):
    """Cuts a file for targets, each at a span: the fewest lines that can be parsed alone."""

    lines: Sequence[str]
    statements: Sequence[Span]
    """All of them, outer ones before inner ones; top-level ones alone are enough."""
    reading: bool = False
    """Whether nothing is changed: then what LibCST does not keep may be lost."""
    _parents: list[int] = field(default_factory=list)
    _next: dict[int, int] = field(default_factory=dict)
    _starts: list[int] = field(default_factory=list)
    _tops: list[Piece] = field(default_factory=list)
    _whole: set[Piece] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._tops = pieces_of(self.statements)
        self._starts = [span.start.row for span in self.statements]
        open_: list[int] = []
        before: dict[int, int] = {}
        for number, span in enumerate(self.statements):
            while open_ and self.statements[open_[-1]].end <= span.start:
                open_.pop()
            parent = open_[-1] if open_ else -1
            self._parents.append(parent)
            if parent in before:
                self._next[before[parent]] = number
            before[parent] = number
            open_.append(number)

    def cut(
        self, targets: Iterable[tuple[Span, bool, T]]
    ) -> tuple[list[tuple[Parsed, list[T]]], list[T]]:
        """The pieces with their targets, last ones first, and the targets that no statement holds.

        A target's flag says whether the comments above its statement are meant as well.
        """
        wanted = list(targets)
        while True:
            by_piece: dict[Piece, list[int]] = {}
            lost: list[T] = []
            for number, (span, lead, target) in enumerate(wanted):
                piece = self._piece(span, lead=lead)
                if piece is None:
                    lost.append(target)
                else:
                    by_piece.setdefault(piece, []).append(number)
            crossing = [a for a, b in pairwise(sorted(by_piece)) if b.first <= a.last < b.last]
            for piece in crossing:
                self._keep_whole(piece)
            failed = bool(crossing)
            parsed = []
            for piece, own in _merged(by_piece) if not failed else ():
                try:
                    parsed.append((self._parse(piece), [wanted[n][2] for n in sorted(own)]))
                except (cst.ParserSyntaxError, InternalError):
                    if not (piece.nested or piece.body):
                        raise
                    failed = True
                    self._keep_whole(piece)
            if not failed:
                return parsed, lost

    def _keep_whole(self, piece: Piece) -> None:
        top = _piece_at(piece.first, self._tops)
        self._whole.update((top,) if top is not None else ())

    def _parse(self, piece: Piece) -> Parsed:
        text = "".join(self.lines[piece.first - 1 : piece.last])
        return parse_piece(text, piece, reading=self.reading)

    def _piece(self, span: Span, *, lead: bool) -> Piece | None:
        top = _piece_at(span.start.row, self._tops)
        if top is None or top in self._whole:
            return top
        number = bisect_right(self._starts, span.start.row) - 1
        while number >= 0:
            own = self.statements[number]
            if own.start.row <= span.start.row and span.end.row <= own.end.row:
                nested = self._parents[number] >= 0
                if nested and not self._stands_alone(number, own):
                    number = self._parents[number]
                    continue
                first = self._lead(number, own) if lead and nested else own.start.row
                last, body = self._head(number, span) or (own.end.row, "")
                if not nested and not body:
                    return top
                return Piece(first, last, nested, body)
            number = self._parents[number]
        return top

    def _stands_alone(self, number: int, span: Span) -> bool:
        """Whether a nested statement shares its lines with no other, and can begin one."""
        line = self.lines[span.start.row - 1]
        before, after = line[: span.start.column - 1], line[span.start.column - 1 :]
        if not before.isspace() or after.startswith("elif"):
            return False
        following = self._next.get(number)
        return following is None or self.statements[following].start.row > span.end.row

    def _head(self, number: int, span: Span) -> tuple[int, str] | None:
        """The last row of a statement's head, if it ends `span`, and its body's indentation."""
        inner = number + 1
        if inner >= len(self.statements) or self._parents[inner] != number:
            return None
        start = self.statements[inner].start
        if span.end.row >= start.row or not self._stands_alone(inner, self.statements[inner]):
            return None
        return start.row - 1, self.lines[start.row - 1][: start.column - 1].rpartition("\f")[2]

    def _lead(self, number: int, span: Span) -> int:
        """The first of the comments and blank lines right above a statement."""
        first = span.start.row
        indent = span.start.column - 1
        while first > 1:
            line = self.lines[first - 2]
            bare = line.lstrip()
            if bare and (not bare.startswith("#") or len(line) - len(bare) > indent):
                break
            first -= 1
        before = self.statements[number - 1]
        parent = number - 1 == self._parents[number]
        return max(first, (before.start.row if parent else before.end.row) + 1)


def _merged(by_piece: dict[Piece, list[int]]) -> list[tuple[Piece, list[int]]]:
    """Pieces inside of others become part of them; last ones first."""
    found: list[tuple[Piece, list[int]]] = []
    for piece in sorted(by_piece, key=lambda p: (p.first, -p.last)):
        if found and piece.first <= found[-1][0].last:
            found[-1][1].extend(by_piece[piece])
        else:
            found.append((piece, list(by_piece[piece])))
    return found[::-1]
