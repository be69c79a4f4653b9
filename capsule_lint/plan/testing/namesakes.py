"""Objects that tests make by the names of their attributes: `SimpleNamespace(get=lambda tenant_id: …)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.testing.standins import CALLED
from capsule_lint.program.inference.mocks import MOCKS
from capsule_lint.program.inference.types import FunctionObject
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_MAKERS: Final = frozenset(("SimpleNamespace", "multiple", "configure_mock", *MOCKS))


def is_namesake(
    program: Program, call: tree.Call, argument: tree.Argument, function: Function
) -> bool:
    """Whether an argument gives an object an attribute that can be called as a function is now:
    `get=lambda tenant_id: …`, and in `**{"get.side_effect": …}` any of the dict's."""
    if last_name(call.func) not in _MAKERS:
        return False
    if argument.star == "**" and isinstance(argument.value, tree.DictDisplay):
        return any(_stands_for(program, value, function) for value in argument.value.values)
    return argument.keyword is not None and _stands_for(program, argument.value, function)


def _stands_for(program: Program, node: tree.Node, function: Function) -> bool:
    match node:
        case tree.Lambda():
            return _fits(node.params, function)
        case tree.Call() if last_name(node.func) in MOCKS:
            called = [a.value for a in node.args if a.keyword in CALLED]
            return any(_stands_for(program, value, function) for value in called)
        case tree.Name(id="DEFAULT") | tree.Attr(name="DEFAULT"):
            return True
        case tree.Name() | tree.Attr():
            types = program.inference.of(node)
            return any(
                isinstance(one, FunctionObject)
                and not one.mock
                and _fits(one.function.own_params, function)
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
