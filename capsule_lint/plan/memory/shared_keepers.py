"""Caches of the program's own that objects are given: whatever else looks into the same one must change as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import Class

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys

_REASON = "looks into a `{}` that may be the one of `{}`, whose keys change"


class SharedKeepers(Struct, frozen=True):
    """Finds who else does."""

    local: LocalKeys

    def check(self, homes: set[Home]) -> None:
        """Have a person look at other uses of the class of a cache whose keys change and that is made elsewhere."""
        for home in homes:
            cls = self.local.collections.keepers.at(home)
            if cls is None or self._is_made_here(home, cls):
                continue
            for call in self._others(cls):
                reason = _REASON.format(cls.name, home[1])
                self.local.notes.obstacle(self.local.notes.knot_of(home, call), call, reason)

    def _is_made_here(self, home: Home, cls: Class) -> bool:
        """Whether nothing but the constructor gives the cache to an object, or to a module."""
        owner, name = home
        stores = owner.stores.get(name, ()) if isinstance(owner, Class) else ()
        bindings = owner.scope.bindings.get(name, ())
        values = [*[s.value for s in stores], *[b.value for b in bindings]]
        made = [call for call, _ in self.local.program.calls.constructors_of(cls)]
        return all(any(value is call for call in made) for value in values)

    def _others(self, cls: Class) -> Iterator[tree.Call]:
        """The calls that look into a cache of some class which somebody else has given, and whose keys stay."""
        program, collections = self.local.program, self.local.collections
        for name in collections.keepers.keys(cls):
            for call in program.calls.uses.calls_beside(name):
                given = collections.keepers.key_of(call)
                if not isinstance(call.func, tree.Attr) or given is None:
                    continue
                if collections.keepers.kept_by(program.inference.of(call.func.base)) is not cls:
                    continue
                function = program.names.function_of(call)
                if function is not None and function.owner in program.classes.mro(cls):
                    continue
                other = collections.any(call.func.base)
                if other not in self.local.rekeyed and self._is_given(call.func.base):
                    yield call

    def _is_given(self, node: tree.Node) -> bool:
        """Whether a cache is one that somebody else has as well: no local that stays in its function."""
        if not isinstance(node, tree.Name):
            return True
        names = self.local.program.names
        bound = names.bindings_of(node)
        if any(b.kind == "param" for b in bound):
            return True
        named = (use for use in names.module_of(node).each(tree.Name) if use.id == node.id)
        uses = (use for use in named if names.bindings_of(use) == bound)
        parents = [(use, names.parent(use)) for use in uses]
        return any(isinstance(p, tree.Call) and p.func is not use for use, p in parents)
