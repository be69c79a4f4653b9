"""Rows and entities that tests expect whole, where nothing tells how they come back: out of the body of a response,
from a fixture that calls. A dict with exactly the names of one that gains an entry is taken for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entries_of, names_any
from capsule_lint.plan.testing.expected import equated
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class

_FEW: Final = 3
"""How many names tell a dict from others."""


@dataclass(eq=False, slots=True)
class Returned:
    """Builds the mends of such dicts. Those that are known to be the items come before."""

    mends: Mends

    def build(self) -> None:
        """Extend them, unless something that gains nothing has the same names."""
        gained = self._gained()
        alike = self._alike(gained.keys()) if gained else frozenset()
        for module in self.mends.planner.program.names.modules.values() if gained else ():
            for node in module.nodes if module.is_test and not module.generated else ():
                for side, _ in equated(node):
                    for display in within(side):
                        if isinstance(display, tree.DictDisplay):
                            names = self._plain(name for name, _ in entries_of(display))
                            for knot, scope in gained.get(names, ()) if names not in alike else ():
                                self.mends.expected.extend(module, display, knot, scope)

    def _gained(self) -> dict[frozenset[str], list[tuple[Knot, Scope]]]:
        """The names of the dicts and entities that gain an entry or a field, and of which scope."""
        found: dict[frozenset[str], list[tuple[Knot, Scope]]] = defaultdict(list)
        program = self.mends.planner.program
        for node, knot, scope, _ in self.mends.expected.grown:
            if isinstance(node, tree.DictDisplay) and not self.mends.module_of(node).is_test:
                found[self._plain(name for name, _ in entries_of(node))].append((knot, scope))
        for cls, scopes in self.mends.planner.state.fields.items():
            names = self._fields(cls) if program.classes.is_data(cls) else frozenset()
            found[names] += [(("class", cls), scope) for scope in scopes.values()]
        return {names: gains for names, gains in found.items() if len(names) >= _FEW}

    def _alike(self, wanted: Iterable[frozenset[str]]) -> frozenset[frozenset[str]]:
        """Those of these names that something has too that gains nothing."""
        return frozenset(wanted).intersection(self._unchanged())

    def _unchanged(self) -> Iterator[frozenset[str]]:
        planner = self.mends.planner
        grown = {id(node) for node, *_ in self.mends.expected.grown}
        for module in planner.program.names.judged():
            if module.is_test:
                continue
            for display in module.each(tree.DictDisplay):
                if id(display) not in grown and names_any(display, planner.program):
                    yield self._plain(name for name, _ in entries_of(display))
            for cls in module.classes:
                if cls not in planner.state.fields and planner.program.classes.is_data(cls):
                    yield self._fields(cls)

    def _fields(self, cls: Class) -> frozenset[str]:
        return self._plain(one.name for one in self.mends.planner.program.classes.fields(cls))

    def _plain(self, names: Iterable[str]) -> frozenset[str]:
        """These names without those of keys, which responses leave out."""
        policy = self.mends.planner.program.policy
        return frozenset(
            name
            for name in names
            if not policy.is_key_name(name) and not policy.is_sort_key_name(name)
        )
