"""Files: which there are, what they say, how they are written. No other room touches the disk."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from capsule_lint.source.discover import Discovery, discover, limit

if TYPE_CHECKING:
    from capsule_lint.source.git import changed_since, dirty
    from capsule_lint.source.text import (
        Decoded,
        SourceFile,
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

_HOMES = {
    "Change": "transaction",
    "Decoded": "text",
    "Receipt": "transaction",
    "SourceFile": "text",
    "changed_since": "git",
    "decode": "text",
    "dirty": "git",
    "encode": "text",
    "read": "text",
    "recover": "transaction",
    "undo": "transaction",
    "write": "transaction",
}
"""Where each name is; what writes is loaded only by a run that writes."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
