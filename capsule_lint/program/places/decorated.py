"""Keys that decorators of classes are told as texts, `@entity(pk="TENANT#{tenant_id}", gsi1="AUTHOR#{author}")`, where
nothing shows what becomes of these: the fields are filled with what objects of the class have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.pieces import Filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Class
    from capsule_lint.program.places.keys import Keys

_INDEX: Final = re.compile(r"(?:[gl]si|index)_?\d*", re.IGNORECASE)
"""What an index is called to which a decorator gives its key, or its key and its sort key."""


class Decorated(Struct, frozen=True):
    """Finds them."""

    keys: Keys

    def of(self, cls: Class) -> None:
        """Give `keys` what the decorators of a class are told."""
        if cls.module.is_test:
            return
        for decorator in cls.fact.decorators:
            for value, name in _told(decorator) if isinstance(decorator, tree.Call) else ():
                policy, owners = self.keys.policy, self.keys.templates.choices.decorators.owners
                index = policy.is_index_key_name(name) or _INDEX.fullmatch(name) is not None
                is_key = index or policy.is_key_name(name)
                if not (is_key or (not name and self.keys.starts.at(value))):
                    continue
                if self._is_filled(cls, value) and id(value) not in owners:
                    owners[id(value)] = cls
                    self.keys.sink(value, Role.WRITTEN, index)

    def _is_filled(self, cls: Class, text: tree.Const) -> bool:
        """Whether a text has names of what objects of a class have in all its fields."""
        templates = self.keys.templates
        pieces = templates.evaluate(text, text, 0) or ()
        return templates.formatted.is_filled_by_name(text) and all(
            self.keys.classes.has_attribute(cls, p.name) for p in pieces if isinstance(p, Filled)
        )


def _told(decorator: tree.Call) -> Iterator[tuple[tree.Const, str]]:
    """The texts that a decorator is told, or the first one of each of its pairs, by their names; the first of all
    may have none."""
    for number, argument in enumerate(decorator.args):
        value = argument.value
        if isinstance(value, tree.Sequence) and value.kind == "tuple" and value.items:
            value = value.items[0]
        named = argument.keyword is not None or not (number or argument.star)
        if named and isinstance(value, tree.Const) and isinstance(value.value, str):
            yield value, argument.keyword or ""
