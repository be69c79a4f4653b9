"""Which modules speak of keys as DynamoDB has them: elsewhere `pk` is the primary key of a row in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from capsule_lint.facts import tree
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Policy
    from capsule_lint.program.model import Module


LONG: Final = 60
"""How long the text may be that is a name."""


class Speaking(Struct, frozen=True):
    """Tells it of each module, by the names and texts in it."""

    policy: Policy
    _known: dict[Module, bool] = field(default_factory=dict)

    def of_keys(self, module: Module) -> bool:
        """Whether a module names the key of an index, or that of a table beside a sort key or a scope."""
        if module not in self._known:
            self._known[module] = self._speaks(
                {word for word in said_in(module) if len(word) <= LONG}
            )
        return self._known[module]

    def _speaks(self, said: set[str]) -> bool:
        policy = self.policy
        if not any(map(policy.is_key_name, said)):
            return False
        return (
            any(map(policy.is_index_key_name, said))
            or any(map(policy.is_sort_key_name, said))
            or any(names_any_of(word, policy.scopes) for word in said)
        )


def said_in(module: Module) -> Iterator[str]:
    """The names and texts of a module."""
    yield from module.scope.bindings
    for function in module.functions:
        yield from function.scope.bindings
    for cls in module.classes:
        yield from cls.scope.bindings
    for node in module.every(tree.Const, tree.Name, tree.Attr, tree.Call, tree.FString):
        match node:
            case tree.Const(value=str() as text):
                yield text
            case tree.Name(id=name) | tree.Attr(name=name):
                yield name
            case tree.Call():
                yield from (a.keyword for a in node.args if a.keyword is not None)
            case tree.FString():
                yield from (part for part in node.parts if isinstance(part, str))
