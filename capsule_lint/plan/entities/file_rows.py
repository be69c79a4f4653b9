"""Rows of files that `csv.DictReader` or pandas reads, and rows of SQL: which an expression may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.containers import LISTED
from capsule_lint.program.local_names import assigned
from capsule_lint.program.model import last_name
from capsule_lint.program.purposes.sql import MANY_ROWS, ONE_ROW, is_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding

_MAX_DEPTH: Final = 6
_SAME_ROWS: Final = LISTED | {"islice", "filter"}
"""What gives rows that it is given, all or some."""
_ROWS: Final = MANY_ROWS | {"DictReader"}
"""What gives rows of a file or of SQL."""
_FIRST: Final = frozenset(("one", "one_or_none", "first"))
_SAME_RESULT: Final = frozenset(("all", "mappings"))
"""Methods of what a statement gives."""


@dataclass(eq=False, slots=True)
class FileRows:
    """Follows expressions back to what reads a file, or asks SQL."""

    program: Program
    _rows: dict[tuple[int, int], list[tree.Node]] = field(default_factory=dict)
    _reading: dict[tuple[int, int], bool] = field(default_factory=dict)
    """What is known of expressions, by how many others lead to them: many ways lead to each."""

    def of(self, node: tree.Node, depth: int = 0) -> list[tree.Node]:
        """Where a dict that an expression may be is named, which has what a file has in its line, or the columns that
        a statement gives."""
        key = id(node), depth
        if key not in self._rows:
            found = self._of(node, depth) if depth <= _MAX_DEPTH else ()
            self._rows[key] = list({id(one): one for one in found}.values())
        return self._rows[key]

    def _of(self, node: tree.Node, depth: int) -> Iterator[tree.Node]:
        match node:
            case tree.Name():
                bindings = self.program.names.bindings_of(node)
                for binding in bindings:
                    yield from self._bound(node, binding, depth + 1)
            case tree.Call(func=tree.Name(id="dict"), args=(only,)) if only.keyword is None:
                yield from self.of(only.value, depth + 1)
            case tree.Wrapped(kind="await"):
                yield from self.of(node.value, depth + 1)
            case tree.Call(func=tree.Name(id="next"), args=(first, *_)):
                if self._reads(first.value, depth + 1):
                    yield node
            case tree.Call() if callees := self.program.calls.callees(node):
                for callee in callees:
                    for value in callee.function.returns if callee.function is not None else ():
                        yield from self.of(value, depth + 1)
            case tree.Call(func=tree.Attr(name=name)) if name in ONE_ROW:
                yield node
            case tree.Call(func=tree.Attr(name=name, base=base)) if name in _FIRST:
                if self._reads(base, depth + 1):
                    yield node
            case tree.Subscript(base=base, index=index) if tree.integer(index) is not None:
                if self._reads(base, depth + 1):
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
            if last_name(value.func) == "iterrows":
                return not self.program.calls.callees(value)
            counted = last_name(value.func) == "enumerate" and bool(value.args)
            return counted and self._reads(value.args[0].value, depth)
        return not binding.path and self._reads(value, depth)

    def _reads(self, node: tree.Node, depth: int) -> bool:
        """Whether an expression gives the rows of a file, or of SQL."""
        key = id(node), depth
        if key not in self._reading:
            self._reading[key] = depth <= _MAX_DEPTH and self._finds_reading(node, depth)
        return self._reading[key]

    def _finds_reading(self, node: tree.Node, depth: int) -> bool:
        match node:
            case tree.Wrapped(kind="await"):
                return self._reads(node.value, depth + 1)
            case tree.Call() if callees := self.program.calls.callees(node):
                functions = [c.function for c in callees if c.function is not None]
                return any(self._reads(v, depth + 1) for f in functions for v in f.returns)
            case tree.Call() if last_name(node.func) in _ROWS or is_sql(node):
                return True
            case tree.Call(func=tree.Attr(name="to_dict")):
                return any(tree.text(argument.value) == "records" for argument in node.args)
            case tree.Call(func=tree.Attr(name=name, base=base)) if name in _SAME_RESULT:
                return self._reads(base, depth + 1)
            case tree.Call() if last_name(node.func) in _SAME_ROWS and node.args:
                return any(self._reads(argument.value, depth + 1) for argument in node.args)
            case tree.Name():
                values = assigned(self.program.names, node)
                return any(self._reads(value, depth + 1) for value in values)
            case _:
                return False
