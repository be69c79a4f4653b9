"""The comments of a file."""

from __future__ import annotations

import io
import tokenize
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def comments_of(text: str) -> Iterator[tuple[int, int, str]]:
    """All comments of a text, in order: the row, counted from 1, the column, from 0, and what it says with its `#`. The
    text must be valid Python."""
    for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
        if token.type == tokenize.COMMENT:
            yield *token.start, token.string
