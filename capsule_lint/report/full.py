"""The full format: excerpt, carets, the reason, the remedy and its reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.model import Safety
from capsule_lint.report.excerpt import Excerpt
from capsule_lint.report.preview import preview
from capsule_lint.report.text import BLUE, BOLD, by_file, marker, painted, painted_code, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.model import Finding
    from capsule_lint.report.data import Report, Style


def render(report: Report, style: Style) -> str:
    """Every finding as a block of lines, followed by an empty line."""
    return "".join(
        _block(finding, lines, report, style)
        for filename, findings in by_file(report.findings)
        for lines in [report.lines(filename)]
        for finding in findings
    )


def _block(finding: Finding, lines: Sequence[str], report: Report, style: Style) -> str:
    excerpt = Excerpt.of(lines, finding.span)
    gutter = " " * (excerpt.gutter if excerpt else 1)
    start = finding.span.start
    arrow = painted(f"{gutter}-->", BLUE, style.color)
    message = painted(printable(finding.message), BOLD, style.color)
    parts = [
        f"{painted_code(finding, style.color)} {marker(finding, style.color)}{message}",
        f"{arrow} {printable(finding.filename)}:{start.row}:{start.column}",
        *(excerpt.render(style) if excerpt else []),
    ]
    sign = painted(f"{gutter} =", BLUE, style.color)
    for label, text in _notes(finding, report):
        parts.append(f"{sign} {painted(label + ':', BOLD, style.color)} {printable(text)}")
    if style.show_fixes:
        room = style.width - len(gutter) - 3
        parts += [f"{gutter}   {line}" for line in preview(finding, lines, room, style.color)]
    return "\n".join(parts) + "\n\n"


def _notes(finding: Finding, report: Report) -> Iterator[tuple[str, str]]:
    rule = report.rules.get(finding.code)
    if rule and rule.summary:
        yield "why", rule.summary
    suggestion = finding.suggestion
    remedy = (suggestion.message if suggestion else "") or (rule.remedy if rule else "")
    if remedy:
        yield "help", remedy
    change_set = report.change_set_of(finding)
    if change_set:
        yield "reach", change_set.reach
    unsafe = suggestion and suggestion.applicability is Safety.UNSAFE
    if unsafe or (change_set and change_set.safety is Safety.UNSAFE):
        yield "note", _unsafe(change_set.obstacles if change_set else ())


def _unsafe(obstacles: tuple[str, ...]) -> str:
    if not obstacles:
        return "unsafe: look at the change before it is applied"
    more = f" (and {len(obstacles) - 1:,} more)" if len(obstacles) > 1 else ""
    return f"unsafe: {obstacles[0]}{more}"
