"""Collections in which something is kept under a key of the table, `self._rows[order.pk] = order`: what else is looked
up in them changes with that key, or neither does."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.program.texts.pieces import Filled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.facts import tree
    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.state import Knot, State
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program


@dataclass(eq=False, slots=True)
class TableKeys:
    """Knows which keys of the table collections have."""

    program: Program
    state: State
    _keys: dict[Home, dict[Knot, None]] = field(default_factory=lambda: defaultdict(dict))
    """The keys of the table that collections have."""
    _changes: dict[Home, dict[Knot, None]] = field(default_factory=lambda: defaultdict(dict))
    """What else changes of collections."""

    def note(self, home: Home, host: tree.Node) -> None:
        """Note where a key of a collection is written, or a part of one, if that is a key of the table."""
        key: Knot = ("key", id(host))
        if self.program.keys.at(host) is not None and key not in self._keys[home]:
            self._keys[home][key] = None
            for knot in self._changes[home]:
                self.state.groups.join(knot, key)

    def tie(self, home: Home, knot: Knot) -> None:
        """Let the keys of the table that a collection has land together with what else changes of it, or not at all."""
        self._changes[home][knot] = None
        for key in self._keys[home]:
            self.state.groups.join(knot, key)

    def is_one(self, host: tree.Node | None, knot: Knot) -> bool:
        """Whether an expression writes a key of the table, or how such keys begin: it lands together with what needs that."""
        if host is None or self.program.keys.at(host) is None:
            return False
        self.state.groups.join(knot, ("key", id(host)))
        return True

    def completes(self, home: Home, host: tree.Node, missing: Iterable[Scope]) -> bool:
        """Whether a key of a collection has the scopes that it does not say itself by texts which are written elsewhere,
        `f"{key_of(tenant_id)}#NOTE#{note_id}"`: a key of the table gets all that it needs."""
        templates, given = self.program.templates, set[str]()
        template = templates.template(host)
        pieces = template.pieces if template is not None else ()
        for segment in templates.segments(pieces):
            piece = pieces[segment.piece]
            if isinstance(piece, Filled) and piece.host is not host:
                self.note(home, piece.host)
                site = self.program.keys.at(piece.host)
                required = self.program.domain.required(site) if site is not None else ()
                given |= {segment.scope, *(scope.name for scope in required)}
        return given.issuperset(scope.name for scope in missing)
