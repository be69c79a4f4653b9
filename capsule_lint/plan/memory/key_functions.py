"""Keys of caches that a decorator is given: what makes them of all arguments of the function, lambdas and functions that
nothing else calls, and texts that are filled with these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.decorator_memos import DecoratorMemos
from capsule_lint.plan.memory.key_names import KeyNames
from capsule_lint.plan.memory.key_texts import KeyTexts
from capsule_lint.plan.memory.local_notes import left_out_of_key
from capsule_lint.plan.room import Room
from capsule_lint.plan.testing.standins import Double
from capsule_lint.plan.uses.naming import naming
from capsule_lint.plan.uses.registries import caching, caching_arguments, picking
from capsule_lint.program.inference.types import FunctionObject, ordered
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.model import Span
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function, Module


class _Maker(Struct, frozen=True):
    """What makes a key of all arguments: a lambda, or a function with a name."""

    given: tree.Node
    """What the decorator is given."""
    what: object
    params: tuple[tree.Parameter, ...]
    body: tree.Node
    at: Span
    module: Module

    @classmethod
    def of(cls, node: tree.Lambda, function: Function) -> _Maker:
        """A lambda that a decorator of a function is given."""
        return cls(node, node, node.params, node.body, node.span, function.module)


class KeyFunctions(Room, Struct, frozen=True):
    """`@cached(cache, key=lambda tenant_id, note_id: f"{tenant_id}:{note_id}")` changes with its function."""

    planner: Planner

    def extend(self) -> None:
        """Give the lambdas the parameters that their functions gain, and their keys the values; those of caches
        also the values that they are given already."""
        texts, names = KeyTexts(self.planner), KeyNames(self.planner)
        for function in self._cached():
            for node in caching(function):
                if isinstance(node, tree.Lambda):
                    self._complete(_Maker.of(node, function), function)
                elif isinstance(node, tree.Const):
                    texts.judge(node, function, self._taken(function))
        for function, gained in list(self.state.params.items()):
            own = {scope: scope.parameter for scope in gained.values()}
            for node in caching(function):
                if isinstance(node, tree.Const):
                    texts.judge(node, function, self._taken(function) | own)
            names.extend(function, self._taken(function) | own)
            for node in picking(function):
                if isinstance(node, tree.Lambda):
                    self._change(_Maker.of(node, function), function, list(gained.values()))
            for node, other in self._named(function):
                if other in self.state.params:  # the two land together
                    self.state.groups.join(("function", function), ("function", other))
                    continue
                made = self._maker(node, other)
                if made is None or not self._change(made, function, list(gained.values())):
                    what = f"`{other.name}` is given what `{function.name}` takes"
                    reason = f"{what}, and may have to take more"
                    self.planner.local.notes.obstacle(("function", function), node, reason)

    def _maker(self, node: tree.Node, function: Function) -> _Maker | None:
        """What makes a key: a function that a decorator is given, where nothing else has it."""
        if len(function.returns) != 1 or not self._is_alone(node, function):
            return None
        fact, at = function.fact, tree.span_of(function.fact.signature_at)
        return _Maker(node, fact, function.params, function.returns[0], at, function.module)

    def _change(self, made: _Maker, function: Function, scopes: list[Scope]) -> bool:
        """Note both changes, unless the body is no key by another scope; whether they were noted."""
        codes = {scope: scope.parameter for scope in scopes}
        if not self._is_told_all(made, function) or not self._lacks(made, function, codes):
            return False
        given = len(function.params) - len(made.params)
        self.state.double(made.what, Double(made.at, made.module, function, given, made.params))
        return True

    def _named(self, function: Function) -> Iterator[tuple[tree.Node, Function]]:
        """The functions with a name that a decorator of a function is given and calls with its arguments, or may, where
        it is called like a cache."""
        cached = {id(node) for node in caching_arguments(function)}
        own = {p.name for p in function.own_params}
        for decorator in function.fact.decorators:
            for argument in decorator.args if isinstance(decorator, tree.Call) else ():
                node = argument.value
                if not isinstance(node, tree.Name | tree.Attr):
                    continue
                for one in ordered(self.program.inference.of(node)):
                    other = one.function if isinstance(one, FunctionObject) else None
                    if other is None or self._keeps_rest(other):
                        continue
                    calls = list(self._calls(node, function))
                    told = any(map(self._is_passed_on, calls)) or (
                        not calls and id(node) in cached
                    )
                    if told and own & {p.name for p in other.params}:
                        yield node, other

    def _keeps_rest(self, function: Function) -> bool:
        """Whether a function takes any more arguments, and does not take them apart."""
        parent = self.program.names.parent
        rest = {p.name for p in function.params if p.kind == "*"}
        reads = (n for n in self.program.names.inside(function) if isinstance(n, tree.Name))
        apart = (tree.Subscript, tree.Assign)
        return bool(rest) and not any(
            isinstance(parent(node), apart) for node in reads if node.id in rest
        )

    def _is_alone(self, node: tree.Node, function: Function) -> bool:
        """Whether a function is given to a decorator in one place, and nothing else names or calls it."""
        named = [*naming(self.program, function)]
        called = (call for call, _ in self.program.calls.callers(function))
        alone = all(one is node for one in named)
        return alone and all(map(self._is_passed_on, called))

    def _cached(self) -> Iterator[Function]:
        """The functions with a decorator that do not change."""
        for module in self.program.names.production():
            for function in module.functions:
                if function.fact.decorators and function not in self.state.params:
                    yield function

    def _complete(self, made: _Maker, function: Function) -> None:
        """Note that a key lacks scopes which its lambda takes; where a function of the program makes it, a person has
        to see."""
        taken = self._taken(function)
        if not self._is_told_all(made, function) or self._lacks(made, function, taken):
            return
        if not isinstance(made.body, tree.Call):
            return
        is_value = self.program.domain.held.is_value
        told = [s for s in taken if any(is_value(a.value, s) for a in made.body.args)]
        callees = [c.function for c in self.program.calls.callees(made.body)]
        for scope in (one for one in taken if told and any(callees) and one not in told):
            reason = left_out_of_key(scope)
            self.planner.local.notes.obstacle(("function", function), made.body, reason)

    def _taken(self, function: Function) -> dict[Scope, str]:
        """What a function calls the scopes that it takes."""
        program = self.program
        own = [(s, program.domain.scope_parameter(function, s)) for s in program.policy.scopes]
        return {scope: p.name for scope, p in own if p is not None}

    def _lacks(self, made: _Maker, function: Function, codes: dict[Scope, str]) -> bool:
        """Note what of some scopes a key lacks that is one by another scope; whether there was anything."""
        local, is_value = self.planner.local, self.program.domain.held.is_value
        parts = local.hosts.parts(made.body)
        if parts is None or parts[0] not in ("tuple", "text", "bare"):
            return False
        if parts[0] == "bare":
            # one value alone may be told for what it is: `limits[tenant(*args)]`
            calls = self._calls(made.given, function)
            if not DecoratorMemos(self.program).are_keys(calls):
                return False
        policy = self.program.policy.scopes
        said = {s.name: e for s in policy for e in parts[1] if is_value(e, s)}
        missing = [s for s in codes if s.name not in said]
        if not said or not missing:
            return False
        defect = local.notes.defect(made.body, parts[0], missing, ("function", function))
        for scope in missing:
            before = [s.name for s in policy[: policy.index(scope)] if s.name in said]
            defect.anchors[scope.name] = said[before[-1]] if before else None
            defect.detail[scope.name] = codes[scope]
        local.notes.settle(made.body)
        return True

    def _is_told_all(self, made: _Maker, function: Function) -> bool:
        """Whether what makes a key takes what its function takes, and is given it as it comes."""
        names = [p.name for p in made.params]
        own = [p.name for p in function.own_params]
        if names not in (own, [p.name for p in function.params]):
            return False
        return all(self._is_passed_on(call) for call in self._calls(made.given, function))

    def _calls(self, node: tree.Node, function: Function) -> Iterator[tree.Call]:
        """The calls of what makes a key by the decorator that it is given to, where that is the program's."""
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
