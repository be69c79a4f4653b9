"""What a call may call beside a function that changes, and whether it bears what that gains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.uses.passers import passed_on, stars_of
from capsule_lint.plan.uses.passthrough import ASSERTIONS, CALL_LISTS
from capsule_lint.program.inference.mocks import MOCKS
from capsule_lint.program.inference.types import (
    Collection,
    Foreign,
    FunctionObject,
    LambdaObject,
    Mocked,
    Partial,
    TupleOf,
    UnknownType,
    function_of,
)
from capsule_lint.program.logs import LOGGING
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.supply.values import Values
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type, Types
    from capsule_lint.program.model import Function

_LOOKS: Final = (
    *("call_args", "call_args_list", "mock_calls", "method_calls"),
    *("await_args", "await_args_list", *ASSERTIONS, *CALL_LISTS),
)
"""What a test asks a mock about how it was called."""
_CALLED: Final = ("side_effect", "wraps")
_MOCKS: Final[Types] = frozenset((Mocked(None), Foreign("mock")))


class Bearing(Struct, frozen=True):
    """Judges what a call calls beside what changes, by more than its parameters: `*args`, mocks, partials."""

    program: Program
    values: Values

    def bears(self, one: Type, wanted: Sequence[Scope]) -> bool:
        """Whether something bears being given scopes by whatever calls it."""
        match one:
            case FunctionObject(function=function) if stars_of(function.params):
                return self._has(function, wanted) or self._is_blind(function, wanted)
            case LambdaObject(node=node):
                read = [n for n in within(node.body) if isinstance(n, tree.Name)]
                return not any(n.id in stars_of(node.params) for n in read)
            case Partial(of=FunctionObject(function=function)):
                return self._has(function, wanted)
            case Mocked() | Foreign(name="mock"):
                return self.bears_mocks(frozenset((one,)))
            case Foreign(name=name):
                return name == "None"
            case _:
                return not isinstance(one, Partial | UnknownType)

    def takes(self, one: Type, wanted: Sequence[Scope]) -> bool:
        """Whether something takes scopes by keyword once the plan is carried out."""
        function = function_of(one)
        if function is None:
            return False
        rest = "**" in stars_of(function.params).values()
        return self.bears(one, wanted) if rest else self._has(function, wanted)

    def _has(self, function: Function, wanted: Sequence[Scope]) -> bool:
        """Whether a function takes scopes once the plan is carried out."""
        scoped, state = self.program.domain.scope_parameter, self.values.state
        return all(scoped(function, s) is not None or state.gains(function, s) for s in wanted)

    def _is_blind(self, function: Function, wanted: Sequence[Scope]) -> bool:
        """Whether a function does nothing with its `*args` but hand them on to what takes one more."""
        stars = stars_of(function.params)
        return all(
            self._is_handed_on(node, stars, wanted)
            for node in self.program.names.inside(function)
            if isinstance(node, tree.Name) and node.id in stars
        )

    def _is_handed_on(
        self, node: tree.Name, stars: dict[str, str], wanted: Sequence[Scope]
    ) -> bool:
        call = self.program.names.parent(node)
        if not isinstance(call, tree.Call):
            return False
        if last_name(call.func) in LOGGING:
            return not self.program.names.module_of(node).is_test
        if passed_on(call.args, stars) is None:
            return False
        made = [callee.function for callee in self.program.calls.callees(call)]
        return bool(made) and all(
            f is not None and (self._has(f, wanted) or bool(stars_of(f.params))) for f in made
        )

    def bears_mocks(self, types: Types) -> bool:
        """Whether no test asks how a mock was called of which nothing says what it stands for, or has one call
        something, where one of these types is one."""
        return not types & _MOCKS or not (self._are_asked() or self._are_calling())

    def bears_beside(self, nodes: Sequence[tree.Node]) -> bool:
        """The same of mocks that come in the place of a function by the names of parameters beside it: `change or
        change_stock`, `change = change_stock`."""
        for node in nodes:
            scope = self.program.names.place(node).scope
            bound = scope.bindings.get(node.id, ()) if isinstance(node, tree.Name) else ()
            for binding in bound if scope.function is not None else ():
                if binding.parameter is not None and scope.function is not None:
                    passed = self.program.calls.passed(scope.function, binding.parameter)
                    if not self.bears_mocks(passed or frozenset()):
                        return False
        return True

    def _are_asked(self) -> bool:
        return any(
            self.program.inference.of(node.base) & _MOCKS
            for word in _LOOKS
            for node in self.program.names.named(word)
            if isinstance(node, tree.Attr)
        )

    def _are_calling(self) -> bool:
        """`MagicMock(side_effect=fake)`, `mock.side_effect = fake`."""
        inference, uses = self.program.inference, self.program.calls.uses
        given = [
            argument.value
            for word in sorted(MOCKS)
            for call in uses.calls_beside(word)
            for argument in call.args
            if argument.keyword in _CALLED
        ]
        given += [
            value
            for word in _CALLED
            for target, value in uses.assigned(word)
            if inference.of(target.base) & _MOCKS
        ]
        return any(
            isinstance(t, FunctionObject | LambdaObject | UnknownType)
            for value in given
            for t in inference.of(value)
        )


def functions_in(types: Types) -> Types:
    """The functions that values of some types are, or have in them."""
    found: set[Type] = set()
    for one in types:
        match one:
            case FunctionObject() | LambdaObject() | Partial():
                found.add(one)
            case Collection():
                found |= functions_in(one.items)
            case TupleOf():
                for item in one.items:
                    found |= functions_in(item)
    return frozenset(found)
