"""Where the nodes of a LibCST module stand in its code: one pass that makes the code as well.

LibCST's own providers keep two objects a node and read every token for ends of lines; what is asked
here is the place of few nodes, so offsets are kept and rows are counted where they are asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from libcst._nodes.internal import CodegenState

from capsule_lint.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import libcst as cst


class Offsets:
    """The offsets of the nodes of a module, and the nodes around them. All nodes are given by `id`:
    only while the module is kept do they mean anything."""

    def __init__(self, module: cst.Module) -> None:
        state = _Recorder(module.default_indent, module.default_newline)
        module._codegen(state)
        self.code = "".join(state.tokens)
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
        return self._point(start), self._point(end)

    def starting(self, points: Iterable[tuple[int, int]]) -> set[int]:
        """The nodes that start at one of these points, and all nodes around them."""
        rows = [(row, column) for row, column in points if 0 < row <= len(self._lines)]
        wanted = {self._lines[row - 1] + column for row, column in rows}
        found: set[int] = set()
        for node, (start, _) in self._ranges.items():
            if start in wanted:
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


class _Recorder(CodegenState):
    """LibCST's own maker of code, which notes where each node begins and ends."""

    def __init__(self, indent: str, newline: str) -> None:
        super().__init__(indent, newline)
        self.at = 0
        self.ranges: dict[int, tuple[int, int]] = {}
        self.parents: dict[int, int] = {}
        self._open: list[tuple[int, int]] = []

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        self.at += sum(map(len, self.indent_tokens))

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.at += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        if self._open:
            self.parents[id(node)] = self._open[-1][0]
        self._open.append((id(node), self.at))

    def after_codegen(self, node: cst.CSTNode) -> None:
        known, start = self._open.pop()
        self.ranges.setdefault(known, (start, self.at))

    def record_syntactic_position(  # type: ignore[override]  # callers only enter and leave it
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
        self.start = recorder.at

    def __enter__(self) -> None:
        """Where it begins is known."""

    def __exit__(self, *_: object) -> None:
        recorder = self.recorder
        ranges = recorder.ranges
        start = self.start if self.first is None else ranges[id(self.first)][0]
        end = recorder.at if self.last is None else ranges[id(self.last)][1]
        ranges[id(self.node)] = start, end
