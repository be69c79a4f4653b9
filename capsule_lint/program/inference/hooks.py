"""The classes that Python itself gives: to `__init_subclass__`, and to `__set_name__` and `__get__` of what stands in the
body of one, `objects = NoteManager()`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import NOTHING, ClassObject, Types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Class, Function

OF_HEIR: Final = "__init_subclass__"
GIVEN_CLASSES: Final[Mapping[str, int]] = {OF_HEIR: 0, "__set_name__": 1, "__get__": 2}
"""Methods that are given a class, and which of their parameters that is."""


def given_by_hooks(inference: Inference, function: Function, parameter: tree.Parameter) -> Types:
    """The classes that a parameter of such a method is; nothing where none is seen."""
    at = GIVEN_CLASSES.get(function.name)
    if at is None or function.owner is None or parameter not in function.params[at : at + 1]:
        return NOTHING
    classes = inference.classes
    if function.name == OF_HEIR:
        return frozenset(map(ClassObject, _heirs(inference, function.owner)))
    holders = [
        holder
        for heir in classes.subclasses(function.owner)
        if classes.method(heir, function.name) is function
        for holder in holding(inference, heir)
    ]
    if function.name == "__get__":  # is given the class that the attribute is asked of
        below = [heir for one in holders for heir in _heirs(inference, one)]
        holders = [one for one in holders if not below or classes.constructor(one) != ()] + below
    return frozenset(map(ClassObject, holders))


def holding(inference: Inference, cls: Class) -> Iterator[Class]:
    """The classes in whose bodies objects of a class are made."""
    uses, names = inference.calls.uses, inference.names
    for name in sorted(uses.known_by(cls.name)):
        for call in uses.calls(name):
            scope, held = names.place(call).scope, names.parent(call)
            if scope.cls is None or scope.kind != "class" or not isinstance(held, tree.Assign):
                continue
            if ClassObject(cls) in inference.of(call.func):
                yield scope.cls


def _heirs(inference: Inference, cls: Class) -> list[Class]:
    return [one for one in inference.classes.subclasses(cls) if one is not cls]
