"""Calls that pass a function's arguments on: `partial`, `submit`, `to_thread`, assertions on mocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.uses.attached_mocks import is_call_object, spoken_of
from capsule_lint.plan.uses.passers import given_by
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.mocks import is_autospec
from capsule_lint.program.inference.types import FunctionObject, Mocked, join
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

ASSERTIONS: Final = (
    "assert_called_with",
    "assert_called_once_with",
    "assert_any_call",
    "assert_awaited_with",
    "assert_awaited_once_with",
    "assert_any_await",
)


CALL_LISTS = ("assert_has_calls", "assert_has_awaits")


def listed_calls(call: tree.Call) -> list[tree.Call]:
    """The `call(…)` in the list that `assert_has_calls` is given."""
    return [
        item
        for argument in call.args
        if isinstance(argument.value, tree.Sequence)
        for item in argument.value.items
        if isinstance(item, tree.Call)
    ]


def forwarded(program: Program, function: Function) -> Iterator[tuple[tree.Call, int, int]]:
    """The calls that pass `function` on together with its arguments, how many of its first parameters
    are given already, and how many arguments stand before its own."""
    yield from program.calls.handed_on(function)
    for known in sorted(program.calls.known_by(function)):
        for call, position, given in program.calls.passed_on(known, function):
            if position == 0 and _maps_repeated(call):
                yield call, given, 1
                continue
            leading = _put_before(program, call, position)
            if leading is not None:
                yield call, given + leading, position + 1


def _maps_repeated(call: tree.Call) -> bool:
    """Whether a call calls what it is given with the same values each time, and others beside these:
    `pool.map(get, repeat(tenant_id), note_ids)`."""
    return last_name(call.func) == "map" and any(map(is_repeat, call.plain[1:]))


def is_repeat(node: tree.Node) -> bool:
    """Whether an expression is `repeat(value)`."""
    return isinstance(node, tree.Call) and last_name(node.func) == "repeat" and len(node.args) == 1


def _put_before(program: Program, call: tree.Call, position: int) -> int | None:
    """How many arguments come before those that a call passes on to what it passes at a position."""
    callees = program.calls.callees(call)
    found = {given_by(program, callee, position) for callee in callees}
    return found.pop() if len(found) == 1 else None


def asserted(program: Program, function: Function) -> Iterator[tuple[tree.Call, int]]:
    """The assertions on a mock of `function` that spell its arguments out, and how many of its first
    parameters the mock does not record."""
    if function.owner is None and not function.params:
        return
    uses, records = program.calls.uses, program.records
    for name in ASSERTIONS:
        for call, given in records.speaking(function, name, uses.calls_beside(name)):
            for count in _counts(program, call, function, given):
                if _may_be(program, call, function, count):
                    yield call, count
                    break
    yield from records.speaking(function, "call", uses.calls_beside("call"))
    for call in uses.calls(function.name):
        of = call.receiver
        made = isinstance(of, tree.Call) and is_call_object(of.func)  # `call().get("t", "1")`
        for mock, named in records.compared(call) if made or is_call_object(of) else ():
            if named and _has_method(program, mock, function, made=made):
                yield call, int(function.takes_self)
    for call, mock in spoken_of(program, function):
        known = dict(records.functions(mock))
        if function in known:
            yield call, known[function]
        elif _has_method(program, mock, function, made=False):
            yield call, int(function.takes_self)


def asserted_made(program: Program, cls: Class) -> Iterator[tree.Call]:
    """The assertions that spell out what a mock in the place of a class without an initializer was
    called with: `patch("app.use.Note")`."""
    for name in ASSERTIONS:
        for call in program.calls.uses.calls_beside(name):
            if isinstance(call.func, tree.Attr):
                types = program.inference.of(call.func.base)
                if any(isinstance(t, Mocked) and t.spec is cls for t in types):
                    yield call


def _counts(program: Program, call: tree.Call, function: Function, given: int) -> tuple[int, ...]:
    """How many parameters a mock may not record, the likeliest first. One that is asked for by the class,
    `NoteRepository.get`, records `self` where it has the signature of what it replaces, and else does not."""
    if given or not function.takes_self or _is_mock_of(program, call, function):
        return (given,)
    module = program.names.module_of(call)
    return (0, 1) if any(map(is_autospec, module.each(tree.Call))) else (1, 0)


def _may_be(program: Program, call: tree.Call, function: Function, given: int) -> bool:
    """Whether an assertion can speak of a function, which it does of every mock that is made of it. What
    is only declared where the test has put a mock may record `self` as well."""
    known = _is_mock_of(program, call, function)
    return known or bind(call.args, function.params, given) is not None


def _is_mock_of(program: Program, call: tree.Call, function: Function) -> bool:
    """Whether what an assertion is asked of is a mock that was made of a function."""
    types = program.inference.of(call.func.base) if isinstance(call.func, tree.Attr) else ()
    return any(isinstance(t, FunctionObject) and t.mock and t.function is function for t in types)


def _has_method(program: Program, mock: tree.Node, function: Function, *, made: bool) -> bool:
    """Whether a function is a method of what a mock stands for, or of what that makes."""
    types = program.inference.of(mock)
    if made:
        called = [t.function for t in types if isinstance(t, FunctionObject)]
        types |= join(*map(program.inference.mocks.yielded, called))
    owners = {t.spec for t in types if isinstance(t, Mocked)}
    return any(
        isinstance(spec, Class) and program.classes.method(spec, function.name) is function
        for spec in owners
    )


__all__ = [
    "ASSERTIONS",
    "CALL_LISTS",
    "asserted",
    "asserted_made",
    "forwarded",
    "listed_calls",
]
