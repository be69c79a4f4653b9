"""Values that a function, lambda or generator inside of another function would ask of what knows the request or the
thread, `g.capsule_id` or `current_context().capsule_id`, and did not ask so far: it may run when that is over, or elsewhere.
They are taken in the function around, beside the local that the neighbour is kept in."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Value, Want
from capsule_lint.plan.supply.repeats import names_in, runs_in
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.model import Class, enclosing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.program.model import Binding, Function, Place

_ANYWHERE: Final = ("test", "given")
"""The kinds of values that are the same wherever and whenever they are asked for."""


class Outside(Room, Struct, frozen=True):
    """Sees to it that they are."""

    planner: Planner

    def kept(self, want: Want, found: Value | None) -> Value | None:
        """The value of a want, or what is kept in the function around in its place; `None` where nothing says that it
        can be asked there."""
        place = self.program.names.place(want.node)
        own, planner = place.scope.function, self.planner
        if own is None or own.module.is_test or not self._is_inside(want.node, own):
            return found
        if (found is not None and not self.asks(found, place)) or planner.others.beside(want):
            return found
        said = list(planner.origins.said(want))
        for binding in (one for node in said for one in self._around(node)):
            beside = self._beside(want, binding)
            if beside is not None:
                return beside
        if found is None or found.bind or self._asks_already(want, said, found):
            return found
        host = next((f for f in enclosing(place) if self.program.domain.enters(f)), None)
        if host is None or runs_in(want.node, host.scope, self.program):
            return found if host is not None else None
        taken = planner.sources.visible.is_taken(host, want.scope.parameter)
        return None if taken else replace(found, bind=True, root=host)

    def asks(self, value: Value, place: Place) -> bool:
        """Whether a value is asked of what another time, or another thread, may know nothing of: an object or a function
        of a module."""
        fixed = value.kind in _ANYWHERE or (value.kind == "constant" and not value.bind)
        if fixed or not value.code:
            return False
        brought = {name.partition(".")[0] for _, name in value.imports}
        return any(n in brought or self._is_of_module(n, place) for n in _asked(value.code))

    def must_be_kept(self, want: Want, value: Value) -> bool:
        """Whether a value has to be taken in the function around."""
        root = value.root
        if value.beside is not None or root is None:
            return value.beside is not None
        place = self.program.names.place(want.node)
        return not runs_in(want.node, root.scope, self.program) and self.asks(value, place)

    def _is_inside(self, node: tree.Node, function: Function) -> bool:
        return function.parent is not None or not runs_in(node, function.scope, self.program)

    def _is_of_module(self, name: str, place: Place) -> bool:
        """Whether a name is that of a module's object or function at a place, and no class."""
        names = self.program.names
        bindings = names.bindings(name, place)
        known = names.definition(f"{place.scope.module.name}.{name}") if bindings else None
        return any(b.is_global for b in bindings) and not isinstance(known, Class)

    def _asks_already(self, want: Want, said: list[tree.Node], found: Value) -> bool:
        """Whether the code that needs a value asks the same for another one, or for anything else."""
        if any(self._is_asked_here(node, set()) for node in said):
            return True
        names, inner = self.program.names, self.program.names.place(want.node).scope
        function = inner.function
        if function is None:
            return False
        if runs_in(want.node, function.scope, self.program):
            inner = function.scope
        asked = set(_asked(found.code))
        return any(
            isinstance(node, tree.Name)
            and node.id in asked
            and inner in names.place(node).scope.ancestors()
            for node in names.inside(function)
        )

    def _is_asked_here(self, node: tree.Node, seen: set[int]) -> bool:
        """Whether a value is asked of a module's object or function where it is used, also into a local."""
        code, place = text_of(node), self.program.names.place(node)
        asked = _asked(code) if code is not None else (one.id for one in names_in(node))
        if any(self._is_of_module(name, place) for name in asked):
            return True
        for name in names_in(node):
            for binding in self.program.names.bindings_of(name):
                value, scope = binding.value, binding.place.scope
                if value is None or id(binding) in seen or not runs_in(name, scope, self.program):
                    continue
                seen.add(id(binding))
                if self._is_asked_here(value, seen):
                    return True
        return False

    def _around(self, node: tree.Node) -> Iterator[Binding]:
        """The one assignment of a local of a function around that a neighbour is read of later, or elsewhere."""
        binding = bound_whole(self.program.names, node)
        if binding is None or binding.kind != "assign" or binding.place.scope.kind != "function":
            return
        statement = binding.place.statement
        whole = isinstance(statement, tree.Assign) and statement.value is binding.value
        alone = isinstance(statement, tree.Assign) and len(statement.targets) == 1
        later = statement is not None and node.span.start.row > statement.span.end.row
        if whole and alone and later and not runs_in(node, binding.place.scope, self.program):
            yield binding

    def _beside(self, want: Want, binding: Binding) -> Value | None:
        """What is asked beside the neighbour where that is kept."""
        read, host = binding.value, binding.function
        if read is None or host is None:
            return None
        if self.planner.sources.visible.is_taken(host, want.scope.parameter):
            return None
        alike = self.planner.gains.mirrored(read, want.scope, want.knot)
        if alike is None and self.planner.values.asked_alike(read, want.scope) is None:
            return None
        asked = Want(want.scope, read, want.knot, "local", mirror=read)
        found = self.planner.values.value(asked)
        if found is None or not self.asks(found, binding.place):
            return None
        return replace(found, bind=True, root=host, beside=binding)


def _asked(code: str) -> Iterator[str]:
    """The names of what an expression asks: `g` of `g.capsule_id`, and not `CapsuleId` of `CapsuleId(capsule)`."""
    nodes: list[ast.AST] = [ast.parse(code, mode="eval").body]
    while nodes:
        match nodes.pop():
            case ast.Call(func=ast.Name(), args=args, keywords=keywords) if args or keywords:
                nodes += [*args, *(one.value for one in keywords)]
            case ast.Name(id=name):
                yield name
            case node:
                nodes += [
                    one
                    for one in ast.iter_child_nodes(node)
                    if isinstance(one, ast.expr | ast.keyword)
                ]
