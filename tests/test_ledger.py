"""Every token that is equal to a changing name has one row in the ledger, whatever kind of token it is."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import tomli

from tests.test_cases import CONTEXT, POLICY, files_of, sampled, some_slow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.project import Project

BINDERS = '''\
import app.doc_pk
import app.doc_pk as doc_pk
from app.doc_pk import X
from app.doc_pk import X as doc_pk  # doc_pk
from app.keys import doc_pk as make
from app import (
    doc_pk as mod,
    keys,
)

def rebind():
    global doc_pk, \\
        X
    doc_pk = 1

def outer():
    doc_pk = 1

    def inner():
        nonlocal doc_pk
        doc_pk = 2

    return inner

def params(doc_pk, *, make=None, **get):
    return [lambda doc_pk, *make: 1, doc_pk]

def bind(x):
    if (doc_pk := x) and [doc_pk for doc_pk in x]:
        return doc_pk
    try:
        pass
    except (ValueError, TypeError) as doc_pk:  # doc_pk
        print(doc_pk)
    except ValueError as doc_pk: print(doc_pk)
    match x:
        case {"a": 1, **doc_pk}:
            return doc_pk
        case [1, *doc_pk]:
            return doc_pk
        case int() as doc_pk:
            return doc_pk
        case doc_pk if doc_pk:
            return doc_pk
    with x as doc_pk, x as (a, doc_pk):
        del doc_pk

class Holder:
    doc_pk: int = 1

    def f(self, x: "Holder"):
        """doc_pk"""
        return self.doc_pk + x.doc_pk

def keywords(doc_pk=keys.doc_pk):
    keywords(doc_pk=1)
    return f"{doc_pk}" + "doc_pk" + "app.keys.doc_pk"

def use(tenant_id):
    return keys.doc_pk(tenant_id, "1") + make(tenant_id, "2")
'''
KEYS = """\
def doc_pk(tenant_id, doc_id):
    return f"TENANT#{tenant_id}#DOC#{doc_id}"
"""


def _tokens(text: str, names: set[str]) -> Iterator[tuple[int, int]]:
    """Where identifiers and strings stand that are equal to one of the names."""
    for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
        word = token.string if token.type == tokenize.NAME else ""
        if token.type == tokenize.STRING and token.string[0] in "'\"":
            value = ast.literal_eval(token.string)
            word = value.rpartition(".")[2] if isinstance(value, str) else ""
        if word in names:
            yield token.start[0], token.start[1] + 1


def _check(project: Project, files: dict[str, str]) -> None:
    rows = project.check("--ledger", "--no-cache").data
    places = Counter((row["filename"], row["row"], row["column"]) for row in rows)
    assert set(places.values()) <= {1}
    names = {row["symbol"].rpartition(".")[2] for row in rows}
    missed = [
        (name, row, column)
        for name, text in files.items()
        if name.endswith(".py")
        for row, column in _tokens(text, names)
        # the name in the string of an annotation stands behind its quote
        if not {(name, row, column), (name, row, column + 1)} & set(places)
    ]
    assert missed == []


def test_every_binder_of_a_changing_name_has_a_row(project: Project) -> None:
    files = {
        "app/__init__.py": "",
        "tests/__init__.py": "",
        "app/doc_pk.py": "X = 1\n",
        "app/context.py": CONTEXT,
    }
    files |= {"app/keys.py": KEYS, "app/other.py": BINDERS, "pyproject.toml": POLICY}
    project.write(files)
    _check(project, files)


@pytest.mark.parametrize("path", some_slow(sampled(24, at=1), fast=1, of=3))
def test_every_occurrence_in_a_case_has_a_row(path: Path, project: Project) -> None:
    files, _ = files_of(path.read_text())
    project.write(files)
    policy = tomli.loads(files["pyproject.toml"])["tool"]["capsule-lint"]
    roots = tuple(f"{root}/" for root in policy.get("src", ())) or ("",)
    _check(project, {name: text for name, text in files.items() if name.startswith(roots)})
