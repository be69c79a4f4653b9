"""Methods by which objects that keep a scope are given another one: `def switch(self, tenant_id)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.supply.restated import CONSTRUCTORS

if TYPE_CHECKING:
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Store


def setters(program: Program, cls: Class, scope: Scope) -> list[Store]:
    """Where such methods of a class set a scope to what they are given for it: `self.tenant_id = tenant_id`. Objects
    have one from the start: they are made with it."""
    is_attribute, declares = program.domain.held.is_attribute, program.classes.declares(cls)
    return [
        store
        for name, stores in cls.stores.items()
        if is_attribute(cls, name, scope)
        if declares or any(one.function.name in CONSTRUCTORS for one in stores)
        for store in stores
        if store.function.name not in CONSTRUCTORS and _is_given(program, store, scope)
    ]


def _is_given(program: Program, store: Store, scope: Scope) -> bool:
    own = program.domain.scope_parameter(store.function, scope)
    value = store.value if not store.path and len(store.statement.targets) == 1 else None
    given = own is not None and isinstance(value, tree.Name) and value.id == own.name
    return given and not store.function.fact.decorators
