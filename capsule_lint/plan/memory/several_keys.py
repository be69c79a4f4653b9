"""Calls of caches that are given several keys: `redis.delete(a, b)`, `redis.delete(*keys)`, `cache.mget(keys)`,
`cache.set_many({key: value})`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.handed import Handed
from capsule_lint.plan.memory.rekeyed import keys_of_dict
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.program import Program

_EACH: Final = frozenset(
    ("delete", "unlink", "exists", "touch", "mget", "watch", "sinter", "sunion")
)
"""Methods each of whose arguments is a key."""
_LISTED: Final = frozenset(
    ("mget", "get_many", "delete_many", "get_multi", "delete_multi", "get_all", "delete_all")
)
"""Methods that are given a list of keys first."""
_WRITING: Final = frozenset(("update", "set_many", "set_multi", "mset", "msetnx", "put_many"))
"""Methods that are given a dict of keys and values."""
METHODS: Final = _EACH | _LISTED | _WRITING


class SeveralKeys(Struct, frozen=True):
    """Finds the keys."""

    program: Program

    def of(
        self, call: tree.Call, taken: Callable[[tree.Node], tuple[tree.Node, ...]] = keys_of_dict
    ) -> Iterator[tree.Node]:
        """Where the keys are written that a call is given, other than one alone that it is given first; `taken` says
        which keys its receiver takes of what it is given."""
        method, handed = last_name(call.func), Handed(self.program)
        found: list[tree.Node] = []
        if method in _WRITING:
            for value in (argument.value for argument in call.args):
                whole = keys_of_dict(value)
                yield from whole  # a dict is given, whatever its keys say
                found += [] if whole else taken(value)
        if method in _LISTED and call.args:
            found += handed.elements(call.args[0].value)
        if method in _EACH:
            for number, argument in enumerate(call.args):
                if argument.star == "*":
                    found += handed.elements(argument.value)
                elif number and argument.keyword is None:
                    found += handed.written(argument.value)
        yield from (one for one in found if self._is_scoped(one))

    def _is_scoped(self, node: tree.Node) -> bool:
        """Whether something is made of a scope's value and of more."""
        is_whole = isinstance(node, tree.Name | tree.Attr | tree.Subscript)
        return not is_whole and self.program.domain.held.has_value(node)
