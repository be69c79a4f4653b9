"""The quotes of new strings: those that the file has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import libcst as cst

if TYPE_CHECKING:
    from collections.abc import Container

_TRIPLE: Final = '"""'
_MORE: Final = 4
"""How many times as often a file has the one quote as the other, where it prefers it."""


def prefers_single(source: str) -> bool:
    """Whether a file's strings stand in single quotes, docstrings aside."""
    return source.count("'") > _MORE * source.replace(_TRIPLE, "").count('"')


def strings_in(module: cst.Module) -> set[int]:
    """The strings of a module, by `id`."""
    found = _Strings()
    module.visit(found)
    return found.ids


class _Strings(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[int] = set()

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        self.ids.add(id(node))


class Requote(cst.CSTTransformer):
    """Puts the strings that are not among the `old` ones into single quotes."""

    def __init__(self, old: Container[int]) -> None:
        super().__init__()
        self._old = old

    def leave_SimpleString(
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        """A string without quotes and escapes in it."""
        value = updated_node.value
        inner = updated_node.raw_value
        plain = value.endswith(f'"{inner}"') and not set("'\"\\") & set(inner)
        if id(original_node) in self._old or not plain or updated_node.quote != '"':
            return updated_node
        return updated_node.with_changes(value=f"{updated_node.prefix}'{inner}'")

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:
        """What stands in its holes cannot have its own quotes."""
        return False
