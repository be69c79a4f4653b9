"""Class hierarchies: bases, method resolution, heirs, members, and kinds of classes by their bases."""

from __future__ import annotations

import builtins
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.bases import MODELS, last_name_of
from capsule_lint.program.fields import base_of
from capsule_lint.program.model import Binding, Class, Function, last_name
from capsule_lint.program.module_words import imported
from capsule_lint.program.set_by_name import listed_texts, setting_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.program.names import Names
    from capsule_lint.program.uses import Uses

_DOCUMENT: Final = "MapAttribute"
"""What PynamoDB calls, and what ends so, the base of documents: an attribute that has attributes."""
_MAX_DEPTH: Final = 4
_ABSTRACT_BASES: Final = frozenset(("ABC", "Protocol"))
_RAISED: Final = frozenset(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)


@dataclass(eq=False)
class Hierarchy:
    """The classes of a program, what they inherit from, and what has which members."""

    names: Names
    all: tuple[Class, ...]
    uses: Uses
    _bases: dict[Class, tuple[Class | str, ...]] = field(default_factory=dict)
    _mro: dict[Class, tuple[Class, ...]] = field(default_factory=dict)
    _heirs: dict[str, list[Class]] = field(default_factory=lambda: defaultdict(list))
    """The classes by what their bases are called where they inherit."""
    _own_heirs: dict[Class, list[Class]] = field(default_factory=dict)
    _own_names: dict[Class, frozenset[str]] = field(default_factory=dict)
    _has_pynamo: bool = False

    def __post_init__(self) -> None:
        for cls in self.all:
            for node in cls.fact.bases:
                if node.keyword is None:
                    self._heirs[last_name(base_of(node.value))].append(cls)
        self._has_pynamo = any(
            name.startswith("pynamodb")
            for module in self.names.modules.values()
            for name in imported(module)
        )

    def bases(self, cls: Class) -> tuple[Class | str, ...]:
        """Its direct bases: classes of the program, or the dotted names of others."""
        known = self._bases.get(cls)
        if known is None:
            found = [a.value for a in cls.fact.bases if a.keyword is None]
            known = self._bases[cls] = tuple(self._base(node) for node in found)
        return known

    def _base(self, node: tree.Node, depth: int = 0) -> Class | str:
        node = base_of(node) or node
        dotted = self.dotted(node)
        if isinstance(dotted, Binding) and isinstance(dotted.definition, Class):
            return dotted.definition
        if isinstance(dotted, Binding) and depth < _MAX_DEPTH:
            match dotted.value:  # `OldNote = Note`, for those who still use that name
                case tree.Name() | tree.Attr() if dotted.kind == "assign" and not dotted.path:
                    return self._base(dotted.value, depth + 1)
                case tree.Call(func=func) if dotted.kind == "assign" and not dotted.path:
                    made = self.dotted(func)  # `Base = declarative_base()`
                    return (
                        f"{made}().{last_name(node)}" if isinstance(made, str) else last_name(node)
                    )
        return dotted if isinstance(dotted, str) else last_name(node)

    def dotted(self, node: tree.Node) -> Binding | str:
        """What `a.b.C` names: a binding of the program, or else a dotted name."""
        match node:
            case tree.Name():
                bindings = self.names.bindings_of(node)
                if not bindings:
                    return node.id
                target = self.names.follow(bindings[-1])
            case tree.Attr():
                base = self.dotted(node.base)
                if isinstance(base, Binding):
                    if isinstance(base.definition, Class):
                        inner = base.definition.scope.bindings.get(node.name)
                        if inner:
                            return inner[-1]
                    return node.name
                target = self.names.follow(self.names.member(base, node.name))
            case _:
                return ""
        return target if isinstance(target, Binding) else target.name

    def mro(self, cls: Class) -> tuple[Class, ...]:
        """The class and its bases in the program, in the order in which members are looked up."""
        known = self._mro.get(cls)
        if known is None:
            self._mro[cls] = (cls,)  # what a class sees that inherits from itself
            found = [cls]
            for base in self.bases(cls):
                if isinstance(base, Class):
                    found += [c for c in self.mro(base) if c is not cls]
            # A base that several others share comes after all of them.
            ordered = [c for n, c in enumerate(found) if c not in found[n + 1 :]]
            known = self._mro[cls] = tuple(ordered)
        return known

    def _called(self, cls: Class) -> frozenset[str]:
        """What its direct bases are called, without their modules."""
        known = self._own_names.get(cls)
        if known is None:
            known = self._own_names[cls] = frozenset(map(last_name_of, self.bases(cls)))
        return known

    def foreign_bases(self, cls: Class) -> Iterator[str]:
        """The names of all bases that are not of the program."""
        for owner in self.mro(cls):
            yield from (base for base in self.bases(owner) if isinstance(base, str))

    def base_names(self, cls: Class) -> set[str]:
        """What these are called, without their modules."""
        return set(map(last_name_of, self.foreign_bases(cls)))

    def is_model(self, cls: Class) -> bool:
        """Whether it is a model of pydantic's, or of SQLModel."""
        return not self.base_names(cls).isdisjoint(MODELS)

    def subclasses(self, cls: Class) -> Iterator[Class]:
        """All classes that inherit from it, itself included."""
        seen, queue = {cls}, [cls]
        while queue:
            current = queue.pop()
            self.names.ask(current.name)
            yield current
            for sub in self._inheriting(current):
                if sub not in seen:
                    seen.add(sub)
                    queue.append(sub)

    def _inheriting(self, cls: Class) -> list[Class]:
        if cls not in self._own_heirs:
            found = {
                heir
                for name in self.uses.known_as(cls.name)
                for heir in self._heirs.get(name, ())
                if cls in self.bases(heir)
            }
            self._own_heirs[cls] = sorted(found, key=lambda heir: heir.symbol)
        return self._own_heirs[cls]

    def owning(self, method: str) -> Sequence[Class]:
        """The classes that define a method of that name themselves."""
        return [cls for cls in self._having.get(method, ()) if method in cls.methods]

    def having(self, wanted: Callable[[str], bool]) -> list[Class]:
        """The classes that have a member or a parameter of such a name, and what inherits from them."""
        found: dict[Class, None] = {}
        for cls in self.all:
            initializer = cls.methods.get("__init__") or cls.methods.get("__new__")
            params = initializer.own_params if initializer is not None else ()
            own = (*cls.scope.bindings, *cls.methods, *cls.stores, *(p.name for p in params))
            if cls not in found and any(map(wanted, own)):
                with self.names.aside():
                    found.update(dict.fromkeys(self.subclasses(cls)))
        return [cls for cls in self.all if cls in found]

    def method(self, cls: Class, name: str) -> Function | None:
        """The method that `cls().name` would be."""
        for owner in self.mro(cls):  # nothing is asked more often of a class
            if name in owner.methods:
                return owner.methods[name]
        return None

    def fits(self, cls: Class, protocol: Class) -> bool:
        """Whether a class has all methods that a Protocol demands, whatever these take."""
        if not self.is_protocol(protocol):
            return False
        needed, has = (
            {name for owner in self.mro(one) for name in owner.methods} for one in (protocol, cls)
        )
        return needed <= has

    def is_protocol(self, cls: Class) -> bool:
        """Whether the class itself is a `typing.Protocol`."""
        return "Protocol" in self._called(cls)

    def is_callback(self, cls: Class) -> bool:
        """Whether the class is a Protocol of what is called and nothing else, as functions are."""
        return {*cls.methods} == {"__call__"} and self.is_protocol(cls)

    def is_abstract(self, cls: Class) -> bool:
        """Whether it is a Protocol or an ABC."""
        return bool(self._called(cls) & _ABSTRACT_BASES) or any(
            argument.keyword == "metaclass" and last_name(argument.value) == "ABCMeta"
            for argument in cls.fact.bases
        )

    def metaclasses(self, cls: Class) -> Iterator[Class]:
        """The program's classes of which the class is made, or its bases are, and theirs."""
        for owner in self.mro(cls):
            for argument in owner.fact.bases:
                if argument.keyword == "metaclass":
                    meta = self._base(argument.value)
                    yield from self.mro(meta) if isinstance(meta, Class) else ()

    def is_typed_dict(self, cls: Class) -> bool:
        """Whether its instances are plain dicts of known keys."""
        return any("TypedDict" in self._called(owner) for owner in self.mro(cls))

    def is_named_tuple(self, cls: Class) -> bool:
        """Whether its instances are tuples of their fields."""
        return any("NamedTuple" in self._called(owner) for owner in self.mro(cls))

    def is_pynamo(self, cls: Class) -> bool:
        """Whether it is a model of PynamoDB's, an index of one or a document in it, which have fields; other attributes,
        and errors, are made of what is none."""
        return self._has_pynamo and self._is_of_pynamo(cls, ".Model", "Index", _DOCUMENT)

    def is_pynamo_index(self, cls: Class) -> bool:
        """Whether it is a secondary index of PynamoDB's."""
        return self._is_of_pynamo(cls, "SecondaryIndex")

    def is_pynamo_document(self, cls: Class) -> bool:
        """Whether it is what a model of PynamoDB's holds with fields of its own, and no key."""
        return self._is_of_pynamo(cls, _DOCUMENT)

    def _is_of_pynamo(self, cls: Class, *ends: str) -> bool:
        """Whether PynamoDB has a base of a class whose name ends so."""
        return any(
            base.startswith("pynamodb.") and base.endswith(ends)
            for base in self.foreign_bases(cls)
        )

    def is_enum(self, cls: Class) -> bool:
        """Whether its class attributes are members."""
        return any(name.endswith(("Enum", "Flag")) for name in self.base_names(cls))

    def is_exception(self, cls: Class) -> bool:
        """Whether its instances are raised."""
        return any(
            name in _RAISED or name.endswith(("Error", "Exception"))
            for name in self.base_names(cls)
        )

    def has_attribute(self, cls: Class, name: str) -> bool:
        """Whether its instances are known to have that attribute."""
        owners = self._having.get(name, ())
        return any(owner in owners for owner in self.mro(cls))

    @cached_property
    def _having(self) -> dict[str, dict[Class, None]]:
        """The classes that give their instances an attribute themselves, by its name."""
        found: dict[str, dict[Class, None]] = defaultdict(dict)
        for cls in self.all:
            for name in {*cls.stores, *cls.methods, *cls.scope.bindings}:
                found[name][cls] = None
        with self.names.aside():
            listing = {cls for owner in self._setting for cls in self.subclasses(owner)}
        for cls in listing:
            for name in self.listed(cls):
                found[name][cls] = None
        return found

    @cached_property
    def _setting(self) -> dict[Class, set[str]]:
        return setting_by_name(self.names, self.uses.calls_beside("setattr"))

    def listed(self, cls: Class) -> frozenset[str]:
        """The attributes of instances that a class lists by name for the initializer of a base to set."""
        mro = self.mro(cls) if self._setting else ()
        names = [name for owner in mro for name in self._setting.get(owner, ())]
        return frozenset(text for name in names for text in listed_texts(mro, name))
