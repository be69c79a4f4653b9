"""Keys of caches that a decorator is given: lambdas that make them of all arguments of the function, and texts that
are filled with these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.decorator_memos import DecoratorMemos
from capsule_lint.plan.memory.key_texts import KeyTexts
from capsule_lint.plan.memory.local_notes import left_out_of_key
from capsule_lint.plan.room import Room
from capsule_lint.plan.testing.standins import Double
from capsule_lint.plan.uses.registries import caching, picking
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


class KeyFunctions(Room, Struct, frozen=True):
    """`@cached(cache, key=lambda tenant_id, note_id: f"{tenant_id}:{note_id}")` changes with its function."""

    planner: Planner

    def extend(self) -> None:
        """Give the lambdas the parameters that their functions gain, and their keys the values; those of caches
        also the values that they are given already."""
        texts = KeyTexts(self.planner)
        for function in self._cached():
            for node in caching(function):
                if isinstance(node, tree.Lambda) and self._is_told_all(node, function):
                    self._complete(node, function)
                elif isinstance(node, tree.Const):
                    texts.judge(node, function, self._taken(function))
        for function, gained in list(self.state.params.items()):
            for node in caching(function):
                if isinstance(node, tree.Const):
                    own = {scope: scope.parameter for scope in gained.values()}
                    texts.judge(node, function, self._taken(function) | own)
            for node in picking(function):
                if isinstance(node, tree.Lambda) and self._is_told_all(node, function):
                    self._change(node, function, list(gained.values()))

    def _change(self, node: tree.Lambda, function: Function, scopes: list[Scope]) -> None:
        """Note both changes, unless the body is no key by another scope."""
        if self._lacks(node, function, {scope: scope.parameter for scope in scopes}):
            given = len(function.params) - len(node.params)
            double = Double(node.span, function.module, function, given, node.params)
            self.state.double(node, double)

    def _cached(self) -> Iterator[Function]:
        """The functions with a decorator that do not change."""
        for module in self.program.names.production():
            for function in module.functions:
                if function.fact.decorators and function not in self.state.params:
                    yield function

    def _complete(self, node: tree.Lambda, function: Function) -> None:
        """Note that a key lacks scopes which its lambda takes; where a function of the program makes it, a person has
        to see."""
        taken = self._taken(function)
        if self._lacks(node, function, taken) or not isinstance(node.body, tree.Call):
            return
        is_value = self.program.domain.held.is_value
        told = [s for s in taken if any(is_value(a.value, s) for a in node.body.args)]
        callees = [c.function for c in self.program.calls.callees(node.body)]
        for scope in (one for one in taken if told and any(callees) and one not in told):
            reason = left_out_of_key(scope)
            self.planner.local.notes.obstacle(("function", function), node.body, reason)

    def _taken(self, function: Function) -> dict[Scope, str]:
        """What a function calls the scopes that it takes."""
        program = self.program
        own = [(s, program.domain.scope_parameter(function, s)) for s in program.policy.scopes]
        return {scope: p.name for scope, p in own if p is not None}

    def _lacks(self, node: tree.Lambda, function: Function, codes: dict[Scope, str]) -> bool:
        """Note what of some scopes a key lacks that is one by another scope; whether there was anything."""
        local, is_value = self.planner.local, self.program.domain.held.is_value
        parts = local.hosts.parts(node.body)
        if parts is None or parts[0] not in ("tuple", "text", "bare"):
            return False
        if parts[0] == "bare":
            # one value alone may be told for what it is: `limits[tenant(*args)]`
            calls = self._calls(node, function)
            if not DecoratorMemos(self.program).are_keys(calls):
                return False
        policy = self.program.policy.scopes
        said = {s.name: e for s in policy for e in parts[1] if is_value(e, s)}
        missing = [s for s in codes if s.name not in said]
        if not said or not missing:
            return False
        defect = local.notes.defect(node.body, parts[0], missing, ("function", function))
        for scope in missing:
            before = [s.name for s in policy[: policy.index(scope)] if s.name in said]
            defect.anchors[scope.name] = said[before[-1]] if before else None
            defect.detail[scope.name] = codes[scope]
        local.notes.settle(node.body)
        return True

    def _is_told_all(self, node: tree.Lambda, function: Function) -> bool:
        """Whether a lambda takes what its function takes, and is given it as it comes."""
        names = [p.name for p in node.params]
        own = [p.name for p in function.own_params]
        if names not in (own, [p.name for p in function.params]):
            return False
        return all(self._is_passed_on(call) for call in self._calls(node, function))

    def _calls(self, node: tree.Lambda, function: Function) -> Iterator[tree.Call]:
        """The calls of a lambda by the decorator that it is given to, where that is the program's."""
        program = self.program
        for decorator in function.fact.decorators:
            for argument in decorator.args if isinstance(decorator, tree.Call) else ():
                if argument.value is node and isinstance(decorator, tree.Call):
                    for callee in program.calls.callees(decorator):
                        if callee.function is not None:
                            yield from self._called(callee.function, argument.keyword)

    def _called(self, decorator: Function, keyword: str | None) -> Iterator[tree.Call]:
        """The calls in a decorator of the parameter of that name, or of any, and in what it hands that on to."""
        own = {p.name for p in decorator.params} if keyword is None else {keyword}
        seen: set[tuple[Function, str]] = set()
        queue = [(decorator, name) for name in own]
        while queue:
            one = queue.pop()
            for call in () if one in seen else one[0].module.each(tree.Call):
                if self._is(call.func, *one):
                    yield call
                queue += [
                    (callee.function, name)
                    for argument in call.args
                    if self._is(argument.value, *one)
                    for callee in self.program.calls.callees(call)
                    if callee.function is not None
                    and (name := self.program.calls.parameter_of(call, argument)) is not None
                ]
            seen.add(one)

    def _is(self, node: tree.Node, function: Function, name: str) -> bool:
        """Whether an expression is the parameter of a function that has that name."""
        if not isinstance(node, tree.Name) or node.id != name:
            return False
        return any(b.function is function for b in self.program.names.bindings_of(node))

    def _is_passed_on(self, call: tree.Call) -> bool:
        """Whether a call passes on all that a function is given: `key(*args, **kwargs)`, or `key(*args)` in one that takes
        nothing else by name."""
        passed = [(a.star, last_name(a.value)) for a in call.args if a.star]
        function = self.program.names.function_of(call)
        params = function.params if function is not None else ()
        taken = [(p.kind, p.name) for p in params if p.kind in ("*", "**")]
        whole = len(passed) == 2 or ([star for star, _ in passed] == ["*"] and passed == taken)
        return whole and len(call.args) - len(passed) < 2
