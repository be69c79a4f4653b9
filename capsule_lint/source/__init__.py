"""Files: which there are, what they say, how they are written. No other room touches the disk."""

from __future__ import annotations

from capsule_lint.source.discover import Discovery, discover, limit
from capsule_lint.source.git import changed_since, dirty
from capsule_lint.source.text import (
    Decoded,
    SourceFile,
    Stamp,
    decode,
    encode,
    read,
)
from capsule_lint.source.transaction import Change, Receipt, recover, undo, write

__all__ = [
    "Change",
    "Decoded",
    "Discovery",
    "Receipt",
    "SourceFile",
    "Stamp",
    "changed_since",
    "decode",
    "dirty",
    "discover",
    "encode",
    "limit",
    "read",
    "recover",
    "undo",
    "write",
]
