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


class Shape(Struct, frozen=True):
    """What the keys of a template look like."""

    defect: KeyDefect
    regex: re.Pattern[str]
    numbers: tuple[int, ...]
    """Which of its pieces are values."""

    def like(self, specimen: str) -> Sample | None:
        """The key that a text is, or begins: `v1` in it for what an expression asks for by `v\\d+`."""
        found = self.regex.fullmatch(specimen) or self.regex.fullmatch(f"{specimen}x")
        if found is None:
            return None
        values = dict(zip(self.numbers, found.groups(), strict=True))
        return _sample(self.defect, lambda n: values.get(n, _KINDS[0](n)))


def shape_of(defect: KeyDefect) -> Shape | None:
    """What the keys of a template look like that has values; `None` for one that is not seen whole."""
    pieces = defect.template.pieces
    numbers = tuple(n for n, p in enumerate(pieces) if isinstance(p, Filled))
    if defect.template.opaque or not numbers:
        return None
    said = (re.escape(p.value) if isinstance(p, Text) else "([^#]+)" for p in pieces)
    return Shape(defect, re.compile("".join(said)), numbers)


def specimen_of(expression: str) -> str:
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
                last = specimen_of(token["set"])[:1] or "x"
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
