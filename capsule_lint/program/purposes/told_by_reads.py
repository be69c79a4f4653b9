"""Parameters of which nothing says the class, and which can only be one entity by what is read of them: `pet` of
`pet.tenant_id`, `pet.pet_id`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.purposes.domain import Domain


@dataclass(eq=False, slots=True)
class ToldByReads:
    """Says which entity."""

    domain: Domain
    _known: dict[tuple[int, int], Class | None] = field(default_factory=dict)
    """The answers, by parameters and how many entities were known."""

    def of(self, function: Function, parameter: tree.Parameter) -> Class | None:
        """The only class that has all attributes which a function reads of a parameter, a scope among them and
        something else, if that is an entity."""
        if parameter.annotation is not None or not self.domain.entities:
            return None
        key = id(parameter), len(self.domain.entities)
        if key not in self._known:
            self._known[key] = self._found(function, parameter)
        return self._known[key]

    def _found(self, function: Function, parameter: tree.Parameter) -> Class | None:
        names, read = self.domain.names, set[str]()
        for one in names.called(function, parameter.name):
            match names.parent(one):
                case tree.Attr(name=name) if not name.startswith("__"):
                    read.add(name)
                case tree.Subscript(base=base) if base is one:
                    return None
        scopes = {name for name in read if names_any_of(name, self.domain.policy.scopes)}
        if not scopes or scopes == read:
            return None
        classes = self.domain.classes
        found = [c for c in classes.all if all(classes.has_attribute(c, name) for name in read)]
        return found[0] if len(found) == 1 and found[0] in self.domain.entities else None
