"""Calls that pass a function's arguments on: `partial`, `submit`, `to_thread`, assertions on mocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import Class, last_name
from capsule_lint.program.types import FunctionObject, Mocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

PASSING: Final = {
    "partial": 0,
    "submit": 0,
    "to_thread": 0,
    "add_task": 0,
    "call_soon": 0,
    "call_soon_threadsafe": 0,
    "apply": 0,
    "run_in_executor": 1,
    "call_later": 1,
    "call_at": 1,
}
"""Foreign functions that call what they are given with the arguments after it, and its position."""

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
    for name, position in PASSING.items():
        for call in program.calls.by_name.get(name, ()):
            if (
                len(call.args) <= position
                or call.args[position].keyword is not None
                or call.args[position].star
            ):
                continue
            for one in program.inference.of(call.args[position].value):
                if isinstance(one, FunctionObject) and one.function is function:
                    yield call, int(one.bound and function.takes_self), position + 1


def asserted(program: Program, function: Function) -> Iterator[tree.Call]:
    """The assertions on a mock of `function` that spell its arguments out."""
    if function.owner is None and not function.params:
        return
    for name in ASSERTIONS:
        for call in program.calls.by_name.get(name, ()):
            if isinstance(call.func, tree.Attr) and _mocks(program, call.func.base, function):
                yield call
    for call in program.calls.by_name.get("call", ()):
        if isinstance(call.func, tree.Name) and _compared_with(program, call, function):
            yield call
    for call in program.calls.by_name.get(function.name, ()):
        if (
            isinstance(call.func, tree.Attr)
            and _is_call_object(call.func.base)
            and _compared_with(program, call, function)
        ):
            yield call


def _mocks(program: Program, node: tree.Node, function: Function) -> bool:
    return any(
        isinstance(t, FunctionObject) and t.mock and t.function is function
        for t in program.inference.of(node)
    )


def _is_call_object(node: tree.Node) -> bool:
    """Whether `node` is `unittest.mock.call`, whose attributes are the methods of a mock."""
    return isinstance(node, tree.Name | tree.Attr) and last_name(node) == "call"


def _of_mock(program: Program, node: tree.Node, function: Function) -> bool:
    """Whether `node` is the mock itself, or its method."""
    if _mocks(program, node, function):
        return True
    owners = {t.spec for t in program.inference.of(node) if isinstance(t, Mocked)}
    return any(
        isinstance(spec, Class) and program.classes.method(spec, function.name) is function
        for spec in owners
    )


def _compared_with(program: Program, call: tree.Call, function: Function) -> bool:
    """Whether `call(…)` stands in an assertion on the mock: `m.get.assert_has_calls([call(…)])`."""
    current: object = call
    for _ in range(4):
        parent = program.names.index.parents.get(id(current))
        if (
            isinstance(parent, tree.Call)
            and isinstance(parent.func, tree.Attr)
            and parent.func.name in CALL_LISTS
        ):
            return _of_mock(program, parent.func.base, function)
        if isinstance(parent, tree.Compare):
            sides = (parent.left, *parent.rights)
            return any(
                isinstance(side, tree.Attr)
                and side.name
                in ("call_args", "call_args_list", "await_args", "mock_calls", "method_calls")
                and _of_mock(program, side.base, function)
                for side in sides
            )
        current = parent
    return False


__all__ = ["ASSERTIONS", "CALL_LISTS", "PASSING", "asserted", "forwarded", "listed_calls"]
