"""What becomes of the parts of a split key, other than one that is read by its number, all that are unpacked, and how many
there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.taken_apart.matched import ELSEWHERE, codes_for, room_in
from capsule_lint.plan.taken_apart.parts import Use, is_paired, uses
from capsule_lint.plan.taken_apart.reads import DIFFERENT, STAYING, Reader
from capsule_lint.plan.taken_apart.remainders import UNCLEAR
from capsule_lint.plan.taken_apart.shifts import Shift, Split, second_from, shift_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.plan.taken_apart.readers import Readers
    from capsule_lint.program.model import Module


class PartUses(Struct, frozen=True):
    """Finds slices, comparisons and patterns, and what cannot be followed."""

    readers: Readers

    def find(self, call: tree.Attr | tree.Call, defects: list[KeyDefect]) -> None:
        """What becomes of the parts of a key otherwise: slices, comparisons, and what cannot be followed."""
        for split in self.readers.splits.of(call):
            self._parts_used(call, split, defects)

    def _parts_used(self, parts: tree.Node, split: Split, defects: list[KeyDefect]) -> None:
        module = self.readers.program.names.module_of(parts)
        shifts = self.readers.moving(split, module, defects)
        for node, use in uses(self.readers.program, parts) if shifts else ():
            self.readers.tie(shifts)
            if len({(s.start, s.by) for s in shifts}) > 1:
                self.readers.unsure.append((node, shifts[0].knot, DIFFERENT))
                continue
            module = self.readers.program.names.module_of(node)
            match node, use:
                case tree.Subscript(), Use.SLICED if second_from(node.index) is not None:
                    if not (is_paired(self.readers.program, node) and shifts[0].pairs(split)):
                        for halved in self.readers.splits.of(node):
                            self._parts_used(node, halved, defects)
                        if self._is_joined(node):
                            self.readers.unsure.append((node, shifts[0].knot, UNCLEAR))
                case tree.Subscript(), Use.SLICED:
                    self._sliced(node, module, split, shifts[0], defects)
                case tree.Sequence(), Use.COMPARED:
                    self._listed(node, module, split, shifts)
                case tree.Other(children=(_, *items)), Use.MATCHED:
                    self._matched(node, items, split, shifts, defects)
                case _, Use.UNCLEAR:
                    self.readers.unsure.append((node, shifts[0].knot, UNCLEAR))

    def _matched(
        self,
        node: tree.Node,
        items: list[tree.Node],
        split: Split,
        shifts: list[Shift],
        defects: list[KeyDefect],
    ) -> None:
        """`case ["TENANT", tenant_id, "ORDER", order_id]:`."""
        module = self.readers.program.names.module_of(node)
        if split.second_from is not None or split.limit >= 0 or split.taken:
            self.readers.unsure.append((node, shifts[0].knot, UNCLEAR))
            return
        near = self.readers.near(split, module, [*defects, *self.readers.staying], None)
        kept = [
            s for d in near if d in self.readers.staying and (s := shift_of(d, split.separator))
        ]
        for shift in shifts:
            room = room_in(items, shift, split.separator)
            if room == ELSEWHERE:
                continue
            codes = codes_for(shift, split.separator)
            staying = any(room_in(items, s, split.separator) != ELSEWHERE for s in kept)
            if codes is None or staying or room < 1:
                self.readers.unsure.append((node, shift.knot, STAYING if staying else UNCLEAR))
                return
            moved = replace(shift, start=room)
            self.readers.found.append(Reader(node, module, moved, shift.knot, None, added=codes))
            return

    def _sliced(
        self,
        node: tree.Subscript,
        module: Module,
        split: Split,
        shift: Shift,
        defects: list[KeyDefect],
    ) -> None:
        assert isinstance(node.index, tree.Slice)
        bounds = shift.sliced(node.index, split)
        if bounds is None and (shift.is_one(node.index, split) or not self._is_joined(node)):
            self.readers.unsure.append((node, shift.knot, UNCLEAR))
        for bound, number in bounds or ():
            self.readers.note(Reader(bound, module, shift, shift.knot, number), split, defects)

    def _is_joined(self, sliced: tree.Node) -> bool:
        """Whether a slice is put together again: `"#".join(parts[:-1])`."""
        around = self.readers.program.names.parent(sliced)
        return isinstance(around, tree.Call) and last_name(around.func) == "join"

    def _listed(
        self, node: tree.Sequence, module: Module, split: Split, shifts: list[Shift]
    ) -> None:
        """`key.split("#") == ["TENANT", "t", "NOTE", "n"]`."""
        for shift in [s for s in shifts if s.fits(node, split)][:1]:
            start = shift.start - split.taken
            tags = split.second_from == 0  # and no values
            starred = any(isinstance(item, tree.Wrapped) for item in node.items)
            if starred or tags or start < 1:
                self.readers.unsure.append((node, shift.knot, UNCLEAR))
                return
            moved = replace(shift, start=start)
            self.readers.found.append(
                Reader(node, module, moved, shift.knot, None, split.separator)
            )
