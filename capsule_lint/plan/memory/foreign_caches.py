"""Caches that no class of the program makes, and that a module or a parameter has: `cache = redis.Redis()`,
`def text(cache, tenant_id): …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.keyed_methods import NAMING, TAKING_KEYS, key_of
from capsule_lint.program.inference.types import Collection, Instance
from capsule_lint.program.local_names import behind
from capsule_lint.program.texts.pieces import Filled, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Class, Module

_STORES: Final = frozenset(words("cache_redis_valkey_memcache_memcached_memo"))
"""Words in the names of what is a cache, whatever makes it."""


_ANY: Final = frozenset(words("cache_memo"))
"""Those of them that keep what is made anew at any time."""
_ASKING: Final = NAMING | TAKING_KEYS
"""Methods that are given a key."""


def _is_database(name: str) -> bool:
    """Whether something of that name keeps what is nowhere else: `redis`, and no `cache`."""
    return not (_STORES - _ANY).isdisjoint(words(name))


def is_cache(name: str) -> bool:
    """Whether something of that name is a cache, whatever it is made by."""
    return not _STORES.isdisjoint(words(name))


def names_cache(binding: Binding) -> bool:
    """Whether the name of a module, or what makes its value, is called like a cache."""
    if binding.kind != "assign" or binding.path or binding.value is None:
        return False
    return is_cache(binding.name) or any(map(is_cache, _makers(binding.value)))


class ForeignCaches(Struct, frozen=True):
    """Tells them by their names."""

    program: Program

    def counts(self, name: str, key: tree.Node) -> bool:
        """Whether a key says that what is kept under it belongs to a scope, where nothing else does."""
        return self.says_scope(key) and (_is_database(name) or self._says_more(key))

    def says_scope(self, key: tree.Node) -> bool:
        """Whether a key says a scope, or what stands for it: a local, a property, what a helper makes."""
        has_value = self.program.domain.held.has_value
        made = behind(self.program.names, key) or key
        if has_value(made):
            return True
        pieces = self.program.templates.evaluate(made, made, 0) or ()
        return any(isinstance(one, Filled) and has_value(one.value) for one in pieces)

    def _says_more(self, key: tree.Node) -> bool:
        """Whether a value that is no scope's is in a key."""
        made = behind(self.program.names, key) or key
        pieces = self.program.templates.evaluate(made, made, 0) or ()
        has_value = self.program.domain.held.has_value
        return isinstance(made, tree.Sequence) or any(
            isinstance(one, Filled) and not has_value(one.value) for one in pieces
        )

    def databases(self) -> Iterator[tuple[Module, str]]:
        """The parameters that are called like a database, and are told a key which says a scope: what is kept there is
        nowhere else, `redis.sadd(f"notes:{tenant_id}", note_id)`."""
        for module in self.program.names.production():
            for call in module.each(tree.Call) if not module.generated else ():
                match call.func:
                    case tree.Attr(base=tree.Name(id=name) as base, name=method) if (
                        call.args and method in _ASKING and _is_database(name)
                    ):
                        bindings = self.program.names.bindings_of(base)
                        given = all(b.kind == "param" and self.is_one(b) for b in bindings)
                        if bindings and given and self.counts(name, key_of(call)):
                            yield module, name

    def is_kept(self, cls: Class, name: str) -> bool:
        """Whether an attribute of a class's instances is such a cache."""
        return (
            is_cache(name)
            and name in cls.stores
            and not cls.module.is_test
            and not any(
                isinstance(one, Collection)
                or (isinstance(one, Instance) and not one.cls.module.is_test)
                for one in self.program.inference.member(cls, name)
            )
        )

    def is_one(self, binding: Binding) -> bool:
        """Whether a name of a module, or a parameter outside of tests, stands for such a cache."""
        place = binding.place
        if binding.kind == "param":
            named = is_cache(binding.name) and not place.scope.module.is_test
        else:
            named = place.scope.kind == "module" and names_cache(binding)
        return named and not any(
            isinstance(one, Collection)
            or (isinstance(one, Instance) and not one.cls.module.is_test)
            for one in self.program.inference.bound(binding)
        )


def _makers(node: tree.Node) -> list[str]:
    """The names of what a call is made by: `redis` and `Redis` of `redis.Redis()`."""
    found = []
    func = node.func if isinstance(node, tree.Call) else None
    while isinstance(func, tree.Attr):
        found.append(func.name)
        func = func.base
    return [*found, func.id] if isinstance(func, tree.Name) else found
