"""What models of PynamoDB's, and classes like them, declare as partition keys."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.model import Class


class Hashes:
    """The partition keys that classes declare, by the names of their attributes."""

    def __init__(self, classes: Classes, calls: Calls) -> None:
        self._classes = classes
        self._calls = calls
        self._known: dict[Class, list[tuple[str, bool]]] = {}

    def of(self, cls: Class) -> list[tuple[str, bool]]:
        """The attributes that a model declares as partition keys, of its table and of its indexes:
        `UnicodeAttribute(hash_key=True)`, `__hash_key__ = "owner"`; each with whether it is one of an
        index."""
        if cls not in self._known:
            self._known[cls] = list(dict.fromkeys(self._declared(cls)))
        return self._known[cls]

    @cached_property
    def declared(self) -> frozenset[str]:
        """All attributes that any model declares as a partition key."""
        if not self.has_models and not any(map(_names_hash, self._classes.all)):
            return frozenset()
        models = [c for c in self._classes.all if self._classes.is_data(c)]
        return frozenset(name for cls in models for name, _ in self.of(cls))

    @cached_property
    def has_models(self) -> bool:
        """Whether there are models of PynamoDB's at all: to know what is called costs much."""
        return any(map(self._classes.is_pynamo, self._classes.all))

    def _declared(self, cls: Class) -> Iterator[tuple[str, bool]]:
        for owner in self._classes.mro(cls):
            for name, bindings in owner.scope.bindings.items():
                value = bindings[-1].value
                if name == "__hash_key__" and isinstance(value, tree.Const):
                    yield str(value.value), False
                if not isinstance(value, tree.Call):
                    continue
                if _is_hash(value):
                    yield name, self._classes.is_pynamo_index(cls)
                for callee in self._calls.callees(value):
                    if callee.cls is not None and self._classes.is_pynamo_index(callee.cls):
                        yield from self._declared(callee.cls)


def _names_hash(cls: Class) -> bool:
    """Whether a class itself says which of its attributes is a partition key."""
    return "__hash_key__" in cls.scope.bindings or any(
        isinstance(bindings[-1].value, tree.Call) and _is_hash(bindings[-1].value)
        for bindings in cls.scope.bindings.values()
    )


def _is_hash(node: tree.Call) -> bool:
    return any(a.keyword == "hash_key" and _is_true(a.value) for a in node.args)


def _is_true(node: tree.Node) -> bool:
    return isinstance(node, tree.Const) and node.value is True
