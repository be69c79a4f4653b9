"""Parts of a named tuple that code throws away where it unpacks the others: `tenant_id, _, user_id = caller_of(event)`.
The one that is a scope gets its name where that is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Value, Want
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import reads_of

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding


@dataclass(eq=False, slots=True)
class ThrownAway(Room):
    """Names such parts."""

    planner: Planner
    _named: dict[Knot, tuple[tree.Name, str]] = field(default_factory=dict)
    """The parts, and what they are going to be called."""

    def beside(self, want: Want) -> Value | None:
        """The part beside that of another scope which goes with a want."""
        names = self.program.names
        for said in self.planner.origins.said(want):
            found = names.bindings_of(said) if isinstance(said, tree.Name) else ()
            part = self._part(found[0], want.scope) if len(found) == 1 else None
            if part is not None:
                knot: Knot = ("part", (names.module_of(part), part.at))
                self._named[knot] = part, want.scope.parameter
                return Value(want.scope.parameter, knot=knot, kind="loaded")
        return None

    def build(self, mends: Mends) -> None:
        """Name them."""
        for knot, (part, name) in self._named.items():
            filename = self.program.names.module_of(part).filename
            mends.add(knot, Replace(filename, part.span, "CAP401", name))

    def _part(self, binding: Binding, scope: Scope) -> tree.Name | None:
        """The part that is a scope's, of the tuple of which a name is another one, where nobody reads it."""
        statement, function = binding.place.statement, binding.place.scope.function
        match statement:
            case tree.Assign(targets=(tree.Sequence(items=items),), op="", value=value) if (
                function is not None
                and len(binding.path) == 1
                and binding.value is value is not None
            ):
                at = self._index(value, scope.parameter, len(items))
                part = items[at] if at is not None else None
                if not isinstance(part, tree.Name) or not part.id.startswith("_"):
                    return None
                taken = self.planner.sources.visible.is_taken(function, scope.parameter)
                read = any(True for _ in reads_of(self.program.names, part, (part.at,)))
                return None if taken or read else part
            case _:
                return None

    def _index(self, value: tree.Node, name: str, count: int) -> int | None:
        """Where the field of a name stands in the tuple that is unpacked, whichever that may be."""
        classes, found = self.program.classes, set[int | None]()
        for one in self.program.inference.of(value):
            cls = one.cls if isinstance(one, Instance) else None
            named = cls is not None and classes.is_named_tuple(cls)
            fields = [f.name for f in classes.fields(cls)] if named and cls is not None else []
            found.add(fields.index(name) if name in fields and len(fields) == count else None)
        return found.pop() if len(found) == 1 else None
