"""What decorators do with the arguments of what they wrap: most pass on whatever they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import FunctionObject, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Function
    from capsule_lint.program.names import Names


def wrappers(inference: Inference, function: Function) -> Iterator[Function]:
    """The functions of the program that decorate a function."""
    for decorator in function.fact.decorators:
        for one in ordered(inference.of(decorator)):
            if isinstance(one, FunctionObject) and one.function.own_params:
                yield one.function


def choosing(inference: Inference, wrapper: Function) -> Iterator[tree.Call]:
    """The calls of what a decorator decorates, with other arguments than the wrapper is given itself."""
    names, own = inference.names, wrapper.own_params[0]
    for call in inference.calls.uses.calls_beside(own.name):
        if isinstance(call.func, tree.Name) and not _passes_on(names, call):
            bindings = names.bindings(own.name, names.place(call))
            if any(binding.parameter is own for binding in bindings):
                yield call


def _passes_on(names: Names, call: tree.Call) -> bool:
    """Whether a call in a decorator passes on whatever it is given: `**` is among its arguments, or it
    is `function(self, *args)`, and nothing else picks one of `args`."""
    function = names.place(call).scope.function
    if any(argument.star == "**" for argument in call.args):
        return _in_order(call, function) and _has_room(call, function)
    stars = [argument.value for argument in call.args if argument.star]
    if function is None or len(stars) != 1 or not isinstance(stars[0], tree.Name):
        return False
    name, plain = stars[0].id, sum(not argument.star for argument in call.args)
    kinds = [parameter.kind for parameter in function.params]
    own = function.parameter(name)
    return (
        kinds == ["plain"] * plain + ["*"]
        and own is function.params[-1]
        and _in_order(call, function)
        and not any(_picks(node, name, names, function) for node in names.inside(function))
    )


def _has_room(call: tree.Call, function: Function | None) -> bool:
    """Whether one more argument finds a place in a wrapper with `**`, between the others or by its name,
    and is passed on from there."""
    params = function.params if function is not None else ()
    named = [p for p in params if p.kind not in ("*", "**") and p.name not in ("self", "cls")]
    return len(named) <= (2 if any(argument.star == "*" for argument in call.args) else 0)


def _in_order(call: tree.Call, function: Function | None) -> bool:
    """Whether the arguments of a call before the starred ones are the first parameters around it."""
    own = [p.name for p in function.params] if function is not None else []
    plain = [a.value for a in call.args if not a.star and a.keyword is None]
    return all(
        isinstance(value, tree.Name) and value.id == name
        for value, name in zip(plain, own, strict=False)
    ) and len(plain) <= len(own)


def _picks(node: tree.Node, name: str, names: Names, function: Function) -> bool:
    """Whether a node reads one item of what a function calls by that name."""
    return (
        isinstance(node, tree.Subscript)
        and isinstance(node.base, tree.Name)
        and node.base.id == name
        and names.place(node).scope.function is function
    )
