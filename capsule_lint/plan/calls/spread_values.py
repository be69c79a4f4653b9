"""What dicts and tuples that calls spread are given: the values of scopes, as they are where these are written."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.plan.room import MendRoom

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Value, Want
    from capsule_lint.program.model import Place


class SpreadValues(MendRoom, Struct, frozen=True):
    """Says the values of wants away from the calls that want them."""

    mends: Mends

    def code(self, want: Want, node: tree.Node) -> str | None:
        """The code of a want's value where it comes to stand beside an expression of the same file; `None` if it has
        none there."""
        value = self.mends.value(want)
        if value is None:
            return None
        names = _names(value.code)
        if self._stands(value, want, node) and self._means_the_same(names, want, node):
            return self.mends.code_of(want, want.knot, node)
        moved = replace(want, node=node)
        found = self.mends.value(moved)
        if found is None or (
            found.code == value.code and not self._means_the_same(names, want, node)
        ):
            return None
        if found.knot is not None:
            self.state.groups.join(want.knot, found.knot)
        return self.mends.code_of(moved, want.knot)

    def _stands(self, value: Value, want: Want, node: tree.Node) -> bool:
        """Whether the function, or the lambda, around an expression is that which a want's value is of."""
        if value.root is None and value.knot is None:
            return True
        here, there = self._place(node).scope, self._place(want.node).scope
        if value.knot is not None and value.knot[0] == "lambda":
            return here is there
        return here.function is there.function

    def _means_the_same(self, names: set[str], want: Want, node: tree.Node) -> bool:
        """Whether names have the same values at an expression as where they are wanted."""
        here, there = self._place(node), self._place(want.node)
        binding, bindings = self.planner.sources.visible.binding, self.program.names.bindings
        return all(
            binding(name, here) is binding(name, there)
            and bindings(name, here) == bindings(name, there)
            for name in names
        )

    def _place(self, node: tree.Node) -> Place:
        return self.program.names.place(node)


def _names(code: str) -> set[str]:
    """The plain names in code."""
    parsed = ast.parse(code, mode="eval")
    return {node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)}
