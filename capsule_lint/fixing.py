"""Change sets to new texts, and the proof that they say what was planned."""

from __future__ import annotations

import inspect
import re
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from itertools import chain
from typing import TYPE_CHECKING, Final

from libcst import ParserSyntaxError
from msgspec import Struct, field
from msgspec.structs import replace

from capsule_lint.analysis import analyse
from capsule_lint.errors import InternalError
from capsule_lint.facts.tree import span_of, spans_of
from capsule_lint.lines import lines_of
from capsule_lint.model import AddStatement, AppendCode, Position, Span
from capsule_lint.rewrite import apply
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


class Changed(Struct, frozen=True):
    """The texts of the files that change sets change."""

    texts: Mapping[str, str]
    applied: tuple[ChangeSet, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why, for each change set of which nothing was applied, by its id."""


class Fixed(Changed, frozen=True, kw_only=True):
    """The same, and the analysis of the program as it is with these texts."""

    after: Analysis


def fixers_of(rules: Mapping[str, Rule]) -> Fixers:
    """The transformers of all rules."""
    return {code: rule.fix for code, rule in rules.items()}


def changed_texts(analysis: Analysis, sets: Iterable[ChangeSet], fixers: Fixers) -> Changed:
    """The new texts of the files that change sets reach; files that do not change are left out.

    A change set that cannot be written into one of its files is refused: nothing of it is applied.
    """
    chosen = list(sets)
    refused: dict[str, str] = {}
    while True:
        texts, failed = _edited(analysis, chosen, fixers)
        if not failed:
            return Changed(texts, tuple(chosen), refused)
        refused |= failed
        chosen = [change for change in chosen if change.id not in failed]


def _edited(
    analysis: Analysis, sets: Iterable[ChangeSet], fixers: Fixers
) -> tuple[dict[str, str], dict[str, str]]:
    """The new texts, and the change sets that cannot be written with the reason."""
    by_file: dict[str, dict[str, list[Mend]]] = defaultdict(dict)
    for change in sets:
        for mend in change.mends:
            by_file[mend.filename].setdefault(change.id, []).append(mend)
    files = sorted(by_file.items())

    def text_of(filename: str, mends: Iterable[Mend]) -> str:
        facts = analysis.facts.get(filename)
        statements = spans_of(facts.body) if facts is not None else ()
        before = analysis.texts.get(filename, "")
        return apply(before, statements, _once(mends), fixers, analysis.policy.line_length)

    def changed(file: tuple[str, dict[str, list[Mend]]]) -> tuple[str, dict[str, str]]:
        filename, own = file
        try:
            return text_of(filename, chain.from_iterable(own.values())), {}
        except Exception as error:  # whatever it is: the other change sets are none the worse
            failed = {identity: _reason(filename, mends, error) for identity, mends in own.items()}
        kept: list[Mend] = []
        guilty: dict[str, str] = {}
        for identity, mends in own.items():
            try:
                text_of(filename, [*kept, *mends])
            except Exception as error:
                guilty[identity] = _reason(filename, mends, error)
            else:
                kept += mends
        return "", guilty or failed

    weights = [sum(map(len, own.values())) for _, own in files]
    results = fork_map(changed, files, weights, analysis.builder.jobs, _WORTH)
    texts = {
        filename: text
        for (filename, _), (text, _) in zip(files, results, strict=True)
        if text != analysis.texts.get(filename, "") or filename not in analysis.texts
    }
    return texts, {identity: why for _, failed in results for identity, why in failed.items()}


def _once(mends: Iterable[Mend]) -> list[Mend]:
    """The mends, code and lines that several of them add only once."""
    found: list[Mend] = []
    for mend in mends:
        if not isinstance(mend, AddStatement | AppendCode) or mend not in found:
            found.append(mend)
    return found


def _reason(filename: str, mends: Sequence[Mend], error: Exception) -> str:
    """Why mends cannot be made, with the place."""
    # a parser's error cannot always say where it is
    text = error.message if isinstance(error, ParserSyntaxError) else str(error)
    said = text.partition("\n")[0] or type(error).__name__
    if isinstance(error, InternalError) and said.startswith(f"{filename}:"):
        return said
    start = mends[0].at.start
    return f"{filename}:{start.row}:{start.column}: the change cannot be written: {said}"


def fix(analysis: Analysis, sets: Iterable[ChangeSet], fixers: Fixers) -> Fixed:
    """Apply change sets in memory, and check the result.

    A change set is refused that cannot be written, after which a file does not parse, or a rewritten
    call does not bind to its new signature; the others are applied.
    Raises InternalError when it is not known which change set that is.
    """
    chosen = tuple(sets)
    refused: dict[str, str] = {}
    while True:
        changed = changed_texts(analysis, chosen, fixers)
        refused |= changed.refused
        if not changed.texts:
            return Fixed({}, changed.applied, refused, after=analysis)
        texts = {**analysis.texts, **changed.texts}
        after = analyse(analysis.policy, texts, analysis.unreadable, before=analysis)
        failed = {
            **_unread(after, changed),
            **_not_binding(analysis, after, changed.applied),
        }
        if not failed:
            return Fixed(changed.texts, changed.applied, refused, after=after)
        refused |= failed
        chosen = tuple(change for change in changed.applied if change.id not in failed)


def _unread(after: Analysis, changed: Changed) -> dict[str, str]:
    """The change sets that reach a changed file which does not parse, with the reason."""
    failed: dict[str, str] = {}
    for problem in after.problems:
        if problem.filename not in changed.texts:
            continue
        where = f"{problem.filename}:{problem.row}"
        reason = f"{where}:1: the fixed file would not parse: {problem.reason}"
        own = [c for c in changed.applied if any(m.filename == problem.filename for m in c.mends)]
        if not own:
            raise InternalError(reason)
        failed.update((change.id, reason) for change in own)
    return failed


def _not_binding(
    before: Analysis, after: Analysis, applied: Sequence[ChangeSet]
) -> dict[str, str]:
    """The change sets after which calls do not bind that did so before, with the reason.

    What a person must look at anyway may be such a call.
    """
    symbols = {symbol for change in applied for symbol in change.symbols}
    unbound = list(_unbound(after, symbols))
    if len(unbound) <= sum(len(change.obstacles) for change in applied):
        return {}
    known = Counter(symbol for symbol, _ in _unbound(before, {symbol for symbol, _ in unbound}))
    new: list[tuple[str, str]] = []
    for symbol, where in unbound:
        if known[symbol] > 0:
            known[symbol] -= 1
        else:
            new.append((symbol, where))
    failed: dict[str, str] = {}
    for change in applied:
        own = [(symbol, where) for symbol, where in new if symbol in change.symbols]
        if len(own) > len(change.obstacles):
            symbol, where = own[0]
            failed[change.id] = f"{where}: the rewritten call would not bind to `{symbol}`"
    return failed


def _unbound(after: Analysis, symbols: set[str]) -> Iterator[tuple[str, str]]:
    """The changed definitions and their calls that do not bind to the signature."""
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
                    filename = program.names.module_of(call).filename
                    start = span_of(call.at).start
                    yield function.symbol, f"{filename}:{start.row}:{start.column}"


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
