"""Keys of a collection that stay while others of it change, those of an entity that policy makes narrower:
`cache[tenant_id, "clinic"]` beside `cache[tenant_id, visit_id]`. Tests spell out both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.looking_up import looking_up
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.mends import Mends


@dataclass(eq=False, slots=True)
class StayingKeys(MendRoom):
    """Tells such keys from those that change."""

    mends: Mends
    _known: dict[Home, list[tree.Sequence]] | None = None

    def note(self) -> None:
        """Where code beside tests spells out one of them, and nothing else says that it stays, a person must look."""
        notes = self.planner.local.notes
        changing = {id(defect.node): defect.knot for defect in notes.defects}
        for home, key, _ in self._spelled():
            if id(key) in changing and self.has(key, home):
                notes.obstacle(changing[id(key)], key, "spells out a key that stays elsewhere")

    def has(self, node: tree.Sequence, home: Home) -> bool | None:
        """Whether a key that a test spells out is one of them; `None` where that cannot be told."""
        if self._known is None:
            self._known = {}
            for where, key in self._staying():
                self._known.setdefault(where, []).append(key)
        said = {self._is(node, one) for one in self._known.get(home, ())}
        return True if True in said else None if None in said else False

    def _is(self, node: tree.Sequence, staying: tree.Sequence) -> bool | None:
        """Whether a key has all texts that one which stays has."""
        constant = self.program.templates.constant
        pairs = zip(node.items, staying.items, strict=True)
        texts = [(constant(item), text) for item, own in pairs if (text := constant(own))]
        if any(said is not None and said != text for said, text in texts):
            return False
        return True if texts and all(said == text for said, text in texts) else None

    def is_sorted(self, node: tree.Sequence) -> bool:
        """Whether a key is expected at its place among others that are sorted: `sorted(cache) == [("t", "clinic"), …]`."""
        around = self.program.names.parent(node)
        compared = self.program.names.parent(around) if isinstance(around, tree.Sequence) else None
        return isinstance(compared, tree.Compare) and any(
            isinstance(one, tree.Call) and last_name(one.func) == "sorted"
            for one in compared.below()
        )

    def _staying(self) -> Iterator[tuple[Home, tree.Sequence]]:
        """The keys outside of tests that need none of the scopes of those which change."""
        local, place = self.planner.local, self.program.names.place
        changing = {id(defect.node) for defect in local.notes.defects}
        for home, key, use in self._spelled():
            needed = local.needs.demanded(home, place(use)) if id(key) not in changing else None
            scopes = local.rekeyed[home].scopes
            if needed is not None and not any(scope in needed for scope in scopes):
                yield home, key

    def _spelled(self) -> Iterator[tuple[Home, tree.Sequence, tree.Node]]:
        """The keys outside of tests that are as wide as those which change, and what they are looked up in."""
        local, names = self.planner.local, self.program.names
        called = {name for _, name in local.rekeyed}
        for module in names.production() if called else ():
            for node in looking_up(module, called):
                for owner, name, key in local.collections.sinks(node):
                    change, made = local.rekeyed.get((owner, name)), behind(names, key)
                    if change is None or not isinstance(made, tree.Sequence):
                        continue
                    if len(made.items) == change.width:
                        yield (owner, name), made, node
