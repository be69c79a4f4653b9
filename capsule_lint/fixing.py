"""Change sets to new texts, and the proof that they say what was planned."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

from capsule_lint.analysis import analyse
from capsule_lint.errors import InternalError
from capsule_lint.facts.tree import spans_of
from capsule_lint.model import AppendCode, Position, Span
from capsule_lint.rewrite import apply, lines_of
from capsule_lint.workers import fork_map

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from capsule_lint.analysis import Analysis
    from capsule_lint.facts import tree
    from capsule_lint.model import ChangeSet, Finding, Mend
    from capsule_lint.rewrite import Fixers
    from capsule_lint.rule import Rule

_WORTH: Final = 150
"""How many mends a process should have to make."""
_KINDS: Final = {
    "posonly": inspect.Parameter.POSITIONAL_ONLY,
    "plain": inspect.Parameter.POSITIONAL_OR_KEYWORD,
    "*": inspect.Parameter.VAR_POSITIONAL,
    "kwonly": inspect.Parameter.KEYWORD_ONLY,
    "**": inspect.Parameter.VAR_KEYWORD,
}


@dataclass(frozen=True, slots=True)
class Fixed:
    """The texts of the changed files, and the analysis of the program as it is with them."""

    texts: Mapping[str, str]
    after: Analysis


def fixers_of(rules: Mapping[str, Rule]) -> Fixers:
    """The transformers of all rules."""
    return {code: rule.fix for code, rule in rules.items()}


def changed_texts(analysis: Analysis, sets: Iterable[ChangeSet], fixers: Fixers) -> dict[str, str]:
    """The new texts of the files that change sets reach; files that do not change are left out."""
    by_file: dict[str, list[Mend]] = defaultdict(list)
    for change in sets:
        for mend in change.mends:
            if mend not in by_file[mend.filename] or not isinstance(mend, AppendCode):
                by_file[mend.filename].append(mend)
    files = sorted(by_file.items())

    def changed(file: tuple[str, list[Mend]]) -> str:
        filename, mends = file
        facts = analysis.facts.get(filename)
        statements = spans_of(facts.body) if facts is not None else ()
        before = analysis.texts.get(filename, "")
        return apply(before, statements, mends, fixers, analysis.policy.line_length)

    weights = [len(mends) for _, mends in files]
    texts = fork_map(changed, files, weights, analysis.builder.jobs, _WORTH)
    return {
        filename: text
        for (filename, _), text in zip(files, texts, strict=True)
        if text != analysis.texts.get(filename, "") or filename not in analysis.texts
    }


def fix(analysis: Analysis, sets: Iterable[ChangeSet], fixers: Fixers) -> Fixed:
    """Apply change sets in memory, and check the result.

    Raises InternalError when it does not parse, when a rewritten call does not bind to its new
    signature, or when the same change sets would be found again.
    """
    chosen = list(sets)
    texts = changed_texts(analysis, chosen, fixers)
    after = analyse(analysis.policy, {**analysis.texts, **texts}, before=analysis)
    for problem in after.problems:
        if problem.filename in texts:
            reason = f"{problem.filename}:{problem.row}: {problem.reason}"
            raise InternalError(f"the fixed file would not parse: {reason}")
    unbound = list(_unbound(after, {s for change in chosen for s in change.symbols}))
    if len(unbound) > sum(len(change.obstacles) for change in chosen):
        raise InternalError(f"rewritten calls would not bind: {', '.join(unbound[:5])}")
    return Fixed(texts, after)


def _unbound(after: Analysis, symbols: set[str]) -> Iterator[str]:
    """The calls of changed definitions that do not bind to the new signature."""
    program = after.program
    for module in program.names.modules.values():
        for function in module.functions:
            if function.symbol not in symbols:
                continue
            signature = _signature(function.params)
            for call, callee in program.calls.callers(function):
                if callee.mock or any(a.star for a in call.args):
                    continue
                if not _binds(signature, call, callee.given):
                    where = f"{program.names.place(call).scope.module.filename}:{call.at[0]}"
                    yield f"{where} (`{function.symbol}`)"


def _signature(params: Iterable[tree.Parameter]) -> inspect.Signature:
    empty = inspect.Parameter.empty
    return inspect.Signature(
        [
            inspect.Parameter(p.name, _KINDS[p.kind], default=empty if p.default is None else None)
            for p in params
        ]
    )


def _binds(signature: inspect.Signature, call: tree.Call, given: int) -> bool:
    positional = given + sum(1 for a in call.args if a.keyword is None)
    keywords = {a.keyword: None for a in call.args if a.keyword is not None}
    try:
        signature.bind(*[None] * positional, **keywords)
    except TypeError:
        return False
    return True


def moved(finding: Finding, before: str, after: str) -> Finding:
    """The finding at the place where its code stands once the file has changed."""
    old, new = lines_of(before), lines_of(after)
    start, end = finding.span.start, finding.span.end
    if start.row > len(old):
        return finding
    whole = end.row == start.row
    token = old[start.row - 1][start.column - 1 : end.column - 1 if whole else None].rstrip("\r\n")
    row = _row_after(old, new, start.row, token)
    line = new[row - 1] if row <= len(new) else ""
    places = [m.start() + 1 for m in re.finditer(re.escape(token), line)] if token else []
    column = min(places, key=lambda place: abs(place - start.column), default=start.column)
    shift = column - start.column if whole else 0
    last = Position(end.row + row - start.row, end.column + shift)
    return replace(finding, span=Span(Position(row, column), last))


def _row_after(old: Sequence[str], new: Sequence[str], row: int, token: str) -> int:
    """The row that a row has become; inside of a block that changed, the nearest with the token."""
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if a < row <= b:
            there = c + row - a
            if tag == "equal":
                return there
            rows = [r for r in range(c + 1, d + 1) if token in new[r - 1]]
            return min(rows, key=lambda r: abs(r - there), default=min(there, max(d, 1)))
    return row


def line_changes(before: str, after: str) -> tuple[int, int]:
    """How many lines a change adds and removes."""
    old, new = lines_of(before), lines_of(after)
    added = removed = 0
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += b - a
            added += d - c
    return added, removed
