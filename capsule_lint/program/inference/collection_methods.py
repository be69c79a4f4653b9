"""What the methods of collections yield."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.program.containers import KEYED
from capsule_lint.program.inference import namespaces
from capsule_lint.program.inference.named_keys import key_of
from capsule_lint.program.inference.types import (
    Collection,
    Foreign,
    Namespace,
    TupleOf,
    Types,
    foreign,
    holds_objects,
    join,
    ordered,
)

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.program.inference.infer import Inference

_DECODING: Final = frozenset(("validate_python", "validate_json", "validate_strings", "decode"))
_ITEMS: Final = KEYED | _DECODING | {"get_nowait", "popleft", "__getitem__", "result"}


def of_method(inference: Inference, node: tree.Call, func: tree.Attr) -> Types | None:
    """What a method of a dict, a list or what else has things in it yields; `None` where it is called of something
    else."""
    held, base = inference.contents.held, inference.of(func.base)
    found: list[Types] = []
    for one in [held(one, func.name) for one in ordered(base)]:
        if isinstance(one, Namespace) and (name := namespaces.name_in(node)) is not None:
            found.append(namespaces.looked_up(inference, one, name))
            continue
        if isinstance(one, Foreign) and func.name in KEYED and node.plain:
            found.append(inference.contents.kept(func.base, node.plain[0]))
        if not isinstance(one, Collection):
            return join(*found) or None
        if func.name == "values":
            found.append(frozenset((Collection(one.items),)))
        elif func.name == "items":
            pair = TupleOf((one.keys or foreign("key"), one.items))
            found.append(frozenset((Collection(frozenset((pair,))),)))
        elif func.name in _ITEMS:
            defaults = [inference.of(a.value) for a in node.args[1:2]]
            asked = [a.value for a in node.args[:1] if not holds_objects(one.items)]
            kept = (inference.contents.kept(func.base, key) for key in asked)
            key = key_of(inference.classes, node.args[0].value) if node.args else None
            own = one.at(key)
            got = join(own, *kept, *defaults)
            answered = inference.contents.answered
            found.append(answered(got, node.args[0].value) if node.args else got)
        elif func.name == "copy":
            found.append(frozenset((one,)))
        else:
            holds = holds_objects(one.items)
            found.append(foreign(f"collection.{func.name}()", holds=holds))
    return join(*found) if found else None
