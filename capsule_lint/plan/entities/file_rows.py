"""Rows of files that `csv.DictReader` reads: which an expression may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import LISTED
from capsule_lint.program.local_names import assigned
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding

_MAX_DEPTH: Final = 6
_SAME_ROWS: Final = LISTED | {"islice", "filter"}
"""What gives rows that it is given, all or some."""


class FileRows(Struct, frozen=True):
    """Follows expressions back to what reads a file."""

    program: Program

    def of(self, node: tree.Node, depth: int = 0) -> Iterator[tree.Node]:
        """Where a dict that an expression may be is named, which has what a file has in its line."""
        if depth > _MAX_DEPTH:
            return
        match node:
            case tree.Name():
                bindings = self.program.names.bindings_of(node)
                for binding in bindings:
                    yield from self._bound(node, binding, depth + 1)
            case tree.Call(func=tree.Name(id="dict"), args=(only,)) if only.keyword is None:
                yield from self.of(only.value, depth + 1)
            case tree.Call(func=tree.Name(id="next"), args=(first, *_)):
                if self._reads(first.value, depth + 1):
                    yield node

    def _bound(self, node: tree.Name, binding: Binding, depth: int) -> Iterator[tree.Node]:
        value = binding.value
        match binding.kind:
            case "assign" if value is not None and not binding.path:
                yield from self.of(value, depth)
            case "for" if value is not None and self._is_row(binding, value, depth):
                yield node
            case "param":
                for given in self.program.calls.passed_to(binding):
                    yield from self.of(given, depth)

    def _is_row(self, binding: Binding, value: tree.Node, depth: int) -> bool:
        """Whether a loop goes through the rows of a file."""
        if binding.path == (1,) and isinstance(value, tree.Call):
            counted = last_name(value.func) == "enumerate" and bool(value.args)
            return counted and self._reads(value.args[0].value, depth)
        return not binding.path and self._reads(value, depth)

    def _reads(self, node: tree.Node, depth: int) -> bool:
        """Whether an expression gives the rows of a file."""
        match node:
            case tree.Call() if last_name(node.func) == "DictReader":
                return not self.program.calls.callees(node)
            case tree.Call() if last_name(node.func) in _SAME_ROWS and node.args:
                return depth <= _MAX_DEPTH and any(
                    self._reads(argument.value, depth + 1) for argument in node.args
                )
            case tree.Name() if depth <= _MAX_DEPTH:
                values = assigned(self.program.names, node)
                return any(self._reads(value, depth + 1) for value in values)
            case _:
                return False
