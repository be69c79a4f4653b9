"""The lines of a text, as Python's tokenizer counts them."""

from __future__ import annotations

import re
from typing import Final

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


def lines_of(source: str) -> list[str]:
    """The lines of a text with their ends."""
    return _LINE.findall(source)


def newline_of(source: str) -> str:
    """The end of a text's first line."""
    found = re.search(r"\r\n|\r|\n", source)
    return found[0] if found else "\n"
