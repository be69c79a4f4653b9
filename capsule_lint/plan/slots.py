"""The parameters of what is called, as they are after the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Slot(NamedTuple):
    """One of them: its name, its kind (`plain`, `kwonly`, …), and whether it is new."""

    name: str
    kind: str
    new: bool

    @property
    def by_position(self) -> bool:
        """Whether an argument that has no name may fill it alone."""
        return self.kind in ("posonly", "plain")


def old_before(slot: Slot, signature: Sequence[Slot]) -> int:
    """How many of the parameters before one that arguments fill by position are there already."""
    plain = [one for one in signature if one.by_position]
    return sum(not one.new for one in plain[: plain.index(slot)]) if slot in plain else 0
