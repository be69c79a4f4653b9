"""What several tests share: constants, rows of `parametrize`, helpers, fixtures and `setUp`, and the tests that
use them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.fixtures import SETUPS, is_collected
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Binding, Function, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program import Program

_MAX_DEPTH: Final = 3


@dataclass(eq=False)
class Shared:
    """Finds them."""

    program: Program

    def users(self, node: tree.Node) -> list[Function]:
        """The tests that use what an expression is part of that stands in none."""
        return list(dict.fromkeys(self._users(node, 0)))

    def _users(self, node: tree.Node, depth: int) -> Iterator[Function]:
        place = self.program.names.place(node)
        function = place.scope.function
        if depth > _MAX_DEPTH:
            return
        if id(node) in self._decorators:
            yield self._decorators[id(node)]
        elif function is not None:
            yield from self._of_function(function, depth)
        elif isinstance(place.statement, tree.Assign):
            for target in place.statement.targets:
                if isinstance(target, tree.Name):
                    for reader in self._readers(target.id, place.statement):
                        yield from self._tests(reader, depth)

    def _tests(self, node: tree.Node, depth: int) -> Iterator[Function]:
        """The test that an expression stands in, or those that use what it is part of."""
        function = self.program.names.function_of(node)
        if function is not None and _is_test(function) and id(node) not in self._decorators:
            yield function
        else:
            yield from self._users(node, depth + 1)

    # --- texts under a name ---

    def stands(self, node: tree.Node) -> list[tree.Node]:
        """Where a text is read: as it stands, or each use of a name that is given it alone, by `parametrize` or by a
        fixture, or each call of the helper that returns it."""
        program, places = self.program, list[tree.Node]()
        whole = self._filled_text(node)
        match program.names.parent(whole):
            case tree.Assign(value=value) as kept if value is whole:
                places = list(program.records.uses(kept))
            case tree.Eval(kind="return"):
                helper = program.names.function_of(node)
                if helper is not None and helper.module.is_test:
                    places = [call for call, _ in program.calls.callers(helper)]
        return places or self.filled(whole) or [node]

    def _filled_text(self, node: tree.Node) -> tree.Node:
        """The text that a format string becomes: `"TENANT#%s" % tenant`, `"TENANT#{}".format(tenant)`; or else the
        expression itself."""
        parent = self.program.names.parent(node) if isinstance(node, tree.Const) else None
        match parent, self.program.names.parent(parent):
            case tree.Binary(op="%", left=left) as filled, _ if left is node:
                return filled
            case tree.Attr(name="format", base=base), tree.Call() as filled if base is node:
                return filled
            case _:
                return node

    def filled(self, node: tree.Node) -> list[tree.Node]:
        """Where a test reads, by a parameter, what pytest gives it."""
        return self._filled.get(id(node), [])

    def received(self, call: tree.Call, given: tree.Node) -> Iterator[tree.Name]:
        """Where the parameter is read that a call of a function of the tests fills with a value."""
        calls = self.program.calls
        argument = next((one for one in call.args if one.value is given), None)
        name = calls.parameter_of(call, argument) if argument is not None else None
        for callee in calls.callees(call):
            function = callee.function
            if name is not None and function is not None and function.module.is_test:
                yield from self.program.names.called(function, name)

    def spelled(self, node: tree.Node) -> Iterator[tree.Node]:
        """What the texts are that an expression of a test may be: those that pytest gives a parameter, what a name
        is given, what a function of the tests returns."""
        program = self.program
        whole = node
        for _ in range(_MAX_DEPTH):
            whole = only_assigned(program.names, whole) or whole
        yield whole
        function = program.names.function_of(node)
        if isinstance(whole, tree.Name) and function is not None and function.parameter(whole.id):
            yield from program.inference.fixtures.given(function, whole.id)
        callees = program.calls.callees(whole) if isinstance(whole, tree.Call) else ()
        for callee in callees:
            if callee.function is not None and callee.function.module.is_test:
                yield from callee.function.returns

    @cached_property
    def _filled(self) -> dict[int, list[tree.Node]]:
        """Where the parameters are read that pytest fills, by what it gives them."""
        found: dict[int, list[tree.Node]] = defaultdict(list)
        for function in filter(is_collected, self._all):
            for parameter in function.params:
                values = self.program.inference.fixtures.given(function, parameter.name)
                reads = self.program.names.called(function, parameter.name)
                for value in values if reads else ():
                    found[id(value)] += reads
        return found

    # --- functions ---

    def _of_function(self, function: Function, depth: int) -> Iterator[Function]:
        if _is_test(function):
            return
        if "fixture" in function.decorators:
            yield from (f for f in self._all if _is_test(f) and f.parameter(function.name))
        elif function.name in SETUPS and function.owner is not None:
            for cls in self.program.classes.subclasses(function.owner):
                yield from filter(_is_test, cls.methods.values())
        else:
            for call, _ in self.program.calls.callers(function):
                if self.program.names.module_of(call).is_test:
                    yield from self._tests(call, depth)

    @cached_property
    def _all(self) -> list[Function]:
        modules = self.program.names.modules.values()
        return [f for module in modules if module.is_test for f in module.functions]

    @cached_property
    def _decorators(self) -> dict[int, Function]:
        """The functions of tests by what stands in their decorators."""
        return {
            id(node): function
            for function in self._all
            for decorator in function.fact.decorators
            for node in within(decorator)
        }

    # --- constants ---

    def _readers(self, name: str, statement: tree.Statement) -> Iterable[tree.Node]:
        """The expressions that read what a statement binds, of a module or of a class."""
        self.program.names.ask(name)
        return (node for node in self._named[name] if self._reads(node, statement))

    def _reads(self, node: tree.Name | tree.Attr, statement: tree.Statement) -> bool:
        if isinstance(node, tree.Attr) and last_name(node.base) in ("self", "cls"):
            return True
        target = self.program.classes.dotted(node)
        return isinstance(target, Binding) and target.place.statement is statement

    @cached_property
    def _named(self) -> dict[str, list[tree.Name | tree.Attr]]:
        found: dict[str, list[tree.Name | tree.Attr]] = defaultdict(list)
        for module in self.program.names.modules.values():
            for node in module.either(tree.Name, tree.Attr) if module.is_test else ():
                found[last_name(node)].append(node)
        return found


def _is_test(function: Function) -> bool:
    return function.name.startswith("test") and "fixture" not in function.decorators
