"""What makes two entities the same, in `__eq__` and `__hash__`: sets and dicts go by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.flow import COMPARING
from capsule_lint.program.inference.types import classes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.program.model import Class, Function

_IDENTIFYING: Final = COMPARING | {"__hash__"}
"""The methods that say which objects are the same."""
_ASKED: Final = "reads what makes two objects the same, which changes"


class Identities(Struct, frozen=True):
    """Judges it as keys are."""

    local: LocalKeys
    asked: dict[Home, Function]
    """The methods that it asks for a tuple, each as what keeps such keys."""

    def find(self) -> None:
        """Note which scopes it lacks."""
        for cls in sorted(self.local.program.domain.entities, key=lambda c: c.symbol):
            for name in sorted(_IDENTIFYING) if not cls.module.generated else ():
                if name in cls.methods:
                    self._judge_identities(cls, cls.methods[name])

    def _judge_identities(self, cls: Class, method: Function) -> None:
        found = list(self._identities_in(cls, method))
        self.asked.update({(cls, one.name): one for one in found})
        told = {method, *found}
        for node in cls.module.either(tree.Sequence, tree.Compare):
            function = self.local.program.names.function_of(node)
            if function is None or function not in told or id(node) in self.local.checked:
                continue
            if isinstance(node, tree.Sequence) and node.kind == "tuple":
                self.local.checked.add(id(node))
                self.local.judge_host((cls, function.name), node, None)
            elif isinstance(node, tree.Compare) and len(node.ops) == 1 and function is method:
                self.local.filters.judge_identity(node, cls, method)

    def _identities_in(self, cls: Class, method: Function) -> Iterator[Function]:
        """The methods that a method asks what its object is: `self._id()`."""
        for node in self.local.program.names.inside(method):
            found = cls.methods.get(node.name) if isinstance(node, tree.Attr) else None
            if found is not None and not found.own_params and all(map(_is_tuple, found.returns)):
                yield found

    def follow(self) -> None:
        """Mend what else asks such a method whose tuple changes, or make the change unsafe."""
        names = self.local.program.names
        for home, found in self.asked.items():
            owner, name = home
            if home not in self.local.rekeyed:
                continue
            names.ask(name)
            for node in names.named(name):
                asking = names.function_of(node)
                own = asking is not None and asking.owner is owner and asking.name in _IDENTIFYING
                if isinstance(node, tree.Attr) and not own:
                    self._follow(node, home, found)

    def _follow(self, node: tree.Attr, home: Home, method: Function) -> None:
        """What an attribute of that name asks for, unless it is another object's, or asked for in another way."""
        names, notes = self.local.program.names, self.local.notes
        outer, of = names.parent(node), self.local.program.classes.method
        types = self.local.program.inference.of(node.base)
        is_call = isinstance(outer, tree.Call) and outer.func is node
        if types and not any(of(cls, method.name) is method for cls in classes_of(types)):
            return
        if is_call is method.is_property and not types:
            return
        told = outer if is_call and isinstance(outer, tree.Call) else node
        in_test = names.module_of(node).is_test
        known = bool(types) and is_call is not method.is_property
        if known and (not in_test or isinstance(names.parent(told), tree.Compare)):
            self.local.readers.keys.key(told, home)
        else:
            notes.obstacle(notes.knot_of(home, node), node, _ASKED)


def _is_tuple(node: tree.Node) -> bool:
    return isinstance(node, tree.Sequence) and node.kind == "tuple"
