"""One program with what editors have not saved: checked, fixed, and nothing of it written but the cache."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.analysis import Workspace, analyse
from capsule_lint.baseline import parse_baseline
from capsule_lint.cache.contents import Contents
from capsule_lint.cache.facts import Builder
from capsule_lint.cache.store import Store, place_of
from capsule_lint.cache.versions import version_of
from capsule_lint.checker import Checker, check_policy_codes
from capsule_lint.errors import CapsuleLintError, PolicyError
from capsule_lint.fixing import fix, fixers_of
from capsule_lint.policy import find_policy, load_policy
from capsule_lint.program import Walks
from capsule_lint.registry import load_rules
from capsule_lint.selection import Selection
from capsule_lint.server.policy_rows import row_of
from capsule_lint.source import Decoded, discover
from capsule_lint.source.store import read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capsule_lint.analysis import Analysis
    from capsule_lint.model import Finding
    from capsule_lint.policy import Policy
    from capsule_lint.source import SourceFile

_rules = cache(load_rules)
_MARK = "\ufeff"
_VERSIONS = 50
"""After how many checks what was known of older versions of files is dropped."""


class Document(Struct, frozen=True):
    """A file that is open in an editor, as it stands there."""

    uri: str
    version: int | None
    text: str


class Checked(Struct, frozen=True):
    """What a check has found out."""

    policy: Policy
    checker: Checker
    analysis: Analysis
    findings: tuple[Finding, ...]
    fixable: frozenset[str]
    """The change sets that may be applied without a person looking."""
    documents: Mapping[str, Document]
    """The files of the program that were open, by name."""

    def mended(self, fingerprint: str | None) -> Mapping[str, str] | str:
        """The new texts of files without one finding, or without all that can be fixed; or else why not."""
        try:
            if fingerprint is None:
                return self.checker.fixing(self.analysis, self.findings).texts
            chosen = [f for f in self.findings if f.fingerprint == fingerprint]
            wanted = {f.change_set for f in chosen if f.change_set in self.fixable}
            sets = [c for c in self.analysis.judgement.change_sets.values() if c.id in wanted]
            fixed = fix(self.analysis, sets, fixers_of(self.checker.rules))
        except Exception as error:  # whatever it is, an editor is told and goes on
            return _said_of(error)
        return "; ".join(sorted(fixed.refused.values())) or fixed.texts


class Failed(Struct, frozen=True):
    """Why a program cannot be checked, and the place in its policy that says so."""

    message: str
    path: Path | None = None
    row: int = 1


Outcome: TypeAlias = Checked | Failed


@dataclass(eq=False, slots=True)
class Program:
    """The program whose policy holds in a folder. All that it is asked runs in one thread."""

    home: Path
    _policy: Policy | None = None
    _builder: Builder = field(default_factory=Builder)
    _sources: Mapping[str, SourceFile] = field(default_factory=dict)
    _analysis: Analysis | None = None
    _count: int = 0
    _seen: object = None
    """All that the last check depends on."""
    _last: Checked | None = None

    def check(self, documents: Mapping[Path, Document]) -> Outcome:
        """Check all files, those that are open as they stand there. Raises nothing."""
        try:
            return self._check(documents)
        except PolicyError as error:
            path = Path.cwd() / error.path
            return Failed(str(error), path, row_of(error.key, error.problem, _text(path)))
        except CapsuleLintError as error:
            return Failed(_said_of(error), self._policy_path())
        except Exception as error:  # whatever it is, an editor is told and goes on
            self._analysis = self._last = None
            return Failed(_said_of(error))

    def _check(self, documents: Mapping[Path, Document]) -> Checked:
        policy = load_policy(self.home)
        if policy != self._policy:
            self._analysis = None
            self._policy = policy
            store = Store(place_of(policy.root, None))
            contents = Contents(store)
            self._builder = Builder(store, version_of(contents, store))
            contents.save()
        rules = _rules()
        check_policy_codes(policy, rules)
        files = discover(policy).files
        opened = _opened(policy.root, files, documents)
        workspace = Workspace(policy.root, files, {n: _decoded(d) for n, d in opened.items()})
        workspace.load(self._sources)
        self._sources = workspace.sources
        known = _known(policy)
        seen = policy, workspace.sources, workspace.problems, known
        if self._last is not None and seen == self._seen:
            return replace(self._last, documents=opened)
        first = self._analysis is None
        self._analysis = analysis = analyse(
            policy,
            workspace.texts(),
            workspace.problems.values(),
            before=self._before(),
            builder=self._builder,
        )
        if first:
            self._builder.save()
        checker = Checker(
            rules,
            Selection.of(policy),
            frozenset(files),
            whole=True,
            unsafe=False,
            new=lambda findings: tuple(f for f in findings if f.fingerprint not in known),
        )
        findings = checker.new(checker.findings(analysis))
        fixable = frozenset(change.id for change in checker.sets(analysis, findings))
        self._seen = seen
        self._last = Checked(policy, checker, analysis, findings, fixable, opened)
        return self._last

    def _before(self) -> Analysis | None:
        """The last analysis; now and then without older versions of files, which it would keep for ever."""
        self._count += 1
        if self._analysis is not None and self._count % _VERSIONS == 0:
            return replace(self._analysis, walks=Walks())
        return self._analysis

    def _policy_path(self) -> Path | None:
        try:
            return find_policy(self.home)
        except PolicyError:
            return None


def home_of(folder: Path) -> Path:
    """The folder whose policy holds in a folder: itself where there is none, or none that can be read."""
    try:
        found = find_policy(folder)
    except PolicyError:
        found = None
    return Path(os.path.realpath(folder if found is None else found.parent))


def _said_of(error: Exception) -> str:
    """What a person is told of an error; one that is ours goes by its kind."""
    if type(error).__module__ == CapsuleLintError.__module__:
        return str(error)
    return f"internal error, please report it: {type(error).__name__}: {error}"


def _opened(
    root: Path, files: tuple[str, ...], documents: Mapping[Path, Document]
) -> dict[str, Document]:
    """The open files that are the program's, by name."""
    known = frozenset(files)
    within = {p: d for p, d in documents.items() if p.is_relative_to(root)}
    named = {path.relative_to(root).as_posix(): document for path, document in within.items()}
    return {name: document for name, document in named.items() if name in known}


def _decoded(document: Document) -> Decoded:
    return Decoded(document.text.removeprefix(_MARK), "utf-8", document.text.startswith(_MARK))


def _known(policy: Policy) -> frozenset[str]:
    """The fingerprints in the policy's baseline."""
    data = read_bytes(policy.root / policy.baseline) if policy.baseline else None
    return parse_baseline(data, str(policy.baseline)) if data is not None else frozenset()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
