"""What objects of the program's classes keep under the name of a key, and give to SQL or messages wherever it is read:
`ReportRow(pk=f"{tenant_id}#{day}")`, whose `row.pk` is a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import ClassObject, Foreign, Instance
from capsule_lint.program.logs import is_for_people
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Class
    from capsule_lint.program.places.keys import Keys

_BASES: Final = frozenset(("ABC", "BaseModel", "Generic", "Protocol", "Struct", "object"))
"""What classes inherit from that have no table behind them."""
_WHOLE: Final = ("asdict", "astuple", "vars", "model_dump", "model_dump_json")
"""What gives all that an object keeps."""
_KNOWN: Final = ("dict", "json", "copy", "to_builtins", "encode")
"""The same, of objects of which the type is known: much else is called so."""
_VAGUE: Final = ("TypeVar()", "Any", "object")
_BY_NAME: Final = ("getattr", "attrgetter")


class HeldElsewhere(Struct, frozen=True):
    """Finds the reads; whatever else may read such an object lets its key be one."""

    keys: Keys
    _found: dict[tuple[Class, str, bool], bool] = field(default_factory=dict)
    """What was found, and whether that was only guessed."""
    _reads: dict[str, list[tuple[tree.Node, frozenset[Type]]]] = field(default_factory=dict)
    """By the names of attributes: where they are read, and of what."""

    def goes(self, cls: Class, name: str, goes: Callable[[tree.Node], bool]) -> bool:
        """Whether all goes elsewhere that is read of an attribute of a class's objects, or that a method of theirs gives;
        each is followed once."""
        key = (cls, name, bool(self.keys.names.guessing))
        if key not in self._found:
            self._found[key] = False  # while it is found out
            self._found[key] = self._is_plain(cls) and self._all_go(cls, name, goes)
        return self._found[key]

    def _all_go(self, cls: Class, name: str, goes: Callable[[tree.Node], bool]) -> bool:
        reads = [node for node, types in self._reads_of(name) if self._may_be(types, cls)]
        if not reads or not all(map(goes, reads)):
            return False
        if any(self._is_asked_for(call, cls, name) for call in self._calls_of(*_BY_NAME)):
            return False
        return all(map(goes, self._wholes(cls)))

    def _is_plain(self, cls: Class) -> bool:
        """Whether nothing that is known of a class keeps its objects by itself, and no pattern takes one apart."""
        classes, names = self.keys.classes, self.keys.names
        if not classes.base_names(cls) <= _BASES or classes.is_named_tuple(cls):
            return False
        return not any(
            isinstance(names.parent(one), tree.Block | tree.Other) for one in names.named(cls.name)
        )

    def _reads_of(self, name: str) -> list[tuple[tree.Node, frozenset[Type]]]:
        """Where an attribute of that name is read outside of tests, for more than logs."""
        if name not in self._reads:
            of = self.keys.templates.inference.of
            self._reads[name] = [
                (self._called(node), frozenset(of(node.base)))
                for node in self.keys.names.named(name)
                if isinstance(node, tree.Attr) and self._is_read(node)
            ]
        return self._reads[name]

    def _called(self, node: tree.Attr) -> tree.Node:
        """The call of a method, or an attribute itself."""
        call = self.keys.names.parent(node)
        return call if isinstance(call, tree.Call) and call.func is node else node

    def _is_read(self, node: tree.Attr) -> bool:
        names = self.keys.names
        around = names.parent(node)
        is_target = isinstance(around, tree.Assign) and node in around.targets and not around.op
        return not (is_target or names.module_of(node).is_test or is_for_people(names, node))

    def _may_be(self, types: frozenset[Type], cls: Class, *, known: bool = False) -> bool:
        """Whether something of some types, or of none that is known, may be an object of a class or of its family."""
        return any(self._is_of(one, cls, known=known) for one in types) or not (types or known)

    def _is_of(self, one: Type, cls: Class, *, known: bool) -> bool:
        classes = self.keys.classes
        match one:
            case Instance(cls=other) | ClassObject(cls=other):
                related = other in classes.mro(cls) or cls in classes.mro(other)
                return related or classes.is_protocol(other)
            case Foreign(name=name) if not name.endswith(_VAGUE):
                return False
            case _:
                return not known

    def _calls_of(self, *called: str) -> Iterator[tree.Call]:
        """The calls of functions and methods of some names, outside of tests."""
        names = self.keys.names
        for node in names.named(*called):
            call = names.parent(node) if not names.module_of(node).is_test else None
            if isinstance(call, tree.Call) and call.func is node:
                yield call

    def _wholes(self, cls: Class) -> Iterator[tree.Node]:
        """What gives all that such an object may keep."""
        names, of = self.keys.names, self.keys.templates.inference.of
        for name in (*_WHOLE, *_KNOWN):
            for call in self._calls_of(name):
                given = [one.value for one in call.args[:1]]
                given += [call.func.base] if isinstance(call.func, tree.Attr) else []
                if any(self._may_be(frozenset(of(g)), cls, known=name in _KNOWN) for g in given):
                    yield call
        for node in names.named("__dict__"):
            base = node.base if isinstance(node, tree.Attr) else None
            if base is None or names.module_of(node).is_test:
                continue
            if self._may_be(frozenset(of(base)), cls):
                yield node

    def _is_asked_for(self, call: tree.Call, cls: Class, name: str) -> bool:
        """Whether a call may ask such an object for the attribute by a text."""
        said = call.args[-1 if last_name(call.func) == "attrgetter" else 1 :][:1]
        text = tree.text(said[0].value) if said else None
        if text is not None:
            return text == name
        given = call.args[0].value if call.args else None
        of = self.keys.templates.inference.of
        return given is None or self._may_be(frozenset(of(given)), cls)
