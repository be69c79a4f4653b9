"""Methods that are given entities, one or several: whose these are, they say themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.program.inference.types import Collection, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Function


class GivenEntities(Struct, frozen=True):
    """Finds them by the types of their parameters."""

    program: Program

    def takes_one(self, method: Function) -> bool:
        """Whether a parameter is an entity."""
        return any(map(self._is_entity, self._given(method)))

    def takes_any(self, method: Function) -> bool:
        """Whether a parameter is one or several."""
        return self.takes_one(method) or self._takes_several(method)

    def _takes_several(self, method: Function) -> bool:
        """Whether a parameter is several entities, `save_all(notes)`, `add(*notes)`: what only tests fill
        their stores by may give those of several tenants."""
        return not method.module.is_test and any(
            any(self._is_entity(one) and self._has_key(one) for one in given.items)
            for given in self._given(method)
            if isinstance(given, Collection)
        )

    def says_of_each(self, method: Function) -> bool:
        """Whether a method that is given several entities, and nothing to ask for, or another one of its family, goes
        through whose they are itself: `for (tenant_id, note_id), note in latest.items()`. They may be several tenants'."""
        asks = any(map(self.program.domain.is_identifier, method.own_params))
        return (
            self._takes_several(method)
            and not asks
            and any(
                binding.kind == "for"
                for one in self.program.calls.families.of(method)
                for scope in self.program.policy.scopes
                for binding in one.scope.bindings.get(scope.parameter, ())
            )
        )

    def _has_key(self, given: Type) -> bool:
        """Whether an object says its scope, or makes its key."""
        domain, cls = self.program.domain, given.cls if isinstance(given, Instance) else None
        if cls is None:
            return False
        made = domain.making | self.program.keys.functions
        return (
            domain.has_scope(cls)
            or domain.has_key(cls)
            or not made.isdisjoint(cls.methods.values())
        )

    def _given(self, method: Function) -> Iterator[Type]:
        """What the parameters of a method may be."""
        for parameter in method.own_params:
            yield from self.program.domain.parameter_types(method, parameter)

    def _is_entity(self, given: Type) -> bool:
        return isinstance(given, Instance) and given.cls in self.program.domain.entities
