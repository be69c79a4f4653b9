"""What a report is made of: the findings of a run, and how they are to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from capsule_lint.model import ChangeSet, Finding, Occurrence


class RuleInfo(Struct, frozen=True):
    """What a report says of a rule; `summary` is one line: why the defect matters; `remedy` what is done
    about it where no fix says so; `finds` one line as well: what the rule finds."""

    code: str
    name: str
    summary: str
    url: str
    remedy: str = ""
    finds: str = ""

    @property
    def link(self) -> str:
        """`url` where it leads there from anywhere, and not from the project of the rules alone; else empty."""
        return self.url if "://" in self.url else ""


class FixSummary(Struct, frozen=True):
    """What a run with `--fix` did, in numbers."""

    entities: int
    definitions: int
    call_sites: int
    tests: int
    files: int
    added: int
    """Lines added."""
    removed: int
    """Lines removed."""
    seconds: float
    change_sets: int
    created: tuple[str, ...]
    """Files that did not exist before."""
    findings: int
    """Findings of the first pass that the fixes ended."""
    listed: tuple[Finding, ...] = ()
    """These, where they are to be listed."""


class Style(Struct, frozen=True):
    """How a person wants a report to look."""

    color: bool = False
    width: int = 100
    show_fixes: bool = False


class Report(Struct, frozen=True):
    """All that a renderer may use: sorted findings, filenames as they are to be printed."""

    findings: tuple[Finding, ...]
    change_sets: Mapping[str, ChangeSet]
    ledger: tuple[Occurrence, ...]
    rules: Mapping[str, RuleInfo]
    lines: Callable[[str], Sequence[str]]
    """The lines of a file without their ends; nothing where the file is unknown."""
    version: str
    fixed: FixSummary | None = None

    def url(self, code: str) -> str:
        """Where the rule `code` is documented; empty where it is not."""
        rule = self.rules.get(code)
        return rule.url if rule else ""

    def link(self, code: str) -> str:
        """The same, where that is a link from anywhere."""
        rule = self.rules.get(code)
        return rule.link if rule else ""

    def change_set_of(self, finding: Finding) -> ChangeSet | None:
        """The change set that would end `finding`."""
        return self.change_sets.get(finding.change_set) if finding.change_set else None
