"""The command line of the benchmark."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bench import environments, growth, page
from bench.jobs import JOBS
from bench.packages import Packages
from bench.results import OURS, Machine, Results
from bench.setting import FULL, LINES, QUICK, Scale, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.environments import Environment

_TEXTS: Final = Path(__file__).with_name("texts")
_NAMES: Final = (*JOBS, *(curve.name for curve in growth.CURVES))


@click.command()
@click.option("--size", type=click.Choice(list(LINES)), default="1M", show_default=True)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    help="Processes that a tool may use (default: one a core).",
)
@click.option(
    "--only", type=click.Choice(_NAMES), multiple=True, help="Jobs to run (default: all)."
)
@click.option("--quick", is_flag=True, help="A small corpus and one run: shows that all works.")
@click.option(
    "--runs",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Runs of which the median counts.",
)
@click.option(
    "--patience",
    default=120,
    show_default=True,
    help="Seconds after which a command is not run again.",
)
@click.option(
    "--timeout", default=1800, show_default=True, help="Seconds after which a command is ended."
)
@click.option(
    "--max-lines",
    type=click.Choice(list(LINES)),
    default="3M",
    show_default=True,
    help="Where the curve over lines ends.",
)
@click.option("--peers/--no-peers", default=True, show_default=True, help="Whether peers compete.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("~/.cache/capsule-lint-bench"),
    show_default=True,
    help="Where packages, corpora and environments are kept (3 GB).",
)
@click.option("--write", is_flag=True, help="Write docs/benchmarks.md and its plots.")
@click.option("--render", is_flag=True, help="Measure nothing: show, or write, what is known.")
def main(
    size: str,
    jobs: int,
    only: tuple[str, ...],
    *,
    quick: bool,
    runs: int,
    patience: int,
    timeout: int,
    max_lines: str,
    peers: bool,
    work: Path,
    write: bool,
    render: bool,
) -> None:
    """Measure capsule-lint beside its peers on published packages.

    What is planted is known, so each tool is also judged by what it finds and what it breaks.
    """
    place = work.expanduser().resolve()
    if place.is_relative_to(environments.ROOT):
        raise click.UsageError("--work is inside of the repository: choose another folder")
    known = place / ("quick.json" if quick else "results.json")
    if quick and write:
        raise click.UsageError(
            "the figures of --quick are not worth a page: leave out one of them"
        )
    results = Results.load(known)
    if not render:
        own = environments.own(place)
        rivals = environments.peers(place) if peers else None
        setting = Setting(
            Packages(place),
            own,
            rivals,
            _scale(size, max_lines, quick=quick),
            jobs,
            1 if quick else runs,
            patience,
            timeout,
            _say,
        )
        today = datetime.now(UTC).date().isoformat()
        fresh = Results(Machine.this(), today, _command(), _versions(own, rivals))
        results = measure(setting, fresh.over(results), known, only or _NAMES)
    if results is None:
        raise click.UsageError("nothing is known yet: run it without --render")
    click.echo(page.summary(results), nl=False)
    if write:
        for path in page.write(results, environments.ROOT / "docs", _TEXTS):
            _say(f"wrote {path.relative_to(environments.ROOT)}")


def _scale(size: str, max_lines: str, *, quick: bool) -> Scale:
    if quick:
        return QUICK
    more = tuple(lines for lines in FULL.more_lines if lines <= LINES[max_lines])
    return replace(FULL, lines=LINES[size], more_lines=more)


def measure(setting: Setting, results: Results, known: Path, names: Sequence[str]) -> Results:
    """Run jobs and curves, and keep what is known after each of them."""
    for name, job in JOBS.items():
        if name in names:
            rows, on = job(setting)
            results = results.with_job(name, rows, on)
            results.save(known)
    for curve in growth.CURVES:
        if curve.name in names:
            points, on = growth.measure(setting, curve)
            results = results.with_curve(curve.name, points, on)
            results.save(known)
    return results


def _versions(own: Environment, rivals: Environment | None) -> dict[str, str]:
    names = [pin.partition("==")[0] for pin in environments.PEERS]
    theirs = rivals.versions(names) if rivals else {}
    return own.versions([OURS]) | _commit() | theirs


def _commit() -> dict[str, str]:
    """Where the checkout stands that the tool was built from."""
    command = ("git", "describe", "--always", "--dirty", "--exclude=*")
    done = subprocess.run(
        command, cwd=environments.ROOT, capture_output=True, text=True, check=False
    )
    return {"built from commit": done.stdout.strip()} if done.returncode == 0 else {}


def _command() -> str:
    """The command as it was typed, without the folder that it works in."""
    words = [word for word in sys.argv[1:] if word not in ("--write", "--render")]
    return shlex.join(("python", "-m", "bench", *_without(words, "--work")))


def _without(words: Sequence[str], option: str) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if word == option:
            next(rest, None)
        elif not word.startswith(f"{option}="):
            yield word


def _say(text: str) -> None:
    click.echo(text, err=True)
