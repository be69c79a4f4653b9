"""All mends of a file: pieces are cut out, parsed alone, changed in one traversal, and spliced back."""

from __future__ import annotations

import ast
import difflib
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from capsule_lint.errors import InternalError
from capsule_lint.model import AddImport, AppendCode, Edit, Mend, Position, Span
from capsule_lint.rewrite.base import Fix, Place
from capsule_lint.rewrite.imports import add_imports
from capsule_lint.rewrite.layout import wrapped

Fixers = Mapping[str, tuple[type[Fix[Mend]], ...]]
"""The transformers of each rule, by its code."""

_WIDTH = 88
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


@dataclass(frozen=True, slots=True)
class Piece:
    """Top-level statements that share whole lines: `first` to `last`, counted from 1."""

    first: int
    last: int


def lines_of(source: str) -> list[str]:
    """The lines of a text with their ends, as Python's tokenizer counts them."""
    return _LINE.findall(source)


def pieces_of(statements: Iterable[Span]) -> list[Piece]:
    """Top-level statements, in their order, as ranges of whole lines."""
    found: list[Piece] = []
    for span in statements:
        first, last = span.start.row, span.end.row
        if found and first <= found[-1].last:
            found[-1] = Piece(found[-1].first, max(last, found[-1].last))
        else:
            found.append(Piece(first, last))
    return found


def piece_at(row: int, pieces: Sequence[Piece]) -> Piece | None:
    """The piece that holds a row."""
    at = bisect_right(pieces, row, key=lambda piece: piece.first) - 1
    return pieces[at] if at >= 0 and row <= pieces[at].last else None


def parse_piece(text: str, first_row: int) -> tuple[cst.Module, Place]:
    """A piece's syntax, and where its nodes stand in the file.

    Raises InternalError when LibCST would not give the text back as it is.
    """
    module = cst.parse_module(text)
    if module.code != text:
        raise InternalError(f"line {first_row}: a statement cannot be read without loss")
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    return wrapper.module, Place(wrapper.resolve(PositionProvider), first_row)


class Chain(cst.CSTTransformer):
    """Several fixers in one traversal; each sees the original node and what the others made of it."""

    def __init__(self, fixers: Sequence[Fix[Mend]]) -> None:
        super().__init__()
        self._fixers = fixers

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Visit everything."""
        for fixer in self._fixers:
            fixer.on_visit(node)
        return True

    def on_leave(  # type: ignore[override]  # as in LibCST's own visitors
        self, original: cst.CSTNode, updated: cst.CSTNode
    ) -> cst.CSTNode:
        for fixer in self._fixers:
            updated = fixer.on_leave(original, updated)  # type: ignore[assignment]
        return updated


def apply(
    source: str,
    statements: Iterable[Span],
    mends: Sequence[Mend],
    fixers: Fixers,
    width: int | None = None,
) -> str:
    """The text of a file after its mends; `statements` are its top-level ones, in order.

    Lines that become longer than `width` are broken; without it, those that become longer than 88
    characters and than every line of the file.

    Raises InternalError when a mend finds no node, or finds two, when its rule has no transformer
    for it, or when the result does not parse.
    """
    filename = mends[0].filename if mends else "?"
    lines = lines_of(source)
    if width is None:
        width = max([_WIDTH, *(len(line.rstrip("\r\n")) for line in lines)])
    by_piece: dict[Piece, list[Mend]] = defaultdict(list)
    pieces = pieces_of(statements)
    for mend in mends:
        if isinstance(mend, AddImport | AppendCode):
            continue
        piece = piece_at(mend.at.start.row, pieces)
        if piece is None:
            raise InternalError(f"{_where(mend)}: no statement stands where a change was planned")
        by_piece[piece].append(mend)
    for piece in sorted(by_piece, key=lambda p: -p.first):
        text = "".join(lines[piece.first - 1 : piece.last])
        changed = _changed(text, piece, by_piece[piece], fixers)
        lines[piece.first - 1 : piece.last] = [wrapped(text, changed, width)]
    result = _appended("".join(lines), [m for m in mends if isinstance(m, AppendCode)])
    result = add_imports(result, [m for m in mends if isinstance(m, AddImport)], width)
    try:
        ast.parse(result)
    except SyntaxError as error:
        reason = f"{filename}:{error.lineno}: the fixed file would not parse: {error.msg}"
        raise InternalError(reason) from error
    return result


def _where(mend: Mend) -> str:
    return f"{mend.filename}:{mend.at.start.row}:{mend.at.start.column}"


def _changed(text: str, piece: Piece, mends: Sequence[Mend], fixers: Fixers) -> str:
    module, place = parse_piece(text, piece.first)
    by_fixer: dict[type[Fix[Mend]], list[Mend]] = defaultdict(list)
    for mend in mends:
        fixer = next((f for f in fixers.get(mend.code, ()) if type(mend) is f.kind), None)
        if fixer is None:
            kind = type(mend).__name__
            raise InternalError(f"{_where(mend)}: {mend.code} has no transformer for {kind}")
        by_fixer[fixer].append(mend)
    made = [fixer(own, place) for fixer, own in sorted(by_fixer.items(), key=_fixer_order)]
    result = module.visit(Chain(made))
    done = Counter(id(m) for fixer in made for m in fixer.made)
    for mend in mends:
        count = done[id(mend)]
        if count != 1:
            what = "found no node" if count == 0 else f"was made {count} times"
            raise InternalError(f"{_where(mend)}: {type(mend).__name__} {what}")
    return result.code


def _fixer_order(pair: tuple[type[Fix[Mend]], list[Mend]]) -> tuple[int, str]:
    return pair[0].order, pair[0].__name__


def _appended(source: str, additions: Sequence[AppendCode]) -> str:
    newline = "\r\n" if "\r\n" in source else "\n"
    for addition in additions:
        code = addition.source.replace("\n", newline)
        if not source.strip():
            source = code
            continue
        source = source.rstrip("\r\n") + newline * 3 + code
    return source


def edits(before: str, after: str, filename: str) -> tuple[Edit, ...]:
    """The replacements, line by line, that turn one text into the other."""
    old, new = lines_of(before), lines_of(after)
    found = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            span = Span(Position(a + 1, 1), Position(b + 1, 1))
            found.append(Edit(filename, span, "".join(new[c:d])))
    return tuple(found)
