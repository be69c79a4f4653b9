"""Where the nodes of a LibCST module stand in its code: one pass that makes the code as well.

LibCST's own providers keep two objects a node and read every token for ends of lines; what is asked
here is the place of few nodes, so offsets are kept and rows are counted where they are asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from contextlib import nullcontext
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from libcst._nodes.internal import CodegenState

from capsule_lint.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    import libcst as cst

_NOWHERE: Final = nullcontext()


def code_of(module: cst.Module) -> str:
    """The code of a module."""
    state = _Writer(module.default_indent, module.default_newline)
    module._codegen(state)
    return "".join(state.tokens)


class Offsets:
    """The offsets of the nodes of a module, and the nodes around them. All nodes are given by `id`:
    only while the module is kept do they mean anything."""

    def __init__(self, module: cst.Module) -> None:
        state = _Recorder(module.default_indent, module.default_newline)
        module._codegen(state)
        self.code = "".join(state.tokens)
        self._offsets = [0, *accumulate(map(len, (*state.tokens, state.popped)))]
        self._ranges = state.ranges
        self._parents = state.parents
        lines = lines_of(self.code)
        ended = not lines or lines[-1].endswith(("\n", "\r"))
        self._lines = [0, *accumulate(map(len, lines if ended else lines[:-1]))]

    def at(self, node: cst.CSTNode) -> tuple[tuple[int, int], tuple[int, int]]:
        """The start and the end of a node, without the space around it: rows from 1, columns from 0.

        Raises KeyError for a node that is not the module's.
        """
        start, end = self._ranges[id(node)]
        return self._point(self._offsets[start]), self._point(self._offsets[end])

    def starting(self, points: Iterable[tuple[int, int]]) -> set[int]:
        """The nodes that start at one of these points, and all nodes around them."""
        rows = [(row, column) for row, column in points if 0 < row <= len(self._lines)]
        wanted = {self._lines[row - 1] + column for row, column in rows}
        tokens = {number for number, offset in enumerate(self._offsets) if offset in wanted}
        found: set[int] = set()
        for node, (start, _) in self._ranges.items():
            if start in tokens:
                found.update(self._upwards(node, found))
        return found

    def _upwards(self, node: int, known: set[int]) -> Iterator[int]:
        at: int | None = node
        while at is not None and at not in known:
            yield at
            at = self._parents.get(at)

    def _point(self, offset: int) -> tuple[int, int]:
        row = bisect_right(self._lines, offset)
        return row, offset - self._lines[row - 1]


class _Writer(CodegenState):
    """LibCST's own maker of code, without what it does for places that nobody asks for."""

    def __init__(self, indent: str, newline: str) -> None:
        super().__init__(indent, newline)
        self.add_token = self.tokens.append  # type: ignore[assignment]  # all that it does

    def record_syntactic_position(  # type: ignore[override]  # callers only enter and leave it
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> AbstractContextManager[None]:
        return _NOWHERE


class _Recorder(_Writer):
    """The same, noting between which tokens each node stands."""

    def __init__(self, indent: str, newline: str) -> None:
        super().__init__(indent, newline)
        self.ranges: dict[int, tuple[int, int]] = {}
        self.parents: dict[int, int] = {}
        self.popped = ""
        """The end of the last line, where the module has none."""
        self._open: list[tuple[int, int]] = []

    def pop_trailing_newline(self) -> None:
        self.popped = self.tokens[-1] if self.tokens else ""
        super().pop_trailing_newline()

    def before_codegen(self, node: cst.CSTNode) -> None:
        known = id(node)
        if self._open:
            self.parents[known] = self._open[-1][0]
        self._open.append((known, len(self.tokens)))

    def after_codegen(self, node: cst.CSTNode) -> None:
        known, start = self._open.pop()
        if known not in self.ranges:
            self.ranges[known] = start, len(self.tokens)

    def record_syntactic_position(  # type: ignore[override]
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Syntactic:
        return _Syntactic(self, node, start_node, end_node)


class _Syntactic:
    """Notes where a node is without the space around it, when its code has been made."""

    __slots__ = ("first", "last", "node", "recorder", "start")

    def __init__(
        self,
        recorder: _Recorder,
        node: cst.CSTNode,
        first: cst.CSTNode | None,
        last: cst.CSTNode | None,
    ) -> None:
        self.recorder, self.node, self.first, self.last = recorder, node, first, last
        self.start = len(recorder.tokens)

    def __enter__(self) -> None:
        """Where it begins is known."""

    def __exit__(self, *_: object) -> None:
        recorder = self.recorder
        ranges = recorder.ranges
        start = self.start if self.first is None else ranges[id(self.first)][0]
        end = len(recorder.tokens) if self.last is None else ranges[id(self.last)][1]
        ranges[id(self.node)] = start, end
