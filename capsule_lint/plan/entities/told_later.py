"""Objects that are told from outside, and after they were made, whose they are: `file = File()`,
`file.tenant_id = tenant_id`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.entities.setters import setters
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function, Store


def told_later(
    program: Program, cls: Class, scope: Scope
) -> Iterator[tuple[tree.Attr, tree.Node]]:
    """What sets a scope of objects of a class so, and to what: not to nothing, and not to what it makes of what they say
    themselves."""
    held, heirs = program.domain.held.is_attribute, set(program.classes.subclasses(cls))
    for name in sorted({*cls.stores, *cls.scope.bindings}):
        for target, value in program.calls.uses.assigned(name) if held(cls, name, scope) else ():
            function, own = program.names.function_of(target), text_of(target.base)
            if function is None or own is None or own == function.self_name:
                continue
            types = [t for t in program.inference.of(target.base) if isinstance(t, Instance)]
            if not types or any(one.cls not in heirs for one in types):
                continue
            is_empty = isinstance(value, tree.Const) and not value.value
            if not is_empty and not any(text_of(one) == own for one in within(value)):
                yield target, value


def begins_empty(program: Program, initializer: Function, scope: Scope) -> Store | None:
    """Where an initializer that is not told a scope sets it to nothing, `self.tenant_id = None`, because somebody else
    is going to say it, or a method is told, `def for_tenant(self, tenant_id)`."""
    cls, held = initializer.owner, program.domain.held.is_attribute
    if cls is None or program.domain.scope_parameter(initializer, scope) is not None:
        return None
    begun = [
        store
        for name, stores in cls.stores.items()
        for store in stores
        if store.function is initializer and held(cls, name, scope)
    ]
    value = begun[0].value if len(begun) == 1 else None
    if not isinstance(value, tree.Const) or value.value:
        return None
    later = any(True for _ in told_later(program, cls, scope))
    return begun[0] if later or setters(program, cls, scope) else None


def told_by_methods(program: Program, cls: Class, name: str) -> bool:
    """Whether objects of a class begin with nothing under a name, and are told a scope by methods alone that set it."""
    initializer = cls.methods.get("__init__")
    stores = [one for heir in program.classes.subclasses(cls) for one in heir.stores.get(name, ())]
    return initializer is not None and any(
        begun in stores and len(stores) > 1 and all(one is begun or one in given for one in stores)
        for scope in program.policy.scopes
        if (begun := begins_empty(program, initializer, scope)) is not None
        for given in (setters(program, cls, scope),)
    )


def asserted(cls: Class, name: str) -> Iterator[tuple[Function, tree.Eval]]:
    """Where methods of a class assert that its objects were told something: `assert self.tenant_id is not None`."""
    for method in cls.methods.values():
        for statement, _ in method.scope.statements:
            match statement:
                case tree.Eval(
                    kind="assert",
                    values=(
                        tree.Compare(
                            left=tree.Attr() as left,
                            ops=("is not",),
                            rights=(tree.Const(value=None),),
                        ),
                        *_,
                    ),
                ) if text_of(left) == f"{method.self_name}.{name}":
                    yield method, statement
