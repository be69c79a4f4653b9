"""What code says of one scope, and has to say of the others as well, once these come to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.plan.memory.local_notes import LocalDefect
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope


class Said(Protocol):
    """Where one scope is said."""

    @property
    def node(self) -> tree.Compare: ...
    @property
    def said(self) -> Scope: ...


S = TypeVar("S", bound=Said)


@dataclass(eq=False, slots=True)
class Beside(Room, Generic[S]):
    """Demands the others there, each once."""

    planner: Planner
    _found: list[S] | None = None
    _seen: set[tuple[int, str]] = field(default_factory=set)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        if self._found is None:
            self._found = list(self._find())
        before = len(self._seen)
        for one in self._found:
            for scope in self.program.policy.others(one.said):
                key = (id(one.node), scope.name)
                if key not in self._seen and self._lacks(one, scope):
                    self._seen.add(key)
                    self._add(one, scope)
        return len(self._seen) > before

    def _find(self) -> Iterable[S]:
        """All such places."""
        raise NotImplementedError

    def _lacks(self, one: S, scope: Scope) -> bool:
        """Whether another scope is wanted there."""
        raise NotImplementedError

    def _add(self, one: S, scope: Scope) -> None:
        """Demand it."""
        raise NotImplementedError

    def _compare(
        self, draft: LocalDefect, scope: Scope, code: str, asked: tree.Node | None = None
    ) -> None:
        """Have what is compared there compared by another scope as well, of which `code` says the value; whoever has
        what is `asked` for has that one too, if it is an attribute."""
        draft.anchors[scope.name] = draft.node
        draft.detail[scope.name] = code
        mirror = asked if isinstance(asked, tree.Attr) else None
        want = Want(scope, draft.node, draft.knot, "filter", mirror=mirror)
        self.planner.local.notes.defects.append(draft)
        self.planner.local.notes.ask(draft, want)
        self.planner.want(want)
