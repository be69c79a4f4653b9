"""The calls of one name, by what they call."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from capsule_lint.program.calling.binding import bind, surplus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from capsule_lint.facts import tree
    from capsule_lint.program.calling.binding import Bound
    from capsule_lint.program.inference.types import Types
    from capsule_lint.program.model import Class, Function


class Callee(Struct, frozen=True):
    """What a call calls: a function, or a class whose constructor runs `function` (if it has one)."""

    function: Function | None
    cls: Class | None
    given: int
    """How many of the function's first parameters are filled already (`self`)."""
    mock: bool = False

    def bind(self, call: tree.Call) -> Bound | None:
        """How a call of it binds; `None` where it would raise a `TypeError`, and for a class without a constructor."""
        return (
            bind(call.args, self.function.params, self.given)
            if self.function is not None
            else None
        )

    def arguments(self, call: tree.Call) -> Mapping[str, tree.Argument]:
        """What a call of it gives, by parameter; nothing where the call does not bind."""
        bound = self.bind(call)
        return bound.arguments if bound is not None else {}

    def surplus(self, call: tree.Call) -> list[tree.Argument]:
        """What a call of it gives to its `*` parameter, things that are spread (`*rest`) among it."""
        return (
            surplus(call.args, self.function.params, self.given)
            if self.function is not None
            else []
        )


class Graph(Protocol):
    """What tells what a call calls."""

    def callees(self, call: tree.Call) -> tuple[Callee, ...]:
        """What a call may call."""
        ...

    def is_known(self, call: tree.Call) -> bool:
        """Whether that is final."""
        ...

    def guess(self, call: tree.Call) -> Types | None:
        """The types, so far, of what is called; `None` where they are final, or have to be found."""
        ...


class Callers:
    """Finds the calls of a function or class. What a call calls for good is asked once; what may still turn
    out otherwise, while types are being found, is looked at again where the types have changed."""

    def __init__(self, calls: Iterable[tree.Call], graph: Graph) -> None:
        self._graph = graph
        self._calls = tuple(calls)
        self._open: dict[int, Types | None] = dict.fromkeys(range(len(self._calls)))
        """The numbers of the calls whose callees may change, and the types of what they called last."""
        self._whom: dict[int, tuple[Function | Class, ...]] = {}
        """What these called then."""
        self._guessed: dict[Function | Class, set[int]] = defaultdict(set)
        self._known: dict[Function | Class, list[int]] = defaultdict(list)

    def of(self, called: Function | Class) -> list[tuple[tree.Call, Callee]]:
        """The calls of a function or class, in the order in which they were given."""
        return self.of_any((called,))

    def of_any(self, called: Collection[Function | Class]) -> list[tuple[tree.Call, Callee]]:
        """The same of several, which are asked for together."""
        guess = self._graph.guess
        for number, before in tuple(self._open.items()):
            types = guess(self._calls[number])
            if types is None or types is not before:
                self._look_at(number)
        numbers = [
            number
            for one in called
            for number in (*self._known.get(one, ()), *self._guessed.get(one, ()))
        ]
        return [
            (self._calls[number], callee)
            for number in sorted(set(numbers))
            for callee in self._graph.callees(self._calls[number])
            if callee.function in called or callee.cls in called
        ]

    def _look_at(self, number: int) -> None:
        """Note what a call calls."""
        call = self._calls[number]
        callees = self._graph.callees(call)
        if number not in self._open:  # a question on the way has noted it
            return
        for one in self._whom.pop(number, ()):
            self._guessed[one].discard(number)
        whom = tuple({one for c in callees for one in (c.function, c.cls) if one is not None})
        if self._graph.is_known(call):
            del self._open[number]
            for one in whom:
                self._known[one].append(number)
        else:
            self._open[number], self._whom[number] = self._graph.guess(call), whom
            for one in whom:
                self._guessed[one].add(number)
