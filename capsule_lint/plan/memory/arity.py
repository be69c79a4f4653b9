"""Calls that make a key of their arguments, and whether they take more of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.calling.calls import Calls


def takes_more(calls: Calls, call: tree.Call, anchor: tree.Node) -> bool:
    """Whether whatever a call may call takes arguments behind the one that holds `anchor`.

    What is not the program's is taken to; `join` of a list gets its parts there.
    """
    if last_name(call.func) == "join":
        return True
    at = next((n for n, a in enumerate(call.args) if anchor.span in a.value.span), None)
    return at is None or all(_has_room(callee, at + 1) for callee in calls.callees(call))


def takes_any(calls: Calls, call: tree.Call) -> bool:
    """Whether a call calls functions of the program, of which each takes any number of arguments from the first on."""
    callees = list(calls.callees(call))
    return bool(callees) and all(c.function is not None and _has_room(c, 0) for c in callees)


def _has_room(callee: Callee, at: int) -> bool:
    """Whether the argument at that place, and all behind it, are among any number of parts."""
    if callee.function is None or callee.mock:
        return callee.cls is None
    params = callee.function.params
    fixed = [p for p in params if p.by_position]
    return any(p.kind == "*" for p in params) and at + callee.given >= len(fixed)
