"""Where in a function a value is taken that several statements need: no sooner than the code itself would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from capsule_lint.model import Span

_CHOICES = ("if", "match")


def anchors(
    body: Sequence[tree.Statement],
    uses: Collection[Span],
    takes_alike: Callable[[tree.Statement], bool],
) -> Iterator[tree.Statement]:
    """The statements of a body, or inside of it, before which a value is to be taken that is needed at `uses`.

    To take it may raise, so it stands inside of the `try` that holds all uses, and in those branches that
    need it, unless a statement on the way `takes_alike`: what comes of that one comes of this one too.
    """
    holders = [one for one in body if _held(one.span, uses)] or [body[0]]
    first = holders[0]
    parts = [part for holder in holders for part in _parts(holder)]
    inside = [(part, held) for part in parts if (held := _held_in(part, uses))]
    known = any(takes_alike(one) for one in body[: body.index(first)])
    if (
        known
        or sum(len(held) for _, held in inside) < len(uses)
        or _is_one(holders, inside, parts)
    ):
        yield first
        return
    for part, held in inside:
        yield from anchors(part, held, takes_alike)


def _is_one(
    holders: Sequence[tree.Statement],
    inside: Sequence[object],
    parts: Sequence[Sequence[tree.Statement]],
) -> bool:
    """Whether the parts that need the value share it: whatever happens one of them runs, or one after another."""
    if len(inside) == 1:
        return False
    if any(not isinstance(one, tree.Block) or one.kind not in _CHOICES for one in holders):
        return True
    return len(holders) == 1 and len(inside) == len(parts)


def _parts(statement: tree.Statement) -> Iterator[Sequence[tree.Statement]]:
    """The parts of a statement that run once or not at all; a last `else` is there, if empty."""
    match statement:
        case tree.Block(kind="if", bodies=(then, (tree.Block(kind="if") as other,))):
            yield then
            yield from _parts(other)
        case tree.Block(kind="if" | "match" | "try" | "with", bodies=bodies):
            yield from bodies


def _held(span: Span, uses: Collection[Span]) -> list[Span]:
    return [use for use in uses if use in span]


def _held_in(part: Sequence[tree.Statement], uses: Collection[Span]) -> list[Span]:
    return [use for use in uses if any(use in one.span for one in part)]
