"""Comparisons outside of repositories that decide by one scope whether somebody may see a row, where the row and
whoever asks have another scope as well: `if doc.tenant_id != ctx.tenant_id: raise PermissionError`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import rename, text_of
from capsule_lint.plan.memory.beside import Beside
from capsule_lint.plan.supply.repeats import repeatable
from capsule_lint.program.inference.types import Collection, Instance, ordered
from capsule_lint.program.model import owner_of
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function


class _Check(Struct, frozen=True):
    """A comparison of a scope's value of a row with the one of who asks."""

    node: tree.Compare
    row: tree.Attr
    asked: tree.Attr | tree.Name
    cls: Class
    function: Function
    said: Scope


@dataclass(eq=False, slots=True)
class AccessChecks(Beside[_Check]):
    """Demands the comparison of the other scope beside it."""

    def _find(self) -> Iterator[_Check]:
        program = self.program
        for module in program.names.judged():
            for node in module.each(tree.Compare) if not module.is_test else ():
                function = program.names.function_of(node)
                if function is None or node.ops not in (("==",), ("!=",)):
                    continue
                if owner_of(function) not in program.domain.repositories:
                    yield from self._read(node, function)

    def _read(self, node: tree.Compare, function: Function) -> Iterator[_Check]:
        """What a comparison says, if it is one of a row's scope with another's."""
        is_value = self.program.domain.held.is_value
        for one, other in node.both_ways:
            for scope in self.program.policy.scopes:
                if (
                    isinstance(one, tree.Attr)
                    and isinstance(other, tree.Attr | tree.Name)
                    and names_scope(one.name, scope)
                    and is_value(other, scope)
                ):
                    cls = self._row(one.base)
                    if cls is not None:
                        yield _Check(node, one, other, cls, function, scope)
                        return

    def _row(self, node: tree.Node) -> Class | None:
        """The entity that an expression is, unless it is what a scope is the boundary of."""
        domain = self.program.domain
        for one in ordered(self.program.inference.of(node)):
            if isinstance(one, Instance) and one.cls in domain.entities:
                return None if domain.is_boundary(one.cls) else one.cls
        return None

    def _lacks(self, check: _Check, scope: Scope) -> bool:
        """Whether both sides have a scope, or gain it, and it is not compared."""
        needs = self.planner.local.needs
        owner = owner_of(check.function) or check.function.module
        required = needs.required(owner, check.function, check.function.module)
        return (
            scope in required
            and scope in self.program.policy.scopes_of(check.cls.name)
            and self._gains(check.cls, scope)
            and self._knows(check, scope)
            and not compares(self.program, check.function, scope)
            and not self.planner.local.notes.is_settled(check.node)
        )

    def _gains(self, cls: Class, scope: Scope) -> bool:
        return self.planner.gains.gaining(cls, scope) is not None

    def _knows(self, check: _Check, scope: Scope) -> bool:
        """Whether who asks has the scope."""
        planner, asked = self.planner, check.asked
        if isinstance(asked, tree.Name):
            taken = self.program.domain.scope_parameter(check.function, scope)
            if taken is not None or self.state.gains(check.function, scope):
                return True
            return self._is_asked_for_kept(check, asked, scope)
        return any(
            isinstance(one, Instance)
            and not self.program.domain.is_boundary(one.cls)
            and planner.sources.holders.attribute_of(one.cls, scope) is not None
            for one in self.program.inference.of(asked.base)
        )

    def _is_asked_for_kept(self, check: _Check, asked: tree.Name, scope: Scope) -> bool:
        """Whether a method of a class that keeps such rows is told whose of them are meant, and all who call it
        can tell it more."""
        planner, function = self.planner, check.function
        owner = owner_of(function)
        if owner is None or not self._keeps(owner, check.cls):
            return False
        if function.parameter(asked.id) is None or not planner.signatures.can_gain(function):
            return False
        return planner.whole_reads.are_told(function, (scope,))

    def _keeps(self, owner: Class, row: Class) -> bool:
        """Whether a class keeps such rows in a collection, or in collections of such."""
        member = self.program.inference.member
        kept = [one for name in owner.stores for one in member(owner, name)]
        kept = [one for one in kept if isinstance(one, Collection)]
        for one in kept:
            kept += one.items if isinstance(one, Collection) else ()
        return any(isinstance(one, Instance) and one.cls is row for one in kept)

    def _add(self, check: _Check, scope: Scope) -> None:
        notes, state = self.planner.local.notes, self.state
        base = text_of(check.row.base)
        if base is None or not repeatable(check.row.base):
            return
        knot = ("local", id(check.node))
        draft = notes.draft(check.node, "filter", [scope], knot)
        if notes.is_silenced(draft):
            return
        state.groups.join(knot, ("class", self.planner.gains.gaining(check.cls, scope)))
        state.groups.join(knot, ("entity", check.cls.name))
        code = f"{base}.{rename(check.row.name, check.said, scope)}"
        self._compare(draft, scope, code, check.asked)


def compares(program: Program, function: Function, scope: Scope) -> bool:
    """Whether a function compares values of a scope somewhere."""
    return any(
        names_scope(hole_name(item), scope)
        for node in program.names.inside(function)
        if isinstance(node, tree.Compare)
        for side in (node.left, *node.rights)
        for item in tree.items(side)
    )
