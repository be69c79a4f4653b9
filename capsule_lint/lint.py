"""Runs the checks over the statements that can matter, and applies suppressions."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import libcst as cst

from capsule_lint.facts.tree import span_of, spans_of
from capsule_lint.judgement import FunctionFact, OpenFact, OpinionFact
from capsule_lint.lines import lines_of
from capsule_lint.model import Finding, Position, Span, Suggestion
from capsule_lint.policy import selects
from capsule_lint.rewrite import Cutter
from capsule_lint.rule import Flag
from capsule_lint.workers import fork_map

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.analysis import Analysis
    from capsule_lint.facts.tree import FileFacts, Suppression
    from capsule_lint.judgement import Fact
    from capsule_lint.rule import Rule
    from capsule_lint.selection import Selection

UNUSED = "CAP001"
UNPARSABLE = "CAP002"
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
    _used: set[tuple[str, int, str]] = field(default_factory=set)

    def findings(self) -> tuple[Finding, ...]:
        """All findings, sorted, without the suppressed ones."""
        rules = [r for r in self.rules.values() if self.selection.reports(r)]
        found = [f for f in self._raw(rules) if not self._ignored(f) and not self._suppressed(f)]
        if UNUSED in self.rules and self.whole and self.selection.reports(self.rules[UNUSED]):
            found += [f for f in self._unused(self.rules[UNUSED]) if not self._ignored(f)]
        return _fingerprinted(sorted(found, key=lambda f: (f.sort_key, f.symbol, f.message)))

    def _raw(self, rules: list[Rule]) -> Iterator[Finding]:
        checked = [rule for rule in rules if rule.check is not None]
        files = [(n, list(f)) for n, f in self.analysis.judgement.by_file().items()]
        weights = [len(facts) for _, facts in files]

        def judged(file: tuple[str, list[Fact]]) -> list[Finding]:
            return list(self._file(*file, checked))

        for found in fork_map(judged, files, weights, self.jobs, _WORTH):
            yield from found
        for rule in rules:
            if rule.code == UNPARSABLE:
                for problem in self.analysis.problems:
                    at = Position(problem.row, 1)
                    message = rule.message.format(reason=problem.reason)
                    yield _finding(rule, message, problem.filename, Span(at, at))

    def _file(self, filename: str, facts: list[Fact], rules: list[Rule]) -> Iterator[Finding]:
        lines = lines_of(self.analysis.texts[filename])
        cutter = Cutter["Fact"](lines, spans_of(self.analysis.facts[filename].body), True)
        try:
            cuts, _ = cutter.cut((fact.span, False, fact) for fact in facts)
        except (cst.ParserSyntaxError, RecursionError) as error:
            yield from self._unread(filename, facts, error)
            return
        flagged: set[tuple[str, int]] = set()
        for parsed, own in cuts[::-1]:
            known: dict[Span, list[Fact]] = defaultdict(list)
            for fact in own:
                known[fact.span].append(fact)
            frozen = {span: tuple(told) for span, told in known.items()}
            checks = [(rule, rule.check(parsed.place, frozen)) for rule in rules if rule.check]
            parsed.visit([check for _, check in checks], [span.start for span in frozen])
            for rule, check in checks:
                for flag in check.flags:
                    flagged.add((rule.code, id(flag.fact)))
                    yield self._of_flag(rule, filename, flag)
        for rule, fact in itertools.product(rules, facts):
            claimed = rule.check is not None and rule.check.claims(fact)
            if claimed and (rule.code, id(fact)) not in flagged:
                yield self._of_flag(rule, filename, Flag(fact.span, fact))

    def _unread(self, filename: str, facts: list[Fact], error: Exception) -> Iterator[Finding]:
        """Code that Python reads and LibCST does not: nothing in that file can be judged."""
        rule = self.rules.get(UNPARSABLE)
        if rule is not None and self.selection.reports(rule):
            at = Position(min(fact.span.start.row for fact in facts), 1)
            said = "nested too deeply to be read"
            if isinstance(error, cst.ParserSyntaxError):
                said = error.message.partition("\n")[0]
            yield _finding(rule, rule.message.format(reason=said), filename, Span(at, at))

    def _of_flag(self, rule: Rule, filename: str, flag: Flag) -> Finding:
        fact = flag.fact
        scopes = {s.parameter: s for s in self.analysis.policy.scopes}
        missing = [scopes[name] for name in fact.missing if name in scopes]
        message = rule.message.format(
            symbol=fact.symbol,
            name=fact.symbol.rpartition(".")[2],
            missing=_listed([f"`{s.parameter}`" for s in missing]),
            segments=_listed([f"`{s.segment}`" for s in missing]),
            entity=fact.entity or "",
            base=fact.drifting if isinstance(fact, FunctionFact) else "",
            reason=fact.reason if isinstance(fact, OpenFact | OpinionFact) else "",
        )
        found = _finding(rule, message, filename, flag.span)
        names = tuple(s.name for s in missing)
        found = replace(found, symbol=fact.symbol, entity=fact.entity, scopes=names)
        change = self.analysis.judgement.change_sets.get(fact.change_set or "")
        if change is None:
            return found
        suggestion = None
        if rule.fix and change.mends and self.selection.fixes(rule.code):
            suggestion = Suggestion(change.safety, rule.fix_message)
        return replace(found, change_set=change.id, suggestion=suggestion)

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

    def _unused(self, rule: Rule) -> Iterator[Finding]:
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
            if code and code not in self.rules:
                said += ", which is no rule,"
            message = rule.message.format(reason=said)
            yield _finding(rule, message, filename, span_of(comment.at))


def _finding(rule: Rule, message: str, filename: str, span: Span) -> Finding:
    return Finding(rule.code, rule.name, message, filename, span, severity=rule.severity)


def _listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


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
