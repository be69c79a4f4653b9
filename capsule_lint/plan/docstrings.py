"""Docstrings that are told of what changes: what each gains, by whoever knows, is put in at once."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.literals import plain_literal
from capsule_lint.plan.room import MendRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.program.model import Module

_EXAMPLE: Final = ">>>"
_READING: Final = ("__doc__", "getdoc")


class Addition(Struct, frozen=True):
    """What the text of a docstring gains, and before which of its characters, with a change."""

    knot: Knot
    at: int
    text: str


class Docstring(Struct, frozen=True):
    """A docstring of a module, and what tells by its text what it gains."""

    node: tree.Node
    module: Module
    gains: Callable[[str], Sequence[Addition]]


def docstring_of(fact: tree.FunctionDef | tree.ClassDef) -> tree.Node | None:
    """The docstring of a function or class."""
    first = fact.body[0] if fact.doc else None
    return first.values[0] if isinstance(first, tree.Eval) else None


class Docstrings(MendRoom, Struct, frozen=True, dict=True):
    """Updates docstrings."""

    mends: Mends

    def build(self, docstrings: Iterable[Docstring]) -> None:
        """Add the mends, one a docstring."""
        found: dict[int, list[Docstring]] = defaultdict(list)
        for one in docstrings:
            found[id(one.node)].append(one)
        for several in found.values():
            self._update(several)

    def _update(self, docstrings: Sequence[Docstring]) -> None:
        node, module = docstrings[0].node, docstrings[0].module
        said = plain_literal(self.mends.source(module, node.span))
        if said is None or not said.single or _EXAMPLE in said.body:
            return
        body = said.body
        gains = [addition for one in docstrings for addition in one.gains(body)]
        knots = {self.state.groups.find(one.knot) for one in gains}
        if (
            len(knots) != 1 or self._are_read
        ):  # what another change set leaves as it is would be told otherwise
            return
        for at, text in sorted({(one.at, one.text) for one in gains}, reverse=True):
            body = f"{body[:at]}{text}{body[at:]}"
        code = said.code(body, formatted=False)
        self.mends.add(gains[0].knot, Replace(module.filename, node.span, "CAP101", code))

    @cached_property
    def _are_read(self) -> bool:
        """Whether docstrings may be more than something to read: the program may fill one, `__doc__.format(…)`."""
        names = self.program.names
        names.asked.update(_READING)  # `ask` knows none that begins with underscores
        return any(True for _ in names.named(*_READING)) or any(
            tree.text(node) in _READING
            for module in names.modules.values()
            for node in module.each(tree.Const)
        )


__all__ = ["Addition", "Docstring", "Docstrings", "docstring_of"]
