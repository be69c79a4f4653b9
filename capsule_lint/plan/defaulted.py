"""Scopes that functions have a value for by themselves, and the calls that leave them to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.absent import absent_at
from capsule_lint.program.calling.binding import bind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

Call = tuple[tree.Call, int]
"""A call, and how many parameters are filled before its arguments."""


@dataclass(eq=False)
class Defaulted(Room):
    """Finds the calls to which the argument can be given.

    A value that is written out is some scope's, and each call is asked by itself. `None` makes another
    key: the calls change together, or not at all.
    """

    planner: Planner

    def extend(self) -> bool:
        """Demand the argument where a call leaves a scope to its default, and the value is at hand;
        whether there was anything."""
        found = False
        for function, scope in self._valued:
            for call, given in self._open(function, scope):
                found |= self._fill(call, function, given, scope)
        for function, scope in self._missing:
            knot: Knot = ("defaulted", (function, scope.name))
            for call, given in self._open(function, scope):
                if not self._is_meant(call, function, scope) and self._fill(
                    call, function, given, scope
                ):
                    self.state.groups.join(knot, ("call", id(call)))
                    found = True
        return found

    def tie(self) -> None:
        """Where calls that make no key of their scope remain, or tests make some, a person must look."""
        for function, scope in self._missing:
            self._tie_callers(function, scope)
        groups = self.state.groups
        changing = {
            groups.find(("call", id(call)))
            for call, callee, scopes in self.planner.partial_calls.values()
            if any((callee, scope) in self._missing for scope in scopes)
        }
        for function, scope in self._missing:
            knot: Knot = ("defaulted", (function, scope.name))
            for call, _ in self._calls(function, scope) if groups.find(knot) in changing else ():
                if id(call) not in self.planner.partial_calls and not self._is_meant(
                    call, function, scope
                ):
                    filename = self.program.names.module_of(call).filename
                    reason = f"it leaves `{scope.parameter}` out as well"
                    where = filename, call.span, reason, function.symbol
                    self.planner.obstacle(knot, *where, "reference", scope)

    def _tie_callers(self, function: Function, scope: Scope) -> None:
        """Functions that hand their own default on change together with what they hand it to."""
        knot: Knot = ("defaulted", (function, scope.name))
        for call, _ in list(self.program.calls.callers(function)):
            around = self.program.names.function_of(call)
            if around is not None and (around, scope) in self._missing:
                self.state.groups.join(knot, ("defaulted", (around, scope.name)))

    @cached_property
    def _defaults(self) -> list[tuple[Function, Scope, tree.Node]]:
        return [
            (function, scope, own.default)
            for module in self.program.names.judged()
            for function in (module.functions if not module.is_test else ())
            for scope in self.program.policy.scopes
            if (own := function.parameter(scope.parameter)) is not None and own.default is not None
        ]

    @cached_property
    def _valued(self) -> list[tuple[Function, Scope]]:
        """The functions whose default is a scope's value."""
        constant = self.program.templates.constant
        return [(function, scope) for function, scope, node in self._defaults if constant(node)]

    @cached_property
    def _missing(self) -> list[tuple[Function, Scope]]:
        """The functions whose default is `None`, and which make a key of what they are given."""
        left = [
            (function, scope)
            for function, scope, node in self._defaults
            if isinstance(node, tree.Const) and node.value is None and not node.kind
        ]
        helpers = self.program.keys.helpers
        found = [(function, scope) for function, scope in left if function in helpers]
        before = 0
        while before != len(found):
            before = len(found)
            found += [pair for pair in left if pair not in found and self._passes_on(*pair, found)]
        return found

    def _passes_on(
        self, function: Function, scope: Scope, makers: list[tuple[Function, Scope]]
    ) -> bool:
        """Whether a function does nothing with the scope but to hand it on to what makes keys."""
        program = self.program
        reads = [
            node
            for node in program.names.inside(function)
            if isinstance(node, tree.Name) and node.id == scope.parameter
        ]
        return bool(reads) and all(
            isinstance(call := program.names.parent(node), tree.Call)
            and any(
                (callee.function, scope) in makers
                for callee in program.calls.callees(call)
                if callee.function is not None
            )
            for node in reads
        )

    def _calls(self, function: Function, scope: Scope) -> Iterator[Call]:
        """The calls that leave the scope out."""
        for call, callee in list(self.program.calls.callers(function)):
            bound = bind(call.args, function.params, callee.given)
            if bound is not None and not bound.starred and scope.parameter not in bound.arguments:
                yield call, callee.given

    def _open(self, function: Function, scope: Scope) -> Iterator[Call]:
        """Those of them in the program itself that have not been asked."""
        for call, given in self._calls(function, scope):
            module = self.program.names.module_of(call)
            silent = self.planner.silence.over(module, call.at, "CAP401")
            if id(call) not in self.planner.partial_calls and not module.is_test and not silent:
                yield call, given

    def _is_meant(self, call: tree.Call, function: Function, scope: Scope) -> bool:
        """Whether a call asks for the key without the scope: the value is missing there, or the same
        code asks for the key with it as well."""
        names, calls = self.program.names, self.program.calls
        if absent_at(names, call, scope):
            return True
        around, open_calls = (
            names.function_of(call),
            {id(c) for c, _ in self._calls(function, scope)},
        )
        return around is not None and any(
            names.function_of(other) is around and id(other) not in open_calls
            for other, _ in list(calls.callers(function))
        )

    def _fill(self, call: tree.Call, function: Function, given: int, scope: Scope) -> bool:
        """Demand the argument of one call."""
        if self.planner.sources.find(scope, call, call) is None:
            return False
        self.planner.partial_calls[id(call)] = (call, function, [scope])
        self.planner.signatures.want_argument(call, scope, function, given, ("call", id(call)))
        return True
