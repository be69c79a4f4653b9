"""Objects that are made for one scope: what their constructor takes, or keeps, says which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.purposes.other_types import is_never_one
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from capsule_lint.plan.planner import Planner
    from capsule_lint.program.model import Class, Store

_INITIALIZERS: Final = ("__init__", "__post_init__")


@dataclass(eq=False, slots=True)
class MadeFor(Room):
    """Tells which classes have such instances."""

    planner: Planner
    _known: dict[Class, bool] = field(default_factory=dict)

    def one_scope(self, cls: Class) -> bool:
        """Whether instances of a repository are made for one scope: `Repo(tenant_id)`."""
        if cls not in self.program.domain.repositories:
            return False
        if cls not in self._known:
            self._known[cls] = False
            own = self._holds(cls) or self._keeps(cls) or self._asks(cls)
            self._known[cls] = own or self._is_mixed_in(cls)
        return self._known[cls]

    def _is_mixed_in(self, cls: Class) -> bool:
        """Whether a class that is made of nothing is mixed into such classes alone."""
        classes = self.program.classes
        if any(True for _ in classes.made_with(cls)):
            return False
        with self.program.names.aside():
            heirs = [heir for heir in classes.subclasses(cls) if heir is not cls]
        return bool(heirs) and all(map(self.one_scope, heirs))

    def _holds(self, cls: Class) -> bool:
        """Whether instances have a scope's value, or what carries one."""
        program, scopes = self.program, self.program.policy.scopes
        attribute_of = self.planner.sources.holders.attribute_of
        for owner, name in program.classes.made_with(cls):
            types = program.inference.member(owner, name)
            named = any(program.domain.held.is_attribute(owner, name, s) for s in scopes)
            if named and not is_never_one(types):
                return True
            for one in types:
                if (
                    isinstance(one, Instance)
                    and program.domain.is_carrier(one.cls)
                    and any(attribute_of(one.cls, s) for s in scopes)
                ):
                    return True
        return False

    def _keeps(self, cls: Class) -> bool:
        """Whether instances keep a text with scopes, or what is made of them, or found by them: `f"TENANT#{tenant_id}"`,
        `partial(order_pk, tenant_id)`, `everything[tenant_id, capsule_id]`."""
        owners = self.program.classes.mro(cls)
        return any(
            self._is_of_scopes(store)
            for owner in owners
            for stores in owner.stores.values()
            for store in stores
            if store.function.name in _INITIALIZERS
        )

    def _is_of_scopes(self, store: Store) -> bool:
        value, templates = store.value, self.program.templates
        if value is None:
            return False
        pieces = templates.evaluate(value, value, 0) or templates.beginnings.said(value)
        if templates.segments(pieces or ()):
            return True
        told = [argument.value for argument in value.args] if isinstance(value, tree.Call) else []
        if isinstance(value, tree.Subscript):
            told = [value.index]
        parts = [part for one in told for part in (one, *tree.items(one))]
        scopes = self.program.policy.scopes
        return any(names_scope(hole_name(part), s) for part in parts for s in scopes)

    def _asks(self, cls: Class) -> bool:
        """Whether the table that instances work on is such an object itself."""
        program = self.program
        return any(
            isinstance(one, Instance)
            and any(map(program.domain.touches_table, one.cls.methods.values()))
            and (self._holds(one.cls) or self._keeps(one.cls))
            for owner, name in program.classes.made_with(cls)
            for one in program.inference.member(owner, name)
        )
