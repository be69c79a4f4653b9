"""Dicts that functions write out and calls spread, `run(order_id="1", **caller_of(event))`: what they lack may be given
beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.supply.entries import SPECIAL
from capsule_lint.program.local_names import bound_whole, is_only_read, reads_of
from capsule_lint.program.model import Function
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.slots import Slot
    from capsule_lint.plan.state import Want


@dataclass(eq=False, slots=True)
class SpreadWritten(MendRoom):
    """Finds them, and sees to it that they go on lacking it."""

    mends: Mends
    _lacking: list[tuple[Want, tree.DictDisplay]] = field(default_factory=list)

    def lack(self, args: Sequence[tree.Argument], want: Want, signature: Sequence[Slot]) -> bool:
        """Whether all that a call spreads surely lacks a scope's value. What takes nothing that it does not know was
        never given more than is seen."""
        strict = isinstance(want.callee, Function) and want.callee.name not in SPECIAL
        if not strict or any(one.kind == "**" for one in signature):
            return False
        each = [self._displays(a.value) for a in args if a.star == "**"]
        found = [one for several in each for one in several]
        named = [tree.text(key) if key is not None else None for one in found for key in one.keys]
        if not all(each) or any(name is None or names_scope(name, want.scope) for name in named):
            return False
        self._lacking += [(want, one) for one in found]
        return True

    def judge(self) -> None:
        """Make changes unsafe where such a dict gains what a call is given beside it."""
        gained = self.mends.added_entries()
        for want, display in self._lacking:
            filename = self.program.names.module_of(display).filename
            if any((filename, display.span) == place[:2] for place in gained):
                reason = f"what is spread into it gains `{want.scope.parameter}` as well"
                self.mends.obstacle(want.knot, want.node, reason)

    def _displays(self, node: tree.Node) -> Sequence[tree.DictDisplay]:
        """The dicts that an expression may be, where all of them are written out; none where that is unsure."""
        if isinstance(node, tree.Name):
            names = self.program.names
            binding = bound_whole(names, node)
            made = binding.assigned if binding is not None and binding.function else None
            if made is None or binding is None:
                return ()
            reads = reads_of(names, node, (binding.at,))
            only_read = all(is_only_read(names, one) for one in reads)
            return self._displays(made) if only_read else ()
        if isinstance(node, tree.Wrapped) and node.kind == "await":
            return self._displays(node.value)
        if isinstance(node, tree.DictDisplay):
            return (node,)
        callees = self.program.calls.callees(node) if isinstance(node, tree.Call) else ()
        functions = [callee.function for callee in callees if callee.cls is None]
        if len(functions) != 1 or len(callees) != 1 or functions[0] is None:
            return ()
        maker = functions[0]
        if maker.fact.decorators or len(self.program.calls.families.of(maker)) > 1:
            return ()
        found = [one for one in maker.returns if isinstance(one, tree.DictDisplay)]
        return found if len(found) == len(maker.returns) else ()
