"""The calls of one name, by what they call."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from capsule_lint.facts import tree
    from capsule_lint.program.model import Class, Function


class Callee(Struct, frozen=True):
    """What a call calls: a function, or a class whose constructor runs `function` (if it has one)."""

    function: Function | None
    cls: Class | None
    given: int
    """How many of the function's first parameters are filled already (`self`)."""
    mock: bool = False


class Callers:
    """Finds the calls of a function or class. What a call calls for good is asked once; what may still turn
    out otherwise, while types are being found, each time."""

    def __init__(
        self,
        calls: Iterable[tree.Call],
        callees: Callable[[tree.Call], tuple[Callee, ...]],
        is_known: Callable[[tree.Call], bool],
    ) -> None:
        self._callees, self._is_known = callees, is_known
        self._calls = tuple(calls)
        self._open = dict.fromkeys(range(len(self._calls)))
        """The numbers of the calls whose callees may change."""
        self._known: dict[Function | Class, list[int]] = defaultdict(list)

    def of(self, called: Function | Class) -> list[tuple[tree.Call, Callee]]:
        """The calls of a function or class, in the order in which they were given."""
        found = []
        for number in tuple(self._open):
            call = self._calls[number]
            callees = self._callees(call)
            if not self._is_known(call):
                if any(called in (c.function, c.cls) for c in callees):
                    found.append(number)
            elif number in self._open:  # else a question on the way has noted it
                del self._open[number]
                for one in {one for c in callees for one in (c.function, c.cls) if one}:
                    self._known[one].append(number)
        numbers = (*(n for n in found if n in self._open), *self._known.get(called, ()))
        return [
            (call, callee)
            for call in (self._calls[number] for number in sorted(numbers))
            for callee in self._callees(call)
            if called in (callee.function, callee.cls)
        ]
