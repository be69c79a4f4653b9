"""Parts of keys: what helpers and locals make, and other templates complete wherever they use it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope

_MAX_DEPTH: Final = 6


@dataclass(eq=False, slots=True)
class Completed(Room):
    """Tells which templates are such parts."""

    planner: Planner
    _hosts: dict[str, set[int]] = field(default_factory=dict)
    """The expressions, by the scopes that the keys carry which they are parts of."""
    _parts: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """The expressions of keys, by the parts that are written elsewhere."""
    _by_users: dict[tuple[int, str], bool] = field(default_factory=dict)

    def somewhere(self, host: tree.Node, scope: Scope) -> bool:
        """Whether the text of an expression is part of a key that has the scope besides."""
        return id(host) in self._carrying(scope)

    def by_users(self, host: tree.Node, scope: Scope) -> bool:
        """Whether all keys that begin with the text of an expression have the scope behind it, or get it there by
        themselves: some have it already or need none, and it is no whole key of what needs the scope. Tests don't
        count."""
        known = id(host), scope.name
        if known not in self._by_users:
            self._by_users[known] = False  # for a text that goes round
            self._by_users[known] = self._is_begun(host, scope)
        return self._by_users[known]

    def _is_begun(self, host: tree.Node, scope: Scope) -> bool:
        longer, function = self._longer(host), self.program.names.function_of(host)
        if not longer and not self.somewhere(host, scope):
            return False
        longer = longer | self._carrying(scope)
        ends = list(self._ends(host, longer, scope, 0))
        whole = [use for use in ends if not self._is_inside(use, longer)]
        if len(whole) == len(ends) or (function and self.program.calls.is_value(function)):
            return False
        return self._is_of_less(host, whole, scope) if whole else self.somewhere(host, scope)

    def _is_of_less(self, host: tree.Node, whole: Sequence[tree.Node], scope: Scope) -> bool:
        """Whether a text that names nothing but scopes is a whole key of what needs less alone."""
        domain, template = self.program.domain, self.program.templates.template(host)
        named = template is None or domain.tags_of(template)
        return not named and all(domain.needs_less(use, scope) for use in whole)

    def _ends(
        self, node: tree.Node, longer: set[int], scope: Scope, depth: int
    ) -> Iterator[tree.Node]:
        """Where a value comes to that is returned, or kept in a local: a part of longer texts, a key of what needs
        less, or what nothing more is known of."""
        for use in self._uses(node):
            ended = self._is_inside(use, longer) or self.program.domain.needs_less(use, scope)
            further = (
                () if ended or depth == _MAX_DEPTH else self._ends(use, longer, scope, depth + 1)
            )
            yield from list(further) or (use,)

    def _longer(self, host: tree.Node) -> set[int]:
        """The expressions of the keys that a text is part of, beside itself."""
        if not self._parts:
            for site in self.program.keys.sites:
                whole = site.template.host
                for part in {id(p.host) for p in site.template.pieces} - {id(whole)}:
                    self._parts[part].add(id(whole))
        return self._parts[id(host)]

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

    def _is_inside(self, node: tree.Node, longer: set[int]) -> bool:
        """Whether an expression is part of one that makes such a key."""
        current = self.program.names.parent(node)
        while isinstance(current, tree.Expr):
            if id(current) in longer:
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
