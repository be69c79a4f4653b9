"""Beginnings that are cut off keys, `pk.removeprefix("ORDER#")`, or that tell what a key is of. They get the segments
that the keys get, where who cuts them off knows the scopes; elsewhere the segments are cut off first:
`pk.split("#", 4)[-1]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want
from capsule_lint.plan.taken_apart.probes import Probes, gaps_in
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.taken_apart.probes import Gap, Probe

_CUTTING: Final = ("removeprefix", "replace", "len")
_TELLING: Final = ("startswith",)
"""What is true of the keys of all scopes, and stays so."""
_PRIMARY: Final = (tree.Name, tree.Attr, tree.Subscript, tree.Call)
"""What a method can be called on as it is written."""


class Cut(Struct, frozen=True):
    """What is done about a beginning: the values of the segments that come before it, or the mark and the
    number of the parts that are cut off the key before."""

    key: tree.Node
    wants: tuple[tuple[Gap, Want], ...] = ()
    mark: str = ""
    parts: int = 0


@dataclass(eq=False, slots=True)
class CutOff(Room):
    """Finds such beginnings, and demands the values of their segments."""

    planner: Planner
    found: dict[int, Cut] = field(default_factory=dict)
    """By the expressions that say what is cut off."""

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        planner = self.planner
        defects = [d for d in planner.defects if not d.template.opaque]
        probes = Probes(self.program, planner.readers).broken(defects) if defects else ()
        new = [probe for probe in probes if id(probe.node) not in self.found]
        cuts = [(probe, cut) for probe in new if (cut := self._cut(probe)) is not None]
        for probe, cut in cuts:
            self.found[id(probe.node)] = cut
            for _, want in cut.wants:
                planner.want(want)
        return any(cut.wants for _, cut in cuts)

    def _cut(self, probe: Probe) -> Cut | None:
        if not self._is_cut(probe):
            return None
        knot, call = probe.defects[0].knot, self.program.names.parent(probe.node)
        if not isinstance(call, tree.Call) or last_name(call.func) in _TELLING:
            return _split(probe.key, probe.gaps)
        wants = [(gap, Want(gap.scope, probe.node, knot, "cut")) for gap in probe.gaps]
        if all(self.planner.values.value(want) is not None for _, want in wants):
            return Cut(probe.key, tuple(wants))
        return _split(probe.key, probe.gaps)

    def _is_cut(self, probe: Probe) -> bool:
        """Whether a beginning is cut off, to which nothing but segments before it is added, whichever key
        it is the beginning of. What a test cuts off has the values of the test."""
        names = self.program.names
        call = names.parent(probe.node)
        if names.module_of(probe.node).is_test or not probe.gaps:
            return False
        alike = {tuple(gaps_in(defect, probe.text)) for defect in probe.defects}
        if len(alike) > 1 or any(gap.at for gap in probe.gaps):
            return False
        if not isinstance(call, tree.Call):
            return probe.length is not None
        at, end = call.span.start, probe.key.span.end
        begins = (at.row, at.column) == (end.row, end.column + 1)  # `pk[len(PREFIX):]`
        known = (*_CUTTING, *_TELLING)
        return last_name(call.func) in known and (begins or isinstance(call.func, tree.Attr))


def _split(key: tree.Node, gaps: Sequence[Gap]) -> Cut | None:
    """How many parts the segments at the front of a key are; `None` where that is not known."""
    marks = {gap.mark for gap in gaps}
    mark = marks.pop()
    if marks or len(mark) != 1 or not isinstance(key, _PRIMARY):
        return None
    return Cut(key, mark=mark, parts=sum(f"{gap.tag}{mark}".count(mark) for gap in gaps))
