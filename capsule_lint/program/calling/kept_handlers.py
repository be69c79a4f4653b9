"""Handlers that the program keeps, `self.routes[path] = function`, to call them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.wrapping import keepers
from capsule_lint.program.containers import FILLING
from capsule_lint.program.inference.types import Foreign
from capsule_lint.program.local_names import reads_of_parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_FOREIGN: Final = ("builtins.", "collections.")


def is_kept_to_call(program: Program, handler: Function) -> bool:
    """Whether the decorator that makes it a handler keeps it. What only marks it, or gives it to a framework, has
    the framework call it."""
    return any(
        _keeps(program, keeper, own, frozenset())
        for decorator in handler.fact.decorators
        if program.domain.entrances.marks(decorator, handler)
        for keeper, own in keepers(program.calls.inference, decorator)
    )


def _keeps(
    program: Program, keeper: Function, own: tree.Parameter, around: frozenset[Function]
) -> bool:
    """Whether a function puts what it is given into a collection or an object, by itself, as a part of something else, or by what it
    hands it on to."""
    program.names.ask(keeper.name)
    for read in reads_of_parameter(program.names, own, keeper.module):
        whole = _whole(program, read)
        if _is_put(program, whole):
            return True
        for function, parameter in _handed(program, read):
            known = around | {keeper}
            if function not in known and _keeps(program, function, parameter, known):
                return True
    return False


def _whole(program: Program, node: tree.Node) -> tree.Node:
    """What holds an expression: `(path, function)`, `Route(path, function)`."""
    match program.names.parent(node):
        case tree.Sequence() | tree.DictDisplay() as parent:
            return _whole(program, parent)
        case tree.Call() as call if call.func is not node:
            called = program.calls.callees(call)
            made = bool(called) and all(one.cls is not None for one in called)
            return _whole(program, call) if made else node
        case _:
            return node


def _is_put(program: Program, node: tree.Node) -> bool:
    match program.names.parent(node):
        case tree.Assign(
            value=value, targets=(tree.Subscript(base=base) | tree.Attr(base=base), *_)
        ) if value is node:
            return _is_own(program, base)
        case tree.Call(func=tree.Attr(name=name, base=base) as func) if func is not node:
            return name in FILLING and _is_own(program, base)
        case _:
            return False


def _is_own(program: Program, collection: tree.Node) -> bool:
    """Whether a collection, or an object, is none of a framework's."""
    types = program.inference.of(collection)
    return not any(isinstance(one, Foreign) and not one.name.startswith(_FOREIGN) for one in types)


def _handed(program: Program, node: tree.Node) -> Iterator[tuple[Function, tree.Parameter]]:
    call = program.names.parent(node)
    for callee in program.calls.callees(call) if isinstance(call, tree.Call) else ():
        function = callee.function
        if function is None or not isinstance(call, tree.Call):
            continue
        for name, argument in callee.arguments(call).items():
            parameter = function.parameter(name)
            if argument.value is node and parameter is not None:
                yield function, parameter
