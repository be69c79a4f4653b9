"""What stands beside a key: in an item, a call or a condition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.places.keys import Keys
    from capsule_lint.program.texts.pieces import Template

_OF_INDEX: Final = re.compile(r"[gl]si|index", re.IGNORECASE)
_OF_SEVERAL: Final = re.compile(r"begins_with|between|[<>]", re.IGNORECASE)
"""What a condition says that finds more rows than the one of a sort key."""


class Beside(Struct, frozen=True):
    """Knows the neighbours of keys."""

    keys: Keys

    def sort_keys(self, host: tree.Node) -> Iterator[Template]:
        """The templates of the sort key that stands beside a key."""
        for name, value in self._named(host):
            if self.keys.policy.is_sort_key_name(name):
                yield from self.keys.templates.resolve(value)

    def rows(self, host: tree.Node) -> Iterator[Template]:
        """The same where it tells one row of the table: no index's, and not how others begin."""
        for name, value in self._named(host):
            of_table = self.keys.policy.is_sort_key_name(name) and not _OF_INDEX.search(name)
            if of_table and not self._finds_several(value):
                yield from self.keys.templates.resolve(value)

    def _finds_several(self, value: tree.Node) -> bool:
        """Whether a condition that compares a sort key finds more rows than one."""
        match around := self.keys.names.parent(value):
            case tree.Call(func=tree.Attr(base=tree.Call(), name=name)):
                return name != "eq"
            case tree.DictDisplay():
                call = self.keys.names.parent(around)
                conditions = call.args if isinstance(call, tree.Call) else ()
                texts = (self.keys.templates.constant(a.value) or "" for a in conditions)
                return any(map(_OF_SEVERAL.search, texts))
            case _:
                return False

    def _named(self, host: tree.Node) -> Iterator[tuple[str, tree.Node]]:
        """What stands beside a key under a name: in a dict, a call or a condition, or assigned to the same item."""
        names, constant = self.keys.names, self.keys.templates.constant
        around = names.parent(host)
        if isinstance(around, tree.DictDisplay) and len(around.values) == 1:  # `{"S": key}`
            around = names.parent(around)
        match around:
            case tree.DictDisplay():
                for key, value in around.pairs:
                    if key is not None and (name := constant(key)) is not None:
                        yield name, value
            case tree.Call(func=tree.Attr(base=tree.Call())):
                yield from self._compared(around)
            case tree.Call():
                yield from ((a.keyword, a.value) for a in around.args if a.keyword)
            case tree.Assign(targets=(tree.Subscript(base=tree.Name(id=item)),)):
                function = names.function_of(host)
                for statement, place in names.module_of(host).statements:
                    if place.scope.function is function and isinstance(statement, tree.Assign):
                        for target in statement.targets:
                            match target:
                                case tree.Subscript(base=tree.Name(id=one), index=index) if (
                                    one == item and statement.value is not None
                                ):
                                    yield constant(index) or "", statement.value
            case _:
                return

    def _compared(self, call: tree.Call) -> Iterator[tuple[str, tree.Node]]:
        """`Key("SK").begins_with("NOTE#")` in the condition that a comparison is a part of."""
        top: object = call
        while isinstance(above := self.keys.names.parent(top), tree.Binary) and above.op == "&":
            top = above
        for node in within(top) if isinstance(top, tree.Node) else ():
            match node:
                case tree.Call(
                    func=tree.Attr(base=tree.Call(args=(tree.Argument(value=named), *_))),
                    args=(tree.Argument(value=value), *_),
                ):
                    yield self.keys.templates.constant(named) or "", value
