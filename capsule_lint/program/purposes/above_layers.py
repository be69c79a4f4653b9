"""Repositories by what they do: classes of whatever name whose methods, all of them, give keys to a layer that
hands these on to the table."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.program.model import method_around
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.facts import tree
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.purposes.domain import Domain


class AboveLayers(Struct, frozen=True):
    """Finds them."""

    domain: Domain

    def find(self, layers: Iterable[Class]) -> set[Class]:
        """The classes that do nothing but ask these layers."""
        giving: defaultdict[Class, set[Function]] = defaultdict(set)
        for layer in layers:
            for method in layer.methods.values():
                for call, caller in self._calls(method):
                    if caller.owner is not None and any(self._is_key(a.value) for a in call.args):
                        giving[caller.owner].add(caller)
        return {cls for cls, methods in giving.items() if self._is_one(cls, methods)}

    def _is_one(self, cls: Class, giving: set[Function]) -> bool:
        """Whether all methods of a class do so, and one of them is told a scope."""
        domain, scopes = self.domain, self.domain.policy.scopes
        if cls.module.is_test or cls.module.generated or cls in domain.layers:
            return False
        if domain.classes.is_data(cls) or domain.has_scope(cls):
            return False
        methods = [
            method
            for name, method in cls.methods.items()
            if not name.startswith("_") and domain.is_operation(method)
        ]
        if any(method in domain.handlers for method in methods):
            return False
        told = any(names_scope(p.name, s) for m in methods for p in m.own_params for s in scopes)
        return told and len(methods) > 1 and set(methods) <= self._reaching(cls, giving)

    def _reaching(self, cls: Class, giving: set[Function]) -> set[Function]:
        """Methods that give keys to a layer, with those of their class that call them."""
        found, queue = set(giving), list(giving)
        while queue:
            for _, caller in self._calls(queue.pop()):
                if caller.owner is cls and caller not in found:
                    found.add(caller)
                    queue.append(caller)
        return found

    def _calls(self, method: Function) -> list[tuple[tree.Call, Function]]:
        """The calls of a method, and the methods that they stand in."""
        function_of, found = self.domain.names.function_of, []
        with self.domain.names.aside():  # whoever writes a key is looked at anyway
            for call, _ in self.domain.calls.callers(method):
                caller = method_around(function_of(call))
                if caller is not None:
                    found.append((call, caller))
        return found

    def _is_key(self, node: tree.Node) -> bool:
        """Whether an expression is a key that is made there."""
        keys = self.domain.keys
        return keys.at(node) is not None or any(True for _ in keys.helpers_in(node))
