"""Methods of repositories that accept a scope by which they decide nothing, while its neighbour decides
what they find: that would be a leak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.conditions import decides_alone, is_filter
from capsule_lint.plan.memory.in_order import PLACING
from capsule_lint.plan.memory.local_filters import names_beside
from capsule_lint.plan.memory.scoped_rows import ScopedRows
from capsule_lint.program.containers import LISTED
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.local_names import behind, reads_of
from capsule_lint.program.model import enclosing, last_name
from capsule_lint.program.texts.pieces import hole_name, names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.memory.collections import Collections
    from capsule_lint.plan.memory.local_notes import LocalNotes
    from capsule_lint.plan.state import State, Want
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function


@dataclass(eq=False, slots=True)
class IdleScopes:
    """Finds them when everything else has been judged."""

    program: Program
    state: State
    notes: LocalNotes
    collections: Collections

    def check(self, wants: Iterable[Want]) -> None:
        """Make the change of such a method unsafe."""
        self._unsure()
        reached = {
            (function, want.scope.name)
            for want in wants
            for function in enclosing(self.program.names.place(want.node))
        }
        for function, gained in list(self.state.params.items()):
            if self._is_judged(function):
                for scope in gained.values():
                    self._judge(function, scope, reached=(function, scope.name) in reached)

    def _unsure(self) -> None:
        """Settle the filters whose rows are told apart by the key that these are asked for by; others need a person."""
        rows = ScopedRows(self.program, self.state)
        for knot, compare, row, scopes in self.notes.unsure:
            if all(rows.has(row, scope) for scope in scopes):
                self.notes.settle(compare)
            else:
                reason = "filters rows of which it is not known where they are made"
                self.notes.obstacle(knot, compare, reason)

    def _is_judged(self, function: Function) -> bool:
        domain = self.program.domain
        if function.owner not in domain.repositories and not domain.touches_table(function):
            return False
        return not function.module.is_test

    def _judge(self, function: Function, scope: Scope, *, reached: bool) -> None:
        reads = list(self._decided_by(function, scope))
        if reads and self.program.keys.made_by(function):  # what it reads by its key is narrowed
            reads = [r for r in reads if self._is_of_stranger(r, scope)]
        if function.owner not in self.program.domain.repositories:
            reads = [r for r in reads if is_filter(self._holder(r), r, self.program)]
        loose = [r for r in reads if self._is_loose(r)]
        for read in (loose if reached else reads)[:1]:
            reason = f"decides by one scope, and `{scope.parameter}` decides nothing"
            self.notes.obstacle(("function", function), read, reason)

    def _is_of_stranger(self, read: tree.Name, scope: Scope) -> bool:
        """Whether a value is compared with that of an object which no table keeps, and which knows nothing of
        the scope: `cursor.tenant_id != tenant_id`."""
        compare, classes = self._holder(read), self.program.classes
        if not isinstance(compare, tree.Compare) or compare is not self._parent(read):
            return False
        other = compare.other(read)
        types = self.program.inference.of(other.base) if isinstance(other, tree.Attr) else ()
        found = classes_of(types)
        return bool(found) and not any(
            cls in self.program.domain.entities
            or self.program.domain.is_boundary(cls)
            or self.state.gains(owner, scope)
            or classes.has_attribute(cls, scope.parameter)
            for cls in found
            for owner in classes.mro(cls)
        )

    def _parent(self, node: tree.Node) -> object:
        return self.program.names.parent(node)

    def _is_loose(self, read: tree.Name) -> bool:
        """Whether a read decides by itself, whatever else its method does."""
        holder = self._holder(read)
        return isinstance(holder, tree.Compare) or decides_alone(holder, self.program)

    def _decided_by(self, function: Function, scope: Scope) -> Iterator[tree.Name]:
        """Where a method uses the parameter of another scope to find something, and not this one."""
        others = self.program.policy.others(scope)
        found = [self.program.domain.scope_parameter(function, s) for s in others]
        for node in self._named(function, {p.name for p in found if p is not None}):
            if self.notes.is_settled(node):
                continue
            holder = self._holder(node)
            if isinstance(holder, tree.Compare):
                sides = (holder.left, *holder.rights)
                fixed = any(isinstance(side, tree.Const) for side in sides)
                home = any(self.collections.of(side) is not None for side in holder.rights)
                if not fixed and not home and not self._is_covered(holder, scope):
                    yield node
            elif isinstance(holder, tree.Subscript):
                if self.collections.of(holder.base) is None:
                    yield node
            elif (
                is_filter(holder, node, self.program)
                or self._is_sought(node, scope)
                or self._is_placed(holder, node, scope)
            ):
                yield node

    def _is_placed(self, holder: object, node: tree.Node, scope: Scope) -> bool:
        """Whether a value is looked for among those of rows: `bisect_left(rows, tenant_id, key=lambda row: row.tenant_id)`,
        `[row.tenant_id for row in rows].index(tenant_id)`."""
        match holder:
            case tree.Call(func=func, args=(among, tree.Argument(value=sought), *_)) if (
                last_name(func) in PLACING
            ):
                made = holder.keyword("key") or among.value
            case tree.Call(
                func=tree.Attr(name="count" | "index", base=made), args=(tree.Argument(sought), *_)
            ):
                pass
            case _:
                return False
        made = behind(self.program.names, made) or made
        match made:
            case tree.Comprehension(generators=parts) if any(
                self._are_chosen(one, scope) for one in parts
            ):
                return False
            case tree.Lambda(body=said) | tree.Comprehension(results=(said,)):
                told = [hole_name(one) for one in tree.items(said)]
            case tree.Call(func=func, args=args) if last_name(func) == "attrgetter":
                told = [tree.text(argument.value) or "" for argument in args]
            case _:
                return False
        others = self.program.policy.others(scope)
        return (
            any(one is node for one in tree.items(sought))
            and any(names_scope(name, other) for name in told for other in others)
            and not any(names_scope(name, scope) for name in told)
        )

    def _are_chosen(self, part: tree.Generator, scope: Scope) -> bool:
        """Whether rows are those of a scope's value that a comprehension goes through, or a function of the program gives
        them, which may have chosen these: that is judged where it does."""
        named = (hole_name(node) for one in part.ifs for node in within(one))
        if any(names_scope(name, scope) for name in named):
            return True
        called = self.program.calls.callees(part.iter) if isinstance(part.iter, tree.Call) else ()
        return any(callee.function is not None for callee in called)

    def _is_sought(self, node: tree.Name, scope: Scope) -> bool:
        """Whether a value is part of one of the tuples among which those of rows are looked for: `wanted =
        [(tenant_id, part) for part in parts]`, `(row.tenant_id, row.part) in wanted`."""
        if not isinstance(self._parent(node), tree.Sequence):
            return False
        inner: object = node
        made: object = self._parent(node)
        while _is_made_of_several(made):
            made, inner = self.program.names.parent(made), made
        match made:
            case tree.Assign(targets=(tree.Name() as target,)):
                reads = reads_of(self.program.names, target, (target.at,))
            case tree.Call():
                reads = self._read_by(made, inner)
            case _:
                return False
        return any(self._is_loosely_sought(self._parent(read), scope) for read in reads)

    def _read_by(self, call: tree.Call, given: object) -> Iterator[tree.Name]:
        """Where the functions that are called read what they are given."""
        for callee in self.program.calls.callees(call):
            function = callee.function if callee.cls is None else None
            for name, argument in callee.arguments(call).items():
                if argument.value is given and function is not None:
                    yield from self._named(function, {name})

    def _is_loosely_sought(self, node: object, scope: Scope) -> bool:
        match node:
            case tree.Compare(ops=("in" | "not in",), left=tree.Sequence() as left):
                others = self.program.policy.others(scope)
                held = (one.name for one in left.items if isinstance(one, tree.Attr))
                said = any(names_scope(name, other) for name in held for other in others)
                return said and not self._is_covered(node, scope)
            case _:
                return False

    def _named(self, function: Function, names: set[str]) -> list[tree.Name]:
        """The names in a function that are one of some."""
        inside = self.program.names.inside(function) if names else ()
        found = [node for node in inside if isinstance(node, tree.Name) and node.id in names]
        return sorted(found, key=lambda node: node.id)

    def _holder(self, node: tree.Node) -> object:
        """What uses a value: the comparison, subscript or call around it and around tuples of it."""
        parent_of = self.program.names.parent
        holder: object = parent_of(node)
        while isinstance(holder, tree.Sequence):
            holder = parent_of(holder)
        return holder

    def _is_covered(self, node: tree.Compare, scope: Scope) -> bool:
        if self.notes.is_settled(node):
            return True
        if any(self.notes.is_settled(one) for one in (node.left, *node.rights)):
            return True
        return any(names_scope(name, scope) for name in names_beside(self.program.names, node))


def _is_made_of_several(node: object) -> bool:
    """Whether an expression makes a list, a set or a tuple of what it has inside."""
    match node:
        case tree.Sequence() | tree.Comprehension() | tree.Binary(op="|" | "+"):
            return True
        case tree.Call(func=tree.Name() as func, args=(_,)):
            return last_name(func) in LISTED
        case _:
            return False
