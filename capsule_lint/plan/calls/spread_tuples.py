"""Tuples that calls spread: `get(*key)`. They get the items that the calls need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Mend
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.calling.fixtures import parametrized
from capsule_lint.program.local_names import only_assigned

if TYPE_CHECKING:
    from capsule_lint.plan.calls.called import Called
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Want


@dataclass(eq=False, slots=True)
class SpreadTuples(MendRoom):
    """Gives tuples the values of scopes."""

    mends: Mends
    called: Called
    _shared: dict[tuple[int, str], str | None] = field(default_factory=dict)
    """What tuples that calls spread get for a scope."""

    def give(self, argument: tree.Argument, want: Want, index: int) -> bool:
        """`get(*key)`, where `key` is a local tuple that is used for nothing else, or one of the rows
        that a test is given."""
        node = argument.value
        if self._is_key(node, want, index):
            return True
        displays = self._rows_of(node, want) if isinstance(node, tree.Name) else [node]
        found: list[Mend] = []
        for display in displays:
            if not isinstance(display, tree.Sequence) or not 0 <= index <= len(display.items):
                return False
            local = self.program.names.place(display).scope is (
                self.program.names.place(node).scope
            )
            code = (
                self._shared_code(display, want)
                if local
                else self.mends.code_for(want.scope, display, want.knot)
            )
            if code is None or not display.items:
                return False
            before, after = ((), (code,)) if index else ((code,), ())
            at = display.items[max(index - 1, 0)].span
            filename = self.program.names.module_of(display).filename
            found.append(AddElements(filename, display.span, "CAP401", before, after, at))
        return bool(found) and all(self.mends.add_once(want.knot, mend) for mend in found)

    def _is_key(self, node: tree.Node, want: Want, index: int) -> bool:
        """Whether a tuple is also the key of a collection, and gets the same item as that."""
        planner = self.mends.planner
        display = (
            only_assigned(planner.program.names, node) if isinstance(node, tree.Name) else None
        )
        if not isinstance(display, tree.Sequence):
            return False
        for defect in planner.local.notes.defects:
            if defect.node is display and defect.shape == "tuple" and want.scope in defect.missing:
                anchor = defect.anchors.get(want.scope.name)
                at = tree.behind(display.items, anchor)
                planner.state.groups.join(want.knot, defect.knot)
                return at == index
        return False

    def _rows_of(self, node: tree.Name, want: Want) -> list[tree.Node]:
        """The displays that a local may be, where it is used for nothing else; none where that is unsure."""
        names = self.program.names
        place = names.place(node)
        bindings = names.bindings(node.id, place)
        uses = [
            n
            for n in place.scope.module.each(tree.Name)
            if n.id == node.id and names.bindings_of(n) == bindings
        ]
        if len(bindings) != 1:
            return []
        value, function = bindings[0].value, place.scope.function
        if bindings[0].kind == "assign" and bindings[0].place.scope is place.scope:
            others = [n for n in uses if n is not node and n.at != bindings[0].at]
            shared = all(self._is_spread_alike(n, node, want) for n in others)
            return [value] if shared and value is not None else []
        if function is None or len(uses) != 1 or not self.called.are_alike(want):
            return []
        return parametrized(function, node.id) or []

    def _is_spread_alike(self, other: tree.Node, node: tree.Node, want: Want) -> bool:
        """Whether a tuple is also spread into a call that gets the new argument at the same place of it."""
        at, wants = self._place_in(node, want), self.state.wants
        for one in wants if at is not None else ():
            if one.scope is want.scope and one.callee and self._place_in(other, one) == at:
                self.state.groups.join(want.knot, one.knot)
                return True
        return False

    def _place_in(self, node: tree.Node, want: Want) -> int | None:
        """How many items of a tuple, which a call spreads, come before its new argument."""
        args = want.call.args[want.offset :] if want.call is not None else ()
        at = next((n for n, a in enumerate(args) if a.value is node and a.star == "*"), None)
        if at is None or any(a.star or a.keyword is not None for a in args[:at]):
            return None
        plain = [slot for slot in self.called.of(want) if slot.by_position]
        names = [slot.name for slot in plain]
        if want.scope.parameter not in names or not self.called.are_alike(want):
            return None
        return sum(not slot.new for slot in plain[: names.index(want.scope.parameter)]) - at

    def _shared_code(self, display: tree.Node, want: Want) -> str | None:
        """The value for a tuple that several calls may get; `None` where they do not get the same."""
        code = self.mends.code_of(want, want.knot)
        given = self._shared.setdefault((id(display), want.scope.name), code)
        return code if code == given else None
