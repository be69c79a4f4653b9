"""Collections in collections, `self._rows[tenant_id][capsule_id]`: what the inner keys say, the outer ones need not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.plan.memory.keyed_puts import KeyedPuts

if TYPE_CHECKING:
    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys


class Nested(Struct, frozen=True):
    """Finds what they say."""

    local: LocalKeys

    def find(self) -> dict[Home, set[str]]:
        """The names of the scopes that inner keys say wherever something is put into a collection."""
        program = self.local.program
        found: dict[Home, set[str]] = {}
        keyed = KeyedPuts(self.local)
        for module in program.names.production():
            for put in keyed.of(module):
                root, outer = keyed.way(put.into)
                home = self.local.collections.any(root) if outer else None
                if home is not None:
                    with program.names.aside():  # who gives a scope names it
                        said = {
                            name
                            for key in (put.key, *outer[:-1])
                            for _, names in self.local.hosts.scopes_in(key)
                            for name in names
                        }
                    found[home] = found.get(home, said) & said
        return found
