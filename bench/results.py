"""What was measured: rows of jobs, points of curves, and where it all ran."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

import msgspec

from bench.measure import Took  # noqa: TC001  # looked up when results are read

OURS: Final = "capsule-lint"


@dataclass(frozen=True, slots=True)
class Row:
    """One tool at one job. Without `took` it did not run; `outcome` says why, or what it found.

    `share` is the part of the work that was measured, and from which the rest is scaled. `good`
    says that it found all that was planted and broke nothing.
    """

    job: str
    tool: str
    took: Took | None
    outcome: str
    good: bool
    command: str = ""
    runs: int = 1
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a curve: what so much of something took."""

    curve: str
    tool: str
    at: float
    took: Took
    outcome: str
    good: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it ran."""

    processor: str
    cores: int
    memory: int
    system: str
    python: str

    @classmethod
    def this(cls) -> Self:
        """The machine that this runs on."""
        return cls(
            processor=_processor(),
            cores=len(os.sched_getaffinity(0)),
            memory=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            system=f"{platform.system()} {platform.release()}",
            python=platform.python_version(),
        )


@dataclass(frozen=True, slots=True)
class Results:
    """All that is known so far; what is measured again replaces what was."""

    machine: Machine
    date: str
    command: str
    versions: dict[str, str] = field(default_factory=dict)
    corpora: dict[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    points: tuple[Point, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """What an earlier run left."""
        return msgspec.json.decode(path.read_bytes(), type=cls) if path.exists() else None

    def over(self, earlier: Results | None) -> Results:
        """This run's date and machine, with an earlier run's rows until they are measured anew."""
        if earlier is None:
            return self
        return replace(self, rows=earlier.rows, points=earlier.points, corpora=earlier.corpora)

    def save(self, path: Path) -> None:
        """Keep it for the next run."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)))

    def with_job(self, job: str, rows: tuple[Row, ...], corpus: str) -> Results:
        """The same with a job's rows in place of those that were."""
        others = tuple(row for row in self.rows if row.job != job)
        return replace(self, rows=(*others, *rows), corpora=self.corpora | {job: corpus})

    def with_curve(self, curve: str, points: tuple[Point, ...], corpus: str) -> Results:
        """The same with a curve's points in place of those that were."""
        others = tuple(point for point in self.points if point.curve != curve)
        corpora = self.corpora | {curve: corpus}
        return replace(self, points=(*others, *points), corpora=corpora)

    def row(self, job: str, tool: str) -> Row | None:
        """The row of a tool at a job, if it was measured."""
        return next((row for row in self.rows if (row.job, row.tool) == (job, tool)), None)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
