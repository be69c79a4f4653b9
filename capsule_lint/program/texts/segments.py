"""Which scopes the pieces of a template carry, and where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from capsule_lint.program.texts.pieces import (
    Filled,
    Piece,
    Segment,
    Text,
    ends_with_tag,
    hole_name,
    is_default,
    names_scope,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capsule_lint.policy import Scope as ScopePolicy


def scopes_in(pieces: Iterable[Piece], scopes: Sequence[ScopePolicy]) -> tuple[Segment, ...]:
    """The scopes that a template carries, in the order in which they stand."""
    found: list[Segment] = []
    before = ""
    for number, piece in enumerate(pieces):
        if isinstance(piece, Text):
            default = _default(piece, scopes)
            if default is not None:
                found.append(Segment(default.name, number, literal=True, tagged=False))
            found += _literal(piece.value, number, scopes)
            before += piece.value
            continue
        scope, tagged = _hole_scope(piece, before, scopes)
        if scope is not None:
            found.append(Segment(scope.name, number, literal=False, tagged=tagged))
        before = ""
    return tuple(found)


def _default(piece: Text, scopes: Sequence[ScopePolicy]) -> ScopePolicy | None:
    """The scope whose value a constant like `DEFAULT_TENANT` is."""
    if not is_default(piece.node):
        return None
    name = hole_name(piece.node)
    for scope in scopes:
        short = scope.name != scope.parameter and name.endswith(f"_{scope.name}")
        if short or names_scope(name, scope):
            return scope
    return None


def _hole_scope(
    piece: Filled, before: str, scopes: Sequence[ScopePolicy]
) -> tuple[ScopePolicy | None, bool]:
    for scope in scopes:
        if ends_with_tag(before, scope.tag):
            return scope, True
    for scope in scopes:
        if names_scope(piece.name, scope):
            return scope, False
    return None, False


def _literal(text: str, number: int, scopes: Sequence[ScopePolicy]) -> list[Segment]:
    found = [
        Segment(scope.name, number, literal=True, tagged=True, position=match.start())
        for scope in scopes
        if scope.tag  # without one, a value that is written out is a word as any other
        for match in re.finditer(
            _tag_pattern(scope.tag) + r"(?P<value>[^#|/{}]+)", text, re.IGNORECASE
        )
    ]
    return sorted(found, key=lambda s: s.position)


def _tag_pattern(tag: str) -> str:
    if not tag[:1].isalnum():
        return re.escape(tag)
    behind = r"(?<![A-Za-z0-9])(?<![A-Za-z0-9]_)" if tag.endswith("_") else r"(?<![A-Za-z0-9_])"
    return f"{behind}{re.escape(tag)}"
