"""Tests of isolation that CAP601 writes: they pass where scopes are kept apart, fail where they are not,
and are not written where anything is uncertain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pytests import run_tests
from tests.test_cases import files_of

if TYPE_CHECKING:
    from tests.project import Project

CASE = Path(__file__).parent / "cases" / "siblings.txt"
LEAKS = {
    "self._rows[tenant_id, capsule_id, order.order_id]": 'self._rows[tenant_id, "", order.order_id]',
    "self._rows.get((tenant_id, capsule_id, order_id))": 'self._rows.get((tenant_id, "", order_id))',
    " and o.capsule_id == capsule_id": "",
    "#CAPSULE#{self.capsule_id}": "",
    "#CAPSULE#{capsule_id}": "",
}
POLICY = """\
[tool.capsule-lint]
select = ["CAP601"]
src = ["app", "tests"]
"""
ORDERS = """\
from dataclasses import dataclass
from uuid import UUID


@dataclass
class Order:
    tenant_id: str
    capsule_id: str
    order_id: str


class OrderRepository:
    def __init__(self):
        self._rows: dict[tuple[str, str, str], Order] = {}

    def save(self, tenant_id: str, capsule_id: str, order: Order) -> None:
        self._rows[tenant_id, capsule_id, order.order_id] = order

    def get(self, tenant_id: str, capsule_id: str, order_id: str) -> Order | None:
        return self._rows.get((tenant_id, capsule_id, order_id))
"""
TEST = """\
from app.orders import Order, OrderRepository


def test_get():
    repo = OrderRepository()
    repo.save("t", "PRODUS", Order("t", "PRODUS", "1"))
    assert repo.get("t", "PRODUS", "1") is not None
"""


def test_the_written_tests_fail_where_a_scope_is_lost(project: Project) -> None:
    program, _ = files_of(CASE.read_text())
    project.write(program)
    ran = project.run("--fix")
    assert ran.status == 0, ran.out
    assert "10 passed" in run_tests(project.root).out
    orders = project.read("app/orders.py")
    for kept, lost in LEAKS.items():
        assert kept in orders
        orders = orders.replace(kept, lost)
    project.write({"app/orders.py": orders})
    assert "5 failed, 5 passed" in run_tests(project.root).out


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("-> Order | None:", "-> Order:", id="nothing says what is missing"),
        pytest.param(
            "return self._rows.get(",
            "if not order_id: raise ValueError\n        return self._rows.get(",
            id="it may raise",
        ),
        pytest.param("repo.save(", "OrderRepository().save(", id="another repository"),
        pytest.param(
            'assert repo.get("t", "PRODUS", "1") is not None',
            'for ident in "12":\n        assert repo.get("t", "PRODUS", ident) is not None',
            id="in a loop",
        ),
        pytest.param('"PRODUS"', "UUID(int=1)", id="no text"),
        pytest.param("def test_get", "@pytest.mark.skip\ndef test_get", id="skipped"),
        pytest.param(
            "def test_get",
            "def test_get_sees_no_other_capsule():\n    pass\n\n\ndef test_get",
            id="the name is taken",
        ),
    ],
)
def test_nothing_is_written_where_something_is_uncertain(
    old: str, new: str, project: Project
) -> None:
    imports = "import pytest\nfrom uuid import UUID\n"
    files = {"app/orders.py": ORDERS, "tests/test_orders.py": imports + TEST}
    assert any(old in text for text in files.values())
    files = {name: text.replace(old, new) for name, text in files.items()}
    files |= {"pyproject.toml": POLICY, "app/__init__.py": "", "tests/__init__.py": ""}
    project.write(files)
    before = project.tree()
    ran = project.check("--fix")
    assert (ran.status, ran.codes, project.tree()) == (1, ["CAP601"], before)


HELPERS = """\
from typing import NewType

CapsuleId = NewType("CapsuleId", str)


def capsule() -> CapsuleId:
    return CapsuleId("PRODUS")
"""
OF_SCOPES = '[[tool.capsule-lint.scopes]]\nname = "tenant"\nsegment = "TENANT#{tenant_id}"\n'
OF_SCOPES += '[[tool.capsule-lint.scopes]]\nname = "capsule"\nsegment = "CAPSULE#{capsule_id}"\n'
OF_SCOPES += 'type = "tests.helpers:CapsuleId"\n'


@pytest.mark.parametrize("taken", [False, True])
def test_what_makes_the_value_of_a_helper_is_imported_unless_its_name_is_taken(
    taken: bool, project: Project
) -> None:
    test = "from tests.helpers import capsule\n" + TEST.replace('"PRODUS"', "capsule()")
    test += "\n\nCapsuleId = None\n" if taken else ""
    project.write(
        {
            "app/orders.py": ORDERS,
            "tests/test_orders.py": test,
            "tests/helpers.py": HELPERS,
            "pyproject.toml": POLICY + OF_SCOPES,
            "app/__init__.py": "",
            "tests/__init__.py": "",
        }
    )
    ran = project.run("--fix")
    assert ran.status == int(taken), ran.out
    if not taken:
        assert 'repo.get("t", CapsuleId("OTHER"), "1") is None' in project.read(
            "tests/test_orders.py"
        )
        assert "2 passed" in run_tests(project.root).out
