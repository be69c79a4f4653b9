"""Whether files that look functions up by names that they make may find one that changes.

To know takes about as long as to link and to judge the program, and only the names of what changes are needed for it:
where it can be told beforehand which files these are, another process gets ready for the question meanwhile.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.plan.uses.dynamic import Dynamic
from capsule_lint.program import link_names, link_types
from capsule_lint.workers import forked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from capsule_lint.cache.facts import Builder
    from capsule_lint.cache.store import Plain
    from capsule_lint.facts.tree import At, FileFacts
    from capsule_lint.plan.interest import Interest
    from capsule_lint.program import Linked, Program, Walks
    from capsule_lint.program.model import Function
    from capsule_lint.workers import Fork

_WORTH: Final = 400_000
"""How many characters another process should have to look into."""

_Identity = tuple[str, "At"]
"""A function as another process knows it: its file, and where its name stands."""


class Looked(Struct, frozen=True):
    """What another process has found out, and what it has read for that."""

    found: bool
    facts: Mapping[str, Plain]
    read: frozenset[str]
    searched: frozenset[str]
    importing: Mapping[str, str | None]


@dataclass(eq=False, slots=True)
class Quiet:
    """Asks it of the quiet files of an analysis."""

    interest: Interest
    builder: Builder
    walks: Walks
    facts_of: Callable[[AbstractSet[str]], Mapping[str, FileFacts]]
    consulted: set[str]
    """The files that were read; those that another process has read are put there."""
    _chosen: frozenset[str] = frozenset()
    _guess: frozenset[str] = frozenset()
    """The files that the other process looks into."""
    _fork: Fork[list[_Identity], Looked | None] | None = None

    @contextmanager
    def beside(self, chosen: AbstractSet[str]) -> Iterator[None]:
        """Get ready in another process while the program of the chosen files is linked and judged, for the files that are
        quiet by an earlier round or run, or will be if anything changes."""
        self._chosen = frozenset(chosen)
        self.get_ready(self.interest.quiet or self.interest.foreseen_quiet(chosen))
        try:
            yield
        finally:
            self._end()

    def _end(self) -> None:
        if self._fork is not None:
            self._fork.end()
            self._fork = None

    def get_ready(self, files: AbstractSet[str]) -> None:
        """Get ready in another process, if any of these files are known, none does so for them yet, and they are worth it."""
        guess = frozenset(files - self._chosen)
        if not guess or (self._fork is not None and guess == self._guess):
            return
        self._end()
        size = sum(len(self.interest.texts[name]) for name in guess)
        if self.builder.jobs > 1 and size >= _WORTH:
            self._guess = guess
            self._fork = forked(partial(self._look, self._chosen, guess))

    def finds(self, program: Program) -> bool:
        """Whether any function of the program of the chosen files that may be looked up is found so, once that is
        judged and the files that are quiet are known."""
        functions, quiet = program.names.looked_up, self.interest.quiet
        if self._fork is not None and quiet == self._guess:
            self._fork.ask([_identity(function) for function in functions])
            if looked := self._fork.answer(lambda: None):
                return self._take(looked)
        return bool(self._found(self._linked(self._chosen, quiet), functions))

    def _look(
        self, chosen: frozenset[str], quiet: frozenset[str]
    ) -> Callable[[Iterable[_Identity]], Looked]:
        """The work of the other process; what it gives tells it of some functions."""
        self.builder.jobs = 1
        before = set(self.builder.kept)
        looking = self._linked(chosen, quiet)
        every = {f for module in looking.names.judged() for f in module.functions}
        found = self._found(looking, every)

        def answer(asked: Iterable[_Identity]) -> Looked:
            return Looked(
                not found.isdisjoint(asked),
                {name: one for name, one in self.builder.kept.items() if name not in before},
                frozenset(self.consulted),
                frozenset(self.interest.searched),
                self.interest.importing,
            )

        return answer

    def _take(self, looked: Looked) -> bool:
        self.builder.adopt(looked.facts)
        self.consulted |= looked.read
        self.interest.searched |= looked.searched
        self.interest.importing |= looked.importing
        return looked.found

    def _linked(self, chosen: frozenset[str], quiet: frozenset[str]) -> Linked:
        """The chosen files with those in which nothing is judged: types reach into them."""
        files = self.facts_of(chosen | quiet)
        rest = self.interest.rest(chosen, self._fact_of, quiet)
        policy = self.interest.policy
        return link_types(link_names(files.values(), policy, rest, self.walks), policy)

    def _found(self, looking: Linked, functions: Collection[Function]) -> frozenset[_Identity]:
        """Those of these functions that are found by names that are made."""
        dynamic = Dynamic(looking, functions, self.interest.policy.scopes)
        return frozenset(_identity(lookup.function) for lookup in dynamic.find())

    def _fact_of(self, name: str) -> FileFacts:
        return self.facts_of(frozenset((name,)))[name]


def _identity(function: Function) -> _Identity:
    return function.module.filename, function.fact.name_at
