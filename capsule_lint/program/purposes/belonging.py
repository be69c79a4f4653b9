"""Which entity a key, a function or a class belongs to, and which scopes its key needs for that."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.purposes.called_after import CalledAfter
from capsule_lint.program.purposes.helper_callers import HelperCallers
from capsule_lint.program.purposes.naming import GENERIC_WORDS
from capsule_lint.program.purposes.own_rows import OwnRows
from capsule_lint.program.purposes.served_rows import ServedRows
from capsule_lint.program.purposes.tags import Tags
from capsule_lint.program.purposes.told_rows import ToldRows
from capsule_lint.program.texts.pieces import Text, names_scope, words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from capsule_lint.policy import Scope as ScopePolicy
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.purposes.domain import Domain
    from capsule_lint.program.texts.pieces import Template

_ENDING: Final = re.compile(r"[\w}]$")
"""How a sort key ends that is whole; others are beginnings."""


@dataclass(eq=False, slots=True)
class Belonging:
    """Tells entities by tags, owners and names."""

    domain: Domain
    _for_others: dict[Class, bool] = field(default_factory=dict)
    """The classes that are named after the row of a scope itself, and whether they serve other rows as well."""
    _without: dict[tuple[str, int], bool] = field(default_factory=dict)
    _beyond: dict[tuple[str, int], bool] = field(default_factory=dict)
    """What the keys of entities show, of so many keys in the program."""
    tags: Tags = field(init=False)
    called: CalledAfter = field(init=False)
    callers: HelperCallers = field(init=False)
    _rows: ServedRows = field(init=False)
    _own: OwnRows = field(init=False)
    _told: ToldRows = field(init=False)

    def __post_init__(self) -> None:
        self._rows = ServedRows(self.domain)
        self._own = OwnRows(self.domain)
        self.called = CalledAfter(self.domain, self._own)
        self._told = ToldRows(self, self._own)
        self.tags = Tags(self, self._own)
        self.callers = HelperCallers(self, self._rows, self._own, self._told)

    def required(self, site: KeySite) -> tuple[ScopePolicy, ...]:
        """The scopes that the key of a site needs."""
        scopes = self.domain.policy.scopes_of(self._narrowed(site))
        return tuple(scope for scope in scopes if not self._lists(site, scope))

    def _lists(self, site: KeySite, scope: ScopePolicy) -> bool:
        """Whether an index key lists all values of a scope: `GSI1PK = "TENANTS"`."""
        pieces = site.template.pieces
        if not site.index or not all(isinstance(piece, Text) for piece in pieces):
            return False
        said = words(site.template.text.replace("#", "_"))
        return bool(said) and names_scope(said[-1], scope)

    def entity_name(self, site: KeySite) -> str | None:
        """The entity that a site's key belongs to, for reports."""
        owner = site.owner
        if owner is not None and owner in self.domain.entities:
            return owner.name
        if owner is not None and len(self.domain.entities_of.get(owner, ())) == 1:
            return next(iter(self.domain.entities_of[owner])).name
        tags = {"".join(words(tag)) for tag in self.tags.of(site.template)}
        tagged = self.called.naming.joined(tags)
        if tagged:
            exact = [cls for cls in tagged if "".join(words(cls.name)) in tags]
            return min(exact or tagged, key=lambda c: c.symbol).name
        have = words(site.function.name) if site.function is not None else ()
        named = self.called.naming.within(have)
        return min(named, key=lambda c: (-len(c.name), c.symbol)).name if named else None

    def _narrowed(self, site: KeySite) -> str | None:
        """The entity of policy's table that a site's key belongs to."""
        tags = self.tags.of(site.template)
        tagged = self._by_key(site)
        if tagged is not None:
            return tagged
        is_named = self.called.naming.is_named
        if any(is_named(words(tag)) for tag in tags) or self._is_others_own(site):
            return None
        found = self.narrow_around(site.owner, site.function, site.module.name)
        if found is not None and self.says_more(site, found):
            return None
        if found is None:
            return self.callers.of(site) or self._of_result(site)
        if not self.called.is_like_scope(found):
            return found
        if self.named_by_owner(site.owner) == found:
            return found
        return None if tags or self.callers.serve_others(site.function, found) else found

    def _by_key(self, site: KeySite) -> str | None:
        """The entity of policy's table that a tag of a site's key names, that alone makes such keys, or whose row the sort
        key beside it tells."""
        if site.index and self._has_others(site.owner):
            return None
        return self._tagged(site) or self._alike(site) or self._told.of(site)

    def _tagged(self, site: KeySite) -> str | None:
        """The entity of policy's table that a tag of a site's key names."""
        named = self.tags.entity(self.tags.of(site.template))
        return None if named is not None and self._finds_others(site, named) else named

    def _finds_others(self, site: KeySite, entity: str) -> bool:
        """Whether others' rows are found by an entity, in an index whose key has a scope that it is said to be without:
        `TENANT#{tenant_id}#CURRENCY#{currency}`; its own rows may be as well, where their keys stand beside that."""
        if not site.index or self.named_by_owner(site.owner) == entity:
            return False
        row, policy = self.domain.names.parent(site.template.host), self.domain.policy
        own = row.entries if isinstance(row, tree.DictDisplay) else ()
        made = [self.domain.templates.template(v) for key, v in own if policy.is_key_name(key)]
        beside = (one for one in made if one is not None and one.host is not site.template.host)
        if any(self.tags.entity(self.tags.of(one)) == entity for one in beside):
            return False
        return self._has_more(site, entity)

    def _alike(self, site: KeySite) -> str | None:
        """The entity of policy's table whose own keys say the same: `TAX#{self.country}` of a `TaxRate`."""
        made = self._own.names(site)
        return min(made) if made and "" not in made and self.tags.of(site.template) else None

    def _is_others_own(self, site: KeySite) -> bool:
        """Whether a key says what entities make of themselves that policy's table does not have, and no others."""
        return self._own.names(site) == {""} and bool(self.tags.of(site.template))

    def _of_result(self, site: KeySite) -> str | None:
        """The entity of policy's table that alone a function outside of classes gives back, and whose own keys say the
        same: `TENANT#{tenant_id}` of `settings_of(tenant_id) -> TenantSettings`."""
        function = site.function
        made = self._own.names(site)
        if not made or function is None or function.owner is not None:
            return None
        given = set(map(self._own.listed, classes_of(self.domain.inference.returned(function))))
        return given.pop() or None if len(given) == 1 and given <= made else None

    def _has_others(self, owner: Class | None) -> bool:
        """Whether a class is an entity, or a repository of such alone, that policy's table does not have: its
        items are found by an index whose key names what they are found by, `FIRMWARE#{self.firmware}`."""
        if owner is None or self.named_by_owner(owner) is not None:
            return False
        kinds = (
            {owner} if owner in self.domain.entities else self.domain.entities_of.get(owner, ())
        )
        return bool(kinds) and not any(map(self._own.listed, kinds))

    def says_more(self, site: KeySite, entity: str, *, served: bool = False) -> bool:
        """Whether a key has a scope that an entity is said to be without, and is another's: `TENANT#{tenant_id}#CONTRACT`
        in the module of a global `Plan`. Who serves that entity, its class or repository, may make such keys, unless
        those which it makes of itself show that it has none."""
        if not self._has_more(site, entity):
            return False
        if self._finds_others(site, entity):
            return True
        if self._is_tagged(site, entity):
            return False
        if not (served or self._is_own(site.owner, entity)):
            return True
        return self._shows_none(entity)

    def _shows_none(self, entity: str) -> bool:
        """Whether the keys that an entity makes of itself have no scopes that it is said to be without."""
        known = (entity, len(self.domain.keys.sites))
        if known not in self._without:
            own = [key for cls in self.domain.entities for key in self._own.inside(cls, entity)]
            self._without[known] = bool(own) and not any(self._has_more(k, entity) for k in own)
        return self._without[known]

    def _shows_more(self, entity: str) -> bool:
        """Whether keys with the tag of an entity have such scopes."""
        sites = self.domain.keys.sites
        known = (entity, len(sites))
        if known not in self._beyond:
            self._beyond[known] = any(
                self._has_more(one, entity) and self._is_tagged(one, entity)
                for one in sites
                if not one.module.is_test
            )
        return self._beyond[known]

    def _is_tagged(self, site: KeySite, entity: str) -> bool:
        return self._tagged(site) == entity

    def _callees(self, function: Function) -> Iterator[Function]:
        """The functions that one calls."""
        for node in self.domain.names.inside(function):
            for callee in self.domain.calls.callees(node) if isinstance(node, tree.Call) else ():
                if callee.function is not None:
                    yield callee.function

    def _has_more(self, site: KeySite, entity: str) -> bool:
        own = self.scopes_of(entity)
        segments = self.domain.templates.segments(site.template.pieces)
        return any(not one.literal and one.scope not in own for one in segments)

    def scopes_of(self, entity: str) -> set[str]:
        """The names of the scopes that policy gives an entity."""
        return {scope.name for scope in self.domain.policy.scopes_of(entity)}

    def _is_own(self, owner: Class | None, entity: str) -> bool:
        """Whether a class, which is there for an entity, is a repository, or is that or called after it."""
        return owner is not None and (
            owner in self.domain.repositories or self.named_by_owner(owner) == entity
        )

    def _of_method(self, function: Function) -> str | None:
        """The entity of policy's table that alone a method of a repository for several is for: by the
        keys that it makes, or else by what it takes."""
        keys = self.domain.keys
        found = {self._by_key(site) for site in keys.inside(function)}
        for helper in keys.helpers_of(function):
            if helper.owner not in self.domain.repositories:
                found.update(map(self._narrowed, keys.inside(helper)))
        if not found:
            types = (
                one
                for parameter in function.own_params
                if parameter.annotation is not None
                for one in self.domain.inference.annotations.of(parameter.annotation)
            )
            taken = classes_of(types) & self.domain.entities
            found = {self._own.listed(cls) or None for cls in taken}
        return found.pop() if len(found) == 1 else None

    def narrowed_names(
        self,
        owner: Class | None,
        function: Function | None,
        module: str,
        said: Collection[str] = (),
    ) -> str | None:
        """The entity of policy's table that a class, function or module is named after, or that alone a
        repository is for: no method of that, and no function, which makes keys of others besides, nor what has scopes
        said of it that the entity is without, unless keys with that one's tag have these."""
        if function is not None and owner in self.domain.repositories:
            sites = self.domain.keys.inside(function)
            if self.named_by_owner(owner) is not None and any(map(self._is_others_own, sites)):
                return None
        found = self.narrow_around(owner, function, module)
        if found is None:
            return None
        serves = self._is_own(owner, found)
        keys, makers = self.domain.keys, [function] if function is not None else []
        if not serves and not self.scopes_of(found).issuperset(said):
            if not self._shows_more(found):
                return None
            makers += self._callees(function) if function is not None else ()
        makers += [helper for maker in makers for helper in keys.helpers_of(maker)]
        made = (one for maker in makers for one in keys.inside(maker))
        return None if any(self.says_more(one, found, served=serves) for one in made) else found

    def narrow_around(
        self, owner: Class | None, function: Function | None, module: str
    ) -> str | None:
        """The same for each key of a method by itself."""
        found = self.named_by_owner(owner)
        if found is not None or owner in self.domain.entities:
            return found
        if owner is not None and owner in self.domain.repositories:
            kinds = set(map(self._own.listed, self.domain.entities_of.get(owner, ())))
            if kinds and "" not in kinds:
                return min(kinds)
            return self._of_method(function) if function is not None else None
        if function is not None:
            found = self.called.after(function.name)
            if found is not None:
                others = set(words(function.name)) - GENERIC_WORDS - set(words(found))
                return None if others and self.called.is_like_scope(found) else found
        return self.called.after(module.rpartition(".")[2])

    def named_by_owner(self, owner: Class | None) -> str | None:
        """The entity of policy's table that a class is called after, and whose rows alone it serves."""
        found = self.called.after(owner.name) if owner is not None else None
        if owner is None or found is None or not self.called.is_like_scope(found):
            return found
        if self.domain.policy.is_repository_name(owner.name):
            return found
        if owner not in self._for_others:
            self._for_others[owner] = any(
                self.callers.tells_others(template, found) for template in self._rows.told(owner)
            )
        return None if self._for_others[owner] else found

    def is_for_others(self, owner: Class) -> bool:
        """Whether a class that is named after the row of a scope itself serves other rows as well."""
        return self.named_by_owner(owner) is None and owner in self._for_others

    @staticmethod
    def is_whole(sort_key: Template) -> bool:
        """Whether a sort key is no beginning of others."""
        return _ENDING.search(sort_key.text) is not None
