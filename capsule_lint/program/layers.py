"""Layers: classes that hand whole keys, items and conditions on to the table and add nothing of their own.

What a layer reads and writes is its callers' business: they make the keys. An application's repository
takes an identifier or one kind of entity, or makes a key; a layer does none of these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.program.types import Collection, Instance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program.domain import Domain
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.types import Types

_BASE: Final = re.compile(
    r"^(?:Abstract|Base|Generic|I[A-Z])|Base$|^(?:Model|Entity|Item|Record|Resource|Document)$"
)
"""Names of classes that stand for any entity."""
_CONDITION: Final = re.compile(r"(?:Index|Indexes|Condition|Expression|Filter|Table)$")
"""Names of classes that say which items are meant, and are none."""


@dataclass(eq=False, slots=True)
class Layers:
    """Tells layers from an application's repositories."""

    domain: Domain
    _made: set[Class] = field(default_factory=set)
    """The classes in which keys are written."""
    _keyed: set[Class] = field(default_factory=set)
    """The classes in which keys are written, or asked for by a key helper."""

    def find(self, candidates: Iterable[Class]) -> set[Class]:
        """Those of the repositories that are layers, together with all that share their methods."""
        domain = self.domain
        self._made = {s.owner for s in domain.keys.sites if s.owner is not None}
        self._keyed = set(self._made)
        for helper in domain.keys.helpers:
            if helper.takes_self and helper.owner not in domain.repositories:
                continue  # an item that is asked for its own key
            for call, _ in domain.calls.callers(helper):
                function = domain.names.place(call).scope.function
                while function is not None and function.owner is None:
                    function = function.parent
                if function is not None and function.owner is not None:
                    self._keyed.add(function.owner)
        left = {cls for cls in candidates if self._is_plain(cls)}
        before = -1
        while before != len(left):
            before = len(left)
            left = {cls for cls in left if all(k in left for k in self._kin(cls, candidates))}
        return left

    def _kin(self, cls: Class, candidates: Iterable[Class]) -> Iterator[Class]:
        """The other repositories that have a method in common with a class."""
        among = set(candidates)
        for name, method in cls.methods.items():
            if not name.startswith("_") and self.domain.is_operation(method):
                for member in self.domain.calls.family(method):
                    if member.owner is not None and member.owner in among:
                        yield member.owner

    def _is_plain(self, cls: Class) -> bool:
        domain = self.domain
        if domain.policy.is_repository_name(cls.name) or cls in self._keyed:
            return False
        if any(owner in self._keyed for owner in domain.classes.mro(cls)):
            return False
        methods = [m for name, m in cls.methods.items() if not name.startswith("__")]
        if not any(domain.touches_table(m) for m in methods):
            return False
        return all(self._only_passes(m) for m in methods)

    def _only_passes(self, method: Function) -> bool:
        """Whether nothing in a method's signature says what it is about."""
        touching = self.domain.touches_table(method)
        for parameter in method.own_params:
            if touching and self.domain.is_identifier(parameter):
                return False
            if parameter.annotation is not None and self._names_entity(
                self.domain.inference.annotations.of(parameter.annotation)
            ):
                return False
        returns = method.fact.returns
        return returns is None or not self._names_entity(
            self.domain.inference.annotations.of(returns)
        )

    def _names_entity(self, types: Types) -> bool:
        """Whether a type is one kind of item, and not the base of all that can be items."""
        for one in types:
            if isinstance(one, Collection) and self._names_entity(one.items):
                return True
            if (
                isinstance(one, Instance)
                and self.domain.is_item(one.cls)
                and not _CONDITION.search(one.cls.name)
                and not self._stands_for_any(one.cls)
            ):
                return True
        return False

    def _stands_for_any(self, cls: Class) -> bool:
        domain = self.domain
        if domain.has_key(cls) or domain.has_scope(cls) or cls in self._made:
            return False
        derived = any(sub is not cls for sub in domain.classes.subclasses(cls))
        return derived or bool(_BASE.search(cls.name))


__all__ = ["Layers"]
