"""What Python's own containers are copied, read, filled and emptied by. Who means more than one of these sets adds to
it; who means something else has a set of its own."""

from __future__ import annotations

from typing import Final

LISTED: Final = frozenset(
    ("list", "tuple", "set", "frozenset", "deque", "sorted", "reversed", "iter")
)
"""What gives all elements of what it is given, as they are: of a dict its keys."""
IN_PLACE: Final = frozenset(("list", "tuple"))
"""Those of them that leave each element at its index."""
PICKING: Final = frozenset(("next", "min", "max"))
"""What gives one element of what it is given first."""
COPIED: Final = frozenset(("dict", "OrderedDict", "copy", "deepcopy"))
"""What gives another dict with the same keys and values; `copy` is a function, or a method without arguments."""
KEYED: Final = frozenset(("get", "pop", "setdefault"))
"""Methods of a dict that give what stands under their first argument."""
ADDING_ONE: Final = frozenset(("append", "appendleft", "insert", "add"))
"""Methods that add one element, their last argument."""
ADDING_ALL: Final = frozenset(("extend", "extendleft", "update"))
"""Methods that add all elements of what they are given."""
ADDING: Final = ADDING_ONE | ADDING_ALL
FILLING: Final = ADDING_ONE | {"setdefault"}
"""Methods that put their last argument into a collection."""
DROPPING: Final = frozenset(("pop", "popleft", "popitem", "remove", "discard", "clear"))
"""Methods that take elements out."""
QUEUING: Final = frozenset(("put", "put_nowait"))
"""Methods of a queue that add one element, their first argument."""
TAKING: Final = frozenset(("pop", "popleft", "popitem", "get", "get_nowait"))
"""Methods that, told nothing or a position, give what somebody has put there."""
OF_SETS: Final = frozenset(
    (
        "issubset",
        "issuperset",
        "isdisjoint",
        "union",
        "intersection",
        "intersection_update",
        "difference",
        "difference_update",
        "symmetric_difference",
        "symmetric_difference_update",
    )
)
"""Methods of a set that compare its elements with those of another one."""
