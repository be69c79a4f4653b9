"""Items as the records of a stream have them, `record["dynamodb"]["NewImage"]`: what reads a scope of one that it did not
read changes with what writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot, Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding

IMAGES: Final = ("NewImage", "OldImage")
"""Under which names the record of a stream has items."""
_ROOT: Final = re.compile(r"(\w+)(?:\[|\.get\()")
_MAX_DEPTH: Final = 4


@dataclass(eq=False)
class Images(Room):
    """Ties such reads to the items that may be meant."""

    planner: Planner
    _known: dict[int, bool] = field(default_factory=dict)
    """Whether names are made of such items, by their bindings."""

    def tie(self, want: Want, code: str) -> None:
        """What reads a scope, `code`, of such an item changes with those that have most of what it reads besides;
        where it reads nothing else, and there are several, a person must say whose that is."""
        root = _ROOT.match(code) if self._are_any else None
        if root is None or not (any(one in code for one in IMAGES) or self._is_in(root[1], want)):
            return
        read = self.planner.items.read_of(want, root[1], maybe=True)
        own = {name for name in read if not names_any_of(name, self.program.policy.scopes)}
        alike = [(len(own & has), knot) for has, knot in self._gaining(want.scope)]
        most = max((shared for shared, _ in alike), default=0)
        meant = [knot for shared, knot in alike if shared == most and (shared or not own)]
        if not own and len({self.state.groups.find(knot) for knot in meant}) > 1:
            reason = f"reads `{want.scope.parameter}` of items, and nothing tells which"
            self.planner.local.notes.obstacle(want.knot, want.node, reason)
            return
        for knot in meant:
            self.state.groups.join(want.knot, knot)

    @cached_property
    def _are_any(self) -> bool:
        """Whether the program reads such items at all: to follow what is given where costs much."""
        texts = (n for module in self.program.names.production() for n in module.each(tree.Const))
        return any(one.value in IMAGES for one in texts)

    def _gaining(self, scope: Scope) -> Iterator[tuple[frozenset[str], Knot]]:
        """What items have that are going to say a scope: those that are written out, and those of entities."""
        scopes, classes = self.program.policy.scopes, self.program.classes
        for has, knot, gained in self.planner.items.gaining:
            if gained is scope:
                yield has, knot
        for cls, gains in self.state.fields.items():
            if cls in self.program.domain.entities and scope in gains.values():
                has = frozenset(
                    (*(f.name for f in classes.fields(cls)), *classes.aliases(cls).values())
                )
                if any(names_any_of(name, scopes) for name in has):
                    yield has, ("class", cls)

    def _is_in(self, name: str, want: Want) -> bool:
        """Whether a name that is read where a value is wanted is made of such an item, or is given one."""
        names = self.program.names
        bindings = names.bindings(name, names.place(want.node))
        return any(self._is_made_of(one, 0) for one in bindings)

    def _is_made_of(self, binding: Binding, depth: int) -> bool:
        if id(binding) not in self._known:
            self._known[id(binding)] = False  # what is made of itself
            self._known[id(binding)] = self._is_given(binding, depth)
        return self._known[id(binding)]

    def _is_given(self, binding: Binding, depth: int) -> bool:
        with self.program.names.aside():  # half of all programs have something called `handler`
            given = (binding.value, *self.program.calls.passed_to(binding))
        return any(one is not None and self._has_image(one, depth) for one in given)

    def _has_image(self, node: tree.Node, depth: int) -> bool:
        if tree.text(node) in IMAGES:
            return True
        if isinstance(node, tree.Name) and depth < _MAX_DEPTH:
            bound = self.program.names.bindings_of(node)
            return any(self._is_made_of(one, depth + 1) for one in bound)
        return any(self._has_image(one, depth) for one in node.all_below())
