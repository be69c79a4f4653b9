"""The code of one new segment: its tag, what sets it off, and its value, in f-strings, sums and lists."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import libcst as cst
from msgspec.structs import replace

from capsule_lint.rewrite.base import code_for, parse

if TYPE_CHECKING:
    from capsule_lint.model import AddSegments, NewSegment

_MARKS: Final = re.compile(r"^[\W_]+|[\W_]+$")


def text_in(text: str) -> list[cst.BaseFormattedStringContent]:
    """A text as it stands in an f-string; nothing where it is empty."""
    return [cst.FormattedStringText(escaped(text))] if text else []


def _hole_in(code: str, quote: str) -> cst.FormattedStringExpression:
    """The hole of an f-string with that quote."""
    return cst.FormattedStringExpression(parse(requoted(code, quote)))


def tag_in(segment: NewSegment, quote: str) -> list[cst.BaseFormattedStringContent]:
    """What stands before a segment's hole in an f-string."""
    if segment.made:
        return []
    before = [_hole_in(segment.constant, quote)] if segment.constant else []
    ends = [_hole_in(segment.mark, quote)] if segment.mark else []
    return [*before, *text_in(_said(segment)), *ends]


def _said(segment: NewSegment) -> str:
    """The text before a segment's hole that no constant stands for."""
    if segment.constant:
        return segment.joint
    return _MARKS.sub("", segment.tag) if segment.mark else segment.tag


def set_off(mend: AddSegments, quote: str) -> list[cst.BaseFormattedStringContent]:
    """What stands between an anchor in an f-string and what comes behind it."""
    return [_hole_in(mend.mark, quote)] if mend.mark else text_in(mend.separator)


def operands(segment: NewSegment, separator: str) -> list[cst.BaseExpression]:
    """What stands before a segment's hole in a sum."""
    if segment.made:
        texts = [quoted(separator)]
    elif not segment.constant:
        texts = [quoted(separator + _said(segment)), segment.mark or '""']
    else:
        texts = [quoted(separator), segment.constant, quoted(segment.joint)]
        texts.append(segment.mark or '""')
    return [parse(code) for code in texts if code != '""']


def unopened(segment: NewSegment) -> NewSegment:
    """A segment without the marks that its tag begins with."""
    word = word_in(segment.tag)
    return replace(segment, tag=segment.tag[max(segment.tag.find(word), 0) :])


def element(segment: NewSegment, *, added: bool) -> cst.BaseExpression:
    """A tag with its value as one element: `f"CAPSULE#{capsule_id}"`, `P.CAPSULE + capsule_id`."""
    if segment.constant and added:
        joint = quoted(segment.joint) if segment.joint else ""
        parts = [part for part in (segment.constant, joint, segment.mark) if part]
        return parse(" + ".join([*parts, spelled(segment)]))
    tag = "".join(map(code_for, tag_in(segment, '"')))
    return parse('f"' + tag + "{" + requoted(segment.hole, '"') + '}"')


def spelled(segment: NewSegment) -> str:
    """The code of a hole where only a text fits."""
    return segment.spelled or segment.hole


def tag_alone(segment: NewSegment, like: str | None) -> cst.BaseExpression:
    """A tag as an element of its own."""
    if segment.constant:
        return parse(segment.constant)
    return parse(quoted(cased(word_in(segment.tag), like)))


def escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def quoted(text: str) -> str:
    return f'"{text}"'


def requoted(code: str, quote: str) -> str:
    """Code that can stand in an f-string with that quote, also before Python 3.12."""
    char = quote[0]
    if len(quote) == 3 or char not in code:
        return code
    return code.replace(char, "'" if char == '"' else '"')


def fitting(code: str) -> str | None:
    """Code as it fits into an f-string, also before Python 3.12: on one line, and with quotes of one kind; `None` where
    it does not."""
    if "\n" in code and "#" not in code:
        code = ast.unparse(ast.parse(f"({code})", mode="eval"))
    fits = not any(char in code for char in "\n\\#") and not ('"' in code and "'" in code)
    return code if fits else None


def word_in(tag: str) -> str:
    """`CAPSULE` of `CAPSULE#`."""
    return _MARKS.sub("", tag)


def cased(tag: str, like: str | None) -> str:
    if like is None:
        return tag
    if like.islower():
        return tag.lower()
    return tag.capitalize() if like[:1].isupper() and like[1:].islower() else tag
