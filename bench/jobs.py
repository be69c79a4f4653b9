"""The jobs: what is planted for each, and who competes at it."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench import snippets, tools
from bench.contest import Entrant, Verdict, compete, judged, shown
from bench.corpus import Corpus, corpus, sample
from bench.damage import assess, count_calls
from bench.environments import ROOT
from bench.judging import finds, rewrites
from bench.measure import Took
from bench.recipe import Recipe
from bench.results import OURS, Row
from bench.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measure import Ran
    from bench.setting import Setting
    from bench.tools import Tool

Measured = tuple[tuple[Row, ...], str]

NO_CACHE: Final = f"{OURS} --no-cache"
CHANGED: Final = f"{OURS}, one file changed"
ELSEWHERE: Final = f"{OURS}, one file changed that does not matter"
_WHEN: Final = "cold, warm, after a change"
_UNTRUSTED: Final = 2.2
"""Seconds for which the cache does not trust what it knows of a file that was just written."""


def check(setting: Setting) -> Measured:
    """A first check, few files relevant."""
    return _check(setting, "check", _common(setting))


def check_all(setting: Setting) -> Measured:
    """A first check, every file relevant."""
    recipe = replace(_common(setting), share=1.0)
    return _check(setting, "check-all", recipe)


def _check(setting: Setting, job: str, recipe: Recipe) -> Measured:
    whole = corpus(setting.packages, recipe)
    before = Snapshot.take(whole.root)
    part = sample(whole, before, setting.scale.sample, setting.work / "sample")
    share = Snapshot.take(part.root).lines / before.lines
    entrants = [
        Entrant(ours, whole.root, finds(whole, ours), before=whole.clean)
        for ours in (
            tools.capsule_lint(setting.own, setting.jobs),
            tools.capsule_lint(setting.own, setting.jobs, "--no-cache", name=NO_CACHE),
        )
    ]
    for tool in _checkers(setting):
        where = part if tool.sampled else whole
        judge = finds(where, tool)
        entrants.append(Entrant(tool, where.root, judge, share if tool.sampled else 1.0))
    rows = compete(setting, job, entrants)
    whole.clean()
    return rows, _said(before, f"{recipe.share:.0%} of the files relevant")


def warm(setting: Setting) -> Measured:
    """A check when nothing has changed, and when one file has on which many others depend."""
    whole = corpus(setting.packages, _common(setting))
    before = Snapshot.take(whole.root)
    names = setting.work / "names.txt"
    names.write_text("\n".join(str(whole.root / name) for name in before.files))
    ours = tools.capsule_lint(setting.own, setting.jobs)
    whole.clean()

    def settle() -> None:
        before.restore()
        time.sleep(_UNTRUSTED)
        setting.run(ours, whole.root)

    settle()
    settle()
    stick = tools.yardstick(setting.own, names)
    rows = compete(
        setting,
        "warm",
        (
            Entrant(stick, whole.root, _counts(len(before.files))),
            Entrant(ours, whole.root, finds(whole, ours)),
            Entrant(
                replace(ours, name=ELSEWHERE),
                whole.root,
                finds(whole, ours),
                before=_commenter(whole, before),
                after=settle,
            ),
            Entrant(
                replace(ours, name=CHANGED),
                whole.root,
                finds(whole, ours),
                before=_reviser(whole),
                after=settle,
            ),
        ),
    )
    whole.clean()
    dependents = f"{setting.scale.dependents} files depend on the changed one"
    return rows, _said(before, dependents)


def stages(setting: Setting) -> Measured:
    """Where the time of a first check goes, and of one after a change: one run of each, in one process."""
    whole = corpus(setting.packages, _common(setting))
    before = Snapshot.take(whole.root)
    tool = tools.stages(setting.own)
    rows: list[Row] = []
    for when in ("a first check", "one file changed"):
        if rows:
            setting.run(tools.capsule_lint(setting.own, setting.jobs), whole.root)
            _reviser(whole)()
        else:
            whole.clean()
        ran = setting.run(tool, whole.root)
        for stage, seconds, memory in json.loads(ran.out):
            took = Took(seconds, seconds, memory, ran.took.status)
            rows.append(Row("stages", f"{when}: {stage}", took, "", good=True))
    before.restore()
    whole.clean()
    return tuple(rows), _said(before, "in one process; memory is what it holds afterwards")


def same_bytes(setting: Setting) -> Measured:
    """Whether cache and processes change a byte of the report."""
    whole = corpus(setting.packages, _common(setting))
    before = Snapshot.take(whole.root)
    cached = tools.capsule_lint(setting.own, setting.jobs)
    plain = tools.capsule_lint(setting.own, 1, "--no-cache", name=f"{NO_CACHE} -j 1")
    whole.clean()
    reference = setting.run(plain, whole.root)
    pairs = {"cold": (setting.run(cached, whole.root), reference)}
    time.sleep(_UNTRUSTED)
    pairs["warm"] = (setting.run(cached, whole.root), reference)
    _reviser(whole)()
    pairs["after a change"] = (setting.run(cached, whole.root), setting.run(plain, whole.root))
    before.restore()
    whole.clean()
    wrong = [
        when
        for when, (one, other) in pairs.items()
        if one.out != other.out or one.took.ended or other.took.ended
    ]
    said = f"not the same bytes {', '.join(wrong)}" if wrong else f"the same bytes {_WHEN}"
    verdict = judged(Entrant(plain, whole.root, finds(whole, plain)), reference)
    text = f"{verdict.text}; with a cache and `-j {setting.jobs}` {said}"
    setting.say(f"same-bytes: {text}")
    good = verdict.good and not wrong
    row = Row("same-bytes", plain.name, reference.took, text, good, shown(plain))
    return (row,), _said(before, "")


def fix(setting: Setting) -> Measured:
    """`--fix` of one helper and all its calls, threading included."""
    recipe = Recipe(setting.scale.lines, calls=setting.scale.calls)
    whole = corpus(setting.packages, recipe)
    before = Snapshot.take(whole.root)
    part = sample(whole, before, setting.scale.sample, setting.work / "sample")
    part_before = Snapshot.take(part.root)
    share = part_before.lines / before.lines
    entrants = [fixer(setting, whole, before)]
    for tool in tools.fixers(setting.peers, setting.jobs) if setting.peers else ():
        state = part_before if tool.sampled else before
        judge = rewrites(state, count_calls(state.files), 0)
        entrants.append(
            Entrant(tool, state.root, judge, share if tool.sampled else 1.0, after=state.restore)
        )
    rows = compete(setting, "fix", entrants)
    return rows, _said(before, f"{recipe.calls:,} calls of one helper")


def fixer(setting: Setting, whole: Corpus, before: Snapshot) -> Entrant:
    """The tool's own `--fix`, cold, with everything put back after it."""
    ours = tools.capsule_lint(setting.own, setting.jobs, "--fix", name=f"{OURS} --fix")

    def reset() -> None:
        before.restore()
        whole.clean()

    judge = rewrites(before, whole.planted.calls, whole.planted.threaded)
    return Entrant(ours, whole.root, judge, before=whole.clean, after=reset)


def case_study(setting: Setting) -> Measured:
    """`--fix` of the example code base, whole and cold."""
    place = setting.work / "case_study"
    source = ROOT / "fixtures" / "case_study" / "before"
    ours = tools.capsule_lint(setting.own, setting.jobs, "--fix", name=f"{OURS} --fix")

    def fresh() -> None:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(source, place)
        Snapshot.take(place)

    fresh()
    before = Snapshot.take(place)

    def judge(ran: Ran) -> Verdict:
        changed = before.changed()
        damage = assess(before.files, changed)
        left = len(ours.places(ran.out.decode()))
        text = f"{len(changed)} files changed, {left} findings left"
        if damage.unparsable:
            text += f", breaks the syntax of {damage.unparsable}"
        if damage.comments_lost:
            text += f", loses {damage.comments_lost} comments"
        return Verdict(text, good=not (left + damage.unparsable + damage.comments_lost))

    rows = compete(setting, "case-study", (Entrant(ours, place, judge, before=fresh),))
    return rows, _said(before, "`fixtures/case_study`")


def _common(setting: Setting) -> Recipe:
    scale = setting.scale
    return Recipe(scale.lines, share=scale.share, dependents=scale.dependents)


def _checkers(setting: Setting) -> tuple[Tool, ...]:
    return tools.checkers(setting.peers, setting.jobs) if setting.peers else ()


def _reviser(whole: Corpus) -> Callable[[], None]:
    """Adds one more function to the module that others depend on, each time it is called."""
    keys = Path(whole.root, "orderbook", "keys.py")

    def revise() -> None:
        text = keys.read_text(encoding="utf-8")
        number = time.time_ns()
        keys.write_text(text + snippets.REVISION.substitute(n=number), encoding="utf-8")

    return revise


def _commenter(whole: Corpus, before: Snapshot) -> Callable[[], None]:
    """Adds one more line to a file of middling length in which nothing was planted, each time it is called."""
    plain = [n for n in sorted(before.files) if b"tenant" not in before.files[n].lower()]
    plain.sort(key=lambda name: len(before.files[name]))
    path = Path(whole.root, plain[len(plain) // 2])

    def comment() -> None:
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}\n# {time.time_ns()}\n", encoding="utf-8")

    return comment


def _counts(files: int) -> Callable[[Ran], Verdict]:
    def judge(ran: Ran) -> Verdict:
        return Verdict(f"{int(ran.out):,} files looked at", good=int(ran.out) == files)

    return judge


def _said(before: Snapshot, what: str) -> str:
    today = datetime.now(UTC).date().isoformat()
    load = f"load of the machine afterwards {os.getloadavg()[0]:.1f}"
    lines = f"{before.lines:,} lines in {len(before.files):,} files"
    words = [lines, what, f"measured {today}", load]
    return ", ".join(word for word in words if word)


JOBS: Final[dict[str, Callable[[Setting], Measured]]] = {
    "check": check,
    "check-all": check_all,
    "warm": warm,
    "stages": stages,
    "same-bytes": same_bytes,
    "fix": fix,
    "case-study": case_study,
}
