"""Whether files that look functions up by names that they make may find one that changes.

To know takes about as long as to judge the program, and only the names of what changes are needed for it:
where an earlier round or run tells which files these are, another process gets ready for the question.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.plan.uses.dynamic import Dynamic
from capsule_lint.program import with_quiet
from capsule_lint.workers import forked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from capsule_lint.cache.facts import Builder
    from capsule_lint.cache.store import Plain
    from capsule_lint.facts.tree import At, FileFacts
    from capsule_lint.plan.interest import Interest
    from capsule_lint.program import Program, Walks
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

    @contextmanager
    def asked(self, program: Program, chosen: AbstractSet[str]) -> Iterator[Callable[[], bool]]:
        """What tells whether any function of `program` that may be looked up is found so, once the program is
        judged and the files that are quiet are known."""
        chosen, guess = frozenset(chosen), self._guess(chosen)
        fork = self._forked(program, chosen, guess)

        def finds() -> bool:
            functions = program.names.looked_up
            if fork is not None and self.interest.quiet == guess:
                fork.ask([_identity(function) for function in functions])
                if looked := fork.answer(lambda: None):
                    return self._take(looked)
            return self._found(self._linked(program, chosen, self.interest.quiet), functions)

        try:
            yield finds
        finally:
            if fork is not None:
                fork.end()

    def _guess(self, chosen: AbstractSet[str]) -> frozenset[str]:
        """The files that an earlier round or run has found to be quiet."""
        interest = self.interest
        if interest.signs is not None:
            return interest.quiet - chosen
        return frozenset(interest.hints.quiet & interest.texts.keys()) - chosen

    def _forked(
        self, program: Program, chosen: frozenset[str], guess: frozenset[str]
    ) -> Fork[list[_Identity], Looked | None] | None:
        size = sum(len(self.interest.texts[name]) for name in guess)
        if self.builder.jobs < 2 or size < _WORTH:
            return None
        return forked(partial(self._look, program, chosen, guess))

    def _look(
        self,
        program: Program,
        chosen: frozenset[str],
        quiet: frozenset[str],
    ) -> Callable[[Iterable[_Identity]], Looked]:
        """The work of the other process; what it gives tells it of some functions."""
        self.builder.jobs = 1
        before = set(self.builder.kept)
        looking = self._linked(program, chosen, quiet)
        every = {f for module in looking.names.judged() for f in module.functions}
        may_find = self._found(looking, every)  # most of the work, whatever is asked

        def answer(asked: Iterable[_Identity]) -> Looked:
            known = set(asked)
            functions = {function for function in every if _identity(function) in known}
            return Looked(
                may_find and self._found(looking, functions),
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

    def _linked(self, program: Program, chosen: frozenset[str], quiet: frozenset[str]) -> Program:
        files = self.facts_of(chosen | quiet)
        rest = self.interest.rest(chosen, self._fact_of, quiet)
        return with_quiet(program, files.values(), rest, self.walks)

    def _found(self, looking: Program, functions: Collection[Function]) -> bool:
        """Whether any of these functions is found by a name that is made."""
        return any(Dynamic(looking, functions).find())

    def _fact_of(self, name: str) -> FileFacts:
        return self.facts_of(frozenset((name,)))[name]


def _identity(function: Function) -> _Identity:
    return function.module.filename, function.fact.name_at
