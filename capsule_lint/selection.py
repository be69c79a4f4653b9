"""Which rules are reported, which of them may fix, and which change sets that means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.model import Safety
from capsule_lint.policy import selects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.model import Finding
    from capsule_lint.policy import Policy
    from capsule_lint.rule import Rule

UNUSED: Final = "CAP001"
UNPARSABLE: Final = "CAP002"
"""What the engine itself reports."""


class Selection(Struct, frozen=True):
    """Which rules are reported, and which of them may fix."""

    select: tuple[str, ...] = ("CAP",)
    ignore: tuple[str, ...] = ()
    fixable: tuple[str, ...] = ("ALL",)
    unfixable: tuple[str, ...] = ()

    @classmethod
    def of(cls, policy: Policy) -> Selection:
        """What the policy selects."""
        select = (*policy.select, *policy.extend_select)
        return cls(select, policy.ignore, policy.fixable, policy.unfixable)

    def reports(self, rule: Rule) -> bool:
        """Whether the rule is selected: the longest selector that means it decides."""
        chosen = self.select if rule.enabled else tuple(s for s in self.select if s == rule.code)
        return _longest(chosen, rule.code) > _longest(self.ignore, rule.code)

    def fixes(self, code: str) -> bool:
        """Whether findings of that code may be fixed."""
        return _longest(self.fixable, code) > _longest(self.unfixable, code)


def _longest(selectors: Iterable[str], code: str) -> int:
    """The length of the longest selector that means the code (`ALL` counts 0); -1 for none."""
    lengths = [0 if s == "ALL" else len(s) for s in selectors if selects((s,), code)]
    return max(lengths, default=-1)


def fixable_sets(findings: Iterable[Finding], *, unsafe: bool) -> set[str]:
    """The change sets that fixing these findings means."""
    return {
        finding.change_set
        for finding in findings
        if finding.change_set is not None
        and finding.suggestion is not None
        and (unsafe or finding.suggestion.applicability is Safety.SAFE)
    }
