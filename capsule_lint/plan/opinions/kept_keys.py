"""Keys and filters of what is kept in memory that ask for another scope's value, `rows.get((capsule_id, tenant_id, note_id))`,
or for one that is written out, `row.capsule_id == "PRODUS"`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.local_filters import condition_of
from capsule_lint.plan.opinions.base import Opinion
from capsule_lint.plan.opinions.given_names import misnamed, traded
from capsule_lint.plan.opinions.written_out import literals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.memory.local_filters import Filter
    from capsule_lint.plan.opinions.base import Ground


@dataclass(eq=False, slots=True)
class KeptKeyOpinions:
    """Judges them, tests aside."""

    ground: Ground

    def find(self) -> Iterator[Opinion]:
        """What stands in the place of a scope's value, and is none of its."""
        local = self.ground.planner.local
        for elements, places, certain in local.whole.misplaced():
            wrong = [
                found
                for scope in self.ground.scopes
                if scope.name in places
                if (found := misnamed(self.ground, elements[places[scope.name]], scope))
            ]
            for one in traded(self.ground, wrong):
                yield one if certain else Opinion(one.fact)
        for value, scope in local.whole.values():
            yield from literals(self.ground, value, scope)
        for reads in self._filters():
            wrong = [m for r in reads if (m := misnamed(self.ground, r.right, r.scope))]
            yield from traded(self.ground, wrong)
            for read in reads:
                if self._picks(read) and local.filters.beside(read):
                    yield from literals(self.ground, read.right, read.scope)

    def _filters(self) -> Iterable[list[Filter]]:
        """The comparisons with something else than the scope's value, those of one condition together."""
        found: dict[int, list[Filter]] = defaultdict(list)
        filters, names = self.ground.planner.local.filters, self.ground.program.names
        for module in self.ground.modules():
            for node in module.each(tree.Compare):
                for one in filters.otherwise(node):
                    found[id(condition_of(names, node))].append(one)
        return found.values()

    def _picks(self, read: Filter) -> bool:
        """Whether a comparison decides which rows are given, and not which are left out, or what is done with one."""
        around: object = read.node
        leaves_out = read.node.ops == ("!=",)
        while isinstance(around, tree.Compare | tree.Boolean | tree.Wrapped):
            leaves_out ^= isinstance(around, tree.Wrapped) and around.kind == "not"
            around = self.ground.program.names.parent(around)
        return not leaves_out and isinstance(around, tree.Comprehension | tree.Lambda)
