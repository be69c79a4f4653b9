"""Keys that are handed on whole, one or several: where they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import surplus
from capsule_lint.program.containers import LISTED
from capsule_lint.program.inference.types import classes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Class

_MAX_DEPTH: Final = 6
_BY_INDEX: Final = ("__getitem__", "__setitem__", "__delitem__")
"""Methods that brackets call, with the key first."""


class Handed(Struct, frozen=True):
    """Follows keys back to who writes them."""

    program: Program
    _asked: dict[Class, list[tree.Node]] = field(default_factory=dict)

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
        yield from (*found, *self.by_index(binding))

    def by_index(self, binding: Binding) -> list[tree.Node]:
        """What stands in brackets behind the program's own objects whose method has that parameter, which is
        the key that brackets ask for: `docs["acme", "1"]`."""
        method = binding.function
        if method is None or method.owner is None or method.name not in _BY_INDEX:
            return []
        if method.own_params[:1] != (binding.parameter,):
            return []
        mro = self.program.classes.mro
        owners = {cls for cls in mro(method.owner) if method.name in cls.methods}
        self.program.names.ask(*sorted(owner.name for owner in owners))
        indexes = self._indexes().items()
        return [n for cls, nodes in indexes if not owners.isdisjoint(mro(cls)) for n in nodes]

    def _indexes(self) -> dict[Class, list[tree.Node]]:
        """What stands in brackets behind objects, by their classes."""
        if not self._asked:
            modules = self.program.names.modules.values()
            for node in (one for module in modules for one in module.each(tree.Subscript)):
                if isinstance(node.base, tree.Name | tree.Attr | tree.Call):
                    for cls in classes_of(self.program.inference.of(node.base)):
                        self._asked.setdefault(cls, []).append(node.index)
        return self._asked
