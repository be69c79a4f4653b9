"""Rows that `groupby`, or a dict whose keys an `attrgetter` makes, puts together by one scope, though they have another one
as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.local_notes import left_out_of_key
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Collection, FunctionObject, Instance, ordered
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.program.model import Class


class Grouped(Room, Struct, frozen=True):
    """Finds the keys once it is settled which classes gain fields: whoever sorts by them must change too."""

    planner: Planner

    def note(self) -> None:
        """Make the changes unsafe that would leave such a key behind."""
        for module in self.program.names.judged():
            for call in module.each(tree.Call) if not module.is_test else ():
                if last_name(call.func) == "groupby" and len(call.args) > 1:
                    self._judge(call.keyword("key") or call.args[1].value, self._rows(call))
                elif last_name(call.func) == "attrgetter" and self._keeps(call):
                    self._judge(call, self._having(self._names(call)))

    def _keeps(self, getter: tree.Call) -> bool:
        """Whether things are kept under what a getter makes that has a name: `self._rows[self._key(row)] = row`."""
        names = self.program.names
        made = names.parent(getter)
        node = made if isinstance(made, tree.Call) else getter  # staticmethod(attrgetter(…))
        kept = names.parent(node)
        if not isinstance(kept, tree.Assign):
            return False
        known = {last_name(target) for target in kept.targets}
        return any(
            last_name(call.func) in known
            and isinstance(into := names.parent(call), tree.Subscript)
            and into.index is call
            for module in names.production()
            for call in module.each(tree.Call)
        )

    def _having(self, names: list[str]) -> list[Class]:
        """The classes that gain fields and have all of these."""
        mro, fields = self.program.classes.mro, self.state.fields
        return [
            cls
            for cls in list(fields)
            if fields[cls] and all(any(c.has(name) for c in mro(cls)) for name in names)
        ]

    def _judge(self, key: tree.Node, rows: list[Class]) -> None:
        """Note what a key lacks that says a scope and more."""
        names, planner = self._names(key), self.planner
        said = [s for s in self.program.policy.scopes if any(names_scope(n, s) for n in names)]
        for cls in rows if said and len(names) > len(said) else ():
            for scope in self.state.fields[cls].values():
                if scope not in said:
                    reason = left_out_of_key(scope)
                    planner.local.notes.obstacle(("class", cls), key, reason)

    def _rows(self, call: tree.Call) -> list[Class]:
        """The classes that gain fields of what is grouped."""
        inference, fields = self.program.inference, self.state.fields
        items = [
            item
            for one in ordered(inference.of(call.args[0].value))
            for item in (one.items if isinstance(one, Collection) else ())
        ]
        return [i.cls for i in items if isinstance(i, Instance) and fields.get(i.cls)]

    def _names(self, key: tree.Node) -> list[str]:
        """What rows are grouped by."""
        if isinstance(key, tree.Call) and last_name(key.func) in ("attrgetter", "itemgetter"):
            return [text for a in key.args if (text := tree.text(a.value)) is not None]
        return [hole_name(item) for made in self._made(key) for item in tree.items(made)]

    def _made(self, key: tree.Node) -> Iterator[tree.Node]:
        """What a function of a row returns."""
        if isinstance(key, tree.Lambda):
            yield key.body
            return
        for one in self.program.inference.of(key):
            if isinstance(one, FunctionObject):
                yield from one.function.returns
