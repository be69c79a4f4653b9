"""The rules' checks over the statements of a file that something is known of."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

import libcst as cst
from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts.tree import spans_of
from capsule_lint.judgement import DriftFact, FunctionFact, OpenFact, OpinionFact
from capsule_lint.lines import lines_of
from capsule_lint.model import Position, Span, Suggestion
from capsule_lint.rewrite import Cutter
from capsule_lint.rule import Flag
from capsule_lint.selection import UNPARSABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from capsule_lint.analysis import Analysis
    from capsule_lint.judgement import Fact
    from capsule_lint.model import Finding
    from capsule_lint.policy import Scope
    from capsule_lint.rule import Rule
    from capsule_lint.selection import Selection


class Flagging(Struct, frozen=True):
    """Judges files by the rules that are selected."""

    analysis: Analysis
    rules: Mapping[str, Rule]
    selection: Selection

    def of(self, filename: str, facts: list[Fact]) -> Iterator[Finding]:
        """What is found in a file of which these facts are known."""
        rules = [r for r in self.rules.values() if r.check and self.selection.reports(r)]
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
            yield rule.finding(rule.message.format(reason=said), filename, Span(at, at))

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
            drift=_drift(fact, missing),
            reason=fact.reason if isinstance(fact, OpenFact | OpinionFact) else "",
        )
        found = rule.finding(message, filename, flag.span)
        names = tuple(s.name for s in missing)
        found = replace(found, symbol=fact.symbol, entity=fact.entity, scopes=names)
        change = self.analysis.judgement.change_sets.get(fact.change_set or "")
        if change is None:
            return found
        suggestion = None
        if rule.fix and change.mends and self.selection.fixes(rule.code):
            suggestion = Suggestion(change.safety, rule.fix_message)
        return replace(found, change_set=change.id, suggestion=suggestion)


def _drift(fact: Fact, missing: Iterable[Scope]) -> str:
    """How a method differs from its base."""
    if isinstance(fact, DriftFact):
        return fact.reason
    base = fact.drifting if isinstance(fact, FunctionFact) else None
    return f"lacks {_listed([f'`{s.parameter}`' for s in missing])}, which `{base}` has"


def _listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
