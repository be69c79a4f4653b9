"""Answers that depend on each other, found once: a table that settles circles by finding again what has changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.program.inference.types import NOTHING, UNKNOWN, Types, shallow

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMES: Final = 8
_DEPTH: Final = 300
_NONE: Final = 1 << 30


@dataclass(eq=False, slots=True)
class _Answer:
    """An answer that is not final, since it needs one that is being found."""

    key: int
    find: Callable[[], Types]
    found: Types
    number: int
    """How many such answers there were before."""
    needs: int
    """The outermost question that it needs."""
    readers: set[int]
    """The questions that were given it as it is now."""
    certain: Types = field(init=False)
    left: int = _TIMES
    """How often it may still be found again."""

    def __post_init__(self) -> None:
        self.certain = _certain(self.found)


@dataclass(eq=False, slots=True)
class Table:
    """What is known by key. A question that needs itself gets what is known of its answer so far, and whatever
    was made of that is found again once more is known."""

    _known: dict[int, Types] = field(default_factory=dict)
    _active: dict[int, int] = field(default_factory=dict)
    """The questions that are being answered for the first time, and how deep each stands."""
    _stack: list[int] = field(default_factory=list)
    """The questions that are being answered, by depth."""
    _waiting: dict[int, set[int]] = field(default_factory=dict)
    """The questions that need one that has no answer yet, by that one."""
    _open: dict[int, _Answer] = field(default_factory=dict)
    _listed: list[_Answer] = field(default_factory=list)
    """The open answers by their numbers."""
    _stale: set[int] = field(default_factory=set)
    """The numbers of the open answers that were made of what has changed since."""
    _lowest: int = _NONE
    """The depth of the outermost question that the present answer needs."""
    _whole: bool = False
    """Whether an open answer is given with `anything` beside what is certain."""
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
            self._lowest = min(self._lowest, self._depth(held))
            held.readers.add(self._stack[-1])
            return held.found if self._whole else held.certain
        depth = self._active.get(key)
        if depth is None:
            return None
        self._lowest = min(self._lowest, depth)
        self._waiting.setdefault(key, set()).add(self._stack[-1])
        return NOTHING

    def find(self, key: int, find: Callable[[], Types]) -> Types:
        """Find the answer to a question that is not held; `find` may ask for others and for itself."""
        if len(self._stack) < _DEPTH:
            return self._find(key, find)
        self._lowest = 0  # it is found from there, once all that needs it is put by
        self._stale.add(len(self._listed))
        self._keep(key, find, NOTHING, 0).readers.add(self._stack[-1])
        return NOTHING

    def _find(self, key: int, find: Callable[[], Types]) -> Types:
        own, outer, mark = len(self._stack), self._lowest, len(self._listed)
        self._active[key] = own
        self._stack.append(key)
        self._lowest = _NONE
        found = shallow(find())
        lowest = self._lowest
        if lowest == _NONE:
            self._known[key] = found
        else:
            held = self._keep(key, find, found, lowest)
            if found:
                self._reread(held)
            if lowest == own:
                lowest = self._settle(own, mark)
                held.needs = self._stack[lowest] if lowest < own else key
            found = held.found
        self._stack.pop()
        del self._active[key]
        self._lowest = min(outer, lowest)
        return found

    def _keep(self, key: int, find: Callable[[], Types], found: Types, lowest: int) -> _Answer:
        number, needs = len(self._listed), self._stack[lowest]
        held = _Answer(key, find, found, number, needs, self._waiting.pop(key, set()))
        self._open[key] = held
        self._listed.append(held)
        return held

    def _depth(self, held: _Answer) -> int:
        """How deep the outermost question stands that an open answer needs."""
        while (depth := self._active.get(held.needs)) is None:
            held.needs = self._open[held.needs].needs
        return depth

    def _settle(self, own: int, mark: int) -> int:
        """Find again what is open, until nothing changes; all of that is final then, unless it turns out to need
        a question further out: the depth of that one, else more than any."""
        outer, lowest = self._whole, _NONE
        for self._whole in (False, True):  # at first, `anything` may only mean `not yet`
            if self._whole:
                for held in self._listed[mark:]:
                    if held.found != held.certain:
                        self._reread(held)
                    held.left = _TIMES
            lowest = self._sweep(own, mark)
            if lowest < own:
                break
        else:
            for held in self._listed[mark:]:
                self._known[held.key] = held.found
                del self._open[held.key]
            self._stale.difference_update(range(mark, len(self._listed)))
            del self._listed[mark:]
            lowest = _NONE
        self._whole = outer
        return lowest

    def _sweep(self, own: int, mark: int) -> int:
        while stale := sorted(number for number in self._stale if number >= mark):
            for number in stale:
                self._stale.discard(number)
                held = self._listed[number]
                if not held.left:
                    continue
                held.left -= 1
                self._stack.append(held.key)
                self._lowest = _NONE
                found = shallow(held.find())
                self._stack.pop()
                self._change(held, found)
                if self._lowest < own:
                    return self._lowest
        return _NONE

    def _change(self, held: _Answer, found: Types) -> None:
        before = held.found if self._whole else held.certain
        held.found, held.certain = found, _certain(found)
        if before != (held.found if self._whole else held.certain):
            self._reread(held)

    def _reread(self, held: _Answer) -> None:
        """Note that what was made of an answer has to be found again."""
        readers, held.readers = held.readers, set()
        self._stale.update(self._open[key].number for key in readers)


def _certain(types: Types) -> Types:
    """Without `anything`, where something is known: in a first round it may only mean `not yet`."""
    return types - {UNKNOWN} or types if UNKNOWN in types else types
