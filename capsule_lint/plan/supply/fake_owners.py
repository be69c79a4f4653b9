"""Classes of tests that are given, or their instances, where code reads another scope of what it is given:
`class FakeContext: tenant_id = "t"`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import renamed
from capsule_lint.plan.room import Room
from capsule_lint.policy import SourceKind
from capsule_lint.program.bases import PLAIN_BASES
from capsule_lint.program.inference.types import ClassObject, Instance, ordered
from capsule_lint.program.model import Class, enclosing
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value, Want
    from capsule_lint.program.model import Function

_MAX_DEPTH: Final = 3
_LACKS: Final = "is given where `{}` is read, and has none"


@dataclass(eq=False)
class FakeOwners(Room):
    """Gives them what is read."""

    planner: Planner

    def lacking(self, want: Want, value: Value) -> Iterator[Want]:
        """The assignments that make such classes have the scope, or nothing where a person must look."""
        base, _, name = value.code.rpartition(".")
        place = self.program.names.place(want.node)
        functions = enclosing(place) if self.are_any else ()
        told = [given for function in functions for given in self._told(function, base)]
        for given in (*told, *(self._placed(want, value) if self.are_any else ())):
            for cls in self._given(given, name):
                yield from self._extend(want, cls, name, given)

    def owners(self, want: Want, value: Value) -> Iterator[Class]:
        """The classes of policy that a value is read of."""
        definition = self.program.names.definition
        for spec in want.scope.sources:
            cls = definition(f"{spec.module}.{spec.name}")
            ends = (f".{spec.access}", f'["{spec.access}"]')
            of_class = spec.kind is SourceKind.ATTRIBUTE and value.code.endswith(ends)
            if of_class and isinstance(cls, Class):
                yield cls

    def stands_in(self, node: tree.Node, owners: Sequence[Class]) -> bool:
        """Whether a test puts something in the place of what gives an instance of one of some classes:
        `patch("app.views.context_of", return_value=SimpleNamespace(tenant_id="t"))`."""
        over = self.program.inference.placements.over(node) if owners else ()
        mro = self.program.classes.mro
        return any(isinstance(one, Instance) and set(owners) & set(mro(one.cls)) for one in over)

    def _placed(self, want: Want, value: Value) -> Iterator[tree.Node]:
        """What tests put in the place of what gives such an instance."""
        owners = list(self.owners(want, value))
        for placed in self.program.inference.placements.everywhere() if owners else ():
            if placed.yields and self.stands_in(placed.node, owners):
                yield placed.node

    def _told(self, function: Function, base: str) -> Iterator[tree.Node]:
        """What tests give for a parameter, `ctx`, or for what an object keeps of one: `self.ctx`,
        `command.ctx`."""
        own, _, kept = base.partition(".")
        calls = self.program.calls
        if not kept and base != function.self_name and function.parameter(base) is not None:
            yield from self._arguments(function, base, 0)
        elif kept.isidentifier() and function.parameter(own) is not None:
            for given in self._arguments(function, own, 0):
                yield from self._had(given, kept)
        for cls in self._holders(function, own) if kept.isidentifier() else ():
            names = {kept} | {
                store.value.id
                for store in cls.stores.get(kept, ())
                if isinstance(store.value, tree.Name)
            }
            for call, _ in calls.constructors_of(cls):
                for argument in call.args if self._is_in_test(call) else ():
                    if calls.parameter_of(call, argument) in names:
                        yield argument.value

    def _had(self, given: tree.Node, name: str) -> Iterator[tree.Node]:
        """What an object of a class of the tests, or that class, has under a name: `self.state = FakeState()`."""
        for one in ordered(self.program.inference.of(given)):
            cls = one.cls if isinstance(one, Instance | ClassObject) else None
            for owner in self.program.classes.mro(cls) if cls and cls.module.is_test else ():
                yield from (s.value for s in owner.stores.get(name, ()) if s.value is not None)
                bound = owner.scope.bindings.get(name, ())
                yield from (b.value for b in bound if b.value is not None)

    def _holders(self, function: Function, name: str) -> Iterator[Class]:
        """The class of what a function has under a name: of `self`, or of a parameter."""
        if function.owner is not None and name == function.self_name:
            yield function.owner
        elif function.parameter(name) is not None:
            for one in self.program.inference.bound(function.scope.bindings[name][0]):
                if isinstance(one, Instance):
                    yield one.cls

    def _is_in_test(self, node: tree.Node) -> bool:
        return self.program.names.module_of(node).is_test

    def _arguments(self, function: Function, name: str, depth: int) -> Iterator[tree.Node]:
        """What tests give for a parameter, also by way of functions that are given the same."""
        program = self.program
        for _, argument in program.calls.arguments_for(function, name):
            value = argument.value
            if self._is_in_test(value):
                yield value
            elif isinstance(value, tree.Name) and depth < _MAX_DEPTH:
                around = program.names.function_of(value)
                if around is not None and around.parameter(value.id) is not None:
                    yield from self._arguments(around, value.id, depth + 1)

    @cached_property
    def are_any(self) -> bool:
        """Whether a class of a test has an attribute that is called like a scope."""
        scopes = self.program.policy.scopes
        return any(
            names_scope(name, scope)
            for module in self.program.names.modules.values()
            for cls in (module.classes if module.is_test else ())
            for name in (*cls.stores, *cls.scope.bindings)
            for scope in scopes
        )

    def _given(self, node: tree.Node, name: str) -> Iterator[Class]:
        """The classes of tests that something is an instance of, or itself, and that have no such attribute."""
        program = self.program
        for one in ordered(program.inference.of(node)):
            if isinstance(one, Instance | ClassObject) and one.cls.module.is_test:
                answers = program.classes.method(one.cls, "__getattr__") is not None
                known = not answers and program.classes.base_names(one.cls) <= PLAIN_BASES
                if known and not program.classes.has_attribute(one.cls, name):
                    yield one.cls

    def _extend(self, want: Want, cls: Class, name: str, given: tree.Node) -> Iterator[Want]:
        """`capsule_id = …` beside `tenant_id = …`, in the class or in what sets it."""
        notes, found = self.planner.local.notes, list(self._places(want, cls, name))
        for target, value in found:
            if target is None or value is None:
                notes.obstacle(want.knot, given, _LACKS.format(name))
                continue
            asked = notes.step(target, value, want.scope, name, want.knot)
            yield from () if asked is None else (asked,)

    def _places(
        self, want: Want, cls: Class, name: str
    ) -> Iterator[tuple[tree.Name | tree.Attr | None, tree.Node | None]]:
        """Where the class, or a base, gives its instances the neighbour: what is assigned, and to what; nothing
        for both where that is done otherwise."""
        for old in self.program.policy.scopes:
            keys = list(renamed(name, want.scope, old))
            for owner, key in product(self.program.classes.mro(cls), keys):
                stores, bindings = owner.stores.get(key, ()), owner.scope.bindings.get(key, ())
                statements = [store.statement for store in stores]
                for binding in bindings:
                    statement = binding.place.statement
                    if isinstance(statement, tree.Assign) and statement.value is not None:
                        statements.append(statement)
                    else:
                        yield None, None
                for statement in statements:
                    target = statement.targets[0]
                    single = len(statement.targets) == 1 and not statement.op
                    if isinstance(target, tree.Name | tree.Attr) and single:
                        yield target, statement.value
                    else:
                        yield None, None
