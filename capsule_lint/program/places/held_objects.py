"""Objects of the program's own classes, of which nothing is asked but their attributes, and what reads these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.data_decorators import NAMES
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import reads_of, reads_of_parameter
from capsule_lint.program.logs import is_for_people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.places.keys import Keys

_BASES: Final = frozenset(("ABC", "BaseModel", "Generic", "Protocol", "Struct", "object"))
"""What classes inherit from that have no table behind them."""
_OF_METHODS: Final = frozenset(("classmethod", "property", "staticmethod"))
"""Decorators that do nothing with what a function gives back."""
_MAX_DEPTH: Final = 4


class HeldObjects(Struct, frozen=True):
    """Follows them: a value that they keep goes nowhere but to what reads it by its name."""

    keys: Keys

    def made_for(
        self, call: tree.Call, cls: Class, name: str, goes: Callable[[tree.Node], bool]
    ) -> bool:
        """Whether all reads go somewhere of what a call makes a data object with, under a name."""
        classes = self.keys.classes
        fields = {field.name for field in classes.fields(cls)}
        if not classes.is_data(cls) or classes.is_named_tuple(cls) or name not in fields:
            return False
        return self._is_plain(cls) and self._all_go(cls, name, [call], goes)

    def kept_for(self, kept: tree.Attr, goes: Callable[[tree.Node], bool]) -> bool:
        """The same of an attribute that an object gives itself as it is made."""
        function = self.keys.names.function_of(kept)
        cls = function.owner if function is not None else None
        if cls is None or function is None or function.name != "__init__":
            return False
        if not _is_self(kept.base, function) or not self._is_plain(cls):
            return False
        made = (call for call, _ in self.keys.calls.constructors_of(cls))
        return self._all_go(cls, kept.name, made, goes)

    def _all_go(
        self, cls: Class, name: str, made: Iterable[tree.Node], goes: Callable[[tree.Node], bool]
    ) -> bool:
        reads = self.reads(cls, name)
        if not reads or not all(self._is_asked(one, cls, 0) for one in self._ours(made)):
            return False
        return all(map(goes, reads))

    def _ours(self, nodes: Iterable[tree.Node]) -> Iterator[tree.Node]:
        """Those that stand in no test."""
        return (one for one in nodes if not self.keys.names.module_of(one).is_test)

    def _is_plain(self, cls: Class) -> bool:
        """Whether nothing but its own methods does anything with an object of a class, or of an heir, as a whole."""
        classes, names = self.keys.classes, self.keys.names
        heirs = list(classes.subclasses(cls))
        if any(not (c.decorators <= NAMES and classes.base_names(c) <= _BASES) for c in heirs):
            return False
        known = {name for heir in heirs for name in self.keys.calls.uses.aliases(heir.name)}
        if any(
            isinstance(names.parent(one), tree.Block | tree.Other) for one in names.named(*known)
        ):
            return False  # a pattern takes it apart
        return all(
            isinstance(around := names.parent(read), tree.Attr) and not _is_hidden(around.name)
            for owner in dict.fromkeys(one for heir in heirs for one in classes.mro(heir))
            for method in owner.methods.values()
            if "classmethod" not in method.decorators
            for read in names.called(method, method.self_name)
        )

    def reads(self, cls: Class, name: str) -> list[tree.Node]:
        """Where the attribute is read of what may be such an object; nothing where it is also asked for by a text."""
        names, found = self.keys.names, list[tree.Node]()
        for module in names.production():
            for text in module.each(tree.Const):
                around = names.parent(text) if text.value == name else None
                if around is not None and not isinstance(
                    around, tree.DictDisplay | tree.Subscript
                ):
                    return []
        for node in self._ours(names.named(name)):
            around = names.parent(node)
            if not isinstance(node, tree.Attr) or is_for_people(names, node):
                continue
            if isinstance(around, tree.Assign) and node in around.targets and not around.op:
                continue
            if self._may_be(node.base, cls):
                found.append(node)
        return found

    def _may_be(self, node: tree.Node, cls: Class) -> bool:
        """Whether an expression may be an object of a class, or of one of its family."""
        types = self.keys.templates.inference.of(node)
        mro = self.keys.classes.mro
        others = [t for t in types if isinstance(t, Instance) and cls not in mro(t.cls)]
        return not types or len(others) < len(types) or any(t.cls in mro(cls) for t in others)

    # --- where an object goes ---

    def _is_asked(self, node: tree.Node, cls: Class, depth: int) -> bool:
        """Whether an object is asked for its attributes and nothing else, wherever it goes."""
        if depth > _MAX_DEPTH:
            return False
        names = self.keys.names
        match names.parent(node):
            case tree.Attr(name=name):
                known = self.keys.classes.has_attribute(cls, name) or name in cls.methods
                return known and not _is_hidden(name)
            case tree.Assign(targets=(tree.Name() as local,), op=""):
                reads = reads_of(names, local, (local.at,))
                inner = names.function_of(local) is not None
                return inner and all(self._is_asked(one, cls, depth + 1) for one in reads)
            case tree.Wrapped(kind="await") | tree.Boolean() | tree.Conditional() as around:
                return self._is_asked(around, cls, depth)
            case tree.Eval(kind="return"):
                function = names.function_of(node)
                return function is not None and self._is_asked_of(function, cls, depth)
            case tree.Eval(kind="expr") | tree.Compare():
                return True
            case tree.Call() as call if call.func is not node:
                return is_for_people(names, node) or self._is_given(call, node, cls, depth)
            case _:
                return False

    def _is_asked_of(self, function: Function, cls: Class, depth: int) -> bool:
        """The same of what functions of a name give back."""
        if not function.decorators <= _OF_METHODS:
            return False
        for node in self._ours(
            self.keys.names.named(*self.keys.calls.uses.aliases(function.name))
        ):
            call = self.keys.names.parent(node)
            called = isinstance(call, tree.Call) and call.func is node
            given = call if called and isinstance(call, tree.Call) else node
            if not called and not function.is_property:
                return False
            if not self._is_asked(given, cls, depth + 1):
                return False
        return True

    def _is_given(self, call: tree.Call, node: tree.Node, cls: Class, depth: int) -> bool:
        """The same of what functions of the program do with an object that a call gives them."""
        argument = next((a for a in call.args if a.value is node and not a.star), None)
        callees = [c for c in self.keys.calls.callees(call) if c.function is not None]
        ours = [c for c in callees if c.function is not None and not c.function.module.is_test]
        for callee in ours:
            name = next((n for n, a in callee.arguments(call).items() if a is argument), "")
            for member in self.keys.calls.families.of(callee.function) if callee.function else ():
                own = member.parameter(name)
                if own is None or own.kind in ("*", "**"):
                    return False
                reads = reads_of_parameter(self.keys.names, own, member.module)
                if not all(self._is_asked(one, cls, depth + 1) for one in self._ours(reads)):
                    return False
        return bool(ours)


def _is_self(node: tree.Node, function: Function) -> bool:
    return isinstance(node, tree.Name) and node.id == function.self_name


def _is_hidden(name: str) -> bool:
    """Whether an attribute says what all of them are: `__dict__`."""
    return name.startswith("__")
