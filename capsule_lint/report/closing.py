"""The closing lines of a run: how much was found, what can be fixed, what was fixed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from capsule_lint.report.text import counted, is_fixable, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.model import Finding
    from capsule_lint.report.data import FixSummary, Report


def summary(report: Report, *, fixing: bool, only: bool = False) -> str:
    """`Found 10 errors.`, after a fix how many are left, and what `--fix` would end; or, with `only`,
    `Fixed 8 errors.` and nothing of what is left.
    """
    fixed = report.fixed.findings if fixing and report.fixed else 0
    if only:
        return f"Fixed {counted(fixed, 'error')}.\n" if fixed else ""
    return _found(len(report.findings), fixed) + "".join(_fixable(report))


def render_fix_summary(fixed: FixSummary) -> str:
    """A table of what was changed: a number and a word a line, below what is listed of it, file by file."""
    table = list(_measures(fixed))
    columns = max(len(number) for number, _ in table)
    lines = [f"{number:>{columns}} {what}\n" for number, what in table]
    indent = " " * columns
    created = [f"{indent} + {printable(name)}\n" for name in fixed.created]
    return "".join([*_listed(fixed.listed), *lines, *created])


def _listed(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield f"Fixed {counted(len(findings), 'error')}:\n"
    by_file = sorted(findings, key=lambda f: (f.filename, f.code))
    for filename, own in groupby(by_file, key=lambda f: f.filename):
        yield f"- {printable(filename)}:\n"
        for (code, name), same in groupby(own, key=lambda f: (f.code, f.name)):
            yield f"    {len(list(same)):,} x {code} ({name})\n"
    yield "\n"


def _found(remaining: int, fixed: int) -> str:
    if fixed:
        total = counted(remaining + fixed, "error")
        return f"Found {total} ({fixed:,} fixed, {remaining:,} remaining).\n"
    return f"Found {counted(remaining, 'error')}.\n" if remaining else "All checks passed!\n"


def _fixable(report: Report) -> Iterator[str]:
    safe = sum(is_fixable(finding) for finding in report.findings)
    unsafe = sum(finding.suggestion is not None for finding in report.findings) - safe
    hint = f"{counted(unsafe, 'unsafe fix', 'unsafe fixes')} available with --unsafe-fixes"
    if safe:
        more = f" ({hint})" if unsafe else ""
        yield f"[*] {safe:,} fixable with --fix{more}.\n"
    elif unsafe:
        yield f"No safe fixes ({hint}).\n"


def _measures(fixed: FixSummary) -> Iterator[tuple[str, str]]:
    yield _measure(fixed.change_sets, "change set", "applied")
    yield _measure(fixed.entities, "entity", "migrated", "entities")
    yield _measure(fixed.definitions, "definition", "changed")
    yield _measure(fixed.call_sites, "call site", "updated")
    yield _measure(fixed.tests, "test", "updated")
    yield _measure(fixed.files, "file", "modified")
    yield _measure(fixed.added, "line", "added")
    yield _measure(fixed.removed, "line", "removed")
    net = fixed.added - fixed.removed
    yield f"{net:+,}" if net else "0", f"{'line' if abs(net) == 1 else 'lines'} net"
    seconds = f"{fixed.seconds:,.1f}"
    yield seconds, "second" if seconds == "1.0" else "seconds"
    if fixed.created:
        yield _measure(len(fixed.created), "file", "created")


def _measure(count: int, word: str, what: str, plural: str = "") -> tuple[str, str]:
    number, _, noun = counted(count, word, plural).partition(" ")
    return number, f"{noun} {what}"
