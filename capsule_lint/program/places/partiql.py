"""Keys in PartiQL: written into a statement, or given for its question marks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.program.texts.pieces import Filled, Template, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.facts import tree
    from capsule_lint.program.texts.pieces import Piece
    from capsule_lint.program.texts.templates import Templates

_VERB: Final = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|EXISTS)\b", re.IGNORECASE)
_NAME: Final = r"['\"]?(?P<name>\w+)['\"]?"
_BEFORE: Final = re.compile(
    rf"(?:{_NAME}\s*(?:=|:|\bIN\s*[\[(])\s*|begins_with\s*\(\s*['\"]?(?P<begins>\w+)['\"]?\s*,\s*)$",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r"'(?P<text>[^']*)'")
_HOLE: Final = "\x00"


class Mention(Struct, frozen=True):
    """A key in a statement: the name of its attribute, and its text, whose holes are marked."""

    name: str
    start: int
    end: int
    prefix: bool


def is_statement(text: str) -> bool:
    """Whether a text is a statement."""
    return _VERB.match(text) is not None


def given(statement: str, is_key: Callable[[str], bool]) -> Iterator[tuple[int, str, bool]]:
    """Which question marks of a statement stand for keys: their number, the key's name, and whether
    only its beginning is given."""
    for number, mark in enumerate(re.finditer(r"\?", statement)):
        before = _BEFORE.search(statement, 0, mark.start())
        name = (before["name"] or before["begins"]) if before is not None else ""
        if before is not None and is_key(name):
            yield number, name, before["begins"] is not None


def written(
    templates: Templates, node: tree.Node, is_key: Callable[[str], bool]
) -> Iterator[tuple[str, Template | tree.Node, bool]]:
    """The keys that are written into a statement: the name, the key's template (or the expression
    that is the whole key), and whether it is only the beginning of one."""
    statement = templates.template(node)
    if statement is None or not is_statement(statement.text):
        return
    pieces = statement.pieces
    text = "".join(p.value if isinstance(p, Text) else _HOLE for p in pieces)
    found = list(_mentions(text, is_key))
    for mention in found:
        inner = _cut(pieces, mention.start, mention.end)
        if len(inner) == 1 and isinstance(inner[0], Filled):
            yield mention.name, inner[0].value, mention.prefix
        elif inner:
            template = Template(statement.host, tuple(inner), opaque=len(found) > 1, part=True)
            yield mention.name, template, mention.prefix


def _mentions(text: str, is_key: Callable[[str], bool]) -> Iterator[Mention]:
    for quoted in _QUOTED.finditer(text):
        before = _BEFORE.search(text, 0, quoted.start())
        name = (before["name"] or before["begins"]) if before is not None else ""
        if before is not None and is_key(name):
            begins = before["begins"] is not None
            yield Mention(name, quoted.start("text"), quoted.end("text"), begins)


def _cut(pieces: Sequence[Piece], start: int, end: int) -> list[Piece]:
    """The pieces between two places of the text, in which each hole is one character."""
    found: list[Piece] = []
    at = 0
    for piece in pieces:
        length = len(piece.value) if isinstance(piece, Text) else 1
        if isinstance(piece, Text):
            inside = piece.value[max(0, start - at) : max(0, end - at)]
            if inside:
                found.append(Text(inside, piece.host, piece.node))
        elif start <= at < end:
            found.append(piece)
        at += length
    return found
