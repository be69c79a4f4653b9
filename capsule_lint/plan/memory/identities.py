"""What makes two entities the same, in `__eq__` and `__hash__`: sets and dicts go by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.flow import COMPARING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.program.model import Class, Function

_IDENTIFYING: Final = COMPARING | {"__hash__"}
"""The methods that say which objects are the same."""


class Identities(Struct, frozen=True):
    """Judges it as keys are."""

    local: LocalKeys

    def find(self) -> None:
        """Note which scopes it lacks."""
        for cls in sorted(self.local.program.domain.entities, key=lambda c: c.symbol):
            for name in sorted(_IDENTIFYING) if not cls.module.generated else ():
                if name in cls.methods:
                    self._judge_identities(cls, cls.methods[name])

    def _judge_identities(self, cls: Class, method: Function) -> None:
        told = {method, *self._identities_in(cls, method)}
        for node in cls.module.either(tree.Sequence, tree.Compare):
            function = self.local.program.names.function_of(node)
            if function not in told or id(node) in self.local.checked:
                continue
            if isinstance(node, tree.Sequence) and node.kind == "tuple":
                self.local.checked.add(id(node))
                self.local.judge_host((cls, method.name), node, None)
            elif isinstance(node, tree.Compare) and len(node.ops) == 1 and function is method:
                self.local.filters.judge_identity(node, cls, method)

    def _identities_in(self, cls: Class, method: Function) -> Iterator[Function]:
        """The methods that a method asks what its object is, where nothing else asks them: `self._id()`."""
        names = self.local.program.names
        for node in names.inside(method):
            found = cls.methods.get(node.name) if isinstance(node, tree.Attr) else None
            if found is None or found.own_params or not all(map(_is_tuple, found.returns)):
                continue
            asking = {names.function_of(one) for one in names.named(found.name)}
            if all(f is not None and f.owner is cls and f.name in _IDENTIFYING for f in asking):
                yield found


def _is_tuple(node: tree.Node) -> bool:
    return isinstance(node, tree.Sequence) and node.kind == "tuple"
