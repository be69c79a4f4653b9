"""A use that nobody can follow blocks what it may reach, and whatever is changed all the same works."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.pytests import run_tests
from tests.test_cases import files_of, sampled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.project import Project

_EACH = 4
"""Functions of a case that are blocked, one at a time."""


def _definitions(program: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """The functions and methods of a program, tests aside: module, what is imported, what is used."""
    for name, code in program.items():
        if not re.fullmatch(r"app/(?!context|fake)\w+\.py", name):
            continue
        module = name.removesuffix(".py").replace("/", ".")
        for node in ast.parse(code).body:
            if isinstance(node, ast.FunctionDef):
                yield module, node.name, node.name
            elif isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("__"):
                        yield module, node.name, f"{node.name}.{inner.name}"


@pytest.mark.slow
@pytest.mark.parametrize("path", sampled(60), ids=lambda path: path.stem)
def test_a_blocked_change_leaves_a_working_program(path: Path, project: Project) -> None:
    text = path.read_text()
    program = files_of(text)[0]
    if text.startswith(("reported", "silent")) or not any("tests/test_" in n for n in program):
        pytest.skip("nothing is fixed, or nothing shows that it works")
    for module, imported, used in list(_definitions(program))[:_EACH]:
        hook = (
            f"from {module} import {imported}\n\n\ndef hook(unknown):\n    unknown.add({used})\n"
        )
        if "tests/helpers.py" not in program:
            (project.root / "tests" / "helpers.py").unlink(missing_ok=True)
        project.write({**program, "app/hooks.py": hook})
        ran = project.run("--fix", "--allow-dirty", "--no-cache", "--output-format", "concise")
        tests = run_tests(project.root)
        assert tests.status == 0, f"{used}\n{ran.out}\n{tests.out[-3000:]}"


_POLICY = """\
[tool.capsule-lint]
src = ["app"]
[[tool.capsule-lint.scopes]]
name = "tenant"
segment = "TENANT#{tenant_id}"
sources = ['new["tenant_id"]']
[[tool.capsule-lint.scopes]]
name = "capsule"
segment = "CAPSULE#{capsule_id}"
sources = ['new["capsule_id"]']
"""
_ENTITY = """\
from dataclasses import dataclass


@dataclass
class {0}:
    tenant_id: str
    {1}: str

    def to_item(self):
        return {{
            "PK": f"TENANT#{{self.tenant_id}}#{2}#{{self.{1}}}",
            "SK": "-",
            "tenant_id": self.tenant_id,
            "{1}": self.{1},
        }}
"""
_STREAM = """\
from app.fake import table


def handler(event, context=None):
    for record in event["Records"]:
        moved(record["dynamodb"]["NewImage"])
        counted(record["dynamodb"]["NewImage"])


def moved(new):
    pk = f"TENANT#{new['tenant_id']}#LOG"
    table.put_item(Item={"PK": pk, "SK": "LOG", "parcel_id": new.get("parcel_id")})


def counted(new):
    table.put_item(Item={"PK": f"TENANT#{new['tenant_id']}#COUNT", "SK": "COUNT"})
"""


def test_what_reads_items_of_a_stream_waits_for_those_alone(project: Project) -> None:
    depot = _ENTITY.format("Depot", "city", "DEPOT")
    depot += '\n\ndef imported(line):\n    return Depot(*line.split(","))\n'
    project.write(
        {
            "pyproject.toml": _POLICY,
            "app/__init__.py": "",
            "app/fake.py": "table = None\n",
            "app/depot.py": depot,
            "app/parcel.py": _ENTITY.format("Parcel", "parcel_id", "PARCEL"),
            "app/stream.py": _STREAM,
        }
    )
    project.run("--fix", "--allow-dirty", "--no-cache")
    after = {name: code.decode() for name, code in project.tree().items()}
    assert after["app/depot.py"] == depot
    assert "CAPSULE#{self.capsule_id}#PARCEL" in after["app/parcel.py"]
    assert "CAPSULE#{new['capsule_id']}#LOG" in after["app/stream.py"]
    assert "#{new['tenant_id']}#COUNT" in after["app/stream.py"]
