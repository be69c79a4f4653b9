"""Lists of a test in which several functions record what they are called with: `lambda *args: seen.append(args)` beside
`lambda tenant_id, note: seen.append((tenant_id, note.id))`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.testing.shapes import Shape
    from capsule_lint.program.inference.records import Record
    from capsule_lint.program.model import Function


class Recorders(Struct, frozen=True):
    """Tells who of them has recorded something."""

    mends: Mends

    def others(self, record: Record, shape: Shape) -> list[tree.Node]:
        """What else comes into the list that changes otherwise than what a function has recorded there; what changes
        alike lands with it, for nobody tells whose a value is."""
        found = []
        for one in record.others:
            if not self._is_alike(one, shape):
                found.append(one)
                continue
            for function, _ in self._changing(one):
                groups = self.mends.planner.state.groups
                groups.join(("function", shape.function), ("function", function))
        return found

    def is_meant(self, record: Record, shape: Shape, length: int) -> bool | None:
        """Whether what was recorded of a function is what so many values say; `None` if that cannot be told."""
        others = [one for one in self.others(record, shape) if self._may_be(one, length)]
        if not others:
            return True
        own = length in _widths(shape.function, {n for n, _, new in shape.entries if not new})
        return None if own or any(map(self._changing, others)) else False

    def _is_alike(self, node: tree.Node, shape: Shape) -> bool:
        """Whether what is recorded of another function gets the same parameters at the same places."""
        final = self.mends.signatures.final_params
        changing = self._changing(node)
        return bool(changing) and all(
            shape.places
            == tuple((n, k) for n, (_, k, new) in enumerate(final(one)[given:]) if new)
            for one, given in changing
        )

    def _changing(self, node: tree.Node) -> list[tuple[Function, int]]:
        """The changing functions of which something has all arguments, and how many of them it does not have."""
        records = self.mends.planner.program.records
        record = records.of(node)
        return [*records.functions(record.mock)] if record is not None else []

    def _may_be(self, node: tree.Node, length: int) -> bool:
        """Whether something that is put into the list may be so many values."""
        match node:
            case tree.Sequence(items=items):
                starred = any(isinstance(item, tree.Wrapped) for item in items)
                return starred or len(items) == length
            case tree.Const() | tree.FString() | tree.DictDisplay():
                return False
            case tree.Name():
                replaced = list(self._replaced(node))
                widths = (_widths(f, {p.name for p in f.params[given:]}) for f, given in replaced)
                return not replaced or any(length in one for one in widths)
            case _:
                return True

    def _replaced(self, star: tree.Name) -> Iterator[tuple[Function, int]]:
        """The functions in whose place a lambda comes that puts all its arguments there."""
        names = self.mends.planner.program.names
        bound = names.bindings_of(star)
        params = [b.parameter for b in bound if b.parameter is not None]
        around: object = names.parent(star)
        while not isinstance(around, tree.Lambda | None):
            around = names.parent(around)
        if isinstance(around, tree.Lambda) and len(params) == 1 and around.params == (params[0],):
            stand_ins = self.mends.planner.signatures.stand_ins
            for function in stand_ins.replaced(around):
                for one in stand_ins.of(function):
                    if one.node is around:
                        yield function, one.given


def _widths(function: Function, names: set[str]) -> range:
    """How many arguments may come by position for these parameters of a function."""
    params = [p for p in function.params if p.name in names and p.by_position]
    return range(sum(p.default is None for p in params), len(params) + 1)
