"""What fills a format string, and the segments that it is to get."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.policy import Scope

Filler: TypeAlias = tree.Node | str
"""What fills a field: an expression that is there, or the code of a new one."""


class Unknown(Exception):
    """The format cannot be extended; its text says why."""


class Addition(Struct, frozen=True):
    """One segment for a format string: what stands around its field, and the code that fills it."""

    scope: Scope
    before: str
    after: str
    hole: str


class Group(Struct, frozen=True):
    """The segments that come behind one field; at the very front without an anchor."""

    anchor: tree.Node | None
    additions: Sequence[Addition]


@dataclass(eq=False, slots=True)
class Filling:
    """What fills the fields of one format: values in order, and values by name."""

    values: list[Filler]
    names: dict[str, tree.Node]
    mapping: tree.Node | None
    """The mapping that has the names, where they are no keyword arguments."""
    near: tree.Node
    """What fields are known by that nothing written out fills."""
    own: dict[str, tree.Node] = field(default_factory=dict)
    """The scopes that the method which is called fills in itself, by the fields' names."""
    new: list[tuple[str, str, tree.Node | None]] = field(default_factory=list)
    """What is filled in by name: the name, the code, and the value that it comes after."""
    surplus: dict[str, tree.Node] = field(default_factory=dict)
    """The values of scopes that are given already, while the text has no fields for them."""


def runs_of(values: Sequence[Filler]) -> Iterator[tuple[int, list[str]]]:
    """The new values that stand together, and how many old ones stand before them."""
    old, run = 0, list[str]()
    for value in values:
        if isinstance(value, str):
            run.append(value)
            continue
        if run:
            yield old, run
        old, run = old + 1, []
    if run:
        yield old, run
