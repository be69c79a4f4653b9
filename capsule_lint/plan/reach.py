"""Which functions of a program run when one of them is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Collection, Foreign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function


PLAIN: Final = ("str", "list", "tuple", "sorted", "repr")
"""Functions of Python's own that give what they are given."""
_TEXTUAL: Final = ("join", "format", "strip", "lower", "upper", "replace", "split")
"""Methods of texts."""


@dataclass(eq=False)
class Reach:
    """The call graph, followed from callers to callees."""

    program: Program
    _steps: dict[Function, tuple[frozenset[Function], ...]] = field(default_factory=dict)
    _followed: dict[Function, bool] = field(default_factory=dict)

    def of(self, *functions: Function) -> set[Function]:
        """The functions, and all that may run because they are called."""
        found: set[Function] = set()
        queue = list(functions)
        while queue:
            current = queue.pop()
            if current not in found:
                found.add(current)
                queue += chain.from_iterable(self.steps(current))
        return found

    def all_of(self, *functions: Function) -> set[Function] | None:
        """The same; `None` where they may run more than is known."""
        every = self.of(*functions)
        return every if all(map(self.is_followed, every)) else None

    def by(self, node: tree.Node) -> list[Function]:
        """The functions that one call, the reading of one property, or the making of a text runs."""
        with self.program.names.aside():  # what makes keys is read, and so is what leads to that
            return [*self._by(node)]

    def _by(self, node: tree.Node) -> Iterator[Function]:
        match node:
            case tree.Call(func=tree.Name(id="str" | "repr" | "format"), args=(given, *_)):
                yield from self._saying(given.value)
            case tree.FString():
                for value in node.below():
                    yield from self._saying(value)
            case tree.Call():
                for callee in self.program.calls.callees(node):
                    if callee.function is not None and not callee.mock:
                        yield from self.program.calls.families.of(callee.function)
            case tree.Attr() if node.name in self._properties:
                for function in self.program.keys.results.helpers_in(node):
                    yield from self.program.calls.families.of(function)

    def _saying(self, node: tree.Node) -> Iterator[Function]:
        for method in self.program.keys.results.saying(node):
            yield from self.program.calls.families.of(method)

    def is_followed(self, function: Function) -> bool:
        """Whether all that a function runs by itself is known: `self.model_dump()` reads properties that nobody
        sees."""
        if function not in self._followed:
            inside = self.program.names.inside(function)
            self._followed[function] = all(map(self._is_known, inside))
        return self._followed[function]

    def _is_known(self, node: tree.Node) -> bool:
        match node:
            case tree.Call() if not self.program.calls.callees(node):
                is_method = isinstance(node.func, tree.Attr) and node.func.name in _TEXTUAL
                plain = node.last_name() in PLAIN or is_method or self._is_collections(node)
                return plain or self._is_apart(node)
            case tree.Attr() if node.name in self._properties:
                return any(self.by(node))
            case _:
                return True

    def _is_collections(self, call: tree.Call) -> bool:
        """Whether a call is that of a method which a list, set or dict has, and runs nothing that it is given."""
        base = (
            self.program.inference.of(call.func.base) if isinstance(call.func, tree.Attr) else ()
        )
        return (
            bool(base)
            and all(isinstance(t, Collection) for t in base)
            and not any(a.keyword for a in call.args)
        )

    def _is_apart(self, call: tree.Call) -> bool:
        """Whether a call runs nothing of the program: that of a function that a library's module has, which is
        given nothing of the program's."""
        of = self.program.inference.of
        base = of(call.func.base if isinstance(call.func, tree.Attr) else call.func)
        given = [of(a.value) for a in call.args if not isinstance(a.value, tree.Const)]
        known = all(
            one and all(isinstance(t, Foreign) and not t.holds for t in one) for one in given
        )
        return (
            known
            and bool(base)
            and all(isinstance(t, Foreign) and "(" not in t.name for t in base)
        )

    def steps(self, function: Function) -> tuple[frozenset[Function], ...]:
        """What each expression of a function runs by itself: one of several, where it is not known which."""
        if function not in self._steps:
            ran = (frozenset(self.by(node)) for node in self.program.names.inside(function))
            self._steps[function] = tuple(dict.fromkeys(filter(None, ran)))
        return self._steps[function]

    @cached_property
    def _properties(self) -> set[str]:
        modules = self.program.names.modules.values()
        return {f.name for module in modules for f in module.functions if f.is_property}


def returning(program: Program, *nodes: tree.Node) -> set[Function]:
    """The functions whose result one of the expressions is, and those whose result these return."""
    found: set[Function] = set()
    queue = [f for node in nodes for f in program.keys.results.helpers_in(node)]
    while queue:
        function = queue.pop()
        if function not in found:
            found.add(function)
            queue += [
                f for value in function.returns for f in program.keys.results.helpers_in(value)
            ]
    return found
