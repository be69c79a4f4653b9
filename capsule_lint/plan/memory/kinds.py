"""What is a collection: the attributes of classes, and the values that make one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.plan.memory.foreign_caches import is_cache
from capsule_lint.plan.memory.heirs import Heirs
from capsule_lint.plan.memory.in_order import DICTS
from capsule_lint.plan.memory.keepers import Keepers
from capsule_lint.plan.memory.key_lists import KeyLists
from capsule_lint.plan.memory.making import SETS, makes_collection, makes_set
from capsule_lint.program.inference.types import Collection, Instance, classes_of
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.plan.entities.additions import Home, Owner
    from capsule_lint.program import Program

_KINDS: Final = DICTS | {"dict", "Dict", "set", "MutableMapping", "OrderedDict", "defaultdict"}


class Kinds:
    """Says what is a collection."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.heirs = Heirs(program)
        self.keepers = Keepers(program)
        self.lists = KeyLists(program)
        self._known: dict[Home, bool] = {}

    def is_one(self, cls: Class, name: str) -> bool:
        """Whether an attribute is a collection in which things are looked up."""
        key = (cls, name)
        if key not in self._known:
            self._known[key] = (
                self.is_dict(cls, name)
                or self.lists.is_one(key)
                or (
                    name in cls.stores
                    and (
                        is_cache(name)
                        or self._is_given_dict(*key)
                        or self.keepers.at(key) is not None
                    )
                    and not self._is_repository_attribute(cls, name)
                    and not self._makes_keys(cls, name)
                )
            )
        return self._known[key]

    def _makes_keys(self, cls: Class, name: str) -> bool:
        """Whether an attribute is an object of the program's that is told scopes, and makes keys of them
        by itself: `decisions.get(tenant_id, subject)`."""
        takes_scope = self.program.domain.takes_scope
        types = self.program.inference.member(cls, name)
        found = classes_of(types)
        return bool(found) and all(
            any(
                takes_scope(method)
                for owner in self.program.classes.mro(one)
                for method in owner.methods.values()
                if not method.name.startswith("_")
            )
            for one in found
        )

    def is_dict(self, owner: Owner, name: str) -> bool:
        """Whether a collection is a dict or a set, by what makes it or by what is said of it."""
        values, kinds = _made_of(owner, name)
        return any(map(self.makes, values)) or not kinds.isdisjoint(_KINDS)

    def is_set(self, owner: Owner, name: str) -> bool:
        """Whether a collection is a set or a counter, by the same."""
        values, kinds = _made_of(owner, name)
        return any(map(makes_set, values)) or not kinds.isdisjoint(SETS)

    def _is_given_dict(self, cls: Class, name: str) -> bool:
        """Whether an attribute of a repository is a dict that somebody else makes."""
        if cls not in self.program.domain.repositories:
            return False
        types = self.program.inference.member(cls, name)
        return any(isinstance(one, Collection) and one.kind == "dict" for one in types)

    def makes(self, node: tree.Node | None) -> bool:
        """Whether a value is a new dict or set."""
        return self.heirs.makes(node) or makes_collection(node)

    def _is_repository_attribute(self, cls: Class, name: str) -> bool:
        return any(
            isinstance(t, Instance) and t.cls in self.program.domain.repositories
            for t in self.program.inference.member(cls, name)
        )


def _made_of(owner: Owner, name: str) -> tuple[list[tree.Node | None], set[str]]:
    """What is assigned to an attribute or a name, and what annotations call it."""
    stores = owner.stores.get(name, []) if isinstance(owner, Class) else []
    bindings = owner.scope.bindings.get(name, [])
    annotations = [s.annotation for s in stores] + [b.annotation for b in bindings]
    values = [s.value for s in stores] + [b.value for b in bindings]
    return values, {last_name(a) for a in annotations if a is not None}
