"""How often each rule was broken, and how much of that can be fixed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.report.text import is_fixable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capsule_lint.model import Finding
    from capsule_lint.report.data import Report


class Statistic(Struct, frozen=True):
    """The findings of one rule, counted."""

    code: str
    name: str
    count: int
    fixable: int

    @property
    def marker(self) -> str:
        """`[*]`: `--fix` ends all of them; `[-]`: some of them; `[ ]`: none."""
        if not self.fixable:
            return "[ ]"
        return "[*]" if self.fixable == self.count else "[-]"


def render_statistics(report: Report, format: str) -> str:
    """JSON for the formats `json` and `json-lines`, a table for the others."""
    statistics = _statistics(report.findings)
    if format not in ("json", "json-lines"):
        return _table(statistics)
    from capsule_lint.report.values import encoded, rows

    values = [
        encoded(
            {
                "code": one.code,
                "name": one.name,
                "count": one.count,
                "fixable": one.fixable == one.count,
                "fixable_count": one.fixable,
            }
        )
        for one in statistics
    ]
    return rows(values) if format == "json" else "".join(f"{value}\n" for value in values)


def _statistics(findings: Iterable[Finding]) -> list[Statistic]:
    """The most frequent rule first."""
    ordered = sorted(findings, key=lambda finding: finding.code)
    statistics = [_statistic(list(group)) for _, group in groupby(ordered, lambda one: one.code)]
    return sorted(statistics, key=lambda one: (-one.count, one.code))


def _statistic(findings: Sequence[Finding]) -> Statistic:
    fixable = sum(map(is_fixable, findings))
    return Statistic(findings[0].code, findings[0].name, len(findings), fixable)


def _table(statistics: Sequence[Statistic]) -> str:
    digits = max((len(str(one.count)) for one in statistics), default=0)
    columns = max((len(one.code) for one in statistics), default=0)
    markers = any(one.fixable for one in statistics)
    return "".join(
        f"{one.count:>{digits}}\t{one.code:<{columns}}\t"
        f"{one.marker + ' ' if markers else ''}{one.name}\n"
        for one in statistics
    )
