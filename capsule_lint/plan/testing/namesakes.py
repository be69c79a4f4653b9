"""Objects that tests make by the names of their attributes: `SimpleNamespace(get=lambda tenant_id: …)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.testing.standins import CALLED, STATIC, class_entries
from capsule_lint.program.inference.mocks import MOCKS
from capsule_lint.program.inference.types import FunctionObject
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function
    from capsule_lint.program.names import Names

_MAKERS: Final = frozenset(("SimpleNamespace", "multiple", "configure_mock", *MOCKS))


def is_namesake(program: Program, call: tree.Call, given: tree.Node, function: Function) -> bool:
    """Whether what a call gives an object as an attribute can be called as a function is now: `get=lambda tenant_id:
    …`, `**{"get.side_effect": …}`, or in a class, `type("Stub", (), {"get": lambda self, tenant_id: …})`."""
    around = program.names.parent(call) if tree.makes_dict(call) else call
    if isinstance(around, tree.Call) and class_entries(around) is not None:
        return _stands_for(program, given, function, 1) and not _stays(program, around, function)
    return last_name(call.func) in _MAKERS and _stands_for(program, given, function, 0)


def _stands_for(program: Program, node: tree.Node, function: Function, own: int) -> bool:
    """Whether an expression may be called so, less the parameters that are its object's."""
    match node:
        case tree.Lambda():
            answers = own and _has_more_defaults(node.params, function)  # as `get` of headers does
            return not answers and _fits(node.params[own:], function)
        case tree.Call() if last_name(node.func) in MOCKS:
            called = [a.value for a in node.args if a.keyword in CALLED]
            return any(_stands_for(program, value, function, 0) for value in called)
        case tree.Call(args=(of, *_)) if last_name(node.func) == STATIC:
            return _stands_for(program, of.value, function, 0)
        case tree.Name(id="DEFAULT") | tree.Attr(name="DEFAULT"):
            return True
        case tree.Name() | tree.Attr():
            types = program.inference.of(node)
            return any(
                isinstance(one, FunctionObject)
                and not one.mock
                and not (own and _has_more_defaults(one.function.own_params, function))
                and _fits(one.function.own_params[own:], function)
                for one in types
            )
        case _:
            return False


def _fits(params: Sequence[tree.Parameter], function: Function) -> bool:
    """Whether parameters take as many arguments as those of a function."""
    plain = [p for p in params if p.by_position]
    own = [p for p in function.own_params if p.by_position]
    needed = [p for p in own if p.default is None]
    return bool(plain) and len(needed) <= len(plain) <= len(own)


def _has_more_defaults(params: Sequence[tree.Parameter], function: Function) -> bool:
    """Whether something of a class can be left out that a function needs."""
    optional = [p for p in params if p.default is not None]
    return len(optional) > len([p for p in function.own_params if p.default is not None])


def _stays(program: Program, made: tree.Call, function: Function) -> bool:
    """Whether the test that makes a class only calls its objects itself: nothing else comes to know them."""
    names = program.names
    for one in _seen_as(names, made):
        instance = names.parent(one)
        if not isinstance(instance, tree.Call) or instance.func is not one:
            return False
        for read in _seen_as(names, instance):
            attribute = names.parent(read)
            called = names.parent(attribute) if isinstance(attribute, tree.Attr) else None
            if not isinstance(attribute, tree.Attr) or (
                attribute.name == function.name
                and not (isinstance(called, tree.Call) and called.func is attribute)
            ):
                return False
    return True


def _seen_as(names: Names, node: tree.Node) -> list[tree.Node]:
    """Where a test reads the local that something becomes, or where it stands."""
    match names.parent(node):
        case tree.Assign(targets=(tree.Name() as local,), op=""):
            return [*reads_of(names, local, (local.at,))]
        case _:
            return [node]
