"""The call idioms that resolvers miss, counted by the tags in a fixture's own source."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from tests.codebase import CodeBase

if TYPE_CHECKING:
    from pathlib import Path

_TAG = re.compile(r"# (helper-call|helper-value|method-call|decoy|neutral):(\d+)")
_WEIGHT = ("rewritten", "escape", "text", "candidate", "already-correct", "other")


@pytest.fixture(scope="module")
def idioms(tmp_path_factory: pytest.TempPathFactory) -> CodeBase:
    return CodeBase.copy("resolver_idioms", tmp_path_factory.mktemp("idioms"))


def _tagged(root: Path) -> dict[tuple[str, int], list[str]]:
    """The tags at each line: `(file, row)` to `helper-call:07`."""
    found = defaultdict(list)
    for path in root.rglob("*.py"):
        for row, line in enumerate(path.read_text().splitlines(), 1):
            for kind, number in _TAG.findall(line):
                found[path.relative_to(root).as_posix(), row].append(f"{kind}:{number}")
    return found


@pytest.fixture(scope="module")
def verdicts(idioms: CodeBase) -> dict[str, list[str]]:
    """The verdicts of the ledger at each tag's line, for the name that the tag is about."""
    rows: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in idioms.report("--ledger"):
        rows[row["filename"], row["row"]].append(row)
    return {
        tag: [row["verdict"] for row in rows.get(place, ())]
        for place, tags in _tagged(idioms.root).items()
        for tag in tags
    }


def _count(verdicts: dict[str, list[str]], kind: str) -> Counter[str]:
    return Counter(
        next((one for one in _WEIGHT if one in said), "silent")
        for tag, said in verdicts.items()
        if tag.startswith(f"{kind}:")
    )


def test_every_call_of_the_helper_is_rewritten(verdicts: dict[str, list[str]]) -> None:
    assert _count(verdicts, "helper-call") == {"rewritten": 35}


def test_nearly_every_call_of_the_method_is_rewritten_and_the_rest_reported(
    verdicts: dict[str, list[str]],
) -> None:
    count = _count(verdicts, "method-call")
    assert count.total() == 40
    assert count["rewritten"] >= 38
    assert count["rewritten"] + count["candidate"] + count["text"] == 40


def test_values_are_rewritten_or_reported(verdicts: dict[str, list[str]]) -> None:
    count = _count(verdicts, "helper-value")
    assert count.total() == 11
    assert count["rewritten"] + count["escape"] + count["text"] == 11


def test_decoys_are_something_else(verdicts: dict[str, list[str]]) -> None:
    count = _count(verdicts, "decoy")
    assert set(count) <= {"other", "silent", "rewritten"}
    assert count.total() == 9


def test_unsafe_fix_touches_no_decoy_and_leaves_what_a_person_must_see(
    idioms: CodeBase, tmp_path_factory: pytest.TempPathFactory
) -> None:
    code_base = CodeBase.copy("resolver_idioms", tmp_path_factory.mktemp("unsafe"))
    ran = code_base.lint("--fix", "--unsafe-fixes", "--output-format", "concise")
    assert ran.status == 1
    assert set(re.findall(r": (CAP\d+) ", ran.out)) == {"CAP403"}
    for name in ("app/decoys.py", "tests/test_decoys.py"):
        assert (code_base.root / name).read_bytes() == (idioms.root / name).read_bytes()
    own = code_base.own_tests()
    assert re.search(r"^3 failed, 37 passed", own.last_line), own.out[-3000:]


def test_a_safe_fix_waits_where_something_is_unsafe(idioms: CodeBase) -> None:
    before = idioms.files()
    assert idioms.lint("--fix").status == 1
    assert idioms.files() == before
