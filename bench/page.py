"""The page `docs/benchmarks.md` and its plots, from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.chart import Panel, Series, draw
from bench.goals import GOALS
from bench.growth import CURVES, Curve, elapsed, exponent, memory, steepest
from bench.packages import PINS
from bench.results import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bench.measure import Took
    from bench.results import Point, Results, Row

_HEADINGS: Final = {
    "check": "A first check",
    "check-all": "A first check, every file relevant",
    "warm": "A check when little has changed",
    "stages": "Where the time goes",
    "same-bytes": "The same answer",
    "fix": "`--fix` of one helper and its calls",
    "case-study": "`--fix` of the case study",
}
_BASES: Final = {"warm": ("yardstick",), "fix": ("ast-grep run",), "case-study": ()}
_PARTS: Final = ("method", "floor", "limits")
_LINEAR: Final = 1.05
"""A power that passes as linear: the rest is noise."""


def pages(results: Results, text: Mapping[str, str]) -> dict[str, str]:
    """Names below `docs/`, and what has to stand there."""
    plots = {f"benchmarks-{c.name}.svg": svg for c in CURVES if (svg := _plot(results, c))}
    return {"benchmarks.md": _page(results, text, plots), **plots}


def write(results: Results, docs: Path, texts: Path) -> list[Path]:
    """Write the page and its plots; `texts` has what people wrote for it."""
    text = {name: (texts / f"{name}.md").read_text(encoding="utf-8") for name in _PARTS}
    written = []
    for name, content in pages(results, text).items():
        (docs / name).write_text(content, encoding="utf-8")
        written.append(docs / name)
    return written


def summary(results: Results) -> str:
    """All tables, as they are printed."""
    return "\n\n".join([*_goals(results), *_jobs(results), *_growth(results, ())]) + "\n"


def _page(results: Results, text: Mapping[str, str], plots: Mapping[str, str]) -> str:
    made = "<!-- made by `python -m bench --write`; its text is in bench/texts -->"
    parts = [
        "# Benchmarks",
        made,
        *_goals(results),
        text["method"].strip(),
        *_where(results),
        *_jobs(results),
        *_growth(results, tuple(plots)),
        text["floor"].strip(),
        text["limits"].strip(),
    ]
    return "\n\n".join(parts) + "\n"


def _goals(results: Results) -> Iterator[str]:
    yield "## Goals"
    yield "They are set for a million lines on two cores. What each was measured on stands further down."
    rows = ["| job | goal | reached | processor time | |", "|---|---|---|---|---|"]
    rows += [goal.row(results) for goal in GOALS]
    rows += [_growth_goal(results, curve) for curve in CURVES]
    for row in (row for row in results.rows if row.job == "same-bytes"):
        said = "yes" if row.good else f"**no: {row.outcome}**"
        rows.append(f"| same report with cache and processes | to the byte | | | {said} |")
    yield "\n".join(rows)


def _growth_goal(results: Results, curve: Curve) -> str:
    points = [p for p in results.points if p.curve == curve.name and p.tool.startswith(OURS)]
    time, space = exponent(points, elapsed), exponent(points, memory)
    if any(not point.good for point in points):
        reached, mark = "not all runs came to a good end", "**no**"
    elif time is None or space is None:
        reached, mark = "not measured", ""
    else:
        reached = f"time: power {_power(time)}, memory: {_power(space)}"
        mark = "yes" if max(time, space) <= _LINEAR else "**no**"
    return f"| growth: {curve.title.lower()} | at most linear | {reached} | | {mark} |"


def _where(results: Results) -> Iterator[str]:
    machine = results.machine
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    yield "## Where it ran"
    yield "\n".join(
        [
            "| | |",
            "|---|---|",
            f"| date | {results.date} |",
            f"| command | `{results.command}` |",
            f"| processor | {machine.processor}, {machine.cores} cores |",
            f"| memory | {machine.memory} GiB |",
            f"| system | {machine.system} |",
            f"| Python | {machine.python} |",
            f"| versions | {versions} |",
            f"| corpora from | {', '.join(PINS)} |",
        ]
    )


def _jobs(results: Results) -> Iterator[str]:
    for job, heading in _HEADINGS.items():
        rows = [row for row in results.rows if row.job == job]
        if rows:
            yield f"## {heading}"
            yield f"On {results.corpora[job]}."
            if job == "stages":
                yield _stages(rows)
                continue
            yield _table(rows, _base(job))
            commands = [f"{row.command}  # {row.tool}" for row in rows if row.command]
            yield "\n".join(["```sh", *commands, "```"])


def _base(job: str) -> str:
    """The tool that a job's ratios are against."""
    return next(iter(_BASES.get(job, ("ast-grep",))), "")


def _table(rows: list[Row], base: str) -> str:
    against = next((r.took for r in rows if r.tool == base and r.took), None)
    ratios = f" of {base} |" if against else ""
    lines = [
        f"| | elapsed |{ratios} processor | peak memory | runs | |",
        "|---|---|" + ("---|" if against else "") + "---|---|---|---|",
    ]
    for row in rows:
        took = row.took
        if took is None:
            blank = " |" * (5 if against else 4)
            lines.append(f"| {row.tool} |{blank} {row.outcome} |")
            continue
        mark = "≈ " if row.share < 1 else "> " if took.ended else ""
        ratio = f" {mark}{_times(took.elapsed / against.elapsed)} |" if against else ""
        runs = f"{row.runs}" + (f", on {row.share:.1%}" if row.share < 1 else "")
        outcome = row.outcome if row.good else f"**{row.outcome}**"
        lines.append(
            f"| {row.tool} | {mark}{_seconds(took.elapsed)} |{ratio} "
            f"{mark}{_seconds(took.processor)} | {took.memory:.0f} MiB | {runs} | {outcome} |"
        )
    return "\n".join(lines)


def _stages(rows: list[Row]) -> str:
    """What each stage takes of the processor's time, and what is held after it, a column for each run."""
    found: dict[str, dict[str, Took]] = {}
    for row in rows:
        when, _, stage = row.tool.partition(": ")
        if row.took is not None:
            found.setdefault(stage, {})[when] = row.took
    runs = list(dict.fromkeys(when for took in found.values() for when in took))
    lines = [f"| | {' | | '.join(runs)} | |", "|---|" + "---|---|" * len(runs)]
    for stage, took in found.items():
        cells = [
            f"{_seconds(took[run].processor)} | {took[run].memory:.0f} MiB"
            if run in took
            else " | "
            for run in runs
        ]
        lines.append(f"| {stage} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _growth(results: Results, plots: tuple[str, ...]) -> Iterator[str]:
    if not results.points:
        return
    yield "## Growth"
    for curve in CURVES:
        points = [p for p in results.points if p.curve == curve.name]
        if not points:
            continue
        yield f"### {curve.title}"
        yield results.corpora[curve.name]
        plot = f"benchmarks-{curve.name}.svg"
        if plot in plots:
            yield f"![{curve.title}: elapsed time and peak memory]({plot})"
        yield _points(points, curve)
        yield _powers(points)


def _points(points: list[Point], curve: Curve) -> str:
    names = list(dict.fromkeys(point.tool for point in points))
    lines = [
        f"| {curve.axis} | | elapsed | processor | peak memory | |",
        "|---|---|---|---|---|---|",
    ]
    for point in sorted(points, key=lambda p: (names.index(p.tool), p.at)):
        took, mark = point.took, "> " if point.took.ended else ""
        outcome = point.outcome if point.good else f"**{point.outcome}**"
        lines.append(
            f"| {point.at:,.6g} | {point.tool} | {mark}{_seconds(took.elapsed)} | "
            f"{mark}{_seconds(took.processor)} | {took.memory:.0f} MiB | {outcome} |"
        )
    return "\n".join(lines)


def _powers(points: list[Point]) -> str:
    """How time and memory of each tool grow."""
    said = []
    for name in dict.fromkeys(point.tool for point in points):
        own = [point for point in points if point.tool == name]
        figures = (exponent(own, elapsed), steepest(own, elapsed), exponent(own, memory))
        time, step, space = ("?" if figure is None else _power(figure) for figure in figures)
        said.append(f"{name}: time {time} (between two points at most {step}), memory {space}")
    return f"The powers with which it grows, 1 being linear. {'; '.join(said)}."


def _power(value: float) -> str:
    return f"{round(value, 2) + 0:.2f}"  # no -0.00


def _plot(results: Results, curve: Curve) -> str:
    points = [p for p in results.points if p.curve == curve.name and not p.took.ended]
    names = list(dict.fromkeys(point.tool for point in points))
    if not points:
        return ""
    times = tuple(
        _series(name, [(p.at, p.took.elapsed) for p in points if p.tool == name]) for name in names
    )
    spaces = tuple(
        _series(name, [(p.at, p.took.memory) for p in points if p.tool == name]) for name in names
    )
    return draw(
        curve.title,
        (
            Panel("Elapsed, seconds", curve.axis, times),
            Panel("Peak memory, MiB", curve.axis, spaces, guide=False),
        ),
    )


def _series(name: str, points: list[tuple[float, float]]) -> Series:
    return Series(name, tuple(sorted(points)))


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 99.5 else f"{value:.3g} s"


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 9.95 else f"{ratio:,.0f}"
