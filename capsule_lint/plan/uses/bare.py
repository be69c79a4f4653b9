"""Names that stand for themselves, in no expression: parameters, `as`, `global`, `(name := value)`,
modules in imports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Position, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from capsule_lint.program.model import Binding, Module


class Bare(Struct, frozen=True):
    """One such name: where it stands, what it is, and what gives it its value, where that is known."""

    name: str
    span: Span
    what: str
    binding: Binding | None = None


def bare_names(
    module: Module, names: Collection[str], lines: Callable[[], Sequence[str]]
) -> Iterator[Bare]:
    """All that are among `names`; `lines` gives those of the module's text."""
    for function in module.functions:
        for parameter in function.params:
            if parameter.name in names:
                bound = function.scope.bindings.get(parameter.name)
                yield _parameter(parameter, bound[0] if bound else None)
    for node in module.every(tree.Lambda, tree.Walrus):
        match node:
            case tree.Lambda():
                yield from (_parameter(p, None) for p in node.params if p.name in names)
            case tree.Walrus() if node.name in names:
                row, column = node.at[:2]
                yield Bare(node.name, span_at(row, column, node.name), "a name for a value")
    for statement, _ in module.statements:
        match statement:
            case tree.Import():
                yield from _bound(module, statement, names)
                yield from _modules(statement, names, lines)
            case tree.Outer() if not set(names).isdisjoint(statement.names):
                for row, column, word in _words(lines(), statement.at):
                    if word in statement.names and word in names:
                        yield Bare(
                            word, span_at(row, column, word), "says where the name is bound"
                        )


def _parameter(parameter: tree.Parameter, binding: Binding | None) -> Bare:
    row, column = parameter.at[:2]
    span = span_at(row, column, parameter.name)
    return Bare(parameter.name, span, "the name of a parameter", binding)


def _bound(module: Module, statement: tree.Import, names: Collection[str]) -> Iterator[Bare]:
    """The names after `as`."""
    for one in statement.names:
        whole = one.module if one.name is None else one.name
        if one.bound in names and one.bound not in (whole, whole.partition(".")[0]):
            bound = [b for b in module.scope.bindings.get(one.bound, ()) if b.imported is one]
            span = span_at(one.at[2], one.at[3] - len(one.bound), one.bound)
            yield Bare(one.bound, span, "imports something else", bound[0] if bound else None)


def _modules(
    statement: tree.Import, names: Collection[str], lines: Callable[[], Sequence[str]]
) -> Iterator[Bare]:
    """The packages and modules that are imported from, and those on the way to an imported one."""
    listed = statement.names
    if listed and listed[0].name is None:
        for one in listed:
            column = one.at[1]
            for part in one.module.split(".")[:-1]:
                if part in names:
                    yield Bare(part, span_at(one.at[0], column, part), "a package")
                column += len(part) + 1
        return
    parts = {part for part in listed[0].module.split(".") if part in names} if listed else ()
    if parts:
        for row, column, word in _words(lines(), (*statement.at[:2], *listed[0].at[:2])):
            if word in parts:
                yield Bare(word, span_at(row, column, word), "a module")


def _words(lines: Sequence[str], at: tree.At) -> Iterator[tuple[int, int, str]]:
    """The words in a part of a text, with their rows and columns."""
    first, start, last, end = at
    for row in range(first, min(last, len(lines)) + 1):
        line = lines[row - 1].partition("#")[0]
        for found in re.finditer(r"\w+", line):
            after = row > first or found.start() + 1 >= start
            if after and (row < last or found.end() < end):
                yield row, found.start() + 1, found[0]


def span_at(row: int, column: int, name: str) -> Span:
    """Where a name stands that begins there."""
    return Span(Position(row, column), Position(row, column + len(name)))
