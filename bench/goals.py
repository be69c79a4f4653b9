"""The project's goals, and how near the figures are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.jobs import CHANGED, NO_CACHE
from bench.results import OURS

if TYPE_CHECKING:
    from bench.results import Results


@dataclass(frozen=True, slots=True)
class Reached:
    """A figure, and for a ratio that of processor time too.

    `was_ended` says that the run was ended before its time, so that both are more than is known. A
    run that is not `good` reaches no goal: it missed something, or broke something.
    """

    figure: float
    processor: float | None
    was_ended: bool
    good: bool


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

    def reached(self, results: Results) -> Reached | None:
        """The figure that the goal limits, if all that it needs was measured."""
        ours = results.row(self.job, self.tool)
        if ours is None or ours.took is None:
            return None
        took = ours.took
        if self.is_memory:
            return Reached(took.memory, None, took.ended, ours.good)
        if not self.rival:
            return Reached(took.elapsed, None, took.ended, ours.good)
        rival = results.row(self.job, self.rival)
        if rival is None or rival.took is None or rival.took.ended:
            return None
        processor = took.processor / rival.took.processor
        return Reached(took.elapsed / rival.took.elapsed, processor, took.ended, ours.good)

    def row(self, results: Results) -> str:
        """The goal and what was reached, as a row of a table."""
        reached = self.reached(results)
        if reached is None:
            return f"| {self.what} | {self.said} | not measured | | |"
        mark = "> " if reached.was_ended else ""
        unit = " MiB" if self.is_memory else " s"
        figure = fraction(reached.figure) if self.rival else f"{reached.figure:.3g}{unit}"
        processor = "" if reached.processor is None else f"{mark}{fraction(reached.processor)}"
        met = "yes" if reached.figure <= self.limit and reached.good else "**no**"
        return f"| {self.what} | {self.said} | {mark}{figure} | {processor} | {met} |"


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
