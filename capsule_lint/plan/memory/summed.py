"""What objects and modules sum up of rows, or collect, under one scope's value that was taken out of their keys:
`totals[pk.split("#")[1]] += row["cents"]`. Once another scope comes into the keys, its rows come together there. How many
there are is no such thing: that may be what a customer has paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.local_notes import left_out_of_key
from capsule_lint.plan.room import Room
from capsule_lint.program.containers import ADDING
from capsule_lint.program.local_names import bound_whole, made_of
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.plan.taken_apart.reads import Reader
    from capsule_lint.plan.taken_apart.scope_parts import ScopeParts
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


class _Taken(Struct, frozen=True):
    """The other scope's value in a function that takes a key apart: its expressions by their ids, the names for it, and
    those for the row."""

    function: Function
    scope: Scope
    knot: Knot
    nodes: frozenset[int]
    told: frozenset[str]
    row: frozenset[str]


class Summed(Room, Struct, frozen=True):
    """Finds such sums, once it is known who takes keys apart."""

    planner: Planner

    def note(self, readers: Iterable[Reader], parts: ScopeParts) -> None:
        """Make the changes unsafe that would leave them behind."""
        for taken in (*self._unpacked(readers), *self._picked(parts)):
            for node in self.program.names.inside(taken.function):
                named = isinstance(node, tree.Name) and node.id in taken.told
                if (named or id(node) in taken.nodes) and self._is_left(node, taken):
                    reason = left_out_of_key(taken.scope)
                    self.planner.local.notes.obstacle(taken.knot, node, reason)

    def _unpacked(self, readers: Iterable[Reader]) -> Iterator[_Taken]:
        """`_, tenant_id, _, order_id = row["PK"].split("#")`."""
        program = self.program
        for reader in readers:
            function = program.names.function_of(reader.node)
            statement = program.names.parent(reader.node)
            if (
                function is None
                or reader.module.is_test
                or not isinstance(reader.node, tree.Sequence)
                or not isinstance(statement, tree.Assign)
                or statement.value is None
            ):
                continue
            names = {one.id for one in reader.node.items if isinstance(one, tree.Name)}
            for scope in reader.scopes:
                told = {n for n in names if names_any_of(n, program.policy.others(scope))}
                row = self._names(statement.value) | (names - told)
                if told:
                    yield _Taken(
                        function, scope, reader.knot, frozenset(), frozenset(told), frozenset(row)
                    )

    def _picked(self, parts: ScopeParts) -> Iterator[_Taken]:
        """`row["PK"].split("#")[1]`, and a local that is that."""
        program = self.program
        for call in program.calls.uses.calls_beside("split"):
            function = program.names.function_of(call)
            node = program.names.parent(call)
            if function is None or function.module.is_test or not isinstance(node, tree.Subscript):
                continue
            for scope in program.policy.scopes:
                for old in program.policy.others(scope):
                    part = parts.beside(node, old, scope)
                    if part is None or part.knot is None:
                        continue
                    statement = program.names.parent(node)
                    targets = statement.targets if isinstance(statement, tree.Assign) else ()
                    told = frozenset(t.id for t in targets if isinstance(t, tree.Name))
                    row = frozenset(self._names(node) - told)
                    yield _Taken(function, scope, part.knot, frozenset((id(node),)), told, row)

    def _names(self, node: tree.Node) -> set[str]:
        made = made_of(self.program.names, node)
        return {one.id for one in made if isinstance(one, tree.Name)}

    def _is_left(self, node: tree.Node, taken: _Taken) -> bool:
        """Whether something of the row is kept under the value alone."""
        parent = self.program.names.parent(node)
        match parent:
            case tree.Subscript(base=base, index=index) if index is node:
                pass
            case tree.Call(func=tree.Attr(name="setdefault", base=base)) if (
                parent.args[0].value is node
            ):
                pass
            case _:
                return False
        if not self._is_kept(base) or self.planner.local.notes.is_settled(node):
            return False
        if self.planner.local.collections.of(base) in self.planner.local.rekeyed:
            return False
        return any(
            not taken.row.isdisjoint(self._names(one))
            for value in self._put(parent)
            for one in within(value)
            if isinstance(one, tree.Name) and one.id not in taken.told
        )

    def _is_kept(self, base: tree.Node) -> bool:
        """Whether a collection outlives the function."""
        if isinstance(base, tree.Name):
            binding = bound_whole(self.program.names, base)
            return binding is not None and binding.is_global
        return isinstance(base, tree.Attr)

    def _put(self, access: tree.Node) -> list[tree.Node]:
        """What is assigned to an element of a collection, or added to it."""
        parent_of = self.program.names.parent
        parent = parent_of(access)
        put = [a.value for a in access.args[1:]] if isinstance(access, tree.Call) else []
        if isinstance(parent, tree.Assign) and any(access is t for t in parent.targets):
            put += [] if parent.value is None else [parent.value]
        elif isinstance(parent, tree.Attr) and parent.name in ADDING:
            call = parent_of(parent)
            put += [a.value for a in call.args] if isinstance(call, tree.Call) else []
        return put
