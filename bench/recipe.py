"""What a corpus is to hold, and what has been planted into one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

SHIFTED: Final = "order_pk"
"""The planted helper whose signature changes."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Lines of published code, and what is planted between them.

    `share` of the files get a key that lacks a scope, and `dependents` of these use the shared key
    module. `calls` of one helper stand in small modules of their own; `chains` more are reached
    from a handler through `depth` calls each.
    """

    lines: int
    share: float = 0.0
    dependents: int = 0
    calls: int = 0
    chains: int = 0
    depth: int = 1
    seed: int = 1

    @property
    def name(self) -> str:
        """A name for a folder, another one for every recipe."""
        keys = f"{self.share:g}-{self.dependents}"
        return f"{self.lines}-{keys}-{self.calls}-{self.chains}x{self.depth}-{self.seed}"


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a file, and the rule or pattern that says something about it."""

    path: str
    row: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class Plant:
    """A planted defect: a tool that reports one of its rows has found it.

    `is_key` says that it is a key that lacks a segment, which peers look for as well; the others
    take knowledge of the program.
    """

    path: str
    code: str
    first: int
    last: int
    is_key: bool = True

    def holds(self, place: Place) -> bool:
        """Whether something was reported here, under the code that belongs to it or under none."""
        within = place.path == self.path and self.first <= place.row <= self.last
        return within and place.code in ("", self.code)


@dataclass(frozen=True, slots=True)
class Planted:
    """All that was planted into a corpus.

    `calls` counts the calls of the helper that changes, `threaded` those of the functions between
    it and the handlers.
    """

    plants: tuple[Plant, ...]
    calls: int
    threaded: int

    def codes(self) -> Counter[str]:
        """How many defects belong to which rule."""
        return Counter(plant.code for plant in self.plants)

    def keys(self) -> tuple[Plant, ...]:
        """The defects that a search for keys can find."""
        return tuple(plant for plant in self.plants if plant.is_key)
