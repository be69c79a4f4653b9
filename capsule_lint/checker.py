"""Finds what the chosen rules find in a program, and fixes it in memory until it comes to an end.

What rewrites loads LibCST, which takes as long as the rest of a start: it is imported where there is something
to rewrite.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.cache.findings import Findings
from capsule_lint.lines import edits
from capsule_lint.lint import Linter
from capsule_lint.model import Safety
from capsule_lint.policy import Policy, likely, place_in
from capsule_lint.selection import fixable_sets

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping, Sequence

    from capsule_lint.analysis import Analysis
    from capsule_lint.fixing import Changed, Fixed
    from capsule_lint.model import ChangeSet, Edit, Finding
    from capsule_lint.rule import Rule
    from capsule_lint.selection import Selection

NO_RULE: Final = "is no rule, and no rule's code starts so"
_MAX_ROUNDS: Final = 5


@dataclass(eq=False, slots=True)
class Fixing:
    """How far a fix has come."""

    analysis: Analysis
    findings: tuple[Finding, ...]
    texts: dict[str, str] = field(default_factory=dict)
    rounds: list[tuple[tuple[ChangeSet, ...], tuple[Finding, ...]]] = field(default_factory=list)
    """What was applied in each, and what had been found before it."""
    opened: tuple[Finding, ...] = ()
    endless: frozenset[str] = frozenset()
    """The fingerprints of what is found again however often it is fixed."""

    @property
    def applied(self) -> list[ChangeSet]:
        """All change sets that were applied."""
        return [change for sets, _ in self.rounds for change in sets]


@dataclass(eq=False, slots=True)
class Checker:
    """Findings and fixes by the rules that are selected, in the files that are reported on."""

    rules: Mapping[str, Rule]
    selection: Selection
    limited: frozenset[str]
    whole: bool
    """Whether that is every file and every rule."""
    unsafe: bool
    """Whether change sets that need a look are applied too."""
    new: Callable[[tuple[Finding, ...]], tuple[Finding, ...]]
    """What is left of findings without those that are known already."""
    known: Findings = field(default_factory=Findings)
    """What earlier checks have found."""
    refused: dict[str, str] = field(default_factory=dict)
    """Why a change set cannot be applied, by the fingerprint of each of its findings."""

    def findings(self, analysis: Analysis) -> tuple[Finding, ...]:
        """What is found, known already or not."""
        jobs = analysis.builder.jobs
        linter = Linter(analysis, self.rules, self.selection, self.whole, jobs, self.known)
        return tuple(f for f in linter.findings() if f.filename in self.limited)

    def fixing(self, first: Analysis, findings: tuple[Finding, ...]) -> Fixing:
        """Fix what can be fixed, without what would not come to an end."""
        fixing = self._rounds(first, findings)
        while fixing.endless:
            self._drop_endless(fixing)
            fixing = self._rounds(first, findings)
        return fixing

    def mended(self, analysis: Analysis, findings: Sequence[Finding], identity: str) -> Changed:
        """The texts that one change set makes, as they are and unproven."""
        from capsule_lint.fixing import changed_texts, fixers_of

        change = analysis.judgement.change_sets[identity]
        changed = changed_texts(analysis, [change], fixers_of(self.rules))
        self._refuse(findings, changed.refused)
        return changed

    def edits(self, analysis: Analysis, findings: Sequence[Finding], identity: str) -> list[Edit]:
        """What one change set replaces. Where it and its files say what they said, that is what was found before."""
        change = analysis.judgement.change_sets[identity]
        files = sorted({mend.filename for mend in change.mends})
        texts = (part for name in files for part in (name, analysis.texts.get(name, "")))
        linked = [name in analysis.facts for name in files]
        said = repr((analysis.policy.line_length, linked, change.mends))
        name = self.known.name(said, *texts)
        found = self.known.get_edits(identity, name)
        if found is None:
            changed = self.mended(analysis, findings, identity)
            found = [
                edit
                for filename, text in changed.texts.items()
                for edit in edits(analysis.texts.get(filename, ""), text, filename)
            ]
            if not changed.refused:
                self.known.note_edits(identity, name, found)
        return found

    def barred(self, findings: Sequence[Finding]) -> dict[str, str]:
        """The change sets that cannot be applied, or hold what may not be fixed, by their ids, and why."""
        barred: dict[str, str] = {}
        for f in findings:
            if f.change_set is None:
                continue
            if f.fingerprint in self.refused:
                barred[f.change_set] = self.refused[f.fingerprint]
            elif not self.selection.fixes(f.code) and self.rules[f.code].fix:
                barred.setdefault(f.change_set, f"{f.code} is not to be fixed")
        return barred

    def sets(self, analysis: Analysis, findings: Sequence[Finding]) -> list[ChangeSet]:
        """The change sets to apply."""
        wanted = fixable_sets(findings, unsafe=self.unsafe)
        wanted -= self.barred(findings).keys()
        sets = analysis.judgement.change_sets
        return [sets[identity] for identity in sorted(wanted)]

    def _rounds(self, analysis: Analysis, findings: tuple[Finding, ...]) -> Fixing:
        """Fix what can be fixed until there is nothing more, or until it goes round in circles."""
        fixing = Fixing(analysis, findings)
        fingerprints: frozenset[str] = frozenset()
        for _ in range(_MAX_ROUNDS):
            before, findings = fixing.analysis, fixing.findings
            sets = self.sets(before, findings)
            told = _fingerprints(findings, {change.id for change in sets})
            if told and told == fingerprints:
                break
            fingerprints = told
            fixed = self._fixed(before, sets) if sets else None
            if fixed is not None:
                self._refuse(findings, fixed.refused)
            if fixed is None or not fixed.texts:
                return fixing
            fixing.rounds.append((fixed.applied, findings))
            fixing.texts.update(fixed.texts)
            opened = (*fixing.opened, *self._open(findings, fixed.applied))
            fixing.opened = _moved(opened, before, fixed.after)
            fixing.analysis = fixed.after
            fixing.findings = self.new(self.findings(fixed.after))
        left = self.sets(fixing.analysis, fixing.findings)
        fixing.endless = _fingerprints(fixing.findings, {change.id for change in left})
        return fixing

    def _fixed(self, before: Analysis, sets: Sequence[ChangeSet]) -> Fixed:
        from capsule_lint.fixing import fix, fixers_of

        return fix(before, sets, fixers_of(self.rules))

    def _refuse(self, findings: Sequence[Finding], refused: Mapping[str, str]) -> None:
        """Remember that the change sets of some findings cannot be applied, and why."""
        for finding in findings:
            reason = refused.get(finding.change_set or "")
            if reason is not None:
                self.refused.setdefault(finding.fingerprint, reason)

    def _drop_endless(self, fixing: Fixing) -> None:
        """Refuse what is found again and again, and what was fixed of it before."""
        endless = [f for f in fixing.findings if f.fingerprint in fixing.endless]
        places = {(f.filename, f.symbol): f for f in endless}
        chosen: list[Finding] = []
        for applied, findings in reversed(fixing.rounds):
            sets = {change.id for change in applied}
            own = [f for f in findings if f.change_set in sets]
            chosen += [f for f in own if (f.filename, f.symbol) in places]
            places |= {(f.filename, f.symbol): f for f in own if (f.filename, f.symbol) in places}
        for finding in (*endless, *chosen):
            first = places[finding.filename, finding.symbol]
            start = first.span.start
            where = f"{first.filename}:{start.row}:{start.column}"
            reason = f"{where}: {first.code} would be found again after the fix"
            self.refused.setdefault(finding.fingerprint, reason)

    def _open(
        self, findings: Sequence[Finding], applied: Sequence[ChangeSet]
    ) -> tuple[Finding, ...]:
        """What a person must look at though the change set has landed: nothing mends it."""
        unsafe = {change.id for change in applied if change.safety is Safety.UNSAFE}
        return tuple(f for f in findings if f.change_set in unsafe and not self.rules[f.code].fix)


def check_policy_codes(policy: Policy, known: Collection[str]) -> None:
    """A selector in the policy that means no rule would turn rules off without a word: a PolicyError."""
    said = {
        "select": policy.select,
        "ignore": policy.ignore,
        "extend-select": policy.extend_select,
        "fixable": policy.fixable,
        "unfixable": policy.unfixable,
        "per-file-ignores": tuple(c for _, codes in policy.per_file_ignores for c in codes),
    }
    for key, codes in said.items():
        for code in codes:
            if not is_known(code, known):
                problem = f"`{code}` {NO_RULE}; {likely(code, known)}"
                raise place_in(policy).at(key).error(problem)


def is_known(selector: str, known: Collection[str]) -> bool:
    """Whether a selector means a rule."""
    return selector == "ALL" or any(code.startswith(selector) for code in known)


def _moved(findings: Sequence[Finding], before: Analysis, after: Analysis) -> tuple[Finding, ...]:
    from capsule_lint.fixing import moved

    return tuple(
        replace(moved(f, before.texts[f.filename], after.texts[f.filename]), change_set=None)
        for f in findings
    )


def _fingerprints(findings: Sequence[Finding], sets: Container[str | None]) -> frozenset[str]:
    """What identifies the findings of change sets, however their files change."""
    return frozenset(f.fingerprint for f in findings if f.change_set in sets)
