"""Which scopes the keys of a collection need, and whether it matters that they lack one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.key_hosts import is_identifier, is_whole_key
from capsule_lint.program.inference.types import (
    ClassObject,
    Collection,
    Foreign,
    Instance,
    classes_of,
)
from capsule_lint.program.model import Class, Function, Module, Place, last_name, owner_of
from capsule_lint.program.texts.pieces import hole_name

if TYPE_CHECKING:
    from collections.abc import Collection as Several
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home, Owner
    from capsule_lint.plan.memory.collections import Collections
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Types

_SCALARS: Final = frozenset(("builtins.int", "builtins.float", "builtins.bool", "builtins.str"))


@dataclass(eq=False, slots=True)
class KeyNeeds:
    """Judges collections."""

    program: Program
    collections: Collections
    fed: dict[Home, tuple[Scope, ...]] = field(default_factory=dict)
    """The scopes that the keys of a collection need because of what is put into it."""
    memos: set[Home] = field(default_factory=set)
    """The collections of those that say no scope at all."""
    inner: dict[Home, set[str]] = field(default_factory=dict)
    """The names of the scopes that the keys of what stands in a collection say, which is one itself."""

    def demanded(self, home: Home, place: Place, said: Several[str] = ()) -> tuple[Scope, ...]:
        """The scopes that a key of a collection needs, which says some."""
        fed, at = self.fed.get(home), (place.scope.function, place.scope.module)
        needed = self._fed(fed, *at, said) if fed else self.required(home[0], *at, said)
        inner = self.inner.get(home, ())
        return tuple(scope for scope in needed if scope.name not in inner)

    def required(
        self,
        owner: Owner,
        function: Function | None,
        module: Module,
        said: Several[str] = (),
    ) -> tuple[Scope, ...]:
        """The scopes that a collection, or a filter, needs by what its class is for."""
        cls = owner if isinstance(owner, Class) else None
        entity = self.program.domain.narrowed_names(cls, function, module.name, said)
        if entity is None and cls is not None:
            served = self.program.domain.entities_of.get(cls) or self.collections.items.held_by(
                cls
            )
            kinds = {e.name for e in served}
            narrow = kinds & set(self.program.policy.entities)
            if narrow and narrow == kinds:
                entity = min(narrow)
        return self.program.policy.scopes_of(entity)

    def _fed(
        self,
        scopes: tuple[Scope, ...],
        function: Function | None,
        module: Module,
        said: Several[str],
    ) -> tuple[Scope, ...]:
        """What a key needs by what is put into its collection, and by what its own function is for."""
        domain, cls = self.program.domain, owner_of(function)
        entity = domain.narrowed_names(cls, function, module.name, said)
        allowed = self.program.policy.scopes_of(entity)
        return tuple(scope for scope in scopes if scope in allowed)

    def matters(self, owner: Owner, name: str, elements: list[tree.Node], scoped: bool) -> bool:
        """Whether the collection holds entities: keyed by a scope, or by an identifier in a shared repository."""
        if (owner, name) in self.fed:
            return scoped or (owner, name) in self.memos
        if scoped:
            many = len(elements) > 1 or not self.holds_scalars(owner, name)
            return many or self._stands_for_items(owner, name)
        if self.is_scoped(owner) or self._is_share(owner, name):
            return False
        if not has_identifier(elements):
            return self.tells(elements) and self._keeps_entities(owner, name)
        if self.collections.keeps_rows((owner, name)):
            return True
        return (
            isinstance(owner, Class)
            and not self.holds_scalars(owner, name)
            and bool(self.program.domain.entities_of.get(owner) or self._family_entities(owner))
        )

    def tells(self, elements: list[tree.Node]) -> bool:
        """Whether a key is one value, and no whole key, by which a function of the program that is told it, or
        an object, tells things apart: `room`, `room.name`."""
        names = self.program.names
        one = elements[0] if len(elements) == 1 else None
        if not isinstance(one, tree.Name | tree.Attr) or is_whole_key(hole_name(one)):
            return False
        if names.module_of(one).is_test or self._is_class(one):
            return False
        bound = names.bindings_of(one) if isinstance(one, tree.Name) else ()
        return all(binding.kind == "param" for binding in bound)

    def _is_class(self, node: tree.Node) -> bool:
        """Whether an expression may be a class, `row.__class__` or `kind: type[Row]`: that tells kinds of things."""
        types = self.program.inference.of(node)
        return last_name(node).startswith("__") or any(isinstance(t, ClassObject) for t in types)

    def _keeps_entities(self, owner: Owner, name: str) -> bool:
        """Whether a collection of a repository holds entities, rows of the table, or collections of entities."""
        if not isinstance(owner, Class) or owner not in self.program.domain.repositories:
            return False
        if self.collections.keeps_rows((owner, name)):
            return True
        kept = self.program.inference.member(owner, name)
        found = [t for one in kept if isinstance(one, Collection) for t in one.items]
        found += [t for one in found if isinstance(one, Collection) for t in one.items]
        return not self.program.domain.entities.isdisjoint(classes_of(found))

    def _family_entities(self, owner: Class) -> bool:
        return any(
            self.program.domain.entities_of.get(c)
            for c in (*self.program.classes.mro(owner), *self.program.classes.subclasses(owner))
        )

    def is_scoped(self, owner: Owner) -> bool:
        """Whether a class is told a scope when it is made, or what carries one; or a function whose local others keep."""
        if isinstance(owner, Class):
            return self._scoped_by_constructor(owner)
        return isinstance(owner, Function) and (
            self.program.domain.takes_scope(owner)
            or any(
                self._carries(self.program.domain.parameter_types(owner, parameter))
                for parameter in owner.own_params
            )
        )

    def _scoped_by_constructor(self, cls: Class) -> bool:
        held, scopes = self.program.domain.held.is_attribute, self.program.policy.scopes
        made = list(self.program.classes.made_with(cls))
        if any(held(owner, name, scope) for owner, name in made for scope in scopes):
            return True
        with self.program.names.aside():  # what carries a scope is asked for where that is told
            return any(self._carries(self.program.inference.member(*one)) for one in made)

    def _is_share(self, owner: Owner, name: str) -> bool:
        """Whether a collection is what another one has under a scope: `self._notes = self._all.setdefault(tenant_id, {})`,
        whose key says whose it is."""
        stores = owner.stores.get(name, ()) if isinstance(owner, Class) else ()
        return bool(stores) and all(
            store.value is not None
            and any(
                self.program.domain.held.has_value(key)
                for _, _, key in self.collections.sinks(store.value)
            )
            for store in stores
        )

    def _carries(self, types: Types) -> bool:
        """Whether a value is an object that carries a scope of a request."""
        domain, scopes = self.program.domain, self.program.policy.scopes
        return any(
            isinstance(one, Instance)
            and domain.is_carrier(one.cls)
            and any(
                self.program.classes.has_attribute(one.cls, scope.parameter)
                or domain.held.attribute(one.cls, scope)
                for scope in scopes
            )
            for one in types
        )

    def _stands_for_items(self, owner: Owner, name: str) -> bool:
        """Whether a collection is used where another implementation uses the table: a counter in memory
        for one that is an item."""
        program = self.program
        return isinstance(owner, Class) and any(
            program.domain.touches_table(other)
            for method in owner.methods.values()
            if any(
                isinstance(n, tree.Attr) and n.name == name for n in program.names.inside(method)
            )
            for other in self._alternatives(method)
            if other is not method
        )

    def _alternatives(self, method: Function) -> Iterator[Function]:
        """The methods of a family, and those of the classes that fit one of its Protocols."""
        classes = self.program.classes
        for other in self.program.calls.families.of(method):
            yield other
            if (expected := other.owner) is None:
                continue
            for cls in classes.owning(method.name):
                if classes.fits(cls, expected):
                    yield cls.methods[method.name]

    def holds_scalars(self, owner: Owner, name: str) -> bool:
        """Whether a collection of a class holds nothing but numbers and texts."""
        if not isinstance(owner, Class):
            return False
        for one in self.program.inference.declared(owner, name):
            if (
                isinstance(one, Collection)
                and one.items
                and all(isinstance(t, Foreign) and t.name in _SCALARS for t in one.items)
            ):
                return True
        return False


def has_identifier(elements: list[tree.Node]) -> bool:
    """Whether a part of a key tells one thing from others of its kind."""
    return any(is_identifier(hole_name(e)) for e in elements)
