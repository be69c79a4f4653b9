"""The parts of a key that `match` asks for: `case ["TENANT", tenant_id, "ORDER", order_id]:`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.taken_apart.shifts import Shift


ELSEWHERE: Final = -1
"""The pattern is for other keys, or a `*_` takes what is new."""
_NOWHERE: Final = 0
"""A `*rest` takes it, which somebody may read."""


def room_in(items: Sequence[tree.Node], shift: Shift, separator: str) -> int:
    """Before which of its items the parts of new segments come into a pattern that keys of a form fit; there is
    none before the first."""
    parts = shift.plain.split(separator)
    stars = [n for n, item in enumerate(items) if isinstance(item, tree.Wrapped)]
    first = stars[0] if stars else len(items)
    behind = len(items) - first - 1 if stars else 0
    if first + behind > len(parts) or (not stars and len(items) != len(parts)):
        return ELSEWHERE
    ends = parts[len(parts) - behind :] if behind else []
    told = [*zip(items[:first], parts, strict=False), *zip(items[first + 1 :], ends, strict=True)]
    if not all(_agrees(item, part) for item, part in told):
        return ELSEWHERE
    if shift.start < first or not stars:
        return shift.start
    if shift.start > len(parts) - behind:
        return len(items) - (len(parts) - shift.start)
    star = items[first]
    wildcard = isinstance(star, tree.Wrapped) and star.kind == "wildcard"
    return ELSEWHERE if wildcard else _NOWHERE


def _agrees(item: tree.Node, part: str) -> bool:
    """Whether a part of a key may be what a pattern asks for there."""
    asked = tree.text(item)
    return asked is None or "?" in part or asked == part


def codes_for(shift: Shift, separator: str) -> tuple[str, ...] | None:
    """The patterns of the new parts: those that are always the same, and `_` for the values."""
    found: list[str] = []
    for tag in shift.tags:
        *fixed, last = tag.split(separator)
        if last or any('"' in one or "\\" in one for one in fixed):
            return None
        found += [*(f'"{one}"' for one in fixed), "_"]
    return tuple(found)
