"""Dicts of which pydantic's `TypeAdapter` makes models: `TypeAdapter(Order | Refund).validate_python(data)`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.plan.room import Room
from capsule_lint.program.fields import alias_of
from capsule_lint.program.inference.types import Collection, Instance, join, ordered
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.entities.rows import Origins
    from capsule_lint.plan.planner import Planner
    from capsule_lint.program.inference.types import Types
    from capsule_lint.program.model import Class

ADAPTING: Final = "validate_python"
"""The method that makes what an adapter was told of dicts."""
_MAX_DEPTH: Final = 6


@dataclass(eq=False)
class Adapted(Room):
    """Finds them."""

    planner: Planner

    def gaining(self) -> Iterator[tuple[Display, Class, list[Class]]]:
        """Those that may become an object of a class which gains a field, and what else they may become, which gains
        none."""
        gained, mro = self.state.fields, self.program.classes.mro
        for display, found in self._every if gained else ():
            gaining = [cls for cls in found if not gained.keys().isdisjoint(mro(cls))]
            for cls in gaining:
                yield display, cls, [one for one in found if one not in gaining]

    @cached_property
    def _every(self) -> list[tuple[Display, list[Class]]]:
        """The dicts, and what each of them may become."""
        return [
            found
            for call in self.program.calls.uses.calls_beside(ADAPTING)
            if isinstance(call.func, tree.Attr) and call.unnamed
            for one in self.program.inference.of(call.func.base)
            if isinstance(one, Collection) and one.kind == "decoder"
            for found in self._in(call.unnamed[0], one.items, 0)
        ]

    def _in(
        self, node: tree.Node, made: Types, depth: int
    ) -> Iterator[tuple[Display, list[Class]]]:
        """Those in what becomes something of those types: a dict itself, or what is in a list."""
        if depth > _MAX_DEPTH:
            return
        rows = self.planner.local.rows
        yield from self._among(rows.origins(node), made, depth)
        for one in ordered(made):
            if isinstance(one, Collection) and one.kind == "list":
                yield from self._among(rows.elements(node), one.items, depth)

    def _among(
        self, origins: Origins, made: Types, depth: int
    ) -> Iterator[tuple[Display, list[Class]]]:
        """Those of some dicts, and those in them: the values of `dict[str, Order]`, and models in a model."""
        own = [one.cls for one in ordered(made) if isinstance(one, Instance)]
        values = [t.items for t in made if isinstance(t, Collection) and t.kind == "dict"]
        for display in origins.displays if own or values else ():
            found = [cls for cls in own if self._may_be(display, cls)]
            if found:
                yield display, found
            for name, value in entries_of(display):
                fields = (self._field(cls, name) for cls in found)
                yield from self._in(value, join(*values, *fields), depth + 1)

    def _field(self, cls: Class, name: str) -> Types:
        """What a field of a class may be that a dict knows by a name."""
        annotations, fields = self.program.inference.annotations, self.program.classes.fields(cls)
        said = (f.annotation for f in fields if name in (f.name, alias_of(f.value)))
        return join(*(annotations.of(one) for one in said if one is not None))

    def _may_be(self, display: Display, cls: Class) -> bool:
        """Whether a dict may become an object of a class, by what that says of its fields: `kind: Literal["email"]`."""
        said = {name: tree.text(value) for name, value in entries_of(display)}
        for one in self.program.classes.fields(cls):
            text = said.get(alias_of(one.value) or one.name)
            match one.annotation:
                case tree.Subscript(base=base, index=index) if last_name(base) == "Literal":
                    known = [tree.text(item) for item in tree.items(index)]
                    if text is not None and None not in known and text not in known:
                        return False
        return True
