"""The benchmark plants what it says, and sees what a tool finds and breaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from bench import growth, measure, page, tools
from bench.chart import Panel, Series, draw
from bench.contest import Entrant, judged, shown
from bench.corpus import Corpus, sample
from bench.damage import Damage, assess, count_calls
from bench.environments import Environment
from bench.goals import GOALS, fraction
from bench.judging import finds, match
from bench.measure import Ran, Took, middle, scaled
from bench.planting import plant
from bench.recipe import Place, Plant, Planted, Recipe
from bench.results import Machine, Point, Results, Row
from bench.snapshot import Snapshot
from bench.stages import REST, STAGES, START, Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.project import Project

RECIPE = Recipe(0, share=0.5, dependents=2, calls=23, chains=4, depth=5)
TOOK = Took(elapsed=2.0, processor=3.0, memory=40.0)


def packages(project: Project) -> Project:
    """Something to plant into: packages with files of all kinds."""
    files: dict[str, str | bytes] = {
        "acme/__init__.py": b"",
        "acme/ads/__init__.py": b'"""Ads."""',
        "acme/ads/generated.py": b"# DO NOT EDIT\n",
        "acme/ads/crlf.py": b"import os\r\n",
        "acme/tests/test_ads.py": b"def test_ads() -> None: ...\n",
    }
    for number in range(12):
        files[f"acme/ads/part_{number}.py"] = b"import os\n\n\nHERE = os.sep  # kept"
    return project.write(files)


@pytest.fixture
def planted(project: Project) -> Planted:
    """What was planted into the project's packages."""
    return plant(packages(project).root, RECIPE)


def test_every_planted_defect_is_found_and_nothing_else(
    project: Project, planted: Planted
) -> None:
    places = [
        Place(finding["filename"], finding["location"]["row"], finding["code"])
        for finding in project.check("--no-cache").data
    ]
    assert match(planted.plants, places) == (len(planted.plants), 0)
    assert planted.codes().total() == len(places)
    assert set(planted.codes()) == {"CAP101", "CAP104", "CAP201", "CAP202", "CAP501"}


def test_the_fix_rewrites_what_was_planted_and_breaks_nothing(
    project: Project, planted: Planted
) -> None:
    before = Snapshot.take(project.root)
    assert count_calls(before.files) == planted.calls == 23 + 4
    assert project.run("--fix", "--no-cache").status == 0
    damage = assess(before.files, before.changed())
    assert damage == Damage(rewritten=planted.calls, threaded=planted.threaded)
    assert damage.is_none
    before.restore()
    assert before.changed() == {}


@pytest.mark.parametrize(("depth", "threaded"), [(1, 0), (2, 1), (7, 6)])
def test_a_chain_is_as_deep_as_it_is_told_to_be(
    project: Project, depth: int, threaded: int
) -> None:
    planted = plant(packages(project).root, Recipe(0, chains=1, depth=depth))
    assert (planted.calls, planted.threaded) == (1, threaded)
    assert project.check("--no-cache").codes == ["CAP501", "CAP202"]
    assert project.run("--fix", "--no-cache").status == 0


def test_the_same_recipe_plants_the_same_bytes(project: Project) -> None:
    packages(project)
    before = project.tree()
    plant(project.root, RECIPE)
    once = project.tree()
    for name in once:
        (project.root / name).unlink()
    project.write(before)
    plant(project.root, RECIPE)
    assert project.tree() == once


def test_only_files_that_are_judged_and_can_be_read_are_planted_into(project: Project) -> None:
    packages(project).write({"acme/ads/broken.py": b"def broken(:\n"})
    before = project.tree()
    plant(project.root, Recipe(0, share=1))
    after = project.tree()
    untouched = {name for name in before if after[name] == before[name]}
    assert untouched == {
        "acme/ads/generated.py",
        "acme/ads/broken.py",
        "acme/ads/crlf.py",
        "acme/tests/test_ads.py",
    }


def test_the_wanted_number_of_files_depends_on_the_shared_module(
    project: Project, planted: Planted
) -> None:
    users = [n for n, data in project.tree().items() if b"import account_pk" in data]
    assert len(users) == RECIPE.dependents
    assert planted.keys()


def test_a_sample_has_files_with_defects_and_what_they_import(
    project: Project, planted: Planted, tmp_path: Path
) -> None:
    before = Snapshot.take(project.root)
    part = sample(Corpus(project.root, planted), before, 50, tmp_path / "sample")
    files = Snapshot.take(part.root).files
    assert {"orderbook/keys.py", "orderbook/context.py"} <= files.keys() < before.files.keys()
    assert part.planted.plants
    assert {one.path for one in part.planted.plants} <= files.keys()


CALLS = b"""\
from orderbook.keys import order_pk


def label(tenant_id: str, order_id: str) -> str:
    return order_pk(tenant_id, order_id)  # whole
"""


@pytest.mark.parametrize(
    ("old", "new", "damage"),
    [
        ("order_pk(tenant_id, order_id)", "order_pk(tenant_id, C, order_id)", Damage(rewritten=1)),
        ("  # whole", "", Damage(comments_lost=1)),
        (" -> str:", " -> str", Damage(unparsable=1)),
        ("tenant_id: str", "tenant_id", Damage(annotations_lost=1)),
        ("(tenant_id, o", "(tenant_id, capsule_id, o", Damage(rewritten=1, valueless=1)),
    ],
)
def test_each_kind_of_damage_is_seen(old: str, new: str, damage: Damage) -> None:
    changed = CALLS.replace(old.encode(), new.encode())
    assert changed != CALLS
    assert assess({"a.py": CALLS}, {"a.py": changed}) == damage
    assert damage.is_none == (damage == Damage(rewritten=1))


def test_a_change_where_nothing_was_planted_is_damage() -> None:
    damage = assess({"a.py": b"x = 1\n"}, {"a.py": b"x = 2\n"})
    assert damage == Damage(elsewhere=1)
    assert not damage.is_none


def test_a_report_is_matched_by_file_row_and_code() -> None:
    plants = (Plant("a.py", "CAP202", 3, 5), Plant("b.py", "CAP101", 9, 9))
    places = [Place("a.py", 5), Place("a.py", 3, "CAP202"), Place("b.py", 9, "CAP104")]
    assert match(plants, places) == (1, 2)


@pytest.fixture
def peers(tmp_path: Path) -> Environment:
    """An environment that is not there."""
    return Environment(tmp_path, {})


@pytest.mark.parametrize(
    ("name", "out"),
    [
        ("ast-grep", '{"file": "a/b.py", "range": {"start": {"line": 6, "column": 4}}}\n'),
        ("Semgrep", '{"results": [{"path": "a/b.py", "start": {"line": 7, "col": 5}}]}'),
        ("Fixit", "a/b.py@7:11 UnscopedKey: key without CAPSULE#\n"),
    ],
)
def test_reports_of_peers_are_read(peers: Environment, name: str, out: str) -> None:
    (tool,) = (tool for tool in tools.checkers(peers, 2) if tool.name == name)
    corpus = Corpus(peers.root, Planted((Plant("a/b.py", "CAP202", 5, 7),), 0, 0))
    verdict = finds(corpus, tool)(Ran(TOOK, out.encode(), ""))
    assert (verdict.text, verdict.good) == ("finds 1 of 1", True)


@pytest.mark.parametrize(
    ("out", "status", "ended", "said"),
    [
        ("", 101, False, "gives no report that can be read; exit code 101: it broke"),
        ("[]", 2, False, "finds 0 of 0; exit code 2: it broke"),
        ("[]", 0, True, "ended after 2 s"),
    ],
)
def test_a_run_that_fails_says_how(
    peers: Environment, out: str, status: int, ended: bool, said: str
) -> None:
    tool = tools.capsule_lint(peers, 1)
    judge = finds(Corpus(peers.root, Planted((), 0, 0)), tool)
    ran = Ran(replace(TOOK, status=status, ended=ended), out.encode(), "why\nit broke\n")
    verdict = judged(Entrant(tool, peers.root, judge), ran)
    assert (verdict.text, verdict.good) == (said, False)


def test_commands_are_shown_without_this_machines_folders(peers: Environment) -> None:
    for tool in (*tools.checkers(peers, 2), *tools.fixers(peers, 2)):
        assert str(peers.root) not in shown(tool)
        assert not shown(tool).startswith("/")


def test_a_command_is_measured_with_its_children(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(7)'])"
    ran = measure.run((sys.executable, "-c", script), tmp_path, {}, 60)
    assert (ran.out, ran.took.status, ran.took.ended) == (b"7\n", 0, False)
    assert ran.took.elapsed > 0
    assert ran.took.memory > 0


def test_a_command_is_ended_at_its_limit(tmp_path: Path) -> None:
    script = "import time; time.sleep(60)"
    assert measure.run((sys.executable, "-c", script), tmp_path, {}, 1).took.ended


def test_what_a_tool_takes_for_nothing_is_not_scaled() -> None:
    sampled = scaled(Took(5.0, 8.0, 30.0), Took(1.0, 2.0, 20.0), 10)
    assert (sampled.elapsed, sampled.processor, sampled.memory) == (41.0, 62.0, 30.0)


def test_the_median_of_several_runs_counts() -> None:
    runs = [replace(TOOK, elapsed=seconds) for seconds in (9.0, 1.0, 2.0)]
    assert middle(runs).elapsed == 2.0
    assert middle([*runs, replace(TOOK, ended=True)]).ended


def _points(*pairs: tuple[float, float]) -> list[Point]:
    return [Point("growth-lines", "t", x, replace(TOOK, elapsed=y), "", True) for x, y in pairs]


def test_powers_tell_linear_growth_from_worse() -> None:
    linear, worse = _points((1, 2), (10, 20), (100, 200)), _points((1, 1), (10, 10), (20, 40))
    assert growth.exponent(linear, growth.elapsed) == pytest.approx(1)
    assert growth.steepest(worse, growth.elapsed) == pytest.approx(2)
    assert growth.exponent(linear[:1], growth.elapsed) is None


PANEL = Panel(
    "Seconds & more",
    "lines",
    (
        Series("capsule-lint", ((300_000, 2.0), (1_000_000, 6.0), (3_000_000, 21.0))),
        Series("ast-grep", ((300_000, 1.0), (1_000_000, 3.0))),
    ),
)


def _tags(svg: str, name: str) -> Sequence[ElementTree.Element]:
    tree = ElementTree.fromstring(svg)
    return tree.findall(f".//{{http://www.w3.org/2000/svg}}{name}")


def test_a_chart_is_the_same_svg_each_time_and_fits_both_themes() -> None:
    svg = draw("Growth", (PANEL, replace(PANEL, guide=False)))
    assert svg == draw("Growth", (PANEL, replace(PANEL, guide=False)))
    assert "prefers-color-scheme: dark" in svg
    assert len(_tags(svg, "circle")) == 2 * 5
    assert len(_tags(svg, "polyline")) == 2 * 2 + 1


def test_a_chart_has_every_point_inside_of_its_frame() -> None:
    random = Random(7)
    for _ in range(50):
        points = tuple(sorted((random.uniform(1, 1e6), random.uniform(0.01, 1e4)) for _ in "abc"))
        svg = draw("Growth", (replace(PANEL, series=(Series("one", points),)),))
        places = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in _tags(svg, "circle")]
        assert places == sorted(places)
        assert all(56 <= x <= 344 and 44 <= y <= 188 for x, y in places)


def test_a_chart_of_one_point_can_be_drawn() -> None:
    assert _tags(draw("One", (Panel("A", "b", (Series("c", ((5, 5),)),)),)), "circle")


def _results(**more: Any) -> Results:
    machine = Machine("A processor", 2, 8, "Linux 6", "3.11.9")
    return Results(machine, "2024-05-01", "python -m bench", {"capsule-lint": "1.0"}, **more)


def test_a_page_says_what_was_reached_and_what_was_not_measured() -> None:
    fast, slow = replace(TOOK, elapsed=1.0), replace(TOOK, elapsed=4.0)
    rows = (
        Row("check", "capsule-lint", fast, "finds 3 of 3", True, "capsule-lint check"),
        Row("check", "ast-grep", slow, "finds 2 of 3", False, "ast-grep scan"),
        Row("check", "Semgrep", None, "did not run: no network", False),
        Row("check", "Fixit", slow, "finds 1 of 1", True, "fixit lint", 1, 0.1),
        Row("stages", "at first: files are read", replace(TOOK, processor=0.5), "", True),
        Row("stages", "at first: the program is judged", TOOK, "", True),
        Row("stages", "then: the program is judged", replace(TOOK, memory=9), "", True),
    )
    on = ("check", "9 lines"), ("stages", "9 lines"), ("growth-lines", "More and more lines.")
    points = tuple(_points((1, 2), (10, 20)))
    made = page.pages(
        _results(rows=rows, points=points, corpora=dict(on)),
        {"method": "How.", "floor": "Why.", "limits": "But."},
    )
    text = made["benchmarks.md"]
    assert "| cold check | at most 0.5 of ast-grep | 0.25 | 1 | yes |" in text
    assert "| cold check | at most 1/100 of Fixit | 0.25 | 1 | **no** |" in text
    assert "| cold check | at most 1/20 of Semgrep | not measured | | |" in text
    assert "| **finds 2 of 3** |" in text
    assert "did not run: no network" in text
    assert "| files are read | 0.5 s | 40 MiB |  |  |" in text
    assert "| the program is judged | 3 s | 40 MiB | 3 s | 9 MiB |" in text
    assert "≈ 4 s" in text
    assert "](benchmarks-growth-lines.svg)" in text
    assert set(made) == {"benchmarks.md", "benchmarks-growth-lines.svg"}


def test_a_stage_takes_what_no_stage_inside_of_it_takes(project: Project) -> None:
    project.write({"keys.py": "def f(tenant_id):\n    return f'TENANT#{tenant_id}#ORDERS'\n"})
    script = Path(page.__file__).with_name("stages.py")
    ran = subprocess.run(
        (sys.executable, str(script), "check", "-q", "-j1", "--no-cache", "-o", os.devnull),
        cwd=project.root,
        capture_output=True,
        check=True,
    )
    took = {stage: seconds for stage, seconds, _ in json.loads(ran.stdout)}
    assert took.keys() == {START, *(label for label, _, _ in STAGES), REST}
    clock = Clock()
    inner = clock.around(STAGES[0][0], lambda: time.sleep(0))
    clock.around(STAGES[1][0], inner)()
    assert all(seconds >= 0 for seconds in clock.took.values())


def test_what_is_measured_again_replaces_what_was(tmp_path: Path) -> None:
    first = Row("fix", "one", TOOK, "", True)
    earlier = (
        _results()
        .with_job("fix", (first,), "a")
        .with_job("warm", (replace(first, job="warm"),), "b")
    )
    earlier.save(tmp_path / "results.json")
    later = _results().over(Results.load(tmp_path / "results.json"))
    assert later == earlier
    again = later.with_job("fix", (replace(first, tool="two"),), "c")
    assert [row.tool for row in again.rows] == ["one", "two"]
    assert again.corpora == {"fix": "c", "warm": "b"}


def test_every_goal_is_about_a_tool_that_competes(peers: Environment) -> None:
    known = {tool.name for tool in (*tools.checkers(peers, 1), *tools.fixers(peers, 1))}
    rivals = {goal.rival for goal in GOALS if goal.rival}
    assert rivals <= known | {"yardstick"}


def test_a_run_that_was_ended_reaches_no_goal() -> None:
    ours = Row("case-study", "capsule-lint --fix", replace(TOOK, ended=True), "", False)
    (goal,) = (goal for goal in GOALS if goal.job == "case-study")
    row = goal.row(_results(rows=(ours,)))
    assert row == "| `--fix` of the case study, cold | at most 5 s | > 2 s |  | **no** |"


@pytest.mark.parametrize(
    ("value", "said"), [(0.05, "1/20"), (0.5, "0.5"), (1.3, "1.3"), (12, "12")]
)
def test_fractions_are_written_as_people_do(value: float, said: str) -> None:
    assert fraction(value) == said
