"""Lambdas that change. Those all of whose calls are known, since they are kept in a table, `{"hold": lambda repo,
tenant_id, cart_id: …}`, or in a record of functions, take a scope as functions do, and so does whatever is called
beside them. Those that make keys change with whoever calls them by a name, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import LambdaGain, Want
from capsule_lint.plan.uses.bearing import Bearing
from capsule_lint.plan.uses.lambda_calls import by_name
from capsule_lint.plan.uses.paths import Path
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.types import FunctionObject, LambdaObject, Partial, ordered
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program


@dataclass(eq=False, slots=True)
class Lambdas(Room):
    """Gives lambdas the scopes that they need, or that the functions beside them gain."""

    planner: Planner
    _seen: int = 0
    """How many wants have been looked at."""
    _calls: dict[int, list[tree.Call]] = field(default_factory=dict)
    """All calls of lambdas, by their expressions; none of one that may be called elsewhere."""

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
        if id(node) in state.doubles:  # which takes what the function takes
            return False
        calls = self.calls_of(node)
        gain = _gain_in(self.program, node, scope, calls) if calls else None
        if gain is None:
            return False
        state.groups.join(knot, own)
        state.lambdas.setdefault(id(node), {})[scope.parameter] = gain
        state.lambda_nodes[id(node)] = node
        for call in calls:
            self._ask(call, scope, own)
        return True

    def calls_of(self, node: tree.Lambda) -> list[tree.Call]:
        """All calls of a lambda; none where they are not all known."""
        if id(node) not in self._calls:
            bearing = Bearing(self.program, self.planner.values)
            path = Path(bearing, node, _says_all, lambda call: False)
            module = self.program.names.module_of(node)
            well = not module.generated and path.used(node)
            self._calls[id(node)] = path.calls if well else []
        return self._calls[id(node)]

    def _ask(self, call: tree.Call, scope: Scope, knot: Knot) -> None:
        """Demand the argument, by the functions that are called there as well if there are any."""
        for one in ordered(self.program.inference.of(call.func)):
            match one:
                case (FunctionObject() as made) | Partial(of=FunctionObject() as made):
                    self.planner.signatures.gain_beside(made.function, scope, knot)
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


def _says_all(call: tree.Call) -> bool:
    """Whether a call says one by one what it gives."""
    return not any(argument.star for argument in call.args)


def _gain_in(
    program: Program, node: tree.Lambda, scope: Scope, calls: Sequence[tree.Call]
) -> LambdaGain | None:
    """Where a lambda takes one more scope; `None` if it takes no other scope, or means something else by the name."""
    params = node.params
    if any(p.kind != "plain" or p.name == scope.parameter for p in params):
        return None
    if any(isinstance(n, tree.Name) and n.id == scope.parameter for n in within(node.body)):
        return None
    for other, step in program.policy.beside(scope):
        for number, parameter in enumerate(params):
            if names_scope(parameter.name, other) or _is_told(program, node, number, other, calls):
                behind = [p for p in params[: number + step] if p.default is not None]
                return None if behind else LambdaGain(number + step, parameter.name)
    return None


def _is_told(
    program: Program, node: tree.Lambda, number: int, scope: Scope, calls: Sequence[tree.Call]
) -> bool:
    """Whether all who call a lambda, but for tests, tell it a scope by one of its parameters, whatever that is
    called: so they say, or what they may call as well."""
    name = node.params[number].name
    outside = [call for call in calls if not program.names.module_of(call).is_test]
    for call in outside:
        bound = bind(call.args, node.params)
        given = bound.arguments.get(name) if bound is not None else None
        if given is None:
            return False
        beside = [last_name(given.value)]
        for one in program.inference.of(call.func):
            if isinstance(one, FunctionObject):
                beside += [p.name for p in one.function.params[one.given + number :][:1]]
        if not any(names_scope(said, scope) for said in beside):
            return False
    return bool(outside)
