"""The dicts, sets and caches in which repositories and modules keep items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.foreign_caches import ForeignCaches, is_cache, names_cache
from capsule_lint.plan.memory.heirs import Heirs
from capsule_lint.plan.memory.in_order import DICTS, PLACED, in_order
from capsule_lint.plan.memory.keepers import Keepers
from capsule_lint.plan.memory.key_lists import KeyLists
from capsule_lint.plan.memory.keyed_methods import (
    HASHES,
    NAMING,
    TAKING_KEYS,
    finds_several,
    key_of,
)
from capsule_lint.plan.memory.making import copied, makes_collection
from capsule_lint.plan.memory.puts import Puts
from capsule_lint.plan.memory.remembered import Remembered
from capsule_lint.plan.memory.several_keys import METHODS, SeveralKeys
from capsule_lint.program.held_names import given_back, put_in_records
from capsule_lint.program.inference.types import (
    ClassObject,
    Collection,
    Instance,
    classes_of,
    ordered,
)
from capsule_lint.program.local_names import given, only_assigned
from capsule_lint.program.model import Binding, Class, Function, Module, last_name, outwards
from capsule_lint.program.places.sites import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from capsule_lint.plan.entities.additions import Home, Owner
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type

_KINDS: Final = DICTS | {"dict", "Dict", "set", "MutableMapping", "OrderedDict", "defaultdict"}
LOOKING_UP: Final = (tree.Subscript, tree.Call, tree.Compare)
"""The expressions that look things up."""


class Collections:
    """Finds the collections of a program, and what is looked up in them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[Home, bool] = {}
        self._lasting: dict[tuple[Function, str], bool] = {}
        self._used: dict[Module, frozenset[str]] = {}
        self._rows: set[Home] | None = None
        self._adopted: set[Home] = set()
        """The collections of others that are known by what is put into them."""
        self.heirs = Heirs(program)
        self.keepers = Keepers(program)
        self.lists = KeyLists(program)
        self.puts = Puts(program, self.keepers)
        self._remembered = Remembered(program)
        self.foreign = ForeignCaches(program)
        self._shared = frozenset(
            name
            for module in program.names.modules.values()
            for name, bindings in module.scope.bindings.items()
            if any(
                b.kind == "assign" and (self._makes(b.value) or names_cache(b)) for b in bindings
            )
        )
        """What the collections of modules are called."""
        owners = {o for c in program.domain.repositories for o in program.classes.mro(c)}
        self._held = dict(self._holding())
        """The collections of other classes in which entities or repositories are kept, and which."""
        kept = {name for o in owners for name in (*o.stores, *o.scope.bindings)}
        self._kept = frozenset(kept | {name for _, name in self._held})
        """What the attributes of repositories are called."""

    def sinks(self, node: tree.Node) -> Iterator[tuple[Owner, str, tree.Node]]:
        """What an expression looks up in a collection: whose it is, its name, and the key. Of a cache that an object
        has which is no repository, the keys count that say a scope, and of one that keeps nothing for good, those that
        say something else as well: settings of a tenant are no items."""
        for owner, name, key in self._sinks(node):
            if not self._is_strange((owner, name)) or self.foreign.counts(name, key):
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
                for base in self._choices(node.base):
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
                for base in self._choices(func.base) if known else ():
                    home = self.of(base)
                    if home is not None and (
                        func.name in TAKING_KEYS or self.is_named(node, home)
                    ):
                        key = self._key_in(node, func.name)
                        if not any(self.heirs.key_makers(node, key)):
                            yield (*home, key)
            case tree.Compare(ops=("in" | "not in",)):
                for base in self._choices(node.rights[0]):
                    home = self.of(base)
                    if home is not None:
                        yield (*home, node.left)

    def listed(self, node: tree.Node) -> Home | None:
        """The list of keys that an expression is, which a repository keeps."""
        asked = isinstance(node, tree.Attr) and node.name in self.lists.asked
        home = self.of(node) if asked else None
        return home if home is not None and self.lists.is_one(home) else None

    def _choices(self, node: tree.Node) -> Iterator[tree.Node]:
        """The collections that an expression chooses from: `(self._back if inverted else self._edges)[key]`,
        also where what is chosen has a name."""
        chosen = only_assigned(self.program.names, node) if isinstance(node, tree.Name) else node
        if isinstance(chosen, tree.Conditional):
            yield from self._choices(chosen.then)
            yield from self._choices(chosen.otherwise)
        else:
            yield node

    def _several(self, call: tree.Call, func: tree.Attr) -> Iterator[tuple[Owner, str, tree.Node]]:
        """What a method looks up that is given several keys."""
        keys = list(SeveralKeys(self.program).of(call))
        home = self.of(func.base) if keys else None
        if home is not None:
            yield from ((*home, key) for key in keys)

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

    def held(self, cls: Class) -> frozenset[Class]:
        """The entities and repositories that a class which is no repository keeps in collections."""
        return frozenset(
            one for (owner, _), kept in self._held.items() if owner is cls for one in kept
        )

    def _holding(self) -> Iterator[tuple[tuple[Class, str], frozenset[Class]]]:
        kinds = self.program.domain.entities | self.program.domain.repositories
        modules = self.program.names.production() if kinds else ()
        for cls in [c for m in modules for c in m.classes if c not in kinds]:
            for name in cls.stores:
                if self._is_collection(cls, name):
                    types = list(self._put_types(cls.module, name))
                    for one in self.program.inference.member(cls, name):
                        types += one.items if isinstance(one, Collection) else ()
                    found = classes_of(types) & kinds
                    if found:
                        yield (cls, name), frozenset(found)

    def _put_types(self, module: Module, name: str) -> Iterator[Type]:
        """What may be put into a collection of that name."""
        for put in self.puts.of(module):
            if put.name == name:
                yield from self.program.inference.of(put.value)

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
        return self.is_text(home)

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
        return self.keepers.opened_at(home) is not None or not self._is_dict(*home)

    def adopt(self, home: Home) -> None:
        """Take a collection for one in which items are kept, whoever it belongs to."""
        self._adopted.add(home)
        if isinstance(home[0], Class):
            self._kept |= {home[1]}

    def of(self, node: tree.Node) -> Home | None:
        """The class (or module) and name of a collection that a repository keeps."""
        own = self.heirs.homes(node)
        if own:
            kept = all(self._is_kept(one, None) for one in own)
            return own[0] if kept else None
        return self._find(node, self._is_kept)

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
        having = {one for one in classes.all if one.has(name) and self._is_kept((one, name), None)}
        if not having:
            return own  # who else may stand for it leads nowhere, and to many
        found = [one for one in families.kin(cls) if not having.isdisjoint(classes.mro(one))]
        return (*own, *classes.mro(found[0])) if len(found) == 1 else own

    def _find(
        self, node: tree.Node, wanted: Callable[[Home, Class | None], bool] | None
    ) -> Home | None:
        match node:
            case tree.Attr() if wanted is None or node.name in self._kept or is_cache(node.name):
                for one in ordered(self.program.inference.of(node.base)):
                    cls = one.cls if isinstance(one, Instance | ClassObject) else None
                    for owner in self._owners(cls, node.name) if cls is not None else ():
                        home = (owner, node.name)
                        if (wanted is None or wanted(home, cls)) and self._is_collection(*home):
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
        return known or any(name == adopted for _, adopted in self._adopted)

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
        made = [b for b in bindings if b.kind == "assign" and not b.path and self._makes(b.value)]
        owners = {b.function for b in made if b.place.scope.kind == "function"}
        owner = owners.pop() if len(owners) == 1 and len(made) == len(bindings) else None
        return (owner, bindings[0].name) if owner is not None else None

    def _is_kept(self, home: Home, cls: Class | None) -> bool:
        """Whether a collection of the instances of a class, or of a module, is about entities."""
        owner, name = home
        if home in self._adopted:
            return True
        if not isinstance(owner, Class):
            module = owner if isinstance(owner, Module) else owner.module
            return self._outlasts(owner, name) and self._keeps_items(module, name)
        repositories = self.program.domain.repositories
        known = owner in repositories or cls in repositories or (owner, name) in self._held
        return known or self.foreign.is_kept(owner, name)

    def _is_strange(self, home: Home) -> bool:
        """Whether a cache is kept for its keys alone."""
        owner, name = home
        if home in self._adopted or isinstance(owner, Function):
            return False
        if isinstance(owner, Module):
            own = (b for b in owner.scope.bindings.get(name, ()) if b.kind == "assign")
            return any(map(self.foreign.is_one, own)) and not self._keeps_items(owner, name)
        known = owner in self.program.domain.repositories or home in self._held
        return not known and self.foreign.is_kept(owner, name)

    def _outlasts(self, owner: Function | Module, name: str) -> bool:
        """Whether a collection is there for more than one call: a module's, or one that a function makes for what
        it defines and gives back."""
        if isinstance(owner, Module):
            return True
        if (owner, name) not in self._lasting:
            given = any(given_back(owner)) or any(put_in_records(owner))
            readers = [
                self.program.names.function_of(node)
                for node in owner.module.each(tree.Name)
                if given and node.id == name
            ]
            self._lasting[owner, name] = any(
                one is not owner and owner in outwards(one) for one in readers
            )
        return self._lasting[owner, name]

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
        if own and (self._makes(target.value) or self.keepers.at(home) is not None):
            return home if wanted is None or wanted(home, None) else None
        known = wanted is None or home in self._adopted or (own and not target.module.is_test)
        return home if known and any(map(self.foreign.is_one, same)) else None

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

    def _is_collection(self, cls: Class, name: str) -> bool:
        key = (cls, name)
        if key not in self._known:
            self._known[key] = (
                self._is_dict(cls, name)
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

    def _is_dict(self, owner: Owner, name: str) -> bool:
        """Whether a collection is a dict or a set, by what makes it or by what is said of it."""
        stores = owner.stores.get(name, []) if isinstance(owner, Class) else []
        bindings = owner.scope.bindings.get(name, [])
        values = [s.value for s in stores] + [b.value for b in bindings]
        annotations = [s.annotation for s in stores] + [b.annotation for b in bindings]
        kinds = {last_name(a) for a in annotations if a is not None}
        return any(map(self._makes, values)) or not kinds.isdisjoint(_KINDS)

    def _is_given_dict(self, cls: Class, name: str) -> bool:
        """Whether an attribute of a repository is a dict that somebody else makes."""
        if cls not in self.program.domain.repositories:
            return False
        types = self.program.inference.member(cls, name)
        return any(isinstance(one, Collection) and one.kind == "dict" for one in types)

    def _makes(self, node: tree.Node | None) -> bool:
        """Whether a value is a new dict or set."""
        return self.heirs.makes(node) or makes_collection(node)

    def _is_repository_attribute(self, cls: Class, name: str) -> bool:
        return any(
            isinstance(t, Instance) and t.cls in self.program.domain.repositories
            for t in self.program.inference.member(cls, name)
        )


def looking_up(module: Module, names: AbstractSet[str]) -> Iterator[tree.Node]:
    """The expressions of a module that may look something up in a collection of one of these names, or in a
    local one, or in one that they choose, in the order of the file."""
    return (node for node in module.every(*LOOKING_UP) if looks_up(node, names))


def looks_up(node: tree.Node, names: AbstractSet[str]) -> bool:
    """Whether an expression may look something up in such a collection."""
    match node:
        case tree.Subscript(base=base) | tree.Compare(rights=(base, *_)):
            pass
        case tree.Call(args=(first, *_)) if last_name(node.func) in PLACED:
            base = first.value
        case tree.Call(func=tree.Attr(base=base)):
            pass
        case _:
            return False
    return isinstance(base, tree.Name | tree.Conditional) or last_name(base) in names
