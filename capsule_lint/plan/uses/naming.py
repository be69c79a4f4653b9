"""Where a class or a function is called by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.program.model import Binding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.facts import tree
    from capsule_lint.program import Program
    from capsule_lint.program.model import Symbol


def naming(program: Program, symbol: Symbol) -> Iterator[tree.Name | tree.Attr]:
    """The expressions in the program that are a class or a function, under its name or another one that it is known by."""
    known = program.calls.uses.known_as(symbol.name)
    program.names.ask(*known)
    for node in program.names.named(*known):
        target = program.classes.dotted(node)
        if isinstance(target, Binding) and target.definition is symbol:
            yield node
