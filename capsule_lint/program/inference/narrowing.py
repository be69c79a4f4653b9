"""Names whose class the code around them has asked for: `if isinstance(thing, Note):`, `case Note() as note:`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import ClassObject, Instance, Types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference


@dataclass(eq=False, slots=True)
class Narrowing:
    """Tells what such a name is."""

    inference: Inference

    def of(self, node: tree.Name, types: Types) -> Types:
        """What a name is where it stands, which may be anything of these types elsewhere."""
        place = self.inference.names.place(node)
        blocks = place.scope.module.blocks
        for branch in reversed(place.blocks):
            asked = list(_asked(blocks[branch[0]], branch[1], node.id))
            if not asked:
                continue
            bindings = self.inference.names.bindings(node.id, place)
            if any(branch in binding.place.blocks for binding in bindings):
                return types  # it has another value since
            found = frozenset(t for one in asked for t in self.inference.of(one))
            if found and all(isinstance(one, ClassObject) for one in found):
                return self._among(types, found)
        return types

    def _among(self, types: Types, asked: Types) -> Types:
        """Those of some types that are of the classes that are asked for, or these if there are none."""
        mro = self.inference.classes.mro
        meant = {one.cls for one in asked if isinstance(one, ClassObject)}
        known = [t for t in types if isinstance(t, Instance) and not meant.isdisjoint(mro(t.cls))]
        return frozenset(known) or frozenset(map(Instance, meant))


def _asked(block: tree.Block, branch: int, name: str) -> Iterator[tree.Node]:
    """The classes of one of which a name is in a branch of a block."""
    if block.kind == "if" and branch == 0 and block.heads:
        test = block.heads[0]
        for part in (
            test.values if isinstance(test, tree.Boolean) and test.op == "and" else (test,)
        ):
            match part:
                case tree.Call(func=tree.Name(id="isinstance"), args=(first, second)):
                    if isinstance(first.value, tree.Name) and first.value.id == name:
                        yield from tree.items(second.value)
    elif block.kind == "match" and branch < len(block.cases):
        case, subject = block.cases[branch], block.heads[0]
        if case.name == name or (isinstance(subject, tree.Name) and subject.id == name):
            for number in case.classes:
                head = block.heads[number]
                yield head.children[0] if isinstance(head, tree.Other) else head


__all__ = ["Narrowing"]
