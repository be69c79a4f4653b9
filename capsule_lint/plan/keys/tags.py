"""How the segments of a template are spelled: the tag beside a neighbour's, and what sets parts off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.program.texts.pieces import Filled, Piece, Text, tag_at_end, word_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.facts import tree
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.policy import Scope

SEPARATORS: Final = "#|/:;~"
MARKS: Final = f"{SEPARATORS}=-."
"""What ends a tag."""


def tag_beside(scope: Scope, pieces: Sequence[Piece], number: int, near: Scope) -> str:
    """The tag of a scope in the case and with the mark of that before the hole `number`: `capsule/`
    beside `tenant/`. Policy's own where the neighbour is spelled as policy has it, or has no tag."""
    before = pieces[number - 1] if number else None
    found = tag_at_end(before.value, near.tag) if isinstance(before, Text) else ""
    word, other = word_of(near.tag), word_of(scope.tag)
    if not word or not found or found == near.tag:
        return scope.tag
    said, mark = found[: len(word)], found[len(word) :]
    return cased(other, said) + (
        scope.tag[len(other) :] if mark == near.tag[len(word) :] else mark
    )


def cased(word: str, like: str) -> str:
    """A word in the case of another one."""
    if like.islower():
        return word.lower()
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[:1].isupper() and like[1:].islower() else word


def mark_behind(pieces: Sequence[Piece], number: int) -> str:
    """What sets the parts of a template off: what follows a hole, or else ends the text before it."""
    following = pieces[number + 1] if number + 1 < len(pieces) else None
    before = pieces[number - 1] if number > 0 else None
    if isinstance(following, Text) and following.value[:1] in tuple(SEPARATORS):
        return following.value[0]
    if following is None and isinstance(before, Text) and before.value[-1:] in tuple(SEPARATORS):
        return before.value[-1]
    return "#"


def separator_of(defect: KeyDefect) -> str:
    """What stands behind the first anchor of a template, or else behind its first hole."""
    return mark_of(defect.template.pieces, *(defect.anchors[s.name] for s in defect.missing))


def mark_of(pieces: Sequence[Piece], *anchors: tree.Node | None) -> str:
    """What stands behind the first hole that is one of some, and `None` is any."""
    for number, piece in enumerate(pieces):
        if isinstance(piece, Filled) and any(a is None or piece.value is a for a in anchors):
            return mark_behind(pieces, number)
    return "#"
