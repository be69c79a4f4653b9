"""Values that go with what a local has for another scope: beside `tenant_id = ctx.tenant_id` stands `capsule_id =
ctx.capsule_id`, and whatever is given the one local is given the other."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.repeats import unpacked
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.walk import targets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value, Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Class, Function

_CONSTRUCTORS: Final = ("__init__", "__new__", "__post_init__")


class BesideLocals(Room, Struct, frozen=True, dict=True):
    """Finds them."""

    planner: Planner

    def kept(self, want: Want, value: Value) -> Value:
        """A value, to be kept behind the local of which its neighbour is read at the place of a want if both come of
        one object; or as it is."""
        if value.beside is not None:
            return value
        for binding in self._locals(want):
            host, read = binding.function, _given(binding)
            if host is None or not isinstance(read, tree.Attr):
                continue
            fits = value.root is host if value.bind else self._may_keep(host, want.scope)
            if fits and self._stays(value, read) and self.reaches(binding, want.node, value):
                return replace(value, bind=True, root=host, beside=binding)
        return value

    def reaches(self, binding: Binding, node: tree.Node, value: Value) -> bool:
        """Whether a value that is taken behind a local is the same, and there in any case, at an expression."""
        names, place = self.program.names, self.program.names.place(node)
        return self.planner.sources.visible.binding(binding.name, place) is binding and all(
            names.bindings(one.id, binding.place) == names.bindings(one.id, place)
            for one in ast.walk(ast.parse(value.code, mode="eval"))
            if isinstance(one, ast.Name)
        )

    def _locals(self, want: Want) -> Iterator[Binding]:
        """The locals of which the neighbours are read at the place of a want."""
        for node in self.planner.origins.said(want):
            found = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
            stays = self.planner.sources.restated.path(node) is node
            if len(found) == 1 and stays and self._is_plain(found[0]):
                yield found[0]

    def _is_plain(self, binding: Binding) -> bool:
        if id(binding) not in self._plain:
            self._plain[id(binding)] = _is_plain(binding)
        return self._plain[id(binding)]

    @cached_property
    def _plain(self) -> dict[int, bool]:
        """Which bindings, by their identity, are plain, as far as that was asked."""
        return {}

    def _may_keep(self, host: Function, scope: Scope) -> bool:
        """Whether a function can keep for a scope what stands wherever it is needed so far."""
        taken = self.planner.sources.visible.is_taken(host, scope.parameter)
        return not taken and not self.state.gains(host, scope)

    def _stays(self, value: Value, read: tree.Attr) -> bool:
        """Whether a value is an attribute of the object of which another one is read, and plain data that only the
        constructors of that object's class set: reading it cannot fail, and gives the same at any time."""
        name = _attribute_of(value.code, text_of(read.base))
        types = self.program.inference.of(read.base) if isinstance(read.base, tree.Name) else ()
        return bool(name and types) and all(
            isinstance(one, Instance) and self._keeps(one.cls, name) for one in types
        )

    def _keeps(self, cls: Class, name: str) -> bool:
        if (cls, name) not in self._kept:
            self._kept[cls, name] = self._keeps_as_made(cls, name)
        return self._kept[cls, name]

    @cached_property
    def _kept(self) -> dict[tuple[Class, str], bool]:
        """Which classes keep an attribute as it was made, as far as that was asked."""
        return {}

    def _keeps_as_made(self, cls: Class, name: str) -> bool:
        """Whether a class has an attribute that nothing but constructors sets, and that no method makes."""
        every, made = self.program.classes.mro(cls), {name, "__getattr__", "__getattribute__"}
        if not any(one.has(name) for one in every) or any(
            made & one.methods.keys() for one in every
        ):
            return False
        return not any(
            isinstance(node, tree.Attr) and self._is_set(node)
            for node in self.program.names.named(name)
        )

    def _is_set(self, node: tree.Attr) -> bool:
        """Whether an attribute is given something where it stands, by what is no constructor."""
        statement = self.program.names.place(node).statement
        targets = statement.targets if isinstance(statement, tree.Assign) else ()
        function = self.program.names.function_of(node)
        constructs = function is not None and function.name in _CONSTRUCTORS
        return not constructs and any(leaf is node for t in targets for leaf, _ in targets_of(t))


def _is_plain(binding: Binding) -> bool:
    """Whether a local of a function is given its value by one assignment, in lines of its own, and stays as it is."""
    scope, statement = binding.place.scope, binding.place.statement
    if not isinstance(statement, tree.Assign) or scope.kind != "function":
        return False
    bound = {leaf.at for target in statement.targets for leaf, _ in targets_of(target)}
    once = len(scope.bindings.get(binding.name, ())) == 1
    rows = range(statement.span.start.row, statement.span.end.row + 1)
    shared = any(o is not statement and o.span.start.row in rows for o, _ in scope.statements)
    return once and binding.at in bound and not shared


def _given(binding: Binding) -> tree.Node | None:
    """What a local is given, also of several that are unpacked."""
    value = binding.value
    for step in binding.path:
        value = unpacked(value, step)
    return value


def _attribute_of(code: str, owner: str | None) -> str:
    """The attribute of an object that a value is, whatever makes it: `capsule_id` of `CapsuleId(ctx.capsule_id)`; empty
    where it is none."""
    node = ast.parse(code, mode="eval").body
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        node = node.args[0]
    is_its = isinstance(node, ast.Attribute) and ast.unparse(node.value) == owner
    return node.attr if is_its and isinstance(node, ast.Attribute) else ""
