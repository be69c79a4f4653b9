"""Dicts and sets of classes that are no repositories, and of modules, keyed as items of the table are:
`online[tenant_id, room_id]` beside `f"TENANT#{tenant_id}#ROOM#{room_id}"`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.key_hosts import is_identifier
from capsule_lint.plan.memory.keyed_methods import TAKING_KEYS, key_of
from capsule_lint.plan.memory.looking_up import LOOKING_UP
from capsule_lint.plan.memory.making import makes_collection
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import Filled, hole_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.key_hosts import KeyHosts
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module


class KeyedAlike(Struct, frozen=True):
    """Finds them: each of their keys has a scope's value and all that tells an item of some table."""

    program: Program
    hosts: KeyHosts

    def homes(self) -> Iterator[Home]:
        """The collections, whose they are and their names."""
        items = self._items()
        for module in self.program.names.production() if items else ():
            keys: dict[Home, list[tree.Node]] = {}
            for home, key in () if module.generated else self._looked_up(module):
                keys.setdefault(home, []).append(key)
            for home, found in keys.items():
                if all(self._tells_item(key, items) for key in found):
                    yield home

    def _items(self) -> set[frozenset[str]]:
        """What tells each item of its tenant's, where policy says of the item that it has every scope."""
        found = set()
        for site in self.program.keys.sites:
            narrow = self.program.domain.narrowed_names(
                site.owner, site.function, site.module.name
            )
            holes = [p.value for p in site.template.pieces if isinstance(p, Filled)]
            own = frozenset(hole_name(one) for one in holes if not self._is_scope(one))
            if narrow is None and len(own) < len(holes) and any(map(is_identifier, own)):
                found.add(own)
        return found

    def _is_scope(self, node: tree.Node) -> bool:
        is_value = self.program.domain.held.is_value
        return any(is_value(node, scope) for scope in self.program.policy.scopes)

    def _is_told(self, node: tree.Node) -> bool:
        """Whether a value is not one of several that a call takes out of something, a key or a message."""
        bindings = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        return all(not b.path or not isinstance(b.value, tree.Call) for b in bindings)

    def _looked_up(self, module: Module) -> Iterator[tuple[Home, tree.Node]]:
        """What is looked up in the dicts and sets of a module, and of those of its classes whose methods are
        told scopes."""
        domain = self.program.domain
        kinds = domain.repositories | domain.entities | domain.apart
        taken = {last_name(_gone_through(value)) for _, value in module.loops()}
        own = {
            (cls, name)
            for cls in module.classes
            if cls not in kinds and any(map(domain.takes_scope, cls.methods.values()))
            if taken.isdisjoint(cls.stores)  # what comes out of it tells what its keys are
            for name, stores in cls.stores.items()
            if any(makes_collection(store.value) for store in stores)
        }
        shared = {
            name
            for name, bindings in module.scope.bindings.items()
            if any(b.kind == "assign" and makes_collection(b.value) for b in bindings)
        } - taken
        for node in module.every(*LOOKING_UP) if own or shared else ():
            base, key = asked(node)
            match base:
                case _ if key is None:
                    continue
                case tree.Attr(base=tree.Name(), name=name):
                    function = self.program.names.function_of(node)
                    owner = function.owner if function is not None else None
                    if owner is not None and (owner, name) in own:
                        yield (owner, name), key
                case tree.Name(id=name) if name in shared:
                    if all(b.is_global for b in self.program.names.bindings_of(base)):
                        yield (module, name), key

    def _tells_item(self, key: tree.Node, items: set[frozenset[str]]) -> bool:
        """Whether a key is written with a scope's value and with all that tells an item, here or in a helper: what
        the callers of its function make is not asked for."""
        bindings = self.program.names.bindings_of(key) if isinstance(key, tree.Name) else ()
        if isinstance(key, tree.Attr | tree.Const) or any(b.assigned is None for b in bindings):
            return False
        written = [self.hosts.parts(host) for host, _ in self.hosts.of(key)]
        return bool(written) and all(
            parts is not None
            and any(self._is_scope(one) and self._is_told(one) for one in parts[1])
            and any(item <= {hole_name(one) for one in parts[1]} for item in items)
            for parts in written
        )


def _gone_through(node: tree.Node) -> tree.Node:
    """`self._rows` of `sorted(self._rows.items())`."""
    match node:
        case tree.Call(func=tree.Attr(name="items" | "keys" | "copy", base=base)):
            return _gone_through(base)
        case tree.Call(func=tree.Name(), args=(first, *_)):
            return _gone_through(first.value)
        case _:
            return node


def asked(node: tree.Node) -> tuple[tree.Node | None, tree.Node | None]:
    """What is asked for something, and the key."""
    match node:
        case tree.Subscript(base=base, index=index):
            return base, index
        case tree.Call(func=tree.Attr(name=name, base=base)) if node.args and name in TAKING_KEYS:
            return base, key_of(node)
        case tree.Compare(ops=("in" | "not in",), left=left, rights=(base, *_)):
            return base, left
        case _:
            return None, None
