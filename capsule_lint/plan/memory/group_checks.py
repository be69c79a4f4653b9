"""Rows that a function puts into groups by one scope, and gives those of one group to who asks: where the row and who
asks have another scope as well, `groups[row.tenant_id]` and `groups[ctx.tenant_id]` change together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import Class, Function
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module


@dataclass(slots=True)
class _Group:
    """How a dict is used: the scopes that its keys say, the rows that are put into it, and whether it is asked."""

    scopes: set[str] = field(default_factory=set)
    knots: dict[Knot | None, None] = field(default_factory=dict)
    asked: bool = False


@dataclass(eq=False, slots=True)
class GroupChecks(Room):
    """Demands the other scope in the keys of such dicts."""

    planner: Planner

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        found: dict[Home, _Group] = {}
        for module in self.program.names.production() if self.state.fields else ():
            self._read(module, found)
        groups = [(home, one) for home, one in found.items() if one.asked and one.knots]
        for home, one in groups:
            self.planner.fed.feed(home, one.scopes, list(one.knots))
        return bool(groups)

    def _read(self, module: Module, found: dict[Home, _Group]) -> None:
        for node in module.each(tree.Subscript):
            key = node.index
            if not isinstance(key, tree.Attr):
                continue
            said = [s for s in self.program.policy.scopes if names_scope(key.name, s)]
            home = self.planner.local.collections.any(node.base) if said else None
            if home is None or not isinstance(home[0], Function):
                continue
            if home not in self.planner.local.needs.fed:
                self._note(key, said[0], found.setdefault(home, _Group()))

    def _note(self, key: tree.Attr, said: Scope, group: _Group) -> None:
        """Note what a key of a dict says of what is put there, or asked for."""
        for one in self.program.inference.of(key.base):
            if not isinstance(one, Instance) or self.program.domain.is_boundary(one.cls):
                continue
            is_row = one.cls in self.program.domain.entities
            for scope in self._others(one.cls, said):
                gaining = self.planner.gains.gaining(one.cls, scope)
                if is_row and gaining is not None:
                    group.scopes |= {said.name, scope.name}
                    group.knots[("class", gaining)] = None
                elif not is_row and self._has(one.cls, scope):
                    group.asked = True

    def _others(self, cls: Class, said: Scope) -> list[Scope]:
        """The other scopes that instances of a class are to be told apart by."""
        policy, domain = self.program.policy, self.program.domain
        own = policy.scopes_of(cls.name) if cls in domain.entities else policy.scopes
        return [scope for scope in own if scope is not said]

    def _has(self, cls: Class, scope: Scope) -> bool:
        return self.planner.sources.holders.attribute_of(cls, scope) is not None
