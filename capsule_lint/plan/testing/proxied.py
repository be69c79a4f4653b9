"""What a proxy records of the calls that it passes on, `log.append((name, args))` in what its `__getattr__` gives, or a
decorator of those of a function, and a test expects of it: `log == [("get", ("t", "1"))]`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.shapes import Shape
from capsule_lint.program.calling.wrapping import wrappers
from capsule_lint.program.comparisons import comparisons
from capsule_lint.program.containers import ADDING_ONE
from capsule_lint.program.inference.records import Record, View
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.testing.recorded import Recorded
    from capsule_lint.program.model import Function, Module

_ASKED = "__getattr__"


class Proxied(MendRoom, Struct, frozen=True):
    """Mends it as the functions change whose calls are passed on."""

    mends: Mends
    recorded: Recorded

    def build(self) -> None:
        """Add the mends; what cannot be mended makes the change unsafe."""
        recorded: dict[Module, dict[Function, int]] = defaultdict(dict)
        for module in dict.fromkeys(self._using()) if self.state.params else ():
            recorded[module].update((f, 1) for f in self.state.params if f.takes_self)
        for function in self.state.params:
            for first, kept_in in set(self._noted(function)):
                for call, _ in self.program.calls.callers(function):
                    module = self.program.names.module_of(call)
                    recorded[module][function] = first
                    if kept_in and module.is_test:
                        self._refuse(module, kept_in, function)
        for module, functions in recorded.items():
            if module.generated or not module.is_test:
                continue
            by_name: dict[str, dict[Function, int]] = defaultdict(dict)
            for function, first in functions.items():
                by_name[function.name][function] = first
            for node in module.each(tree.Sequence):
                name = tree.text(node.items[0]) if node.kind == "tuple" and node.items else None
                if name in by_name and any(map(_are_arguments, node.items[1:])):
                    self._mend(module, node, by_name[name])

    def _using(self) -> Iterator[Module]:
        """The modules that make proxies which record."""
        for module in self.program.names.modules.values():
            for cls in module.classes:
                if _ASKED in cls.methods and list(self._recorded(cls.methods[_ASKED])):
                    for call, _ in self.program.calls.constructors_of(cls):
                        yield self.program.names.module_of(call)

    def _noted(self, function: Function) -> Iterator[tuple[int, str]]:
        """The same of the decorators of a function."""
        for maker in wrappers(self.program.inference, function):
            yield from self._recorded(maker)

    def _recorded(self, maker: Function) -> Iterator[tuple[int, str]]:
        """How many arguments come before those of which a function that another one makes does anything else, as they
        come, but pass them on; and the name of the list in which it puts them, where it does so in a way of its own."""
        names = self.program.names
        for around in maker.module.functions:
            inside = any(scope is maker.scope for scope in around.scope.ancestors())
            starred = {p.name for p in around.params if p.kind == "*"} if inside else set()
            for node in names.inside(around) if starred else ():
                if isinstance(node, tree.Name) and node.id in starred:
                    above = names.parent(node)
                    args = above.args if isinstance(above, tree.Call) else ()
                    if not any(a.value is node and a.star for a in args):
                        yield sum(p.by_position for p in around.params), self._kept_in(node)

    def _kept_in(self, node: tree.Node) -> str:
        """The name of the list in which something is put; none where it is a part of a tuple there."""
        above = self.program.names.parent(node)
        if isinstance(above, tree.Sequence) and len(above.items) > 1:
            return ""
        while isinstance(above, tree.Sequence | tree.Wrapped | tree.DictDisplay | tree.FString):
            above = self.program.names.parent(above)
        match above:
            case tree.Call(func=tree.Attr(name=name, base=base)) if name in ADDING_ONE:
                return last_name(base)
            case _:
                return ""

    def _refuse(self, module: Module, kept_in: str, function: Function) -> None:
        """A person must look at what a test expects in a list of which it is not known what stands where in it."""
        for one in comparisons(module):
            for side, other in ((one.left, one.right), (one.right, one.left)):
                named = any(last_name(n) == kept_in for n in within(side))
                if named and any(isinstance(n, tree.Sequence) and n.items for n in within(other)):
                    reason = f"may expect all arguments of `{function.name}`, which gains one"
                    self.mends.obstacle(("function", function), one.node, reason)

    def _mend(self, module: Module, node: tree.Sequence, recorded: dict[Function, int]) -> None:
        """Mend what is expected of a call of one of some functions, of which so many arguments are not recorded."""
        final, functions = self.mends.signatures.final_params, list(recorded)
        shapes = [Shape(one, tuple(final(one)[first:])) for one, first in recorded.items()]
        sure = len({shape.places for shape in shapes}) == 1
        shape = shapes[0] if sure else replace(shapes[0], sure=False)
        for one in functions[1:]:
            self.state.groups.join(("function", functions[0]), ("function", one))
        self.recorded.compared(module, node, Record(View.CALL, node, 1), shape)


def _are_arguments(node: tree.Node) -> bool:
    """Whether something may be all that a call was given."""
    return isinstance(node, tree.DictDisplay | tree.Sequence)
