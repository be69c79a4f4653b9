"""Parts of keys: what helpers and locals make, and other templates complete wherever they use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope

_MAX_DEPTH: Final = 6


@dataclass(eq=False, slots=True)
class Completed(Room):
    """Tells which templates are such parts."""

    planner: Planner
    _hosts: dict[str, set[int]] = field(default_factory=dict)
    """The expressions, by the scopes that the keys carry which they are parts of."""

    def somewhere(self, host: tree.Node, scope: Scope) -> bool:
        """Whether the text of an expression is part of a key that has the scope besides."""
        return id(host) in self._carrying(scope)

    def everywhere(self, host: tree.Node, scope: Scope) -> bool:
        """Whether it is that wherever it is used, outside of tests."""
        return self.somewhere(host, scope) and self._is_used(host, scope, 0)

    def _is_used(self, node: tree.Node, scope: Scope, depth: int) -> bool:
        """Whether all uses of a value that is returned, or kept in a local, are in such keys."""
        uses = self._uses(node) if depth < _MAX_DEPTH else []
        return bool(uses) and all(
            self._is_inside(use, scope) or self._is_used(use, scope, depth + 1) for use in uses
        )

    def _uses(self, node: tree.Node) -> Sequence[tree.Node]:
        """The calls of the function that returns an expression, or the reads of the local that it is."""
        names, calls = self.program.names, self.program.calls
        function = names.function_of(node)
        match names.parent(node):
            case tree.Eval(kind="return") if function is not None:
                found = [call for call, _ in list(calls.callers(function))]
                return [c for c in found if not names.module_of(c).is_test]
            case tree.Assign(targets=(tree.Name() as target,)) if function is not None:
                return [
                    one
                    for one in names.inside(function)
                    if isinstance(one, tree.Name)
                    and one.id == target.id
                    and one is not target
                    and any(b.value is node for b in names.bindings_of(one))
                ]
            case _:
                return []

    def _is_inside(self, node: tree.Node, scope: Scope) -> bool:
        """Whether an expression is part of one that makes such a key."""
        carrying, current = self._carrying(scope), self.program.names.parent(node)
        while isinstance(current, tree.Expr):
            if id(current) in carrying:
                return True
            current = self.program.names.parent(current)
        return False

    def _carrying(self, scope: Scope) -> set[int]:
        if scope.name not in self._hosts:
            program = self.program
            self._hosts[scope.name] = {
                id(host)
                for site in program.keys.sites
                if any(
                    s.scope == scope.name for s in program.templates.segments(site.template.pieces)
                )
                for host in (site.template.host, *(p.host for p in site.template.pieces))
            }
        return self._hosts[scope.name]
