"""Keywords of which a constructor makes the key: `def __init__(self, **kw): kw["pk"] = note_pk(kw["tenant_id"], …)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.plan.code import renamed_item_access, text_of
from capsule_lint.plan.state import Value
from capsule_lint.plan.supply.repeats import kept, repeatable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.facts import tree
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope


def beside_keyword(
    planner: Planner, want: Want, said: Iterable[tuple[Scope, tree.Node]]
) -> Value | None:
    """Beside `kw["tenant_id"]` comes `kw["capsule_id"]`, where the class gains that field: whoever says the one says
    the other. What is taken out, `kw.pop("tenant_id")`, may be gone by then."""
    function, gains = planner.program.names.function_of(want.node), planner.gains
    if function is None or function.owner is None or function.name != "__init__":
        return None
    home = gains.gaining(function.owner, want.scope)
    for old, given in said if home is not None else ():
        read = kept(given, planner.program)
        code = renamed_item_access(text_of(read) or "", read, old, want.scope)
        if code is not None and gains.reads_keywords(function, read) and repeatable(read):
            value = Value(code, knot=("class", home), kind="keyword")
            return planner.stored.read(value, want, old)
    return None
