"""Syntax that is newer than the interpreter is read, and every character stays in its place."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from capsule_lint import syntax

if TYPE_CHECKING:
    from tests.project import Project

NEWER = [
    "def f[T](x: T) -> T:\n    return x\n",
    "class Box[T: (int, str), *Ts, **P]:\n    pass\n",
    "type Row[T] = dict[str, T]\n",
    "type Row = int  # a comment\n",
    'x = f"{\'-\'.join("ab")}"\n',
    'x = f"{d["key"]}#{"\\n".join(rows)}"\n',
    'x = f"{f"{y}"}"\n',
]


@pytest.mark.parametrize("text", NEWER)
def test_newer_syntax_is_read(text: str) -> None:
    older, tree = syntax.read(text)
    assert len(older) == len(text)
    assert isinstance(tree, ast.Module)
    same = [a == b for a, b in zip(text, older, strict=True)]
    assert sum(same) > len(same) // 2


def test_code_that_the_interpreter_reads_stays_as_it_is() -> None:
    text = "x = f'{y}'\n"
    assert syntax.read(text)[0] is text


def test_what_nobody_reads_is_a_syntax_error() -> None:
    with pytest.raises(SyntaxError):
        syntax.read("def f(:\n")


def test_a_file_with_newer_syntax_is_fixed(project: Project) -> None:
    project.write(
        {
            "app.py": """
            def order_pk[T: str](tenant_id: T, order_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDER#{"-".join(["o", order_id])}"


            def first(tenant_id: str, capsule_id: str) -> str:
                return order_pk(tenant_id, "1")
            """
        }
    )
    assert project.run("--fix").status == 0
    assert project.read("app.py") == (
        "def order_pk[T: str](tenant_id: T, capsule_id: str, order_id: str) -> str:\n"
        '    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{"-".join(["o", order_id])}"\n'
        "\n\n"
        "def first(tenant_id: str, capsule_id: str) -> str:\n"
        '    return order_pk(tenant_id, capsule_id, "1")\n'
    )
