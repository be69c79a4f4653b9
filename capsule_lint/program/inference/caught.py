"""What names are that `except` and `case` bind: `except Missing as e`, `case Stored(note=note)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import (
    ANYTHING,
    NOTHING,
    ClassObject,
    Collection,
    Instance,
    TupleOf,
    Type,
    Types,
    foreign,
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
    """What a pattern finds as what an object of a class has, or named tuples that it takes as they are; anything, where
    it finds something else: earlier cases may have taken some of that."""
    block = binding.place.statement
    binds = block.binds if isinstance(block, tree.Block) else ()
    bound = next((one for one in binds if one.target.at == binding.at), None)
    if bound is None or bound.keys is None or not isinstance(block, tree.Block):
        return ANYTHING
    found = found_at(inference, block, bound.keys)
    had = bound.keys and isinstance(bound.keys[-1], tree.Field)
    taken = not bound.asked and all(
        isinstance(t, Instance) and inference.classes.is_named_tuple(t.cls) for t in found
    )
    return found if had or taken else ANYTHING


def found_at(inference: Inference, block: tree.Block, keys: Iterable[tree.Step]) -> Types:
    """What a pattern finds in the subject of a `match`, step by step: where that is known for each that this may be."""
    subject = block.heads[0]
    written = (
        isinstance(subject, tree.Sequence) and subject.kind != "tuple"
    )  # of what, nobody says
    types = ANYTHING if written else inference.of(subject)
    for key in keys:
        match key:
            case tree.Entry() | int():
                held = [_held(one, key) for one in types]
                types = join(*held) if all(held) else ANYTHING
            case tree.Field():
                named = [
                    (cls, name_of(inference, cls, key))
                    for cls in classes_of(inference, block, key)
                ]
                types = join(*(inference.member(cls, name) for cls, name in named if name))
        types = types or ANYTHING
    return types


def _held(one: Type, key: tree.Entry | int) -> Types:
    """What a collection has under a key or at a place, where it has the like at all, or that is known of this one."""
    match one:
        case TupleOf(items=items) if isinstance(key, int) and key < len(items):
            return items[key]
        case Collection(entries=()):
            return one.items
        case Collection() if isinstance(key, tree.Entry):
            return join(*(of for name, of in one.entries if name == key.key))
        case _:
            return NOTHING


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
    classes = inference.classes
    told = any(
        "__match_args__" in one.scope.bindings or classes.flag(one, "match_args") is False
        for one in classes.mro(cls)
    )
    params = (classes.constructor(cls) or ()) if classes.is_data(cls) and not told else ()
    names = [one.name for one in params if one.kind == "plain"]
    return names[step.place] if step.place < len(names) else None
