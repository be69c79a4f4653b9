"""Runs tools in turn on the same work, and makes a row of what each took."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.measure import Ran, Took, middle, scaled
from bench.results import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.setting import Setting
    from bench.tools import Tool

_CHECKED: Final = (0, 1)
"""Exit codes of a check: nothing found, something found."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run has done, in words, and whether that is all and nothing else."""

    text: str
    good: bool


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Entrant:
    """A tool at a job: where it runs, on what share of the work, and how its run is judged.

    `before` and `after` prepare each run and put things back; they are not measured.
    """

    tool: Tool
    root: Path
    judge: Callable[[Ran], Verdict]
    share: float = 1.0
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing


def compete(setting: Setting, job: str, entrants: Sequence[Entrant]) -> tuple[Row, ...]:
    """Run all in turn, round by round, so that noise on the machine hits each of them alike."""
    able = [entrant for entrant in entrants if setting.problem(entrant.tool) is None]
    runs: dict[str, list[Took]] = {entrant.tool.name: [] for entrant in able}
    verdicts: dict[str, Verdict] = {}
    for entrant in able:
        setting.fixed(entrant.tool)
    for number in range(setting.runs):
        for entrant in able:
            name = entrant.tool.name
            if number and sum(took.elapsed for took in runs[name]) > setting.patience:
                continue
            took, verdict = _once(setting, entrant)
            runs[name].append(took)
            if name not in verdicts or verdicts[name].good:
                verdicts[name] = verdict
            setting.say(f"{job}: {name} {took.elapsed:.2f} s, {verdict.text}")
    return tuple(_row(setting, job, entrant, runs, verdicts) for entrant in entrants)


def judged(entrant: Entrant, ran: Ran) -> Verdict:
    """What a run has done, or how it failed."""
    if ran.took.ended:
        return Verdict(f"ended after {ran.took.elapsed:.0f} s", good=False)
    try:
        verdict = entrant.judge(ran)
    except ValueError:
        verdict = Verdict("gives no report that can be read", good=False)
    if ran.took.status in _CHECKED:
        return verdict
    last = (ran.err.strip().splitlines() or ["no message"])[-1]
    return Verdict(f"{verdict.text}; exit code {ran.took.status}: {last[:80]}", good=False)


def _once(setting: Setting, entrant: Entrant) -> tuple[Took, Verdict]:
    entrant.before()
    try:
        ran = setting.run(entrant.tool, entrant.root)
        return ran.took, judged(entrant, ran)
    finally:
        entrant.after()


def _row(
    setting: Setting,
    job: str,
    entrant: Entrant,
    runs: dict[str, list[Took]],
    verdicts: dict[str, Verdict],
) -> Row:
    tool = entrant.tool
    problem = setting.problem(tool)
    if problem is not None:
        return Row(job, tool.name, None, f"did not run: {problem}", good=False)
    took = middle(runs[tool.name])
    if entrant.share < 1:
        took = scaled(took, setting.fixed(tool), 1 / entrant.share)
    verdict = verdicts[tool.name]
    text = f"{verdict.text} ({tool.note})" if tool.note else verdict.text
    count = len(runs[tool.name])
    return Row(job, tool.name, took, text, verdict.good, shown(tool), count, entrant.share)


def shown(tool: Tool) -> str:
    """The command as it could be typed: without the folders of this machine."""
    here = str(Path(__file__).parent.parent)
    words = [Path(tool.command[0]).name, *tool.command[1:]]
    plain = [Path(w).name if Path(w).is_absolute() and here not in w else w for w in words]
    quoted = [f"'{word}'" if {" ", "$"} & set(word) else word for word in plain]
    return " ".join(quoted).replace(f"{here}/", "")
