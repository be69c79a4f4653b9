"""All mends of a file: pieces are cut out, parsed alone, changed in one traversal, and spliced back."""

from __future__ import annotations

import ast
import difflib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from capsule_lint.errors import InternalError
from capsule_lint.model import AddImport, AppendCode, Edit, Mend, Position, Span
from capsule_lint.rewrite.base import Fix, Place
from capsule_lint.rewrite.imports import add_imports

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


@dataclass(frozen=True, slots=True)
class Piece:
    """Top-level statements that share whole lines: `first` to `last`, counted from 1."""

    first: int
    last: int


def lines_of(source: str) -> list[str]:
    """The lines of a text with their ends, as Python's tokenizer counts them."""
    return _LINE.findall(source)


def pieces_of(source: str) -> list[Piece]:
    """The top-level statements of a module as ranges of whole lines.

    Raises SyntaxError when the text does not parse.
    """
    found: list[Piece] = []
    for node in ast.parse(source).body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)])
        last = node.end_lineno or node.lineno
        if found and first <= found[-1].last:
            found[-1] = Piece(found[-1].first, max(last, found[-1].last))
        else:
            found.append(Piece(first, last))
    return found


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


def apply(source: str, mends: Sequence[Mend], fixers: Sequence[type[Fix[Mend]]]) -> str:
    """The text of a file after its mends.

    Raises InternalError when a mend finds no node, or finds two, or when the result does not parse.
    """
    placed = [m for m in mends if not isinstance(m, AddImport | AppendCode)]
    lines = lines_of(source)
    if placed:
        by_piece: dict[Piece, list[Mend]] = defaultdict(list)
        pieces = pieces_of(source)
        for mend in placed:
            by_piece[_piece_of(mend, pieces)].append(mend)
        for piece in sorted(by_piece, key=lambda p: -p.first):
            text = "".join(lines[piece.first - 1 : piece.last])
            changed = _piece(text, piece.first, by_piece[piece], fixers)
            lines[piece.first - 1 : piece.last] = [changed]
    result = "".join(lines)
    result = _appended(result, [m for m in mends if isinstance(m, AppendCode)])
    result = add_imports(result, [m for m in mends if isinstance(m, AddImport)])
    filename = mends[0].filename if mends else "?"
    try:
        ast.parse(result)
    except SyntaxError as error:
        raise InternalError(
            f"{filename}:{error.lineno}: the fixed file would not parse: {error.msg}"
        ) from error
    return result


def _piece_of(mend: Mend, pieces: Sequence[Piece]) -> Piece:
    row = mend.at.start.row
    for piece in pieces:
        if piece.first <= row <= piece.last:
            return piece
    raise InternalError(f"{mend.filename}:{row}: no statement stands where a change was planned")


def _piece(
    text: str, first_row: int, mends: Sequence[Mend], fixers: Sequence[type[Fix[Mend]]]
) -> str:
    module = cst.parse_module(text)
    if module.code != text:
        raise InternalError(
            f"{mends[0].filename}:{first_row}: a statement cannot be read without loss"
        )
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    place = Place(wrapper.resolve(PositionProvider), first_row)
    made = [f([m for m in mends if isinstance(m, f.kind)], place) for f in fixers]
    result = wrapper.module.visit(Chain(made))
    done = [m for fixer in made for m in fixer.made]
    for mend in mends:
        count = sum(1 for m in done if m is mend)
        if count != 1:
            at = mend.at.start
            what = "found no node" if count == 0 else f"was made {count} times"
            raise InternalError(
                f"{mend.filename}:{at.row}:{at.column}: {type(mend).__name__} {what}"
            )
    return result.code


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
