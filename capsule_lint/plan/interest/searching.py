"""Searches the texts of a program, half of them in another process where there is much to search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from capsule_lint.plan.interest.telling import Telling
from capsule_lint.plan.interest.vocabulary import Vocabulary
from capsule_lint.workers import forked, shares_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from capsule_lint.cache.hints import Hints
    from capsule_lint.plan.interest.signs import Signs
    from capsule_lint.policy import Policy
    from capsule_lint.workers import Fork

_WORTH: Final = 4_000_000
"""How many characters a process should have to search."""


class _Asked(NamedTuple):
    """What to search some files for: with `signs`, what they are about; without, what each file tells."""

    names: list[str]
    signs: Signs | None = None


class _Found(NamedTuple):
    hints: Mapping[str, Hints] = {}
    holding: frozenset[str] = frozenset()


class Searching:
    """Searches files, and remembers their words."""

    def __init__(self, policy: Policy, texts: Mapping[str, str], jobs: int = 1) -> None:
        self._texts, self._jobs = texts, jobs
        self._vocabulary = Vocabulary(texts)
        self._telling = Telling(policy, self._vocabulary, texts)
        self._fork: Fork[_Asked, _Found] | None = None
        self._theirs: frozenset[str] = frozenset()
        """The files that the other process searches."""

    def hints(self, names: Iterable[str]) -> dict[str, Hints]:
        """What each of these files tells by itself."""
        own, other = self._search(_Asked(list(names)))
        return {**own.hints, **other.hints}

    def holding(self, names: Iterable[str], signs: Signs) -> set[str]:
        """Those of these files in which one of the names stands, that have part of a key in them, or take
        one apart."""
        own, other = self._search(_Asked(list(names), signs))
        return {*own.holding, *other.holding}

    def close(self) -> None:
        """End the other process."""
        if self._fork is not None:
            self._fork.end()
            self._fork, self._theirs = None, frozenset()

    def _search(self, asked: _Asked) -> tuple[_Found, _Found]:
        """What is found here, and what is found in another process."""
        if self._fork is None:
            self._share(asked.names)
        theirs = [name for name in asked.names if name in self._theirs]
        if self._fork is None or not theirs:
            return self._found(asked), _Found()
        left = _Asked(theirs, asked.signs)
        self._fork.ask(left)
        rest = [name for name in asked.names if name not in self._theirs]
        return self._found(_Asked(rest, asked.signs)), self._fork.answer(lambda: self._found(left))

    def _share(self, names: list[str]) -> None:
        """Leave half of the files to another process, if that pays."""
        fresh = [name for name in names if name not in self._vocabulary]
        sizes = [len(self._texts[name]) for name in fresh]
        if self._jobs > 1 and sum(sizes) >= 2 * _WORTH:
            _, theirs = shares_of(sizes, 2)
            self._fork = forked(lambda: self._found)
            self._theirs = frozenset(fresh[number] for number in theirs if self._fork)

    def _found(self, asked: _Asked) -> _Found:
        if asked.signs is None:
            return _Found(dict(self._telling.hints(asked.names)))
        self._vocabulary.read(asked.names)
        return _Found(holding=frozenset(self._holding(asked.signs)))

    def _holding(self, signs: Signs) -> set[str]:
        vocabulary = self._vocabulary
        found = vocabulary.having(signs.words)
        for name in vocabulary.having(signs.parts):
            if signs.before.search(vocabulary.text(name)):
                found.add(name)
        for name in vocabulary.having(("split",)):
            if signs.splits.search(vocabulary.text(name)):
                found.add(name)
        return found
