"""Answers that depend on each other, found once: a table that settles cycles by going round them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.program.inference.types import NOTHING, UNKNOWN, Types, shallow

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS: Final = 8
_DEPTH: Final = 300
_NONE: Final = 1 << 30


@dataclass(eq=False, slots=True)
class Table:
    """What is known by key. An answer that needs itself gets what is known of it so far, and is
    asked for again until it stays the same; what was found on the way is kept with it."""

    _known: dict[int, Types] = field(default_factory=dict)
    _active: dict[int, int] = field(default_factory=dict)
    """The questions that are being answered, and how deep each stands."""
    _so_far: dict[int, Types] = field(default_factory=dict)
    _open: dict[int, tuple[Types, int]] = field(default_factory=dict)
    """Answers that hold only as long as the question at that depth is answered as it is now."""
    _news: int = 0
    _lowest: int = _NONE
    """The depth of the outermost question that the present answer needs."""
    settled: Callable[[int], Types | None] = field(init=False)
    """An answer that is final; `None` for one that is not, or was not asked for."""

    def __post_init__(self) -> None:
        self.settled = self._known.get  # nothing is asked more often

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()

    def guess(self, key: int) -> Types | None:
        """The answer to a question so far; `None` where it is final, or has to be found."""
        held = self._open.get(key)  # the final ones are in neither
        if held is not None:
            self._lowest = min(self._lowest, held[1])
            return held[0]
        depth = self._active.get(key)
        if depth is None:
            return None
        self._lowest = min(self._lowest, depth)
        return self._so_far.get(key, NOTHING)

    def find(self, key: int, find: Callable[[], Types]) -> Types:
        """Find the answer to a question that is not held; `find` may ask for others and for itself."""
        if len(self._active) >= _DEPTH:
            self._lowest = 0
            return NOTHING
        return self._find(key, find)

    def _find(self, key: int, find: Callable[[], Types]) -> Types:
        own, outer, mark = len(self._active), self._lowest, len(self._open)
        self._active[key] = own
        for left in reversed(range(_ROUNDS)):
            self._lowest, news = _NONE, self._news
            found = shallow(find())
            if self._lowest == _NONE:
                break
            self._note(key, _certain(found))
            if self._lowest < own or self._news == news or not left:
                break
            self._drop(mark)
        lowest = self._lowest
        del self._active[key]
        if lowest >= own:  # it needs nothing around it: all that was found on the way is final
            while len(self._open) > mark:
                inner, (types, _) = self._open.popitem()
                self._known[inner] = types
                self._so_far.pop(inner, None)
            self._known[key] = found
            self._so_far.pop(key, None)
            lowest = _NONE
        else:
            self._open[key] = (found, lowest)
        self._lowest = min(outer, lowest)
        return found

    def _note(self, key: int, types: Types) -> None:
        """What is known of an answer so far; `_news` counts how often that has changed."""
        if self._so_far.get(key, NOTHING) != types:
            self._so_far[key] = types
            self._news += 1

    def _drop(self, mark: int) -> None:
        while len(self._open) > mark:
            self._open.popitem()


def _certain(types: Types) -> Types:
    """Without `anything`, where something is known: in a first round it may only mean `not yet`."""
    return types - {UNKNOWN} or types if UNKNOWN in types else types
