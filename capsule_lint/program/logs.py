"""What only a person is told: logs and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.program.names import Names

LOGGING: Final = frozenset(
    ("debug", "info", "warning", "error", "exception", "critical", "log", "print")
)
"""Functions that only tell a person what they are given."""


def is_for_people(names: Names, node: tree.Node) -> bool:
    """Whether an expression is part of a log, or of an error: only a person is told."""
    holder: object = node
    while isinstance(holder, tree.Expr):
        if isinstance(holder, tree.Call) and last_name(holder.func) in LOGGING:
            return True
        holder = names.parent(holder)
    return isinstance(holder, tree.Eval) and holder.kind in ("assert", "raise")
