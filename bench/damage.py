"""What a tool that rewrites calls did to the files: what it rewrote, and what it broke."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.recipe import SHIFTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_THREADED: Final = "shifted_"
_MARKS: Final = (b"orderbook", b"#ORDER#", b"#PARCEL#")
"""What is in every file in which something was planted, and in no other."""
_SCOPED: Final = 3
"""Arguments of a call that has the scope: tenant, capsule, order."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What became of the planted calls, and of everything around them.

    `valueless` calls got the name of a variable that does not exist where they stand. `elsewhere`
    counts changed files in which nothing was planted.
    """

    rewritten: int = 0
    threaded: int = 0
    unparsable: int = 0
    comments_lost: int = 0
    valueless: int = 0
    annotations_lost: int = 0
    elsewhere: int = 0

    @property
    def is_none(self) -> bool:
        """Whether nothing that stood there was broken."""
        lost = self.comments_lost + self.annotations_lost
        return not (self.unparsable + lost + self.valueless + self.elsewhere)


def assess(before: Mapping[str, bytes], changed: Mapping[str, bytes]) -> Damage:
    """Compare the files of a corpus with those that a tool changed, or added."""
    trees = {name: _parse(data) for name, data in changed.items()}
    sound = {name: tree for name, tree in trees.items() if tree is not None}
    return Damage(
        rewritten=sum(_is_scoped(c) for t in sound.values() for c in _calls(t, SHIFTED)),
        threaded=sum(_is_scoped(c) for t in sound.values() for c in _calls(t, _THREADED)),
        unparsable=len(trees) - len(sound),
        comments_lost=sum(_lost(before.get(n, b""), changed[n]) for n in sound),
        valueless=sum(_valueless(tree) for tree in sound.values()),
        annotations_lost=sum(_unannotated(n, before, tree) for n, tree in sound.items()),
        elsewhere=sum(not _is_planted(before.get(n, changed[n])) for n in changed),
    )


def count_calls(files: Mapping[str, bytes], name: str = SHIFTED) -> int:
    """How many calls of a function stand in files."""
    planted = [data for data in files.values() if name.encode() in data]
    return sum(1 for data in planted for _ in _calls(_parse(data), name))


def _is_planted(data: bytes) -> bool:
    return any(mark in data for mark in _MARKS)


def _parse(data: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except (ValueError, SyntaxError):
        return None


def _calls(tree: ast.AST | None, name: str) -> Iterator[ast.Call]:
    """The calls of a function, or of all functions whose names begin so if it ends in `_`."""
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if called == name or (name.endswith("_") and called.startswith(name)):
                yield node


def _is_scoped(call: ast.Call) -> bool:
    return len(call.args) + len(call.keywords) == _SCOPED


def _valueless(tree: ast.Module) -> int:
    """Calls that got `capsule_id` inside a function that has no such parameter."""
    return sum(
        isinstance(argument, ast.Name) and argument.id == "capsule_id"
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        and "capsule_id" not in {parameter.arg for parameter in function.args.args}
        for call in _calls(function, SHIFTED)
        for argument in call.args
    )


def _unannotated(name: str, before: Mapping[str, bytes], tree: ast.Module) -> int:
    """Parameters that had an annotation before and have none now."""
    old = _parse(before.get(name, b""))
    return sum((_annotated(old) - _annotated(tree)).values()) if old else 0


def _annotated(tree: ast.Module) -> Counter[tuple[str, str]]:
    return Counter(
        (function.name, parameter.arg)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for parameter in function.args.args
        if parameter.annotation
    )


def _lost(before: bytes, after: bytes) -> int:
    return sum((_comments(before) - _comments(after)).values())


def _comments(data: bytes) -> Counter[str]:
    tokens = tokenize.tokenize(io.BytesIO(data).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)
