"""The dicts, sets and caches in which repositories and modules keep items."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.foreign_caches import ForeignCaches, is_cache, names_cache
from capsule_lint.plan.memory.in_order import in_order
from capsule_lint.plan.memory.kept_items import KeptItems
from capsule_lint.plan.memory.keyed_methods import (
    HASHES,
    KEYLESS,
    NAMING,
    TAKING_KEYS,
    finds_several,
    key_of,
)
from capsule_lint.plan.memory.kinds import Kinds
from capsule_lint.plan.memory.making import copied
from capsule_lint.plan.memory.merged import Merged
from capsule_lint.plan.memory.puts import Puts
from capsule_lint.plan.memory.rekeyed import keys_listed, keys_of_dict, keys_said
from capsule_lint.plan.memory.several_keys import METHODS, SeveralKeys
from capsule_lint.program.inference.types import (
    ClassObject,
    Instance,
    ordered,
)
from capsule_lint.program.local_names import bound_whole, given
from capsule_lint.program.model import Binding, Class, Function, last_name
from capsule_lint.program.places.sites import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.plan.entities.additions import Home, Owner
    from capsule_lint.program import Program


class Collections:
    """Finds the collections of a program, and what is looked up in them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._rows: set[Home] | None = None
        self._kinds = Kinds(program)
        self.heirs, self.keepers = self._kinds.heirs, self._kinds.keepers
        self.lists = self._kinds.lists
        self.merged = Merged(program)
        self.puts = Puts(program, self.keepers)
        self.foreign = ForeignCaches(program)
        self.items = KeptItems(program, self._kinds, self.puts, self.foreign)
        self._shared = frozenset(
            name
            for module in program.names.modules.values()
            for name, bindings in module.scope.bindings.items()
            if any(
                b.kind == "assign" and (self._kinds.makes(b.value) or names_cache(b))
                for b in bindings
            )
        )
        """What the collections of modules are called."""
        owners = {o for c in program.domain.repositories for o in program.classes.mro(c)}
        kept = {name for o in owners for name in (*o.stores, *o.scope.bindings)}
        self._kept = frozenset(kept | {name for _, name in self.items.held})
        """What the attributes of repositories are called."""

    def sinks(self, node: tree.Node) -> Iterator[tuple[Owner, str, tree.Node]]:
        """What an expression looks up in a collection: whose it is, its name, and the key. Of a cache that an object
        has which is no repository, the keys count that say a scope, and of one that keeps nothing for good, those that
        say something else as well: settings of a tenant are no items."""
        for owner, name, key in self._sinks(node):
            if not self.items.is_strange((owner, name)) or self.foreign.counts(name, key):
                yield owner, name, key

    def _sinks(self, node: tree.Node) -> Iterator[tuple[Owner, str, tree.Node]]:
        listed = [
            (home, key) for base, key in self.lists.looked_up(node) if (home := self.listed(base))
        ]
        listed += [(home, key) for base, key in in_order(node) if (home := self.of(base))]
        if listed:
            yield from ((*home, key) for home, key in listed)
            return
        match node:
            case tree.Subscript():
                for base in self.choices(node.base):
                    home = self.of(base)
                    if home is not None and not self.lists.is_one(home):
                        yield (*home, node.index)
            case tree.Call(func=tree.Attr() as func) if node.args:
                if func.name in METHODS:
                    yield from self._several(node, func)
                if func.name == "update":
                    return
                own = self.keepers.key_of(node)
                if own is not None:
                    home = self.of(func.base)
                    if home is not None:
                        yield (*home, own)
                    return
                cached = is_cache(last_name(func.base)) or self.heirs.names
                known = func.name in TAKING_KEYS or cached
                for base in self.choices(func.base) if known else ():
                    home = self.of(base)
                    if home is not None and (
                        func.name in TAKING_KEYS or self.is_named(node, home)
                    ):
                        key = self._key_in(node, func.name)
                        if not any(self.heirs.key_makers(node, key)):
                            yield (*home, key)
            case tree.Compare(ops=("in" | "not in",)):
                for base in self.choices(node.rights[0]):
                    home = self.of(base)
                    if home is not None:
                        yield (*home, node.left)

    def listed(self, node: tree.Node) -> Home | None:
        """The list of keys that an expression is, which a repository keeps."""
        asked = isinstance(node, tree.Attr) and node.name in self.lists.asked
        home = self.of(node) if asked else None
        return home if home is not None and self.lists.is_one(home) else None

    def choices(self, node: tree.Node, seen: frozenset[int] = frozenset()) -> Iterator[tree.Node]:
        """The collections that an expression chooses from: `(self._back if inverted else self._edges)[key]`,
        also where what is chosen has a name, and those that a loop goes through: `for kept in (self._rows, self._edges)`;
        not what it has `seen` on the way, for a loop may go through what it names itself."""
        bound = bound_whole(self.program.names, node)
        looped = bound.value if bound is not None and bound.kind == "for" else None
        chosen = bound.assigned if bound is not None else node
        several: tuple[tree.Node, ...] = ()
        if isinstance(looped, tree.Sequence):
            chosen, several = looped, looped.items
        elif isinstance(chosen, tree.Conditional):
            several = (chosen.then, chosen.otherwise)
        elif isinstance(chosen, tree.Name) and chosen is not node:
            several = (chosen,)
        if not several or id(chosen) in seen:
            yield node
        for one in several if id(chosen) not in seen else ():
            yield from self.choices(one, seen | {id(chosen)})

    def _several(self, call: tree.Call, func: tree.Attr) -> Iterator[tuple[Owner, str, tree.Node]]:
        """What a method looks up that is given several keys."""
        several = SeveralKeys(self.program)
        home = self.of(func.base) if any(several.of(call, keys_listed)) else None
        if home is not None:
            yield from ((*home, key) for key in several.of(call, self.taken_in(home)))

    def _key_in(self, call: tree.Call, method: str) -> tree.Node:
        """The key that a method is given; of a hash's name and a field of it, the one that says a scope."""
        first = key_of(call)
        is_field = (
            method in HASHES
            and len(call.args) > 1
            and not self.program.domain.held.has_value(first)
        )
        return call.args[1].value if is_field else first

    def keeps_rows(self, home: Home) -> bool:
        """Whether what is read from the table goes into a collection: `cache[note_id] = table.get_item(…)`."""
        if self._rows is None:
            self._rows = set(self._with_rows())
        return home in self._rows

    def _with_rows(self) -> Iterator[Home]:
        keys = self.program.keys
        read = {id(s.template.host) for s in keys.sites if s.role is Role.LOOKUP} | keys.asked
        for module in self.program.names.modules.values() if read else ():
            for put in () if module.is_test else self.puts.of(module):
                if self.puts.is_made_of(put, read):
                    home = self.of(put.into)
                    if home is not None:
                        yield home

    def key_makers(self, call: tree.Call) -> list[Function]:
        """The methods of the program's by which a collection is looked into, and which make the key."""
        if not call.args:
            return []
        return list(self.heirs.key_makers(call, self._key_in(call, last_name(call.func))))

    def is_named(self, call: tree.Call, home: Home) -> bool:
        """Whether a method of Redis, of a cache that is not the program's, or of a dict that is, is given a
        key that says a scope."""
        method = last_name(call.func)
        if not call.args or not self.foreign.says_scope(key_of(call)) or finds_several(method):
            return False
        if method in NAMING:
            return True
        callees = self.program.calls.callees(call)
        if callees:
            owners = {c.function.owner for c in callees if c.function is not None}
            return all(owner is not None and owner.name in self.heirs.names for owner in owners)
        return method not in KEYLESS and self.is_text(home)

    def is_named_at_all(self, call: tree.Call, home: Home) -> bool:
        """The same of a key that says none, where it is written there: `redis.sadd("banned", address)`."""
        if self.is_named(call, home):
            return True
        key = key_of(call) if call.args and last_name(call.func) in NAMING else None
        if key is None or self.foreign.says_scope(key) or not self.is_text(home):
            return False
        templates = self.program.templates
        return templates.constant(key) is not None or templates.template(key) is not None

    def is_text(self, home: Home) -> bool:
        """Whether the keys of a collection may have to be texts: it is not known to be a dict, or is declared so."""
        keeper = self.keepers.at(home)
        if keeper is not None:
            return self.keepers.takes_text(keeper)
        return self.keepers.opened_at(home) is not None or not self._kinds.is_dict(*home)

    def taken_in(self, home: Home) -> Callable[[tree.Node], tuple[tree.Node, ...]]:
        """What says which keys are written in something that a collection takes in: a set or a list has them as they
        come, a dict in pairs, and what may be either only where a dict is written out."""
        if self._kinds.is_set(*home) or self.lists.is_one(home):
            return keys_listed
        return keys_said if self._kinds.is_dict(*home) else keys_of_dict

    def adopt(self, home: Home) -> None:
        """Take a collection for one in which items are kept, whoever it belongs to."""
        self.items.adopted.add(home)
        if isinstance(home[0], Class):
            self._kept |= {home[1]}

    def of(self, node: tree.Node) -> Home | None:
        """The class (or module) and name of a collection that a repository keeps."""
        own = self.heirs.homes(node)
        if own:
            kept = all(self.items.keeps(one, None) for one in own)
            return own[0] if kept else None
        return self._find(node, self.items.keeps)

    def any(self, node: tree.Node) -> Home | None:
        """The class (or module) and name of a collection, whatever it is for."""
        return self._find(node, None)

    def _owners(self, cls: Class, name: str) -> Sequence[Class]:
        """The classes that an attribute may be of, and, where what is declared, a Protocol, lacks it, the only one that
        may stand for it and has it."""
        classes, families = self.program.classes, self.program.calls.families
        own = classes.mro(cls)
        if not classes.is_protocol(cls) or classes.has_attribute(cls, name):
            return own
        having = {one for one in self._having.get(name, ()) if self.items.keeps((one, name), None)}
        if not having:
            return own  # who else may stand for it leads nowhere, and to many
        found = [one for one in families.kin(cls) if not having.isdisjoint(classes.mro(one))]
        return (*own, *classes.mro(found[0])) if len(found) == 1 else own

    @cached_property
    def _having(self) -> dict[str, list[Class]]:
        """The classes that have an attribute, by its name."""
        found: dict[str, list[Class]] = defaultdict(list)
        for cls in self.program.classes.all:
            for name in {*cls.stores, *cls.methods, *cls.scope.bindings}:
                found[name].append(cls)
        return found

    def _find(
        self, node: tree.Node, wanted: Callable[[Home, Class | None], bool] | None
    ) -> Home | None:
        match node:
            case tree.Attr() if wanted is None or node.name in self._kept or is_cache(node.name):
                for one in ordered(self.program.inference.of(node.base)):
                    cls = one.cls if isinstance(one, Instance | ClassObject) else None
                    for owner in self._owners(cls, node.name) if cls is not None else ():
                        home = (owner, node.name)
                        if (wanted is None or wanted(home, cls)) and self._kinds.is_one(*home):
                            return home
        match node:
            case tree.Call() | tree.DictDisplay() if (source := copied(node)) is not None:
                return self._find(source, wanted) if isinstance(source, tree.Attr) else None
            case tree.Attr() if wanted is None or self._is_shared(node.name):
                return self._of_module(self.program.classes.dotted(node), wanted)
            case tree.Name() if not self.program.names.leaves(node):
                found = self.program.names.bindings_of(node)
                match [binding.value for binding in found]:
                    case [tree.Call(func=tree.Attr(name="pipeline", base=cache))]:
                        return self._find(cache, wanted)  # what is done in one go
                copy = self._of_copies(found, wanted)
                if copy is not None:
                    return copy
                for into in self.merged.into(node, found):
                    whole = self._find(into, wanted)
                    if whole is not None:
                        return whole
                local = self._of_function(found)
                if local is not None:
                    return local if wanted is None or wanted(local, None) else None
                for binding in found:
                    target = self.program.names.follow(binding)
                    if (
                        isinstance(target, Binding)
                        and target.kind == "assign"
                        and not target.path
                        and isinstance(target.value, tree.Attr)
                        and target.place.scope.kind == "function"
                    ):
                        return self._find(target.value, wanted)
                    shared = self._of_module(target, wanted)
                    if shared is not None:
                        return shared
        return None

    def _is_shared(self, name: str) -> bool:
        """Whether a module has a collection of that name, or a cache by that name is known by what is put there."""
        known = name in self._shared or is_cache(name)  # the module may have to be looked up first
        return known or any(name == adopted for _, adopted in self.items.adopted)

    def _of_copies(
        self, bindings: Sequence[Binding], wanted: Callable[[Home, Class | None], bool] | None
    ) -> Home | None:
        """The collection that an object keeps, and of which a local is a copy, or gets it while the object
        gets a new one: `pending, self._pending = self._pending, {}`."""
        for binding in bindings:
            value = given(binding) if binding.kind == "assign" else None
            source = copied(value) if value is not None else None
            source = source or (value if binding.path else None)
            home = self._find(source, wanted) if isinstance(source, tree.Attr) else None
            if home is not None and binding.place.scope.kind == "function":
                return home
        return None

    def _of_function(self, bindings: Sequence[Binding]) -> Home | None:
        """The function and name of a collection that a function makes for itself."""
        made = [
            b for b in bindings if b.kind == "assign" and not b.path and self._kinds.makes(b.value)
        ]
        owners = {b.function for b in made if b.place.scope.kind == "function"}
        owner = owners.pop() if len(owners) == 1 and len(made) == len(bindings) else None
        return (owner, bindings[0].name) if owner is not None else None

    def _of_module(
        self, target: object, wanted: Callable[[Home, Class | None], bool] | None
    ) -> Home | None:
        """The module and name of a collection that a module keeps, by its binding, or of a cache that is
        not the program's: that one is known by what is put into it."""
        if not isinstance(target, Binding):
            return None
        home = (target.module, target.name)
        every = target.module.scope.bindings.get(target.name, [])
        same = every if target in every else [target]  # a function may set it: `global redis`
        own = target.kind == "assign" and any(one.is_global for one in same)
        if own and (self._kinds.makes(target.value) or self.keepers.at(home) is not None):
            return home if wanted is None or wanted(home, None) else None
        known = wanted is None or home in self.items.adopted or (own and not target.module.is_test)
        return home if known and any(map(self.foreign.is_one, same)) else None
