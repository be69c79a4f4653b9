"""Reads of all rows that a repository in memory keeps, whoever they belong to: `list(self._orders.values())`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want
from capsule_lint.program.containers import ADDING, DROPPING
from capsule_lint.program.inference.types import Collection, Instance, ordered
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import Class, enclosing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

_MAX_DEPTH = 4


class WholeRead(Struct, frozen=True):
    """An expression that yields all rows, as code, and of which entity they are."""

    node: tree.Node
    rows: str
    cls: Class


@dataclass(eq=False)
class WholeReads(Room):
    """Finds them, and demands scopes of the methods that make them where no row had any before."""

    planner: Planner
    _known: dict[Function, list[WholeRead]] = field(default_factory=dict)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        found = False
        for cls in self._repositories:
            gained = [m for m in cls.methods.values() if m in self.state.params]
            for method in cls.methods.values() if gained else ():
                if method not in self.state.params and self._is_lacking(cls, method):
                    found |= self.planner.demands.demand_reading(cls, method)
        return found

    @cached_property
    def _repositories(self) -> list[Class]:
        found = (
            cls
            for cls in self.program.domain.repositories
            if not cls.module.is_test and not cls.module.generated
        )
        return sorted(found, key=lambda c: c.symbol)

    def _is_lacking(self, cls: Class, method: Function) -> bool:
        reads = self.of(method)
        if not reads or not any(map(self._is_new, (read.cls for read in reads))):
            return False
        if any(map(self.program.domain.touches_table, self._family(method))):
            return False
        scopes = self.planner.demands.required_of(cls, method)
        if not all(set(scopes) <= self.scopes_of(read) for read in reads):
            return False
        return self.are_told(method, scopes)

    def are_told(self, method: Function, scopes: tuple[Scope, ...]) -> bool:
        """Whether all who call a method, tests aside, have the scopes, or can be told them."""
        return all(self._is_told(call, method, scopes, 0) for call in self.callers(method))

    def scopes_of(self, read: WholeRead) -> set[Scope]:
        """The scopes that the rows have which a read yields."""
        return set(self.program.policy.scopes_of(read.cls.name))

    def _is_new(self, cls: Class) -> bool:
        """Whether rows of a class gain all scopes that they need, and had none."""
        scopes = self.program.policy.scopes_of(cls.name)
        return bool(scopes) and all(
            self.planner.gains.gaining(cls, scope) is not None for scope in scopes
        )

    def _family(self, function: Function) -> frozenset[Function]:
        return self.program.calls.families.of(function)

    def callers(self, function: Function) -> Iterator[tree.Call]:
        """The calls of a function outside of tests."""
        for member in self._family(function):
            for call, _ in self.program.calls.callers(member):
                if not self.program.names.module_of(call).is_test:
                    yield call

    def _is_told(
        self, call: tree.Call, callee: Function, scopes: tuple[Scope, ...], depth: int
    ) -> bool:
        """Whether there is a value for the scopes where a function is called, or where that is called which
        calls it: no job that goes through the rows of everybody."""
        if self.has_values(call, callee, scopes):
            return True
        place = self.program.names.place(call)
        function = next(enclosing(place), None)
        if (
            function is None
            or depth > _MAX_DEPTH
            or not self.planner.signatures.can_gain(function)
        ):
            return False
        callers = list(self.callers(function))
        return bool(callers) and all(
            self._is_told(one, function, scopes, depth + 1) for one in callers
        )

    def has_values(self, call: tree.Call, callee: Function, scopes: tuple[Scope, ...]) -> bool:
        """Whether there is a value for the scopes where a function is called."""
        knot = ("function", callee)
        wants = [Want(s, call, knot, "argument", call=call, callee=callee) for s in scopes]
        return all(self.planner.values.value(want) is not None for want in wants)

    # --- reads ---

    def of(self, function: Function) -> list[WholeRead]:
        """The expressions of a method that yield all rows of a collection of its object's."""
        if function not in self._known:
            self._known[function] = list(self._find(function))
        return self._known[function]

    def _find(self, function: Function) -> Iterator[WholeRead]:
        own, names = function.self_name, self.program.names
        inside = [n for n in names.inside(function) if isinstance(n, tree.Attr)] if own else []
        for node in inside:
            if not isinstance(node.base, tree.Name) or node.base.id != own:
                continue
            found = self._read(node)
            cls = self._entity(found[0]) if found is not None else None
            if found is None or cls is None or self._is_replaced(node, function):
                continue
            if not self._is_size(found[0], node, function):
                yield WholeRead(*found, cls)

    def _is_size(self, rows: tree.Node, kept: tree.Attr, function: Function) -> bool:
        """Whether only the length of a collection is asked, for a position in it, `range(len(self._rows))`, or by a method
        that adds to it or takes from it, and so knows of no one's rows: `if len(self._rows) > 9: self._rows.pop(0)`. What is
        told of it once that is done is a count."""
        names = self.program.names
        counted = names.parent(rows)
        if not _is_call(counted, "len") or not isinstance(counted, tree.Call):
            return False
        match around := names.parent(counted):
            case tree.Subscript() | tree.Slice():
                return True
            case tree.Binary(op="-", left=left, right=tree.Const(value=1)) if left is counted:
                return True
        changes = [
            one.at
            for one in names.inside(function)
            if isinstance(one, tree.Attr)
            and text_of(one) == text_of(kept)
            and self._is_changed(one)
        ]
        told = any(at < kept.at for at in changes) and self._is_returned(counted)
        return _is_call(around, "range") or (bool(changes) and not told)

    def _is_returned(self, node: tree.Node) -> bool:
        """Whether a method returns a number, by itself, by a local, or as a part of what it returns."""
        names = self.program.names
        parent = names.parent(node)
        while isinstance(parent, tree.Call | tree.DictDisplay | tree.Sequence | tree.Conditional):
            node, parent = parent, names.parent(parent)
        match parent:
            case tree.Eval(kind="return"):
                return True
            case tree.Assign(targets=(tree.Name() as local,), op=""):
                reads = reads_of(names, local, (local.at,))
                return any(self._is_returned(one) for one in reads if one.at > local.at)
            case _:
                return False

    def _is_changed(self, kept: tree.Attr) -> bool:
        """Whether elements are added to a collection, or taken out of it."""
        match parent := self.program.names.parent(kept):
            case tree.Attr(name=name):
                return name in ADDING | DROPPING
            case tree.Subscript(base=base) if base is kept:
                outer = self.program.names.parent(parent)
                return isinstance(outer, tree.Eval) and outer.kind == "del"
            case _:
                return False

    def _read(self, kept: tree.Attr) -> tuple[tree.Node, str] | None:
        """`list(self._orders.values())`, `self._orders.values()`, or a list that is counted or gone through."""
        parent_of, code = self.program.names.parent, f"{_owner(kept)}.{kept.name}"
        node: tree.Node = kept
        around = parent_of(node)
        if isinstance(around, tree.Attr) and around.name == "values":
            call = parent_of(around)
            if not isinstance(call, tree.Call) or call.args:
                return None
            node, code, around = call, f"{code}.values()", parent_of(call)
        elif not self._is_kind(kept, "list"):
            counted = isinstance(around, tree.Call) and _is_call(around, "len")
            return (node, f"{code}.values()") if counted and self._is_kind(kept, "dict") else None
        elif not _is_call(around, "len", "list", "sorted") and not self._is_gone_through(node):
            return None
        if isinstance(around, tree.Call) and _is_call(around, "list"):
            node = around
        return node, code

    def _is_gone_through(self, node: tree.Node) -> bool:
        """Whether a loop goes through a collection."""
        scope = self.program.names.place(node).scope
        parent = self.program.names.parent(node)
        if isinstance(parent, tree.Comprehension):
            return any(g.iter is node for g in parent.generators)
        return any(
            b.kind == "for" and b.value is node for bs in scope.bindings.values() for b in bs
        )

    def _is_kind(self, kept: tree.Attr, kind: str) -> bool:
        """Whether an attribute is known to be a collection of a kind: a list, a dict."""
        types = self.program.inference.of(kept)
        kinds = [one.kind for one in types if isinstance(one, Collection)]
        return bool(kinds) and all(one == kind for one in kinds)

    def _entity(self, rows: tree.Node) -> Class | None:
        """The entity that a collection yields."""
        domain = self.program.domain
        for one in ordered(self.program.inference.of(rows)):
            for item in one.items if isinstance(one, Collection) else ():
                if isinstance(item, Instance) and item.cls in domain.entities:
                    return item.cls
        return None

    def _is_replaced(self, kept: tree.Attr, function: Function) -> bool:
        """Whether a method gives its object another collection: what it left out would be lost."""
        for statement, place in function.module.statements:
            if place.scope.function is function and isinstance(statement, tree.Assign):
                for target in statement.targets:
                    base = target.base if isinstance(target, tree.Subscript) else target
                    if isinstance(base, tree.Attr) and base.name == kept.name:
                        return True
        return False


def _owner(node: tree.Attr) -> str:
    """The name of which something is an attribute."""
    return node.base.id if isinstance(node.base, tree.Name) else ""


def _is_call(node: object, *names: str) -> bool:
    """Whether a node is a call of one of the functions that everybody knows, with its first argument."""
    return (
        isinstance(node, tree.Call) and isinstance(node.func, tree.Name) and node.func.id in names
    )
