"""Expressions that put a text together, and what they are made of as they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from capsule_lint.facts.tree.expressions import (
    Attr,
    Binary,
    Call,
    Const,
    FString,
    Sequence,
    items,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.facts.tree.expressions import Node

_FIELD: Final = re.compile(r"\{[^{}]*\}")
_PERCENT: Final = re.compile(r"%(?:\(\w+\))?[sdr]")


def makes_text(node: object) -> bool:
    """Whether a text is put together in an expression: an f-string, `a + b`, `"…".format(a)`, `"#".join(parts)`."""
    match node:
        case FString() | Binary() | Call(func=Attr(name="format" | "format_map" | "join")):
            return True
        case _:
            return False


def said_in(node: Node) -> Iterator[str | Node]:
    """The texts that an expression puts together, and what it fills in between them, in their order; what
    constants say is not looked up."""
    match node:
        case Const(value=str() as said):
            yield said
        case FString():
            for part in node.parts:
                yield part if isinstance(part, str) else part.value
        case Binary(op="+"):
            yield from said_in(node.left)
            yield from said_in(node.right)
        case Binary(op="%", left=Const(value=str() as said)):
            yield from _filled(_PERCENT.split(said), items(node.right))
        case Call(func=Attr(base=Const(value=str() as said), name="format")):
            yield from _filled(_FIELD.split(said), [a.value for a in node.args])
        case Call(func=Attr(base=base, name="join"), args=(only,)) if isinstance(
            only.value, Sequence
        ):
            for number, item in enumerate(only.value.items):
                if number:
                    yield text(base) or base
                yield from said_in(item)
        case _:
            yield node


def _filled(texts: list[str], values: tuple[Node, ...] | list[Node]) -> Iterator[str | Node]:
    for number, said in enumerate(texts):
        if said:
            yield said
        if number < len(texts) - 1 and number < len(values):
            yield values[number]
