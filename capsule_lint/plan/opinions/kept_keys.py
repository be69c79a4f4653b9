"""Keys and filters of what is kept in memory that ask for another scope's value, `rows.get((capsule_id, tenant_id, note_id))`,
or for one that is written out, `row.capsule_id == "PRODUS"`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.judgement import LiteralFact
from capsule_lint.plan.memory.local_filters import condition_of
from capsule_lint.plan.opinions.base import Opinion, alternatives
from capsule_lint.plan.opinions.given_names import misnamed, traded
from capsule_lint.plan.opinions.keys import is_everyone, is_source_constant
from capsule_lint.plan.opinions.no_values import no_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.memory.local_filters import Filter
    from capsule_lint.plan.opinions.base import Ground
    from capsule_lint.policy import Scope


@dataclass(eq=False, slots=True)
class KeptKeyOpinions:
    """Judges them, tests aside."""

    ground: Ground

    def find(self) -> Iterator[Opinion]:
        """What stands in the place of a scope's value, and is none of its."""
        local = self.ground.planner.local
        for elements, places in local.whole.misplaced():
            wrong = [
                found
                for scope in self.ground.scopes
                if scope.name in places
                if (found := misnamed(self.ground, elements[places[scope.name]], scope))
            ]
            yield from traded(self.ground, wrong)
        for value, scope in local.whole.literals:
            yield from self._literal(value, scope)
        for reads in self._filters():
            wrong = [m for r in reads if (m := misnamed(self.ground, r.right, r.scope))]
            yield from traded(self.ground, wrong)
            for read in reads:
                if self._picks(read) and local.filters.is_beside(read):
                    yield from self._literal(read.right, read.scope)

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
        """Whether a comparison decides which rows are given, and not what is done with one."""
        condition = condition_of(self.ground.program.names, read.node)
        around = self.ground.program.names.parent(condition)
        return any(
            isinstance(one, tree.Comprehension | tree.Lambda) for one in (condition, around)
        )

    def _literal(self, value: tree.Node, scope: Scope) -> Iterator[Opinion]:
        program = self.ground.program
        module = program.names.module_of(value)
        texts = [program.templates.constant(self.ground.uncast(o)) for o in alternatives(value)]
        text = next((one for one in texts if one and not is_everyone(one)), "")
        text = text or no_value(program.names, value)
        if text and not is_source_constant(self.ground, value, scope):
            symbol, missing = program.names.symbol_of(value), (scope.parameter,)
            yield Opinion(LiteralFact(module.filename, value.span, symbol, missing, reason=text))
