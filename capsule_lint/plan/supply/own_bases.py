"""Methods of Python's own classes, as their source has them. Nothing is imported: a program may have modules of the same
names, and what is read must not run."""

from __future__ import annotations

import ast
import builtins
import sysconfig
from functools import cache
from pathlib import Path
from typing import Final

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_MAX_DEPTH: Final = 8


def declares(dotted: str, method: str, depth: int = 0) -> bool | None:
    """Whether the class `http.server.BaseHTTPRequestHandler` has a method, or inherits it; `None` where its source does
    not tell."""
    module, _, own = dotted.rpartition(".")
    tree = _tree(module) if depth < _MAX_DEPTH else None
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == own:
            if any(isinstance(f, _FUNCTIONS) and f.name == method for f in node.body):
                return True
            found = {_inherited(module, base, method, depth) for base in node.bases}
            return True if True in found else None if None in found else False
    for home in _homes(module, own):
        if (said := declares(home, method, depth + 1)) is not None:
            return said
    return None


def _inherited(module: str, base: ast.expr, method: str, depth: int) -> bool | None:
    name = ast.unparse(base).partition("[")[0]
    if "." not in name and isinstance(getattr(builtins, name, None), type):
        return hasattr(getattr(builtins, name), method)
    return declares(f"{module}.{name}" if "." not in name else name, method, depth + 1)


def _homes(module: str, own: str) -> list[str]:
    """Where a name of a module may come from."""
    tree, found = _tree(module), list[str]()
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.ImportFrom):
            package = module if _path(module).is_dir() else module.rpartition(".")[0]
            around = package.split(".")[: len(package.split(".")) + 1 - node.level]
            source = ".".join([*(around if node.level else ()), *filter(None, (node.module,))])
            found += [
                f"{source}.{own if one.name == '*' else one.name}"
                for one in node.names
                if (one.asname or one.name) in (own, "*")
            ]
    return found


def _path(module: str) -> Path:
    return Path(sysconfig.get_path("stdlib"), *module.split("."))


@cache
def _tree(module: str) -> ast.Module | None:
    path = _path(module)
    for file in (path / "__init__.py", path.with_suffix(".py")):
        if file.is_file():
            return ast.parse(file.read_bytes())
    return None
