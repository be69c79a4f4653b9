"""What only a person is told: logs, errors, descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import words

if TYPE_CHECKING:
    from capsule_lint.program.names import Names

LOGGING: Final = frozenset(
    ("debug", "info", "warning", "error", "exception", "critical", "log", "print")
)
"""Functions that only tell a person what they are given."""

_LOGGERS: Final = frozenset(("log", "logger", "logging"))
_PLACES: Final = ("%", "{")
"""What marks in a message where the values go."""

_DESCRIBING: Final = frozenset(
    [
        "caption",
        "comment",
        "description",
        "headline",
        "message",
        "msg",
        "reason",
        "subject",
        "summary",
        "text",
        "title",
        "tooltip",
    ]
)
"""How what a person reads is called, where it is told by a name."""


def describes(name: str) -> bool:
    """Whether what is told under a name, `subject=…`, is for a person to read."""
    return name.lower() in _DESCRIBING


def is_log(call: tree.Call) -> bool:
    """Whether a call logs or prints what it is given: `logger.error(handler)`. An `events.error(handler)` may keep it."""
    name, of = last_name(call.func), words(last_name(call.receiver))
    message = tree.text(call.args[0].value) if call.args else None
    filled = message is not None and any(mark in message for mark in _PLACES)
    return name in LOGGING and (name == "print" or filled or not _LOGGERS.isdisjoint(of[-1:]))


def is_for_people(names: Names, node: tree.Node) -> bool:
    """Whether an expression is part of a log, or of an error: only a person is told."""
    holder: object = node
    while isinstance(holder, tree.Expr):
        if isinstance(holder, tree.Call) and last_name(holder.func) in LOGGING:
            return True
        holder = names.parent(holder)
    return isinstance(holder, tree.Eval) and holder.kind in ("assert", "raise")
