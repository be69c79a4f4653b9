"""One check or fix, from the options to the exit code."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from capsule_lint import __version__
from capsule_lint.analysis import Workspace, analyse
from capsule_lint.cache.facts import Builder
from capsule_lint.cache.findings import Findings
from capsule_lint.cache.store import digest
from capsule_lint.checker import NO_RULE, Checker, check_policy_codes, is_known
from capsule_lint.cli import write_out
from capsule_lint.cli.baselined import unknown
from capsule_lint.cli.stale_data import stale_data
from capsule_lint.cli.start import in_color, note
from capsule_lint.errors import SourceError
from capsule_lint.lines import line_changes, lines_of
from capsule_lint.model import Safety
from capsule_lint.registry import Rules
from capsule_lint.report import (
    TEXT_FORMATS,
    FixSummary,
    Report,
    RuleInfo,
    Style,
    render,
    render_diff,
    render_fix_summary,
    render_ledger,
    render_statistics,
    summary,
)
from capsule_lint.selection import Selection
from capsule_lint.source import (
    Change,
    decode,
    dirty,
    encode,
    write,
)
from capsule_lint.source.store import store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capsule_lint.analysis import Analysis
    from capsule_lint.cache.findings import Told
    from capsule_lint.cli.options import Options
    from capsule_lint.cli.start import Known, Target
    from capsule_lint.model import ChangeSet, Finding
    from capsule_lint.policy import Policy
    from capsule_lint.rule import Rule
    from capsule_lint.source import Decoded

_WITH_EDITS = ("json", "json-lines", "sarif")


def run_on(options: Options, target: Target, known: Known | None) -> int:
    """Check or fix a program; `known` is what earlier runs found out."""
    run = _Run(options, target.policy, target, known)
    status = run.run()
    run.keep(status)
    return status


@dataclass(eq=False, slots=True)
class _Run:
    options: Options
    policy: Policy
    target: Target
    known: Known | None
    builder: Builder = field(init=False)
    rules: Mapping[str, Rule] = field(init=False)
    found: Findings = field(init=False)
    workspace: Workspace = field(init=False)
    checker: Checker = field(init=False)
    started: float = field(init=False)
    _names: dict[str, str] = field(default_factory=dict)
    _written: str = ""
    _analysis: Analysis | None = None

    def __post_init__(self) -> None:
        self.started = time.perf_counter()
        known, jobs = self.known, self.options.jobs or os.cpu_count() or 1
        self.builder = (
            Builder(jobs=jobs) if known is None else Builder(known.store, known.version, jobs)
        )
        self.found = Findings() if known is None else Findings(known.store, known.version)
        self.rules = Rules()
        selection = self._selection()
        discovery = self.target.discovery
        for text in discovery.notes:
            self._verbose(text)
        limited, whole_program = self.target.reported, set(discovery.files)
        if not self.target.limited:
            note("warning: no Python files found under the given paths")
        whole = limited >= whole_program and not self._narrowed()
        given = self._given()
        if given:
            limited, whole = frozenset(given), False
        self.workspace = Workspace(self.policy.root, self.target.files, given)
        self.workspace.load()
        self._verbose(f"{len(self.workspace.sources)} files read")
        unsafe = self.options.unsafe_fixes
        self.checker = Checker(
            self.rules, selection, limited, whole, unsafe, self._unknown, self.found
        )

    def _selection(self) -> Selection:
        policy, options = Selection.of(self.policy), self.options
        codes = [told[0] for told in self._told()]
        self._check_codes(codes)
        if self.policy.path is not None:
            check_policy_codes(self.policy, codes)
        return Selection(
            (*(options.select or policy.select), *options.extend_select),
            options.ignore or policy.ignore,
            options.fixable or policy.fixable,
            options.unfixable or policy.unfixable,
        )

    def _told(self) -> tuple[Told, ...]:
        """What a report says of each rule. An earlier run has noted it, or else the rules are loaded."""
        if not self.found.rules:
            rules = self.rules.values()
            self.found.rules = tuple(
                (r.code, r.name, r.why, _url_of(r), r.remedy or r.fix_message, r.summary)
                for r in rules
            )
        return self.found.rules

    def _check_codes(self, codes: Sequence[str]) -> None:
        """A selector on the command line that means no rule is a mistake."""
        options = self.options
        for code in (
            *options.select,
            *options.ignore,
            *options.extend_select,
            *options.fixable,
            *options.unfixable,
        ):
            if not is_known(code, codes):
                raise SourceError(code, f"{NO_RULE}: see `capsule-lint rule --all`")

    def _narrowed(self) -> bool:
        return bool(self.options.select or self.options.ignore)

    def _given(self) -> dict[str, Decoded]:
        """The text on standard input, by the file that it stands for."""
        given = self.options.stdin_filename
        if given is None:
            return {}
        if self.options.fixing:
            problem = "cannot be used with --fix, which writes files: use --diff"
            raise SourceError("--stdin-filename", problem)
        name = Path(os.path.relpath(given, self.policy.root)).as_posix()
        if name not in self.target.files:
            raise SourceError(str(given), "is no file of the program")
        return {name: decode(sys.stdin.buffer.read(), name)}

    def _say(self, text: str) -> None:
        if not self.options.quiet:
            note(text)

    def _verbose(self, text: str) -> None:
        if self.options.verbose:
            note(text)

    def keep(self, status: int) -> None:
        """Keep the report for a run on the very same program."""
        known = self.known
        if known is None:
            return
        if known.report is not None and self._is_as_told(known):
            known.store.save(known.report, (status, self._written))
            if known.elsewhere is not None and self._analysis is not None:
                known.elsewhere.keep((status, self._written), self._analysis)
            known.store.prune()
        self.builder.save()
        if not self.options.diff:
            self.found.save()
        known.contents.save()

    def _is_as_told(self, known: Known) -> bool:
        """Whether no file has changed between the moment it was looked at and that it was read."""
        sources = self.workspace.sources
        return not self.workspace.problems and all(
            name in sources and digest(sources[name].data) == told
            for name, told in known.digests.items()
        )

    # --- the two ways ---

    def run(self) -> int:
        analysis = analyse(
            self.policy,
            self.workspace.texts(),
            self.workspace.problems.values(),
            builder=self.builder,
        )
        self._analysis = analysis
        findings = self.checker.findings(analysis)
        if self.options.diff:
            return self._diff(analysis, findings)
        if self.options.fixing:
            return self._fix(analysis, findings)
        findings = self._unknown(findings)
        if self.options.output_format in _WITH_EDITS or self.options.show_fixes:
            findings = self._with_edits(analysis, findings)
        self._report(analysis, findings, None)
        return self._status(bool(findings))

    def _diff(self, analysis: Analysis, findings: tuple[Finding, ...]) -> int:
        fixing = self.checker.fixing(analysis, self._unknown(findings))
        texts = fixing.texts
        self._say_refused()
        self._say_stale(fixing.applied)
        pairs = [
            (self._shown(name), analysis.texts.get(name, ""), text) for name, text in texts.items()
        ]
        self._print(render_diff(pairs, color=self._style().color))
        files = f"{len(pairs)} file{'' if len(pairs) == 1 else 's'}"
        self._say(f"{files} would be changed" if pairs else "nothing would be changed")
        return self._status(bool(pairs))

    def _fix(self, first: Analysis, before: tuple[Finding, ...]) -> int:
        fixing = self.checker.fixing(first, self._unknown(before))
        findings, texts = fixing.findings, fixing.texts
        if texts:
            self._write(texts)
        known = {(f.sort_key, f.span) for f in findings}
        left = (f for f in fixing.opened if (f.sort_key, f.span) not in known)
        remaining = tuple(sorted((*findings, *left), key=lambda f: (f.sort_key, f.message)))
        applied = fixing.applied
        told = texts and self._ends_in_words
        done = self._summary(first, applied, texts, before, remaining) if told else None
        self._say_refused()
        self._say_stale(applied)
        if self.options.fix_only:
            remaining = ()
        self._report(fixing.analysis, remaining, done)
        changed = bool(texts) and self.options.exit_non_zero_on_fix
        return self._status(bool(remaining) or changed)

    def _say_refused(self) -> None:
        for reason in sorted(set(self.checker.refused.values())):
            self._say(f"warning: not fixed: {reason}")

    def _say_stale(self, applied: Sequence[ChangeSet]) -> None:
        for name, row, what in stale_data(self.policy, self.workspace.filenames, applied):
            self._say(f"warning: {self._shown(name)}:{row}: nothing rewrites {what}")

    def _write(self, texts: Mapping[str, str]) -> None:
        if not self.options.allow_dirty:
            unsaved = dirty(self.policy.root, tuple(texts))
            if unsaved:
                names = ", ".join(self._shown(name) for name in unsaved[:5])
                more = f" and {len(unsaved) - 5} more" if len(unsaved) > 5 else ""
                problem = "uncommitted changes: commit or stash them, or give --allow-dirty; nothing was written"
                raise SourceError(f"{names}{more}", problem)
        changes = []
        for name, text in texts.items():
            source = self.workspace.sources.get(name)
            data = encode(text, source.decoded) if source is not None else text.encode()
            changes.append(Change(name, source.data if source is not None else None, data))
        write(self.policy.root, changes)

    def _summary(
        self,
        first: Analysis,
        applied: Sequence[ChangeSet],
        texts: Mapping[str, str],
        before: Sequence[Finding],
        remaining: Sequence[Finding],
    ) -> FixSummary:
        counts = [line_changes(first.texts.get(name, ""), text) for name, text in texts.items()]
        left = {f.fingerprint for f in remaining}
        ended = [f for f in before if f.fingerprint not in left]
        shown = ended if self.options.show_fixes else ()
        return FixSummary(
            entities=len({name for change in applied for name in change.entities}),
            definitions=sum(change.definitions for change in applied),
            call_sites=sum(change.call_sites for change in applied),
            tests=sum(change.tests for change in applied),
            files=len(texts),
            added=sum(added for added, _ in counts),
            removed=sum(removed for _, removed in counts),
            seconds=time.perf_counter() - self.started,
            change_sets=len(applied),
            created=tuple(self._shown(name) for name in texts if name not in first.texts),
            findings=len(ended),
            listed=tuple(replace(f, filename=self._shown(f.filename)) for f in shown),
        )

    def _unknown(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        judges = None if self.checker.whole else self._judges
        return unknown(findings, self.options, self.policy, self._say, judges)

    def _judges(self, code: str, filename: str) -> bool:
        """Whether this run would report a finding of that code in that file, if it was there."""
        checker, rule = self.checker, self.rules.get(code)
        return filename in checker.limited and (rule is None or checker.selection.reports(rule))

    # --- reports ---

    def _with_edits(
        self, analysis: Analysis, findings: tuple[Finding, ...]
    ) -> tuple[Finding, ...]:
        """The findings with the text edits of their change sets."""
        wanted = {f.change_set for f in findings if f.suggestion is not None and f.change_set}
        by_set = {
            identity: tuple(
                replace(edit, filename=self._shown(edit.filename))
                for edit in self.checker.edits(analysis, findings, identity)
            )
            for identity in wanted
        }
        return tuple(
            replace(f, suggestion=replace(f.suggestion, edits=by_set[f.change_set]))
            if f.suggestion is not None and f.change_set
            else f
            for f in findings
        )

    def _shown(self, filename: str) -> str:
        """A file's name relative to the working directory."""
        known = self._names.get(filename)
        if known is None:
            path = Path(os.path.relpath(self.policy.root / filename))
            known = self._names[filename] = path.as_posix()
        return known

    def _style(self) -> Style:
        return Style(color=in_color(self.options), show_fixes=self.options.show_fixes)

    def _report(
        self, analysis: Analysis, findings: Sequence[Finding], fixed: FixSummary | None
    ) -> None:
        shown = {self._shown(f.filename): f.filename for f in findings}
        barred = self.checker.barred(findings)
        report = Report(
            tuple(
                replace(
                    f,
                    filename=self._shown(f.filename),
                    suggestion=None if f.change_set in barred else f.suggestion,
                )
                for f in findings
            ),
            {
                identity: replace(
                    change, safety=Safety.UNSAFE, obstacles=(barred[identity], *change.obstacles)
                )
                if identity in barred
                else change
                for identity, change in analysis.judgement.change_sets.items()
            },
            tuple(
                replace(row, filename=self._shown(row.filename))
                for row in (analysis.ledger() if self.options.ledger else ())
                if row.filename in self.checker.limited
            ),
            {told[0]: RuleInfo(*told) for told in self._told()},
            lambda name: [
                line.rstrip("\r\n")
                for line in lines_of(analysis.texts.get(shown.get(name, ""), ""))
            ],
            __version__,
            fixed,
        )
        options, style = self.options, self._style()
        if options.ledger:
            self._print(render_ledger(report, options.output_format))
            return
        if options.statistics:
            self._print(render_statistics(report, options.output_format))
        elif not (options.fix_only or (options.quiet and not findings)):
            self._print(render(report, options.output_format, style))
        if self._ends_in_words:
            if fixed is not None:
                self._print(render_fix_summary(fixed))
            self._print(summary(report, fixing=options.fixing, only=options.fix_only))

    @property
    def _ends_in_words(self) -> bool:
        """Whether the report ends with what was found and done, in numbers: to count lines takes time."""
        options = self.options
        plain = options.output_format in TEXT_FORMATS
        return plain and not (options.quiet or options.ledger)

    def _print(self, text: str) -> None:
        text = text.rstrip("\n") + "\n" if text.strip("\n") else ""
        self._written += text
        if self.options.output_file is not None:
            store(self.options.output_file, self._written.encode())
        else:
            write_out(text)

    def _status(self, found: bool) -> int:
        return int(found and not self.options.exit_zero)


def _url_of(rule: Rule) -> str:
    """Where the rule's page is, in the project's documentation."""
    return f"docs/rules/{rule.name}.md"
