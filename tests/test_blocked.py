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
