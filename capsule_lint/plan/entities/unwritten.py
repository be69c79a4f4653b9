"""What a loader is going to read of an item, where nothing that the program writes out has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.plan.room import MendRoom

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.model import Class

_UNWRITTEN: Final = (
    "may be what an item is made of: `{0}` is going to be read there, and nothing writes it"
)


@dataclass(eq=False, slots=True)
class Unwritten(MendRoom):
    """Notes it, once all that is written is known."""

    mends: Mends
    _written: set[tuple[Class, str]] = field(default_factory=set)
    _left: list[tuple[Class, str, tree.Node]] = field(default_factory=list)

    def write(self, cls: Class, key: str) -> None:
        """An entry that some dict of what an instance has gains, or has."""
        self._written.add((cls, key))

    def leave(self, node: tree.Node, cls: Class, key: str) -> None:
        """The same for one that a dict does not gain, as it is no item by its looks."""
        self._left.append((cls, key, node))

    def check(self) -> None:
        """Such a dict makes the change unsafe, where no other one gains the entry that is read."""
        left = [(c, key, node) for c, key, node in self._left if (c, key) not in self._written]
        values = self.planner.values
        for want in list(self.state.wants) if left else ():
            value = values.value(want) if want.purpose == "argument" else None
            if value is None or value.kind != "loaded":
                continue
            for cls, key, node in left:
                if f'"{key}"' in value.code and self.state.gains(cls, want.scope):
                    self.mends.obstacle(("class", cls), node, _UNWRITTEN.format(key))
