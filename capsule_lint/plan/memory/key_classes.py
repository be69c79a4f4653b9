"""Classes whose instances are keys of collections: `rows[Slot(tenant_id, sku)]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.rekeyed import Rekeyed
from capsule_lint.program.inference.types import Instance, ordered

if TYPE_CHECKING:
    from capsule_lint.plan.memory.told_by_calls import ToldByCalls
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class


@dataclass(eq=False, slots=True)
class KeyClasses:
    """Finds them, and notes which scopes they lack."""

    program: Program
    told: ToldByCalls
    lacking: dict[tuple[Class, str], tuple[Scope, Knot]] = field(default_factory=dict)
    """By class and scope: the scope, and the change that its field belongs to."""
    _held: dict[Class, dict[Scope, str]] = field(default_factory=dict)

    def of(self, node: tree.Node) -> Class | None:
        """The class of a key that holds scopes' values beside whatever else is in it."""
        if not isinstance(node, tree.Name | tree.Attr | tree.Subscript | tree.Call):
            return None
        for one in ordered(self.program.inference.of(node)):
            if isinstance(one, Instance) and self._is_key(one.cls):
                return one.cls
        return None

    def _is_key(self, cls: Class) -> bool:
        if cls.name in self.program.policy.entities:
            return False
        if not self.program.classes.is_data(cls):
            return False
        if cls not in self._held:
            self.told.fields(cls)
        return bool(self.held(cls))

    def held(self, cls: Class) -> dict[Scope, str]:
        """The scopes of which a class holds the values, and in which fields."""
        if cls not in self._held:
            is_attribute = self.program.domain.held.is_attribute
            self._held[cls] = {
                scope: one.name
                for scope in self.program.policy.scopes
                for one in reversed(self.program.classes.fields(cls))
                if is_attribute(cls, one.name, scope)
            }
        return self._held[cls]

    def attribute(self, cls: Class, scope: Scope) -> str:
        """What the new field of a scope is called, beside those that the class has."""
        private = next(iter(self.held(cls).values())).startswith("_")
        return f"_{scope.parameter}" if private else scope.parameter

    def lacks(self, cls: Class, scopes: list[Scope], knot: Knot) -> None:
        """Note scopes that a class lacks."""
        for scope in scopes:
            self.lacking.setdefault((cls, scope.name), (scope, knot))

    def rekeyed(self, cls: Class, scopes: list[Scope]) -> Rekeyed:
        """How keys change that are instances of a class."""
        names = [one.name for one in self.program.classes.fields(cls)]
        order, held = self.program.policy.scopes, self.held(cls)
        before = [s for s in order[: order.index(scopes[0])] if s in held]
        index = names.index(held[before[-1]]) + 1 if before else 0
        positional = self.program.classes.is_named_tuple(cls) and len(names) > 1
        return Rekeyed(index, tuple(scopes), len(names) if positional else 0, cls)

    def changes(self, cls: Class) -> bool:
        """Whether a class gains a field because its instances are keys."""
        return any(owner is cls for owner, _ in self.lacking)
