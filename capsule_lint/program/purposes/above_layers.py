"""Repositories by what they do: classes of whatever name whose methods, all of them, give keys to a layer that
hands these on to the table, and functions that do so. A layer may be a class, or functions."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
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

    def find(self, layers: Iterable[Class]) -> tuple[set[Class], set[Function]]:
        """The classes that do nothing but ask these layers, or functions that are one; and the functions that
        do it outside of classes."""
        giving: defaultdict[Class | None, set[Function]] = defaultdict(set)
        methods = [method for layer in layers for method in layer.methods.values()]
        for method in chain(methods, filter(self._is_layer, self.domain.tables)):
            for call, caller in self._calls(method):
                if any(self._is_key(a.value, caller) for a in call.args):
                    giving[caller.owner].add(caller)
        functions = giving.pop(None, set())
        classes = {c for c, asking in giving.items() if c is not None and self._is_one(c, asking)}
        return classes, functions

    def _is_layer(self, function: Function) -> bool:
        """Whether a function outside of classes hands whole keys on to the table, and makes none itself."""
        domain = self.domain
        if function.owner is not None or function.parent is not None or function.module.is_test:
            return False
        given = any(domain.policy.is_key_name(p.name) for p in function.own_params)
        return given and not domain.keys.inside(function)

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
        """The calls of a function, and the methods, or else the functions, that they stand in."""
        function_of, found = self.domain.names.function_of, []
        with self.domain.names.aside():  # whoever writes a key is looked at anyway
            for call, _ in self.domain.calls.callers(method):
                around = function_of(call)
                caller = method_around(around) or around
                if caller is not None:
                    found.append((call, caller))
        return found

    def _is_key(self, node: tree.Node, caller: Function) -> bool:
        """Whether an expression is a key that is made there; outside of classes, not one that an item is asked for
        which knows its own."""
        keys = self.domain.keys
        return keys.at(node) is not None or any(
            caller.owner is not None or not helper.takes_self
            for helper in keys.results.helpers_in(node)
        )
