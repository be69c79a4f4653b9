"""What tests look up in a table of theirs, `table.rows["TENANT#t", "META"]`, `table.rows["TENANT#t"]["META"]`: what puts
rows there says what stands where in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.testing.elements import position
from capsule_lint.program.local_names import behind, looked_up
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.testing.elements import Position
    from capsule_lint.program import Program

_Table: TypeAlias = tuple[str, int]
"""What a dict is called, and how many dicts deep: `rows` and 1 of `table.rows[pk]`."""


class RowKeys(Struct, frozen=True):
    """Tells it."""

    program: Program

    def names_of(
        self, node: tree.Node, places: Iterable[tuple[tree.Node, Iterable[tree.Node]]]
    ) -> Iterator[tree.Node]:
        """The expressions that say which attribute of an item an expression is: `"SK"` of `self.rows[item["PK"],
        item["SK"]] = item`. `places` are where it is read, or the pair that it stands in, and what is compared there."""
        at = position(self.program, node)
        for place, sides in places:
            for table in dict.fromkeys((*self._looked_into(place), *self._compared(sides))):
                for key in self._keys(*table):
                    yield from self._said(key, at)

    def _said(self, key: tree.Node, at: Position | None) -> Iterator[tree.Node]:
        """The name of the attribute that a key is, or what stands at a position in it."""
        names = self.program.names
        made = behind(names, key)
        callees = self.program.calls.callees(made) if isinstance(made, tree.Call) else ()
        returned = (v for c in callees if c.function is not None for v in c.function.returns)
        for one in (made, *returned):
            items = one.items if isinstance(one, tree.Sequence) and one.kind == "tuple" else ()
            part = items[at.number] if at is not None and len(items) == at.count else None
            said = behind(names, part) if part is not None else one if at is None else None
            while isinstance(said, tree.Subscript):
                yield said.index  # also that of a typed value, `item["SK"]["S"]`
                said = said.base

    def _looked_into(self, place: tree.Node) -> Iterator[_Table]:
        """The table in which something is looked up: `rows[pk, sk]`, `rows.get((pk, sk))`."""
        parent = self.program.names.parent(place)
        found = _looked_up(parent)
        if found is not None and found[1] is place:
            yield from self._called(found[0])

    def _compared(self, sides: Iterable[tree.Node]) -> Iterator[_Table]:
        """The same of what is compared with what it has: `(pk, sk) in table.rows`, `list(rows) == [(pk, sk)]`."""
        for side in sides:
            for one in within(side):
                yield from self._called(one)
                for inner in one.generators if isinstance(one, tree.Comprehension) else ():
                    yield from self._compared((inner.iter,))

    def _called(self, table: tree.Node) -> Iterator[_Table]:
        names, depth = self.program.names, 0
        node = behind(names, table) or table
        while (found := _looked_up(node)) is not None:
            node, depth = behind(names, found[0]) or found[0], depth + 1
        match node:
            case tree.Name(id=name) | tree.Attr(name=name):
                yield name, depth

    def _keys(self, table: str, depth: int) -> Iterator[tree.Node]:
        """What something is put under in tables of a name, so many dicts deep."""
        names = self.program.names
        for node in list(names.named(table)):
            parent = names.parent(node)
            if isinstance(parent, tree.Assign) and not depth:
                made = parent.value
                yield from made.results[:1] if isinstance(made, tree.Comprehension) else ()
            outer: tree.Node = node
            for at in range(depth + 1):
                whole = self._around(outer)
                found = _looked_up(whole)
                if whole is None or found is None or found[0] is not outer:
                    break
                around = names.parent(whole)
                if at == depth and isinstance(around, tree.Assign) and whole in around.targets:
                    yield found[1]
                outer = whole

    def _around(self, node: tree.Node) -> tree.Node | None:
        """What looks something up in a dict: `rows[pk]`, `rows.setdefault(pk, {})`."""
        parent = self.program.names.parent(node)
        above = self.program.names.parent(parent) if isinstance(parent, tree.Attr) else parent
        return above if isinstance(above, tree.Subscript | tree.Call) else None


def _looked_up(node: object) -> tuple[tree.Node, tree.Node] | None:
    """The dict and the key of an expression that looks something up."""
    if not isinstance(node, tree.Subscript | tree.Call):
        return None
    found = (looked_up(node, method) for method in ("get", "pop", "setdefault"))
    return next((one for one in found if one is not None), None)
