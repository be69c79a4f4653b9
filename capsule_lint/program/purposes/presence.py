"""Whether a program keeps anything in DynamoDB at all: its keys, its calls, or its names say so.

Elsewhere `pk` is the primary key of a row in SQL, `query` asks a database, and `encode_key` is about something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.program.module_words import said_in
from capsule_lint.program.places.sites import Role
from capsule_lint.program.places.speaking import LONG
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from capsule_lint.policy import Policy
    from capsule_lint.program.model import Module
    from capsule_lint.program.names import Names
    from capsule_lint.program.places.keys import Keys
    from capsule_lint.program.places.sites import KeySite

_OF_A_PROGRAM: Final = (
    "entities",
    "key_names",
    "index_key_names",
    "sort_key_names",
    "repositories",
)
"""What policy says of one program, where it does not say what it says of all."""


class Presence(Struct, frozen=True):
    """Tells it."""

    names: Names
    keys: Keys
    policy: Policy

    def shows(self) -> bool:
        """Whether anything beside the operations of a table says so. What nobody could read may."""
        return (
            self.names.broken
            or any(map(self._is_key, self.keys.sites))
            or self._is_told()
            or any(map(self._speaks_of_scopes, self.names.modules.values()))
        )

    def _is_key(self, site: KeySite) -> bool:
        """Whether a key is one by what it says, or where it stands, and not by the name of a function alone."""
        if site.role is not Role.HELPER or "#" in site.template.text:
            return True
        return any(self.keys.templates.segments(site.template.pieces))

    def _is_told(self) -> bool:
        """Whether policy names what is in the program."""
        common = type(self.policy)()
        return any(s.sources or s.test_source or s.type for s in self.policy.scopes) or any(
            getattr(self.policy, name) != getattr(common, name) for name in _OF_A_PROGRAM
        )

    def _speaks_of_scopes(self, module: Module) -> bool:
        """Whether a name or a text in a module is that of a scope, or has its tag in it."""
        tags = tuple(scope.tag for scope in self.policy.scopes)
        return any(
            (len(word) <= LONG and names_any_of(word, self.policy.scopes))
            or any(tag in word for tag in tags)
            for word in said_in(module)
        )
