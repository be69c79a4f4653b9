"""All files of a program to what is known of it: read, indexed, linked, judged."""

from __future__ import annotations

import re
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.cache.facts import Builder
from capsule_lint.errors import SourceError
from capsule_lint.judgement import Broken
from capsule_lint.lines import lines_of
from capsule_lint.plan import homes, judge, planned
from capsule_lint.plan.interest import SPARE, Interest, Signs
from capsule_lint.plan.uses.left_out import left_out
from capsule_lint.program import Walks, link_names, link_program
from capsule_lint.program.references import check_references
from capsule_lint.quiet import Quiet
from capsule_lint.source import SourceFile, read
from capsule_lint.source.store import read_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from capsule_lint.facts.tree import FileFacts
    from capsule_lint.judgement import Judgement
    from capsule_lint.model import Occurrence
    from capsule_lint.policy import Policy
    from capsule_lint.program import Program
    from capsule_lint.source import Decoded


_FRAMES: Final = 10_000
"""How many calls deep the analysis may get; it follows no more than a few hundred questions."""
_WORD: Final = re.compile(r"[^\W\d]\w*")


class Problem(Struct, frozen=True):
    """A file that could not be read or parsed."""

    filename: str
    row: int
    reason: str
    words: frozenset[str] | None = None
    """The words in it; `None` where nothing of it could be read."""
    column: int = 1


@dataclass(eq=False, slots=True)
class Workspace:
    """The files of a program as they were when each was first read; none is read twice."""

    root: Path
    filenames: tuple[str, ...]
    unsaved: Mapping[str, Decoded] = field(default_factory=dict)
    """What stands for some files instead of what is on disk."""
    sources: dict[str, SourceFile] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)

    def load(self, before: Mapping[str, SourceFile] | None = None) -> None:
        """Read what has not been read yet. A file that says what it said `before` is that very value."""
        for filename in self.filenames:
            if filename in self.sources or filename in self.problems:
                continue
            old = before.get(filename) if before is not None else None
            try:
                source = self._read(filename)
            except SourceError as error:
                words = _words_in(self.root, filename)
                self.problems[filename] = Problem(filename, error.row, error.problem, words)
            else:
                self.sources[filename] = old if old is not None and old == source else source

    def _read(self, filename: str) -> SourceFile:
        given = self.unsaved.get(filename)
        return read(self.root, filename) if given is None else SourceFile(filename, given)

    def texts(self) -> dict[str, str]:
        """The decoded texts, newlines as they are on disk."""
        return {name: source.decoded.text for name, source in self.sources.items()}


def _words_in(root: Path, filename: str) -> frozenset[str] | None:
    """The words in the bytes of a file that cannot be decoded; `None` where there are no bytes."""
    try:
        data = read_bytes(root / filename)
    except SourceError:
        return None
    return None if data is None else _words_of(data.decode("latin-1"))


def _words_of(text: str) -> frozenset[str]:
    """The identifiers in a text."""
    return frozenset(_WORD.findall(text))


class Reading(Struct, frozen=True):
    """Which files an analysis has looked into, and what would make another one matter to it. `spared` is
    how many characters more than need be were left unread."""

    consulted: frozenset[str]
    signs: Signs
    spared: int


class Analysis(Struct, frozen=True):
    """What is known of a program."""

    policy: Policy
    texts: Mapping[str, str]
    facts: Mapping[str, FileFacts]
    program: Program
    judgement: Judgement
    problems: tuple[Problem, ...]
    builder: Builder
    walks: Walks
    reading: Reading | None
    """`None` for one that has looked into all files."""
    apart: frozenset[str] = frozenset()
    """The files that were left out though names of what changes stand in them: no import leads there."""

    @property
    def unreadable(self) -> tuple[Problem, ...]:
        """The files of which there is no text: no change makes one readable."""
        return tuple(p for p in self.problems if p.filename not in self.texts)

    def ledger(self) -> tuple[Occurrence, ...]:
        """Every occurrence of a changing name, in the order of files, also in those that were left out."""
        written = self.judgement.written
        named = re.compile(rf"\b(?:{'|'.join(map(re.escape, written)) or '(?!)'})\b")
        texts = {name: self.texts[name] for name in sorted(self.apart)}
        some = {name: text for name, text in texts.items() if named.search(text)}
        facts = self.builder.build(some, self.policy.generated_markers)
        modules = link_names(facts.values(), self.policy).modules.values()
        rows = (
            row
            for module in modules
            for _, row in left_out(module, written, lines_of(self.texts[module.filename]))
        )
        return tuple(sorted((*self.judgement.ledger, *rows)))


@contextmanager
def _deep() -> Iterator[None]:
    """Room for questions that lead to others: a chain of calls may be longer than Python's stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def analyse(
    policy: Policy,
    texts: Mapping[str, str],
    unreadable: Iterable[Problem] = (),
    before: Analysis | None = None,
    builder: Builder | None = None,
    spare: int = SPARE,
) -> Analysis:
    """Analyse the program whose files have these texts; `before` is that of an older version of it.

    `builder` knows the facts of files from earlier runs. `spare` is how many characters without a
    word of interest are read all the same.

    Raises PolicyError when a source or a type of the policy does not resolve in the program.
    """
    builder = builder or (before.builder if before is not None else Builder())
    with closing(Interest(policy, texts, spare, builder.hints, builder.jobs)) as interest:
        return _analysed(interest, unreadable, before, builder)


def _analysed(
    interest: Interest, unreadable: Iterable[Problem], before: Analysis | None, builder: Builder
) -> Analysis:
    policy, texts = interest.policy, interest.texts
    known = {
        name: facts
        for name, facts in (before.facts if before is not None else {}).items()
        if before is not None and texts.get(name) is before.texts[name]
    }
    walks = before.walks if before is not None else Walks()
    consulted: set[str] = set()

    def read(names: Collection[str]) -> None:
        consulted.update(names)
        new = {name: texts[name] for name in names if name not in known}
        known.update(builder.build(new, policy.generated_markers))

    def read_one(name: str) -> FileFacts:
        read([name])
        return known[name]

    chosen = interest.seeds(before.facts.keys() if before is not None else None)
    quiet: frozenset[str] = frozenset()

    def facts_of(names: AbstractSet[str]) -> dict[str, FileFacts]:
        read(sorted(names))
        return {name: known[name] for name in texts if name in names}

    looking = Quiet(interest, builder, walks, facts_of, consulted)

    while True:
        facts = facts_of(chosen | quiet)
        problems = [
            *unreadable,
            *(
                Problem(name, row, fact.problem, _words_of(texts[name]), column)
                for name, fact in facts.items()
                if fact.problem is not None
                for row, column in (fact.problem_at,)
            ),
        ]
        rest = interest.rest(chosen, read_one, quiet)
        broken = [Broken(p.filename, p.row, p.words) for p in problems]
        with _deep():
            names = link_names(facts.values(), policy, rest, walks)
            if foreseen := interest.foreseen(names, chosen):
                chosen |= foreseen
                continue
            with looking.beside(chosen):
                program = link_program(names, policy)
                check_references(program)
                planner = planned(program)
                living = homes(planner)
                apart = interest.beside(living, facts.keys())
                if leading := interest.leading(program, planner.state.params, chosen):
                    chosen |= leading
                    continue
                if apart and interest.beside(living, facts.keys()) != apart:
                    continue  # some of the linked files were foreseen alone until they were led to
                looking.get_ready(interest.quiet)
                judgement = judge(planner, texts.__getitem__, broken, apart)
                more = interest.holding(program, judgement, chosen)
                if not more and (needless := interest.needless()):
                    chosen -= needless
                    continue
                chosen |= more
                if more:
                    continue
                if interest.quiet > quiet and looking.finds(program):
                    quiet = interest.quiet
                    continue
        if before is None and interest.joined is not None:
            builder.hints.joined = frozenset(interest.joined)
            builder.hints.quiet = interest.quiet
        found = (
            program,
            judgement,
            tuple(problems),
            builder,
            walks,
            _reading(interest, consulted.union(known)),
            interest.apart - facts.keys(),
        )
        return Analysis(policy, texts, facts, *found)


def _reading(interest: Interest, known: Iterable[str]) -> Reading | None:
    if interest.joined is None or interest.signs is None:
        return None
    importing = interest.importing
    consulted = {*known, *interest.searched, *(name for name in importing.values() if name)}
    absent = frozenset(package for package, name in importing.items() if name is None)
    return Reading(frozenset(consulted), replace(interest.signs, absent=absent), interest.spared)
