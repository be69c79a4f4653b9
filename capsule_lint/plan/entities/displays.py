"""Dicts that are written out, and their entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

Display: TypeAlias = tree.DictDisplay | tree.Call
"""`{"tenant_id": …}` or `dict(tenant_id=…)`."""


def entries_of(node: Display) -> Iterator[tuple[str, tree.Node]]:
    """The string keys of a dict that is written out, and their values."""
    return node.keywords if isinstance(node, tree.Call) else node.entries


def entry_of(node: Display, scope: Scope) -> tuple[str, tree.Node] | None:
    """The entry of a dict that is a scope's."""
    return next(((k, v) for k, v in entries_of(node) if names_scope(k, scope)), None)


def names_any(node: Display, program: Program) -> bool:
    """Whether a dict that is written out has an entry for a scope."""
    return any(entry_of(node, scope) is not None for scope in program.policy.scopes)
