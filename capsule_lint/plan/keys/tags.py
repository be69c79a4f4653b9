"""How the segments of a template are spelled: the tag beside a neighbour's, and what sets parts off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.program.texts.marks import (
    beside_tag,
    ending_mark,
    is_plain,
    is_plainly_marked,
    mark_behind,
    text_before,
)
from capsule_lint.program.texts.pieces import Filled, Text, marks_of, tag_at_end, word_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capsule_lint.facts import tree
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.texts.pieces import Piece


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


def mark_for(
    program: Program, pieces: Sequence[Piece], anchor: tree.Node | None, tags: Sequence[str]
) -> str | None:
    """What stands between the new segments of a template and what is beside them; `None` where nothing
    shows it. The segments have these tags, and come behind `anchor` or at the very front."""
    mark = _mark(program, pieces, anchor)
    if anchor is not None:
        return _same(beside_tag(mark, tag) for tag in tags)
    first = pieces[0].value if isinstance(pieces[0], Text) else ""
    behind = beside_tag(mark, first)
    return _same((mark if behind is None else behind, *(beside_tag(mark, t) for t in tags[1:])))


def _same(marks: Iterable[str | None]) -> str | None:
    found = set(marks)
    return found.pop() if len(found) == 1 else None


def _mark(program: Program, pieces: Sequence[Piece], anchor: tree.Node | None) -> str | None:
    scopes = program.policy.scopes
    plain, keys = is_plainly_marked(scopes), program.keys
    if anchor is None and not plain and keys.mark is not None:
        return keys.mark
    at = next((n for n, p in enumerate(pieces) if _is_hole(p, anchor)), None)
    if at is not None:
        found, before = mark_behind(pieces, at), text_before(pieces, at)
        if plain and not marks_of(before) and not is_plain(found or ""):
            found = None  # a value may have it in it
        if found is None and at + 1 == len(pieces):
            own = marks_of(before) in {marks_of(scope.tag) for scope in scopes}
            found = (keys.mark if own else None) or ending_mark(before)
        if found is not None:
            return found
    last = pieces[-1]
    if at is None and isinstance(last, Text) and (begun := ending_mark(last.value)):
        return begun  # what keys begin with
    return (marks_of(scopes[0].tag)[-1:] if plain else None) or keys.mark


def _is_hole(piece: Piece, anchor: tree.Node | None) -> bool:
    return isinstance(piece, Filled) and (anchor is None or piece.value is anchor)


def separator_of(defect: KeyDefect) -> str:
    """What sets the first segment that a template lacks off."""
    return defect.mark(defect.missing[0])
