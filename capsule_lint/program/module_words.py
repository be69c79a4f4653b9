"""The words of a module: what it imports, the names that it binds and reads, and its texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Module


def imported(module: Module) -> Iterator[str]:
    """The names of the modules that a module imports, as they are written there."""
    return (one.module for statement, _ in module.imports for one in statement.names)


def read_in(module: Module) -> Iterator[str]:
    """The names that a module reads, those by which it gives arguments, and its texts without holes."""
    for node in module.every(tree.Const, tree.Name, tree.Attr, tree.Call):
        match node:
            case tree.Const(value=str() as text):
                yield text
            case tree.Name(id=name) | tree.Attr(name=name):
                yield name
            case tree.Call():
                yield from (a.keyword for a in node.args if a.keyword is not None)


def said_in(module: Module) -> Iterator[str]:
    """The same, the names that a module binds, and what it writes out in texts with holes."""
    yield from module.scope.bindings
    for function in module.functions:
        yield from function.scope.bindings
    for cls in module.classes:
        yield from cls.scope.bindings
    yield from read_in(module)
    for node in module.each(tree.FString):
        yield from (part for part in node.parts if isinstance(part, str))
