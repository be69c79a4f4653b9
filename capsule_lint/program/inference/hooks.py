"""The classes that Python itself gives: to `__init_subclass__`, and to `__set_name__` and `__get__` of what stands in the
body of one, `objects = NoteManager()`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import (
    ANYTHING,
    NOTHING,
    ClassObject,
    Instance,
    Types,
    join,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
    heirs = classes.subclasses(function.owner)
    made = [heir for heir in heirs if classes.method(heir, function.name) is function]
    held = list(_holding(inference, made))
    if not all(_makes(inference, value, made) for _, value in held):
        return ANYTHING  # one that is made elsewhere may be another's as well
    holders = list(dict.fromkeys(holder for holder, _ in held))
    if function.name == "__get__":  # is given the class that the attribute is asked of
        below = [heir for one in holders for heir in _heirs(inference, one)]
        holders = [one for one in holders if not below or classes.constructor(one) != ()] + below
    # what an heir hands on, super().__set_name__(owner, name), is one besides
    passed = inference.calls.passed(function, parameter) if holders else None
    return join(frozenset(map(ClassObject, holders)), passed or NOTHING)


def _holding(inference: Inference, made: Sequence[Class]) -> Iterator[tuple[Class, tree.Node]]:
    """The classes in whose bodies an object of one of some classes stands, each with what gives it."""
    for cls in made:
        inference.calls.uses.known_by(cls.name)  # who names it may hold one
    objects = frozenset(map(Instance, made))
    for module in inference.names.judged():
        for cls in module.classes:
            for bound in (one for every in cls.scope.bindings.values() for one in every):
                value = bound.value if bound.kind == "assign" else None
                if value is not None and objects & inference.of(value):
                    yield cls, value


def _makes(inference: Inference, value: tree.Node, made: Sequence[Class]) -> bool:
    """Whether an expression is the making of an object of one of some classes."""
    types = inference.of(value.func) if isinstance(value, tree.Call) else NOTHING
    return any(ClassObject(cls) in types for cls in made)


def _heirs(inference: Inference, cls: Class) -> list[Class]:
    return [one for one in inference.classes.subclasses(cls) if one is not cls]
