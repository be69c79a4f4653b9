"""What is put into collections and tables, wherever that is done, by their names."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.containers import ADDING_ALL, FILLING
from capsule_lint.program.held_names import container_of
from capsule_lint.program.model import last_name, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Class
    from capsule_lint.program.names import Names

_KEEPING: Final = frozenset(("update", "from_mapping", "setdefault"))
"""Methods that put what they are given into a mapping, by its name."""


@dataclass(eq=False, slots=True)
class Fillings:
    """An index of what calls and assignments put somewhere, once these are noted."""

    names: Names
    _kept: dict[tuple[str, str], list[tree.Node]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _fills: dict[tuple[int, str], list[tree.Node]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _nested: dict[tuple[int, str], list[tree.Node]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _spills: dict[tuple[int, str], list[tree.Node]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _puts: dict[str, list[tuple[tree.Node, tree.Node]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _nested_puts: dict[str, list[tuple[tree.Node, tree.Node]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    # --- what can be asked ---

    def kept(self, holder: str, key: str) -> list[tree.Node]:
        """What is put under that key of something called `holder`: `app.extensions["stores"] = …`."""
        return self._kept.get((holder, key), [])

    def fills(self, cls: Class, name: str) -> list[tree.Node]:
        """What the methods of a class put into the collection `self.name`, an element at a time."""
        return self._fills.get((id(cls), name), [])

    def nested_fills(self, cls: Class, name: str) -> list[tree.Node]:
        """What they put into the lists that are in the dict `self.name`: `self.name[kind].append(handler)`."""
        return self._nested.get((id(cls), name), [])

    def spills(self, cls: Class, name: str) -> list[tree.Node]:
        """The collections all of which they put into it: `self.name.extend(notes)`, `self.name += notes`."""
        return self._spills.get((id(cls), name), [])

    def puts(self, name: str) -> list[tuple[tree.Node, tree.Node]]:
        """What is put, one by one, into tables that are called `name`, each with the table as it is written."""
        return self._puts.get(name, [])

    def nested_puts(self, name: str) -> list[tuple[tree.Node, tree.Node]]:
        """The same of what is put into the lists in them: `TABLE[kind].append(handler)`."""
        return self._nested_puts.get(name, [])

    def tables(self) -> Iterator[tuple[str, list[tuple[tree.Node, tree.Node]]]]:
        """Both of these, of all tables, by their names."""
        yield from self._puts.items()
        yield from self._nested_puts.items()

    # --- how it is found ---

    def note_call(self, call: tree.Call) -> None:
        """Note what a call puts into what it is a method of."""
        if not isinstance(call.func, tree.Attr):
            return
        method, base = call.func.name, call.func.base
        if method in FILLING and call.args:
            value, holder = call.args[-1].value, _holder(base)
            self._note_fill(self._fills, base, value)
            self._note_fill(self._nested, holder, value)
            if isinstance(base, tree.Name | tree.Attr):
                self._puts[last_name(base)].append((base, value))
            elif isinstance(holder, tree.Name | tree.Attr):
                self._nested_puts[last_name(holder)].append((holder, value))
        elif method in ADDING_ALL:
            for argument in call.args[:1]:
                self._note_fill(self._spills, base, argument.value)
        if method in _KEEPING:
            for key, value in _entries(call):
                self._kept[last_name(base), key].append(value)

    def note_assignment(
        self, target: tree.Attr | tree.Subscript, value: tree.Node, op: str
    ) -> None:
        """Note what an assignment puts under an index, or adds to an attribute."""
        if isinstance(target, tree.Attr):
            if op in ("+", "|"):
                self._note_fill(self._spills, target, value)
            return
        self._note_fill(self._fills, target.base, value)
        self._puts[last_name(target.base)].append((target.base, value))
        if key := tree.text(target.index):
            self._kept[last_name(target.base), key].append(value)

    def _note_fill(
        self,
        fills: dict[tuple[int, str], list[tree.Node]],
        collection: tree.Node | None,
        value: tree.Node,
    ) -> None:
        if isinstance(collection, tree.Attr) and is_own(collection):
            owner = owner_of(self.names.function_of(value))
            if owner is not None:
                fills[id(owner), collection.name].append(value)


def is_own(attribute: tree.Attr) -> bool:
    """Whether it is one of `self` or `cls`."""
    return isinstance(attribute.base, tree.Name) and attribute.base.id in ("self", "cls")


def _entries(call: tree.Call) -> Iterator[tuple[str, tree.Node]]:
    """What `update(STORE=…)`, `update({"STORE": …})` and `setdefault("STORE", …)` put, by its name."""
    match call.plain:
        case [tree.DictDisplay() as display]:
            yield from display.entries
        case [key, value] if (text := tree.text(key)) is not None:
            yield text, value
    yield from call.keywords


def _holder(node: tree.Node) -> tree.Node | None:
    """The dict that has in it what stands at an index: `DICT[kind]`, `DICT.setdefault(kind, [])`."""
    match node:
        case tree.Subscript() | tree.Call(func=tree.Attr(name="setdefault")):
            return container_of(node)
        case _:
            return None
