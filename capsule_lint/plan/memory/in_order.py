"""Collections that have their keys in order, and are asked where one belongs, or for those between two:
`bisect_left(self._keys, (tenant_id, day))`, `self._rows.irange((tenant_id, first), (tenant_id, last))`. Such a key may
say no more than how others begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

DICTS: Final = frozenset(("SortedDict", "SortedSet"))
LISTS: Final = frozenset(("SortedList",))
GIVING: Final = frozenset(("irange", "islice"))
"""Methods that give keys, one after the other."""
PLACING: Final = frozenset(("bisect", "bisect_left", "bisect_right"))
INSERTING: Final = frozenset(("insort", "insort_left", "insort_right"))
PLACED: Final = PLACING | INSERTING
"""Functions that are given a list and a key."""
_BOUNDS: Final = ("minimum", "maximum")


def in_order(node: tree.Node) -> Iterator[tuple[tree.Node, tree.Node]]:
    """What an expression asks a collection for so, and the collection first."""
    match node:
        case tree.Call(func=tree.Attr(name="irange", base=base)):
            yield from ((base, bound) for bound in _bounds(node))
        case tree.Call(
            func=tree.Attr(name=name, base=base), args=(tree.Argument(keyword=None, value=key),)
        ) if name in PLACING:
            yield base, key
        case tree.Call(
            func=tree.Name() | tree.Attr() as func,
            args=(
                tree.Argument(star="", keyword=None, value=base),
                tree.Argument(star="", keyword=None, value=key),
                *_,
            ),
        ) if last_name(func) in PLACED and node.keyword("key") is None:
            yield base, key


def begins_others(parent: object, key: tree.Node) -> bool:
    """Whether a key is one of those that something between them is asked for, or where it belongs."""
    return (
        isinstance(parent, tree.Call)
        and last_name(parent.func) not in INSERTING
        and any(one is key for _, one in in_order(parent))
    )


def _bounds(call: tree.Call) -> Iterator[tree.Node]:
    """The keys between which others are; without one, all behind it or before it are meant."""
    for number, argument in enumerate(call.args):
        is_bound = (
            number < len(_BOUNDS) if argument.keyword is None else (argument.keyword in _BOUNDS)
        )
        absent = isinstance(argument.value, tree.Const) and argument.value.value is None
        if is_bound and not argument.star and not absent:
            yield argument.value
