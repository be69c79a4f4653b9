"""Code that takes a key apart by position: `pk.split("#")[3]` reads another part once a segment is added."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.taken_apart.across import Across
from capsule_lint.plan.taken_apart.part_uses import PartUses
from capsule_lint.plan.taken_apart.parts import halves_of
from capsule_lint.plan.taken_apart.patterns import Patterns
from capsule_lint.plan.taken_apart.probes import Probes
from capsule_lint.plan.taken_apart.reads import DIFFERENT, STAYING, Reader, Unfit
from capsule_lint.plan.taken_apart.related import Related
from capsule_lint.plan.taken_apart.remainders import UNCLEAR, Remainders
from capsule_lint.plan.taken_apart.shifts import (
    Shift,
    Split,
    fits,
    has,
    has_separator,
    parts_in,
    shift_of,
)
from capsule_lint.plan.taken_apart.splits import Splits
from capsule_lint.plan.taken_apart.whole_texts import WholeTexts
from capsule_lint.program.comparisons import comparisons
from capsule_lint.program.local_names import behind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.state import KeyDefect, Knot, State
    from capsule_lint.plan.taken_apart.probes import Gap
    from capsule_lint.program import Program
    from capsule_lint.program.comparisons import Comparison
    from capsule_lint.program.model import Module
    from capsule_lint.program.places.sites import KeySite

_SHARED: Final = "takes a key apart by position, and is given other texts as well"


@dataclass(eq=False)
class Readers:
    """Finds positional readers of changed keys."""

    program: Program
    state: State
    found: list[Reader] = field(default_factory=list)
    unsure: list[tuple[tree.Node, Knot, str]] = field(default_factory=list)
    """Places that need a person, and why."""
    broken: list[Unfit] = field(default_factory=list)
    remainders: Remainders = field(init=False)
    staying: list[KeyDefect] = field(default_factory=list)
    """What lacks scopes as well, and does not change."""
    _limits: set[int] = field(default_factory=set)
    _wholes: dict[int, list[KeyDefect]] = field(default_factory=dict)
    """The keys around those that change, by the expressions that these are."""

    def __post_init__(self) -> None:
        self.remainders = Remainders(self)

    @cached_property
    def splits(self) -> Splits:
        """What is split, and what is a key."""
        return Splits(self.program)

    @property
    def _related(self) -> Related:
        return Related(self.program, self)

    def find(self, defects: list[KeyDefect], staying: list[KeyDefect]) -> None:
        """Fill `found` and `unsure`; keys that lack scopes as well, and are `staying` so, may be read in the
        same places."""
        defects = [d for d in defects if not d.template.opaque]
        if not defects:
            return
        self.staying = [d for d in staying if not d.template.opaque]
        for module in self.program.names.editable():
            for node in module.each(tree.Subscript):
                index = tree.integer(node.index)
                if index is not None:
                    self._subscript(node, index, module, defects)
            for compare in comparisons(module):
                self._counted(compare, module, defects)
            for target, value in module.assigned:
                if isinstance(target, tree.Sequence):
                    self._unpacked(target, value, module, defects)
        self.remainders.find(defects)
        for call in self.program.calls.uses.calls_beside("split"):
            if not self.program.names.module_of(call).generated:
                PartUses(self).find(call, defects)
        for read in self.splits.listings.reads():
            PartUses(self).find(read, defects)
        wider = [*defects, *self._around(defects)]
        self._find_broken(wider)
        WholeTexts(self).find(wider)
        Across(self).find(defects)

    def _around(self, defects: list[KeyDefect]) -> Iterator[KeyDefect]:
        """The same for the keys of which a changing one is a part: `f"{head(tenant_id)}#NOTE#{note_id}"`."""
        for defect in defects:
            host = id(defect.template.host)
            if host in self._made_with and host not in self._wholes:
                self._wholes[host] = [
                    replaced(
                        defect, template=site.template, module=site.module, function=site.function
                    )
                    for site in self._made_with[host]
                ]
            yield from self._wholes.get(host, ())

    @cached_property
    def _made_with(self) -> dict[int, list[KeySite]]:
        """The keys that have parts of other ones, by the expressions that these are."""
        found: dict[int, list[KeySite]] = defaultdict(list)
        for site in self.program.keys.sites:
            template = site.template
            for host in {id(p.host): p.host for p in template.pieces}.values():
                if host is not template.host and not template.opaque:
                    found[id(host)].append(site)
        return found

    def _find_broken(self, defects: list[KeyDefect]) -> None:
        """Regular expressions, prefixes and the like that the changed keys do not fit any more."""
        for expression, matched, text in Patterns(self.program).broken(defects, self.staying):
            every = [w.defect for w in matched]
            node = expression.call if text is None else expression.node
            self._note_broken(node, every, expression.text, text)
        for probe in Probes(self.program, self).broken(defects):
            every = list(probe.defects)
            self._note_broken(probe.node, every, probe.text, gaps=probe.gaps, length=probe.length)

    def _note_broken(
        self,
        node: tree.Node,
        every: list[KeyDefect],
        old: str,
        text: str | None = None,
        gaps: tuple[Gap, ...] = (),
        length: tree.Node | None = None,
    ) -> None:
        first = every[0]
        for other in every[1:]:
            self.state.groups.join(first.knot, other.knot)
        module = self.program.names.module_of(node)
        scopes = tuple(first.missing)
        self.broken.append(Unfit(node, module, scopes, first.knot, old, text, gaps, length))

    def _subscript(
        self, node: tree.Subscript, index: int, module: Module, defects: list[KeyDefect]
    ) -> None:
        for split in self.splits.of(node.base):
            every = self.moving(split, module, defects, index)
            shifts = [s for s in every if s.reads(index, split)]
            if any(s.moved(index, split) != index for s in shifts):
                self.tie(shifts)
            if index < 0 and split.limit >= 0:
                self._from_the_end(node, index, module, split, shifts)
                return
            if longer := [s for s in shifts if s.lengthens(index, split)]:
                if shifts != longer or not all(s.is_last(split) for s in shifts):
                    self.unsure.append((node, shifts[0].knot, UNCLEAR))
                else:
                    self._raise_limit(split, module, shifts[0])
                return
            if index < 0 and any(s.moved(index, split) == index for s in shifts):
                return  # the end of a key is what it was
            moved = [(s, s.moved(index, split)) for s in shifts]
            if len({number for _, number in moved}) > 1:
                self.unsure.append((node, shifts[0].knot, DIFFERENT))
                return
            for shift, number in moved[:1]:
                if number != index:
                    reader = Reader(node.index, module, shift, shift.knot, number)
                    self.note(reader, split, defects, index)
                    self._raise_limit(split, module, shift, reader.node)

    def _from_the_end(
        self, node: tree.Subscript, index: int, module: Module, split: Split, shifts: list[Shift]
    ) -> None:
        """`key.split("#", 3)[-1]`: the last part has all that is left, and would have more of it."""
        reached = {s.reaches(index, split) for s in shifts}
        if reached == {True} and len({s.by for s in shifts}) == 1:
            self._raise_limit(split, module, shifts[0])
        elif reached - {False} or any(s.lengthens(index, split) for s in shifts):
            self.unsure.append((node, shifts[0].knot, DIFFERENT))

    def _counted(self, compare: Comparison, module: Module, defects: list[KeyDefect]) -> None:
        """`len(parts) == 4`, where the parts are those of a key."""
        op, mirrored = compare.op, {">": "<", "<=": ">="}
        for counted, other, more in (
            (compare.left, compare.right, op in mirrored),
            (compare.right, compare.left, op in mirrored.values()),
        ):
            side, limit = behind(self.program.names, counted), behind(self.program.names, other)
            number = tree.integer(limit)
            if number is None or not isinstance(side, tree.Call) or len(side.args) != 1:
                continue
            needed = number + 1 if more else number  # `> 2` asks for three
            match side.func:
                case tree.Name(id="len"):
                    counted = side.args[0].value
                    halves = halves_of(behind(self.program.names, counted))
                    splits = self.splits.of(halves or counted)
                case tree.Attr(name="count"):
                    splits, needed = self.splits.counted(side), needed + 1
                case _:
                    continue
            for split in splits:
                exact, every = op in ("==", "!="), self.moving(split, module, defects)
                shifts = [s for s in every if s.has(needed, split, exact=exact)]
                self.tie(shifts)
                if len({s.by for s in shifts}) > 1 or (shifts and limit is not other):
                    self.unsure.append((compare.node, shifts[0].knot, DIFFERENT))
                elif shifts:
                    moved = number + shifts[0].by
                    reader = Reader(other, module, shifts[0], shifts[0].knot, moved)
                    self.note(reader, split, defects, needed - 1)

    def _unpacked(
        self, target: tree.Sequence, value: tree.Node, module: Module, defects: list[KeyDefect]
    ) -> None:
        for split in self.splits.of(value):
            every = self.moving(split, module, defects, target)
            shifts = self.fitting(target, split, every)
            if not shifts and not self._is_other(target, split):
                alike = [s for s in every if s.counts(target, split)]
                if alike and not shifts:
                    self.unsure.append((split.call, alike[0].knot, UNCLEAR))
            self.tie(shifts)
            moves = {(s.start - split.taken, s.by) for s in shifts}
            if len(moves) > 1:
                self.unsure.append((split.call, shifts[0].knot, DIFFERENT))
                return
            for shift in shifts[:1]:
                start = shift.start - split.taken
                if any(isinstance(item, tree.Wrapped) for item in target.items[: max(start, 0)]):
                    return  # what stands behind a `*rest` is counted from the end
                if not 0 < start <= len(target.items):
                    self.unsure.append((split.call, shift.knot, DIFFERENT))
                    return
                moved = replace(shift, start=start)
                reader = Reader(target, module, moved, shift.knot, None, unpacked=split)
                self.note(reader, split, defects, target)
                self._raise_limit(split, module, shift, target)

    def fitting(self, target: tree.Sequence, split: Split, every: list[Shift]) -> list[Shift]:
        """How the parts move that a target unpacks: those of the keys that these could be."""
        shifts = [s for s in every if s.fits(target, split)]
        if shifts or self._is_other(target, split):
            return shifts
        if self.program.policy.is_key_name(self.splits.name(split.key)):
            # it is a key, whatever the parts are called: `_, tenant, kind, name = pk.split("#")`
            return [s for s in every if s.fits(target, split, moved=False)]
        return []

    def _is_other(self, target: tree.Sequence, split: Split) -> bool:
        """Whether the names that a target gives to the parts are those of another key."""
        templates = {id(s.template): s.template for s in self.program.keys.sites}.values()
        every = (parts_in(template, split) for template in templates)
        return any(any(parts) and fits(parts, target, split) for parts in every)

    def note(
        self,
        reader: Reader,
        split: Split,
        defects: list[KeyDefect],
        asked: int | tree.Sequence | None = None,
    ) -> None:
        """A place that reads another part: if it may be given a key that stays, a person has to look."""
        near = self.near(split, reader.module, [*defects, *self.staying], asked)
        near = self._related.named(split, near) or near
        staying = [parts_in(d.template, split) for d in near if d in self.staying]
        if isinstance(asked, tree.Sequence) and fits(reader.shift.parts, asked, split):
            staying = [parts for parts in staying if fits(parts, asked, split)]
        elif asked is not None:
            staying = [parts for parts in staying if has(parts, asked, split)]
        if staying:
            self.unsure.append((reader.node, reader.knot, STAYING))
        else:
            self.found.append(reader)

    def tie(self, shifts: list[Shift]) -> None:
        """What one place reads changes together."""
        for shift in shifts[1:]:
            self.state.groups.join(shifts[0].knot, shift.knot)

    def _raise_limit(
        self, split: Split, module: Module, shift: Shift, beside: tree.Node | None = None
    ) -> None:
        """`split("#", 2)` that reads behind the new segment splits more often."""
        call = split.call
        if not isinstance(call, tree.Call) or split.limit < 0 or id(call) in self._limits:
            return
        self._limits.add(id(call))
        node, limit = call.args[1].value, split.limit + shift.by
        self.found.append(Reader(node, module, shift, shift.knot, limit, beside=beside))

    def shifts(
        self,
        split: Split,
        module: Module,
        defects: list[KeyDefect],
        asked: int | tree.Sequence | None = None,
    ) -> list[Shift]:
        """How the parts of a split move, for each key that it could be of: one that has the part that is
        asked for, or as many as are unpacked, goes before others."""
        near = self.near(split, module, defects, asked)
        found = [s for d in near if (s := shift_of(d, split.separator)) is not None]
        first = split.second_from
        return found if first is None else [shift.every_second(first) for shift in found]

    def near(
        self,
        split: Split,
        module: Module,
        defects: list[KeyDefect],
        asked: int | tree.Sequence | None,
    ) -> list[KeyDefect]:
        """The keys of which a split could take one apart."""
        possible = [
            d
            for d in (*defects, *self._around(defects))
            if d.template.text.startswith(split.prefix) and has_separator(d, split.separator)
        ]
        if split.joined_of:
            return [d for d in possible if id(d.template.host) in split.joined_of]
        if asked is not None:
            having = (d for d in possible if has(parts_in(d.template, split), asked, split))
            possible = list(having) or possible
        return self._related.of(split, module, possible)

    def moving(
        self,
        split: Split,
        module: Module,
        defects: list[KeyDefect],
        asked: int | tree.Sequence | None = None,
    ) -> list[Shift]:
        """Those of them that do move."""
        found = self.shifts(split, module, defects, asked)
        if split.shared:
            self.unsure += [(split.call, shift.knot, _SHARED) for shift in found[:1]]
            return []
        for shift in found:
            if not shift.by and self._reads_part(split, shift.start - split.taken):
                self.unsure.append((split.call, shift.knot, DIFFERENT))
        return [shift for shift in found if shift.by]

    def _reads_part(self, split: Split, part: int) -> bool:
        """Whether the part of that number may be read of a split; all but the others by a constant."""
        parent = self.program.names.parent(split.call)
        number = tree.integer(parent.index) if isinstance(parent, tree.Subscript) else None
        return number is None or number == part
