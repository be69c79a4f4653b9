"""Names whose class the code around them has asked for: `if isinstance(thing, Note):`, `case Note() as note:`."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import ClassObject, Instance, Types

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.names import Names


@dataclass(eq=False, slots=True)
class Narrowing:
    """Tells what such a name is."""

    inference: Inference
    _known: dict[tuple[int, int], dict[str, list[tree.Node]]] = field(default_factory=dict)
    """What is asked of names, by the branch in which it holds."""

    def of(self, node: tree.Name, types: Types) -> Types:
        """What a name is where it stands, which may be anything of these types elsewhere."""
        place = self.inference.names.place(node)
        blocks = place.scope.module.blocks
        for branch in reversed(place.blocks):
            asked = self._asked(blocks[branch[0]], branch[1]).get(node.id)
            if asked is None:
                continue
            bindings = self.inference.names.bindings(node.id, place)
            since = (
                one for one in bindings if one.kind != "case" or one.place.blocks[-1] != branch
            )
            if any(branch in binding.place.blocks for binding in since):
                return types  # it has another value since
            found = frozenset(t for one in asked for t in self.inference.of(one))
            if found and all(isinstance(one, ClassObject) for one in found):
                return self._among(types, found)
        return types

    def _asked(self, block: tree.Block, branch: int) -> dict[str, list[tree.Node]]:
        """The classes of one of which names are in a branch of a block."""
        key = id(block), branch
        if key not in self._known:
            found = self._known[key] = {}
            for name, cls in _classes_in(block, branch):
                found.setdefault(name, []).append(cls)
        return self._known[key]

    def _among(self, types: Types, asked: Types) -> Types:
        """Those of some types that are of the classes that are asked for, or these if there are none."""
        mro = self.inference.classes.mro
        meant = {one.cls for one in asked if isinstance(one, ClassObject)}
        known = [t for t in types if isinstance(t, Instance) and not meant.isdisjoint(mro(t.cls))]
        return frozenset(known) or frozenset(map(Instance, meant))


def _classes_in(block: tree.Block, branch: int) -> Iterator[tuple[str, tree.Node]]:
    """The names of whose class a branch of a block is sure, each with a class that is asked for."""
    if block.kind == "if" and branch == 0 and block.heads:
        yield from ((asked.id, cls) for asked, cls in _classes_by(block.heads[0]))
    elif block.kind == "match" and branch < len(block.cases):
        case, subject = block.cases[branch], block.heads[0]
        said = {case.name, subject.id if isinstance(subject, tree.Name) else None}
        for number in case.classes:
            head = block.heads[number]
            cls = head.children[0] if isinstance(head, tree.Other) else head
            yield from ((name, cls) for name in said if name)


def _classes_by(test: tree.Node) -> Iterator[tuple[tree.Name, tree.Node]]:
    """The names of whose class a test makes sure, each with a class that is asked for."""
    for part in test.values if isinstance(test, tree.Boolean) and test.op == "and" else (test,):
        match part:
            case tree.Call(func=tree.Name(id="isinstance"), args=(first, second)):
                if isinstance(first.value, tree.Name):
                    yield from ((first.value, one) for one in tree.items(second.value))


def asked_around(names: Names, node: tree.Name) -> list[tree.Node]:
    """The classes of one of which a name is, as the expression says in which it stands: `isinstance(a, Column) and
    a.name`, `[a.name for a in columns if isinstance(a, Column)]`."""
    bound = set(map(id, names.bindings_of(node)))
    below: tree.Node = node
    around = names.parent(node)
    while isinstance(around, tree.Expr):
        asked = [pair for test in _tests_before(around, below) for pair in _classes_by(test)]
        same = [n for n, _ in asked if n.id == node.id]
        if same and all(bound == set(map(id, names.bindings_of(one))) for one in same):
            return [cls for name, cls in asked if name.id == node.id]
        below, around = around, names.parent(around)
    return []


def _tests_before(around: tree.Expr, part: tree.Node) -> Sequence[tree.Node]:
    """What holds where a part of an expression is evaluated."""
    match around:
        case tree.Boolean(op="and"):
            return tuple(takewhile(lambda one: one is not part, around.values))
        case tree.Conditional() if around.then is part:
            return (around.test,)
        case tree.Comprehension() if not any(part is one.iter for one in around.generators):
            conditions = [one for generator in around.generators for one in generator.ifs]
            return tuple(takewhile(lambda one: one is not part, conditions))
        case _:
            return ()
