"""What an expression may be: the values that inference knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.program.model import Class, Function, Module


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the program."""

    cls: Class


@dataclass(frozen=True, slots=True)
class ClassObject:
    """A class of the program itself."""

    cls: Class


@dataclass(frozen=True, slots=True)
class FunctionObject:
    """A function; `bound` when its first parameter is already given; `mock` when a mock stands for it."""

    function: Function
    bound: bool = False
    mock: bool = False


@dataclass(frozen=True, slots=True)
class LambdaObject:
    """A lambda."""

    node: tree.Lambda


@dataclass(frozen=True, slots=True)
class ModuleObject:
    """A module of the program."""

    module: Module


@dataclass(frozen=True, slots=True)
class Collection:
    """A list, set, dict (then `items` are its values), iterator or generator."""

    items: Types
    keys: Types = frozenset()
    kind: str = "list"


@dataclass(frozen=True, slots=True)
class TupleOf:
    """A tuple of known length."""

    items: tuple[Types, ...]


@dataclass(frozen=True, slots=True)
class Mocked:
    """A mock; `spec` is the class or module that it stands for, if it is known."""

    spec: Class | Module | None


@dataclass(frozen=True, slots=True)
class Partial:
    """`functools.partial` of a function, and the call that makes it."""

    function: FunctionObject
    call: tree.Call


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something that comes from outside of the program, and what it is called there."""

    name: str


@dataclass(frozen=True, slots=True)
class UnknownType:
    """Anything."""


UNKNOWN = UnknownType()

Type: TypeAlias = (
    Instance
    | ClassObject
    | FunctionObject
    | LambdaObject
    | ModuleObject
    | Collection
    | TupleOf
    | Mocked
    | Partial
    | Foreign
    | UnknownType
)
Types: TypeAlias = frozenset[Type]

NOTHING: Types = frozenset()
ANYTHING: Types = frozenset((UNKNOWN,))


def foreign(name: str) -> Types:
    """The one foreign value of that name."""
    return frozenset((Foreign(name),))


_NESTING = 3


def shallow(types: Types, nesting: int = _NESTING) -> Types:
    """The same types, collections inside of collections only so deep: beyond, data or anything."""
    if not any(isinstance(t, Collection | TupleOf) for t in types):
        return types
    if nesting == 0:
        flat = frozenset(t for t in types if not isinstance(t, Collection | TupleOf))
        return flat | (foreign("value") if all(map(_is_data, types)) else ANYTHING)
    return frozenset(_shallow(one, nesting - 1) for one in types)


def _is_data(one: Type) -> bool:
    """Whether nothing of the program is in a value."""
    match one:
        case Collection():
            return all(map(_is_data, one.items | one.keys))
        case TupleOf():
            return all(_is_data(inner) for part in one.items for inner in part)
        case _:
            return isinstance(one, Foreign)


def _shallow(one: Type, nesting: int) -> Type:
    match one:
        case Collection():
            items, keys = shallow(one.items, nesting), shallow(one.keys, nesting)
            return one if (items, keys) == (one.items, one.keys) else Collection(items, keys, one.kind)
        case TupleOf():
            parts = tuple(shallow(part, nesting) for part in one.items)
            return one if parts == one.items else TupleOf(parts)
        case _:
            return one


def join(*parts: Types) -> Types:
    """Whatever any of the parts may be."""
    return frozenset[Type]().union(*parts)
