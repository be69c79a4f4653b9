"""What a proxy records of the calls that it passes on, `log.append((name, args))` in what its `__getattr__` gives, and a
test expects of it: `log == [("get", ("t", "1"))]`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.shapes import Shape
from capsule_lint.program.inference.records import Record, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.testing.recorded import Recorded
    from capsule_lint.program.model import Class, Function, Module

_ASKED = "__getattr__"


class Proxied(MendRoom, Struct, frozen=True):
    """Mends it as the functions change whose calls are passed on."""

    mends: Mends
    recorded: Recorded

    def build(self) -> None:
        """Add the mends; what cannot be mended makes the change unsafe."""
        by_name: dict[str, list[Function]] = defaultdict(list)
        for function in self.state.params:
            if function.takes_self:
                by_name[function.name].append(function)
        for module in dict.fromkeys(self._using()) if by_name else ():
            for node in module.each(tree.Sequence):
                name = tree.text(node.items[0]) if node.kind == "tuple" and node.items else None
                if name in by_name and any(map(_are_arguments, node.items[1:])):
                    self._mend(module, node, by_name[name])

    def _using(self) -> Iterator[Module]:
        """The tests that make proxies which record."""
        for module in self.program.names.modules.values():
            for cls in module.classes:
                if _ASKED in cls.methods and self._records(cls):
                    for call, _ in self.program.calls.constructors_of(cls):
                        user = self.program.names.module_of(call)
                        if user.is_test and not user.generated:
                            yield user

    def _records(self, cls: Class) -> bool:
        """Whether what a proxy gives does anything with the arguments as they come but pass them on."""
        own = cls.methods[_ASKED]
        starred = {
            p.name
            for function in cls.module.functions
            if any(scope is own.scope for scope in function.scope.ancestors())
            for p in function.params
            if p.kind == "*"
        }
        names = self.program.names
        for node in names.inside(own) if starred else ():
            if isinstance(node, tree.Name) and node.id in starred:
                around = names.parent(node)
                passed = isinstance(around, tree.Call) and any(
                    a.value is node and a.star for a in around.args
                )
                if not passed:
                    return True
        return False

    def _mend(self, module: Module, node: tree.Sequence, functions: list[Function]) -> None:
        shapes = [
            Shape(one, tuple(self.mends.signatures.final_params(one)[1:])) for one in functions
        ]
        sure = len({shape.places for shape in shapes}) == 1
        shape = shapes[0] if sure else replace(shapes[0], sure=False)
        for one in functions[1:]:
            self.state.groups.join(("function", functions[0]), ("function", one))
        self.recorded.compared(module, node, Record(View.CALL, node, 1), shape)


def _are_arguments(node: tree.Node) -> bool:
    """Whether something may be all that a call was given."""
    return isinstance(node, tree.DictDisplay | tree.Sequence)
