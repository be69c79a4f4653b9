"""Top-level code that a file gets: at its end, or before what uses it while the file is imported."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from capsule_lint import syntax
from capsule_lint.lines import lines_of, newline_of, unit_of
from capsule_lint.rewrite.layout import indented

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.model import AppendCode


def add_code(source: str, additions: Sequence[AppendCode]) -> str:
    """`source` with the code of the additions; every other byte stays, but for blank lines."""
    for addition in additions:
        source = _added(source, addition.source)
    return source


def _added(source: str, code: str) -> str:
    newline = newline_of(source)
    new = indented(code, unit_of(source)).replace("\n", newline)
    if not source.strip():
        return new
    row = _first_use(source, code)
    beside = _constants_end(source, code, row)
    if beside is not None:
        lines = lines_of(source)
        before = "".join(lines[:beside]).removesuffix(newline) + newline
        return before + new + "".join(lines[beside:])
    if row is None:
        return source.rstrip("\r\n") + newline * 3 + new
    lines = lines_of(source)
    before = "".join(lines[: row - 1]).rstrip("\r\n")
    gap = newline * 3 if before else ""
    return before + gap + new + newline * 2 + "".join(lines[row - 1 :])


def _constants_end(source: str, code: str, use: int | None) -> int | None:
    """The last row of the constants that a file begins with, behind its imports, where the code is one more of them;
    those before what uses it."""
    try:
        body = syntax.parse(source).body
    except SyntaxError:
        return None
    row = None
    match ast.parse(code).body:
        case [ast.Assign(value=value)]:
            needed, below = set(_names(value, inside=True)), set[str]()
        case _:
            return None
    for number, statement in enumerate(body):
        named = list(_defined(statement))
        if use is not None and statement.lineno >= use:
            break
        if isinstance(statement, ast.Assign | ast.AnnAssign) and "".join(named).isupper():
            row = statement.end_lineno
        elif not isinstance(statement, ast.Import | ast.ImportFrom) and not _is_text(statement):
            below = {name for one in body[number:] for name in _defined(one)}
            break
    return None if needed & below else row


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _first_use(source: str, code: str) -> int | None:
    """The row of the first statement that needs what the code defines while the file is imported."""
    try:
        body = syntax.parse(source).body
    except SyntaxError:
        return None
    needed = {name for statement in ast.parse(code).body for name in _defined(statement)}
    if not needed:
        return None
    size = 0
    while size != len(needed):  # what is defined here may use it in turn
        size = len(needed)
        for statement in body:
            if needed & set(_names(statement, inside=True)):
                needed.update(_defined(statement))
    lines = lines_of(source)
    for statement in body:
        if needed & set(_names(statement, inside=False)):
            row = min([statement.lineno, *(d.lineno for d in _decorators(statement))])
            while row > 1 and lines[row - 2].lstrip().startswith("#"):
                row -= 1
            return row
    return None


def _defined(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case (
            ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name)
        ):
            yield name
        case ast.Assign(targets=targets):
            yield from (t.id for t in targets if isinstance(t, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def _decorators(statement: ast.stmt) -> list[ast.expr]:
    return getattr(statement, "decorator_list", [])


def _names(node: ast.AST, *, inside: bool) -> Iterator[str]:
    """The names that a node uses: with what the bodies of functions in it do, or without."""
    if isinstance(node, ast.Name):
        yield node.id
    hidden: list[ast.AST] = []
    if not inside and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        hidden = list(node.body)
    elif not inside and isinstance(node, ast.Lambda):
        hidden = [node.body]
    for child in ast.iter_child_nodes(node):
        if not any(child is one for one in hidden):
            yield from _names(child, inside=inside)
