"""Packages that no import joins with what changes are left out of a large program, and every name in them is told of."""

from __future__ import annotations

import pytest

from capsule_lint.analysis import Analysis, analyse
from capsule_lint.model import Verdict
from capsule_lint.plan.interest.apart import Apart
from capsule_lint.policy import Policy

_REPOSITORY = """
class NoteRepository:
    def __init__(self, table):
        self.table = table

    def get(self, tenant_id, note_id):
        key = {"PK": f"TENANT#{tenant_id}#NOTE#{note_id}", "SK": "-"}
        return self.table.get_item(Key=key)["Item"]


class First:
    def __init__(self, table):
        self.service = NoteRepository(table)

    def of(self, tenant_id):
        return self.service.get(tenant_id, "1")
"""
_OTHER = '''
import json


def get(settings, name: str = "get"):
    """What get gives."""
    return settings.get(name) or f"{settings.get('get')}"  # get it


def all_of(settings):
    return [get(settings, name="a"), settings["get"]]
'''
_SEED = "def login(service, tenant_id):\n    return service.get(tenant_id, 'token')\n"


def _program(**more: str) -> dict[str, str]:
    others = {f"library/part{number}.py": _OTHER for number in range(3)}
    start = {"library/__init__.py": "", "library/login.py": _SEED}
    texts = {"app/__init__.py": "", "app/notes.py": _REPOSITORY, **start, **others}
    return texts | {name.replace("__", "/") + ".py": text for name, text in more.items()}


def _left_out(found: Analysis) -> bool:
    return not any(name.startswith("library/part") for name in found.facts)


def test_a_package_that_nothing_joins_is_left_out() -> None:
    some, whole = analyse(Policy(), _program(), spare=0), analyse(Policy(), _program())
    assert _left_out(some)
    rows = [row for row in some.ledger() if row.filename.startswith("library/")]
    assert [(row.filename, row.position) for row in some.ledger()] == [
        (row.filename, row.position) for row in whole.ledger()
    ]
    assert rows
    assert {row.verdict for row in rows} == {Verdict.OTHER}


def test_what_is_called_alike_there_hinders_no_change() -> None:
    """Nobody knows what `service` is in the file that is read, for it holds a scope's name."""
    some, whole = analyse(Policy(), _program(), spare=0), analyse(Policy(), _program())
    assert [change.safety for change in some.judgement.change_sets.values()] == ["safe"]
    assert [change.safety for change in whole.judgement.change_sets.values()] == ["unsafe"]


@pytest.mark.parametrize(
    "joining",
    [
        {"library__more": "from app.notes import First\n"},
        {"library__more": "if True: import json, app.notes as n\n"},
        {"library__more": "from \\\n    app import notes\n"},
        {"library__more": "HANDLER = 'app.notes:First'\n"},
        {"library__more": "import notes\n"},
        {"app__more": "from library import login\n"},
        {"app__more": "from importlib import import_module\n\nload = import_module\n"},
        {"library__more": "KEY = 'TENANT#{}'\n\n\ndef of(tenant_id):\n    return KEY\n"},
        {"glue__join": "import app.notes\nfrom library.part0 import get\n"},
        {"glue__join": "from .more import x\nimport library\n", "glue__more": "import app\n"},
    ],
    ids=str,
)
def test_a_package_that_something_joins_is_read(joining: dict[str, str]) -> None:
    assert not _left_out(analyse(Policy(), _program(**joining), spare=0))


def test_little_is_read_all_the_same() -> None:
    assert not _left_out(analyse(Policy(), _program(), spare=5_000))


@pytest.mark.parametrize(
    ("filename", "text", "joins"),
    [
        ("library/new.py", "import app.notes\n", True),
        ("library/new.py", "from library import login\nfrom . import part0\n", False),
        ("app/new.py", "from library.login import login\n", True),
        ("app/new.py", "x = 'a'\n", False),
    ],
)
def test_a_new_import_is_noticed(filename: str, text: str, joins: bool) -> None:
    found = analyse(Policy(), _program(), spare=0)
    assert found.reading is not None
    assert Apart({filename: text}).leads_to(found.reading.signs.borders) is joins
