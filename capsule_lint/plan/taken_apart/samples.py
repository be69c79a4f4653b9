"""Keys as they are and as they will be, made up from a template that changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.program.texts.pieces import Filled, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.plan.state import KeyDefect

_KINDS: Final[tuple[Callable[[int], str], ...]] = (
    lambda n: f"v{n}x",
    lambda n: str(10 + n),
    lambda n: f"{n % 10}f0e1d2c-0000-4000-8000-{n:012d}",
    lambda n: f"AB{n}",
    lambda n: f"2024-01-{n + 1:02d}",
)
"""What the values in keys look like: words, numbers, UUIDs, codes, dates."""

_TOKENS: Final = re.compile(
    r"""\\(?P<escaped>.)|(?P<other>\[\^(?:\\.|[^\]])+\]|\.)|\[(?P<set>(?:\\.|[^\]])+)\]|\{(?P<count>\d+)[^}]*\}"""
    r"""|\((?:\?(?:P?<[^>]*>|[a-zA-Z]*:))?|\|[^()]*|[)^$*+?]|(?P<text>.)""",
    re.DOTALL,
)
_CLASSES: Final = {
    "d": "1",
    "w": "a",
    "S": "a",
    "W": "-",
    "D": "a",
    "s": " ",
    "Z": "",
    "A": "",
    "b": "",
    "B": "",
}
"""What the classes of characters and the places of regular expressions are matched by."""


class Sample(Struct, frozen=True):
    """One key before and after the change, and the values in it."""

    before: str
    after: str
    values: tuple[str, ...]


def samples(defect: KeyDefect) -> Iterator[Sample]:
    """Keys of a template whose segments come behind holes or at the front; none of any other."""
    if defect.template.opaque:
        return
    for kind in _KINDS:
        sample = _sample(defect, kind)
        if sample is not None:
            yield sample


def samples_like(defect: KeyDefect, said: str) -> Iterator[Sample]:
    """Keys of a template that look like what a regular expression asks for: `v1` in them for `v\\d+`. It may ask for a
    part of a key alone, or for nothing of it."""
    if defect.template.opaque:
        return
    shape = re.compile(
        "".join(
            re.escape(p.value) if isinstance(p, Text) else "([^#]+)"
            for p in defect.template.pieces
        )
    )
    numbers = [n for n, p in enumerate(defect.template.pieces) if isinstance(p, Filled)]
    specimen = _specimen(said)
    found = shape.fullmatch(specimen) or shape.fullmatch(f"{specimen}x")
    values = dict(zip(numbers, found.groups(), strict=True)) if found is not None else {}
    sample = _sample(defect, lambda n: values.get(n, _KINDS[0](n))) if values else None
    if sample is not None:
        yield sample


def _specimen(expression: str) -> str:
    """What a regular expression may match, roughly: each of its parts once, and the first of several ways."""
    found, last = "", ""
    for token in _TOKENS.finditer(expression):
        match token.lastgroup:
            case "count":
                found += last * (int(token["count"]) - 1)
                continue
            case "escaped":
                last = _CLASSES.get(token["escaped"], token["escaped"])
            case "set":
                last = _specimen(token["set"])[:1] or "x"
            case "other":
                last = "x"
            case "text":
                last = token["text"]
            case _:
                continue
        found += last
    return found


def _sample(defect: KeyDefect, kind: Callable[[int], str]) -> Sample | None:
    pieces = defect.template.pieces
    texts, values = [], []
    for number, piece in enumerate(pieces):
        if isinstance(piece, Filled):
            values.append(kind(number))
        texts.append(piece.value if isinstance(piece, Text) else values[-1])
    count = len(pieces)
    after, placed = "", 0
    for scope in defect.missing:
        if defect.behind(scope) is None:
            after += f"{defect.tag(scope)}{kind(count + placed)}{defect.mark(scope)}"
            placed += 1
    for piece, text in zip(pieces, texts, strict=True):
        after += text
        if not isinstance(piece, Filled):
            continue
        for scope in defect.missing:
            if defect.behind(scope) is piece.value:
                after += f"{defect.mark(scope)}{defect.tag(scope)}{kind(count + placed)}"
                placed += 1
    if placed != len(defect.missing):
        return None
    return Sample("".join(texts), after, tuple(values))
