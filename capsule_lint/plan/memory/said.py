"""Which scopes the elements of a key in memory say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.key_hosts import is_identifier
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.texts.pieces import hole_name

if TYPE_CHECKING:
    from capsule_lint.plan.supply.scope_objects import ScopeObjects
    from capsule_lint.plan.taken_apart.splits import Splits
    from capsule_lint.program import Program


class Said(Struct, frozen=True):
    """Finds them."""

    program: Program
    splits: Splits
    objects: ScopeObjects

    def of(self, elements: list[tree.Node]) -> dict[str, tree.Node]:
        """The scopes whose values are in a key, by their names."""
        held, scopes = self.program.domain.held, self.program.policy.scopes
        present = {s.name: e for e in elements for s in scopes if held.is_value(e, s)}
        if not present:
            told = {s.name: e for e in elements for s in scopes if held.is_of_tests(e, s)}
            if any(isinstance(e, tree.Const) for e in elements) and told:
                told |= self._spelled(elements, told)
                # a text may be the value of any scope
                told = told if len(told) == len(scopes) else {}
            present = told
        others = [s for s in scopes if present and s.name not in present]
        present |= {
            s.name: e
            for e in elements
            for s in others
            if self.splits.says(e, s) or held.is_of_tests(e, s)
        }
        if present and self.program.names.module_of(elements[0]).is_test:
            present |= self._spelled(elements, present)
        for element in elements if not present else ():
            if any(
                isinstance(one, Instance) and self.objects.is_one(one.cls)
                for one in self.program.inference.of(element)
                if isinstance(element, tree.Name | tree.Attr)
            ):
                return {s.name: element for s in scopes}
        return present

    def _spelled(
        self, elements: list[tree.Node], present: dict[str, tree.Node]
    ) -> dict[str, tree.Node]:
        """The scopes that what stands in front of another one's value is in a key of a test: `rows["t", CAPSULE]`."""
        names = [s.name for s in self.program.policy.scopes]
        first = min(names.index(name) for name in present)
        at = elements.index(present[names[first]])
        values = [
            e for e in elements[:at] if not is_identifier(hole_name(e)) and not self._is_given(e)
        ]
        return dict(zip(reversed(names[:first]), reversed(values), strict=False))

    def _is_given(self, node: tree.Node) -> bool:
        """Whether an expression is a parameter, which says by its own name what it is."""
        bindings = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        return any(binding.kind == "param" for binding in bindings)
