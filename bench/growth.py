"""The curves: what more lines, calls, depth, or relevant files take."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, Final

from bench import tools
from bench.contest import Entrant, compete
from bench.corpus import corpus
from bench.jobs import fixer
from bench.judging import finds
from bench.recipe import Recipe
from bench.results import OURS, Point
from bench.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.measure import Took
    from bench.setting import Scale, Setting

_AS_FOUND: Final = 0
"""In place of a point's value: the lines that are there, which are only about those asked for."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One thing that grows: its name, what its axis says, and the recipe for each point."""

    name: str
    title: str
    axis: str
    text: str
    recipes: Callable[[Scale], Sequence[tuple[float, Recipe]]]
    fixes: bool = False


def _lines(scale: Scale) -> list[tuple[float, Recipe]]:
    return [(_AS_FOUND, Recipe(n, share=scale.share)) for n in scale.more_lines]


def _shares(scale: Scale) -> list[tuple[float, Recipe]]:
    lines = scale.more_lines[0]
    return [(share * 100, Recipe(lines, share=share)) for share in scale.shares]


def _calls(scale: Scale) -> list[tuple[float, Recipe]]:
    return [(n, Recipe(scale.more_lines[0], calls=n)) for n in scale.more_calls]


def _depths(scale: Scale) -> list[tuple[float, Recipe]]:
    lines, steps = scale.more_lines[0], scale.steps
    return [(n, Recipe(lines, chains=steps // n, depth=n)) for n in scale.depths]


CURVES: Final = (
    Curve(
        "growth-lines",
        "Check, by lines of code",
        "lines",
        "The share of relevant files is the same at each size.",
        _lines,
    ),
    Curve(
        "growth-share",
        "Check, by share of relevant files",
        "% of the files",
        "The files are the same, and so nearly are the lines.",
        _shares,
    ),
    Curve(
        "growth-calls",
        "Fix, by call sites of one helper",
        "call sites",
        "Besides the calls of the helper, one in five needs its caller changed too.",
        _calls,
        fixes=True,
    ),
    Curve(
        "growth-depth",
        "Fix, by depth of call chains",
        "calls deep",
        "The calls are as many at each depth: few deep chains, or many shallow ones.",
        _depths,
        fixes=True,
    ),
)


def measure(setting: Setting, curve: Curve) -> tuple[tuple[Point, ...], str]:
    """All points of a curve, and what they were measured on."""
    points: list[Point] = []
    ends: list[str] = []
    for at, recipe in curve.recipes(setting.scale):
        whole = corpus(setting.packages, recipe)
        before = Snapshot.take(whole.root)
        ends.append(f"{before.lines:,} lines in {len(before.files):,} files")
        if curve.fixes:
            entrants = [fixer(setting, whole, before)]
        else:
            ours = tools.capsule_lint(setting.own, setting.jobs, "--no-cache", name=OURS)
            rivals = tools.checkers(setting.peers, setting.jobs)[:1] if setting.peers else ()
            entrants = [Entrant(t, whole.root, finds(whole, t)) for t in (ours, *rivals)]
        points += [
            Point(curve.name, row.tool, at or before.lines, row.took, row.outcome, row.good)
            for row in compete(setting, f"{curve.name} {at or before.lines:g}", entrants)
            if row.took
        ]
    return tuple(points), f"{curve.text} From {ends[0]} to {ends[-1]}."


def exponent(points: Iterable[Point], figure: Callable[[Took], float]) -> float | None:
    """The power with which a figure grows from the first point to the last: 1 is linear."""
    known = sorted((point.at, figure(point.took)) for point in points if not point.took.ended)
    return _power(known[0], known[-1]) if len(known) > 1 else None


def steepest(points: Iterable[Point], figure: Callable[[Took], float]) -> float | None:
    """The same for the two neighbours between which it is largest."""
    known = sorted((point.at, figure(point.took)) for point in points if not point.took.ended)
    return max((_power(left, right) for left, right in pairwise(known)), default=None)


def elapsed(took: Took) -> float:
    """The figure that curves are about."""
    return took.elapsed


def memory(took: Took) -> float:
    """The other one."""
    return took.memory


def _power(left: tuple[float, float], right: tuple[float, float]) -> float:
    return log(right[1] / left[1]) / log(right[0] / left[0])
