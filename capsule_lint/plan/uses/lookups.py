"""Changing functions that are looked up by a string in a namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.namespaces import MODULE, base_of, is_spelled, name_in
from capsule_lint.program.inference.types import (
    Foreign,
    FunctionObject,
    ModuleObject,
    Namespace,
)
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Symbol

MADE_LATE: Final = "its module makes it when it is asked for"


def lookup_of(program: Program, name: tree.Node) -> tree.Node | None:
    """The `vars(m)["f"]` around a name; `None` where it is the key of something else."""
    lookup = program.names.parent(name)
    if not isinstance(lookup, tree.Subscript | tree.Call) or name_in(lookup) is not name:
        return None
    base = base_of(lookup)
    if base is None:
        return None
    found = is_spelled(base) or any(
        isinstance(one, Namespace) for one in program.inference.of(base)
    )
    return lookup if found else None


def is_known(program: Program, lookup: tree.Node) -> bool:
    """Whether it is known what a look-up looks into."""
    base = base_of(lookup)
    types = program.inference.of(base) if base is not None else frozenset()
    return bool(types) and all(isinstance(one, Namespace) for one in types)


def is_imported(program: Program, name: tree.Node) -> bool:
    """Whether a string is one of those in `__import__("m", fromlist=["f"])`."""
    parent = program.names.parent(name)
    call = program.names.parent(parent) if isinstance(parent, tree.Sequence) else None
    return isinstance(call, tree.Call) and any(
        a.keyword == "fromlist" and a.value is parent for a in call.args
    )


def is_some_module(program: Program, node: tree.Node) -> bool:
    """Whether an expression is a module, and nobody knows which."""
    types = program.inference.of(node)
    return bool(types) and all(t == Foreign(MODULE) for t in types)


def is_made_late(program: Program, node: tree.Attr) -> bool:
    """Whether something is what the `__getattr__` of a module makes."""
    names, types = program.names, program.inference.of(node.base)
    return any(
        isinstance(one, ModuleObject)
        and names.is_made_late(names.member(one.module.name, node.name))
        for one in types
    )


def kept_by_modules(symbols: Sequence[Symbol]) -> list[Symbol]:
    """Those of some functions and classes that no class has."""
    return [one for one in symbols if isinstance(one, Class) or one.owner is None]


def keeping_class(program: Program, function: Function, name: str) -> Class | None:
    """The class in whose body a function is kept under a name: `make_key = staticmethod(order_pk)`."""
    for cls in program.classes.all:
        for binding in cls.scope.bindings.get(name, ()):
            kept = program.inference.bound(binding) if binding.kind == "assign" else ()
            if any(isinstance(one, FunctionObject) and one.function is function for one in kept):
                return cls
    return None


def patches_attribute(call: tree.Call) -> bool:
    """Whether a call is `patch.object(task, "delay")`."""
    match call:
        case tree.Call(func=tree.Attr(name="object", base=base), args=(_, said, *_)):
            return last_name(base) == "patch" and tree.text(said.value) is not None
        case _:
            return False
