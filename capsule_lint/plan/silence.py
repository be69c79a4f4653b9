"""Where people have said that a defect is meant: it is reported to nobody, and nothing mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.policy import selects

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.policy import Policy
    from capsule_lint.program.model import Module


class Silence(Struct, frozen=True):
    """Suppressions, and the policy's `per-file-ignores`, as the plan asks for them."""

    policy: Policy

    def over(self, module: Module, at: tree.At, code: str) -> bool:
        """Whether a finding of that code at that place would be suppressed."""
        if selects(self.policy.ignored_codes(module.filename), code):
            return True
        return any(
            comment.row in (0, *range(at[0], at[2] + 1))
            and (not comment.codes or selects(comment.codes, code))
            for comment in module.facts.suppressions
        )
