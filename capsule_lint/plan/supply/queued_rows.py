"""Dicts that go through queues, `jobs.put({"tenant_id": tenant_id})`: what is going to be read of one that is taken out
must be known to be put in, as nothing of it was ever in the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.additions import QUEUES, makes_queue, taking_till_none
from capsule_lint.plan.entities.displays import entry_of
from capsule_lint.plan.memory.matched_rows import MatchedRows
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import UNKNOWN, Foreign
from capsule_lint.program.local_names import bound_whole, only_assigned
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope

_UNPUT: Final = "comes out of a queue, and it is not known that all that is put in says `{}`"
_TAKING: Final = frozenset(("get", "get_nowait", "popleft"))
_MAX_DEPTH: Final = 6


@dataclass(eq=False, slots=True)
class QueuedRows(Room):
    """Holds up what reads a scope that may be missing there."""

    planner: Planner
    _rows: MatchedRows = field(init=False)

    def __post_init__(self) -> None:
        self._rows = MatchedRows(self.program)

    def check(self) -> None:
        """Note such reads."""
        for row, scope, knot in list(self.planner.loads.reads()):
            if self._is_taken_out(row, 0) and not self._is_put_in(row, scope):
                reason = _UNPUT.format(scope.parameter)
                self.planner.local.notes.obstacle(knot, row, reason)

    def _is_taken_out(self, node: tree.Node, depth: int) -> bool:
        """Whether a dict, or a text of one, comes out of a queue: here, or of a function that gives it back."""
        bound = bound_whole(self.program.names, node)
        node = bound.value if bound is not None and bound.value is not None else node
        if depth > _MAX_DEPTH:
            return False
        match node:
            case tree.Wrapped(kind="await") | tree.Walrus():
                return self._is_taken_out(node.value, depth + 1)
            case tree.Call(func=tree.Attr(name="decode", base=text)):
                return self._is_taken_out(text, depth + 1)
            case tree.Call() if last_name(node.func) == "loads" and node.unnamed:
                return self._is_taken_out(node.unnamed[0], depth + 1)
            case tree.Call() if (queue := taking_till_none(node)) is not None:
                return self._is_queue(queue)
            case tree.Call(func=tree.Attr(name=name, base=queue)) if (
                name in _TAKING and not node.unnamed and self._is_queue(queue)
            ):
                return True
            case tree.Call():
                functions = (callee.function for callee in self.program.calls.callees(node))
                returned = (value for one in functions if one is not None for value in one.returns)
                return any(self._is_taken_out(value, depth + 1) for value in returned)
            case _:
                return False

    def _is_queue(self, node: tree.Node) -> bool:
        """Whether something is a queue: by its type, or, where nothing is known of that, by its name. One that is made
        of what there was before, `deque(rows)`, may have that of the table."""
        made = only_assigned(self.program.names, node)
        if made is not None and not makes_queue(made):
            return False
        types = self.program.inference.of(node)
        if not types or UNKNOWN in types:
            return "queue" in last_name(node).lower()
        names = (one.name.partition("(")[0] for one in types if isinstance(one, Foreign))
        return any(name.partition("[")[0].rpartition(".")[2] in QUEUES for name in names)

    def _is_put_in(self, row: tree.Node, scope: Scope) -> bool:
        """Whether all that a dict may be has a scope, or is going to have it."""
        origins, notes = self._rows.origins(row), self.planner.local.notes
        if not origins.complete or not (origins.displays or origins.wholes or origins.stored):
            return False
        return all(entry_of(one, scope) or notes.says(one, scope) for one in origins.displays)
