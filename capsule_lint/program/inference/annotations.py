"""What annotations say: names, generics, quoted ones, aliases and type variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.mocks import MOCKS
from capsule_lint.program.inference.types import (
    ANYTHING,
    NOTHING,
    ClassObject,
    Collection,
    Foreign,
    Instance,
    TupleOf,
    Type,
    Types,
    foreign,
    holds_objects,
    join,
)
from capsule_lint.program.model import Binding, Place, last_name

COLLECTIONS: Final = frozenset(
    [
        "list",
        "List",
        "Sequence",
        "MutableSequence",
        "Iterable",
        "Iterator",
        "Generator",
        "AsyncIterator",
        "AsyncIterable",
        "AsyncGenerator",
        "set",
        "Set",
        "frozenset",
        "FrozenSet",
        "deque",
        "Collection",
        "AbstractSet",
        "Queue",
        "SimpleQueue",
        "LifoQueue",
        "PriorityQueue",
        "JoinableQueue",
        "SearchStrategy",
        "SortedList",
        "SortedSet",
        "Future",
        "Task",
    ]
)

MAPPINGS: Final = frozenset(
    [
        "dict",
        "Dict",
        "Mapping",
        "MutableMapping",
        "OrderedDict",
        "defaultdict",
        "DefaultDict",
        "ChainMap",
        "MappingProxyType",
        "SortedDict",
        "WeakValueDictionary",
        "WeakKeyDictionary",
    ]
)

DECODERS: Final = frozenset(("Decoder", "TypeAdapter"))
"""What makes instances of the class that it is given, by a method."""

_TRANSPARENT: Final = frozenset(
    [
        "Optional",
        "Union",
        "Annotated",
        "Awaitable",
        "Coroutine",
        "Final",
        "ClassVar",
        "Required",
        "NotRequired",
        "ReadOnly",
        "ContextManager",
        "AbstractContextManager",
        "AsyncContextManager",
        "AbstractAsyncContextManager",
        "Unpack",
    ]
)

_VAGUE: Final = frozenset(("typing.Any", "object", "type", "typing.Type", "typing.TypeVar", "Any"))

if TYPE_CHECKING:
    from collections.abc import Callable

    from capsule_lint.program.inference.infer import Inference


def collection_of(name: str, items: Types) -> Collection:
    """What one of `COLLECTIONS` says, with what is in it."""
    kind = "yields" if name.endswith(("Iterator", "Generator")) else "list"
    kind = "future" if name in ("Future", "Task") else kind
    kind = "strategy" if name == "SearchStrategy" else kind
    return Collection(items, kind=kind)


@dataclass(eq=False, slots=True)
class Annotations:
    """Types of annotations."""

    inference: Inference
    _open: set[int] = field(default_factory=set)
    """The aliases that are being read, by the ids of what they stand for."""

    def of(self, node: tree.Node) -> Types:
        """What a value with that annotation may be."""
        match node:
            case tree.Binary(op="|"):
                return join(self.of(node.left), self.of(node.right))
            case tree.Const(value=None):
                return foreign("None")
            case tree.Subscript():
                return self._generic(node)
            case tree.Name() | tree.Attr():
                return join(*(self._denoted(t, node) for t in self._type_name(node)))
            case _:
                return ANYTHING

    def certain(self, node: tree.Node) -> Types:
        """The same, where an annotation leaves nothing open; nothing where it does."""
        found = self.of(node)
        return NOTHING if found & ANYTHING else found

    def with_value(self, node: tree.Node, given: tree.Node | None) -> Types:
        """What a name may be that has an annotation and a value: what a collection holds is told by what is
        written out, where the annotation leaves that open, `VERBS: dict[str, Callable] = {"read": read}`."""
        annotated = self.certain(node)
        if given is None or not annotated:
            return annotated
        return self.more_exact(annotated, lambda: self.inference.of(given))

    def more_exact(self, annotated: Types, given: Callable[[], Types]) -> Types:
        """What is given, where that tells what a collection holds and an annotation leaves that open; it is asked for
        only then."""
        value = given() if all(map(_is_open, annotated)) else NOTHING
        known = all(isinstance(one, Collection | TupleOf) for one in value)
        return value if value and known and not any(map(_is_open, value)) else annotated

    def _type_name(self, node: tree.Name | tree.Attr) -> Types:
        if id(node) in self.inference.names.index.places:
            return self.inference.of(node)
        return ANYTHING

    def _denoted(self, one: Type, node: tree.Node) -> Types:
        match one:
            case ClassObject() if self.inference.classes.is_callback(one.cls):
                return ANYTHING  # what is given says more
            case ClassObject():
                return frozenset((Instance(one.cls),))
            case Foreign():
                return self._foreign_type(one, node)
            case _:
                return ANYTHING

    def _foreign_type(self, one: Foreign, node: tree.Node) -> Types:
        name, last = one.name, one.name.rpartition(".")[2]
        if name.endswith("TypeVar()"):
            return self._type_variable(node)
        if name.endswith("NewType()"):
            return foreign("value")
        if name in _VAGUE or name.removeprefix("builtins.") in _VAGUE:
            return ANYTHING
        if last in MOCKS or last == "Callable":  # what it mocks, or is given, says more
            return ANYTHING
        if name.endswith((".Self", "builtins.Self")):
            return ANYTHING
        if last in MAPPINGS:
            return foreign("builtins.dict")
        if name.endswith("[]"):  # an alias: Repos = dict[str, Repo], Ctx = Annotated[...]
            return self._alias(node)
        if name == "value" or last == "TypeAlias":  # another one: Event = Opened | Shipped
            aliased, said = self._alias(node), self._aliased(node)
            called = isinstance(said, tree.Subscript) and last_name(said.base) == "Callable"
            return foreign(name) if aliased == ANYTHING and not called else aliased
        return foreign(name.removesuffix("()"))

    def _alias(self, node: tree.Node) -> Types:
        said = self._aliased(node)
        if said is None or id(said) in self._open:  # `Tree = list[Tree]`
            return ANYTHING
        self._open.add(id(said))
        try:
            return self.of(said)
        finally:
            self._open.remove(id(said))

    def _aliased(self, node: tree.Node) -> tree.Node | None:
        """What a name for a type stands for, if that is no name."""
        names = self.inference.names
        found: list[Binding | object] = []
        if isinstance(node, tree.Name):
            found += [names.follow(binding) for binding in names.bindings_of(node)]
        elif isinstance(node, tree.Attr):
            found.append(self.inference.classes.dotted(node))
        values = (one.value for one in found if isinstance(one, Binding))
        return next((v for v in values if isinstance(v, tree.Subscript | tree.Binary)), None)

    def _type_variable(self, node: tree.Node) -> Types:
        if isinstance(node, tree.Name):
            for binding in self.inference.names.bindings_of(node):
                target = self.inference.names.follow(binding)
                call = target.value if isinstance(target, Binding) else None
                if isinstance(call, tree.Call):
                    bounds = [a.value for a in call.args if a.keyword == "bound"]
                    plain = call.unnamed[1:]
                    found = join(*(self._quoted(b) for b in bounds + plain))
                    return found or ANYTHING
        return ANYTHING

    def _quoted(self, node: tree.Node) -> Types:
        if isinstance(node, tree.Const) and isinstance(node.value, str):
            return self._annotation_of_name(node.value, self.inference.names.place(node))
        return self.of(node)

    def _annotation_of_name(self, name: str, place: Place) -> Types:
        """What a value is whose annotation is that name, in quotes."""
        return (
            join(
                *(
                    self._denoted(t, tree.Name((0, 0, 0, 0), name))
                    for t in self.inference.name(name, place)
                    if isinstance(t, ClassObject)
                )
            )
            or ANYTHING
        )

    def _generic(self, node: tree.Subscript) -> Types:
        name = last_name(node.base)
        items = (
            node.index.items
            if isinstance(node.index, tree.Sequence) and node.index.kind == "tuple"
            else (node.index,)
        )
        own = (
            self.inference.of(node.base)
            if id(node.base) in self.inference.names.index.places
            else NOTHING
        )
        classes = frozenset(Instance(t.cls) for t in own if isinstance(t, ClassObject))
        if classes:
            return frozenset[Type](classes)
        if name in ("Union", "Optional"):
            optional = foreign("None") if name == "Optional" else NOTHING
            return join(optional, *map(self.of, items))
        if name == "Annotated":
            return self._annotated(items)
        if name == "Coroutine":
            return self.of(items[-1])
        if name in _TRANSPARENT:
            return self.of(items[0])
        if name in ("Type", "type"):
            return frozenset(
                ClassObject(t.cls) if isinstance(t, Instance) else t for t in self.of(items[0])
            )
        if name in COLLECTIONS:
            return frozenset((collection_of(name, self.of(items[0])),))
        if name in DECODERS:
            return frozenset((Collection(self.of(items[0]), kind="decoder"),))
        if name in MAPPINGS:
            values = self.of(items[-1])
            return frozenset((Collection(values, self.of(items[0]), "dict"),))
        if name in ("tuple", "Tuple"):
            match items:
                case (one, tree.Const(kind="ellipsis")):
                    return frozenset((Collection(self.of(one)),))
                case _:
                    return frozenset((TupleOf(tuple(map(self.of, items))),))
        if name == "Literal":
            return foreign("builtins.str")
        if name == "Callable":
            return ANYTHING
        if isinstance(node.base, tree.Name) and self.inference.names.bindings_of(node.base):
            aliased = self._alias(node.base)
            if not aliased <= ANYTHING:
                return aliased
        return foreign(name, holds=any(holds_objects(self.of(item)) for item in items))

    def _annotated(self, items: tuple[tree.Node, ...]) -> Types:
        found = self.of(items[0])
        if any(isinstance(t, Instance) for t in found):
            return found
        for extra in items[1:]:
            if isinstance(extra, tree.Call) and last_name(extra) in ("Depends", "Security"):
                given = self.inference.results.depends(extra)
                if any(isinstance(t, Instance) for t in given):
                    return given
        return found


def _is_open(one: Type) -> bool:
    """Whether nothing says what a collection holds."""
    match one:
        case Collection():
            return not one.items or bool(one.items & ANYTHING)
        case TupleOf():
            return any(item & ANYTHING for item in one.items)
        case Foreign():
            return one.name.rpartition(".")[2] in COLLECTIONS | MAPPINGS | {"tuple", "Tuple"}
        case _:
            return False
