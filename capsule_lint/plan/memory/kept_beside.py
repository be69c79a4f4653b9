"""Values that are kept under a scope where a call beside is told them, and is told the scope too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.key_hosts import is_identifier
from capsule_lint.plan.memory.remembered import is_given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope


class KeptBeside(Struct, frozen=True):
    """Finds such calls."""

    planner: Planner

    def of(self, value: tree.Node, scope: Scope) -> Iterator[Knot | None]:
        """What must land with a change of the key of what is kept, or `None` for a call that is told the scope
        as it is: the calls are told by which identifier they are to find what has the scope,
        `self.repo.put(tenant_id, order_id, total)`, `self._last[tenant_id] = order_id`, or are given to keep
        what the function is told to: `self.repo.add(tenant_id, page)`, `self._recent[tenant_id].append(page)`."""
        for one in _named(value):
            if is_identifier(one.id) or is_given(self.planner.program, one):
                yield from self._calls(one, scope)

    def _calls(self, value: tree.Name, scope: Scope) -> Iterator[Knot | None]:
        names = self.planner.program.names
        function, bound = names.function_of(value), names.bindings_of(value)
        for call in names.inside(function) if function is not None else ():
            if isinstance(call, tree.Call) and any(
                isinstance(a.value, tree.Name)
                and a.value.id == value.id
                and names.bindings_of(a.value) == bound
                for a in call.args
            ):
                yield from self.planner.fed.values.of_call(call, scope)


def _named(value: tree.Node) -> Iterator[tree.Name]:
    """What is kept by its name, also as one part of a tuple, list, or dict."""
    match value:
        case tree.Name():
            yield value
        case tree.Sequence(items=parts) | tree.DictDisplay(values=parts):
            for part in parts:
                yield from _named(part)
