"""Change sets that cannot be applied: they are reported, and the others land."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from capsule_lint import syntax

if TYPE_CHECKING:
    import libcst as cst

    from capsule_lint.model import AddSegments
    from tests.project import Project

POLICY = """\
src = ["."]
[[scopes]]
name = "tenant"
segment = "TENANT#{tenant_id}"
[[scopes]]
name = "capsule"
segment = "CAPSULE#{capsule_id}"
"""
TYPED = POLICY + 'type = "ids:CapsuleId"\n'
KEYS = 'def user_pk(tenant_id, u):\n    return f"TENANT#{tenant_id}#USER#{u}"\n'
FIXED = KEYS.replace("tenant_id, u", "tenant_id, capsule_id, u").replace(
    "#USER", "#CAPSULE#{capsule_id}#USER"
)
ENDLESS = 'def a_pk(tenant_id, u):\n    capsule_id = "C".lower()\n    return f"TENANT#{tenant_id}#A#{u}"\n'


def test_what_would_not_end_is_reported_and_the_rest_lands(project: Project) -> None:
    project.policy(POLICY).write({"keys.py": KEYS, "odd.py": ENDLESS})
    diff = project.run("--diff").out
    assert "keys.py" in diff
    assert "odd.py" not in diff
    ran = project.run("--fix", "--output-format", "json")
    assert ran.status == 1
    assert ran.places() == [("odd.py", 1)]
    assert ran.data[0]["fix"] is None
    assert "not fixed: odd.py:1:5: CAP202 would be found again" in ran.err
    assert project.read("odd.py") == ENDLESS
    assert project.read("keys.py") == FIXED


def test_keys_in_data_files_beside_tests_are_told_of(project: Project) -> None:
    files = {
        "keys.py": KEYS,
        "tests/test_keys.py": "",
        "tests/golden/items.json": '[\n{"PK": "TENANT#t#USER#1"}\n]\n',
        "tests/golden/right.json": '{"PK": "TENANT#t#CAPSULE#c#USER#1"}\n',
        "tests/golden/other.yaml": "- XTENANT#t#USER#1\n- TENANT#t#USER_OF#1\n",
        "data/users.json": '{"PK": "TENANT#t#USER#1"}\n',
    }
    project.policy(POLICY).write(files)
    told = "warning: tests/golden/items.json:2: nothing rewrites `TENANT#t#USER#1`, a key that changes"
    for option in ("--diff", "--fix"):
        ran = project.run(option)
        assert [line for line in ran.err.splitlines() if "warning" in line] == [told]
    assert "warning" not in project.run("--fix").err


def test_entities_in_data_files_beside_tests_are_told_of(project: Project) -> None:
    entity = """\
        from dataclasses import dataclass

        @dataclass
        class Order:
            tenant_id: str
            order_id: str
            note: str = ""

            def pk(self):
                return f"TENANT#{self.tenant_id}"
        """
    files = {
        "orders.py": entity,
        "tests/test_orders.py": "",
        "tests/data/orders.json": '[\n{"order_id": "1", "tenant_id": "t"}\n]\n',
        "tests/data/right.json": '{"order_id": "1", "tenant_id": "t", "capsule_id": "c"}\n',
        "tests/data/other.json": '{"order_id": "1"}\n',
    }
    project.policy(POLICY).write(files)
    ran = project.run("--fix")
    assert [line for line in ran.err.splitlines() if "warning" in line] == [
        "warning: tests/data/orders.json:2: nothing rewrites what may be data of `Order`, which gains `capsule_id`"
    ]


def test_what_cannot_be_written_is_reported_and_the_rest_lands(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from capsule_lint.rewrite.segments import SegmentFix

    mend = SegmentFix._mend

    def broken(
        self: SegmentFix,
        original: cst.BaseExpression,
        updated: cst.BaseExpression,
        found: AddSegments,
    ) -> cst.BaseExpression:
        if found.filename == "odd.py":
            raise ValueError("no such place")
        return mend(self, original, updated, found)

    monkeypatch.setattr(SegmentFix, "_mend", broken)
    odd = KEYS.replace("user", "odd").replace("USER", "ODD")
    files = {
        "keys.py": KEYS,
        "odd.py": odd,
        "use.py": "from odd import odd_pk\n\n\ndef use(tenant_id):\n    return odd_pk(tenant_id, 1)\n",
    }
    project.policy(POLICY).write(files)
    ran = project.run("--fix", "--output-format", "full")
    assert ran.status == 1
    assert "no such place" in ran.err
    assert "unsafe: odd.py:" in ran.out
    assert project.read("odd.py") == odd
    assert project.read("use.py") == files["use.py"]
    assert project.read("keys.py") == FIXED
    assert project.run("--diff").status == 0
    assert project.run("--output-format", "json").status == 1


@pytest.mark.parametrize("newline", ["\r", "\r\n", "\n"])
def test_line_ends_stay_and_imports_are_added(newline: str, project: Project) -> None:
    typed = '"""Keys."""\nimport os\nfrom ids import (\n    Other,\n)\n\n\n' + KEYS.replace(
        "tenant_id, u)", "tenant_id: str, u: str)"
    )
    ids = "class CapsuleId(str): ...\nclass Other(str): ...\n"
    project.policy(TYPED).write({"ids.py": ids, "keys.py": typed.replace("\n", newline).encode()})
    assert project.run().status == 1
    assert project.run("--fix").status == 0
    text = project.read("keys.py")
    assert "capsule_id: CapsuleId" in text
    assert (
        f"from ids import ({newline}    CapsuleId,{newline}    Other,{newline}){newline}" in text
    )
    assert set(text.replace(newline, "")).isdisjoint("\r\n")


@pytest.mark.parametrize(
    "top",
    [
        "from __future__ import annotations; import os\n",
        '"""Keys."""; import os\n',
        "import abc; x = (\n    1,\n)\n",
    ],
)
def test_an_import_goes_between_statements(top: str, project: Project) -> None:
    typed = KEYS.replace("tenant_id, u)", "tenant_id: str, u: str)")
    project.policy(TYPED).write({"ids.py": "class CapsuleId(str): ...\n", "keys.py": top + typed})
    assert project.run("--fix").status == 0
    text = project.read("keys.py")
    assert text.startswith(top)
    assert "from ids import CapsuleId\n" in text
    compile(text, "keys.py", "exec")


def test_an_import_leaves_remarks_where_they_are(project: Project) -> None:
    top = "from ids import (  # noqa: X\n    TenantId,  # the tenant\n)\n"
    typed = KEYS.replace("tenant_id, u)", "tenant_id: TenantId, u: str)")
    ids = "class CapsuleId(str): ...\nclass TenantId(str): ...\n"
    project.policy(TYPED).write({"ids.py": ids, "keys.py": top + typed})
    assert project.run("--fix").status == 0
    new = top.replace("    Tenant", "    CapsuleId,\n    Tenant")
    assert project.read("keys.py").startswith(new)


def test_standard_output_may_be_closed(project: Project) -> None:
    project.policy(POLICY).write({"keys.py": KEYS})
    command = f'"{sys.executable}" -m capsule_lint >&-'
    ran = subprocess.run(
        ["sh", "-c", command], cwd=project.root, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (1, "")


def test_the_compiler_is_asked_too() -> None:
    good, bad = "def f(b):\n    global a\n", "def f(a, b):\n    global a\n"
    syntax.check(good, good)
    syntax.check(bad, bad)
    with pytest.raises(SyntaxError):
        syntax.check(good, bad)


def test_new_strings_have_the_quotes_of_the_file(project: Project) -> None:
    keys = """
def joined(tenant_id, u):
    return '#'.join(['TENANT', tenant_id, 'U', u])


def summed(tenant_id, tag):
    return 'TENANT#' + tenant_id + '#TAG#' + tag
"""
    project.write({"keys.py": keys})
    assert project.run("--fix").status == 0
    text = project.read("keys.py")
    assert "['TENANT', tenant_id, 'CAPSULE', capsule_id, 'U', u]" in text
    assert "'#CAPSULE#' + capsule_id" in text
    assert '"' not in text


def test_what_another_service_is_told_is_left_alone_and_told_of(project: Project) -> None:
    """A payment may come back with it: a person has to see."""
    pay = 'stripe.Charge.create(metadata={"order": f"TENANT#{tenant_id}#ORDER#{order_id}"})'
    project.write(
        {
            "app/orders.py": """
                def put(table, tenant_id: str, order_id: str) -> None:
                    key = f"TENANT#{tenant_id}#ORDER#{order_id}"
                    table.put_item(Item={"PK": key, "SK": "META"})
            """,
            "app/pay.py": f"""
                import stripe


                def pay(tenant_id: str, order_id: str) -> None:
                    {pay}
            """,
        }
    )
    ran = project.run("--fix", "--no-cache", "--output-format", "concise")
    assert "app/pay.py:5:45: CAP101" in ran.out
    assert pay in project.tree()["app/pay.py"].decode()
