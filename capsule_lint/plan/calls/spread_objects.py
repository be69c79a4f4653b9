"""Objects whose fields calls spread, all of them: `Note(**{**vars(note), "title": "b"})`. What they gain is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.wholes import GIVING_ALL, says_which, whole
from capsule_lint.plan.entities.yielded import yields_fields
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.supply.spread_scopes import spells_scope
from capsule_lint.program.containers import COPIED
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Want
    from capsule_lint.program.model import Class

_MAX_DEPTH: Final = 8


class SpreadObjects(MendRoom, Struct, frozen=True):
    """Finds them, and has their classes change together with what is called."""

    mends: Mends

    def give(self, node: tree.Node, want: Want) -> bool:
        """Whether a dict that is spread has all fields of objects that gain one for the scope of a want, with no
        other value for another scope: then it has that one too."""
        if spells_scope(self.program, node):
            return False
        classes = [cls for one in self._objects(node, 0) for cls in self._classes(one)]
        homes = [self._gaining(cls, want) for cls in classes]
        for home in homes if None not in homes else ():
            self.state.groups.join(want.knot, ("class", home))
        return bool(homes) and None not in homes

    def _gaining(self, cls: Class, want: Want) -> Class | None:
        """The class that gains the field, if that is called as the argument is."""
        home, name = self.planner.gains.gaining(cls, want.scope), want.scope.parameter
        called = self.state.attributes.get((home, name), name) if home is not None else None
        return home if called == name else None

    def _says_itself(self, node: tree.Node) -> bool:
        """Whether `dict(node)` has what its class yields of itself, and not what that is made of."""
        method = self.program.classes.method
        found = [cls for cls in self._classes(node) if method(cls, "__iter__") is not None]
        return any(not yields_fields(cls) for cls in found)

    def _classes(self, node: tree.Node) -> frozenset[Class]:
        inference = self.program.inference
        return inference.any_class(inference.of(node))

    def _objects(self, node: tree.Node | None, depth: int) -> Iterator[tree.Node]:
        """The objects whose fields a dict is made of."""
        parts: Sequence[tree.Node | None] = ()
        match node:
            case _ if depth > _MAX_DEPTH:
                return
            case tree.Attr(name="__dict__"):
                yield node.base
            case tree.Call() if last_name(node.func) in GIVING_ALL and not says_which(node):
                if not self.program.calls.callees(node):
                    plain = isinstance(node.func, tree.Name) and node.func.id == "dict"
                    yield from (o for o in whole(node) if not (plain and self._says_itself(o)))
                    parts = node.unnamed  # of `dict(vars(note), title="b")`
            case tree.Call() if last_name(node.func) in COPIED:
                parts = node.unnamed or [node.receiver]
            case tree.Name():
                parts = (only_assigned(self.program.names, node),)
            case tree.DictDisplay():
                parts = node.spread
            case tree.Binary(op="|"):
                parts = (node.left, node.right)
        for part in parts:
            yield from self._objects(part, depth + 1)
