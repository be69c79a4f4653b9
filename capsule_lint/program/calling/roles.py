"""What a mock or another stand-in is expected to be, by where it goes: arguments, attributes, fixtures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.calling.fixtures import is_collected
from capsule_lint.program.inference.types import (
    NOTHING,
    FunctionObject,
    Instance,
    Types,
    join,
)
from capsule_lint.program.model import owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.model import Binding, Function

_MAX_DEPTH: Final = 6


@dataclass(eq=False)
class Roles:
    """Finds the objects that are expected where a value goes, and the function that a parameter takes."""

    calls: Calls

    def of(self, made: tree.Node, depth: int = 0) -> Types:
        """What an expression is expected to make."""
        if depth > _MAX_DEPTH:
            return NOTHING
        return self._by_place(made, depth) | _objects(self.calls.inference.placements.over(made))

    def _by_place(self, made: tree.Node, depth: int) -> Types:
        parent = self.calls.uses.names.parent(made)
        match parent:
            case tree.Call():
                given = [a for a in parent.args if a.value is made]
                return join(*(self._given(parent, a, depth) for a in given))
            case tree.Assign() if parent.value is made:
                return join(*(self._put(t, depth) for t in parent.targets))
            case tree.Wrapped(kind="yield") | tree.Eval(kind="return"):
                function = self.calls.uses.names.function_of(made)
                return self._handed_out(function, depth) if function is not None else NOTHING
            case _:
                return NOTHING

    def bound(self, binding: Binding, depth: int = 0) -> Types:
        """What a local is expected to be bound to."""
        function = binding.function
        given = self.calls.uses.arguments(function, binding.name)
        found = join(*(self._given(call, argument, depth) for call, argument in given))
        for node in self._outcomes(binding) if depth < _MAX_DEPTH else ():
            found |= self.of(node, depth + 1)
        return found

    def _outcomes(self, binding: Binding) -> Iterator[tree.Node]:
        """Where functions that see a binding give its name, and where it is put in the place of something."""
        names, function = self.calls.uses.names, binding.function
        for one in binding.module.functions:
            if one is function or one.parent is function:
                for given in one.given_back:
                    named = isinstance(given, tree.Name) and given.id == binding.name
                    if named and binding in names.bindings(binding.name, names.place(given)):
                        yield given
        for placed in self.calls.inference.placements.under(binding):
            yield placed.node

    # --- where it goes ---

    def _put(self, target: tree.Node, depth: int) -> Types:
        """Into a local, an attribute of a test's own, or one of an object that says what it holds."""
        names, inference = self.calls.uses.names, self.calls.inference
        match target:
            case tree.Name():
                bindings = names.bindings_of(target)
                own = [b for b in bindings if b.at == target.at]
                return join(*(self.bound(b, depth + 1) for b in own))
            case tree.Attr():
                function = names.function_of(target)
                name = function.self_name if function is not None else ""
                if isinstance(target.base, tree.Name) and target.base.id == name != "":
                    given = self.calls.uses.arguments(owner_of(function), target.name)
                    return join(*(self._given(call, a, depth) for call, a in given))
                holders = _objects(inference.of(target.base))
                declared = (inference.declared(h.cls, target.name) for h in holders)
                return _objects(join(*declared))
            case _:
                return NOTHING

    def _handed_out(self, function: Function, depth: int) -> Types:
        """To the tests and fixtures that ask for a fixture, or to the callers of another function."""
        if "fixture" in function.decorators:
            return join(*(self.bound(one, depth + 1) for one in self._asking(function)))
        calls = self.calls.callers(function)
        return join(*(self.of(call, depth + 1) for call, _ in calls))

    def _asking(self, fixture: Function) -> Iterator[Binding]:
        """The parameters that pytest fills with what a fixture gives."""
        fixtures = self.calls.inference.fixtures
        for name in [n for n, known in fixtures.by_name.items() if fixture in known]:
            for user in self._users.get(name, ()):
                if fixtures.named(user, name) is fixture:
                    yield user.scope.bindings[name][0]

    @cached_property
    def _users(self) -> dict[str, list[Function]]:
        """The tests and fixtures by the names of their parameters."""
        found: dict[str, list[Function]] = defaultdict(list)
        for module in self.calls.uses.names.modules.values():
            for function in filter(is_collected, module.functions if module.is_test else ()):
                for parameter in function.own_params:
                    found[parameter.name].append(function)
        return found

    # --- what is expected there ---

    def _given(self, call: tree.Call, argument: tree.Argument, depth: int) -> Types:
        """What a call expects an argument to be."""
        callees = self.calls.callees(call)
        found = join(*(self._expected(call, argument, one, depth) for one in callees))
        return found | _objects(self.calls.inference.placements.by(call, argument.value))

    def _expected(
        self, call: tree.Call, argument: tree.Argument, callee: Callee, depth: int
    ) -> Types:
        params: tuple[tree.Parameter, ...] | None
        if callee.function is not None:
            params = callee.function.params
        else:
            params = self.calls.classes.constructor(callee.cls) if callee.cls else None
        given = callee.given if callee.function is not None else 0
        bound = bind(call.args, params, given) if params is not None else None
        if bound is None:
            return NOTHING
        for name, passed in bound.arguments.items():
            if passed is argument:
                declared = self._declared(callee, name, params or ())
                objects, taker = _objects(declared), callee.function
                if objects or taker is None:
                    return objects
                if taker.module.is_test and depth < _MAX_DEPTH:  # a helper hands it on
                    own = taker.scope.bindings.get(name, ())[:1]
                    return join(*(self.bound(one, depth + 1) for one in own))
                return self._function(taker, name, declared)
        return NOTHING

    def _function(self, taker: Function, name: str, declared: Types) -> Types:
        """The one function that a parameter takes, as others give it or as what stands in its place where nobody gives
        any: `load=orders.load`, `load = load or orders.load`; none where it is called with anything."""
        of, names = self.calls.inference.of, self.calls.uses.names
        found = [declared, *map(self.calls.inference.bound, taker.scope.bindings.get(name, ()))]
        for read in names.called(taker, name):
            match names.parent(read):
                case tree.Call(args=args) if any(argument.star for argument in args):
                    return NOTHING
                case tree.Boolean(op="or") as around:
                    found.append(of(around))
                case tree.Conditional(test=test) as around if test is not read:
                    found.append(of(around))
        known = {replace(t, mock=True) for t in join(*found) if isinstance(t, FunctionObject)}
        return frozenset(known) if len(known) == 1 else NOTHING

    def _declared(self, callee: Callee, name: str, params: tuple[tree.Parameter, ...]) -> Types:
        inference = self.calls.inference
        if callee.function is not None:
            bindings = callee.function.scope.bindings.get(name)
            return inference.bound(bindings[0]) if bindings else NOTHING
        annotation = next((p.annotation for p in params if p.name == name), None)
        return inference.annotations.of(annotation) if annotation is not None else NOTHING


def _objects(types: Types) -> frozenset[Instance]:
    """The objects of the program among them."""
    return frozenset(one for one in types if isinstance(one, Instance))
