"""Reports: one renderer a format, pure functions from data to text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from capsule_lint.errors import InternalError
from capsule_lint.report.data import FixSummary, Report, RuleInfo, Style

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "FORMATS",
    "TEXT_FORMATS",
    "FixSummary",
    "Report",
    "RuleInfo",
    "Style",
    "render",
    "render_diff",
    "render_fix_summary",
    "render_ledger",
    "render_statistics",
    "summary",
]

_MODULES = {
    "full": "full",
    "concise": "concise",
    "grouped": "grouped",
    "json": "json_array",
    "json-lines": "json_lines",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "junit": "junit",
    "markdown": "markdown",
}

FORMATS: tuple[str, ...] = tuple(_MODULES)
"""The values of `--output-format`."""
TEXT_FORMATS: tuple[str, ...] = ("full", "concise", "grouped")
"""Those for people, which end with the lines of `summary`."""


class _Renderer(Protocol):
    def __call__(self, report: Report, style: Style) -> str: ...


def render(report: Report, format: str, style: Style) -> str:
    """The findings in one of `FORMATS`; only the module of that format is imported."""
    return _renderer(format)(report, style)


def render_ledger(report: Report, format: str) -> str:
    """The ledger: JSON for the formats `json` and `json-lines`, a table for the others."""
    from capsule_lint.report.ledger import render_ledger

    return render_ledger(report, format)


def render_statistics(report: Report, format: str) -> str:
    """How often each rule was broken: JSON for `json` and `json-lines`, else a table."""
    from capsule_lint.report.statistics import render_statistics

    return render_statistics(report, format)


def summary(report: Report, *, fixing: bool, only: bool = False) -> str:
    """The closing lines of the formats for people."""
    from capsule_lint.report.closing import summary

    return summary(report, fixing=fixing, only=only)


def render_fix_summary(fixed: FixSummary) -> str:
    """What `--fix` did, in numbers."""
    from capsule_lint.report.closing import render_fix_summary

    return render_fix_summary(fixed)


def render_diff(pairs: Sequence[tuple[str, str, str]], *, color: bool = False) -> str:
    """`(filename, before, after)` for each file as one unified diff."""
    from capsule_lint.report.diff import render_diff

    return render_diff(pairs, color=color)


def _renderer(format: str) -> _Renderer:
    if format not in _MODULES:
        raise InternalError(f"no renderer for the format {format!r}")
    renderer: _Renderer = import_module(f"{__name__}.{_MODULES[format]}").render
    return renderer
