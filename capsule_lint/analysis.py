"""All files of a program to what is known of it: read, indexed, linked, judged."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.cache.facts import Builder
from capsule_lint.errors import SourceError
from capsule_lint.judgement import Broken
from capsule_lint.plan import judge
from capsule_lint.program import link_program
from capsule_lint.program.references import check_references
from capsule_lint.source import read
from capsule_lint.source.store import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from capsule_lint.facts.tree import FileFacts
    from capsule_lint.judgement import Judgement
    from capsule_lint.policy import Policy
    from capsule_lint.program import Program
    from capsule_lint.source import SourceFile


_WORD: Final = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be read or parsed."""

    filename: str
    row: int
    reason: str
    words: frozenset[str] | None = None
    """The words in it; `None` where nothing of it could be read."""


@dataclass(eq=False, slots=True)
class Workspace:
    """The files of a program as they were when each was first read; none is read twice."""

    root: Path
    filenames: tuple[str, ...]
    sources: dict[str, SourceFile] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)

    def load(self) -> None:
        """Read what has not been read yet."""
        for filename in self.filenames:
            if filename in self.sources or filename in self.problems:
                continue
            try:
                self.sources[filename] = read(self.root, filename)
            except SourceError as error:
                words = _words_in(self.root, filename)
                self.problems[filename] = Problem(filename, error.row, error.problem, words)

    def texts(self) -> dict[str, str]:
        """The decoded texts, newlines as they are on disk."""
        return {name: source.decoded.text for name, source in self.sources.items()}


def _words_in(root: Path, filename: str) -> frozenset[str] | None:
    """The words in the bytes of a file that cannot be decoded; `None` where there are no bytes."""
    try:
        data = read_bytes(root / filename)
    except SourceError:
        return None
    return None if data is None else words_of(data.decode("latin-1"))


def words_of(text: str) -> frozenset[str]:
    """The identifiers in a text."""
    return frozenset(_WORD.findall(text))


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known of a program."""

    policy: Policy
    texts: Mapping[str, str]
    facts: Mapping[str, FileFacts]
    program: Program
    judgement: Judgement
    problems: tuple[Problem, ...]
    builder: Builder


def analyse(
    policy: Policy,
    texts: Mapping[str, str],
    unreadable: Iterable[Problem] = (),
    before: Analysis | None = None,
    builder: Builder | None = None,
) -> Analysis:
    """Analyse the program whose files have these texts; `before` is that of an older version of it.

    `builder` knows the facts of files from earlier runs.

    Raises PolicyError when a source or a type of the policy does not resolve in the program.
    """
    known = before.facts if before is not None else {}
    kept = {
        name: known[name]
        for name, text in texts.items()
        if before is not None and name in known and before.texts[name] is text
    }
    builder = builder or (before.builder if before is not None else Builder())
    new = {name: text for name, text in texts.items() if name not in kept}
    built = builder.build(new, policy.generated_markers)
    facts = {name: kept[name] if name in kept else built[name] for name in texts}
    problems = [
        Problem(name, fact.problem_row, fact.problem, words_of(texts[name]))
        for name, fact in facts.items()
        if fact.problem is not None
    ]
    program = link_program(facts.values(), policy)
    check_references(program)
    problems = [*unreadable, *problems]
    broken = [Broken(p.filename, p.row, p.words) for p in problems]
    judgement = judge(program, texts.__getitem__, broken)
    return Analysis(policy, texts, facts, program, judgement, tuple(problems), builder)
