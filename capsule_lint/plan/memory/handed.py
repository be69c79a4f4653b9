"""Keys that are handed on whole, one or several: where they are written."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import LISTED
from capsule_lint.program.inference.types import classes_of, is_kept, may_be_ours
from capsule_lint.program.local_names import behind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Class

    _Asked: TypeAlias = dict[tuple[Class, bool], list[tree.Node]]

_MAX_DEPTH: Final = 6
_CONTAINS: Final = "__contains__"
_BY_INDEX: Final = ("__getitem__", "__setitem__", "__delitem__", _CONTAINS)
"""Methods that brackets and `in` call, with the key first."""

_HOLDING: Final = (tree.Name, tree.Attr, tree.Call, tree.Subscript)
_WRITTEN_OUT: Final = (tree.Const, tree.Sequence, tree.FString, tree.DictDisplay)


class Handed(Struct, frozen=True, dict=True):
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
            yield from callee.surplus(call)

    def _given(self, binding: Binding) -> Iterator[tree.Node]:
        """What callers give for a parameter; who writes a key of scopes names these, and is known."""
        with self.program.names.aside():
            found = list(self.program.calls.passed_to(binding))
        yield from (*found, *self.by_index(binding))

    def is_index(self, binding: Binding) -> bool:
        """Whether a parameter is the key that brackets, or `in`, ask an object of the program's for."""
        method = binding.function
        return (
            method is not None
            and method.owner is not None
            and method.name in _BY_INDEX
            and method.own_params[:1] == (binding.parameter,)
        )

    def by_index(self, binding: Binding) -> list[tree.Node]:
        """What the program's own objects whose method has that parameter, which is the key, are asked for in
        brackets, `docs["acme", "1"]`, or what `in` asks them for: `("acme", "1") in docs`."""
        method = binding.function
        if method is None or method.owner is None or not self.is_index(binding):
            return []
        mro = self.program.classes.mro
        owners = {cls for cls in mro(method.owner) if method.name in cls.methods}
        self.program.names.ask(*sorted(owner.name for owner in owners))
        return [
            node
            for (cls, contained), nodes in self._indexes[0].items()
            if contained == (method.name == _CONTAINS) and not owners.isdisjoint(mro(cls))
            for node in nodes
        ]

    @property
    def unknown(self) -> list[tuple[tree.Node, tree.Sequence]]:
        """What nothing is known of that is asked for the parts of a key, and these."""
        return self._indexes[1]

    @cached_property
    def _indexes(self) -> tuple[_Asked, list[tuple[tree.Node, tree.Sequence]]]:
        """What objects are asked for, by their classes: what stands in brackets, or on the left of `in`; and what
        nothing is known of."""
        asked: _Asked = {}
        unknown = []
        names = self.program.names
        for node in (
            n for m in names.modules.values() for n in m.either(tree.Subscript, tree.Compare)
        ):
            for base, key, contained in _asking(node):
                types = self.program.inference.of(base)
                for cls in classes_of(types):
                    asked.setdefault((cls, contained), []).append(key)
                if all(may_be_ours(one) or is_kept(one) for one in types):
                    parts = behind(names, key)
                    unknown += [(base, parts)] if isinstance(parts, tree.Sequence) else []
        return asked, unknown


def _asking(node: tree.Node) -> Iterator[tuple[tree.Node, tree.Node, bool]]:
    """What is asked in brackets, or by `in`, the key that it is asked for, and whether it is by `in`."""
    match node:
        case tree.Subscript() if not isinstance(node.base, _WRITTEN_OUT):
            yield node.base, node.index, False
        case tree.Compare():
            lefts = (node.left, *node.rights)
            for left, op, right in zip(lefts, node.ops, node.rights, strict=False):
                if op in ("in", "not in") and isinstance(right, _HOLDING):
                    yield right, left, True
