"""The ledger: what became of every occurrence of a changing name."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from capsule_lint.model import Verdict
from capsule_lint.report.text import counted, padded, printable, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capsule_lint.model import Occurrence
    from capsule_lint.report.data import Report

_LONGEST = 48
"""How many characters of a line of code are shown."""


def render_ledger(report: Report, format: str) -> str:
    """JSON for the formats `json` and `json-lines`, a table for the others."""
    if format not in ("json", "json-lines"):
        return _table(report.ledger)
    from capsule_lint.report.values import encoded, occurrence_value, rows

    values = [encoded(occurrence_value(occurrence)) for occurrence in report.ledger]
    return rows(values) if format == "json" else "".join(f"{value}\n" for value in values)


def _table(ledger: Sequence[Occurrence]) -> str:
    if not ledger:
        return "No name changes.\n"
    ordered = sorted(ledger, key=lambda row: (row.symbol, row))
    groups = groupby(ordered, key=lambda row: row.symbol)
    tables = [_group(symbol, list(rows)) for symbol, rows in groups]
    open_rows = sum(not row.verdict.settled for row in ledger)
    person = f"; {open_rows:,} {'needs' if open_rows == 1 else 'need'} a person" * bool(open_rows)
    total = counted(len(ledger), "occurrence")
    return "".join(tables) + f"{total}: {_sums(ledger)}{person}.\n"


def _group(symbol: str, rows: Sequence[Occurrence]) -> str:
    table = [(_place(row), row.verdict.value, _code(row), printable(row.reason)) for row in rows]
    places, verdicts, codes = (max(width(line[column]) for line in table) for column in range(3))
    lines = [
        f"  {padded(place, places)}  {padded(verdict, verdicts)}  {padded(code, codes)}  {reason}"
        for place, verdict, code, reason in table
    ]
    heading = f"{printable(symbol)}: {_sums(rows)}"
    return "\n".join([heading, *(line.rstrip() for line in lines)]) + "\n\n"


def _place(row: Occurrence) -> str:
    return f"{printable(row.filename)}:{row.position.row}:{row.position.column}"


def _code(row: Occurrence) -> str:
    text = printable(row.text.strip())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _sums(rows: Iterable[Occurrence]) -> str:
    """`3 rewritten, 1 candidate`."""
    counts = Counter(row.verdict for row in rows)
    return ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in Verdict if counts[verdict])
