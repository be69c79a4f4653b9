"""Functions that a decorator calls with arguments of its own. Where a scope is among them, whoever calls the
function does not give it: `handler(principal.tenant_id, event)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.uses.by_place import ByPlace
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.calling.wrapping import (
    added_keywords,
    calls_by_object,
    calls_of,
    choosing,
    choosing_objects,
    given_by_name,
    hands_all_on,
    put_before,
    wrappers,
)
from capsule_lint.program.local_names import reads_of_parameter
from capsule_lint.program.model import last_name, outwards
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function
    from capsule_lint.program.names import Names


def called_apart(program: Program, function: Function) -> Iterator[tuple[Function, tree.Call]]:
    """The calls of a function by what decorates it, unless they pass on whatever they are given."""
    for wrapper in wrappers(program.inference, function):
        program.names.ask(wrapper.name)
        for call in choosing(program.inference, wrapper, function):
            if not _takes_behind(program, function, put_before(program.names, call)):
                yield wrapper, call
        yield from ((wrapper, c) for c in given_by_name(program.names, wrapper, function))
    for call in choosing_objects(program.classes, function):
        around = program.names.function_of(call)
        before = put_before(program.names, call)
        if around is not None and not _takes_behind(program, function, before):
            yield around, call


def naming(
    program: Program, function: Function, gained: Mapping[str, Scope]
) -> Iterator[tuple[Function, tree.Call]]:
    """The calls of a function by what decorates it and knows some of its arguments by names of its own, `def
    wrapper(self, tenant_id, *args)`, that come to stand for others once there are these scopes before them."""
    names, at = (
        program.names,
        min((place_of(program, function, s) for s in gained.values()), default=0),
    )
    for wrapper in wrappers(program.inference, function):
        for call in calls_of(names, wrapper):
            around = names.function_of(call)
            plain = [p for p in around.params if p.by_position] if around is not None else []
            moved = {p.name for p in plain[int(function.takes_self) + at :]}
            inside = names.inside(around) if around is not None and moved else ()
            reads = (node for node in inside if isinstance(node, tree.Name) and node.id in moved)
            if around is not None and any(names.parent(node) is not call for node in reads):
                yield around, call


def taking(
    program: Program,
    function: Function,
    gained: Mapping[str, Scope],
    gaining: Container[Function],
) -> Iterator[tuple[Function, tree.Node]]:
    """What is called in a function's place by its decorators, and where that takes arguments by their places,
    `args[1]`, which come to be others once there are these scopes before them."""
    names, by_place = program.names, ByPlace(program, gaining)
    at = min((place_of(program, function, s) for s in gained.values()), default=0)
    for wrapper in wrappers(program.inference, function):
        own = wrapper.own_params[0]
        reads = list(reads_of_parameter(names, own, wrapper.module))
        calls = list(calls_of(names, wrapper))
        if any(_gives_scope(program, function, call) for call in calls):
            continue
        before = max((put_before(names, call) for call in calls), default=0)
        around = (one for read in reads for one in outwards(names.function_of(read)))
        for inner in dict.fromkeys(around):
            if inner in gaining:
                continue
            if wrapper in outwards(inner.parent) and _stands_for(names, inner, reads):
                place = at + int(function.takes_self) - before
                yield from ((inner, node) for node in by_place.taken(inner, place))
    for decorator in function.fact.decorators:
        for call in calls_by_object(program.classes, decorator):
            called = names.function_of(call)
            if called is not None and not _gives_scope(program, function, call):
                given = int(called.takes_self) + int(function.takes_self)
                place = at + given - put_before(names, call)
                yield from ((called, node) for node in by_place.taken(called, place))


def _stands_for(names: Names, inner: Function, reads: Sequence[tree.Name]) -> bool:
    """Whether a function in a decorator calls what that decorates, or has it called, or is given back in its place: others
    only ask for its name, and have arguments of their own."""
    for value in inner.parent.returns if inner.parent is not None else ():
        if any(isinstance(node, tree.Name) and node.id == inner.name for node in within(value)):
            return True
    calls = (
        (read, names.parent(read)) for read in reads if inner in outwards(names.function_of(read))
    )
    return any(
        isinstance(call, tree.Call) and (call.func is read or any(a.star for a in call.args))
        for read, call in calls
    )


def place_of(program: Program, function: Function, scope: Scope) -> int:
    """Where a function has the parameter of a scope, or gets it, among its own."""
    has = program.domain.scope_parameter(function, scope)
    if has in function.own_params:
        return list(function.own_params).index(has)
    for other, step in program.policy.beside(scope):
        taken = program.domain.scope_parameter(function, other)
        if taken in function.own_params:
            return list(function.own_params).index(taken) + step
    return 0


def _takes_behind(program: Program, function: Function, count: int) -> bool:
    """Whether a function has a scope behind the arguments that its decorator gives it first: a new one comes
    beside that."""
    taken = program.domain.scope_parameter
    own = list(function.own_params)[count:] if count else []
    return any(taken(function, scope) in own for scope in program.policy.scopes)


def giving(program: Program, function: Function) -> list[tree.Call]:
    """The calls in the decorators of a function that give it a scope of their own."""
    names = program.names
    return [
        call
        for wrapper in wrappers(program.inference, function)
        for call in calls_of(names, wrapper)
        if _gives_scope(program, function, call)
    ]


def given_alike(program: Program, function: Function) -> Iterator[Function]:
    """The other functions that the same decorators give the same."""
    words = {last_name(decorator) for decorator in function.fact.decorators}
    program.names.ask(*words)
    own = set(map(id, giving(program, function)))
    for module in program.names.modules.values():
        for other in module.functions:
            if other is function or words.isdisjoint(map(last_name, other.fact.decorators)):
                continue
            if any(id(call) in own for call in giving(program, other)):
                yield other


def _gives_scope(program: Program, function: Function, call: tree.Call) -> bool:
    """Whether a call of a function gives it a scope, and the function around the call is given none."""
    bound, around = bind(call.args, function.params), program.names.function_of(call)
    scopes = program.policy.scopes
    if hands_all_on(program.names, call):
        return False
    if bound is None or around is None or any(names_any_of(p.name, scopes) for p in around.params):
        return False
    taken = (program.domain.scope_parameter(function, scope) for scope in scopes)
    given = set(bound.arguments)
    for argument in call.args:
        if argument.star == "**":
            given.update(added_keywords(program.names, argument.value))
    return any(parameter is not None and parameter.name in given for parameter in taken)
