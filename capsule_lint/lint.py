"""All findings in a program: what checks flag, what the engine itself reports, less what is suppressed."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.cache.findings import Findings
from capsule_lint.facts.tree import span_of
from capsule_lint.model import Finding, Position, Span
from capsule_lint.policy import selects
from capsule_lint.selection import UNPARSABLE, UNUSED
from capsule_lint.workers import fork_map

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.analysis import Analysis
    from capsule_lint.facts.tree import FileFacts, Suppression
    from capsule_lint.judgement import Fact
    from capsule_lint.rule import Rule
    from capsule_lint.selection import Selection

_WORTH: Final = 150
"""How many facts a process should have to judge."""


@dataclass(eq=False, slots=True)
class Linter:
    """Judges an analysed program by the rules that are selected."""

    analysis: Analysis
    rules: Mapping[str, Rule]
    selection: Selection
    whole: bool = True
    """Whether every file and every rule is judged: only then a suppression can be called unused."""
    jobs: int = 1
    known: Findings = field(default_factory=Findings)
    _used: set[tuple[str, int, str]] = field(default_factory=set)

    def findings(self) -> tuple[Finding, ...]:
        """All findings, sorted, without the suppressed ones."""
        raw = (*self._judged(), *self._unparsable())
        found = [f for f in raw if not self._ignored(f) and not self._suppressed(f)]
        if self.whole and any(facts.suppressions for facts in self.analysis.facts.values()):
            found += [f for f in self._unused() if not self._ignored(f)]
        return _fingerprinted(sorted(found, key=lambda f: (f.sort_key, f.symbol, f.message)))

    def _judged(self) -> Iterator[Finding]:
        """What checks find. Of a file that says what it said, and of which nothing else is known, that is what
        they found before."""
        files = [(n, list(f)) for n, f in self.analysis.judgement.by_file().items()]
        asked = repr((self.analysis.policy, self.selection))
        names = {filename: self._name(filename, facts, asked) for filename, facts in files}
        known = {n: self.known.get(n, name) for n, name in names.items()}
        fresh = [(n, facts) for n, facts in files if known[n] is None]
        if fresh:
            from capsule_lint.flagging import Flagging  # it loads LibCST

            flagging = Flagging(self.analysis, dict(self.rules), self.selection)

            def judged(file: tuple[str, list[Fact]]) -> list[Finding]:
                return list(flagging.of(*file))

            weights = [len(facts) for _, facts in fresh]
            all_found = fork_map(judged, fresh, weights, self.jobs, _WORTH)
            for (n, _), found in zip(fresh, all_found, strict=True):
                self.known.note(n, names[n], found)
                known[n] = found
        for n, _ in files:
            yield from known[n] or ()

    def _name(self, filename: str, facts: list[Fact], asked: str) -> bytes:
        """All that the findings of a file depend on; `asked` is what is the same for all files."""
        sets = self.analysis.judgement.change_sets
        own = sorted({f.change_set or "" for f in facts} & sets.keys())
        said = [(identity, sets[identity].safety, bool(sets[identity].mends)) for identity in own]
        text = self.analysis.texts[filename]
        return self.known.name(filename, text, asked, repr(facts), repr(said))

    def _unparsable(self) -> Iterator[Finding]:
        for problem in self.analysis.problems:
            rule = self.rules.get(UNPARSABLE)
            if rule is not None and self.selection.reports(rule):
                at = Position(problem.row, problem.column)
                message = rule.message.format(reason=problem.reason)
                yield rule.finding(message, problem.filename, Span(at, at))

    # --- what is not reported ---

    def _ignored(self, finding: Finding) -> bool:
        return selects(self.analysis.policy.ignored_codes(finding.filename), finding.code)

    def _suppressed(self, finding: Finding) -> bool:
        facts = self.analysis.facts.get(finding.filename)
        first, last = finding.span.start.row, finding.span.end.row
        for comment in facts.suppressions if facts is not None else ():
            if comment.row not in (0, *range(first, last + 1)):
                continue
            for code in comment.codes or (finding.code,):
                if selects((code,), finding.code):
                    self._used.add(
                        (finding.filename, comment.at[0], code if comment.codes else "")
                    )
                    return True
        return False

    def _unused(self) -> Iterator[Finding]:
        rule = self.rules.get(UNUSED)
        if rule is None or not self.selection.reports(rule):
            return
        for filename, facts in self.analysis.facts.items():
            for comment in facts.suppressions:
                yield from self._unused_comment(rule, filename, facts, comment)

    def _unused_comment(
        self, rule: Rule, filename: str, facts: FileFacts, comment: Suppression
    ) -> Iterator[Finding]:
        judged = {r.code for r in self.rules.values() if self.selection.reports(r)}
        for code in comment.codes or ("",):
            if (filename, comment.at[0], code) in self._used or facts.generated:
                continue
            if code and not any(selects((code,), one) for one in judged) and code in self.rules:
                continue
            said = f"`{code}`" if code else "any rule"
            if code.startswith("#"):
                said += ", which is neither `ignore[CODE]` nor `file-ignore[CODE]`,"
            elif code and code not in self.rules:
                said += ", which is no rule,"
            message = rule.message.format(reason=said)
            yield rule.finding(message, filename, span_of(comment.at))


def _fingerprinted(findings: list[Finding]) -> tuple[Finding, ...]:
    """Each with an identity that does not depend on where in the file it stands."""
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for finding in findings:
        seed = (finding.code, finding.filename, finding.symbol, finding.message)
        seen[seed] += 1
        text = "\0".join((*seed, str(seen[seed]))).encode(errors="surrogateescape")
        found.append(replace(finding, fingerprint=hashlib.sha256(text).hexdigest()[:16]))
    return tuple(found)
