"""What a block enters, and what stands in its bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capsule_lint.facts import tree


def managers(block: tree.Block) -> list[tree.Node]:
    """What a `with` enters, under a name or none."""
    return [*block.heads, *(bind.value for bind in block.binds if bind.value is not None)]


def contains(body: tuple[tree.Statement, ...], statement: tree.Statement | None) -> bool:
    """Whether a statement stands in a body, however deep."""
    if statement is None or not body:
        return False
    first, last = body[0].at, body[-1].at
    return first[:2] <= statement.at[:2] and statement.at[2:] <= last[2:]
