"""Values by which tests look something up that are no keys of several parts: `TENANT`, `TenantId("t")`, `str(uuid4())`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.model import Binding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.planner import Planner

_MAX_DEPTH: Final = 6


class BareValues(Room, Struct, frozen=True):
    """Knows them."""

    planner: Planner

    def is_one(self, node: tree.Node, depth: int = 0) -> bool:
        """Whether an expression is a value by itself, `TENANT` or `TenantId("t")`, that is much else than a key."""
        planner, program = self.planner, self.program
        match node:
            case tree.Const() | tree.FString() | tree.Binary():
                return True
            case tree.Call() | tree.Attr() if planner.local.hosts.is_made_anew(node):
                return True
            case tree.Attr():
                is_value = program.domain.held.is_value
                return any(is_value(node, scope) for scope in program.policy.scopes)
            case tree.Name() | tree.Call() if depth < _MAX_DEPTH:
                given = self._given_to(node)
                known = [one for one in given if one is not None and self.is_one(one, depth + 1)]
                return 0 < len(known) == len(given)
            case _:
                return False

    def _given_to(self, node: tree.Name | tree.Call) -> Sequence[tree.Node | None]:
        """What a name of a test is given, by an assignment or by pytest, and what a call gives back of the tests, or is
        given; `None` where that is not known."""
        names = self.program.names
        if isinstance(node, tree.Call):
            called = [c.function for c in self.program.calls.callees(node) if c.cls is None]
            made = [function for function in called if function is not None]
            if not made:
                return [argument.value for argument in node.args]
            return [v if f.module.is_test else None for f in made for v in f.returns]
        bound = [names.follow(binding) for binding in names.bindings_of(node)]
        given = list(self.planner.local.handed.written(node))
        if any(isinstance(one, Binding) and one.kind == "param" for one in bound):
            given += self.planner.sources.shared.spelled(node)
            return [one for one in given if one is not node]
        if all(isinstance(one, Binding) and one.kind == "for" for one in bound):
            return given or [None]
        return [one.assigned if isinstance(one, Binding) else None for one in bound]
