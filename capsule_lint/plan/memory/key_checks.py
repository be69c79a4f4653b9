"""Comparisons that decide by one scope's part of a key whether it is somebody's, `cursor["PK"].split("#")[1] != tenant_id`,
where the key gets the part of another scope, which whoever asks has as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.access_checks import compares
from capsule_lint.plan.memory.beside import Beside
from capsule_lint.plan.supply.repeats import kept, repeatable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


class _Check(Struct, frozen=True):
    """A comparison of a scope's part of a key with the value of who asks."""

    node: tree.Compare
    part: tree.Node
    asked: tree.Attr | tree.Name
    function: Function
    said: Scope


@dataclass(eq=False, slots=True)
class KeyChecks(Beside[_Check]):
    """Demands the comparison of the other scope's part beside it."""

    def _find(self) -> Iterator[_Check]:
        for module in self.program.names.production() if self.planner.defects else ():
            for node in module.each(tree.Compare):
                yield from self._of(node)

    def _of(self, node: tree.Compare) -> Iterator[_Check]:
        """What a comparison says, if it is one of a part of a key with a scope's value."""
        if node.ops not in (("==",), ("!=",)):
            return
        is_value, parts = self.program.domain.held.is_value, self.planner.scope_parts
        for one, other in node.both_ways:
            function = self.program.names.function_of(node)
            if function is None or not isinstance(other, tree.Attr | tree.Name):
                continue
            said = next((s for s in self.program.policy.scopes if is_value(other, s)), None)
            if said is None:
                continue  # what else is compared may be asked for in many places
            part = kept(one, self.program)
            if parts.may_be(part):
                yield _Check(node, part, other, function, said)
                return

    def _lacks(self, check: _Check, scope: Scope) -> bool:
        """Whether the key gets the scope's part, who asks has the scope, and it is not compared."""
        part = self.planner.scope_parts.beside(check.part, check.said, scope)
        return (
            part is not None
            and part.knot is not None
            and not self.planner.local.notes.is_settled(check.node)
            and not compares(self.program, check.function, scope)
            and self._knows(check, scope)
        )

    def _knows(self, check: _Check, scope: Scope) -> bool:
        """Whether who asks has the scope, or is going to have it, or those who call it."""
        program, state, planner = self.program, self.state, self.planner
        callers = {program.names.function_of(c) for c, _ in program.calls.callers(check.function)}
        for one in (check.function, *callers):
            if one is None or (one is not check.function and one.module.is_test):
                continue
            if program.domain.scope_parameter(one, scope) is not None or state.gains(one, scope):
                return True
        return planner.sources.find(scope, check.node) is not None

    def _add(self, check: _Check, scope: Scope) -> None:
        notes, state = self.planner.local.notes, self.state
        part = self.planner.scope_parts.beside(check.part, check.said, scope)
        knot = ("local", id(check.node))
        draft = notes.draft(check.node, "filter", [scope], knot)
        if part is None or part.knot is None or notes.is_silenced(draft):
            return
        state.groups.join(knot, part.knot)
        if not isinstance(check.part, tree.Subscript) or not repeatable(check.part, self.program):
            reason = f"tells by one scope whose a key is, and `{scope.parameter}` comes into that"
            if not self._is_idle(check, scope):
                notes.obstacle(knot, check.node, reason)
            return
        notes.settle(check.node)
        self._compare(draft, scope, part.code, check.asked)

    def _is_idle(self, check: _Check, scope: Scope) -> bool:
        """Whether that is said of a method that gains a scope for nothing else."""
        in_repository = check.function.owner in self.program.domain.repositories
        return in_repository and self.state.gains(check.function, scope)
