"""Whose row the sort key of a table tells, beside a key that says nothing of it: `{"PK": f"TENANT#{t}", "SK": "PROFILE"}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.program.places.beside import Beside
from capsule_lint.program.purposes.naming import entity_words
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.purposes.belonging import Belonging
    from capsule_lint.program.purposes.own_rows import OwnRows

_WORDS: Final = re.compile(r"[A-Za-z][\w-]*")


class _Told(Struct, frozen=True):
    entity: str
    made: bool
    """Whether the entity makes such a row of itself."""
    sure: bool
    """Whether that row is called like the entity besides, or is the only one of its name."""


class ToldRows(Struct, frozen=True):
    """Knows entities of policy's table by their sort keys."""

    belonging: Belonging
    own: OwnRows

    def of(self, site: KeySite) -> str | None:
        """The entity whose row it is: code that is there for others may have one of the same sort key elsewhere."""
        for told in self._told(site):
            serves = self._serves(site, told.entity)
            if serves or (serves is None and told.sure):
                return told.entity
        return None

    def may_be_of(self, site: KeySite) -> str | None:
        """The entity whose row it may be, where a person must say whether it is."""
        for told in self._told(site):
            if told.made or told.sure or self._serves(site, told.entity) is None:
                return told.entity
        return None

    def _told(self, site: KeySite) -> Iterator[_Told]:
        domain = self.belonging.domain
        if site.index or not domain.policy.entities or self.belonging.tags.of(site.template):
            return
        own = self.own.by_sort_keys(site)
        for one in Beside(domain.keys).rows(site.template.host):
            said = [piece.value for piece in one.pieces if isinstance(piece, Text)]
            holes = len(one.pieces) - len(said)
            made = own.get(one.text, {""})
            tags = [tag for text in said for tag in _WORDS.findall(text)]
            if "" not in made and (tags or not holes):
                yield _Told(min(made), True, self.belonging.tags.entity(tags) in made)
                continue
            tagged = {self.belonging.tags.entity((tag,)) for tag in self.belonging.tags.of(one)}
            if len(tagged) == 1 and holes <= 1 and isinstance(one.pieces[0], Text):
                entity = tagged.pop()
                if entity is not None and self.belonging.is_whole(one):
                    yield _Told(entity, False, not holes)

    def _serves(self, site: KeySite, entity: str) -> bool | None:
        """Whether a class or function is there for an entity, and not for others; `None` where nothing tells."""
        domain, owner, listed = self.belonging.domain, site.owner, self.own.listed
        if owner is not None and owner in domain.entities:
            return listed(owner) == entity
        maker = self.own.made_of(site)
        served = {listed(one) for one in domain.entities_of.get(owner, ())} if owner else set()
        if entity in served or (maker is not None and listed(maker) == entity):
            return True
        names = [one.name for one in (owner, site.function) if one is not None]
        if any(self.belonging.called.is_after(name, entity) for name in names):
            return True
        others = owner is not None and self.belonging.called.naming.within(
            entity_words(owner.name)
        )
        return False if served or others else None
