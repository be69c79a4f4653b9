"""All mends of a file: pieces are cut out, parsed alone, changed in one traversal, and spliced back."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence

import libcst as cst

from capsule_lint import syntax
from capsule_lint.errors import InternalError
from capsule_lint.lines import lines_of, newline_of, unit_of
from capsule_lint.model import (
    AddImport,
    AddStatement,
    AppendCode,
    DropStatement,
    Mend,
    ReplaceComment,
    Span,
)
from capsule_lint.rewrite.additions import add_code
from capsule_lint.rewrite.base import Fix
from capsule_lint.rewrite.imports import add_imports
from capsule_lint.rewrite.layout import wrapped
from capsule_lint.rewrite.offsets import code_of
from capsule_lint.rewrite.pieces import Cutter, Parsed
from capsule_lint.rewrite.quotes import Requote, prefers_single, strings_in

Fixers = Mapping[str, tuple[type[Fix[Mend]], ...]]
"""The transformers of each rule, by its code."""

_WIDTH = 88


class Chain(cst.CSTTransformer):
    """Several fixers in one traversal; each sees the original node and what the others made of it."""

    def __init__(self, fixers: Sequence[Fix[Mend]], around: Container[int]) -> None:
        super().__init__()
        self._fixers = fixers
        self._around = around

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Visit what may change, and what is around it."""
        if id(node) not in self._around:
            return False
        for fixer in self._fixers:
            fixer.on_visit(node)
        return True

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        """No fixer asks."""

    def on_leave_attribute(self, original_node: cst.CSTNode, attribute: str) -> None:
        """No fixer asks."""

    def on_leave(
        self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT
    ) -> cst.CSTNodeT | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNodeT]:
        """What all fixers together make of a node."""
        if id(original_node) not in self._around:
            return updated_node
        for fixer in self._fixers:
            made = fixer.on_leave(original_node, updated_node)
            updated_node = made  # type: ignore[assignment]  # who gets a dropped node leaves it so
        return updated_node


def apply(
    source: str,
    statements: Iterable[Span],
    mends: Sequence[Mend],
    fixers: Fixers,
    width: int | None = None,
) -> str:
    """The text of a file after its mends; `statements` are all of its statements, outer ones before
    inner ones (the top-level ones are enough, but then larger pieces are parsed).

    Lines that become longer than `width` are broken, and texts in them; without it, those lines alone that become longer
    than 88 characters and than every line of the file.

    Raises InternalError when a mend finds no node, or finds two, when its rule has no transformer
    for it, or when the result does not parse.
    """
    filename = mends[0].filename if mends else "?"
    lines = lines_of(source)
    _replace_comments(lines, [m for m in mends if isinstance(m, ReplaceComment)])
    texts = width is not None
    if width is None:
        width = max([_WIDTH, *(len(line.rstrip("\r\n")) for line in lines)])
    targets = [
        (
            mend.inside if isinstance(mend, DropStatement) else mend.at,
            isinstance(mend, AddStatement) and mend.before,
            mend,
        )
        for mend in mends
        if not isinstance(mend, AddImport | AppendCode | ReplaceComment)
    ]
    cuts, lost = Cutter[Mend](lines, tuple(statements)).cut(targets)
    for mend in lost:
        raise InternalError(f"{_where(mend)}: no statement stands where a change was planned")
    single, unit = prefers_single(source), unit_of(source)
    for parsed, own in cuts:
        before = parsed.head + parsed.text + parsed.tail
        module = _changed(parsed, own, fixers)
        if single:
            module = module.visit(Requote(strings_in(parsed.module)))
        changed = wrapped(before, code_of(module), width, unit, newline_of(source), texts=texts)
        end = len(changed) - len(parsed.tail)
        code = parsed.lead + changed[len(parsed.head) : end]
        lines[parsed.piece.first - 1 : parsed.piece.last] = [code]
    result = add_code("".join(lines), [m for m in mends if isinstance(m, AppendCode)])
    result = add_imports(result, [m for m in mends if isinstance(m, AddImport)], width)
    try:
        syntax.check(source, result)
    except SyntaxError as error:
        reason = f"{filename}:{error.lineno}:1: the fixed file would not parse: {error.msg}"
        raise InternalError(reason) from error
    return result


def _replace_comments(lines: list[str], mends: Iterable[ReplaceComment]) -> None:
    """A comment ends its line, so that all code stays where it stands."""
    for mend in mends:
        row, start, end = mend.at.start.row, mend.at.start.column - 1, mend.at.end.column - 1
        line = lines[row - 1]
        lines[row - 1] = f"{line[:start]}{mend.replacement}{line[end:]}"


def _where(mend: Mend) -> str:
    return f"{mend.filename}:{mend.at.start.row}:{mend.at.start.column}"


def _changed(parsed: Parsed, mends: Sequence[Mend], fixers: Fixers) -> cst.Module:
    by_fixer: dict[type[Fix[Mend]], list[Mend]] = defaultdict(list)
    for mend in mends:
        fixer = next((f for f in fixers.get(mend.code, ()) if type(mend) is f.kind), None)
        if fixer is None:
            kind = type(mend).__name__
            raise InternalError(f"{_where(mend)}: {mend.code} has no transformer for {kind}")
        by_fixer[fixer].append(mend)
    made = [fixer(own, parsed.place) for fixer, own in sorted(by_fixer.items(), key=_fixer_order)]
    result = parsed.module.visit(Chain(made, parsed.place.around(mend.at.start for mend in mends)))
    done = Counter(id(m) for fixer in made for m in fixer.made)
    for mend in mends:
        count = done[id(mend)]
        if count != 1:
            what = "found no node" if count == 0 else f"was made {count} times"
            raise InternalError(f"{_where(mend)}: {type(mend).__name__} {what}")
    return result


def _fixer_order(pair: tuple[type[Fix[Mend]], list[Mend]]) -> tuple[int, str]:
    return pair[0].order, pair[0].__name__
