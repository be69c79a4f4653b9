"""Values that go with what a local has for another scope: beside `tenant_id = ctx.tenant_id` stands `capsule_id =
ctx.capsule_id`, and whatever is given the one local is given the other."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want
from capsule_lint.plan.supply.repeats import repeatable, unpacked
from capsule_lint.program.walk import targets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Function


class BesideLocals(Room, Struct, frozen=True):
    """Finds them."""

    planner: Planner

    def kept(self, want: Want, value: Value) -> Value:
        """A value, to be kept behind the local of which its neighbour is read at the place of a want if both come of
        one object; or as it is."""
        if value.beside is not None:
            return value
        for binding in self._locals(want):
            host, read = binding.function, _given(binding)
            if host is None or read is None:
                continue
            may_be = value.root is host if value.bind else self._may_keep(host, want.scope, read)
            alike = _read_in(value.code) == _read_in(text_of(read) or "") != ("", "")
            if may_be and alike and self._stands(value, binding) and self.reaches(binding, want.node, value):
                return replace(value, bind=True, root=host, beside=binding)
        return value

    def value(self, want: Want) -> Value | None:
        """What goes with the local that a call comes to be given for another scope, where it gives nothing for any so
        far: `ctx.capsule_id` of `put(order)`, and not `order.capsule_id`, beside `tenant_id = ctx.tenant_id`."""
        own = self.planner.sources.own(want.scope, want.node)
        for binding in self._named(want) if own is None else ():
            read = _given(binding)
            if not isinstance(read, tree.Attr) or not repeatable(read.base, self.program):
                continue
            asked = Want(want.scope, read, want.knot, "local", mirror=read)
            value = self.planner.values.value(asked)
            if value is not None and self.reaches(binding, want.node, value):
                return value
        return None

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
            if len(found) == 1 and stays and _is_plain(found[0]):
                yield found[0]
        yield from self._named(want)

    def _named(self, want: Want) -> Iterator[Binding]:
        """The locals that a call which gives nothing for any scope comes to be given for others."""
        if want.purpose != "argument" or any(self.planner.origins.said(want)):
            return
        place, sources = self.program.names.place(want.node), self.planner.sources
        for other in (
            self.program.policy.others(want.scope) if not place.scope.module.is_test else ()
        ):
            named = sources.own(other, want.node)
            if named is not None and named.knot is None:
                binding = sources.visible.binding(named.code, place)
                if binding is not None and _is_plain(binding):
                    yield binding

    def _may_keep(self, host: Function, scope: Scope, read: tree.Node) -> bool:
        """Whether a function can keep for a scope what stands wherever it is needed so far: an attribute, which its
        object has anyway."""
        taken = self.planner.sources.visible.is_taken(host, scope.parameter)
        return isinstance(read, tree.Attr) and not taken and not self.state.gains(host, scope)

    def _stands(self, value: Value, binding: Binding) -> bool:
        """Whether a value is there already where the local is given its own, and is not set anew later."""
        given = binding.value
        if given is None or self.planner.set_here.standing(value, given) is None:
            return False
        return not any(
            isinstance(statement, tree.Assign)
            and any(text_of(target) == value.code for target in statement.targets)
            for statement, _ in binding.place.scope.statements
        )


def _is_plain(binding: Binding) -> bool:
    """Whether a local of a function is given its value by one assignment, and stays as it is."""
    scope, statement = binding.place.scope, binding.place.statement
    targets = statement.targets if isinstance(statement, tree.Assign) else ()
    bound = {leaf.at for target in targets for leaf, _ in targets_of(target)}
    once = scope.kind == "function" and len(scope.bindings[binding.name]) == 1
    return once and binding.at in bound


def _given(binding: Binding) -> tree.Node | None:
    """What a local is given, also of several that are unpacked."""
    value = binding.value
    for step in binding.path:
        value = unpacked(value, step)
    return value


def _read_in(code: str) -> tuple[str, str]:
    """Of what a value is read, whatever makes it, and in what way, for one may fail where the other does not:
    `event["claims"]` and `Subscript` of `Id(event["claims"]["tenant"])`; empty where that is not known."""
    node: ast.expr | None = ast.parse(code, mode="eval").body if code else None
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        node = node.args[0]
        if isinstance(node, ast.Name):
            return node.id, ""
    match node:
        case (
            ast.Attribute(value=owner)
            | ast.Subscript(value=owner)
            | ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[_, *_])
        ):
            return ast.unparse(owner), type(node).__name__
        case _:
            return "", ""
