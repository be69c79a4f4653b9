"""Objects that a class keeps in a list, whatever it is called, `self._open.append(Reminder(note.tenant_id, note.note_id))`,
and picks by one scope: they are made of what gains another one, so they have it too, and are picked by both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.object_scopes import ObjectScopes
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.model import Class, Function, owner_of
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_LISTED: Final = ("list", "tuple", "sorted", "reversed")


@dataclass(eq=False, slots=True)
class KeptRows(Room):
    """Demands the other scope where such objects are picked."""

    planner: Planner
    _seen: set[int] = field(default_factory=set)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        found = False
        for module in self.program.names.production() if self.state.fields else ():
            for node, owner, function, cls in self._picking(module):
                knots = {s: list(self._told(cls, s)) for s in self.program.policy.scopes}
                lacking = [scope for scope, told in knots.items() if told]
                if lacking:
                    self._seen.add(id(node))
                    self._demand(node, owner, function, cls, [(s, knots[s]) for s in lacking])
                    found = True
        return found

    def _picking(self, module: Module) -> Iterator[tuple[tree.Compare, Class, Function, Class]]:
        """The comparisons of a scope of what a class keeps, tests and repositories aside: with whose they are, the
        method, and the class of what is kept."""
        for node in module.each(tree.Compare):
            if id(node) in self._seen or node.ops not in (("==",), ("!=",)):
                continue
            function = self.program.names.function_of(node)
            owner = owner_of(function)
            if function is None or owner is None or owner in self.program.domain.repositories:
                continue
            for side in (*tree.items(node.left), *tree.items(node.rights[0])):
                cls = self._kept(side) if isinstance(side, tree.Attr) else None
                if cls is not None:
                    yield node, owner, function, cls
                    break

    def _kept(self, side: tree.Attr) -> Class | None:
        """The class of an object in a list of `self`, of which a scope is read."""
        scopes, names = self.program.policy.scopes, self.program.names
        if not any(names_scope(side.name, s) for s in scopes) or not isinstance(
            side.base, tree.Name
        ):
            return None
        bindings = names.bindings_of(side.base)
        if len(bindings) != 1 or bindings[0].kind != "for" or bindings[0].path:
            return None
        if not self._is_own(bindings[0].value):
            return None
        domain, classes = self.program.domain, self.program.classes
        for one in ordered(self.program.inference.of(side.base)):
            if isinstance(one, Instance) and classes.is_data(one.cls):
                known = one.cls in domain.entities or domain.is_carrier(one.cls)
                return None if known or one.cls.module.is_test else one.cls
        return None

    def _is_own(self, node: tree.Node | None) -> bool:
        """Whether something is an attribute of `self`, or a copy of one."""
        match node:
            case tree.Attr(base=tree.Name(id="self")):
                return True
            case tree.Call(func=tree.Name(id=name), args=(only,)) if name in _LISTED:
                return self._is_own(only.value)
            case _:
                return False

    def _told(self, cls: Class, scope: Scope) -> Iterator[Knot]:
        """What must land with a change because such objects are made of what has the scope then."""
        if self.planner.sources.holders.attribute_of(cls, scope) is None:
            yield from ObjectScopes(self.planner).told_of(cls, scope)
        elif self.state.gains(cls, scope):
            yield "class", cls

    def _demand(
        self,
        node: tree.Compare,
        owner: Class,
        function: Function,
        cls: Class,
        lacking: list[tuple[Scope, list[Knot]]],
    ) -> None:
        local = self.planner.local
        before = len(local.notes.wants)
        for scope, told in lacking:
            local.classes.lacks(cls, [scope], told[0])
        local.filters.judge_kept(node, owner, function)
        for want in local.notes.wants[before:]:
            for knot in (knot for _, told in lacking for knot in told):
                self.state.groups.join(want.knot, knot)
            self.planner.want(want)
        self.planner.gains.keys()
