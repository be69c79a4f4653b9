"""What stands beside a key: in an item, a call or a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.places.keys import Keys
    from capsule_lint.program.texts.pieces import Template


class Beside(Struct, frozen=True):
    """Knows the neighbours of keys."""

    keys: Keys

    def sort_keys(self, host: tree.Node) -> Iterator[Template]:
        """The templates of the sort key that stands beside a key."""
        for name, value in self._named(host):
            if self.keys.policy.is_sort_key_name(name):
                yield from self.keys.templates.resolve(value)

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
