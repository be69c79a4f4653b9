"""What a `.gitignore` file says about a path: as git reads it; no pattern can blow up its time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOM: Final = "\ufeff"
_CLASS: Final = re.compile(r"\[:([a-z]+):\]")
_CLASSES: Final = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "a-fA-F0-9",
}


class Pattern(Struct, frozen=True):
    """One line: the components of the paths that it means; None stands for any number of them."""

    parts: tuple[re.Pattern[str] | None, ...]
    is_negated: bool
    is_for_directories: bool

    def matches(self, names: Sequence[str], *, is_directory: bool) -> bool:
        """Whether it means the path of these components itself, rather than one that holds it."""
        if self.is_for_directories and not is_directory:
            return False
        states = self._closed({0})
        for name in names:
            states = self._closed(
                {
                    index if part is None else index + 1
                    for index in states
                    if index < len(self.parts)
                    and ((part := self.parts[index]) is None or part.fullmatch(name))
                }
            )
        return len(self.parts) in states

    def _closed(self, states: set[int]) -> set[int]:
        """The states, and those to be reached without reading a component."""
        for index in sorted(states):
            while index < len(self.parts) and self.parts[index] is None:
                index += 1
                states.add(index)
        return states


class Rules(Struct, frozen=True):
    """One file of patterns. What it says holds below `base`, which ends with a slash."""

    base: str
    patterns: tuple[Pattern, ...]

    def verdict(self, path: str, *, is_directory: bool) -> bool | None:
        """Whether it ignores a path itself, as its last pattern that matches says, if any."""
        if not path.startswith(self.base):
            return None
        names = path[len(self.base) :].split("/")
        for pattern in reversed(self.patterns):
            if pattern.matches(names, is_directory=is_directory):
                return not pattern.is_negated
        return None


def parse_rules(base: str, data: bytes) -> Rules:
    """The rules in the bytes of a file. Lines that are no pattern are passed over, as by git."""
    text = data.decode(errors="surrogateescape").removeprefix(_BOM)
    patterns = (_pattern(line.removesuffix("\r")) for line in text.split("\n"))
    return Rules(base, tuple(pattern for pattern in patterns if pattern is not None))


def _pattern(line: str) -> Pattern | None:
    if line.startswith("#"):
        return None
    text = _without_trailing_spaces(line)
    is_negated = text.startswith("!")
    text = text.removeprefix("!")
    is_for_directories = text.endswith("/")
    text = text.removesuffix("/")
    if not text:
        return None
    components = text.removeprefix("/").split("/")
    parts = [None if _is_any(part) else _component(part) for part in components]
    if any(p is None and not _is_any(c) for p, c in zip(parts, components, strict=True)):
        return None
    if "/" not in text:
        parts = [None, parts[0] or re.compile(".*", re.DOTALL)]
    elif parts[-1] is None:
        parts.append(re.compile(".*", re.DOTALL))
    return Pattern(tuple(parts), is_negated, is_for_directories)


def _is_any(component: str) -> bool:
    """Whether it stands for any number of components: two stars, or more."""
    return len(component) > 1 and not component.strip("*")


def _without_trailing_spaces(line: str) -> str:
    stripped = line.rstrip(" ")
    slashes = len(stripped) - len(stripped.rstrip("\\"))
    return f"{stripped} " if slashes % 2 and len(stripped) < len(line) else stripped


def _component(text: str) -> re.Pattern[str] | None:
    """The expression for one component; None if it can match nothing.

    What stands between two stars is sought from the left, and never again: that is enough, and
    keeps the work small.
    """
    chunks = [""]
    at = 0
    while at < len(text):
        read = _one(text, at)
        if read is None:
            return None
        expression, at = read
        if expression is None:
            chunks.append("")
        else:
            chunks[-1] += expression
    first, *others = chunks
    if not others:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{chunk})" for chunk in others[:-1] if chunk)
    return re.compile(f"{first}{middle}.*{others[-1]}", re.DOTALL)


def _one(text: str, at: int) -> tuple[str | None, int] | None:
    """The expression for what stands at a place (None for a star), and the place after it."""
    character = text[at]
    if character == "*":
        return None, at + 1
    if character == "?":
        return ".", at + 1
    if character == "[":
        return _set(text, at + 1)
    if character == "\\":
        at += 1
        if at == len(text):
            return None
    return re.escape(text[at]), at + 1


def _set(text: str, at: int) -> tuple[str, int] | None:
    """The expression for a set, whose first character stands at a place; None if it never ends."""
    is_negated = text[at : at + 1] in ("!", "^")
    at += is_negated
    items: list[str] = []
    while at < len(text) and (text[at] != "]" or not items):
        named = _CLASS.match(text, at)
        if named is not None:
            if named[1] not in _CLASSES:
                return None
            items.append(_CLASSES[named[1]])
            at = named.end()
            continue
        low, at = _plain(text, at)
        high = low
        if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("", "]"):
            high, at = _plain(text, at + 1)
        items.append(re.escape(low) + (f"-{re.escape(high)}" if low <= high else ""))
    if at >= len(text):
        return None
    return f"[{'^' if is_negated else ''}{''.join(items)}]", at + 1


def _plain(text: str, at: int) -> tuple[str, int]:
    """A character of a set, which a backslash may precede, and the place after it."""
    if text[at] == "\\" and at + 1 < len(text):
        at += 1
    return text[at], at + 1
