"""Collections that a decorator of the program keys by all that its function is told, `slots[name, *args]`, where
something else makes such keys by itself: `slots.pop(("fetch", key))`. Once the function is told a scope as well, these
find nothing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.keyed_methods import key_beside
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.calling.wrapping import wrappers
from capsule_lint.program.local_names import made_of, made_throughout
from capsule_lint.program.model import enclosing, last_name
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.model import Function


class Lookup(Struct, frozen=True):
    """A collection where it is looked into, and the key."""

    base: tree.Name | tree.Attr
    key: tree.Node


class ArgumentKeys(MendRoom, Struct, frozen=True):
    """Tells of such keys: their change sets are unsafe."""

    mends: Mends

    def build(self) -> None:
        """Add the obstacles."""
        for function in self.state.params:
            if not function.module.generated:
                for maker in wrappers(self.program.inference, function):
                    self._compare(function, maker)

    def _compare(self, function: Function, maker: Function) -> None:
        """Look at what else is looked up where a decorator keeps what its function returns."""
        names = self.program.names
        kept = [one for one in self._lookups(maker) if self._is_of_arguments(one.key, maker)]
        words = dict.fromkeys(last_name(one.base) for one in kept)
        names.ask(*words)
        for node in names.named(*words):
            key = key_beside(names, node) or self._spelled(node)
            if (
                key is not None
                and not self._is_own(key, maker)
                and any(self._is_same(node, one.base, function) for one in kept)
            ):
                told = " and ".join(f"`{name}`" for name in self.state.params[function])
                reason = f"what `{maker.name}` keeps of `{function.name}` has {told} in its key"
                self.mends.obstacle(("function", function), key, reason)

    def _spelled(self, node: tree.Name | tree.Attr) -> tree.Node | None:
        """A key that a test spells out where it compares all of a collection: `list(repo.memory) == [("t", "1")]`."""
        names = self.program.names
        inner: tree.Node = node
        around = names.parent(node)
        if isinstance(around, tree.Call) and around.func is not inner:
            inner, around = around, names.parent(around)
        if not isinstance(around, tree.Compare) or not names.module_of(node).is_test:
            return None
        others = (side for side in (around.left, *around.rights) if side is not inner)
        every = (one for other in others for one in within(other))
        return next((o for o in every if isinstance(o, tree.Sequence) and o.kind == "tuple"), None)

    def _lookups(self, maker: Function) -> Iterator[Lookup]:
        """What is looked up anywhere in a decorator."""
        names = self.program.names
        for node in names.inside(maker):
            if isinstance(node, tree.Name | tree.Attr):
                key = key_beside(names, node)
                if key is not None:
                    yield Lookup(node, key)

    def _is_of_arguments(self, key: tree.Node, maker: Function) -> bool:
        """Whether a key is made of whatever the wrapper around it is given, and by no function that the decorator is
        given."""
        names = self.program.names
        return any(
            binding.parameter is not None
            and binding.parameter.kind in ("*", "**")
            and binding.function is not maker
            for node in made_throughout(names, key)
            if isinstance(node, tree.Name) and not self._is_passed_on(node)
            for binding in names.bindings_of(node)
        )

    def _is_passed_on(self, node: tree.Name) -> bool:
        """Whether a parameter is called with something: `key(*args)`."""
        call = self.program.names.parent(node)
        func = call.func if isinstance(call, tree.Call) else None
        return isinstance(func, tree.Name) and any(
            binding.parameter is not None for binding in self.program.names.bindings_of(func)
        )

    def _is_own(self, key: tree.Node, maker: Function) -> bool:
        """Whether a key is the decorator's, comes out of a collection, or names a scope: that is one of those that
        get the other scopes themselves."""
        names = self.program.names
        if maker in enclosing(names.place(key)):
            return True
        parts = [n for n in made_of(names, key) if isinstance(n, tree.Name | tree.Attr)]
        return any(names_any_of(last_name(n), self.program.policy.scopes) for n in parts) or any(
            binding.kind == "for"
            for node in parts
            if isinstance(node, tree.Name)
            for binding in names.bindings_of(node)
        )

    def _is_same(
        self, node: tree.Name | tree.Attr, kept: tree.Name | tree.Attr, function: Function
    ) -> bool:
        """Whether a name or an attribute is where a decorator keeps what a function returns."""
        names, classes = self.program.names, self.program.classes
        if isinstance(node, tree.Name) and isinstance(kept, tree.Name):
            own = set(map(id, names.bindings_of(kept)))
            return not own.isdisjoint(map(id, names.bindings_of(node)))
        if type(node) is not type(kept):
            return False
        home = names.function_of(node)
        owner = home.owner if home is not None else None
        if owner is None or function.owner is None or not _is_of_self(node, home):
            return True
        return owner in classes.mro(function.owner) or function.owner in classes.mro(owner)


def _is_of_self(node: tree.Name | tree.Attr, home: Function | None) -> bool:
    """Whether something is an attribute of the object whose method it is named in."""
    base = node.base if isinstance(node, tree.Attr) else None
    return home is not None and isinstance(base, tree.Name) and base.id == home.self_name
