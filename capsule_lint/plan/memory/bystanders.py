"""What gains a scope since it stands beside a function that does, in a table or a record of functions, and makes no use
of it: what it keeps itself, by the other scopes alone, would be found whatever the new one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.logs import is_for_people
from capsule_lint.program.model import enclosing
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope

_PLAIN: Final = frozenset(("str", "repr", "len", "bool", "int", "hash", "format"))
"""Functions that know nothing but what they are given."""
_MAX_DEPTH: Final = 3


class Bystanders(Room, Struct, frozen=True):
    """Finds them once it is settled which functions and lambdas gain parameters."""

    planner: Planner

    def note(self) -> None:
        """Make the changes unsafe that would leave them with rows of their own."""
        known = {knot for knot, _ in self.state.obstacles}
        for knot, scope, reads in [*self._functions(), *self._lambdas()]:
            kept = [] if knot in known else [one for one in reads if not self._is_idle(one)]
            for read in kept[:1]:
                reason = f"goes by one scope, and `{scope.parameter}` decides nothing here"
                self.planner.local.notes.obstacle(knot, read, reason)

    def _functions(self) -> Iterator[tuple[Knot, Scope, list[tree.Name]]]:
        """The functions that ask for no value of what they gain, and where they read another scope."""
        program, state = self.program, self.state
        asking = {
            (function, want.scope.name)
            for want in state.wants
            for function in enclosing(program.names.place(want.node))
        }
        for function in self.planner.signatures.beside:
            for scope in [] if function.module.is_test else state.params[function].values():
                if (function, scope.name) not in asking:
                    others = program.policy.others(scope)
                    found = [program.domain.scope_parameter(function, s) for s in others]
                    told = {p.name for p in found if p is not None}
                    yield (
                        ("function", function),
                        scope,
                        [n for name in sorted(told) for n in program.names.called(function, name)],
                    )

    def _lambdas(self) -> Iterator[tuple[Knot, Scope, list[tree.Name]]]:
        """The lambdas that gain a scope, and where they read another one outside of what asks for its value."""
        program, state = self.program, self.state
        asking: dict[str, set[int]] = {}
        for want in state.wants:
            asking.setdefault(want.scope.name, set()).add(id(want.node))
        for number, gains in state.lambdas.items():
            body = state.lambda_nodes[number].body
            for scope in () if program.names.module_of(body).is_test else program.policy.scopes:
                gain = gains.get(scope.parameter)
                if gain is not None:
                    asked = asking.get(scope.name, set())
                    reads = self._outside(body, gain.beside, asked)
                    yield ("lambda", number), scope, reads

    def _outside(self, body: tree.Node, name: str, asking: set[int]) -> list[tree.Name]:
        """The reads of a name in an expression that stand in nothing which asks for a value, nor has what it needs; where
        something does, rows that are compared with it are what that gives."""
        asks = any(id(node) in asking for node in within(body))
        found, queue = [], [body]
        while queue:
            node = queue.pop()
            compared = asks and isinstance(node, tree.Compare)
            if id(node) in asking or compared or self.planner.local.notes.is_settled(node):
                continue
            if isinstance(node, tree.Name) and node.id == name:
                found.append(node)
            queue += node.below()
        return found

    def _is_idle(self, node: tree.Node, depth: int = 0) -> bool:
        """Whether nothing is found or kept by a value: it is told a person, tested, or part of what is given back."""
        names = self.program.names
        parent = names.parent(node)
        if is_for_people(names, node):
            return True
        match parent:
            case tree.Compare():
                return isinstance(parent.other(node), tree.Const)
            case tree.Call():
                given = parent.func is node or self._is_borne(parent, node, depth)
                return given and self._is_idle(parent, depth)
            case tree.Attr():
                return self._is_idle(parent, depth)
            case tree.Assign(targets=(tree.Name() as target,)) if depth < _MAX_DEPTH:
                reads = reads_of(names, target, (target.at,))
                return all(self._is_idle(read, depth + 1) for read in reads)
            case tree.Lambda() | tree.Eval(kind="return" | "expr") | tree.Block(kind="if"):
                return True
            case (
                tree.FString()
                | tree.Binary()
                | tree.Sequence()
                | tree.DictDisplay()
                | tree.Boolean()
                | tree.Conditional()
                | tree.Wrapped()
            ):
                return self._is_idle(parent, depth)
            case _:
                return False

    def _is_borne(self, call: tree.Call, node: tree.Node, depth: int) -> bool:
        """The same of an argument in what is called."""
        program, func = self.program, call.func
        if isinstance(func, tree.Name) and func.id in _PLAIN:
            return True
        if isinstance(func, tree.Attr) and isinstance(func.base, tree.Const):
            return True  # of a text, which is formatted
        callees = program.calls.callees(call) if depth < _MAX_DEPTH else ()
        for callee in callees:
            names = [n for n, a in callee.arguments(call).items() if a.value is node]
            if callee.function is None or callee.cls is not None or len(names) != 1:
                return False
            reads = program.names.called(callee.function, names[0])
            if not all(self._is_idle(read, depth + 1) for read in reads):
                return False
        return bool(callees)
