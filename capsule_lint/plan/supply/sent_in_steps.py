"""Messages that a program puts together step by step, makes JSON of and sends: `body["tenant_id"] = tenant_id`, and
`body.update(tenant_id=tenant_id)`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot, Want
    from capsule_lint.plan.supply.written import Written
    from capsule_lint.policy import Scope


@dataclass(eq=False)
class SentInSteps(Room):
    """Demands a step more, beside that of another scope."""

    planner: Planner
    written: Written

    @property
    def are_any(self) -> bool:
        """Whether the program does so at all."""
        return bool(self._steps)

    def demands(
        self, pair: tuple[str, str], keys: Collection[str], scope: Scope, knot: Knot
    ) -> Iterator[Want]:
        """What a message lacks of which the second of a pair of keys is read for a scope, where it has the first and may
        have all that is read besides."""
        old, new = pair
        notes, policy = self.planner.local.notes, self.program.policy
        for step, value in self._steps.get(old, ()):
            if not self._may_say(step, keys, new):
                continue
            if isinstance(step, tree.Subscript):
                asked = notes.step(step, value, scope, new, knot)
            else:
                beside = next((one for one in policy.scopes if names_scope(old, one)), scope)
                asked = notes.extend(step, beside, scope, knot, new, old)
            yield from () if asked is None else (asked,)

    def say(self, names: Collection[str], keys: Collection[str], scope: Scope) -> bool:
        """Whether a message that has one of some names of scopes, and may have all keys, is going to have a scope."""
        says = self.planner.local.notes.says
        return any(
            says(step, scope) and self._may_say(step, keys, "")
            for name in names
            for step, _ in self._steps.get(name, ())
        )

    @cached_property
    def _steps(self) -> dict[str, list[tuple[tree.Subscript | tree.Call, tree.Node]]]:
        """The steps that give such messages the values of scopes, and these, by their keys."""
        found = defaultdict[str, list[tuple[tree.Subscript | tree.Call, tree.Node]]](list)
        for module in self.program.names.production():
            for statement, _ in module.statements:
                match statement:
                    case tree.Assign(
                        targets=(tree.Subscript(base=tree.Name() as name) as target,),
                        op="",
                        value=value,
                    ) if value is not None and self._names_scope(tree.text(target.index)):
                        if self._is_sent(name):
                            found[tree.text(target.index) or ""].append((target, value))
                    case tree.Eval(
                        kind="expr",
                        values=(
                            tree.Call(
                                func=tree.Attr(name="update", base=tree.Name() as name)
                            ) as call,
                        ),
                    ):
                        said = [one for one in call.keywords if self._names_scope(one[0])]
                        for key, value in said if said and self._is_sent(name) else ():
                            found[key].append((call, value))
        return found

    def _names_scope(self, key: str | None) -> bool:
        return key is not None and names_any_of(key, self.program.policy.scopes)

    def _is_sent(self, name: tree.Name) -> bool:
        """Whether JSON is made of what a local stands for, and sent."""
        names = self.program.names
        function = names.function_of(name)
        reads = names.called(function, name.id) if function is not None else ()
        return any(map(self.written.sends, reads))

    def _may_say(self, step: tree.Subscript | tree.Call, keys: Collection[str], new: str) -> bool:
        """Whether a message may have all of these keys, and has not the new one."""
        parts = self.planner.spreaders.steps.of(step)
        said = {key for key, _ in parts.entries}
        base = step.base if isinstance(step, tree.Subscript) else step.func
        base = base.base if isinstance(base, tree.Attr) else base
        bound = self.program.names.bindings_of(base) if isinstance(base, tree.Name) else ()
        given = any(binding.parameter is not None for binding in bound)
        return new not in said and (bool(parts.wholes) or given or said.issuperset(keys))
