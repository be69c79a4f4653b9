"""The dicts, sets and caches in which repositories and modules keep items."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import Binding, Class, Module, last_name
from capsule_lint.program.pieces import words
from capsule_lint.program.sites import Role
from capsule_lint.program.types import Collection, Instance
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.rows import Home
    from capsule_lint.program import Program
    from capsule_lint.program.types import Type

_CONSTRUCTORS: Final = frozenset(
    [
        "dict",
        "OrderedDict",
        "defaultdict",
        "TTLCache",
        "LRUCache",
        "LFUCache",
        "Cache",
        "set",
        "WeakValueDictionary",
        "list",
        "deque",
        "Counter",
    ]
)
_STORES: Final = frozenset(words("cache_redis_valkey_memcache_memcached_memo"))
"""Words in the names of attributes that are caches, whatever they are made by."""
_KEYED: Final = frozenset(
    [
        "get",
        "pop",
        "setdefault",
        "set",
        "setex",
        "delete",
        "add",
        "discard",
        "remove",
        "__getitem__",
        "__contains__",
        "has",
        "invalidate",
        "expire",
        "put",
    ]
)


@dataclass(frozen=True, slots=True)
class Put:
    """`into[…] = value`, and the last name of `into`."""

    into: tree.Node
    name: str
    value: tree.Node


@dataclass(eq=False, slots=True)
class Collections:
    """Finds the collections of a program, and what is looked up in them."""

    program: Program
    _known: dict[Home, bool] = field(default_factory=dict)
    _kept: frozenset[str] = field(init=False)
    """What the attributes of repositories are called."""
    _shared: frozenset[str] = field(init=False)
    """What the collections of modules are called."""
    _held: dict[tuple[Class, str], frozenset[Class]] = field(init=False)
    """The collections of other classes in which entities or repositories are kept, and which."""
    _rows: set[Home] | None = None
    _put: dict[Module, list[Put]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._shared = frozenset(
            name
            for module in self.program.names.modules.values()
            for name, bindings in module.scope.bindings.items()
            if any(b.kind == "assign" and _makes_collection(b.value) for b in bindings)
        )
        owners = {o for c in self.program.domain.repositories for o in self.program.classes.mro(c)}
        self._held = dict(self._holding())
        kept = {name for o in owners for name in (*o.stores, *o.scope.bindings)}
        self._kept = frozenset(kept | {name for _, name in self._held})

    def sinks(self, node: tree.Node) -> Iterator[tuple[Class | Module, str, tree.Node]]:
        """What an expression looks up in a collection: whose it is, its name, and the key."""
        match node:
            case tree.Subscript():
                home = self.of(node.base)
                if home is not None:
                    yield (*home, node.index)
            case tree.Call(func=tree.Attr() as func) if func.name in _KEYED and node.args:
                home = self.of(func.base)
                if home is not None:
                    yield (*home, node.args[0].value)
            case tree.Compare(ops=("in" | "not in",)):
                home = self.of(node.rights[0])
                if home is not None:
                    yield (*home, node.left)

    def keeps_rows(self, home: Home) -> bool:
        """Whether what is read from the table goes into a collection: `cache[note_id] = table.get_item(…)`."""
        if self._rows is None:
            self._rows = set(self._with_rows())
        return home in self._rows

    def _with_rows(self) -> Iterator[Home]:
        read = {id(s.template.host) for s in self.program.keys.sites if s.role is Role.LOOKUP}
        for module in self.program.names.modules.values() if read else ():
            for put in () if module.is_test else self._puts(module):
                if self._reads(put.value, read):
                    home = self.of(put.into)
                    if home is not None:
                        yield home

    def _puts(self, module: Module) -> list[Put]:
        """What a module puts into collections under a key."""
        if module not in self._put:
            self._put[module] = [
                Put(target.base, last_name(target), statement.value)
                for statement, _ in module.statements
                if isinstance(statement, tree.Assign) and statement.value is not None
                for target in statement.targets
                if isinstance(target, tree.Subscript)
            ]
        return self._put[module]

    def _reads(self, node: tree.Node, read: set[int]) -> bool:
        """Whether a value is made of what a key is looked up for, here or where a local gets it."""
        if isinstance(node, tree.Name):
            bindings = self.program.names.bindings(node.id, self.program.names.place(node))
            values = [b.value for b in bindings if b.kind == "assign" and b.value is not None]
            return any(id(one) in read for value in values for one in within(value))
        return any(id(one) in read for one in within(node))

    def held(self, cls: Class) -> frozenset[Class]:
        """The entities and repositories that a class which is no repository keeps in collections."""
        return frozenset(
            one for (owner, _), kept in self._held.items() if owner is cls for one in kept
        )

    def _holding(self) -> Iterator[tuple[tuple[Class, str], frozenset[Class]]]:
        kinds = self.program.domain.entities | self.program.domain.repositories
        modules = [m for m in self.program.names.judged() if not m.is_test and not m.generated]
        for cls in [c for m in modules for c in m.classes if c not in kinds] if kinds else ():
            for name in cls.stores:
                if self._is_collection(cls, name):
                    types = list(self._put_types(cls.module, name))
                    for one in self.program.inference.member(cls, name):
                        types += one.items if isinstance(one, Collection) else ()
                    found = {one.cls for one in types if isinstance(one, Instance)} & kinds
                    if found:
                        yield (cls, name), frozenset(found)

    def _put_types(self, module: Module, name: str) -> Iterator[Type]:
        """What may be put into a collection of that name."""
        for put in self._puts(module):
            if put.name == name:
                yield from self.program.inference.of(put.value)

    def is_cache(self, name: str) -> bool:
        """Whether something of that name is a cache, whatever it is made by."""
        return not _STORES.isdisjoint(words(name))

    def is_keyed(self, method: str) -> bool:
        """Whether a method of a collection takes a key first."""
        return method in _KEYED

    def of(self, node: tree.Node) -> Home | None:
        """The class (or module) and name of a collection that a repository keeps."""
        match node:
            case tree.Attr() if node.name in self._kept:
                for one in self.program.inference.of(node.base):
                    cls = getattr(one, "cls", None)
                    if isinstance(cls, Class):
                        for owner in self.program.classes.mro(cls):
                            if (
                                owner in self.program.domain.repositories
                                or cls in self.program.domain.repositories
                                or (owner, node.name) in self._held
                            ) and self._is_collection(owner, node.name):
                                return owner, node.name
        match node:
            case tree.Attr() if node.name in self._shared:
                return self._of_module(self.program.classes.dotted(node))
            case tree.Name() if not self.program.names.leaves(node):
                for binding in self.program.names.bindings(
                    node.id, self.program.names.place(node)
                ):
                    target = self.program.names.follow(binding)
                    if (
                        isinstance(target, Binding)
                        and target.kind == "assign"
                        and not target.path
                        and isinstance(target.value, tree.Attr)
                        and target.place.scope.kind == "function"
                    ):
                        return self.of(target.value)
                    home = self._of_module(target)
                    if home is not None:
                        return home
        return None

    def _of_module(self, target: object) -> Home | None:
        """The module and name of a collection that a module keeps, by its binding."""
        if (
            not isinstance(target, Binding)
            or target.place.scope.kind != "module"
            or target.kind != "assign"
            or not _makes_collection(target.value)
        ):
            return None
        module = target.place.scope.module
        return (module, target.name) if self._keeps_items(module, target.name) else None

    def _keeps_items(self, module: Module, name: str) -> bool:
        """Whether a collection of a module is about entities: by what the module does, or by what is
        put into it."""
        if module.name in self.program.domain.item_modules:
            return True
        return any(
            isinstance(one, Instance) and one.cls in self.program.domain.entities
            for one in self._put_types(module, name)
        )

    def _is_collection(self, cls: Class, name: str) -> bool:
        key = (cls, name)
        if key not in self._known:
            stores = cls.stores.get(name, [])
            bindings = cls.scope.bindings.get(name, [])
            values = [s.value for s in stores] + [b.value for b in bindings]
            annotations = [s.annotation for s in stores] + [b.annotation for b in bindings]
            kinds = {last_name(a) for a in annotations if a is not None}
            found = any(_makes_collection(v) for v in values) or bool(
                kinds & {"dict", "Dict", "set", "MutableMapping", "OrderedDict", "defaultdict"}
            )
            self._known[key] = found or (
                bool(stores)
                and self.is_cache(name)
                and not self._is_repository_attribute(cls, name)
            )
        return self._known[key]

    def _is_repository_attribute(self, cls: Class, name: str) -> bool:
        return any(
            isinstance(t, Instance) and t.cls in self.program.domain.repositories
            for t in self.program.inference.member(cls, name)
        )


def _makes_collection(node: tree.Node | None) -> bool:
    match node:
        case tree.DictDisplay() | tree.Comprehension(kind="DictComp"):
            return True
        case tree.Sequence(kind="set"):
            return True
        case tree.Call():
            if last_name(node.func) in ("field", "Field", "Factory"):
                return any(
                    a.keyword in ("default_factory", "factory")
                    and last_name(a.value) in _CONSTRUCTORS
                    for a in node.args
                )
            return last_name(node.func) in _CONSTRUCTORS - {"list", "deque"}
        case _:
            return False
