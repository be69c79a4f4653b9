"""Class hierarchies: bases, method resolution, fields, constructors."""

from __future__ import annotations

import builtins
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.bases import ADDING_NOTHING, MODELS, last_name_of
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.data_decorators import makes_data
from capsule_lint.program.fields import (
    Field,
    alias_of,
    base_of,
    camel_case,
    flag_of,
    generates_aliases,
    is_field,
)
from capsule_lint.program.late_defaults import with_late_defaults
from capsule_lint.program.model import Binding, Class, Function, last_name
from capsule_lint.program.set_by_name import listed_texts, setting_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from capsule_lint.program.names import Names
    from capsule_lint.program.uses import Uses

_DATA_BASES: Final = frozenset(
    ("BaseModel", "NamedTuple", "Struct", "SQLModel", "BaseSettings", "RootModel", "TypedDict")
)
_DOCUMENT: Final = "MapAttribute"
"""What PynamoDB calls, and what ends so, the base of documents: an attribute that has attributes."""
_MAX_DEPTH: Final = 4
_ABSTRACT_BASES: Final = frozenset(("ABC", "Protocol"))
_BY_KEYWORD: Final = MODELS | {"BaseSettings", "TypedDict"}
"""Bases of models, and of dicts, that are made with keywords alone."""
_RAISED: Final = frozenset(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)
_PLAIN: Final = ADDING_NOTHING | {"Exception"}


@dataclass(eq=False)
class Classes:
    """The classes of a program and how they relate."""

    names: Names
    all: tuple[Class, ...]
    uses: Uses
    _bases: dict[Class, tuple[Class | str, ...]] = field(default_factory=dict)
    _mro: dict[Class, tuple[Class, ...]] = field(default_factory=dict)
    _heirs: dict[str, list[Class]] = field(default_factory=lambda: defaultdict(list))
    """The classes by what their bases are called where they inherit."""
    _own_heirs: dict[Class, list[Class]] = field(default_factory=dict)
    _own_names: dict[Class, frozenset[str]] = field(default_factory=dict)
    _made: dict[Class, bool] = field(default_factory=dict)
    _fields: dict[Class, tuple[Field, ...]] = field(default_factory=dict)
    _constructors: dict[Class, tuple[tree.Parameter, ...] | None] = field(default_factory=dict)
    _has_pynamo: bool = False

    def __post_init__(self) -> None:
        for cls in self.all:
            for node in cls.fact.bases:
                if node.keyword is None:
                    self._heirs[last_name(base_of(node.value))].append(cls)
        self._has_pynamo = any(
            imported.module.startswith("pynamodb")
            for module in self.names.modules.values()
            for statement, _ in module.statements
            if isinstance(statement, tree.Import)
            for imported in statement.names
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

    # --- construction ---

    def is_data(self, cls: Class) -> bool:
        """Whether its constructor is made from its fields."""
        return self._own_constructor(cls) is None and self.declares(cls)

    def _own_constructor(self, cls: Class) -> Function | None:
        """What a class itself has for a constructor: of a tuple that is what makes it."""
        made = cls.methods.get("__new__") if self.is_named_tuple(cls) else None
        return cls.methods.get("__init__") or made

    def declares(self, cls: Class) -> bool:
        """Whether its fields are those that it declares, whatever its own initializer does."""
        if self.is_enum(cls):
            return False
        for owner in self.mro(cls):
            if self._is_made(owner) or self._called(owner) & _DATA_BASES:
                return True
        return self.is_pynamo(cls) and not self.is_pynamo_index(cls)

    def _is_made(self, cls: Class) -> bool:
        """Whether a decorator makes a constructor of the fields of a class."""
        if cls not in self._made:
            self._made[cls] = makes_data(cls, self.names, self.dotted)
        return self._made[cls]

    def fields(self, cls: Class) -> tuple[Field, ...]:
        """The fields of a data class, inherited ones first."""
        if cls not in self._fields:
            self._fields[cls] = with_late_defaults(self, cls, self._find_fields(cls).values())
        return self._fields[cls]

    def _find_fields(self, cls: Class) -> dict[str, Field]:
        found: dict[str, Field] = {}
        owners = list(filter(self._is_made, self.mro(cls)))
        # a decorator leaves out what other classes annotate, as mixins do
        if not owners or any(self._called(owner) & _DATA_BASES for owner in self.mro(cls)):
            owners = list(self.mro(cls))
        for owner in reversed(owners):
            listed = owner.fact.listed is not None
            for statement in owner.fact.said:
                if isinstance(statement, tree.Assign) and (listed or is_field(statement)):
                    target = statement.targets[0]
                    if isinstance(target, tree.Name):
                        new = Field(
                            target.id, statement, statement.annotation, statement.value, owner
                        )
                        if new.in_constructor:
                            found[target.id] = new
        return found

    def made_with(self, cls: Class) -> Iterator[tuple[Class, str]]:
        """The attributes that instances have as soon as they are made, and the classes that set them: in an
        initializer, or as fields of a data class."""
        for owner in self.mro(cls):
            for name, stores in owner.stores.items():
                if any(store.function.name == "__init__" for store in stores):
                    yield owner, name
        if self.is_data(cls):
            yield from ((one.owner, one.name) for one in self.fields(cls))

    def aliases(self, cls: Class) -> dict[str, str]:
        """The names by which a constructor and an item know fields, where they have names of their own."""
        camel = generates_aliases(self.mro(cls))
        found = {}
        for one in self.fields(cls):
            alias = alias_of(one.value) or alias_of(one.annotation)
            if alias is None and camel:
                alias = camel_case(one.name)
            if alias is not None and alias != one.name:
                found[one.name] = alias
        return found

    def in_items(self, cls: Class, name: str, beside: Iterable[str]) -> str:
        """What an item calls a field that a class gains, beside what has those names."""
        if not generates_aliases(self.mro(cls)):
            return name
        aliases = self.aliases(cls)
        return name if any(one in aliases for one in beside) else camel_case(name)

    def keyword_only(self, cls: Class) -> bool:
        """Whether its constructor takes keywords alone (pydantic, `kw_only=True`)."""
        if self.is_pynamo(cls):
            return True
        for owner in self.mro(cls):
            if self._called(owner) & _BY_KEYWORD:
                return True
            said = self.flag(owner, "kw_only")
            if said is not None:
                return said
        return False

    def by_keyword(self, owner: Class, cls: Class) -> bool:
        """Whether the constructor of a class takes by keyword alone what another one, or itself, has for fields."""
        if "dataclass" in owner.decorators:  # says nothing of heirs
            return bool(self.flag(owner, "kw_only"))
        return self.keyword_only(cls)

    def flag(self, cls: Class, keyword: str) -> bool | None:
        """What `@dataclass(kw_only=…)`, or `class Note(Struct, kw_only=…)`, says of a class."""
        calls = [one.args for one in cls.fact.decorators if isinstance(one, tree.Call)]
        said = (flag_of(arguments, keyword) for arguments in (*calls, cls.fact.bases))
        return next((one for one in said if one is not None), None)

    def _parameters(self, cls: Class) -> tuple[tree.Parameter, ...]:
        """The parameters that the fields of a data class make: those that are given by keyword come last."""
        found = []
        for one in self.fields(cls):
            only = one.keyword_only
            if only is None:
                only = self.by_keyword(one.owner, cls)
            value = one.value if one.has_default or one.annotation is None else None
            value = one.annotation if one.may_be_left_out else value  # nothing stands for it then
            kind, at = "kwonly" if only else "plain", one.statement.at
            found.append(tree.Parameter(one.name, kind, one.annotation, value, at))
        for listed in filter(None, (owner.fact.listed for owner in self.mro(cls))):
            if listed.leading is not None:
                at = listed.display.at
                more = (tree.Parameter("", kind, None, None, at) for kind in ("*", "**"))
                return *found[: listed.leading], *more
        return tuple(sorted(found, key=lambda one: one.kind == "kwonly"))

    def initializer(self, cls: Class) -> Function | None:
        """The `__init__` that its constructor runs."""
        return self.method(cls, "__init__") or self.method(cls, "__new__")

    def constructor(self, cls: Class) -> tuple[tree.Parameter, ...] | None:
        """The parameters of its constructor without `self`; `None` when they are not known."""
        if cls not in self._constructors:
            self._constructors[cls] = self._find_constructor(cls)
        return self._constructors[cls]

    def _find_constructor(self, cls: Class) -> tuple[tree.Parameter, ...] | None:
        for owner in self.mro(cls):
            own = self._own_constructor(owner)
            if own is not None:
                return own.own_params
            if self.is_data(owner):
                return self._parameters(cls)
        plain = self.base_names(cls) <= _PLAIN
        return () if plain else None

    def kept(self, cls: Class, name: str, arguments: Sequence[tree.Argument]) -> tree.Node | None:
        """What an object that is made with these arguments has under a name; `None` where it is not kept as
        it is given, or something else may set it."""
        params = self.constructor(cls)
        bound = bind(arguments, params) if params is not None else None
        stores = [s for owner in self.mro(cls) for s in owner.stores.get(name, ())]
        if bound is None or (stores and self.declares(cls)) or len(stores) > 1:
            return None
        for store in stores:
            if not isinstance(store.value, tree.Name) or store.function.name != "__init__":
                return None
            name = store.value.id
        argument = bound.arguments.get(name)
        return argument.value if argument is not None else None

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
