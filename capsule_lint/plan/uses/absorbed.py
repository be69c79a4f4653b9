"""Overrides that take whatever they are given: `def get(self, *args, **kwargs)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.uses.passers import passed_on
from capsule_lint.program.logs import LOGGING
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

ANYTHING: Final = frozenset(("args", "parts", "values"))
"""What is called so may begin with anything, scopes as well."""


def stands_for(program: Program, function: Function) -> Function | None:
    """The method whose parameters an override that has none of its own takes in its `*args`."""
    return next(_spelled_out(program, function), None) if _takes_all(function) else None


def reads_nothing(program: Program, function: Function) -> bool:
    """Whether such an override looks at nothing that it is given: `return {"id": "1"}`."""
    return not _reads(program, function) and function.module.is_test


def _reads(program: Program, function: Function) -> list[tree.Name]:
    """Where a function, or one inside of it, names its `*args` and `**kwargs`."""
    stars = {p.name for p in function.own_params}
    return [
        node
        for node in program.names.inside(function)
        if isinstance(node, tree.Name) and node.id in stars
    ]


def hands_on(program: Program, function: Function) -> bool:
    """Whether such an override only passes all that it is given on, to another one of its family."""
    stars = {p.name: p.kind for p in function.own_params}
    reads = _reads(program, function)
    passed = [node for node in reads if _is_passed(program, node, function, stars)]
    return bool(passed) and all(n in passed or _is_logged(program, n, function) for n in reads)


def _is_passed(
    program: Program, node: tree.Name, function: Function, stars: dict[str, str]
) -> bool:
    call = program.names.parent(node)
    if not isinstance(call, tree.Call) or passed_on(call.args, stars) != 0:
        return False
    kin = program.calls.families.of(function)
    return any(c.function in kin for c in program.calls.callees(call))


def _is_logged(program: Program, node: tree.Name, function: Function) -> bool:
    """Whether a log gets all the arguments as they are; what a test logs it looks at."""
    call = program.names.parent(node)
    return (
        isinstance(call, tree.Call)
        and last_name(call.func) in LOGGING
        and not function.module.is_test
        and any(a.value is node and not a.star for a in call.args)
    )


def absorbs(program: Program, function: Function, scope: Scope) -> bool:
    """Whether the parameter that another one of the family has for a scope goes to `*args` or
    `**kwargs` of this one."""
    kinds = [p.kind for p in function.own_params]
    own = sum(kind in ("posonly", "plain") for kind in kinds)
    for other in _spelled_out(program, function) if {"*", "**"} & set(kinds) else ():
        parameter = program.domain.scope_parameter(other, scope)
        if parameter is None:
            continue
        positional = [p for p in other.own_params if p.by_position]
        if parameter not in positional:
            return "**" in kinds
        if "*" in kinds and _is_for_more(program, function, other):
            return False
        return positional.index(parameter) >= own and ("*" in kinds or parameter.kind == "plain")
    return False


def _is_for_more(program: Program, function: Function, other: Function) -> bool:
    """Whether `*ids` of a function, which does more with it than to hand it on, is what that of another one is, by its
    name, and takes no scope before that."""
    rests = [p.name for one in (function, other) for p in one.own_params if p.kind == "*"]
    if len(rests) < 2 or rests[0] != rests[1] or rests[0] in ANYTHING:
        return False
    reads = [one for one in _reads(program, function) if one.id == rests[0]]
    return not all(_is_spread(program, one) for one in reads)


def _is_spread(program: Program, node: tree.Name) -> bool:
    call = program.names.parent(node)
    return isinstance(call, tree.Call) and any(a.star and a.value is node for a in call.args)


def takes_by_name(program: Program, function: Function, scope: Scope) -> bool:
    """Whether callers give a scope by a keyword which goes to `**ids` of a function."""
    own = {p.name for p in function.own_params}
    if scope.parameter in own or all(p.kind != "**" for p in function.own_params):
        return False
    return any(
        argument.keyword == scope.parameter
        for call, _ in program.calls.callers(function)
        for argument in call.args
    )


def hands_scopes(program: Program, function: Function) -> bool:
    """Whether a function passes the keywords that it is given on to one of the same class that takes
    scopes: its callers give them by name already."""
    keywords = {p.name for p in function.own_params if p.kind == "**"}
    calls = program.names.inside(function) if keywords else ()
    return any(
        isinstance(node, tree.Call)
        and any(
            a.star == "**" and isinstance(a.value, tree.Name) and a.value.id in keywords
            for a in node.args
        )
        and any(_takes_scopes(program, function, c.function) for c in program.calls.callees(node))
        for node in calls
    )


def _takes_scopes(program: Program, function: Function, callee: Function | None) -> bool:
    return (
        callee is not None
        and callee.owner is not None
        and callee.owner is function.owner
        and program.domain.takes_scope(callee)
    )


def _takes_all(function: Function) -> bool:
    own = function.own_params
    return function.owner is not None and bool(own) and all(p.kind in ("*", "**") for p in own)


def _spelled_out(program: Program, function: Function) -> Iterator[Function]:
    """The other members of the family that say what they take, bases first."""
    if function.owner is None or function.name.startswith("__"):
        return
    bases = program.classes.mro(function.owner)
    for other in sorted(
        program.calls.families.of(function), key=lambda f: (f.owner not in bases, f.symbol)
    ):
        if other is not function and not _takes_all(other):
            yield other
