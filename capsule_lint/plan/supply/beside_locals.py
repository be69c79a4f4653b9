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
from capsule_lint.plan.supply.repeats import unpacked
from capsule_lint.program.walk import targets_of

if TYPE_CHECKING:
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value, Want
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
        for node in self.planner.origins.said(want):
            binding = self._local(node)
            host = binding.function if binding is not None else None
            read = _given(binding) if binding is not None else None
            if binding is None or host is None or read is None:
                continue
            may_be = value.root is host if value.bind else self._may_keep(host, want.scope, read)
            alike = may_be and _owner(value.code) == _owner(text_of(read) or "") != ""
            if alike and self._stands(value, binding) and self.reaches(binding, want.node, value):
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

    def _local(self, node: tree.Node) -> Binding | None:
        """The one assignment of the local that an expression is, if that stays in its function."""
        found = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        if len(found) != 1 or self.planner.sources.restated.path(node) is not node:
            return None
        scope, statement = found[0].place.scope, found[0].place.statement
        once = scope.kind == "function" and len(scope.bindings[found[0].name]) == 1
        targets = statement.targets if isinstance(statement, tree.Assign) else ()
        bound = {leaf.at for target in targets for leaf, _ in targets_of(target)}
        return found[0] if once and found[0].at in bound else None

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


def _given(binding: Binding) -> tree.Node | None:
    """What a local is given, also of several that are unpacked."""
    value = binding.value
    for step in binding.path:
        value = unpacked(value, step)
    return value


def _owner(code: str) -> str:
    """Of what a value is read, whatever makes it: `event["claims"]` of `Id(event["claims"]["tenant"])`; empty where
    that is not known."""
    node: ast.expr | None = ast.parse(code, mode="eval").body if code else None
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        node = node.args[0]
        if isinstance(node, ast.Name):
            return node.id
    match node:
        case (
            ast.Attribute(value=owner)
            | ast.Subscript(value=owner)
            | ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[_, *_])
        ):
            return ast.unparse(owner)
        case _:
            return ""
