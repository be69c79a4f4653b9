"""Whether a tool found what was planted, or rewrote it, and broke nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.contest import Verdict
from bench.damage import Damage, assess

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.corpus import Corpus
    from bench.measure import Ran
    from bench.recipe import Place, Plant
    from bench.snapshot import Snapshot
    from bench.tools import Tool


def finds(corpus: Corpus, tool: Tool) -> Callable[[Ran], Verdict]:
    """Judges a report: each planted defect once, and what else there is in other places."""
    return partial(_found, corpus, tool)


def _found(corpus: Corpus, tool: Tool, ran: Ran) -> Verdict:
    planted = corpus.planted.keys() if tool.reads_keys else corpus.planted.plants
    places = tool.places(ran.out.decode())
    found, elsewhere = match(planted, places)
    more = f", {elsewhere:,} elsewhere" if elsewhere else ""
    return Verdict(f"finds {found:,} of {len(planted):,}{more}", good=found == len(planted))


def match(planted: tuple[Plant, ...], places: list[Place]) -> tuple[int, int]:
    """How many planted defects were reported, and how many reports have nothing to do with one."""
    by_file: dict[str, list[Place]] = {}
    for place in places:
        by_file.setdefault(place.path, []).append(place)
    hit: set[Place] = set()
    found = 0
    for plant in planted:
        held = [place for place in by_file.get(plant.path, ()) if plant.holds(place)]
        found += bool(held)
        hit.update(held[:1])
    return found, len(places) - len(hit)


def rewrites(before: Snapshot, calls: int, threaded: int) -> Callable[[Ran], Verdict]:
    """Judges the files after a run: `calls` of the helper, and what stands between, rewritten."""
    return partial(_rewritten, before, calls, threaded)


def _rewritten(before: Snapshot, calls: int, threaded: int, _: Ran) -> Verdict:
    damage = assess(before.files, before.changed())
    counts = [f"rewrites {damage.rewritten:,} of {calls:,} calls"]
    if threaded:
        counts.append(f"{damage.threaded:,} of {threaded:,} between them and handlers")
    good = damage.is_none and (damage.rewritten, damage.threaded) == (calls, threaded)
    return Verdict("; ".join([*counts, *_broken(damage)]), good)


def _broken(damage: Damage) -> list[str]:
    said = {
        f"breaks the syntax of {damage.unparsable:,} files": damage.unparsable,
        f"loses {damage.comments_lost:,} comments": damage.comments_lost,
        f"drops {damage.annotations_lost:,} annotations": damage.annotations_lost,
        f"in {damage.valueless:,} passes a variable that is not there": damage.valueless,
        f"changes {damage.elsewhere:,} other files": damage.elsewhere,
    }
    return [text for text, count in said.items() if count]
