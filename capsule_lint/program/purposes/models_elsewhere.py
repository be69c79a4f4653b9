"""Models that nothing keeps in DynamoDB, and the classes that are for these alone: one in SQL that shares a Protocol with
one of the table, and the dict which stands for it in tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.model import method_around
from capsule_lint.program.purposes.elsewhere import Elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.purposes.domain import Domain


@dataclass(eq=False, slots=True)
class ModelsElsewhere:
    """Tells them by who serves them."""

    domain: Domain
    served_by: Callable[[Function], Iterable[Class]]
    """What a function is given or gives back that could be an item."""

    def find(self) -> set[Class]:
        """The classes that one serves which keeps them elsewhere, that make no key themselves, and that nothing serves
        which works on the table."""
        domain = self.domain
        elsewhere = Elsewhere(domain.names, domain.classes, domain.inference)
        found: set[Class] = set()
        for cls, served in domain.entities_of.items():
            if served - domain.entities - found and not self._works(cls) and elsewhere.keeps(cls):
                found |= served
        found = {c for c in found - domain.entities if c.name not in domain.policy.entities}
        if found:
            found -= {one for f in self._working() for one in self._around(f)}
        return found

    def _works(self, cls: Class) -> bool:
        """Whether a class asks the table itself, or one of the layers above it."""
        domain = self.domain
        return any(
            any(method in domain.tables for method in owner.methods.values())
            or any(
                classes_of(domain.inference.attributes.member(owner, name)) & domain.layers
                for name in owner.stores
            )
            for owner in domain.classes.mro(cls)
        )

    def _working(self) -> Iterator[Function]:
        """The functions that ask the table, or make keys or have these made, and the methods that ask layers."""
        domain, keys = self.domain, self.domain.keys
        yield from domain.tables | keys.functions | keys.helpers | domain.asking_layers
        for helper in sorted(keys.helpers, key=lambda f: f.symbol):
            with domain.names.aside():  # whoever makes a key is looked at anyway
                callers = list(domain.calls.callers(helper))
            for call, _ in callers:
                function = domain.names.function_of(call)
                if function is not None:
                    yield method_around(function) or function
        for cls in domain.repositories:
            yield from cls.methods.values() if self._works(cls) else ()

    def _around(self, function: Function) -> set[Class]:
        """What a function serves, or the class of which it is a method."""
        owner = function.owner
        whole = self.domain.entities_of.get(owner, ()) if owner is not None else ()
        return {*self.served_by(function), *whole}
