"""Parts of a text that is put together, and where more is put between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.keys.spelled import Gap
    from capsule_lint.plan.literals import Literal

_HOLES: Final = re.compile(r"\{[^{}]*\}")
_CLOSE: Final = (tree.Name, tree.Attr, tree.Call, tree.Subscript, tree.Const, tree.FString)
"""What needs no parentheses in a sum."""


class Part(Struct, frozen=True):
    """A part of a text: what it says, and the literal of the expression itself in which it is written, and
    as the how manieth text of that; or the expression that says it and is no literal. What is joined stands in a
    `listing`, a display or the call of what joins, as one of its items, which have a text `between` them."""

    text: str
    written: tree.Node | None = None
    number: int = 0
    operand: tree.Node | None = None
    listing: tree.Sequence | tree.Call | None = None
    item: tree.Node | None = None
    between: str = ""


class Place(Struct, frozen=True):
    """Where something is put into a literal: the how manieth text of it, and at which offset; or before
    what is no literal, or behind it where there is an offset, if there is no number; or beside an item of a `listing`."""

    written: tree.Node
    number: int | None
    offset: int
    listing: tree.Sequence | tree.Call | None = None
    between: str = ""


def place_of(parts: Sequence[Part], gap: Gap, at: int) -> tuple[Place, bool] | None:
    """Where a segment is put that belongs at an offset of the text, and whether it comes before what sets
    it off: behind that, where only there a literal stands."""
    text = "".join(part.text for part in parts)
    behind = at + len(gap.separator)
    choices = [(at, gap.front)]
    if not gap.front and text[at:behind] == gap.separator:
        choices.append((behind, True))
    for offset, front in choices:
        beside = _beside_item(parts, offset, gap, front=front)
        if beside is not None:
            return beside, front
        start = 0
        for part, following in zip(parts, (*parts[1:], None), strict=True):
            end = start + len(part.text)
            if (
                following is not None
                and following.written is not None
                and following.item is None
                and offset == end
                and following.text.startswith(gap.separator)
            ):
                return Place(following.written, following.number, 0), front
            if part.written is not None and start <= offset <= start + len(part.text):
                return Place(part.written, part.number, offset - start), front
            if part.operand is not None and start == offset:
                return Place(part.operand, None, 0), front
            start += len(part.text)
    return _behind(parts, gap, at)


def _behind(parts: Sequence[Part], gap: Gap, at: int) -> tuple[Place, bool] | None:
    """The same behind what is no literal, and has none behind it."""
    start = 0
    for part in parts:
        start += len(part.text)
        if part.operand is not None and part.text and start == at and not gap.front:
            return Place(part.operand, None, len(part.text)), False
    return None


def _beside_item(parts: Sequence[Part], offset: int, gap: Gap, *, front: bool) -> Place | None:
    """The joined item at whose end (or `front`) an offset is, if that is no literal with something in it that sets
    segments off."""
    start = 0
    for number, part in enumerate(parts):
        end = start + len(part.text)
        near = parts[number - 1 : number] if front else parts[number + 1 : number + 2]
        if (
            part.item is not None
            and part.listing is not None
            and part.between in (gap.separator, "")
            and offset == (start if front else end)
        ):
            alone = not near or near[0].item is not part.item
            if alone and (part.operand is not None or gap.separator not in part.text):
                return Place(part.item, None, 0, part.listing, part.between)
        start = end
    return None


def elements_of(
    segment: tuple[str, bool], gap: Gap, between: str, *, front: bool
) -> tuple[str, ...] | None:
    """A segment as items that are joined: its tag, and its value; or all of it where nothing comes `between`."""
    text, is_hole = segment
    if '"' in text or "\\" in text:
        return None
    if not between:
        whole = f"{text}{gap.separator}" if front else f"{gap.separator}{text}"
        return (f'{"f" if is_hole else ""}"{whole}"',)
    tag, value = gap.tag.removesuffix(gap.separator), text[len(gap.tag) :]
    if tag == gap.tag or gap.separator in tag:
        return None
    return f'"{tag}"', value[1:-1] if is_hole else f'"{value}"'


def around(
    node: tree.Node, operand: str, put: Sequence[tuple[Place, str, bool]], *, summed: bool
) -> str | None:
    """What is no literal, and is written like that, with literals of these texts before and behind it, or as a hole
    between them where it is not `summed` up with others."""
    before = "".join(text for place, text, _ in put if not place.offset)
    behind = "".join(text for place, text, _ in put if place.offset)
    if any(mark in before + behind for mark in '"\\'):
        return None
    if summed or not behind:
        prefix = "f" if any(is_hole for _, _, is_hole in put) else ""
        texts = [f'{prefix}"{text}"' if text else "" for text in (before, behind)]
        is_close = isinstance(node, _CLOSE) or (isinstance(node, tree.Binary) and node.op in "+%")
        whole = operand if is_close else f"({operand})"
        return " + ".join(filter(None, (texts[0], whole, texts[1])))
    return None if any(m in operand for m in '"\\{}\n') else f'f"{before}{{{operand}}}{behind}"'


def with_texts(known: Literal, put: Sequence[tuple[Place, str, bool]]) -> str | None:
    """A literal with texts put into it; `None` when that cannot be."""
    holes = any(is_hole for _, _, is_hole in put)
    body = known.body
    if not known.single or "{{" in body or "}}" in body:
        return None
    if holes and not known.formatted and "{" in body:
        return None
    if any(is_hole and known.quote in text for _, text, is_hole in put):
        return None
    starts = [0, *(m.end() for m in _HOLES.finditer(body))] if known.formatted else [0]
    if known.formatted and len(_HOLES.findall(body)) != body.count("{"):
        return None
    for place, text, _ in reversed(put):
        at = starts[place.number or 0] + place.offset
        body = f"{body[:at]}{text}{body[at:]}"
    return known.code(body, formatted=known.formatted or holes)
