"""Lambdas that change. Those in the tables of modules, `{"hold": lambda repo, tenant_id, cart_id: …}`, take
a scope as functions do, and whatever is called from the table gets one more argument. Those that make
keys change with whoever calls them by a name, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want
from capsule_lint.plan.uses.lambda_calls import by_name, through_table
from capsule_lint.program.inference.types import FunctionObject, LambdaObject, Partial, ordered
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program


@dataclass(eq=False, slots=True)
class Lambdas(Room):
    """Gives lambdas of tables the scopes that they need, or that the functions beside them gain."""

    planner: Planner
    _seen: int = 0
    """How many wants have been looked at."""

    def serve(self, want: Want) -> bool:
        """Whether the lambda that a want stands in gets the scope."""
        program = self.program
        for scope in program.names.place(want.node).scope.ancestors():
            node = program.names.index.lambdas.get(id(scope))
            if node is not None:
                return self._gain(node, want.scope, want.knot)
        return False

    def extend(self) -> bool:
        """Give lambdas what the functions gain that are called in the same places."""
        wants, gained = self.state.wants, False
        for want in wants[self._seen :]:
            if want.purpose != "argument" or want.call is None:
                continue
            for one in ordered(self.program.inference.of(want.call.func)):
                if isinstance(one, LambdaObject):
                    gained |= self._gain(one.node, want.scope, want.knot)
        self._seen = len(wants)
        return gained

    def _gain(self, node: tree.Lambda, scope: Scope, knot: Knot) -> bool:
        state, own = self.state, ("lambda", id(node))
        if scope.parameter in state.lambdas.get(id(node), ()):
            state.groups.join(knot, own)
            return True
        if place_in(self.program, node, scope) is None:
            return False
        calls = through_table(self.program, node)
        if not calls:
            return False
        state.groups.join(knot, own)
        state.lambdas.setdefault(id(node), {})[scope.parameter] = scope
        state.lambda_nodes[id(node)] = node
        for call in calls:
            self._ask(call, scope, own)
        return True

    def _ask(self, call: tree.Call, scope: Scope, knot: Knot) -> None:
        """Demand the argument, by the functions that are called there as well if there are any."""
        for one in ordered(self.program.inference.of(call.func)):
            match one:
                case (FunctionObject() as made) | Partial(of=FunctionObject() as made):
                    self.planner.signatures.gain(made.function, scope, knot)
                case LambdaObject():
                    self._gain(one.node, scope, knot)
        if self.planner.signatures.asks(call, scope, knot):
            self.planner.ask(Want(scope, call, knot, "tabled"))

    def tie(self) -> None:
        """Join the changes of keys that lambdas make and of the functions that call these by a name."""
        names, state = self.program.names, self.state
        for defect in self.planner.defects:
            for scope in names.place(defect.template.host).scope.ancestors():
                made = names.index.lambdas.get(id(scope))
                for call in by_name(self.program, made) if made is not None else ():
                    function = names.function_of(call)
                    if function is not None and function in state.params:
                        state.groups.join(defect.knot, ("function", function))


def place_in(program: Program, node: tree.Lambda, scope: Scope) -> int | None:
    """Before which of its parameters a lambda takes one more scope; `None` if it takes no other scope."""
    params = node.params
    if any(p.kind != "plain" or p.name == scope.parameter for p in params):
        return None
    for other, step in program.policy.beside(scope):
        for number, parameter in enumerate(params):
            if names_scope(parameter.name, other):
                behind = [p for p in params[: number + step] if p.default is not None]
                return None if behind else number + step
    return None
