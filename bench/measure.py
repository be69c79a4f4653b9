"""What a command took: elapsed and processor time, children included, and peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LAUNCHER: Final = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds, and MiB of the largest single process. `ended` says that the limit was reached."""

    elapsed: float
    processor: float
    memory: float
    status: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command took, and what it said."""

    took: Took
    out: bytes
    err: str


def run(command: Sequence[str], folder: Path, more: Mapping[str, str], limit: int) -> Ran:
    """Run a command in a folder, with some variables more than what is needed to run at all."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "COV"))}
    with tempfile.TemporaryDirectory() as place:
        names = [str(Path(place, name)) for name in ("took", "out", "err")]
        launch = (sys.executable, "-E", "-S", "-s", str(_LAUNCHER), *names, str(limit))
        subprocess.run((*launch, *command), cwd=folder, env=kept | dict(more), check=True)
        took, out, err = (Path(name).read_bytes() for name in names)
    return Ran(msgspec.json.decode(took, type=Took), out, err.decode(errors="replace"))


def middle(runs: Sequence[Took]) -> Took:
    """The median of each figure; one run that was ended makes the whole one that was."""
    return Took(
        elapsed=median(took.elapsed for took in runs),
        processor=median(took.processor for took in runs),
        memory=median(took.memory for took in runs),
        status=runs[-1].status,
        ended=any(took.ended for took in runs),
    )


def scaled(sample: Took, fixed: Took, factor: float) -> Took:
    """What all would take, from a sample: what one file takes is there once, the rest grows."""
    return Took(
        elapsed=fixed.elapsed + max(0.0, sample.elapsed - fixed.elapsed) * factor,
        processor=fixed.processor + max(0.0, sample.processor - fixed.processor) * factor,
        memory=sample.memory,
        status=sample.status,
        ended=sample.ended,
    )
