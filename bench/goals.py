"""The project's goals, and how near the figures are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.jobs import CHANGED, NO_CACHE
from bench.results import OURS

if TYPE_CHECKING:
    from bench.results import Results, Row


@dataclass(frozen=True, slots=True)
class Goal:
    """At most `limit` times what a rival takes; without a rival, seconds, or MiB of memory."""

    what: str
    job: str
    tool: str
    limit: float
    rival: str = ""
    is_memory: bool = False

    @property
    def said(self) -> str:
        """The goal in words."""
        if self.rival:
            return f"at most {fraction(self.limit)} of {self.rival}"
        return f"at most {self.limit:g} {'MiB a process' if self.is_memory else 's'}"

    def reached(self, results: Results) -> float | None:
        """The figure that the goal limits, if all that it needs was measured to its end."""
        ours = _whole(results.row(self.job, self.tool))
        if ours is None or ours.took is None:
            return None
        if self.is_memory:
            return ours.took.memory
        if not self.rival:
            return ours.took.elapsed
        rival = results.row(self.job, self.rival)
        return ours.took.elapsed / rival.took.elapsed if rival and rival.took else None


GOALS: Final = (
    Goal("cold check", "check", OURS, 0.5, "ast-grep"),
    Goal("cold check", "check", OURS, 1 / 20, "Semgrep"),
    Goal("cold check", "check", OURS, 1 / 100, "Fixit"),
    Goal("cold check, every file relevant", "check-all", OURS, 1.3, "ast-grep"),
    Goal("warm check, nothing changed", "warm", OURS, 1.5, "yardstick"),
    Goal("warm check, one file changed", "warm", CHANGED, 3, "yardstick"),
    Goal("`--fix`, calls of one helper", "fix", f"{OURS} --fix", 0.5, "ast-grep run"),
    Goal("`--fix`, calls of one helper", "fix", f"{OURS} --fix", 1 / 50, "LibCST's runner"),
    Goal("`--fix` of the case study, cold", "case-study", f"{OURS} --fix", 5),
    Goal("peak memory, cold check", "check", OURS, 100, is_memory=True),
    Goal("peak memory, cold check without cache", "check", NO_CACHE, 100, is_memory=True),
)


def fraction(value: float) -> str:
    """A ratio as one reads it: `1/20`, `0.5`, `1.3`."""
    return f"{value:.2g}" if value >= 0.2 else f"1/{1 / value:.0f}"


def _whole(row: Row | None) -> Row | None:
    return None if row is None or row.took is None or row.took.ended else row
