"""Generic functions: one that dispatches on the type of its first argument, and what is registered for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import FunctionObject, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Function

_DISPATCHING: Final = frozenset(("singledispatch", "singledispatchmethod"))


def dispatches(function: Function) -> bool:
    """Whether the type of its first argument decides which function is called."""
    return bool(function.decorators & _DISPATCHING)


def dispatchers(inference: Inference, decorator: tree.Node) -> Iterator[Function]:
    """What `@load.register` and `@load.register(int)` register a function for."""
    node = tree.uncalled(decorator)
    if not isinstance(node, tree.Attr) or node.name != "register":
        return
    for one in ordered(inference.of(node.base)):
        if isinstance(one, FunctionObject) and dispatches(one.function):
            yield one.function


def dispatched_with(inference: Inference, function: Function) -> Iterator[Function]:
    """What is called in the place of a function by the type of an argument: those that are registered
    for it, or what it is registered for."""
    if dispatches(function):
        inference.names.ask(function.name)
        for module in inference.names.modules.values():
            for other in module.functions:
                if "register" in other.decorators and any(
                    function in dispatchers(inference, d) for d in other.fact.decorators
                ):
                    yield other
    elif "register" in function.decorators:
        for decorator in function.fact.decorators:
            yield from dispatchers(inference, decorator)


def registered_for(
    inference: Inference, function: Function, parameter: tree.Parameter
) -> tree.Node | None:
    """The class for whose objects a function is registered, where the parameter is the one that gets them:
    `@load.register(int)`."""
    if parameter not in function.own_params[:1]:
        return None
    for decorator in function.fact.decorators:
        given = decorator.plain if isinstance(decorator, tree.Call) else []
        if len(given) == 1 and any(dispatchers(inference, decorator)):
            return given[0]
    return None
