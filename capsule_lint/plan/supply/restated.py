"""Locals that say what an object has under the name of a scope: `tenant_id = wallet.tenant_id`. Where the function
gains a parameter of that name, the line goes, and the path stands wherever the local stood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.local_names import BY_NAME, bound_whole, reads_of
from capsule_lint.program.model import enclosing, first_name
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.state import State
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Function
    from capsule_lint.program.names import Names

CONSTRUCTORS: Final = ("__init__", "__new__", "__post_init__", "model_post_init")
"""The methods that set what an object has from the start."""
_BY_NAME: Final = BY_NAME | {"dir"}


class Restatement(Struct, frozen=True):
    """Such a local: the statement and the target that bind it, the path that it is given, and where it is read."""

    statement: tree.Assign
    target: tree.Name
    path: tree.Attr
    reads: tuple[tree.Name, ...]


@dataclass(eq=False, slots=True)
class Restated:
    """Finds them."""

    program: Program
    state: State
    _known: dict[tuple[Function, str], Restatement | None] = field(default_factory=dict)

    def local(self, function: Function, name: str) -> Restatement | None:
        """The local of a function that can give its name up; `None` where it cannot, or there is none."""
        key = (function, name)
        if key not in self._known:
            self._known[key] = self._local(function, name)
        return self._known[key]

    def path(self, node: tree.Node) -> tree.Node:
        """What stands in the place of a local once its function has the parameter; or the node itself."""
        if not isinstance(node, tree.Name):
            return node
        function = self.program.names.function_of(node)
        while function is not None:
            if node.id in self.state.params.get(function, ()):
                found = self.local(function, node.id)
                return found.path if found is not None and node in found.reads else node
            function = function.parent
        return node

    def _local(self, function: Function, name: str) -> Restatement | None:
        found = self._stated(function, name)
        if found is None or not found.reads or not self._is_steady(found.path, function):
            return None
        names = self.program.names
        bound, order = _bindings(names, found.path.base), names.place(found.path).order
        for read in found.reads:
            place = names.place(read)
            base = first_name(found.path)
            if names.bindings(base, place) != bound or place.order <= order:
                return None
            if self._is_shown(read):
                return None
        return found

    def _stated(self, function: Function, name: str) -> Restatement | None:
        """The local of that name, if one statement that is always run gives it a path and nothing else does
        anything to it."""
        bindings, names = function.scope.bindings.get(name, ()), self.program.names
        statement = bindings[0].place.statement if len(bindings) == 1 else None
        if name in function.scope.outer or not isinstance(statement, tree.Assign):
            return None
        if not any(statement is one for one in function.fact.straight):
            return None
        inside = [n for n in names.inside(function) if isinstance(n, tree.Name)]
        if any(n.id in _BY_NAME for n in inside) or self._is_deleted(function, name):
            return None
        for target, path in pairs_of(statement):
            if target.id == name and isinstance(path, tree.Attr):
                reads = tuple(reads_of(names, target, (target.at,)))
                return Restatement(statement, target, path, reads)
        return None

    def _is_deleted(self, function: Function, name: str) -> bool:
        return any(
            isinstance(statement, tree.Eval)
            and statement.kind == "del"
            and any(
                isinstance(n, tree.Name) and n.id == name
                for v in statement.values
                for n in within(v)
            )
            for statement, _ in function.scope.statements
        )

    def _is_steady(self, path: tree.Attr, function: Function) -> bool:
        """Whether a path is an attribute of a parameter which says a scope and stays what it is."""
        binding = bound_whole(self.program.names, path.base)
        if binding is None or binding.kind != "param" or binding.place.scope is not function.scope:
            return False
        if not names_any_of(path.name, self.program.policy.scopes):
            return False
        inference = self.program.inference
        classes = inference.any_class(inference.of(path.base))
        owners = {owner for cls in classes for owner in self.program.classes.mro(cls)}
        stores = (s for owner in owners for s in owner.stores.get(path.name, ()))
        if not classes or any(path.name in owner.methods for owner in owners):
            return False
        return all(s.function.name in CONSTRUCTORS for s in stores) and not any(
            isinstance(statement, tree.Assign)
            and any(isinstance(t, tree.Attr) and t.name == path.name for t in statement.targets)
            for statement, place in function.module.statements
            if function in enclosing(place)
        )

    def _is_shown(self, read: tree.Name) -> bool:
        """Whether an f-string shows the name as well: `f"{tenant_id=}"`."""
        around = self.program.names.parent(read)
        return isinstance(around, tree.FString) and any(
            isinstance(part, str) and part.rstrip().endswith(f"{read.id}=")
            for part in around.parts
        )


def pairs_of(statement: tree.Assign) -> list[tuple[tree.Name, tree.Node]]:
    """The names that an assignment binds and what it gives them, where all of that is plain: names and
    attributes of names; nothing elsewhere."""
    match statement:
        case tree.Assign(targets=(tree.Name() as target,), op="", value=tree.Attr() as value):
            pairs: list[tuple[tree.Node, tree.Node]] = [(target, value)]
        case tree.Assign(
            targets=(tree.Sequence(kind="tuple", items=targets),),
            op="",
            value=tree.Sequence(kind="tuple", items=values),
        ) if len(targets) == len(values):
            pairs = list(zip(targets, values, strict=True))
        case _:
            return []
    named = [(target, value) for target, value in pairs if isinstance(target, tree.Name)]
    plain = all(
        isinstance(value.base if isinstance(value, tree.Attr) else value, tree.Name)
        for _, value in named
    )
    return named if plain and len(named) == len(pairs) else []


def _bindings(names: Names, node: tree.Node) -> Sequence[Binding]:
    return names.bindings_of(node) if isinstance(node, tree.Name) else ()
