"""Values that `match` takes out of objects: `case Stored(tenant_id, note_id):`, `case Stored(tenant_id=tenant_id):`. What the
object has for a scope beside one of them is taken out by the same pattern, whatever the subject is made of."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.model import AddEntry, Replace
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Value, Want
from capsule_lint.plan.supply.captures import is_free, names_beside
from capsule_lint.plan.supply.repeats import bound_by, kept
from capsule_lint.program.inference.caught import classes_of, name_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Class, Function, Module

_HIDDEN = "the pattern that takes this apart would give `{}` another meaning"


class _Part(Struct, frozen=True):
    """What a pattern takes out of an object of a class beside what a name is bound to, and where."""

    binding: Binding
    block: tree.Block
    step: tree.Field
    cls: Class


class _Taken(Struct, frozen=True):
    """A part that a pattern is going to take out: for what, of which attribute, and its name."""

    want: Want
    part: _Part
    attribute: str
    name: str


@dataclass(eq=False, slots=True)
class ClassPatterns(Room):
    """Has patterns take such parts out."""

    planner: Planner
    _taken: dict[tuple[Module, tree.At, str], _Taken] = field(default_factory=dict)
    """By the patterns, and the names of the scopes."""
    _names: dict[tuple[Function, str], list[Binding]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """What the new names of functions are bound beside."""

    def beside(self, want: Want) -> Value | None:
        """The part beside that of another scope which goes with a want."""
        for old, said in self.planner.values.said(want):
            part = self._part(said, old)
            value = self._value(want, part, old, said) if part is not None else None
            if value is not None:
                return value
        return None

    def _part(self, node: tree.Node, scope: Scope) -> _Part | None:
        """How a pattern takes a scope's value out of an object, if a name stands for that."""
        found = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else []
        block = found[0].place.statement if len(found) == 1 else None
        if not isinstance(block, tree.Block) or found[0].kind != "case":
            return None
        step = next(reversed(bound_by(found[0]).keys or ()), None)
        if not isinstance(step, tree.Field):
            return None
        classes = classes_of(self.program.inference, block, step)
        if len(classes) != 1 or self._attribute(classes[0], scope) != self._said(classes[0], step):
            return None
        return _Part(found[0], block, step, classes[0])

    def _attribute(self, cls: Class, scope: Scope) -> str | None:
        """The attribute that holds a scope's value, for anybody to read."""
        found = self.planner.sources.holders.attribute_of(cls, scope)
        return None if found is None or found.startswith("_") else found

    def _said(self, cls: Class, step: tree.Field) -> str:
        """What a part of a pattern is called in a class."""
        return name_of(self.program.inference, cls, step) or ""

    def _value(self, want: Want, part: _Part, old: Scope, said: tree.Node) -> Value | None:
        attribute = self._attribute(part.cls, want.scope)
        if attribute is None or not self._is_seen(want, part.binding):
            return None
        home = self.planner.gains.gaining(part.cls, want.scope)
        if (name := self._bound(part, attribute, want)) is not None:
            return Value(name, kind="loaded")
        marks = dict(self._marks(part))
        place = marks.get(attribute)
        taken = attribute in part.step.names or (place is not None and place.kind != "wildcard")
        if taken or "" in marks:  # which may be that one
            return None
        names = list(names_beside(part.binding, old, want.scope))
        read = kept(said, self.program)
        if read is not said and not any(isinstance(one, tree.Call) for one in within(read)):
            names.pop()  # what is read of the subject needs no name that nobody would choose
        name = next((one for one in names if self._is_free(one, part.binding)), None)
        if name is None or part.binding.function is None:
            return None
        self._names[part.binding.function, name].append(part.binding)
        key = part.binding.module, part.step.at, want.scope.parameter
        if (before := self._taken.get(key)) is not None:
            self.state.groups.join(before.want.knot, want.knot)
        self._taken[key] = _Taken(want, part, attribute, name)
        return Value(name, knot=("class", home) if home is not None else None, kind="loaded")

    def _is_seen(self, want: Want, binding: Binding) -> bool:
        """Whether a want is served by the code that the pattern is in itself, or by a comprehension."""
        scope = self.program.names.place(want.node).scope
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        return scope is binding.place.scope

    def _bound(self, part: _Part, attribute: str, want: Want) -> str | None:
        """The name to which the pattern binds an attribute already."""
        names = self.program.names
        for bind in part.block.binds:
            step = next(reversed(bind.keys or ()), None)
            if not isinstance(step, tree.Field) or step.cls != part.step.cls:
                continue
            if isinstance(bind.target, tree.Name) and self._said(part.cls, step) == attribute:
                held = names.bindings(bind.target.id, names.place(want.node))
                return bind.target.id if [b.at for b in held] == [bind.target.at] else None
        return None

    def _marks(self, part: _Part) -> Iterator[tuple[str, tree.Const]]:
        """What stands in a pattern at the places of attributes, by what these are called, where that is known."""
        head = part.block.heads[part.step.cls]
        for place, mark in enumerate(head.children[1:] if isinstance(head, tree.Other) else ()):
            if isinstance(mark, tree.Const):
                yield self._said(part.cls, replace(part.step, name="", place=place)), mark

    def _is_free(self, name: str, binding: Binding) -> bool:
        """Whether a pattern can bind a name beside another one: wherever others bind it, they do so beside that one as
        well, or in another case of the same `match`."""
        beside = self._names[binding.function, name] if binding.function is not None else ()
        place = binding.place
        alike = all(
            one.name == binding.name
            or (one.place.statement is place.statement and one.place.blocks != place.blocks)
            for one in beside
        )
        return alike and is_free(self.planner, name, binding)

    def name_of(self, pattern: tree.Node, scope: Scope) -> str | None:
        """The name of the part that comes into a pattern for a scope, where something reads it."""
        key = self.program.names.module_of(pattern), pattern.at, scope.parameter
        return taken.name if (taken := self._taken.get(key)) is not None else None

    def build(self, mends: Mends) -> None:
        """Name the parts."""
        moved = {
            (id(reader.node), scope.name)
            for reader in self.planner.tuples.found
            for scope in reader.scopes
        }
        for key, promised in [*self._taken.items()]:
            found, still = mends.value(promised.want), self.beside(promised.want)
            if still is None and (found is None or found.kind != "loaded"):
                continue  # the function has gained a parameter of that name, which is nearer
            taken = self._taken[key]
            want, part, name = taken.want, taken.part, taken.name
            filename, function = part.binding.module.filename, part.binding.function
            thrown = self.planner.thrown_away
            if function is not None and (
                mends.kept.has(function, name)
                or thrown.names(function, name)
                or not self._is_free(name, part.binding)
            ):
                mends.obstacle(want.knot, want.node, _HIDDEN.format(name))
            elif (place := dict(self._marks(part)).get(taken.attribute)) is not None:
                mends.add(want.knot, Replace(filename, place.span, "CAP401", name))
            elif (id(part.block.heads[part.step.cls]), want.scope.name) not in moved:
                at, value = tree.span_of(part.step.at), tree.span_of(part.step.value)
                anchor = value if part.step.name else None
                added = AddEntry(filename, at, "CAP401", taken.attribute, name, anchor)
                mends.add(want.knot, added)
