"""Keys that are handed on whole, one or several: where they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import surplus
from capsule_lint.program.containers import LISTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding

_MAX_DEPTH: Final = 6


class Handed(Struct, frozen=True):
    """Follows keys back to who writes them."""

    program: Program

    def written(self, key: tree.Node, depth: int = 0) -> Iterator[tree.Node]:
        """The expressions that a key is, where it is a parameter or what a loop gives."""
        match key:
            case tree.Name() if depth < _MAX_DEPTH:
                for binding in self.program.names.bindings_of(key):
                    if binding.kind == "for" and not binding.path and binding.value is not None:
                        yield from self._elements(binding.value, depth + 1)
                    for value in self._values(binding):
                        yield from self.written(value, depth + 1)
            case _:
                yield key

    def elements(self, keys: tree.Node) -> Iterator[tree.Node]:
        """The expressions that are elements of several keys."""
        yield from self._elements(keys, 0)

    def _elements(self, node: tree.Node, depth: int) -> Iterator[tree.Node]:
        match node:
            case tree.Sequence():
                for item in node.items:
                    yield from self.written(item, depth + 1)
            case tree.Comprehension() if node.kind != "DictComp":
                yield from self.written(node.results[0], depth + 1)
            case tree.Call(func=tree.Name(id=name), args=(only, *_)) if name in LISTED:
                yield from self._elements(only.value, depth + 1)
            case tree.Name() if depth < _MAX_DEPTH:
                for binding in self.program.names.bindings_of(node):
                    for one in self._surplus(binding):
                        several = self._elements if one.star else self.written
                        yield from several(one.value, depth + 1)
                    for value in self._values(binding):
                        yield from self._elements(value, depth + 1)

    def _values(self, binding: Binding) -> Iterator[tree.Node]:
        """What a parameter or a local is."""
        if binding.kind == "param":
            yield from self._given(binding)
        elif binding.assigned is not None:
            yield binding.assigned

    def _surplus(self, binding: Binding) -> Iterator[tree.Argument]:
        """What callers give a function of which `*keys` takes all that is left."""
        function, own = binding.function, binding.parameter
        if function is None or own is None or own.kind != "*":
            return
        with self.program.names.aside():
            callers = list(self.program.calls.callers(function))
        for call, callee in callers:
            yield from surplus(call.args, function.params, callee.given)

    def _given(self, binding: Binding) -> Iterator[tree.Node]:
        """What callers give for a parameter; who writes a key of scopes names these, and is known."""
        with self.program.names.aside():
            found = list(self.program.calls.passed_to(binding))
        yield from found
