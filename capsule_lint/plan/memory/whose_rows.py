"""Whether code asks whose a row is: by its scopes or its key, or by what it has in common with another row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.local_names import named_by
from capsule_lint.program.model import enclosing
from capsule_lint.program.texts.pieces import hole_name, names_any_of, names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Class, Function


class WhoseRows(Room, Struct, frozen=True):
    """Finds what asks it of the rows that a name stands for."""

    planner: Planner

    def entity(self, binding: Binding) -> Class | None:
        """The class of the entity that a row is."""
        for one in ordered(self.program.inference.bound(binding)):
            if isinstance(one, Instance) and one.cls in self.program.domain.entities:
                return one.cls
        return None

    def is_told_by(self, call: tree.Call, binding: Binding, scopes: list[Scope]) -> bool:
        """Whether what a call asks says it: `self._same(row, other)`, where that one has every scope after the change."""
        for asked, parameter in self._asked(call, binding):
            said = {id(n) for value in asked.returns for n in within(value)}
            for node in self.comparisons(asked, parameter):
                told = id(node) in said and self._is_of_another(node, parameter)
                if told and self._is_complete(node, scopes):
                    return True
        return False

    def _asked(self, call: tree.Call, binding: Binding) -> Iterator[tuple[Function, Binding]]:
        """The functions that are given a row, or are its own, and what it is there."""
        own = call.receiver is not None and self.is_row(call.receiver, binding)
        if not own and not any(self.is_row(a.value, binding) for a in call.args):
            return
        for callee in self.program.calls.callees(call):
            asked = callee.function if callee.cls is None else None
            if asked is not None:
                given = callee.arguments(call).items()
                names = [name for name, one in given if self.is_row(one.value, binding)]
                names += [asked.self_name] if own and asked.self_name is not None else []
                for name in names:
                    yield from ((asked, one) for one in asked.scope.bindings.get(name, ()))

    def is_row(self, node: tree.Node, binding: Binding) -> bool:
        """Whether an expression is a row as it is."""
        return (
            isinstance(node, tree.Name)
            and node.id == binding.name
            and self.program.names.bindings_of(node) == [binding]
        )

    def comparisons(self, function: Function, binding: Binding) -> Iterator[tree.Compare]:
        """The comparisons of what a row has."""
        names = self.program.names
        for node in function.module.each(tree.Compare):
            if len(node.ops) == 1:
                sides = (node.left, *node.rights)
                reads = any(self._reads(side, binding) for side in sides)
                if reads and function in enclosing(names.place(node)):
                    yield node

    def is_told(self, node: tree.Compare) -> bool:
        """Whether a comparison is one of scopes, or of keys, which have them all."""
        names, scopes = map(hole_name, _compared(node)), self.program.policy.scopes
        return self._compares_keys(node) or any(names_any_of(name, scopes) for name in names)

    def _is_complete(self, node: tree.Compare, scopes: list[Scope]) -> bool:
        """Whether a comparison is one of keys, or of all of some scopes after the change."""
        notes, names = self.planner.local.notes, [hole_name(one) for one in _compared(node)]
        gained = [s for one in notes.defects if one.node is node for s in one.missing]
        return (
            notes.is_settled(node)
            or self._compares_keys(node)
            or all(s in gained or any(names_scope(name, s) for name in names) for s in scopes)
        )

    def _is_of_another(self, node: tree.Compare, row: Binding) -> bool:
        """Whether a comparison of what a row has is one with what is told besides the row, and not with itself."""
        names = self.program.names
        said = [one for side in within(node) for one in named_by(names, side)]
        return any(
            b.kind == "param" and b is not row
            for one in said
            for inner in within(one)
            if isinstance(inner, tree.Name)
            for b in names.bindings_of(inner)
        )

    def _compares_keys(self, node: tree.Compare) -> bool:
        return any(map(self.program.policy.is_key_name, map(hole_name, _compared(node))))

    def passes_others(self, node: tree.Node, binding: Binding) -> bool:
        """Whether a row goes unless a method says the same of it and of another one, whose scopes are in what that
        gives, `row.key() != other.key()`; or unless they are the same in all that they have, `row != other`."""
        match node:
            case tree.Compare(ops=("!=" | "is not",), left=left, rights=(right,)) if self.is_row(
                left, binding
            ) or self.is_row(right, binding):
                return self._is_another(right if self.is_row(left, binding) else left, binding)
            case tree.Compare(
                ops=("!=",),
                left=tree.Call(func=tree.Attr(base=left, name=name), args=()),
                rights=(tree.Call(func=tree.Attr(base=right, name=same), args=()) as call,),
            ) if name == same and (self.is_row(left, binding) or self.is_row(right, binding)):
                is_value, scopes = self.program.domain.held.is_value, self.program.policy.scopes
                callees = self.program.calls.callees(call)
                returns = [
                    v for c in callees if c.function is not None for v in c.function.returns
                ]
                return bool(returns) and all(
                    any(is_value(n, scope) for n in within(value) for scope in scopes)
                    for value in returns
                )
            case _:
                return False

    def _is_another(self, node: tree.Node, binding: Binding) -> bool:
        """Whether an expression is a row of the same class, and equal to one where they have all in common."""
        cls, classes = self.entity(binding), self.program.classes
        if cls is None or classes.method(cls, "__eq__") is not None:
            return False
        values = [field.value for field in classes.fields(cls)]
        compared = all(
            not isinstance(v, tree.Call) or v.keyword("compare") is v.keyword("eq") is None
            for v in values
        )
        types = self.program.inference.of(node)
        return compared and any(isinstance(one, Instance) and one.cls is cls for one in types)

    def _reads(self, node: tree.Node, binding: Binding) -> bool:
        match node:
            case tree.Sequence():
                return any(self._reads(item, binding) for item in node.items)
            case tree.Attr(base=tree.Name(id=name) as base) if name == binding.name:
                names = self.program.names
                return names.bindings(name, names.place(base)) == [binding]
            case _:
                return False


def _compared(node: tree.Compare) -> list[tree.Node]:
    """What a comparison compares, one by one where that is written as tuples."""
    return [item for side in (node.left, *node.rights) for item in tree.items(side)]
