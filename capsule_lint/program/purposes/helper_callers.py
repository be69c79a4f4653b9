"""For which entities key helpers make keys, by the code that calls them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import owner_of
from capsule_lint.program.places.beside import Beside
from capsule_lint.program.purposes.naming import entity_words
from capsule_lint.program.texts.pieces import Filled, Text, names_any_of, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope as ScopePolicy
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.purposes.belonging import Belonging
    from capsule_lint.program.purposes.domain import Domain
    from capsule_lint.program.purposes.own_rows import OwnRows
    from capsule_lint.program.purposes.served_rows import ServedRows
    from capsule_lint.program.purposes.told_rows import ToldRows
    from capsule_lint.program.texts.pieces import Template


@dataclass(eq=False, slots=True)
class HelperCallers:
    """Asks them."""

    belonging: Belonging
    rows: ServedRows
    own: OwnRows
    told: ToldRows

    @property
    def domain(self) -> Domain:
        """The program's classes and functions, and what they are for."""
        return self.belonging.domain

    def of(self, site: KeySite) -> str | None:
        """The entity of policy's table for which alone a helper makes a key that is no method of what it serves."""
        function = site.function
        if function is None or not self._is_apart(function) or not self.domain.policy.entities:
            return None
        found = self._asked_by(function)
        if found is None or self.belonging.says_more(site, found, served=True):
            return None
        return found

    def _asked_by(
        self, function: Function, around: frozenset[Function] = frozenset()
    ) -> str | None:
        """The entity of policy's table for which alone a method is, or a helper by who calls it, or calls the helpers
        that do."""
        domain = self.domain
        if not self._is_apart(function):
            return self._served_by(function.owner)
        if function not in domain.keys.helpers or function in around:
            return None
        callers = {domain.names.function_of(call) for call, _ in domain.calls.callers(function)}
        found = {
            self._asked_by(one, around | {function}) if one is not None else None
            for one in callers
            if one is None or not one.module.is_test
        }
        return found.pop() if len(found) == 1 else None

    def _is_apart(self, function: Function) -> bool:
        """Whether a function is outside of classes, or needs no object of one that is neither an entity nor a repository,
        nor called as one of policy's: `Key.for_model(name)`, which makes keys for whoever asks."""
        owner, domain = function.owner, self.domain
        if owner is None:
            return True
        if not function.is_static and "classmethod" not in function.decorators:
            return False
        known = owner in domain.entities or owner in domain.repositories
        return not known and self._served_by(owner) is None

    def _served_by(self, owner: Class | None) -> str | None:
        """The entity of policy's table that a class is, is the repository of, and of no other, or else is called as."""
        domain, listed = self.domain, self.own.listed
        if owner is None:
            return None
        is_one = owner in domain.entities or bool(listed(owner))
        kinds = {owner} if is_one else domain.entities_of.get(owner, set())
        names = set(map(listed, kinds))
        if names:
            return names.pop() or None if len(names) == 1 else None
        says_only = partial(self.belonging.called.says_only, owner.name)
        return next(filter(says_only, domain.policy.entities), None)

    def shares(self, site: KeySite) -> str | None:
        """The entity of policy's table whose keys a helper makes by the way, which is there for others as well: it is
        called like that entity, or is called by its code."""
        function = site.function
        if function is None or self.belonging.tags.of(site.template):
            return None
        if (narrow := self.own.sharing(site) or self.told.may_be_of(site)) is not None:
            return narrow
        calls = list(self._calls_of(function))
        owner = site.owner
        if owner is not None and self.belonging.is_for_others(owner):
            named = self.belonging.called.after(owner.name)
            had = (*self.rows.told(owner), *self.rows.own(owner))
            rest = [one for one in had if named and not self.tells_others(one, named)]
            return named if any(self.belonging.is_whole(one) for one in rest) else None
        found = self.belonging.narrow_around(site.owner, function, site.module.name)
        if found is not None and self.belonging.called.is_like_scope(found):
            served = {self._is_others(call, found) for call in calls}
            return found if served >= {True, False} else None
        for call in calls:
            owner = owner_of(self.domain.names.function_of(call))
            entity = self.belonging.named_by_owner(owner) or self._served_by(owner)
            if entity is not None and not self._is_others(call, entity):
                return entity
        return None

    def needs_less(self, use: tree.Node, scope: ScopePolicy) -> bool:
        """Whether a text is used as a key by the code of an entity that policy's table has without a scope, and of no
        other one."""
        caller = self.domain.names.function_of(use)
        owner = owner_of(caller)
        entity = self.belonging.named_by_owner(owner) or self._served_by(owner)
        if entity is None and caller is not None:
            entity = self.belonging.narrowed_names(None, caller, "")
        if entity is None or scope.name in self.belonging.scopes_of(entity):
            return False
        beside = Beside(self.domain.keys).sort_keys(use) if isinstance(use, tree.Call) else ()
        return not any(self._may_be_others(key, entity) for key in beside)

    def _may_be_others(self, sort_key: Template, entity: str) -> bool:
        """Whether a sort key is not known to be an entity's: it has other tags, but is no plain text, `"PROFILE"`, that
        names nobody."""
        own, is_named = _last_words(entity), self.belonging.called.naming.is_named
        others = [words(tag) for tag in self.belonging.tags.of(sort_key) if words(tag) != own]
        plain = all(isinstance(one, Text) for one in sort_key.pieces)
        known = plain and self.belonging.is_whole(sort_key) and not any(map(is_named, others))
        return bool(others) and not known

    def serve_others(self, function: Function | None, entity: str) -> bool:
        """Whether a key helper's key is used by the code of other entities, or beside the sort key of another one."""
        return function is not None and any(
            self._is_others(call, entity) for call in self._calls_of(function)
        )

    def _calls_of(self, function: Function) -> Iterator[tree.Call]:
        """The calls of a key helper."""
        helpers = self.domain.keys.helpers
        for call, _ in self.domain.calls.callers(function) if function in helpers else ():
            if not self.domain.names.module_of(call).is_test:
                yield call

    def _is_others(self, call: tree.Call, entity: str) -> bool | None:
        """Whether a helper that is called like an entity makes a key of another one; `None` where nothing shows it."""
        caller = self.domain.names.function_of(call)
        owner = owner_of(caller)
        sort_keys = list(Beside(self.domain.keys).sort_keys(call))
        others = [one for one in sort_keys if self.tells_others(one, entity)]
        if self.belonging.named_by_owner(owner) == entity:
            return any(self._is_made_elsewhere(call, one, entity) for one in others)
        if others:
            return True
        if self.belonging.narrowed_names(None, caller, "") == entity:
            return False
        if owner in self.domain.repositories or owner in self.domain.entities:
            return True
        whole = any(map(self.belonging.is_whole, sort_keys))
        return False if whole else None

    def tells_others(self, sort_key: Template, entity: str) -> bool:
        """Whether a sort key tells rows from each other, which are none of an entity: `PROJECT#{project_id}`."""
        own, scopes = _last_words(entity), self.domain.policy.scopes
        return any(words(tag) != own for tag in self.belonging.tags.of(sort_key)) and any(
            isinstance(piece, Filled) and not names_any_of(piece.name, scopes)
            for piece in sort_key.pieces
        )

    def _is_made_elsewhere(self, call: tree.Call, sort_key: Template, entity: str) -> bool:
        """Whether a repository or an entity that is not called after an entity has the same key with the same sort key:
        its rows are none of the entity's."""
        found = (callee.function for callee in self.domain.calls.callees(call))
        owners = {
            owner
            for function in found
            if function is not None
            for owner in self.rows.makers(function).get(sort_key.text, ())
        }
        known = self.domain.repositories | self.domain.entities
        return any(self.belonging.named_by_owner(owner) != entity for owner in owners & known)


def _last_words(entity: str) -> tuple[str, ...]:
    """The words of an entity's name, without the module that policy may say before it."""
    return entity_words(entity.rpartition(".")[2])
