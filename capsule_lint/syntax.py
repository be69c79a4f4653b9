"""Code to the standard library's syntax tree, also where it is newer than the running interpreter."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import libcst as cst

_NEWEST = (3, 14)
"""The first version whose syntax needs no help here."""
_UNFIT = re.compile(r"[\\'\"\r\n]")
_LETTERS = "rRfF"
_OTHER_QUOTE = {'"': "'", "'": '"'}


def parse(text: str) -> ast.Module:
    """The tree of a module; positions are those of `text`. Raises as `read` does."""
    return read(text)[1]


def read(text: str) -> tuple[str, ast.Module]:
    """`text`, if this interpreter reads it, or else a text of the same shape that it reads; its tree.

    Type parameters become blanks, `type X = Y` an assignment, and strings inside of f-strings other
    strings of the same length: every other character stays where it is.
    Raises SyntaxError, ValueError (null characters), RecursionError or MemoryError.
    """
    try:
        return text, ast.parse(text)
    except SyntaxError:
        older = _older(text) if sys.version_info < _NEWEST else None
        if older is None:
            raise
        return older, ast.parse(older)


def check(before: str, after: str) -> None:
    """Raise SyntaxError when a text cannot be compiled, though the one that it was made of can.

    The parser alone accepts `def f(a): global a`, a `return` outside of functions, and the like.
    """
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        _compile(after)  # as it nearly always can be, without a tree
        return
    older, _ = read(after)
    try:
        _compile(older)
    except SyntaxError:
        try:
            _compile(read(before)[0])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return  # it never could be
        raise
    except (RecursionError, MemoryError):
        return


def _compile(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(text, "<text>", "exec", dont_inherit=True)


def _older(text: str) -> str | None:
    import libcst as cst
    from libcst.metadata import MetadataWrapper, PositionProvider

    try:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    except (cst.ParserSyntaxError, RecursionError):
        return None
    if wrapper.module.code != text:
        return None
    ranges = wrapper.resolve(PositionProvider)
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + column

    characters = list(text)
    for node, new in _changes(wrapper.module):
        found = ranges[node]
        first = offset(found.start.line, found.start.column)
        last = offset(found.end.line, found.end.column)
        replaced = new("".join(characters[first:last]))
        if len(replaced) == last - first:
            characters[first:last] = replaced
    return "".join(characters)


def _blank(code: str) -> str:
    return re.sub(r"[^\r\n]", " ", code)


def _assignment(code: str) -> str:
    """`type X[T] = int` as `X         = int`."""
    found = re.match(r"type\s+(?P<name>\w+)(?P<between>[^=]*)=", code)
    if found is None:
        return code
    head = found["name"].ljust(found.end() - 1) + "="
    return head + code[found.end() :]


def _changes(module: cst.Module) -> list[tuple[cst.CSTNode, Callable[[str], str]]]:
    """The nodes that older interpreters cannot read, and how each is written for them."""
    import libcst as cst

    found: list[tuple[cst.CSTNode, Callable[[str], str]]] = []

    class Finder(cst.CSTVisitor):
        def __init__(self) -> None:
            super().__init__()
            self._quotes: list[str] = []

        def visit_TypeParameters(self, node: cst.TypeParameters) -> None:
            found.append((node, _blank))

        def visit_TypeAlias(self, node: cst.TypeAlias) -> bool:
            found.append((node, _assignment))
            return False

        def visit_FormattedString(self, node: cst.FormattedString) -> None:
            outer = self._quotes[-1] if self._quotes else ""
            quote: str = node.quote if len(node.quote) == 1 else ""
            if outer and quote == outer:
                quote = _OTHER_QUOTE[outer]
                found.append((node, partial(_outer_quotes, quote=quote)))
            self._quotes.append(quote)

        def leave_FormattedString(self, original_node: cst.FormattedString) -> None:
            self._quotes.pop()

        def visit_SimpleString(self, node: cst.SimpleString) -> None:
            outer = self._quotes[-1] if self._quotes else ""
            if outer:
                found.append((node, _Requoted(_OTHER_QUOTE[outer])))

    module.visit(Finder())
    return found


def _outer_quotes(code: str, quote: str) -> str:
    """An f-string in other quotes."""
    start = len(code) - len(code.lstrip(_LETTERS))
    return f"{code[:start]}{quote}{code[start + 1 : -1]}{quote}"


class _Requoted:
    """Writes a string literal with another quote, and without what older f-strings cannot hold."""

    def __init__(self, quote: str) -> None:
        self._quote = quote

    def __call__(self, code: str) -> str:
        found = re.fullmatch(
            r"(?P<prefix>\w*)(?P<quote>'''|\"\"\"|'|\")(?P<body>.*)(?P=quote)", code, re.S
        )
        if found is None:
            return code
        body = _UNFIT.sub("_", found["body"]).center(len(code) - len(found["prefix"]) - 2, "_")
        return f"{found['prefix']}{self._quote}{body}{self._quote}"
