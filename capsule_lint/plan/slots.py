"""The parameters of what is called, as they are after the change."""

from __future__ import annotations

from typing import NamedTuple


class Slot(NamedTuple):
    """One of them: its name, its kind (`plain`, `kwonly`, …), and whether it is new."""

    name: str
    kind: str
    new: bool

    @property
    def by_position(self) -> bool:
        """Whether an argument that has no name may fill it alone."""
        return self.kind in ("posonly", "plain")
