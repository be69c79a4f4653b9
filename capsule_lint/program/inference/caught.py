"""What names are that `except` and `case` bind: `except Missing as e`, `case Stored(note=note)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import (
    ANYTHING,
    ClassObject,
    Instance,
    Types,
    foreign,
    join,
    ordered,
)

if TYPE_CHECKING:
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Binding, Class


def caught(inference: Inference, binding: Binding) -> Types:
    """What is caught under a name: objects of the classes that `except` says."""
    block = binding.place.statement
    before = [
        head
        for head in (block.heads if isinstance(block, tree.Block) else ())
        if head.at[:2] < binding.at[:2]
    ]
    said = [inference.of(one) for one in tree.items(before[-1])] if before else []
    return join(*(_made(types) for types in said)) or foreign("exception")


def _made(types: Types) -> Types:
    made = [Instance(one.cls) for one in types if isinstance(one, ClassObject)]
    return frozenset(made) if made and len(made) == len(types) else foreign("exception")


def matched(inference: Inference, binding: Binding) -> Types:
    """What a pattern finds as what an object of a class has; anything, where it finds it otherwise."""
    block = binding.place.statement
    bound = block.binds if isinstance(block, tree.Block) else ()
    keys = next((one.keys for one in bound if one.target.at == binding.at), ())
    step = keys[-1] if keys else None
    if not isinstance(step, tree.Field) or not isinstance(block, tree.Block):
        return ANYTHING
    return (
        join(
            *(
                inference.member(cls, name)
                for cls in classes_of(inference, block, step)
                if (name := name_of(inference, cls, step)) is not None
            )
        )
        or ANYTHING
    )


def classes_of(inference: Inference, block: tree.Block, step: tree.Field) -> list[Class]:
    """The classes that a pattern names."""
    head = block.heads[step.cls]
    named = head.children[0] if isinstance(head, tree.Other) else head
    types = ordered(inference.of(named))
    return [one.cls for one in types if isinstance(one, ClassObject)]


def name_of(inference: Inference, cls: Class, step: tree.Field) -> str | None:
    """What a part of a pattern is called in a class; `None` for a place that nothing is known of."""
    if step.name:
        return step.name
    fields = inference.classes.fields(cls) if inference.classes.is_data(cls) else ()
    told = any("__match_args__" in one.scope.bindings for one in inference.classes.mro(cls))
    return fields[step.place].name if not told and step.place < len(fields) else None
