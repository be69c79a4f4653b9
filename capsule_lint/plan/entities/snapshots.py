"""Tests that expect all that an item has which is written out by hand, without saying whose: a person must
look where it gets an entry more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, AddEntry
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

_REASON: Final = (
    "this lists all that an item has which gets `{}`: it may have to list that as well"
)


class _Written(Struct, frozen=True):
    """An item that gets an entry: what it has besides its keys, and where it is made."""

    names: frozenset[str]
    every: frozenset[str]
    function: Function | None
    defect: KeyDefect
    scope: Scope


@dataclass(eq=False, slots=True)
class Snapshots(MendRoom):
    """Finds such places."""

    mends: Mends

    def build(self) -> None:
        """Note the places that nothing has mended."""
        written = list(self._written())
        if not written:
            return
        mended = self.mends.mended(AddElements, AddEntry)
        for module in self.program.names.judged():
            for node in module.nodes if module.is_test and not module.generated else ():
                said = _names_in(node)
                found = next((w for w in written if w.names <= said <= w.every), None)
                if found is None or (module.filename, node.span) in mended:
                    continue
                if self._is_expected(node) and self._runs(node, found.function):
                    reason = _REASON.format(found.scope.parameter)
                    self.mends.obstacle(found.defect.knot, node, reason)

    def _written(self) -> Iterator[_Written]:
        policy = self.program.policy
        for display, defect, scope in self.planner.items.written:
            every = frozenset(name for name, _ in entries_of(display))
            own = {n for n in every if not (policy.is_key_name(n) or policy.is_sort_key_name(n))}
            function = self.program.names.function_of(display)
            if len(own) > 1:
                yield _Written(frozenset(own), every, function, defect, scope)

    def _is_expected(self, node: tree.Node) -> bool:
        """Whether something is compared, by itself or among others, with what is not known to be
        something else."""
        names, inner = self.program.names, node
        around = names.parent(node)
        while isinstance(around, tree.Sequence | tree.DictDisplay):
            inner, around = around, names.parent(around)
        match around:
            case tree.Compare():
                sides = [s for s in (around.left, *around.rights) if s is not inner]
            case tree.Call() if last_name(around.func).startswith("assert"):
                sides = [a.value for a in around.args if a.value is not inner]
            case _:
                return False
        rows = self.planner.local.rows
        return not all(
            (origins := rows.origins(side)).complete and origins.displays for side in sides
        )

    def _runs(self, node: tree.Node, made: Function | None) -> bool:
        """Whether the test runs what makes the item, as far as that is known."""
        test = self.program.names.function_of(node)
        return test is None or made is None or made in self.mends.testing.reach.of(test)


def _names_in(node: tree.Node) -> frozenset[str]:
    """The texts that a display lists, or the keys of a dict."""
    match node:
        case tree.Sequence():
            said = [tree.text(item) for item in node.items]
            return frozenset(text for text in said if text is not None)
        case tree.DictDisplay():
            return frozenset(name for name, _ in entries_of(node))
        case _:
            return frozenset()
