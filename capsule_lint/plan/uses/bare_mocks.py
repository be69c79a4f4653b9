"""Mocks of which nothing says what they stand for, though a test asks one how a changing method was called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.uses.passthrough import ASSERTIONS
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.types import Foreign, Mocked
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

_UNKNOWN = frozenset((Mocked(None), Foreign("mock")))


def may_stand_in(planner: Planner, node: tree.Attr, function: Function) -> bool:
    """Whether a test speaks of an attribute of such a mock as of a function: it asserts that it was called
    with the values of scopes at their places, or gives it a lambda that takes what the function takes."""
    program = planner.program
    types = program.inference.of(node.base)
    parent = program.names.parent(node)
    if not types or not types <= _UNKNOWN or not isinstance(parent, tree.Attr):
        return False
    around = program.names.parent(parent)
    match around:
        case tree.Call() if around.func is parent and parent.name in ASSERTIONS:
            return _is_called_alike(planner, around, function)
        case tree.Assign(value=tree.Lambda() as value) if parent.name == "side_effect":
            names = [parameter.name for parameter in function.own_params]
            scoped = any(names_scope(name, s) for name in names for s in program.policy.scopes)
            return scoped and [parameter.name for parameter in value.params] == names
        case _:
            return False


def _is_called_alike(planner: Planner, call: tree.Call, function: Function) -> bool:
    bound = bind(call.args, function.params, int(function.takes_self))
    if bound is None or bound.starred:
        return False
    for scope in planner.program.policy.scopes:
        own = planner.program.domain.scope_parameter(function, scope)
        given = bound.arguments.get(own.name) if own is not None else None
        if given is not None and _is_of_scope(planner, given, scope):
            return True
    return False


def _is_of_scope(planner: Planner, given: tree.Argument, scope: Scope) -> bool:
    """Whether an argument is the value of a scope, as far as the test shows."""
    if names_scope(given.keyword or last_name(given.value), scope):
        return True
    place, text = planner.program.names.place(given.value), tree.text(given.value)
    said = planner.sources.given.at(place, scope) if text is not None else ()
    return any(one.literal == text for one in said)
