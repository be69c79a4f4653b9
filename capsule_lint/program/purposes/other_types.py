"""Parameters that are called like a scope and are something else by their type: `stage: int`, where policy says that
a stage is a `Stage`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.annotations import COLLECTIONS, MAPPINGS
from capsule_lint.program.inference.types import Collection, Foreign, ModuleObject, TupleOf
from capsule_lint.program.model import Binding, Class, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.inference.types import Types
    from capsule_lint.program.names import Names

_OTHERS: Final = frozenset(("int", "float", "bool", "bytes", "Decimal", "date", "datetime"))
"""Annotations that are no text, and so no scope's value unless policy says so."""
_HOLDING: Final = COLLECTIONS | MAPPINGS | {"tuple", "Tuple", "Callable", "Path", "PurePath"}
"""Annotations that are never one value."""
_MADE: Final = re.compile(
    r"builtins\.(?:dict|list|set|frozenset|tuple|open)\b|os\.environ(?:\.copy\(\))?$|pathlib\."
)
"""What gives what is never one value."""


def is_other(
    names: Names, classes: Classes, parameter: tree.Parameter | None, scope: Scope
) -> bool:
    """Whether a parameter is annotated as what values of the scope are not."""
    if parameter is None or parameter.annotation is None or is_id(scope):
        return False
    every = set(_heads(parameter.annotation))
    if not every or (scope.type is not None and scope.type.name in every):
        return False
    if every <= _HOLDING:
        return True
    said = next(iter(every))
    if scope.type is None or len(every) > 1 or said not in _OTHERS:
        return False
    target = names.follow(names.member(scope.type.module, scope.type.name))
    if not isinstance(target, Binding):
        return True
    if isinstance(target.definition, Class):
        bases = classes.base_names(target.definition)
        return not any(base.lower().startswith(said) for base in bases)
    made = target.value  # `StageNumber = NewType("StageNumber", int)`, or an alias of `int`
    names_in = (one.id for one in within(made) if isinstance(one, tree.Name)) if made else ()
    return said not in names_in


def is_made_other(types: Types, scope: Scope) -> bool:
    """Whether what a name is bound to is known, and is never one value: `env = os.environ`."""
    return not is_id(scope) and is_never_one(types)


def is_never_one(types: Types) -> bool:
    """Whether something is known, and is never one value, whatever its name: `self._by_tenant_id = {}`."""
    return bool(types) and all(
        isinstance(one, Collection | TupleOf | ModuleObject)
        or (isinstance(one, Foreign) and _MADE.match(one.name) is not None)
        for one in types
    )


def is_id(scope: Scope) -> bool:
    """Whether nothing else is called as a scope's values are: `tenant_id`."""
    return scope.parameter.lower().endswith("id")


def _heads(annotation: tree.Node | None) -> Iterator[str]:
    """The names of the types that an annotation allows, without what they hold, and without `None`."""
    match annotation:
        case tree.Binary(op="|"):
            yield from _heads(annotation.left)
            yield from _heads(annotation.right)
        case tree.Subscript(base=base, index=index):
            name = last_name(base)
            if name == "Annotated":
                yield from _heads(tree.items(index)[0])
            elif name in ("Optional", "Union"):
                for one in tree.items(index):
                    yield from _heads(one)
            else:
                yield name
        case tree.Const(value=str() as text):
            heads = (one.partition("[")[0].strip() for one in text.split("|"))
            yield from (one.rpartition(".")[2] for one in heads if one != "None")
        case tree.Name() | tree.Attr():
            yield last_name(annotation)
