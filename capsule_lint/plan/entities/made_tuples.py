"""Entities that a call makes the class of, `Trip = namedtuple("Trip", "tenant_id day km")`: their fields stand in a text,
which a person has to extend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.fake_owners import TUPLES, fields_of
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope

_OWN: Final = frozenset(("_asdict", "_replace", "_fields", "_make"))
"""What such tuples have beside their fields."""
OF_LISTED: Final = "is of `{}`, which a call makes of listed fields, and `{}` is none of them"
"""Why a person has to look at such a tuple, and the scope that it lacks."""


class _Made(Struct, frozen=True):
    """What such a class is called, and its fields."""

    name: str
    fields: frozenset[str]


@dataclass(eq=False, slots=True)
class MadeTuples(Room):
    """Notes where they say one scope, and another one comes from elsewhere."""

    planner: Planner

    def note(self) -> None:
        """Note them: the row of such an entity would be kept under a scope that it does not say."""
        made = list(self._find())
        for want in self.state.wants if made else ():
            for node in self._neighbours(want):
                for one in made:
                    if self._lacks(one, want.scope) and self._is_of(node.base, one):
                        reason = OF_LISTED.format(one.name, want.scope.parameter)
                        self.planner.local.notes.obstacle(want.knot, node, reason)

    def _find(self) -> Iterator[_Made]:
        program = self.program
        with program.names.aside():  # where a field is called like a scope, the file is linked
            calls = [call for word in TUPLES for call in program.calls.uses.calls_beside(word)]
        for call in calls:
            parent = program.names.parent(call)
            if program.names.module_of(call).is_test or not isinstance(parent, tree.Assign):
                continue
            for target in parent.targets:
                made = _Made(last_name(target), fields_of(call))
                if any(self._lacks(made, scope) for scope in program.policy.scopes):
                    yield made

    def _lacks(self, made: _Made, scope: Scope) -> bool:
        """Whether the fields say another scope, and not this one."""
        policy = self.program.policy
        others = policy.others(scope)
        return (
            scope in policy.scopes_of(made.name)
            and not any(names_scope(name, scope) for name in made.fields)
            and any(names_scope(name, other) for name in made.fields for other in others)
        )

    def _neighbours(self, want: Want) -> Iterator[tree.Attr]:
        """What says another scope beside what is wanted, outside of tests: `trip.tenant_id`."""
        if self.program.names.module_of(want.node).is_test:
            return
        given = [a.value for a in want.call.args] if want.call is not None else []
        others = self.program.policy.others(want.scope)
        for node in (want.mirror, *given):
            if isinstance(node, tree.Attr) and any(names_scope(node.name, s) for s in others):
                yield node

    def _is_of(self, node: tree.Node, made: _Made) -> bool:
        """Whether something is such a tuple: it is made or declared so, or nothing is known of it, and its function
        reads nothing but fields of the tuple from it."""
        program = self.program
        if not isinstance(node, tree.Name):
            return False
        if any(isinstance(one, Instance) for one in program.inference.of(node)):
            return False
        bound = program.names.bindings_of(node)
        for binding in bound:
            told = binding.parameter.annotation if binding.parameter is not None else None
            given = (binding.assigned, *program.calls.passed_to(binding))
            calls = [one for one in given if isinstance(one, tree.Call)]
            if last_name(told) == made.name or any(last_name(c.func) == made.name for c in calls):
                return True
        at = {binding.at for binding in bound}
        parents = [
            program.names.parent(read) for read in (node, *reads_of(program.names, node, at))
        ]
        read = {one.name for one in parents if isinstance(one, tree.Attr)}
        return len(read) > 1 and read <= made.fields | _OWN
