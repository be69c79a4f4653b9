"""Classes that keep entities in memory for a Protocol or a base, whatever they are called: `MemoryOrders`, which
implements `Orders`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.program.inference.types import Collection, classes_of
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.program.inference.types import Types
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.purposes.domain import Domain


@dataclass(eq=False)
class Keepers:
    """Tells them by their methods: one takes an entity, one finds it by an identifier, and in between it is kept in
    a dict, and none is told a scope. A queue or a bus of entities is none."""

    domain: Domain

    def is_keeper(self, cls: Class) -> bool:
        """Whether a class is one."""
        classes = self.domain.classes
        if not self._keyed or not cls.stores or classes.is_data(cls) or classes.is_abstract(cls):
            return False
        methods = [
            m
            for name, m in cls.methods.items()
            if not name.startswith("_") and self.domain.is_operation(m)
        ]
        if any(m in self.domain.handlers for m in methods) or any(map(self._is_told, methods)):
            return False
        taken = {one for m in methods for one in self._taken(m)}
        found = (m for m in methods if any(map(self.domain.is_identifier, m.own_params)))
        given = {one for m in found for one in self._said(m.fact.returns)}
        both = taken & given
        return any(self._keeps(cls, name, both) for name in cls.stores if both) and any(
            self._is_declared(m) for m in methods if both & {*self._taken(m)}
        )

    @cached_property
    def _keyed(self) -> frozenset[Class]:
        """The classes whose instances know their own key."""
        having = self.domain.classes.having(self.domain.policy.is_key_name)
        return frozenset(filter(self.domain.has_key, having))

    def _is_told(self, method: Function) -> bool:
        """Whether a method takes a scope: then its keys say what is to be asked of its class."""
        scopes = self.domain.policy.scopes
        return any(names_scope(p.name, scope) for p in method.own_params for scope in scopes)

    def _taken(self, method: Function) -> set[Class]:
        return {one for p in method.own_params for one in self._said(p.annotation)}

    def _said(self, annotation: tree.Node | None) -> set[Class]:
        """The entities that an annotation says, also in a collection."""
        if annotation is None:
            return set()
        return self._entities(self.domain.inference.annotations.of(annotation))

    def _entities(self, types: Types) -> set[Class]:
        found = classes_of(types) & self._keyed
        for one in types:
            if isinstance(one, Collection):
                found |= self._entities(one.items)
        return found

    def _keeps(self, cls: Class, name: str, wanted: set[Class]) -> bool:
        """Whether an attribute is a dict of some entities."""
        return any(
            isinstance(one, Collection)
            and one.kind == "dict"
            and not wanted.isdisjoint(self._entities(one.items))
            for one in self.domain.inference.member(cls, name)
        )

    def _is_declared(self, method: Function) -> bool:
        """Whether a Protocol or a base of the program's says that there is such a method."""
        return any(
            other.owner is not None and self.domain.classes.is_abstract(other.owner)
            for other in self.domain.calls.families.of(method)
        )
