"""Objects that are told from outside, and after they were made, whose they are: `file = File()`,
`file.tenant_id = tenant_id`."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.entities.setters import setters
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import bound_whole
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
    is going to say it, or to tell a method, `def for_tenant(self, tenant_id)`."""
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
    told = setters(program, cls, scope)
    by_methods = bool(told) and all(_can_tell(program, one.function, scope) for one in told)
    return begun[0] if later or by_methods else None


def _can_tell(program: Program, setter: Function, scope: Scope) -> bool:
    """Whether all who tell a method a scope, tests aside, were told it themselves, or read it of an object: they know
    another one then. What the object tells its own method of anything else, only the object could say, and has nothing yet."""
    own = program.domain.scope_parameter(setter, scope)
    for call, given in program.calls.arguments_for(setter, own.name) if own is not None else ():
        around, receiver = program.names.function_of(call), call.receiver
        itself = isinstance(receiver, tree.Name) and around and receiver.id == around.self_name
        bound = bound_whole(program.names, given.value)
        known = isinstance(given.value, tree.Attr) or (bound and bound.parameter)
        if itself or not (known or program.names.module_of(call).is_test):
            return False
    return own is not None


def told_by_methods(program: Program, cls: Class, name: str) -> bool:
    """Whether objects of a class begin with nothing under a name, and are told a scope by methods alone that set it, by
    those who can tell them another scope as well."""
    initializer = cls.methods.get("__init__")
    stores = [one for heir in program.classes.subclasses(cls) for one in heir.stores.get(name, ())]
    return initializer is not None and any(
        begun in stores and len(stores) > 1 and all(one is begun or one in given for one in stores)
        for scope in program.policy.scopes
        if (begun := begins_empty(program, initializer, scope)) is not None
        for given in (setters(program, cls, scope),)
        if all(_can_tell(program, one.function, scope) for one in given)
    )


def told_by(program: Program, call: tree.Call) -> str | None:
    """The object that a call tells a scope by a method that sets it, where it begins with nothing: it has no other yet."""
    receiver = call.receiver
    for callee in program.calls.callees(call) if receiver is not None else ():
        method = callee.function
        homes = program.classes.mro(method.owner) if method and method.owner else ()
        for cls, scope in product(homes, program.policy.scopes):
            initializer, set_by = cls.methods.get("__init__"), setters(program, cls, scope)
            named = method is not None and any(s.function.name == method.name for s in set_by)
            if named and initializer and receiver and begins_empty(program, initializer, scope):
                return text_of(receiver)
    return None


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
