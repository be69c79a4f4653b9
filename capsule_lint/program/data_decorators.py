"""Decorators that make a constructor of the fields that a class declares: `dataclass`, also by another name, or in
a decorator of the program's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import Binding, Function
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from capsule_lint.program.model import Class
    from capsule_lint.program.names import Names

NAMES: Final = frozenset(("dataclass", "define", "frozen", "mutable", "attrs", "s", "attr"))
"""What such decorators are called."""
_MAKERS: Final = frozenset(
    f"{module}.{name}"
    for module, names in {
        "dataclasses": ("dataclass",),
        "pydantic.dataclasses": ("dataclass",),
        "attr": ("s", "attrs", "define", "frozen", "mutable", "dataclass"),
        "attrs": ("define", "frozen", "mutable"),
    }.items()
    for name in names
)


def makes_data(cls: Class, names: Names, dotted: Callable[[tree.Node], Binding | str]) -> bool:
    """Whether a class is decorated so; `dotted` says what an expression names."""
    if cls.decorators & NAMES:
        return True
    return "__init__" not in cls.methods and any(
        _makes(decorator, names, dotted) for decorator in cls.fact.decorators
    )


def _makes(
    decorator: tree.Node, names: Names, dotted: Callable[[tree.Node], Binding | str]
) -> bool:
    found = dotted(tree.uncalled(decorator))
    if isinstance(found, str):
        return found in _MAKERS
    inside: Iterable[tree.Node] = ()
    if isinstance(found.definition, Function):
        inside = names.inside(found.definition)
    elif found.value is not None:
        inside = within(found.value)  # `record = dataclass(frozen=True)`
    return any(isinstance(one, tree.Name | tree.Attr) and dotted(one) in _MAKERS for one in inside)
