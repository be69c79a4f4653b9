"""Code that takes a key apart by position: `pk.split("#")[3]` reads another part once a segment is added."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.state import KeyDefect, Knot, State
from capsule_lint.program.model import Binding, Class
from capsule_lint.program.templates import Text, hole_name, snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module

_KEYISH: Final = frozenset(("key", "composite_key", "keys"))


@dataclass(frozen=True, slots=True)
class Shift:
    """From which part on the parts of a key move, by how many, and for which scopes."""

    start: int
    by: int
    scopes: tuple[Scope, ...]


@dataclass(eq=False, slots=True)
class Reader:
    """One positional read: `index` of the split at `node`, or a target that unpacks all parts."""

    node: tree.Node
    module: Module
    shift: Shift
    knot: Knot
    index: int | None


@dataclass(eq=False, slots=True)
class Readers:
    """Finds positional readers of changed keys."""

    program: Program
    state: State
    found: list[Reader] = field(default_factory=list)
    unsure: list[tuple[tree.Node, Knot]] = field(default_factory=list)
    _by_split: dict[int, tuple[Shift, Knot]] = field(default_factory=dict)

    def find(self, defects: list[KeyDefect]) -> None:
        """Fill `found` and `unsure`."""
        if not defects:
            return
        for module in self.program.names.modules.values():
            if module.generated:
                continue
            for node in module.nodes:
                if (
                    isinstance(node, tree.Subscript)
                    and isinstance(node.index, tree.Const)
                    and isinstance(node.index.value, int)
                ):
                    self._subscript(node, node.index.value, module, defects)
            for statement, _ in module.statements:
                if isinstance(statement, tree.Assign) and statement.value is not None:
                    for target in statement.targets:
                        if isinstance(target, tree.Sequence):
                            self._unpacked(target, statement.value, module, defects)

    def _subscript(
        self, node: tree.Subscript, index: int, module: Module, defects: list[KeyDefect]
    ) -> None:
        for split in self._splits(node.base):
            shift = self._shift(split, module, defects)
            if shift is None:
                continue
            moved, knot = shift
            if index >= moved.start:
                self.found.append(Reader(node.index, module, moved, knot, index))

    def _unpacked(
        self, target: tree.Sequence, value: tree.Node, module: Module, defects: list[KeyDefect]
    ) -> None:
        for split in self._splits(value):
            shift = self._shift(split, module, defects)
            if shift is not None and 0 < shift[0].start <= len(target.items):
                self.found.append(Reader(target, module, *shift, None))

    def _splits(self, node: tree.Node) -> Iterator[tree.Call]:
        """The call of `split` that a value comes from."""
        match node:
            case tree.Call(func=tree.Attr(name="split") as func) if len(
                node.args
            ) == 1 and self._is_key(func.base):
                yield node
            case tree.Name():
                for binding in self.program.names.bindings(
                    node.id, self.program.names.place(node)
                ):
                    if (
                        binding.kind == "assign"
                        and binding.value is not None
                        and not binding.path
                        and not isinstance(binding.value, tree.Name)
                    ):
                        yield from self._splits(binding.value)

    def _is_key(self, node: tree.Node) -> bool:
        name = self._name(node)
        if self.program.policy.is_key_name(name) or snake(name) in _KEYISH:
            return True
        if isinstance(node, tree.Name):
            for binding in self.program.names.bindings(node.id, self.program.names.place(node)):
                if (
                    isinstance(binding, Binding)
                    and binding.kind == "assign"
                    and binding.value is not None
                    and not isinstance(binding.value, tree.Name)
                ):
                    return not binding.path and self._is_key(binding.value)
        return False

    def _name(self, node: tree.Node) -> str:
        match node:
            case tree.Subscript(index=tree.Const(value=str() as key)) if key in ("S", "N"):
                return self._name(node.base)
            case tree.Subscript(index=tree.Const(value=str() as key)):
                return key
            case tree.Attr():
                return node.name
            case tree.Name():
                return node.id
            case _:
                return hole_name(node)

    def _shift(
        self, split: tree.Call, module: Module, defects: list[KeyDefect]
    ) -> tuple[Shift, Knot] | None:
        known = self._by_split.get(id(split))
        if known is not None:
            return known
        separator = split.args[0].value
        if not isinstance(separator, tree.Const) or not isinstance(separator.value, str):
            return None
        near = self._related(split, module, defects)
        shifts = {shift: d for d in near if (shift := shift_of(d, separator.value)) is not None}
        if len({(s.start, s.by) for s in shifts}) > 1:
            self.unsure.append((split, near[0].knot))
            return None
        for shift, defect in shifts.items():
            self._by_split[id(split)] = (shift, defect.knot)
            return shift, defect.knot
        return None

    def _related(
        self, split: tree.Call, module: Module, defects: list[KeyDefect]
    ) -> list[KeyDefect]:
        """The changed keys that the code could be reading: of its class, of its module, or any."""
        assert isinstance(split.func, tree.Attr)
        index = self.program.policy.is_index_key_name(self._name(split.func.base))
        same = [d for d in defects if self._is_index(d) is index]
        function = self.program.names.place(split).scope.function
        owner = function.owner if function is not None else None
        for group in (
            [
                d
                for d in same
                if isinstance(owner, Class)
                and d.function is not None
                and d.function.owner is owner
            ],
            [d for d in same if d.module is module],
        ):
            if group:
                return group
        return same

    def _is_index(self, defect: KeyDefect) -> bool:
        site = next(
            (s for s in self.program.keys.sites if s.template.host is defect.template.host), None
        )
        return site.index if site is not None else False


def shift_of(defect: KeyDefect, separator: str) -> Shift | None:
    """Which parts of a key move when the segments of a defect are added."""
    by, first = 0, None
    for scope in defect.missing:
        anchor = defect.anchors[scope.name]
        at = 0
        if anchor is not None:
            text = ""
            for piece in defect.template.pieces:
                text += piece.value if isinstance(piece, Text) else "?"
                if not isinstance(piece, Text) and piece.value is anchor:
                    break
            at = text.count(separator) + 1
        first = at if first is None else min(first, at)
        by += scope.tag.count(separator) + 1
    return Shift(first, by, tuple(defect.missing)) if first is not None and by else None
