"""The rows of the ledger for files that nothing gets to which changes: no import leads there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import Occurrence, Verdict
from capsule_lint.plan.uses.bare import bare_names, span_at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from capsule_lint.model import Span
    from capsule_lint.program.model import Module, Symbol

_REASON: Final = "no import leads from its package to what changes"


def left_out(
    module: Module, written: Mapping[str, str], lines: Sequence[str]
) -> Iterator[tuple[str, Occurrence]]:
    """One row for each name in a file that is among `written`, which has the changing symbols by the names that they go by;
    and the name. `lines` are those of its text."""
    seen = set()
    for name, span in _named(module, written.keys(), lines):
        if span.start not in seen:
            seen.add(span.start)
            row = span.start.row
            text = lines[row - 1].strip() if row <= len(lines) else ""
            position, symbol = span.start, written[name]
            found = Occurrence(module.filename, position, symbol, Verdict.OTHER, _REASON, text)
            yield name, found


def _named(
    module: Module, names: Collection[str], lines: Sequence[str]
) -> Iterator[tuple[str, Span]]:
    definitions: list[Symbol] = [*module.functions, *module.classes]
    for definition in definitions:
        if definition.name in names:
            yield definition.name, tree.span_of(definition.fact.name_at)
    for statement, _ in module.imports:
        for one in statement.names:
            name = one.name if one.name is not None else one.module.rpartition(".")[2]
            if name in names:
                behind = len(one.module) - len(name) if one.name is None else 0
                yield name, span_at(one.at[0], one.at[1] + behind, name)
    for bare in bare_names(module, names, lambda: lines):
        yield bare.name, bare.span
    for node in module.every(tree.Name, tree.Attr, tree.Const, tree.Call):
        match node:
            case tree.Name() if node.id in names:
                yield node.id, node.span
            case tree.Attr() if node.name in names:
                yield node.name, node.name_span
            case tree.Const(value=str() as text) if re.fullmatch(r"[\w.]+", text):
                name = text.rpartition(".")[2]
                if name in names:
                    yield name, node.span
            case tree.Call():
                for argument in node.args:
                    if argument.keyword in names and argument.keyword is not None:
                        yield argument.keyword, span_at(*argument.at[:2], argument.keyword)
