"""Examples in docstrings, which doctest runs: `>>> room_pk("t", "r")`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Position, Span
from capsule_lint.plan.uses.doctests import hindered, skipped
from capsule_lint.program.model import Binding, Class, Function, Module, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Place

_LINE: Final = re.compile(r"\s*(?:[rRuU]?[\"']{1,3})?\s*(?:>>>|\.\.\.) ")
_CALLED: Final = re.compile(r"(?<![\w.])((?:\w+(?:\(\))?\.)*)(\w+)\(")
_SKIPPED: Final = "doctest is told to skip it"


class Example(Struct, frozen=True):
    """A call in an example: where the name of what is called stands, and what stands before it."""

    span: Span
    root: str
    name: str
    place: Place
    hindrance: str | None
    """Why doctest fails there in any case, or does not come there."""


def examples(
    program: Program, module: Module, names: Collection[str], lines: Callable[[], Sequence[str]]
) -> Iterator[Example]:
    """All calls of what has one of `names`; `lines` gives those of the module's text."""
    for node in module.each(tree.Const):
        text = tree.text(node)
        parent = program.names.parent(node) if text is not None and ">>>" in text else None
        if not isinstance(parent, tree.Eval) or parent.kind != "expr":
            continue
        place = program.names.place(node)
        rows = node.at[2] - node.at[0]
        # by their rows, where each line of the text is one
        left_out = skipped(text or "") if rows == (text or "").count("\n") else ()
        found: list[tuple[Span, str, str]] = []
        for row in range(node.at[0], node.at[2] + 1):
            line = lines()[row - 1]
            for call in _CALLED.finditer(line) if _LINE.match(line) else ():
                if call[2] in names:
                    column = call.start(2) + 1
                    span = Span(Position(row, column), Position(row, column + len(call[2])))
                    found.append((span, re.split(r"\W", call[1])[0], call[2]))
        reason = hindered(program, module, text or "") if found else None
        for span, root, name in found:
            skips = span.start.row - node.at[0] in left_out
            yield Example(span, root, name, place, _SKIPPED if skips else reason)


def shown(
    program: Program, example: Example, symbols: Sequence[Function | Class]
) -> Function | Class | None:
    """Which of some symbols an example calls, as far as the names around it tell."""
    bindings = program.names.bindings(example.root or example.name, example.place)
    for binding in bindings:
        target = program.names.follow(binding)
        if isinstance(target, Module):
            found = program.names.global_binding(target, example.name)
            target = program.names.follow(found) if found is not None else target
        defined = target.definition if isinstance(target, Binding) else None
        if isinstance(defined, Class) and example.root and defined.name != example.name:
            defined = program.classes.method(defined, example.name)
        if defined is not None and defined in symbols:
            return defined
    if bindings:
        return None
    own = owner_of(example.place.scope.function) or example.place.scope.cls
    for symbol in symbols:
        owner = symbol.owner if isinstance(symbol, Function) else None
        if (owner is own) if example.root else owner is None:
            return symbol
    return None
