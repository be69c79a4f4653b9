"""Wrappers of decorators that take a scope where all that they are put around takes it, and hand it on: `def wrapper(self,
tenant_id, subject_id, *args): return method(self, tenant_id, subject_id, *args)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.plan.uses.decorated import place_of, taking
from capsule_lint.program.calling.wrapping import (
    calls_of,
    decorated_by,
    hands_all_on,
    mirrors,
    wrappers,
)
from capsule_lint.program.local_names import reads_of_parameter
from capsule_lint.program.logs import is_log
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.names import Names

    Gained: TypeAlias = Mapping[Function, Mapping[str, Scope]]


_ORDERS: Final = frozenset(("<", "<=", ">", ">="))


def handing(
    program: Program, function: Function, scope: Scope, gained: Gained
) -> Iterator[tuple[Function, tree.Call]]:
    """The wrappers of a function that can take a scope where it does, and their calls of it: they take just what it takes,
    or name what stands before the scope and hand on whatever else there is."""
    names = program.names

    def takes(other: Function) -> bool:
        return will_take(program, gained, other, scope)

    for maker in wrappers(program.inference, function):
        every = list(calls_of(names, maker))
        for around in dict.fromkeys(names.function_of(call) for call in every):
            calls = [call for call in every if names.function_of(call) is around]
            if around is not None and (
                all(mirrors(names, call, function) for call in calls)
                or (
                    all(hands_all_on(names, call) for call in calls)
                    and _has_place(program, function, around, scope)
                    and _only_tells(program, maker, around, calls, takes)
                )
            ):
                yield from ((around, call) for call in calls)


def gaining_with(
    program: Program, function: Function, scope: Scope, gained: Gained
) -> Iterator[Function]:
    """Those that have to take it, for something else would come where they name it, or there is no room for it."""
    for around, _ in handing(program, function, scope, gained):
        named = sum(p.by_position for p in around.params)
        if (
            all(p.kind != "*" for p in around.params)
            or named > int(function.takes_self) + place_of(program, function, scope)
            or any(one is around for one, _ in taking(program, function, {"": scope}, gained))
        ):
            yield around


def around_by(
    program: Program, wrapper: Function, scope: Scope, gained: Gained
) -> Iterator[tuple[Function, tree.Call]]:
    """What the wrapper of a decorator is put around, where it can take a scope as that does, and its calls of these."""
    maker = wrapper.parent
    if maker is None or not maker.own_params:
        return
    for function in decorated_by(program.inference, maker):
        if isinstance(function, Function):
            for around, call in handing(program, function, scope, gained):
                if around is wrapper:
                    yield function, call


def will_take(program: Program, gained: Gained, function: Function, scope: Scope) -> bool:
    """Whether a function has the parameter of a scope, or gains it."""
    has = program.domain.scope_parameter(function, scope)
    return has is not None or scope.parameter in gained.get(function, {})


def _has_place(program: Program, function: Function, around: Function, scope: Scope) -> bool:
    """Whether a wrapper names all that comes before a scope in a function; where the function has that already, the wrapper
    takes it among the rest, of which it must not know more."""
    before = function.params[: int(function.takes_self) + place_of(program, function, scope)]
    named = [p for p in around.params if p.by_position]
    has = program.domain.scope_parameter(function, scope)
    if has is not None and (not has.by_position or len(named) > len(before)):
        return False
    if place_of(program, around, scope) != len(before) or len(named) < len(before):
        return False
    if any(not p.by_position or p.default is not None for p in before):
        return False
    return has is None or not any(
        one is around for one, _ in taking(program, function, {"": scope}, ())
    )


def _only_tells(
    program: Program,
    maker: Function,
    around: Function,
    calls: list[tree.Call],
    takes: Callable[[Function], bool],
) -> bool:
    """Whether a wrapper only calls what it is put around, and does nothing with what it is given but tell people, or what
    takes the scope as well: whatever it keeps, or asks for, would be that of all capsules."""
    names = program.names
    said = maker.own_params[0].annotation
    if said is not None and any(last_name(one) == "Concatenate" for one in within(said)):
        return False  # which would have to say more
    handed = {id(call) for call in calls}
    inside = {id(node) for node in names.inside(around)}
    for read in reads_of_parameter(names, maker.own_params[0], maker.module):
        parent = names.parent(read)
        called = isinstance(parent, tree.Call) and id(parent) in handed
        if id(read) in inside and not called and not isinstance(parent, tree.Attr):
            return False
    return all(
        id(names.parent(read)) in handed or _is_told(program, read, takes)
        for own in around.params
        for read in reads_of_parameter(names, own, around.module)
    )


def _is_told(program: Program, read: tree.Name, takes: Callable[[Function], bool]) -> bool:
    """Whether a parameter is read where what takes the scope is only told, `self.audit.note(tenant_id)`, or asked what to do,
    `if self.limits.hit(tenant_id) > 5: raise`; or a person is told: `logger.info(f"of {tenant_id}")`."""
    names, above = program.names, program.names.parent(read)
    while isinstance(above, tree.Attr):
        above = names.parent(above)
    if isinstance(above, tree.Call) and (
        _statement(names, above) == "expr" or _only_decides(names, above)
    ):
        callees = program.calls.callees(above)
        if callees:
            return all(one.function is not None and takes(one.function) for one in callees)
    while isinstance(above, tree.FString | tree.Binary | tree.Sequence):
        above = names.parent(above)
    if not isinstance(above, tree.Call):
        return False
    kind, told = _statement(names, above), is_log(above) and not program.calls.callees(above)
    return kind == "raise" or (kind == "expr" and told)


def _only_decides(names: Names, call: tree.Call) -> bool:
    """Whether nothing is left of what a call gives but whether a condition holds, or the block of a `with`: no name, no key
    of anything, and nothing that it is sought in, or is the same as."""
    inner: tree.Node = call
    while isinstance(above := names.parent(inner), tree.Wrapped | tree.Boolean | tree.Compare):
        match above:
            case tree.Wrapped(kind="await" | "not") | tree.Boolean():
                inner = above
            case tree.Compare(left=left, ops=(op,), rights=(right,)):
                other = right if left is inner else left
                if op not in _ORDERS and not isinstance(other, tree.Const):
                    return False
                inner = above
            case _:
                return False
    match above:
        case tree.Block(kind="if" | "while", heads=(head,)):
            return head is inner
        case tree.Block(kind="with", heads=heads):
            return any(one is call for one in heads)
        case tree.Eval(kind="assert", values=(test, *_)):
            return test is inner
        case _:
            return False


def _statement(names: Names, call: tree.Call) -> str:
    """The kind of the statement that is nothing but a call."""
    above = names.parent(call)
    if isinstance(above, tree.Wrapped) and above.kind == "await":
        above = names.parent(above)
    return above.kind if isinstance(above, tree.Eval) else ""
