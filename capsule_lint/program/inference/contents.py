"""What is inside of values: what an index, a loop, a target that unpacks and `with` get of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference import namespaces
from capsule_lint.program.inference.named_keys import key_of
from capsule_lint.program.inference.types import (
    ANYTHING,
    NOTHING,
    ClassObject,
    Collection,
    Foreign,
    Instance,
    Namespace,
    TupleOf,
    Type,
    Types,
    foreign,
    holds_objects,
    join,
    ordered,
)
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from capsule_lint.program.inference.infer import Inference

ANSWERS: Final = frozenset(
    ("Item", "Items", "Attributes", "Responses", "UnprocessedItems", "UnprocessedKeys")
)
"""The keys of the dicts that operations of DynamoDB answer with (the API's reference lists them)."""


@dataclass(eq=False, slots=True)
class Contents:
    """Types of items and parts."""

    inference: Inference

    def at(self, node: tree.Subscript) -> Types:
        """What `base[index]` may be, of a slice what its base may be."""
        if isinstance(node.index, tree.Slice):  # a slice
            return self.inference.of(node.base)
        found: list[Types] = []
        for base in ordered(self.inference.of(node.base)):
            match base:
                case Collection():
                    own = base.at(key_of(self.inference.classes, node.index))
                    put = self.kept(node.base, node.index) if not holds_objects(own) else NOTHING
                    found.append(self._given_back(node) or join(own, put))
                case TupleOf() if isinstance(node.index, tree.Const) and isinstance(
                    node.index.value, int
                ):
                    number = node.index.value
                    inside = -len(base.items) <= number < len(base.items)
                    found.append(base.items[number] if inside else NOTHING)
                case TupleOf():
                    found.append(join(*base.items))
                case ClassObject():
                    found.append(frozenset((base,)))
                case Namespace():
                    found.append(namespaces.looked_up(self.inference, base, node.index))
                case Foreign(name="sys.modules"):
                    found.append(namespaces.imported(self.inference, node.index))
                case Instance():
                    found.append(self._item(base.cls, node.index))
                case Foreign():
                    holds = base.holds or self._is_asked_for(node.index)
                    found.append(
                        self.kept(node.base, node.index) or foreign(f"{base.name}[]", holds=holds)
                    )
                case _:
                    found.append(ANYTHING)
        return self.answered(join(*found), node.index)

    def answered(self, types: Types, key: tree.Node) -> Types:
        """What stands under a key of a dict, where that may be anything: under those of what DynamoDB answers,
        `answer["Responses"]`, is data."""
        return foreign("answer") if tree.text(key) in ANSWERS and types <= ANYTHING else types

    def _given_back(self, node: tree.Subscript) -> Types:
        """What the functions give back under a name of which one is called for a dict: `notes(table)["put"]`."""
        key = tree.text(node.index)
        made = only_assigned(self.inference.names, node.base) or node.base
        if key is None or not isinstance(made, tree.Call):
            return NOTHING
        functions = [c.function for c in self.inference.calls.callees(made)]
        values = [v for f in functions if f is not None for v in f.returns]
        whole = [v for v in values if isinstance(v, tree.DictDisplay) and None not in v.keys]
        found = [value for display in whole if (value := display.under(key)) is not None]
        if len(functions) != 1 or len(found) != len(values):
            return NOTHING
        return join(*map(self.inference.of, found))

    def _item(self, cls: Class, index: tree.Node) -> Types:
        """What an object gives for an index."""
        key = tree.text(index)
        if key is not None and self.inference.classes.is_typed_dict(cls):
            return self.inference.member(cls, key) or ANYTHING
        getter = self.inference.classes.method(cls, "__getitem__")
        if getter is not None:
            located = self.inference.located.of(getter, index)
            return located or self.inference.returned(getter)
        own = self.container(cls)
        return own.items if own is not None else ANYTHING

    def held(self, one: Type, method: str) -> Type:
        """The list or dict that an object is for a method which its class does not define."""
        if isinstance(one, Instance) and self.inference.classes.method(one.cls, method) is None:
            return self.container(one.cls) or one
        return one

    def container(self, cls: Class) -> Collection | None:
        """What an object holds whose class inherits from a list or a dict of something: `class Notes(list[Note])`."""
        for owner in self.inference.classes.mro(cls):
            for argument in owner.fact.bases:
                if isinstance(argument.value, tree.Subscript) and argument.keyword is None:
                    for one in self.inference.annotations.of(argument.value):
                        if isinstance(one, Collection):
                            return one
        return None

    def joined(self, node: tree.Binary) -> Types:
        """The lists and dicts that `a + b` and `a | b` join; nothing for numbers and texts."""
        both = join(self.inference.of(node.left), self.inference.of(node.right))
        return frozenset(
            Collection(join(*t.items)) if isinstance(t, TupleOf) else t
            for t in both
            if isinstance(t, Collection | TupleOf)
        )

    def _is_asked_for(self, index: tree.Node) -> bool:
        """Whether an index is a class of the program, as in `container[Notes]`."""
        return any(isinstance(t, ClassObject) for t in self.inference.of(index))

    def kept(self, base: tree.Node, key: tree.Node) -> Types:
        """The objects of the program that it keeps under a name in what is not its own:
        `app.extensions["stores"] = stores` for `current_app.extensions["stores"]`."""
        text = tree.text(key)
        kept = self.inference.calls.uses.fillings.kept
        stored = kept(last_name(base), text) if text is not None else ()
        return frozenset(
            t for value in stored for t in self.inference.of(value) if isinstance(t, Instance)
        )

    def elements(self, types: Types, around: frozenset[Class] = frozenset()) -> Types:
        """What iterating over a value of these types yields; `around` are those that lead there."""
        found: list[Types] = []
        for one in ordered(types):
            match one:
                case Collection(kind="dict"):
                    found.append(one.keys or foreign("key"))
                case Collection():
                    found.append(one.items)
                case TupleOf():
                    found.append(join(*one.items))
                case Instance():
                    found.append(self._iterated(one.cls, around))
                case Foreign(name="None") if len(types) > 1:
                    continue  # nothing goes through that
                case Foreign():
                    found.append(foreign(f"{one.name}[]", holds=one.holds))
                case ClassObject() if self.inference.classes.is_enum(one.cls):
                    found.append(frozenset((Instance(one.cls),)))
                case _:
                    found.append(ANYTHING)
        return join(*found)

    def _iterated(self, cls: Class, around: frozenset[Class]) -> Types:
        """What an object yields: one that is its own iterator says so in `__next__`."""
        method = self.inference.classes.method(cls, "__next__" if cls in around else "__iter__")
        if method is None:
            own = self.container(cls)
            return self.elements(frozenset((own,))) if own is not None else ANYTHING
        found = self.inference.returned(method)
        return found if cls in around else self.elements(found, around | {cls})

    def awaited(self, types: Types) -> Types:
        """What awaiting one of these yields: of a future or a task what comes out of it."""
        futures = [t for t in types if isinstance(t, Collection) and t.kind == "future"]
        return (
            types.difference(futures).union(*(one.items for one in futures)) if futures else types
        )

    def entered(self, value: Types) -> Types:
        """What `with` binds that enters one of these."""
        found = []
        for one in ordered(value):
            if isinstance(one, Instance):
                enter = self.inference.classes.method(
                    one.cls, "__enter__"
                ) or self.inference.classes.method(one.cls, "__aenter__")
                found.append(self.inference.returned(enter, one) if enter else frozenset((one,)))
            elif isinstance(one, Collection):
                found.append(one.items)  # a generator under @contextmanager
            else:
                found.append(frozenset((one,)))
        return join(*found)

    def unpacked(self, value: Types, path: tuple[int, ...]) -> Types:
        """What stands at a place of an unpacked target."""
        for step in path:
            parts = []
            for one in ordered(value):
                if isinstance(one, TupleOf):
                    parts.append(
                        one.items[step] if 0 <= step < len(one.items) else join(*one.items)
                    )
                else:
                    parts.append(self.elements(frozenset((one,))))
            value = join(*parts)
        return value
