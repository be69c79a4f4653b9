"""Arguments of constructors that are handed on with the class: `return Cart, (self.tenant_id, …)` of
`__reduce__`, by which copies are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.inference.types import ClassObject
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.program.model import Function, Module

_REDUCING: Final = ("__reduce__", "__reduce_ex__")
_REASON: Final = "lists the arguments of `{}`, which gains one"


class _Place(Struct, frozen=True):
    """Where the new argument comes: behind how many others, and the attribute that has its value."""

    behind: int
    attribute: str


@dataclass(eq=False, slots=True)
class Pickled(MendRoom):
    """Extends them as the constructors are extended, or notes that a person must."""

    mends: Mends

    def build(self) -> None:
        """Look at what functions return."""
        state = self.state
        if not state.fields and all(f.owner is None for f in state.params):
            return
        for module in self.program.names.editable():
            for function in module.functions:
                for value in function.returns:
                    self._returned(module, function, value)

    def _returned(self, module: Module, function: Function, value: tree.Node) -> None:
        if function.name == "__getnewargs__" and function.owner is not None:
            if any("__new__" in c.methods for c in self._mro(function.owner)):
                for cls in self._changing(function.owner, "__new__"):
                    self._arguments(module, cls, value)
        elif isinstance(value, tree.Sequence) and value.kind == "tuple" and len(value.items) > 1:
            first, arguments = value.items[:2]
            if self._is_told(arguments) or function.name in _REDUCING:
                for cls in self._named(first, function):
                    self._arguments(module, cls, arguments)

    def _is_told(self, node: tree.Node) -> bool:
        """Whether something is a tuple of arguments: it says a scope."""
        match node:
            case tree.Sequence(kind="tuple", items=items):
                return any(map(self._says, items))
            case _:
                return False

    def _mro(self, cls: Class) -> tuple[Class, ...]:
        return self.program.classes.mro(cls)

    def _named(self, node: tree.Node, function: Function) -> Iterator[Class]:
        """The changing classes that an expression is: `Cart`, `type(self)`, `self.__class__`."""
        is_own = isinstance(node, tree.Call) and last_name(node.func) == "type"
        if function.owner is not None and (is_own or last_name(node) == "__class__"):
            yield from self._changing(function.owner, "__init__")
            return
        for one in self.program.inference.of(node):
            if isinstance(one, ClassObject):
                yield from self._changing(one.cls, "__init__")

    def _changing(self, cls: Class, maker: str) -> Iterator[Class]:
        """The class, where what makes its instances gains a parameter."""
        if self._gaining(cls, maker) is not None or self._home(cls) is not None:
            yield cls

    def _gaining(self, cls: Class, maker: str = "__init__") -> Function | None:
        """The constructor of a class that gains a parameter."""
        own = next((c.methods[maker] for c in self._mro(cls) if maker in c.methods), None)
        return own if own in self.state.params else None

    def _home(self, cls: Class) -> Class | None:
        """The class that gains a field which the constructor is given."""
        state, classes = self.state, self.program.classes
        found = (c for c in self._mro(cls) if c in state.fields)
        return next(found, None) if classes.declares(cls) else None

    def _arguments(self, module: Module, cls: Class, node: tree.Node) -> None:
        function = self._gaining(cls) or self._gaining(cls, "__new__")
        knot: Knot = ("function", function) if function else ("class", self._home(cls) or cls)
        place = self._place(cls)
        if isinstance(node, tree.Sequence) and place is not None and place.behind:
            items = node.items[: place.behind]
            beside = items[-1] if len(items) == place.behind else None
            starred = any(isinstance(item, tree.Wrapped) for item in items)
            base = text_of(beside.base) if isinstance(beside, tree.Attr) else None
            if beside is not None and base is not None and not starred and self._says(beside):
                code = f"{base}.{place.attribute}"
                mend = AddElements(module.filename, node.span, "CAP401", (), (code,), beside.span)
                self.mends.add(knot, mend)
                return
        self.mends.obstacle(knot, node, _REASON.format(cls.name))

    def _says(self, node: tree.Node) -> bool:
        """Whether an expression is a scope's value."""
        program = self.program
        return any(program.domain.held.is_value(node, s) for s in program.policy.scopes)

    def _place(self, cls: Class) -> _Place | None:
        """Where the one new argument comes; `None` where there are several, or that is not known."""
        state, program = self.state, self.program
        home = next((c for c in self._mro(cls) if c in state.fields), None)
        if home is None or len(state.fields[home]) != 1:
            return None
        scope = next(iter(state.fields[home].values()))
        attribute = state.attributes[home, scope.parameter]
        function = self._gaining(cls)
        if function is not None:
            final = self.mends.signatures.final_params(function)[1:]
            new = [n for n, (_, kind, fresh) in enumerate(final) if fresh and kind == "plain"]
            return _Place(new[0], attribute) if len(new) == 1 else None
        names = [one.name for one in program.classes.constructor(cls) or ()]
        held = program.domain.held.is_attribute
        for other, behind in program.policy.beside(scope):
            for number, name in enumerate(names):
                if held(home, name, other):
                    return _Place(number + behind, attribute)
        return None
