"""Which collections are about entities, and which caches are kept for their keys alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.key_uses import SAFE_METHODS
from capsule_lint.plan.memory.remembered import Remembered
from capsule_lint.plan.memory.written_out import WrittenOut
from capsule_lint.program.held_names import given_back, put_in_records
from capsule_lint.program.inference.types import Collection, Instance, classes_of
from capsule_lint.program.model import Class, Function, Module, outwards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.foreign_caches import ForeignCaches
    from capsule_lint.plan.memory.kinds import Kinds
    from capsule_lint.plan.memory.puts import Puts
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type


class KeptItems:
    """Says of a collection whether items are kept there: whose it is, and what is put into it."""

    def __init__(self, program: Program, kinds: Kinds, puts: Puts, foreign: ForeignCaches) -> None:
        self.program = program
        self._kinds = kinds
        self._puts = puts
        self._foreign = foreign
        self._remembered = Remembered(program)
        self._written_out = WrittenOut(program)
        self._of_settings: dict[Home, bool] = {}
        self._lasting: dict[tuple[Function, str], bool] = {}
        self._used: dict[Module, frozenset[str]] = {}
        self.adopted: set[Home] = set()
        """The collections of others that are known by what is put into them."""
        self.held = dict(self._holding())
        """The collections of other classes in which entities or repositories are kept, and which."""

    def keeps(self, home: Home, cls: Class | None) -> bool:
        """Whether a collection of the instances of a class, or of a module, is about entities."""
        if home in self.adopted:
            return True
        # That it is written out and only read is asked last: to tell that, all of the program is looked through.
        return self._is_about_items(home, cls) and not self._is_of_settings(home)

    @contextmanager
    def taking(self, home: Home) -> Iterator[None]:
        """Take a collection for one in which items are kept, for a while."""
        fresh = home not in self.adopted
        self.adopted.add(home)
        try:
            yield
        finally:
            if fresh:
                self.adopted.discard(home)

    def settings(self) -> list[Home]:
        """The collections that would be about items if they were not written out and only read."""
        return [home for home, is_one in self._of_settings.items() if is_one]

    def _is_of_settings(self, home: Home) -> bool:
        if home not in self._of_settings:
            self._of_settings[home] = self._written_out.is_one(home)
        return self._of_settings[home]

    def _is_about_items(self, home: Home, cls: Class | None) -> bool:
        """The same, whether something is put there or not."""
        owner, name = home
        if not isinstance(owner, Class):
            module = owner if isinstance(owner, Module) else owner.module
            return self._outlasts(owner, name) and self._keeps_items(module, name)
        repositories = self.program.domain.repositories
        known = owner in repositories or cls in repositories or (owner, name) in self.held
        return known or self._foreign.is_kept(owner, name)

    def is_strange(self, home: Home) -> bool:
        """Whether a cache is kept for its keys alone."""
        owner, name = home
        if home in self.adopted or isinstance(owner, Function):
            return False
        if isinstance(owner, Module):
            own = (b for b in owner.scope.bindings.get(name, ()) if b.kind == "assign")
            return any(map(self._foreign.is_one, own)) and not self._keeps_items(owner, name)
        known = owner in self.program.domain.repositories or home in self.held
        return not known and self._foreign.is_kept(owner, name)

    def _outlasts(self, owner: Function | Module, name: str) -> bool:
        """Whether a collection is there for more than one call: a module's, or one that a function makes for what
        it defines and gives back."""
        if isinstance(owner, Module):
            return True
        if (owner, name) not in self._lasting:
            given = any(given_back(owner)) or any(put_in_records(owner))
            self._lasting[owner, name] = given and bool(self._users(owner, name))
        return self._lasting[owner, name]

    def is_of_one(self, owner: Function, name: str) -> bool:
        """Whether a collection that outlasts its function is used by one function inside of that alone, or cleared. What
        else uses it, `def forget(tenant_id): …`, may be called by what it is put on, `wrapper.forget = forget`."""
        names, users = self.program.names, self._users(owner, name)
        others = [
            node
            for node in names.inside(owner)
            if isinstance(node, tree.Name)
            and node.id == name
            and (names.function_of(node) is owner or names.place(node).scope.kind == "lambda")
        ]
        return (
            self._outlasts(owner, name)
            and len(users) == 1
            and all(map(self._is_bound_or_cleared, others))
        )

    def _is_bound_or_cleared(self, node: tree.Name) -> bool:
        match self.program.names.parent(node):
            case tree.Assign(targets=targets):
                return node in targets
            case tree.Attr(name=name):
                return name in SAFE_METHODS
            case _:
                return False

    def _users(self, owner: Function, name: str) -> set[Function]:
        """The functions inside of a function that use what it calls so."""
        readers = map(
            self.program.names.function_of,
            (node for node in owner.module.each(tree.Name) if node.id == name),
        )
        return {
            one
            for one in readers
            if one is not None and one is not owner and owner in outwards(one)
        }

    def held_by(self, cls: Class) -> frozenset[Class]:
        """The entities and repositories that a class which is no repository keeps in collections."""
        return frozenset(
            one for (owner, _), kept in self.held.items() if owner is cls for one in kept
        )

    def _holding(self) -> Iterator[tuple[tuple[Class, str], frozenset[Class]]]:
        kinds = self.program.domain.entities | self.program.domain.repositories
        modules = self.program.names.production() if kinds else ()
        for cls in [c for m in modules for c in m.classes if c not in kinds]:
            for name in cls.stores:
                if self._kinds.is_one(cls, name):
                    types = list(self._put_types(cls.module, name))
                    for one in self.program.inference.member(cls, name):
                        types += one.items if isinstance(one, Collection) else ()
                    found = classes_of(types) & kinds
                    if found:
                        yield (cls, name), frozenset(found)

    def _put_types(self, module: Module, name: str) -> Iterator[Type]:
        """What may be put into a collection of that name."""
        for put in self._puts.of(module):
            if put.name == name:
                yield from self.program.inference.of(put.value)

    def _keeps_items(self, module: Module, name: str) -> bool:
        """Whether a collection of a module is about entities: by what the module does, or by what is
        put into it."""
        if module.name in self.program.domain.item_modules or self._remembered.keeps(module, name):
            return True
        if name in self._of_repositories(module):
            return True
        return any(
            isinstance(one, Instance) and one.cls in self.program.domain.entities
            for one in self._put_types(module, name)
        )

    def _of_repositories(self, module: Module) -> frozenset[str]:
        """What the methods of repositories use of their module: those in memory may keep their rows there."""
        if module not in self._used:
            repositories = self.program.domain.repositories
            methods = [m for c in module.classes if c in repositories for m in c.methods.values()]
            read = (n for m in methods for n in self.program.names.inside(m))
            self._used[module] = frozenset(n.id for n in read if isinstance(n, tree.Name))
        return self._used[module]
