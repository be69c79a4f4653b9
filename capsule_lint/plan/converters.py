"""Functions that make an item of an entity that they are given, and neither read nor write it: what the entity says
is all that they need, `def to_item(note): return {"PK": f"TENANT#{note.tenant_id}#…"}`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import does_nothing
from capsule_lint.program.calling.dispatch import dispatches
from capsule_lint.program.inference.types import Instance

if TYPE_CHECKING:
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function

_MAX_DEPTH: Final = 4


@dataclass(eq=False, slots=True)
class Converters:
    """Tells them."""

    program: Program
    _known: dict[Function, bool] = field(default_factory=dict)

    def is_one(self, function: Function) -> bool:
        """Whether a function, in all its implementations, is one."""
        if function not in self._known:
            family = self.program.calls.families.of(function)
            made = [one for one in family if one.returns]
            rest = (one for one in family if not one.returns)
            self._known[function] = (
                bool(made) and all(map(self._declares, rest)) and all(map(self._makes_item, made))
            )
        return self._known[function]

    def _declares(self, function: Function) -> bool:
        """Whether a function that gives nothing back only says what others do in its place: of an abstract class, or
        by the type of what it is given."""
        owner = function.owner
        if dispatches(function):
            return does_nothing(function)
        return owner is not None and self.program.classes.is_abstract(owner)

    def _makes_item(self, function: Function) -> bool:
        program, domain = self.program, self.program.domain
        if not program.keys.inside(function) or domain.takes_scope(function):
            return False
        return any(
            isinstance(one, Instance) and one.cls in domain.entities and domain.has_scope(one.cls)
            for parameter in function.own_params
            for one in domain.parameter_types(function, parameter)
        ) and self._only_makes(function, 0)

    def _only_makes(self, function: Function, depth: int) -> bool:
        """Whether a function uses nothing of its object but what its class says, and calls nothing that may reach
        the table."""
        names, calls, domain = self.program.names, self.program.calls, self.program.domain
        if depth > _MAX_DEPTH or domain.touches_table(function):
            return False
        own = self._reaches(function.owner) if function.takes_self else False
        for node in names.inside(function):
            if own and isinstance(node, tree.Name) and node.id == function.self_name:
                used = names.parent(node)
                if not isinstance(used, tree.Attr) or not self._is_said(function.owner, used.name):
                    return False
            for callee in calls.callees(node) if isinstance(node, tree.Call) else ():
                cls, called = callee.cls, callee.function
                if self._reaches(cls):
                    return False
                if cls is None and called is not None and not self._only_makes(called, depth + 1):
                    return False
        return True

    def _reaches(self, cls: Class | None) -> bool:
        """Whether objects of a class may reach the table."""
        return cls in self.program.domain.repositories or cls in self.program.domain.layers

    def _is_said(self, cls: Class | None, name: str) -> bool:
        """Whether the body of a class says what a name of its objects is."""
        line = self.program.classes.mro(cls) if cls is not None else ()
        return any(name in one.scope.bindings for one in line) and not any(
            name in one.stores for one in line
        )
