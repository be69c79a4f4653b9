"""Templates of the program that tests fill themselves: `Keys.USER_PK.format(tenant_id="t", user_id="u")`."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.model import Mend
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope


def refilled(mends: Mends, node: tree.Node, changed: str, knot: Knot) -> list[Mend]:
    """What fills the new fields of a template, whose code is `changed`, where a test names its values; nothing
    where that is not known."""
    names = mends.planner.program.names
    method = names.parent(node)
    call = names.parent(method)
    if (
        not mends.program.names.module_of(node).is_test
        or not isinstance(method, tree.Attr)
        or method.name != "format"
        or not isinstance(call, tree.Call)
        or call.func is not method
        or any(a.keyword is None for a in call.args)
    ):
        return []
    given = [a.keyword for a in call.args]
    fields = {name for _, name, _, _ in Formatter().parse(changed) if name is not None}
    new = [s for s in mends.planner.program.policy.scopes if s.parameter in fields - set(given)]
    if fields - set(given) - {scope.parameter for scope in new}:
        return []
    found: list[Mend] = []
    for scope in new:
        code = mends.testing.code(scope, call, knot)
        if code is None:
            return []
        at = _place(mends, given, scope)
        filename = mends.program.names.module_of(call).filename
        found.append(AddArgument(filename, call.span, "CAP104", code, scope.parameter, at))
    return found


def _place(mends: Mends, given: list[str | None], scope: Scope) -> int:
    """Behind the argument of the scope before it."""
    before: Iterator[str] = (s.parameter for s in mends.planner.program.policy.others(scope))
    return max((given.index(name) + 1 for name in before if name in given), default=0)
