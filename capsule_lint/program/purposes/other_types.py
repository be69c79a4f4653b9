"""Parameters that are called like a scope and are something else by their type: `stage: int`, where policy says that
a stage is a `Stage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import Binding, Class, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from capsule_lint.policy import Scope
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.names import Names

_OTHERS: Final = frozenset(("int", "float", "bool", "bytes", "Decimal", "date", "datetime"))
"""Annotations that are no text, and so no scope's value unless policy says so."""


def is_other(
    names: Names, classes: Classes, parameter: tree.Parameter | None, scope: Scope
) -> bool:
    """Whether a parameter is annotated as what values of the scope are not."""
    said = last_name(parameter.annotation) if parameter is not None else ""
    if scope.type is None or said not in _OTHERS or said == scope.type.name:
        return False
    if scope.parameter.lower().endswith("id"):
        return False  # nothing else is called so
    target = names.follow(names.member(scope.type.module, scope.type.name))
    if not isinstance(target, Binding):
        return True
    if isinstance(target.definition, Class):
        bases = classes.base_names(target.definition)
        return not any(base.lower().startswith(said) for base in bases)
    made = target.value  # `StageNumber = NewType("StageNumber", int)`, or an alias of `int`
    names_in = (one.id for one in within(made) if isinstance(one, tree.Name)) if made else ()
    return said not in names_in
