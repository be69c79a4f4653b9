"""What entities are made of in the place of rows, and is an event, or a message in one: what is going to be read of it must
be known to be sent, as nothing of it was ever in the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.wholes import Wholes
from capsule_lint.plan.room import Room
from capsule_lint.program.containers import LISTED
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding

_UNSENT: Final = "is of an event, and nothing is seen to send `{0}` in one: where it is sent, name `{1}` among the policy's sources"
_STORED: Final = ("dynamodb", "NewImage", "OldImage")
"""The keys under which an event has what was in the table."""
_MAX_DEPTH: Final = 8


@dataclass(eq=False, slots=True)
class EventRows(Room):
    """Holds up what reads a scope that may be missing there."""

    planner: Planner

    def check(self) -> None:
        """Note such reads."""
        for row, scope, knot in list(self.planner.loads.reads()):
            module = self.program.names.module_of(row)
            if module.is_test or not self._is_of_event(row, 0) or self._is_sent(row, scope):
                continue
            said = row.id if isinstance(row, tree.Name) else "message"
            reason = _UNSENT.format(scope.parameter, f'{said}["{scope.parameter}"]')
            self.planner.local.notes.obstacle(knot, row, reason)

    def _is_of_event(self, node: tree.Node | None, depth: int) -> bool:
        """Whether something is read of what a handler is given by who calls it, and was not stored."""
        if depth > _MAX_DEPTH:
            return False
        match node:
            case tree.Name():
                bound = self.program.names.bindings_of(node)
                return any(self._is_bound(binding, depth + 1) for binding in bound)
            case tree.Subscript(base=base, index=index):
                return tree.text(index) not in _STORED and self._is_of_event(base, depth + 1)
            case tree.Call(func=tree.Attr(name="get", base=base), args=(first, *_)):
                stored = tree.text(first.value) in _STORED
                return not stored and self._is_of_event(base, depth + 1)
            case tree.Call() if callees := self.program.calls.callees(node):
                functions = (callee.function for callee in callees)
                returned = (value for one in functions if one is not None for value in one.returns)
                return any(self._is_of_event(value, depth + 1) for value in returned)
            case tree.Call(args=(of, *_)) if last_name(node.func) in {"loads", *LISTED}:
                return self._is_of_event(of.value, depth + 1)
            case tree.Comprehension(results=(made,)):
                return self._is_of_event(made, depth + 1)
            case _:
                return False

    def _is_bound(self, binding: Binding, depth: int) -> bool:
        match binding.kind:
            case "param":
                function = binding.function
                if function is not None and self.program.domain.enters(function):
                    return function.own_params[:1] == (binding.parameter,)
                given = self.program.calls.passed_to(binding)
                return any(self._is_of_event(one, depth) for one in given)
            case "assign" | "for" if not binding.path:
                value = binding.assigned if binding.kind == "assign" else binding.value
                return self._is_of_event(value, depth)
            case _:
                return False

    def _is_sent(self, row: tree.Node, scope: Scope) -> bool:
        """Whether something of which JSON is made says all that is read, and the scope."""
        bodies = self.planner.bodies
        return bodies.is_said(row, scope) or self._is_whole(bodies.read_of(row), scope)

    def _is_whole(self, read: set[str], scope: Scope) -> bool:
        """The same of all fields of an object: `json.dumps(asdict(event))`."""
        wholes, classes = Wholes(self.program), self.program.classes
        for call in self.program.calls.uses.calls_beside("dumps"):
            given = call.unnamed[0] if call.unnamed else call
            for cls in wholes.gives(only_assigned(self.program.names, given) or given):
                has = read.issubset({one.name for one in classes.fields(cls)})
                if has and self.planner.sources.holders.attribute_of(cls, scope) is not None:
                    return True
        return False
