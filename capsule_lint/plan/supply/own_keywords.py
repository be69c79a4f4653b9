"""Keywords of which a constructor makes the key: `def __init__(self, **kw): kw["pk"] = note_pk(kw["tenant_id"], …)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import renamed_item_access, text_of
from capsule_lint.plan.entities.displays import entry_of
from capsule_lint.plan.state import Value
from capsule_lint.plan.supply.repeats import kept, repeatable
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


def beside_keyword(
    planner: Planner, want: Want, said: Iterable[tuple[Scope, tree.Node]]
) -> Value | None:
    """Beside `kw["tenant_id"]` comes `kw["capsule_id"]`, where the class gains that field: whoever says the one says
    the other. What is taken out, `kw.pop("tenant_id")`, may be gone by then, and what stands for one that nobody says,
    `kw.get("tenant_id", "public")`, is no value of the other."""
    function, gains = planner.program.names.function_of(want.node), planner.gains
    if function is None or function.owner is None or function.name != "__init__":
        return None
    home = gains.gaining(function.owner, want.scope)
    for old, given in said if home is not None else ():
        read = kept(given, planner.program)
        code = renamed_item_access(text_of(read) or "", read, old, want.scope)
        if code is None or not gains.reads_keywords(function, read) or _has_default(read):
            continue
        if repeatable(read) and _is_said(planner, function, old, want.scope, set()):
            value = Value(code, knot=("class", home), kind="keyword")
            return planner.stored.read(value, want, old)
    return None


def _has_default(read: tree.Node) -> bool:
    """Whether an access says what stands for a value that is not there."""
    return isinstance(read, tree.Call) and len(read.args) > 1


def _is_said(
    planner: Planner, function: Function, old: Scope, new: Scope, seen: set[Function]
) -> bool:
    """Whether all dicts that calls of an initializer spread are written out, with the entry of one scope that the other
    comes beside, where the call does not say these itself."""
    seen.add(function)
    for call, _ in planner.program.calls.callers(function):
        said = [a.keyword for a in call.args if a.keyword is not None]
        if any(names_scope(name, one) for name in said for one in (old, new)):
            continue
        caller = planner.program.names.function_of(call)
        for node in call.spread:
            if caller is not None and planner.gains.reads_keywords(caller, node):
                if caller not in seen and not _is_said(planner, caller, old, new, seen):
                    return False
                continue
            found = planner.local.rows.origins(node)
            if not found.complete or not all(entry_of(d, old) for d in found.displays):
                return False
    return True
