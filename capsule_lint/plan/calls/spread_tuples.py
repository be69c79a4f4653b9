"""Tuples that calls spread: `get(*key)`. They get the items that the calls need."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Mend
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.slots import old_before
from capsule_lint.program.calling.fixtures import parametrized
from capsule_lint.program.calling.tables import methods_by_row, side_by_side
from capsule_lint.program.inference.types import ClassObject, FunctionObject
from capsule_lint.program.local_names import only_assigned

if TYPE_CHECKING:
    from capsule_lint.plan.calls.called import Called
    from capsule_lint.plan.calls.spread_dicts import SpreadDicts
    from capsule_lint.plan.calls.spread_values import SpreadValues
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Want
    from capsule_lint.program import Program
    from capsule_lint.program.calling.callers import Callee


@dataclass(eq=False, slots=True)
class SpreadTuples(MendRoom):
    """Gives tuples the values of scopes."""

    mends: Mends
    called: Called
    values: SpreadValues
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
            local = self.program.names.place(display).scope is (
                self.program.names.place(node).scope
            )
            code = (
                self._shared_code(display, want)
                if local
                else self.mends.code_for(want.scope, display, want.knot)
            )
            mend = _grown(self.program, display, index, code)
            if mend is None:
                return False
            found.append(mend)
        return bool(found) and all(self.mends.add_once(want.knot, mend) for mend in found)

    def grow(self, call: tree.Call, want: Want) -> bool:
        """`order_pk(*ref)`, where `ref` is a named tuple that gets a field where the call needs an argument more: whether
        nothing has to be given."""
        tuples, name = self.planner.tuples, want.scope.name
        for argument in call.args:
            at = self._place_in(argument.value, want) if argument.star == "*" else None
            homes = tuples.homes(argument.value, want.scope, at) if at is not None else []
            for home in homes:
                self.state.groups.join(want.knot, ("class", home))
                tuples.spread.add((id(argument.value), name))
            if homes:
                return True
        return False

    def give_rows(self, call: tree.Call, want: Want, dicts: SpreadDicts) -> bool | None:
        """`make(*args)`, `make(**options)` or `repo.get(*args)`, where each row of a table says what is called and what
        with: each gets what its own function needs; whether all could be given that, `None` where a call is not of
        that kind."""
        if len(call.args) != 1 or not call.args[0].star:
            return None
        rows = self._called_by_rows(call)
        callees = [callee for callee, _ in rows]
        if len(set(callees)) < 2 or None in callees:
            return None
        for callee, given in rows:
            assert callee is not None
            one = replace(want, callee=callee.cls or callee.function, given=callee.given)
            slots = self.called.of(one)
            slot = next((s for s in slots if s.name == want.scope.parameter), None)
            if slot is None or not slot.new:
                continue
            if call.args[0].star == "**":
                done = dicts.give(given, one)
            else:
                done = slot.by_position and self._give(given, one, old_before(slot, slots))
            if not done:
                return False
        return True

    def _called_by_rows(self, call: tree.Call) -> list[tuple[Callee | None, tree.Node]]:
        """What each row of a table says that a call calls, and what with."""
        program = self.program
        methods = methods_by_row(program.classes, program.inference, call)
        if methods is not None:
            known = {callee.function: callee for callee in program.calls.callees(call)}
            return [(known.get(method), given) for method, given in methods]
        rows = side_by_side(program.classes, call.func, call.args[0].value)
        return [(self._callee(call, func), given) for func, given in rows or ()]

    def _callee(self, call: tree.Call, func: tree.Node) -> Callee | None:
        """Which of those that a call may call a row of a table says."""
        said = self.program.inference.of(func)
        for callee in self.program.calls.callees(call):
            whole = callee.cls or callee.function
            if all(isinstance(t, FunctionObject) and t.function is whole for t in said) or all(
                isinstance(t, ClassObject) and t.cls is whole for t in said
            ):
                return callee if said else None
        return None

    def _give(self, display: tree.Node, want: Want, index: int) -> bool:
        """Put the value that a want asks for into a tuple of a row."""
        code = self.mends.code_for(want.scope, display, want.knot)
        mend = _grown(self.program, display, index, code)
        return mend is not None and self.mends.add_once(want.knot, mend)

    def _is_key(self, node: tree.Node, want: Want, index: int) -> bool:
        """Whether a tuple is also the key of a collection, and gets the same item as that."""
        planner = self.mends.planner
        kept = planner.local.notes.spread.get(id(node))
        if kept is not None:
            return kept.index == index and want.scope in kept.scopes
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
        if function is None or not self.called.are_alike(want):
            return []
        rows = parametrized(function, node.id) or []
        return rows if all(self._is_for_spreads(row, node, want) for row in rows) else []

    def _is_for_spreads(self, row: tree.Node, node: tree.Name, want: Want) -> bool:
        """Whether all that tests do with what `parametrize` gives them is to spread it into calls that get the new argument at
        the same place of it."""
        shared, names = self.planner.sources.shared, self.program.names
        reads = shared.filled(row)
        tests = {names.function_of(read) for read in reads}
        known = node in reads and tests.issuperset(shared.users(row))
        others = (read for read in reads if read is not node)
        return known and all(self._is_spread_alike(read, node, want) for read in others)

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
        code = self.values.code(want, display)
        given = self._shared.setdefault((id(display), want.scope.name), code)
        return code if code == given else None


def _grown(
    program: Program, display: tree.Node, index: int, code: str | None
) -> AddElements | None:
    """The mend that puts an item into a tuple; `None` where there is no such place, or nothing to put there."""
    if not isinstance(display, tree.Sequence) or not display.items or code is None:
        return None
    if not 0 <= index <= len(display.items):
        return None
    before, after = ((), (code,)) if index else ((code,), ())
    filename = program.names.module_of(display).filename
    at = display.items[max(index - 1, 0)].span
    return AddElements(filename, display.span, "CAP401", before, after, at)
