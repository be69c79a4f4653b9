"""Expressions that make a key of another one: `key.lower()`, `quote(key)`, `sha256(key.encode()).hexdigest()`."""

from __future__ import annotations

from typing import Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

_OF_TEXTS: Final = frozenset(
    [
        "casefold",
        "decode",
        "digest",
        "encode",
        "hex",
        "hexdigest",
        "lower",
        "removeprefix",
        "replace",
        "rstrip",
        "strip",
        "title",
        "upper",
    ]
)
"""Methods that make a text, or bytes, of one."""
_OF_VALUES: Final = frozenset(
    [
        "adler32",
        "b32encode",
        "b64encode",
        "blake2b",
        "blake2s",
        "bytes",
        "crc32",
        "dumps",
        "frozenset",
        "hash",
        "hexlify",
        "intern",
        "md5",
        "quote",
        "quote_plus",
        "repr",
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha3_256",
        "sha512",
        "str",
        "tuple",
        "urlsafe_b64encode",
    ]
)
"""Functions that make the same of what they are given first whenever they are given it."""
_NAMED: Final = ("uuid3", "uuid5")
"""The same of what they are given second."""
_KEEPING: Final = ("str", "intern", "strip", "rstrip")
"""What leaves a text that is a key as it is."""


def inner_of(node: tree.Node) -> tree.Node | None:
    """What another key is made of; `None` where nothing says that one is."""
    match node:
        case tree.Call(func=tree.Attr(name=name, base=base)) if name in _OF_TEXTS:
            return base
        case tree.Subscript(base=base, index=tree.Slice()):  # a slice
            return base
        case tree.Call(args=(tree.Argument(value=value, star=""), *_)) if (
            last_name(node.func) in _OF_VALUES
        ):
            return value
        case tree.Call(args=(_, tree.Argument(value=value, star=""))) if (
            last_name(node.func) in _NAMED
        ):
            return value
        case _:
            return None


def keeps_text(node: tree.Node) -> bool:
    """Whether a text comes out of it as it was."""
    return isinstance(node, tree.Call) and last_name(node.func) in _KEEPING
