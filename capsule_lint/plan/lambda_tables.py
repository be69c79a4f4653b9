"""Lambdas that stand in the tables of modules: `{"hold": lambda repo, tenant_id, cart_id: …}`. They take a
scope as functions do, and whatever is called from the table gets one more argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.state import Want
from capsule_lint.program.model import last_name
from capsule_lint.program.pieces import names_scope
from capsule_lint.program.types import Collection, FunctionObject, LambdaObject, Partial, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

_COUNTS: Final = frozenset(("len", "sorted", "list", "set", "tuple", "frozenset", "bool"))
"""What sees the keys of a table that it is given, and none of its values."""


@dataclass(eq=False, slots=True)
class Lambdas:
    """Gives such lambdas the scopes that they need, or that the functions beside them gain."""

    planner: Planner
    _seen: int = 0
    """How many wants have been looked at."""

    def serve(self, want: Want) -> bool:
        """Whether the lambda that a want stands in gets the scope."""
        program = self.planner.program
        for scope in program.names.place(want.node).scope.ancestors():
            node = program.names.index.lambdas.get(id(scope))
            if node is not None:
                return self._gain(node, want.scope, want.knot)
        return False

    def extend(self) -> bool:
        """Give lambdas what the functions gain that are called in the same places."""
        wants, gained = self.planner.state.wants, False
        for want in wants[self._seen :]:
            if want.purpose != "argument" or want.call is None:
                continue
            for one in ordered(self.planner.program.inference.of(want.call.func)):
                if isinstance(one, LambdaObject):
                    gained |= self._gain(one.node, want.scope, want.knot)
        self._seen = len(wants)
        return gained

    def _gain(self, node: tree.Lambda, scope: Scope, knot: Knot) -> bool:
        state, own = self.planner.state, ("lambda", id(node))
        if scope.parameter in state.lambdas.get(id(node), ()):
            state.groups.join(knot, own)
            return True
        if place_in(self.planner.program, node, scope) is None:
            return False
        calls = calls_of(self.planner.program, node)
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
        for one in ordered(self.planner.program.inference.of(call.func)):
            if isinstance(one, FunctionObject | Partial):
                called = one.function if isinstance(one, FunctionObject) else one.function.function
                self.planner.gain_param(called, scope, knot)
            elif isinstance(one, LambdaObject):
                self._gain(one.node, scope, knot)
        if self.planner.asks(call, scope, knot):
            self.planner.ask(Want(scope, call, knot, "tabled"))


def place_in(program: Program, node: tree.Lambda, scope: Scope) -> int | None:
    """Before which of its parameters a lambda takes one more scope; `None` if it takes no other scope."""
    order, params = program.policy.scopes, node.params
    if any(p.kind != "plain" or p.name == scope.parameter for p in params):
        return None
    at = order.index(scope)
    for other, step in [
        *((s, 1) for s in reversed(order[:at])),
        *((s, 0) for s in order[at + 1 :]),
    ]:
        for number, parameter in enumerate(params):
            if names_scope(parameter.name, other):
                behind = [p for p in params[: number + step] if p.default is not None]
                return None if behind else number + step
    return None


def calls_of(program: Program, node: tree.Lambda) -> list[tree.Call]:
    """All calls of a lambda that stands in a table of a module; none where it may be called elsewhere."""
    display = program.names.parent(node)
    statement = program.names.parent(display)
    if not isinstance(display, tree.DictDisplay) or not isinstance(statement, tree.Assign):
        return []
    target = statement.targets[0]
    if len(statement.targets) != 1 or not isinstance(target, tree.Name):
        return []
    names = program.calls.uses.aliases(target.id)
    found: list[tree.Call] = []
    for module in program.names.modules.values():
        for use in module.nodes:
            if not isinstance(use, tree.Name | tree.Attr) or last_name(use) not in names:
                continue
            if use is target or not _is_table(program, use, node):
                continue
            taken = list(_taken(program, use))
            if None in taken:
                return []
            found += [call for call in taken if call is not None]
    return found


def _is_table(program: Program, use: tree.Node, node: tree.Lambda) -> bool:
    return any(
        isinstance(one, Collection) and LambdaObject(node) in one.items
        for one in program.inference.of(use)
    )


def _taken(program: Program, use: tree.Node) -> Iterator[tree.Call | None]:
    """The calls of what is looked up in a table; `None` for anything else that is done with it."""
    parent = program.names.parent(use)
    match parent:
        case tree.Subscript(base=base) if base is use:
            yield from _called(program, parent)
        case tree.Attr(name="get"):
            call = program.names.parent(parent)
            if isinstance(call, tree.Call) and len(call.args) == 1:
                yield from _called(program, call)
            else:
                yield None
        case tree.Attr(name="keys") | tree.Compare():
            return
        case tree.Call() if last_name(parent.func) in _COUNTS and parent.func is not use:
            return
        case tree.Block(kind="for") | tree.Comprehension():
            return  # goes through its keys
        case _:
            yield None


def _called(program: Program, value: tree.Node) -> Iterator[tree.Call | None]:
    """The calls of a value, here or by the local name that it is given; `None` for anything else."""
    parent = program.names.parent(value)
    match parent:
        case tree.Call() if parent.func is value:
            yield parent
        case tree.Assign(targets=(tree.Name() as target,)) if (
            parent.value is value and not isinstance(value, tree.Name)
        ):
            place = program.names.place(target)
            for use in place.scope.module.each(tree.Name):
                if use.id != target.id or use.at == target.at:
                    continue
                bound = program.names.bindings(use.id, program.names.place(use))
                if any(binding.at == target.at for binding in bound):
                    yield from _called(program, use)
        case tree.Compare() | tree.Boolean() | tree.Wrapped(kind="not") | tree.Block():
            return
        case _:
            yield None
