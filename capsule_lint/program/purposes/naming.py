"""Entities by what they are called: `LineItemEntity` in `line_item_pk` and in `LINEITEM#`."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from capsule_lint.program.texts.pieces import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program.model import Class

_SUFFIX: Final = re.compile(r"(?:Entity|Model|Item|Record|Row|Document)$")
GENERIC_WORDS: Final = frozenset(
    (
        "pk",
        "key",
        "partition",
        "hash",
        "gsi",
        "lsi",
        "index",
        "for",
        "of",
        "by",
        "make",
        "build",
        "get",
        "find",
        "load",
        "read",
        "fetch",
        "save",
        "put",
        "store",
        "write",
        "create",
        "add",
        "update",
        "delete",
        "remove",
        "exist",
        "list",
        "all",
        "the",
        "id",
        "item",
        "row",
        "table",
        "db",
    )
)
"""Words of a function's name that say nothing of the entity."""

TAKING_IN: Final = re.compile(
    r"(?:save|put|create|add|insert|store|register|write|upsert|keep)(?:_|$)"
)
"""How functions are called that take an item in."""


@lru_cache(maxsize=1 << 14)
def entity_words(name: str) -> tuple[str, ...]:
    """The words of an entity's name, without what says that it is one."""
    return words(_SUFFIX.sub("", name) or name)


def contains(haystack: tuple[str, ...], needle: tuple[str, ...]) -> bool:
    """Whether the words stand in the name one after the other."""
    width = len(needle)
    return width > 0 and any(
        haystack[n : n + width] == needle for n in range(len(haystack) - width + 1)
    )


def fit(name: str, entity: str) -> int:
    """How many words of an entity's name stand in another name: all of them, or all but what says that it is one; none
    if neither does."""
    said = entity.rpartition(".")[2]
    forms = ((words(name), words(said)), (entity_words(name), entity_words(said)))
    return max(len(needle) if contains(have, needle) else 0 for have, needle in forms)


def is_called(tag: str, name: tuple[str, ...]) -> bool:
    """Whether a tag of a key is a name, also where nothing parts its words."""
    said = words(tag)
    return said == name or (len(name) > 1 and "".join(said) == "".join(name))


class Naming:
    """The entities of a program, by the words of their names."""

    def __init__(self, entities: frozenset[Class]) -> None:
        self.entities = entities
        self._by_words: dict[tuple[str, ...], list[Class]] = defaultdict(list)
        self._by_joined: dict[str, list[Class]] = defaultdict(list)
        for cls in entities:
            name = entity_words(cls.name)
            self._by_words[name].append(cls)
            self._by_joined["".join(name)].append(cls)

    def is_named(self, name: tuple[str, ...]) -> bool:
        """Whether an entity is called so."""
        return name in self._by_words

    def within(self, name: tuple[str, ...]) -> list[Class]:
        """The entities whose names stand in a name."""
        return [cls for part in _parts(name) for cls in self._by_words.get(part, ())]

    def joined(self, names: Iterable[str]) -> list[Class]:
        """The entities that are called so, where nothing parts their words."""
        return [cls for name in names for cls in self._by_joined.get(name, ())]


def _parts(name: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """All runs of words in a name, once each."""
    runs = {name[i:j] for i in range(len(name)) for j in range(i + 1, len(name) + 1)}
    yield from runs
