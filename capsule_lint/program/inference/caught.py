"""What names are that `except` and `case` bind: `except Missing as e`, `case Stored(note=note)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import (
    ANYTHING,
    ClassObject,
    Collection,
    Instance,
    Types,
    foreign,
    holds_objects,
    join,
    ordered,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """What a pattern finds as what an object of a class has, or an object of the program that it takes as it is;
    anything, where it finds something else."""
    block = binding.place.statement
    binds = block.binds if isinstance(block, tree.Block) else ()
    bound = next((one for one in binds if one.target.at == binding.at), None)
    if bound is None or bound.keys is None or not isinstance(block, tree.Block):
        return ANYTHING
    found = found_at(inference, block, bound.keys)
    had = bound.keys and isinstance(bound.keys[-1], tree.Field)
    return found if had or (holds_objects(found) and not bound.asked) else ANYTHING


def found_at(inference: Inference, block: tree.Block, keys: Iterable[tree.Step]) -> Types:
    """What a pattern finds in the subject of a `match`, step by step."""
    types = inference.of(block.heads[0])
    for key in keys:
        match key:
            case tree.Entry():
                held = (t.at(key.key) if isinstance(t, Collection) else ANYTHING for t in types)
                types = join(*held)
            case int():
                types = inference.unpacked(types, (key,))
            case tree.Field():
                named = [
                    (cls, name_of(inference, cls, key))
                    for cls in classes_of(inference, block, key)
                ]
                types = join(*(inference.member(cls, name) for cls, name in named if name))
        types = types or ANYTHING
    return types


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
