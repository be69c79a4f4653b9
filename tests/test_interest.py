"""Files that are not linked change no answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import _pytest
import click
import hypothesis
import pytest

from capsule_lint import quiet
from capsule_lint.analysis import Analysis, Workspace, analyse
from capsule_lint.cache.facts import Builder
from capsule_lint.cache.store import Store
from capsule_lint.errors import PolicyError
from capsule_lint.judgement import KeyFact
from capsule_lint.plan.interest import Interest, searching
from capsule_lint.policy import Policy, load_policy
from capsule_lint.source import discover
from capsule_lint.workers import can_fork
from tests.codebase import CodeBase
from tests.test_cases import CASES, files_of, sampled, some_slow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.project import Project

_WHOLE = 1 << 40
_KEY = """

def row_pk_{number}(tenant_id: str, row_id: str) -> str:
    return f"TENANT#{{tenant_id}}#ROW#{{row_id}}"


def load_row_{number}(table, tenant_id: str, row_id: str):
    return table.get_item(Key={{"PK": row_pk_{number}(tenant_id, row_id), "SK": "-"}})
"""
_PLAIN = """
import json

class Shelf:
    def __init__(self, folder: str) -> None:
        self.folder = folder

    def read(self, name: str) -> dict[str, object]:
        with open(f"{self.folder}/{name}.json") as file:
            return json.load(file)

def total(numbers: list[int]) -> int:
    return sum(numbers)
"""


def _texts(policy: Policy) -> dict[str, str]:
    workspace = Workspace(policy.root, discover(policy).files)
    workspace.load()
    return workspace.texts()


def _both(policy: Policy, texts: dict[str, str]) -> tuple[Analysis, Analysis]:
    return analyse(policy, texts, spare=0), analyse(policy, texts, spare=_WHOLE)


def _assert_same(some: Analysis, whole: Analysis) -> None:
    assert some.judgement.facts == whole.judgement.facts
    assert some.judgement.change_sets == whole.judgement.change_sets
    assert [(r.filename, r.position, r.verdict) for r in some.ledger()] == [
        (r.filename, r.position, r.verdict) for r in whole.ledger()
    ]


@pytest.mark.parametrize("path", some_slow(sampled(36), fast=1, of=3))
def test_leaving_files_out_changes_no_answer(path: Path, project: Project) -> None:
    project.write(files_of(path.read_text())[0])
    policy = load_policy(project.root, None, False)
    texts = _texts(policy) | {f"plain/shelf{number}.py": _PLAIN for number in range(3)}
    _assert_same(*_both(policy, texts))


@pytest.mark.parametrize(
    "name",
    [pytest.param("case_study", marks=pytest.mark.slow), "orders_stage", "helpdesk_async"],
)
def test_leaving_files_of_a_code_base_out_changes_no_answer(name: str, tmp_path: Path) -> None:
    policy = load_policy(CodeBase.copy(name, tmp_path).root, None, False)
    _assert_same(*_both(policy, _texts(policy)))


@pytest.mark.skipif(not can_fork(), reason="there are no forks here")
@pytest.mark.parametrize("path", some_slow(sampled(240), fast=1, of=4))
def test_another_process_says_what_this_one_would(
    path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file goes away, so that the program is judged again: which files are quiet is known by then."""
    for module in (quiet, searching):
        monkeypatch.setattr(module, "_WORTH", 1)
    project.write(files_of(path.read_text())[0])
    policy = load_policy(project.root, None, False)
    others = {f"plain/shelf{number}.py": _PLAIN for number in range(3)}
    others["plain/asking.py"] = "def ask(shelf, what):\n    return getattr(shelf, what)('a')\n"
    texts = _texts(policy) | others
    for name in sorted(texts.keys() - others):
        (alone, kept), (helped, kept_too) = (
            _again(policy, texts, name, Store(project.root / f"kept{jobs}"), jobs)
            for jobs in (1, 2)
        )
        if alone is None or helped is None:
            assert alone is helped
        else:
            _assert_same(helped, alone)
            assert helped.reading == alone.reading
        assert kept_too == kept


def _again(
    policy: Policy, texts: Mapping[str, str], name: str, store: Store, jobs: int
) -> tuple[Analysis | None, frozenset[str]]:
    """What is found, and what is kept, when a file is no more there."""
    builder = Builder(store)
    analyse(policy, texts, builder=builder, spare=0)
    builder.save()
    builder = Builder(store, jobs=jobs)
    left = {other: text for other, text in texts.items() if other != name}
    try:
        found = analyse(policy, left, builder=builder, spare=0)
    except PolicyError:
        return None, frozenset()
    return found, frozenset(builder.kept)


@pytest.mark.parametrize("path", some_slow(sampled(180), fast=1, of=4))
def test_a_run_that_starts_where_the_last_one_ended_says_the_same(
    path: Path, project: Project
) -> None:
    """Each file goes away in turn, and comes back: what was read for it is read no more, or again."""
    project.write(files_of(path.read_text())[0])
    policy = load_policy(project.root, None, False)
    texts = _texts(policy) | {f"plain/shelf{number}.py": _PLAIN for number in range(3)}
    store = Store(project.root / "kept")
    for name in sorted(texts):
        for now in ({n: t for n, t in texts.items() if n != name}, texts):
            try:
                cold = analyse(policy, now, spare=0)
            except PolicyError:
                continue
            warm = analyse(policy, now, builder=Builder(store), spare=0)
            _assert_same(warm, cold)


@pytest.mark.parametrize(
    "text",
    [
        'item["\\x50K"] = f"ORDER{mark}{order_id}"\n',
        'item["P" "K"] = value\n',
        'item["P"\n     # a remark\n     "K"] = value\n',
        'item["P\\\nK"] = value\n',
        "\uff50\uff4b = value\n",
        'accents = r"\\é\\漢"\nitem["PK"] = value\n',
    ],
    ids=[
        "escape",
        "parts",
        "parts on two lines",
        "continued",
        "compatibility form",
        "beside a letter behind a backslash",
    ],
)
def test_a_word_that_is_hidden_is_found(text: str) -> None:
    interest = Interest(Policy(), {"app/rows.py": text, "app/plain.py": _PLAIN}, spare=0)
    assert interest.seeds() == {"app/rows.py"}


def test_a_file_without_a_word_of_interest_is_left_out() -> None:
    keys = 'def order_pk(tenant_id: str) -> str:\n    return f"TENANT#{tenant_id}#ORDERS"\n'
    some = analyse(Policy(), {"app/keys.py": keys, "app/plain.py": _PLAIN}, spare=0)
    assert some.facts.keys() == {"app/keys.py"}
    assert some.judgement.facts


_KEYS = 'def order_pk(tenant_id: str) -> str:\n    return f"TENANT#{tenant_id}#ORDERS"\n'


@pytest.mark.parametrize(
    ("text", "joins"),
    [
        ("from app import keys\n\n\ndef f(kind):\n    return getattr(keys, kind)('t')\n", True),
        ("from . import keys\n\n\ndef f(kind):\n    return vars(keys)[kind]('t')\n", True),
        ("import app.keys as k\n\n\ndef f(kind):\n    return k.__dict__[kind]('t')\n", True),
        ("def f(store, kind):\n    return getattr(store, kind)('t')\n", True),
        ("def f(store, kind):\n    return getattr(store, 'order_' + kind)('t')\n", True),
        ("def f(store, kind):\n    return getattr(store, f'load_{kind}')('t')\n", False),
        ("def f(store):\n    return getattr(store, 'load', None)\n", False),
        ("from app.keys import *\n", True),
        ("from .keys import *\n", True),
        ("from app.rows import *\n", False),
        ("def f(key):\n    return key.split('#')[1]\n", True),
        ("def f(path):\n    return path.split('/')[1]\n", False),
        ("def f(session, page):\n    return session.query(page)\n", False),
        ("def f(store, name):\n    return store.query(IndexName=name)\n", True),
        ("def f(orders_table, name):\n    return orders_table.query(name)\n", True),
    ],
)
def test_what_a_file_says_decides_whether_it_joins(text: str, joins: bool) -> None:
    texts = {"app/__init__.py": "", "app/keys.py": _KEYS, "app/use.py": text}
    some = analyse(Policy(), texts, spare=0)
    assert ("app/use.py" in some.facts) is joins


_MODES = """
_MODES = {"auto": 1}
_LAST = {}


class Modes:
    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = tenant_id

    def set_mode(self, mode: str) -> int:
        _LAST[mode] = self
        return _MODES[mode]

    def stamped(self, data: dict[str, str]) -> dict[str, str]:
        data["tenant_id"] = self.tenant_id
        return data

    def fresh(self) -> dict[str, str]:
        data = {"tenant_id": self.tenant_id}
        return self.stamped(data)
"""


@pytest.mark.parametrize(
    "text",
    [
        "def f(thing):\n    thing.set_mode('auto')\n",
        "def f(thing, data):\n    return thing.stamped(data)\n",
        "def f(thing):\n    return thing.fresh()\n",
    ],
)
def test_what_has_to_do_with_no_key_leads_nowhere(text: str) -> None:
    texts = {"app/keys.py": _KEYS, "app/modes.py": _MODES, "app/use.py": text}
    assert analyse(Policy(), texts, spare=0).facts.keys() == {"app/keys.py", "app/modes.py"}


_SPLITS = "def f(line):\n    return line.split('#')[0]\n"


@pytest.mark.parametrize(
    "texts",
    [
        {"app/keys.py": _KEYS.replace("#", "|"), "app/use.py": _SPLITS},
        {"app/keys.py": "def f(tenant_id):\n    return tenant_id\n", "app/use.py": _SPLITS},
        {
            "app/__init__.py": "",
            "app/keys.py": _KEYS,
            "far/__init__.py": "",
            "far/use.py": _SPLITS,
        },
    ],
    ids=["another mark", "no key", "a package apart"],
)
def test_what_was_foreseen_and_does_not_join_is_left_out_again(texts: dict[str, str]) -> None:
    some = analyse(Policy(), texts | {"app/plain.py": _PLAIN}, spare=0)
    assert not any(name.endswith("use.py") for name in some.facts)


@pytest.mark.skipif(not can_fork(), reason="there are no forks here")
@pytest.mark.parametrize(("given", "finds"), [("keys", True), ("load(kind)", False)])
def test_what_another_process_finds_is_taken(
    given: str, finds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "_WORTH", 1)
    taken: list[bool] = []
    take = quiet.Quiet._take

    def noting(self: quiet.Quiet, looked: quiet.Looked) -> bool:
        taken.append(looked.found)
        return take(self, looked)

    monkeypatch.setattr(quiet.Quiet, "_take", noting)
    text = (
        f"from app import keys\n\n\ndef f(kind, load):\n    return getattr({given}, kind)('t')\n"
    )
    others = {"app/__init__.py": "", "app/old.py": "", "app/plain.py": _PLAIN}
    texts = {"app/keys.py": _KEYS, "app/use.py": text, **others}
    some, _ = _again(Policy(), texts, "app/old.py", Store(tmp_path / "kept"), 2)
    assert taken == [finds]
    assert some is not None
    assert ("app/use.py" in some.facts) is finds


@pytest.mark.skipif(not can_fork(), reason="there are no forks here")
@pytest.mark.parametrize("start", ["", "'order_' + "])
def test_which_files_are_quiet_is_foreseen_in_a_first_run(
    start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process gets ready before it is known what changes; where that means other files, once more."""
    monkeypatch.setattr(quiet, "_WORTH", 1)
    looked: list[frozenset[str]] = []
    look = quiet.Quiet.get_ready

    def noting(self: quiet.Quiet, files: frozenset[str]) -> None:
        looked.append(files)
        look(self, files)

    monkeypatch.setattr(quiet.Quiet, "get_ready", noting)
    text = "from app import keys\n\n\ndef f(kind):\n    return getattr(keys, {}kind)('t')\n"
    texts = {
        "app/__init__.py": "",
        "app/keys.py": _KEYS,
        "app/any.py": text.format(""),
        "app/use.py": text.format(start),
    }
    found = analyse(Policy(), texts, builder=Builder(jobs=2), spare=0)
    both = frozenset(("app/any.py", "app/use.py"))
    assert looked[-1] == both
    assert looked[0] == (both if not start else {"app/any.py"})
    assert found.facts.keys() >= both


def test_a_small_program_is_read_whole() -> None:
    assert Interest(Policy(), {"app/plain.py": _PLAIN}).seeds() == {"app/plain.py"}


@pytest.mark.slow
def test_keys_in_libraries_lead_to_few_of_their_files() -> None:
    """Whatever is asked by a name that many bear leads to a great part of what others wrote, which took minutes where
    it takes seconds: in packages that the tests have anyway every twentieth file is given a key of its own."""
    texts = {
        path.relative_to(base).as_posix(): path.read_text("utf-8")
        for package in (click, hypothesis, _pytest)
        for base in [Path(package.__path__[0]).parent]
        for path in sorted(Path(package.__path__[0]).rglob("*.py"))
    }
    for number, name in enumerate(sorted(texts)[::20]):
        texts[name] += _KEY.format(number=number)
    found = analyse(Policy(), texts, spare=0)
    told, read = len(found.judgement.facts), len(found.facts)
    assert told >= len(texts) // 20
    assert read < len(texts) // 4


def test_what_others_put_into_collections_is_not_followed(project: Project) -> None:
    """A question about code that has nothing to do with keys would lead to all that calls it."""
    common = "STORE = {}\n\n\ndef keep(key, value):\n    STORE[key] = make(value)\n\n\ndef make(value):\n    return value\n"
    program = {"app/common.py": common + "\n\nTENANTS = 'tenant_id'\n"}
    project.write(files_of(next(p for p in CASES if p.stem == "cacheleak").read_text())[0])
    policy = load_policy(project.root, None, False)
    others = {
        f"plain/caller{n}.py": f"from app.common import keep\n\nkeep('{n}', {n})\n"
        for n in range(3)
    }
    found = analyse(policy, _texts(policy) | program | others, spare=0)
    assert "app/common.py" in found.facts
    assert not any(name.startswith("plain/") for name in found.facts)


def test_what_else_is_compared_is_not_followed(project: Project) -> None:
    """Whoever is asked for a key's part is asked for it where that is a scope's, and nowhere else."""
    light = (
        "TENANTS = 'tenant_id'\n\n\nclass Light:\n    def mode(self, at):\n        return self.modes[at]\n\n"
        "    def is_on(self, wanted):\n        mode = self.mode(0)\n        return mode == wanted\n"
    )
    project.write(files_of(next(p for p in CASES if p.stem == "cacheleak").read_text())[0])
    policy = load_policy(project.root, None, False)
    others = {
        f"plain/lamp{n}.py": f"from app.light import Light\n\n\nclass Lamp{n}(Light):\n    modes = ({n},)\n"
        for n in range(3)
    }
    found = analyse(policy, _texts(policy) | {"app/light.py": light} | others, spare=0)
    assert "app/light.py" in found.facts
    assert not any(name.startswith("plain/") for name in found.facts)


def test_what_else_puts_a_name_into_texts_is_not_followed(project: Project) -> None:
    """What holds a key is known by names first, and many things have a `key`."""
    light = (
        "TENANTS = 'tenant_id'\n\n\nclass Light:\n    def __init__(self, key):\n        self.key = key\n\n"
        "    def label(self, room):\n        return f'{self.key} {room}'\n"
    )
    held = (
        "from app.keys import note_pk\n\n\nclass Held:\n    def __init__(self, tenant_id, capsule_id):\n"
        "        self.key = note_pk(tenant_id, 'n')\n\n    def label(self, room):\n"
        "        return f'{self.key} {room}'\n"
    )
    keys = 'def note_pk(tenant_id, note_id):\n    return f"TENANT#{tenant_id}#NOTE#{note_id}"\n'
    test = (
        "from app.held import Held\n\n\ndef test_held():\n"
        "    assert Held('t', 'c').label('r') == 'TENANT#t#NOTE#n r'\n"
    )
    program = {
        "app/__init__.py": "",
        "app/keys.py": keys,
        "app/held.py": held,
        "tests/test_held.py": test,
    }
    others = {
        f"plain/lamp{n}.py": f"from app.light import Light\n\n\nclass Lamp{n}(Light):\n"
        f"    def shown(self):\n        return Light('{n}').label('{n}')\n"
        for n in range(3)
    }
    found = analyse(Policy(), program | {"app/light.py": light} | others, spare=0)
    assert "app/light.py" in found.facts
    assert not any(name.startswith("plain/") for name in found.facts)


_REPOSITORY = (
    "ORDERS = {('acme', '1'): {'total': 1}}\n\n\nclass OrderRepository:\n"
    "    def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict | None:\n"
    "        return ORDERS.get((tenant_id, order_id))\n"
)


def test_who_fills_a_dict_under_another_name_is_asked_for() -> None:
    """Without that the dict would be a table of settings, which is only read."""
    texts = {
        "app/__init__.py": "",
        "app/store.py": _REPOSITORY,
        "app/shared.py": "from app.store import ORDERS as BY_ID\n",
        "app/loading.py": "from app.shared import BY_ID\n\n\ndef load(rows):\n    for one, row in rows:\n        BY_ID[one] = row\n",
    }
    found = analyse(Policy(), texts, spare=0)
    assert "app/loading.py" in found.facts
    assert any(isinstance(fact, KeyFact) for fact in found.judgement.facts)
    alone = {name: text for name, text in texts.items() if name != "app/loading.py"}
    found = analyse(Policy(), alone, spare=0)
    assert not any(isinstance(fact, KeyFact) for fact in found.judgement.facts)


def test_what_something_else_is_put_into_is_not_looked_up() -> None:
    """Whoever is asked what a written-out dict is kept for asks nothing of what has no such name."""
    texts = {
        "app/__init__.py": "",
        "app/store.py": _REPOSITORY,
        "app/rates.py": "from plain import RATES\n\nRATES |= tenants_of('tenant_id')\n",
        "plain/__init__.py": "from plain.rates import RATES\n",
        "plain/rates.py": "RATES = dict()\n",
    }
    reading = analyse(Policy(), texts, spare=0).reading
    assert reading is not None
    assert "plain/rates.py" not in reading.consulted


def test_who_fills_settings_that_are_read_one_by_one_is_not_asked_for() -> None:
    """In a large package a hundred files have names of files under such a name."""
    texts = {
        "app/__init__.py": "",
        "app/store.py": _REPOSITORY.replace(
            "ORDERS.get((tenant_id, order_id))", "ORDERS['first']"
        ),
        "app/loading.py": "from app.store import ORDERS\n",
    }
    assert "app/loading.py" not in analyse(Policy(), texts, spare=0).facts


def test_what_a_dict_is_made_of_that_has_no_key_in_it_is_not_asked_for() -> None:
    """The heirs of a class whose parts something else goes through are half of a large package."""
    base = (
        "WORD = 'tenant_id'\n\n\nclass Sum:\n    @property\n    def parts(self):\n        return [('a', 1)]\n\n"
        "    def counted(self):\n        return {name: part for name, part in self.parts}\n"
    )
    heir = "from app.sums import Sum\n\n\nclass Product(Sum):\n    parts = ()\n"
    texts = {
        "app/__init__.py": "",
        "app/store.py": _REPOSITORY,
        "app/sums.py": base,
        "app/products.py": heir,
    }
    found = analyse(Policy(), texts, spare=0).facts
    assert "app/sums.py" in found
    assert "app/products.py" not in found


def test_what_calls_a_method_of_a_layer_that_no_repository_shares_is_not_asked_for() -> None:
    """A method such as `forward` is called in most files of a large package."""
    layer = (
        "class Table:\n    def __init__(self, table):\n        self.table = table\n\n"
        "    def forward(self, request):\n        return self.table.query(**request)\n"
    )
    caller = "def shown(model, image):\n    return model.forward(image)\n"
    texts = {
        "app/__init__.py": "",
        "app/store.py": _REPOSITORY,
        "app/layer.py": layer,
        "app/shown.py": caller,
    }
    found = analyse(Policy(), texts, spare=0).facts
    assert "app/layer.py" in found
    assert "app/shown.py" not in found


@pytest.mark.parametrize(
    ("lookup", "matters"),
    [
        ("ORDERS.get(order.kind)", False),
        ("ORDERS.get(kind_of(order_id), {}).get('icon')", False),
        ("ORDERS.get(tenant_id, {}).get(order_id)", True),
        ("[o for o in ORDERS.values() if o['tenant'] == tenant_id]", True),
        ("[o['total'] for o in ORDERS.values()]", False),
    ],
)
def test_who_fills_settings_is_asked_for_where_items_would_be_told_apart(
    lookup: str, matters: bool
) -> None:
    """What looks `ICONS` up by a kind leads to a thousand files of a large package: to all that have an `icon`."""
    texts = {
        "app/__init__.py": "",
        "app/store.py": _REPOSITORY.replace("ORDERS.get((tenant_id, order_id))", lookup),
        "app/loading.py": "from app.store import ORDERS\n",
    }
    assert ("app/loading.py" in analyse(Policy(), texts, spare=0).facts) is matters
