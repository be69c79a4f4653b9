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


def join(*parts: Types) -> Types:
    """Whatever any of the parts may be."""
    return frozenset[Type]().union(*parts)
