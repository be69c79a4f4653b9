"""Keys that collections are asked for where these do not show it: by themselves, behind what nothing is known of, and in
loops over something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.looking_up import looking_up

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.key_uses import KeyUses
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.program.model import Module


class AskedKeys(Struct, frozen=True):
    """Follows such keys of collections that change, or makes the change unsafe."""

    local: LocalKeys
    keys: KeyUses

    def check(self, home: Home) -> None:
        """What one that changes is asked for."""
        self._by_itself(home)
        self._unseen(home)

    def _by_itself(self, home: Home) -> None:
        """What a dict of the program's own does with the key that it is asked for."""
        heirs = self.local.collections.heirs
        for method, parameter in heirs.asked(home):
            for node in self.local.program.names.inside(method):
                if not isinstance(node, tree.Name) or node.id != parameter.name:
                    continue
                if method.owner is not None and heirs.kept(method.owner) == (home,):
                    self.keys.key(node, home)
                elif not self._is_own(node):  # the keys of others may stay as they are
                    self.keys.unsure(node, home)

    def _unseen(self, home: Home) -> None:
        """What nothing is known of, `repos["docs"][tenant_id, doc_id]`, is asked for as many parts as the keys had, and
        may be an object whose own brackets look up what they are given."""
        local, change = self.local, self.local.rekeyed[home]
        keys = (key for key in local.asked[home] if change.width > 1)
        bound = (
            b
            for k in keys
            if isinstance(k, tree.Name)
            for b in self.local.program.names.bindings_of(k)
        )
        lacking = {scope.name for scope in change.scopes}
        for method in {b.function for b in bound if local.handed.is_index(b)}:
            for base, key in local.handed.unknown:
                said = local.hosts.scopes_in(key) if len(key.items) == change.width else ()
                if method is None or not any(lacking.isdisjoint(names) for _, names in said):
                    continue
                if local.arrivals.at(method, base):
                    reason = f"may be a key of `{home[1]}`, and nothing shows what it is asked of"
                    local.notes.obstacle(local.notes.knot_of(home, key), key, reason)

    def _is_own(self, key: tree.Name) -> bool:
        """Whether a dict of the program's own is asked by itself for a key: `super().__getitem__(key)`."""
        homes = self.local.collections.heirs.homes
        match self.local.program.names.parent(key):
            case tree.Call(func=tree.Attr(base=base)) | tree.Subscript(base=base):
                return bool(homes(base))
            case tree.Compare(ops=("in" | "not in",), rights=(base,)):
                return bool(homes(base))
            case _:
                return False

    def looped(self, homes: set[Home], modules: Iterable[Module]) -> None:
        """What is looked up by a scope's value that a loop over something else gives."""
        names = {name for _, name in homes}
        for module in modules if names else ():
            for node in () if module.is_test or module.generated else looking_up(module, names):
                for owner, name, key in self.local.collections.sinks(node):
                    home = (owner, name)
                    if (
                        home not in homes
                        or id(key) in self.keys.followed
                        or not (self._is_looped(key) or self._is_of_parts(key, home))
                    ):
                        continue
                    if not self.local.settles(home, key):
                        self.keys.unsure(key, home)

    def _is_looped(self, key: tree.Node) -> bool:
        """Whether a key is a scope's value that a loop gives."""
        program = self.local.program
        if not isinstance(key, tree.Name):
            return False
        bound = program.names.bindings_of(key)
        is_value = program.domain.held.is_value
        return (
            bool(bound)
            and all(one.kind == "for" for one in bound)
            and any(is_value(key, scope) for scope in program.policy.scopes)
        )

    def _is_of_parts(self, key: tree.Node, home: Home) -> bool:
        """Whether a key is made again of as many parts of another one as it had: `owners[t, a]` of `(t, a)`."""
        change = self.local.rekeyed.get(home)
        if change is None or not isinstance(key, tree.Sequence) or len(key.items) != change.width:
            return False
        names = self.local.program.names
        bound = [
            b for item in key.items if isinstance(item, tree.Name) for b in names.bindings_of(item)
        ]
        return bool(bound) and all(one.kind == "for" and bool(one.path) for one in bound)
