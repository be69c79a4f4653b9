"""Rows that are told apart in steps: by one scope first, by the other one behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.presence import ends, has_run
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Binding
    from capsule_lint.program.names import Names

_SIEVING = frozenset(("filter", "filterfalse"))
"""What gives a function each row of what it goes through, and those for which that is true."""


@dataclass(eq=False, slots=True)
class Narrowed:
    """Finds out which comparisons decide about rows that another one has let through."""

    names: Names

    def are_steps(
        self, one: tree.Compare, row: tree.Node, other: tree.Compare, of: tree.Node
    ) -> bool:
        """Whether of two comparisons, of a row and of another row, one decides about what the other one has let
        through."""
        if self._is_same(row, of):
            return self._is_behind(one, other) or self._is_behind(other, one)
        return self._comes_of(row, other) or self._comes_of(of, one)

    def _is_same(self, row: tree.Node, other: tree.Node) -> bool:
        """Whether two names are those of one row."""
        if (
            not isinstance(row, tree.Name)
            or not isinstance(other, tree.Name)
            or row.id != other.id
        ):
            return False
        found, others = (self.names.bindings_of(one) for one in (row, other))
        return any(a is b for a in found for b in others)

    def _is_behind(self, one: tree.Compare, other: tree.Compare) -> bool:
        """Whether a comparison is made where the other one has held, or has not made the code leave."""
        at, before = self.names.place(one), self.names.place(other)
        test = before.statement
        if (
            not isinstance(test, tree.Block)
            or test.kind != "if"
            or at.scope.function is not before.scope.function
        ):
            return False
        if any(before.scope.module.blocks[number] is test for number, _, _ in at.blocks):
            return True
        return ends(test.bodies[0]) and has_run(before, at)

    def _comes_of(self, row: tree.Node, other: tree.Compare) -> bool:
        """Whether a row is one of those that a comparison has picked: `own = [n for n in notes if …]` before
        `for note in own`."""
        statement = self.names.place(other).statement
        return isinstance(statement, tree.Assign) and any(
            binding.place.statement is statement
            for source in self._sources(row)
            for binding in self.names.bindings_of(source)
        )

    def _sources(self, row: tree.Node) -> Iterator[tree.Name]:
        """The names of what a row is taken out of."""
        if not isinstance(row, tree.Name):
            return
        for binding in self.names.bindings_of(row):
            value = self.gone_through(binding)
            for node in within(value) if value is not None else ():
                if isinstance(node, tree.Name):
                    yield node

    def gone_through(self, row: Binding) -> tree.Node | None:
        """What a loop goes through for a row that it binds, or `filter` for the parameter of a lambda."""
        if row.kind == "for":
            return row.value
        node = self.names.index.lambdas.get(id(row.place.scope))
        call = self.names.parent(node) if node is not None else None
        if not isinstance(call, tree.Call) or last_name(call.func) not in _SIEVING:
            return None
        return call.args[-1].value
