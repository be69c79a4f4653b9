"""What sets the parts of keys off: `#` of `TENANT#t#NOTE#n`, `;` of `Org=o;Note=n`, `__` of `T_o__N_n`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from capsule_lint.program.texts.pieces import Filled, Text, marks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program.texts.pieces import Piece, Template
    from capsule_lint.program.texts.templates import Templates

SEPARATORS: Final = "#|/:;~"
"""What separates parts wherever it stands."""
PLAIN: Final = re.compile(rf"([{re.escape(SEPARATORS)}])\1*")
_RUN: Final = re.compile(
    rf"""{PLAIN.pattern}|(?:[^\w\t\n\r\\(){{}}\[\]<>"'`%${re.escape(SEPARATORS)}]|_)+"""
)
_PLAIN_END: Final = re.compile(rf"{PLAIN.pattern}$")


def is_plain(mark: str) -> bool:
    """Whether a mark separates parts wherever it stands; `=`, `.` and `_` may stand in a tag or a value."""
    return bool(mark) and mark[-1] in SEPARATORS


def mark_behind(pieces: Sequence[Piece], number: int) -> str | None:
    """What separates a hole of a template from the part behind it; `None` where that is not told."""
    before, after = text_before(pieces, number), _text_behind(pieces, number)
    found = _RUN.match(after)
    if found is None:
        return None
    mark, own = found[0], marks_of(before)
    if is_plain(mark) or not is_plain(own):
        goes_on = found.end() < len(after)
        return mark if is_plain(mark) or goes_on or own in ("", mark) else None
    tagged = re.match(rf"[A-Za-z][\w-]*{re.escape(own)}", after[found.end() :])
    return mark if tagged is not None else own


def ending_mark(text: str) -> str | None:
    """What a text ends with that separates parts wherever it stands."""
    found = _PLAIN_END.search(text)
    return found[0] if found is not None else None


def usual_mark(templates: Templates, known: Iterable[Template]) -> str | None:
    """What separates a scope from the part behind it in all of some templates; `None` where they differ,
    or where none of them tells."""
    found = {
        mark
        for template in known
        for segment in templates.segments(template.pieces)
        if isinstance(template.pieces[segment.piece], Filled)
        and (mark := mark_behind(template.pieces, segment.piece)) is not None
    }
    return next(iter(found)) if len(found) == 1 else None


def beside_tag(mark: str | None, tag: str) -> str | None:
    """A mark before a tag that may begin with it: nothing before `/capsules/`, where `/` separates; `None`
    where the tag begins with another mark."""
    opening = tag[: len(tag) - len(tag.lstrip("".join({c for c in tag if not c.isalnum()})))]
    if mark is None or not opening or opening == tag:
        return mark
    return mark.removesuffix(opening) if mark.endswith(opening) else None


def is_plainly_marked(scopes: Iterable[Scope]) -> bool:
    """Whether the tags of all scopes that have one end with what separates parts wherever it stands."""
    return all(not scope.tag or is_plain(marks_of(scope.tag)) for scope in scopes)


def _text_behind(pieces: Sequence[Piece], number: int) -> str:
    text = ""
    for piece in pieces[number + 1 :]:
        if not isinstance(piece, Text):
            break
        text += piece.value
    return text


def text_before(pieces: Sequence[Piece], number: int) -> str:
    """The text before a piece of a template, back to the hole before that."""
    text = ""
    for piece in reversed(pieces[:number]):
        if not isinstance(piece, Text):
            break
        text = piece.value + text
    return text
