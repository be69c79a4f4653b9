"""What a mock or another stand-in is expected to be, by where it goes: arguments, attributes, fixtures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.calling.fixtures import is_collected
from capsule_lint.program.inference.types import Types, classes_of
from capsule_lint.program.model import owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.model import Binding, Class, Function

_MAX_DEPTH: Final = 6


@dataclass(eq=False)
class Roles:
    """Finds the classes that are expected where a value goes."""

    calls: Calls

    def of(self, made: tree.Node, depth: int = 0) -> frozenset[Class]:
        """The classes that what an expression makes is expected to be."""
        if depth > _MAX_DEPTH:
            return frozenset()
        return self._by_place(made, depth) | classes_of(self.calls.inference.placements.over(made))

    def _by_place(self, made: tree.Node, depth: int) -> frozenset[Class]:
        parent = self.calls.uses.names.parent(made)
        match parent:
            case tree.Call():
                given = [a for a in parent.args if a.value is made]
                return frozenset(c for a in given for c in self._given(parent, a))
            case tree.Assign() if parent.value is made:
                return frozenset(c for t in parent.targets for c in self._put(t, depth))
            case tree.Wrapped(kind="yield") | tree.Eval(kind="return"):
                function = self.calls.uses.names.function_of(made)
                return self._handed_out(function, depth) if function is not None else frozenset()
            case _:
                return frozenset()

    def bound(self, binding: Binding, depth: int = 0) -> frozenset[Class]:
        """The classes that what a local is bound to is expected to be."""
        function = binding.function
        given = self.calls.uses.arguments(function, binding.name)
        found = {c for call, argument in given for c in self._given(call, argument)}
        for node in self._outcomes(binding) if depth < _MAX_DEPTH else ():
            found |= self.of(node, depth + 1)
        return frozenset(found)

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

    def _put(self, target: tree.Node, depth: int) -> frozenset[Class]:
        """Into a local, an attribute of a test's own, or one of an object that says what it holds."""
        names, inference = self.calls.uses.names, self.calls.inference
        match target:
            case tree.Name():
                bindings = names.bindings_of(target)
                own = [b for b in bindings if b.at == target.at]
                return frozenset(c for b in own for c in self.bound(b, depth + 1))
            case tree.Attr():
                function = names.function_of(target)
                name = function.self_name if function is not None else ""
                if isinstance(target.base, tree.Name) and target.base.id == name != "":
                    given = self.calls.uses.arguments(owner_of(function), target.name)
                    return frozenset(c for call, a in given for c in self._given(call, a))
                holders = classes_of(inference.of(target.base))
                return frozenset(
                    c for h in holders for c in classes_of(inference.declared(h, target.name))
                )
            case _:
                return frozenset()

    def _handed_out(self, function: Function, depth: int) -> frozenset[Class]:
        """To the tests and fixtures that ask for a fixture, or to the callers of another function."""
        if "fixture" in function.decorators:
            return frozenset(
                c for one in self._asking(function) for c in self.bound(one, depth + 1)
            )
        calls = self.calls.callers(function)
        return frozenset(c for call, _ in calls for c in self.of(call, depth + 1))

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

    def _given(self, call: tree.Call, argument: tree.Argument) -> set[Class]:
        """The classes that a call expects an argument to be."""
        found = {c for e in self.calls.callees(call) for c in self._expected(call, argument, e)}
        return found | classes_of(self.calls.inference.placements.by(call, argument.value))

    def _expected(self, call: tree.Call, argument: tree.Argument, callee: Callee) -> set[Class]:
        params: tuple[tree.Parameter, ...] | None
        if callee.function is not None:
            params = callee.function.params
        else:
            params = self.calls.classes.constructor(callee.cls) if callee.cls else None
        given = callee.given if callee.function is not None else 0
        bound = bind(call.args, params, given) if params is not None else None
        if bound is None:
            return set()
        for name, passed in bound.arguments.items():
            if passed is argument:
                return classes_of(self._declared(callee, name, params or ()))
        return set()

    def _declared(self, callee: Callee, name: str, params: tuple[tree.Parameter, ...]) -> Types:
        inference = self.calls.inference
        if callee.function is not None:
            bindings = callee.function.scope.bindings.get(name)
            return inference.bound(bindings[0]) if bindings else frozenset()
        annotation = next((p.annotation for p in params if p.name == name), None)
        return inference.annotations.of(annotation) if annotation is not None else frozenset()
