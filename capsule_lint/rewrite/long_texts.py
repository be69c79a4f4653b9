"""Texts that a change made longer than lines may be: they are broken behind what came to them."""

from __future__ import annotations

import re
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Final

from capsule_lint.rewrite.brackets import scan
from capsule_lint.rewrite.operators import element, statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TEXT: Final = re.compile(r"(?P<prefix>\w{0,2})(?P<quote>[\"'])(?P<body>(?:\\.|(?!\2).)*)\2")
_INDENT: Final = "    "


def texts_in(code: str) -> dict[str, int]:
    """What stands in the quotes of some code, and how long the lines are in which it stands."""
    lines = code.splitlines()
    return {found["body"]: len(line) for line in lines for found in _TEXT.finditer(line)}


def broken_text(line: str, above: str, known: Mapping[str, int], width: int) -> list[str]:
    """A line that says nothing but a text, with that in several: bare where it stands in brackets, or goes on with one
    `above`, and else in brackets of its own. The line as it is where its text is none of those `known` from lines that were
    short enough, with something come to it, or it would be too long all the same."""
    said = statement(line, scan(line) or ()) or element(line)
    text, indent = _TEXT.fullmatch(said.value), line[: len(line) - len(line.lstrip())]
    if len(line) <= width or text is None or text["body"] in known:
        return [line]
    bare = said.before == indent and (not said.after or above.endswith(text["quote"]))
    inner = indent if bare else indent + _INDENT
    old = _earlier(text["body"], known)
    if old is None or known[old] > width:
        return [line]
    for parts in _divided(text["body"], old):
        lines = [f"{inner}{_code(text, part)}" for part in parts]
        lines = [*lines[:-1], lines[-1] + said.after] if bare else lines
        if all(len(one) <= width for one in lines):
            return lines if bare else [f"{said.before}(", *lines, f"{indent}){said.after}"]
    return [line]


def _earlier(text: str, known: Iterable[str]) -> str | None:
    """What a text was before something came to it: the longest of those `known` that it begins and ends as."""
    fitting = (old for old in known if old and sum(_kept(old, text)) == len(old))
    return max(fitting, key=len, default=None)


def _divided(text: str, old: str) -> Iterator[list[str]]:
    """A text that had less in it behind the hole that came last, or in front of the first, or both."""
    front, end = _kept(old, text)
    first = text.rfind("}", 0, front) + 1
    last = text.rfind("}", front, len(text) - end) + 1
    for cuts in ((last,), (first,), (first, last)):
        yield [text[a:b] for a, b in pairwise((0, *filter(None, cuts), len(text)))]


def _kept(old: str, text: str) -> tuple[int, int]:
    """With how many characters of an old text a new one begins, and with how many of its others it ends."""
    front = _alike(old, text)
    return front, _alike(old[front:][::-1], text[::-1])


def _alike(one: str, other: str) -> int:
    """With how many characters two texts begin alike."""
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    )


def _code(text: re.Match[str], part: str) -> str:
    """The code of a part of a text, which is formatted no more where there is nothing in it to be filled."""
    plain = text["prefix"] in ("f", "F") and not re.search(r"[{}]", part)
    return f"{'' if plain else text['prefix']}{text['quote']}{part}{text['quote']}"
