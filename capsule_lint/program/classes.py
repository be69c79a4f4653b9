"""The classes of a program: how they relate, and how their objects are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.bases import ADDING_NOTHING, MODELS
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.data_decorators import makes_data
from capsule_lint.program.fields import (
    Field,
    alias_of,
    camel_case,
    flag_of,
    generates_aliases,
    is_field,
)
from capsule_lint.program.hierarchy import Hierarchy
from capsule_lint.program.late_defaults import with_late_defaults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.program.model import Class, Function

_DATA_BASES: Final = frozenset(
    ("BaseModel", "NamedTuple", "Struct", "SQLModel", "BaseSettings", "RootModel", "TypedDict")
)
_BY_KEYWORD: Final = MODELS | {"BaseSettings", "TypedDict"}
"""Bases of models, and of dicts, that are made with keywords alone."""
_PLAIN: Final = ADDING_NOTHING | {"Exception"}


@dataclass(eq=False)
class Classes(Hierarchy):
    """The classes of a program with their fields and constructors."""

    _made: dict[Class, bool] = field(default_factory=dict)
    _fields: dict[Class, tuple[Field, ...]] = field(default_factory=dict)
    _constructors: dict[Class, tuple[tree.Parameter, ...] | None] = field(default_factory=dict)

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
