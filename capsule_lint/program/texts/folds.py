"""Texts that are joined by steps of `reduce`: `reduce(lambda a, b: f"{a}#{b}", parts)`, which is `"#".join(parts)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fold(Struct, frozen=True):
    """What is joined, and what stands between its parts: a text, or the expression that says it."""

    mark: str | tree.Node
    parts: tree.Node


def folded(node: tree.Node) -> Fold | None:
    """What a call joins that puts two texts together at a time, with the same between them; `None` where it starts
    with a value of its own, or does anything else."""
    match node:
        case tree.Call(
            func=func,
            args=(
                tree.Argument(value=tree.Lambda(params=params, body=body)),
                tree.Argument(value=parts, keyword=None, star=""),
            ),
        ) if last_name(func) == "reduce":
            mark = _between(body, [parameter.name for parameter in params])
            return Fold(mark, parts) if mark is not None else None
        case _:
            return None


def _between(body: tree.Node, names: Sequence[str]) -> str | tree.Node | None:
    """What stands between two names, in this order: `#` of `f"{a}#{b}"` and of `a + "#" + b`."""
    match body:
        case tree.FString(
            parts=(tree.Hole(tree.Name(id=left)), str() as text, tree.Hole(tree.Name(id=right)))
        ) if [left, right] == [*names]:
            return text
        case tree.Binary(
            op="+",
            left=tree.Binary(op="+", left=tree.Name(id=left), right=mark),
            right=tree.Name(id=right),
        ) if [left, right] == [*names]:
            return mark
        case _:
            return None
