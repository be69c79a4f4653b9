"""Text for people: escapes, plurals, colours, and how wide characters are on a terminal."""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING

from capsule_lint.model import Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.model import Finding

_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_RESET = "\x1b[0m"

BOLD = "\x1b[1m"
RED = "\x1b[1;31m"
YELLOW = "\x1b[1;33m"
GREEN = "\x1b[32m"
CYAN = "\x1b[36m"
BLUE = "\x1b[1;34m"


def printable(text: str) -> str:
    """`text` on one line: controls, surrogates and changes of direction as Python escapes."""
    if text.isprintable():
        return text
    return "".join(map(shown, text))


def shown(char: str) -> str:
    """The character itself, or its escape where it would break a line, a terminal or UTF-8."""
    if char.isprintable():
        return char
    if unicodedata.category(char) in _UNPRINTABLE or char in _DIRECTIONS or _is_reserved(char):
        return char.encode("unicode_escape").decode("ascii")
    return char


def encodable(text: str) -> str:
    """`text` with its surrogates escaped and everything else untouched."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def cells(char: str) -> int:
    """How many columns of a terminal a printable character takes."""
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf") or "\u1160" <= char <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def width(text: str) -> int:
    """How many columns of a terminal a printable text takes."""
    return len(text) if text.isascii() else sum(map(cells, text))


def padded(text: str, columns: int) -> str:
    """`text` filled up with spaces to a number of columns."""
    return text + " " * (columns - width(text))


def counted(count: int, singular: str, plural: str = "") -> str:
    """`1 file`, `2 files`, `1,003 tests`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def painted(text: str, escape: str, color: bool) -> str:
    """`text` in a colour, if colours are wanted."""
    return f"{escape}{text}{_RESET}" if color and text else text


def marker(finding: Finding, color: bool) -> str:
    """`[*] ` before the message of a finding that `--fix` ends; else nothing."""
    return f"[{painted('*', CYAN, color)}] " if is_fixable(finding) else ""


def is_fixable(finding: Finding) -> bool:
    """Whether `--fix` ends the finding without a person looking."""
    suggestion = finding.suggestion
    return suggestion is not None and suggestion.applicability is Safety.SAFE


def painted_code(finding: Finding, color: bool) -> str:
    """The rule's code, in the colour of its severity."""
    return painted(finding.code, RED if finding.severity is Severity.ERROR else YELLOW, color)


def by_file(findings: Iterable[Finding]) -> Iterator[tuple[str, list[Finding]]]:
    """Sorted findings, file by file."""
    for filename, group in groupby(findings, key=lambda finding: finding.filename):
        yield filename, list(group)


def _is_reserved(char: str) -> bool:
    code = ord(char)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
