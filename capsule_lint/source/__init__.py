"""Files: which there are, what they say, how they are written. The only room that touches the disk."""

from __future__ import annotations

from capsule_lint.source.discover import Discovery, discover, limit
from capsule_lint.source.git import changed_since, dirty
from capsule_lint.source.text import (
    Decoded,
    ReadError,
    SourceFile,
    Stamp,
    decode,
    encode,
    read,
)

__all__ = [
    "Decoded",
    "Discovery",
    "ReadError",
    "SourceFile",
    "Stamp",
    "changed_since",
    "decode",
    "dirty",
    "discover",
    "encode",
    "limit",
    "read",
]
