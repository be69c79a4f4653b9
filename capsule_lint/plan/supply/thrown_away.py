"""Parts of a named tuple that code throws away where it unpacks the others: `tenant_id, _, user_id = caller_of(event)`.
The one that is a scope gets its name where that is needed, and so does the one that the tuple comes to have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Value, Want
from capsule_lint.program.inference.types import NOTHING, Instance
from capsule_lint.program.local_names import reads_of

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.inference.types import Type, Types
    from capsule_lint.program.model import Binding, Class, Function, Module


@dataclass(eq=False, slots=True)
class ThrownAway(Room):
    """Names such parts."""

    planner: Planner
    _named: dict[Knot, tuple[tree.Name, str]] = field(default_factory=dict)
    """The parts, and what they are going to be called."""
    _read: set[tuple[Module, tree.At, str]] = field(default_factory=set)
    """The targets of which something reads the part that comes for a scope."""
    _promised: dict[tuple[Function, str], tree.Node] = field(default_factory=dict)
    """The targets, one a function, of which a part is going to have a name."""

    def beside(self, want: Want) -> Value | None:
        """The part beside that of another scope which goes with a want."""
        names, name = self.program.names, want.scope.parameter
        for said in self.planner.origins.said(want):
            binding = self._binding(said)
            part = self._part(binding, want.scope) if binding is not None else None
            if part is not None:
                knot: Knot = ("part", (names.module_of(part), part.at))
                self._named[knot] = part, name
                return Value(name, knot=knot, kind="loaded")
            target = self._target(binding, name) if binding is not None else None
            homes = {self.planner.gains.gaining(cls, want.scope) for cls in self.wholes(said)}
            if target is not None and len(homes) == 1 and (home := homes.pop()) is not None:
                self._read.add((names.module_of(target), target.at, name))
                return Value(name, knot=("class", home), kind="loaded")
        return None

    def wholes(self, node: tree.Node) -> dict[Class, str]:
        """The named tuples of which a name is a part where they are unpacked, and the field that it is in each; none where
        anything else may be meant."""
        binding, wholes = self._binding(node), dict["Class", str]()
        target = _unpacking(binding) if binding is not None else None
        if binding is None or target is None:
            return {}
        for one in self._types(binding):
            fields = self._fields(one)
            if len(fields) != len(target.items) or not isinstance(one, Instance):
                return {}
            wholes[one.cls] = fields[binding.path[0]]
        return wholes

    def _binding(self, node: tree.Node) -> Binding | None:
        """What alone binds a name."""
        found = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        return found[0] if len(found) == 1 else None

    def is_read(self, target: tree.Node, scope: Scope) -> bool:
        """Whether something reads the part that comes for a scope where a named tuple is unpacked."""
        return (self.program.names.module_of(target), target.at, scope.parameter) in self._read

    def names(self, function: Function, name: str) -> bool:
        """Whether a part of a tuple is going to have a name in a function."""
        return (function, name) in self._promised

    def _target(self, binding: Binding, name: str) -> tree.Node | None:
        """What unpacks the tuple of which a name is a part, where another part may be called so."""
        target, function = _unpacking(binding), binding.place.scope.function
        if function is None or target is None:
            return None
        if self.planner.sources.visible.is_taken(function, name):
            return None
        return target if self._promised.setdefault((function, name), target) is target else None

    def build(self, mends: Mends) -> None:
        """Name them."""
        for knot, (part, name) in self._named.items():
            filename = self.program.names.module_of(part).filename
            mends.add(knot, Replace(filename, part.span, "CAP401", name))

    def _part(self, binding: Binding, scope: Scope) -> tree.Name | None:
        """The part that is a scope's, of the tuple of which a name is another one, where nobody reads it."""
        target = _unpacking(binding)
        at = self._index(binding, scope.parameter, len(target.items)) if target else None
        part = target.items[at] if target is not None and at is not None else None
        if not isinstance(part, tree.Name) or not part.id.startswith("_"):
            return None
        free = self._target(binding, scope.parameter) is not None
        read = any(True for _ in reads_of(self.program.names, part, (part.at,)))
        return part if free and not read else None

    def _index(self, binding: Binding, name: str, count: int) -> int | None:
        """Where the field of a name stands in the tuple that is unpacked, whichever that may be."""
        found = set[int | None]()
        for fields in map(self._fields, self._types(binding)):
            found.add(fields.index(name) if name in fields and len(fields) == count else None)
        return found.pop() if len(found) == 1 else None

    def _fields(self, one: Type) -> list[str]:
        """The fields of a named tuple in their order; none of anything else."""
        classes, cls = self.program.classes, one.cls if isinstance(one, Instance) else None
        named = cls is not None and classes.is_named_tuple(cls)
        return [f.name for f in classes.fields(cls)] if named and cls is not None else []

    def _types(self, binding: Binding) -> Types:
        """What the whole may be of which a name is a part: what is unpacked, or each that a loop goes through."""
        inference, value = self.program.inference, binding.value
        whole = inference.of(value) if value is not None else NOTHING
        return inference.elements(whole) if binding.kind == "for" else whole


def _unpacking(binding: Binding) -> tree.Sequence | None:
    """The targets that give a name a part of one value, and others the other parts."""
    targets: list[tree.Node] = []
    match binding.place.statement:
        case tree.Assign(targets=(target,), op="", value=value) if binding.value is value:
            targets.append(target)
        case tree.Block(kind="for", binds=binds) if binding.kind == "for":
            targets += [one.target for one in binds if one.value is binding.value]
    for target in targets if len(binding.path) == 1 else ():
        if isinstance(target, tree.Sequence):
            starred = any(isinstance(item, tree.Wrapped) for item in target.items)
            return None if starred else target
    return None
