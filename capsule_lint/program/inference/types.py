"""What an expression may be: the values that inference knows."""

from __future__ import annotations

import builtins
import re
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Generator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.facts import tree
    from capsule_lint.program.model import Class, Function, Module


class Instance(Struct, frozen=True):
    """An object of a class of the program."""

    cls: Class


class ClassObject(Struct, frozen=True):
    """A class of the program itself."""

    cls: Class


class FunctionObject(Struct, frozen=True):
    """A function; `bound` when its first parameter is already given; `mock` when a mock stands for it."""

    function: Function
    bound: bool = False
    mock: bool = False

    @property
    def given(self) -> int:
        """How many of its first parameters are given by the object that it is bound to; a function of a module is
        bound where a class has it under a name."""
        function = self.function
        return int(self.bound and (function.takes_self or function.owner is None))


class LambdaObject(Struct, frozen=True, eq=False):
    """A lambda: the one of this program, not another that is written alike."""

    node: tree.Lambda

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LambdaObject) and self.node is other.node

    def __hash__(self) -> int:
        return hash(id(self.node))


class ModuleObject(Struct, frozen=True):
    """A module of the program."""

    module: Module


class Collection(Struct, frozen=True):
    """A list, set, dict (then `items` are its values), iterator or generator."""

    items: Types
    keys: Types = frozenset()
    kind: str = "list"
    entries: tuple[tuple[str, Types], ...] = ()
    """What a dict that is written out has under its keys, where that is different objects."""

    def at(self, key: str | None) -> Types:
        """What may be under a key: any of the items, unless it is known which objects."""
        found = join(*(types for name, types in self.entries if name == key))
        return found if holds_objects(found) else self.items


class TupleOf(Struct, frozen=True):
    """A tuple of known length."""

    items: tuple[Types, ...]


class Mocked(Struct, frozen=True):
    """A mock; `spec` is the class or module that it stands for, if it is known."""

    spec: Class | Module | None


class Partial(Struct, frozen=True):
    """`functools.partial` of a function or a class, and the call that makes it."""

    of: FunctionObject | ClassObject
    call: tree.Call


class Namespace(Struct, frozen=True):
    """The attributes of something, by their names: its `__dict__`."""

    base: Type


class Foreign(Struct, frozen=True):
    """Something that comes from outside of the program, and what it is called there."""

    name: str
    holds: bool = False
    """Whether it was given an object of the program, which may be what comes out of it."""


class UnknownType(Struct, frozen=True):
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
    | Namespace
    | Foreign
    | UnknownType
)
Types: TypeAlias = frozenset[Type]

NOTHING: Types = frozenset()
ANYTHING: Types = frozenset((UNKNOWN,))

_NESTED: Final = frozenset((Collection, TupleOf))
_NESTING: Final = 3
_STEPS: Final = 6
_FOREIGN: Final = 16
_KEEPING: Final = frozenset(
    [
        "asyncio",
        "collections",
        "concurrent",
        "contextlib",
        "contextvars",
        "copy",
        "functools",
        "heapq",
        "itertools",
        "multiprocessing",
        "operator",
        "queue",
        "random",
        "threading",
        "types",
        "weakref",
    ]
)
"""Modules whose objects keep anything, and whose functions give back what they are given."""
_MADE: Final = re.compile(r"[\w.]*\b([A-Z]\w*|local)\(\)")
"""An object of a foreign class, right after it was made: what is in it may be ours, itself is not."""
_KEPT: Final = re.compile(
    r"(?:builtins\.|typing\.)?(?:dict|list|Dict|List|Mapping)(?:\[\]|\.get\(\))+"
)
"""What is in a dict, or a list."""
_DATA: Final = (dict, list, tuple, set, str, bytes, int, float, Decimal, datetime, timedelta)
_CONSTANTS: Final = (bool, complex, type(...))
_NAMES_OF_DATA: Final = frozenset(name for kind in _DATA for name in dir(kind))
_OF_EXCEPTIONS: Final = ("exception.args", "exception.response")
"""What anybody's exceptions have; what else one has is its class's own."""
_CONTAINERS: Final = (list, dict, set, tuple, deque, OrderedDict, Generator, AsyncGenerator)
_NAMES_OF_CONTAINERS: Final = frozenset(
    (
        "add_done_callback",
        "cancel",
        "cancelled",
        "done",
        "exception",
        "result",
        "running",
    )  # futures
).union(*map(dir, _CONTAINERS))
_TAKEN_OUT: Final = re.compile(r"[)\]](\.\w+)?$")
"""A result, an item, or an attribute of one."""


@lru_cache(maxsize=1 << 14)
def foreign(name: str, *, holds: bool = False) -> Types:
    """The one foreign value of that name; of a long way to it, only where it comes from."""
    steps = name.count(".") + name.count("()") + name.count("[]")
    return frozenset((Foreign(name if steps <= _STEPS else _origin(name), holds),))


def _origin(name: str) -> str:
    head = re.match(r"\w*", name)
    return f"{head[0] if head else ''}.…"


def shallow(types: Types, nesting: int = _NESTING) -> Types:
    """The same types, as few as can be: one list of all items for several lists; collections inside
    of collections only so deep, beyond that data or anything; of many foreign values, only where
    they come from."""
    if len(types) > _FOREIGN:
        types = frozenset(
            Foreign(_origin(t.name), t.holds) if isinstance(t, Foreign) else t for t in types
        )
    if _NESTED.isdisjoint(map(type, types)):
        return types
    return _less_nested(types, nesting)


@lru_cache(maxsize=1 << 12)
def _less_nested(types: Types, nesting: int) -> Types:
    nested = [t for t in types if isinstance(t, Collection | TupleOf)]
    flat = types.difference(nested)
    if nesting == 0:
        return flat | (foreign("value") if all(map(_is_data, types)) else ANYTHING)
    return flat.union(_shallow(one, nesting - 1) for one in _merged(nested))


def _merged(nested: list[Collection | TupleOf]) -> list[Collection | TupleOf]:
    """One for those of the same kind."""
    if len(nested) == 1:
        return nested
    alike: dict[object, list[Collection | TupleOf]] = {}
    for one in nested:
        kind = one.kind if isinstance(one, Collection) else len(one.items)
        alike.setdefault(kind, []).append(one)
    return [_union(group) if len(group) > 1 else group[0] for group in alike.values()]


def _union(group: list[Collection | TupleOf]) -> Collection | TupleOf:
    lists = [one for one in group if isinstance(one, Collection)]
    if lists:
        items, keys = join(*(c.items for c in lists)), join(*(c.keys for c in lists))
        return Collection(items, keys, lists[0].kind)
    tuples = [one.items for one in group if isinstance(one, TupleOf)]
    return TupleOf(tuple(join(*parts) for parts in zip(*tuples, strict=True)))


def _is_data(one: Type) -> bool:
    """Whether nothing of the program is in a value."""
    match one:
        case Collection():
            return all(map(_is_data, one.items | one.keys))
        case TupleOf():
            return all(_is_data(inner) for part in one.items for inner in part)
        case _:
            return isinstance(one, Foreign) and not one.holds


def holds_objects(types: Types) -> bool:
    """Whether an object or a class of the program is among some types, or in what they hold."""
    return any(_holds(one) for one in types)


def _holds(one: Type) -> bool:
    match one:
        case Collection():
            return holds_objects(one.items)
        case TupleOf():
            return any(map(holds_objects, one.items))
        case Foreign():
            return one.holds
        case _:
            return isinstance(one, Instance | ClassObject)


def may_be_ours(one: Type) -> bool:
    """Whether a value may be an object of the program, though nothing is known of it: it came out of
    what such an object was put into, or can be."""
    if not isinstance(one, Foreign):
        return one == UNKNOWN
    if _MADE.fullmatch(one.name):
        return False
    return one.holds or (_is_keeping(one) and bool(_TAKEN_OUT.search(one.name)))


def is_kept(one: Type, name: str = "") -> bool:
    """Whether something is what a dict or a list has in it of which no more is said, and a name that it is asked for is
    none that data have: then it is an object, whoever's."""
    return (
        isinstance(one, Foreign) and bool(_KEPT.fullmatch(one.name)) and name not in _NAMES_OF_DATA
    )


def lacks(one: Type, name: str) -> bool:
    """Whether a value is taken for data that has no such attribute. The code has it do what only an object can, so what
    it was taken for is what it is at first, or seems to be: what a list holds that grows later."""
    match one:
        case Collection() | TupleOf():
            return name not in _NAMES_OF_CONTAINERS
        case Foreign(name="None"):
            return not hasattr(None, name)
        case Foreign(name="value" | "key"):
            return name not in _NAMES_OF_DATA
        case Foreign(name=said) if said.startswith("exception."):
            return not said.startswith(_OF_EXCEPTIONS)
        case Foreign(name=said) if said.startswith("builtins."):
            kind = getattr(builtins, said.removeprefix("builtins."), None)
            return kind in _DATA + _CONSTANTS and not hasattr(kind, name)
        case _:
            return False


def gives_back(called: Foreign) -> bool:
    """Whether a call of what was given objects of the program may yield them: of what was made with
    them, and of methods of the standard library's containers."""
    return called.holds and (called.name.endswith("()") or _is_keeping(called))


def _is_keeping(one: Foreign) -> bool:
    return one.name.partition(".")[0] in _KEEPING


def _shallow(one: Collection | TupleOf, nesting: int) -> Type:
    if isinstance(one, TupleOf):
        parts = tuple(shallow(part, nesting) for part in one.items)
        return one if parts == one.items else TupleOf(parts)
    items, keys = shallow(one.items, nesting), shallow(one.keys, nesting)
    return one if (items, keys) == (one.items, one.keys) else Collection(items, keys, one.kind)


def ordered(types: Types) -> list[Type]:
    """The types in an order that does not depend on the run."""
    return list(_in_order(types)) if len(types) > 1 else list(types)


@lru_cache(maxsize=1 << 12)
def _in_order(types: Types) -> tuple[Type, ...]:
    return tuple(sorted(types, key=_rank))  # the same many types reach many values


def _rank(one: Type) -> str:
    """A text that tells a type from others, as far as an order needs it."""
    match one:
        case Instance() | ClassObject():
            what = one.cls.symbol
        case FunctionObject():
            what = f"{one.function.symbol}:{one.function.fact.at}:{one.bound}:{one.mock}"
        case Partial():
            what = f"{one.call.at}:{_rank(one.of)}"
        case LambdaObject():
            what = f"{one.node.at}"
        case Collection():
            what = f"{one.kind}:{_ranks(one.items)}:{_ranks(one.keys)}"
        case TupleOf():
            what = ",".join(map(_ranks, one.items))
        case Namespace():
            what = _rank(one.base)
        case _:
            what = repr(one)
    return f"{type(one).__name__}:{what}"


def _ranks(types: Types) -> str:
    return "|".join(sorted(map(_rank, types)))


def function_of(one: Type) -> Function | None:
    """The function that something is, or is a partial of."""
    whole = one.of if isinstance(one, Partial) else one
    return whole.function if isinstance(whole, FunctionObject) else None


def classes_of(types: Iterable[object]) -> set[Class]:
    """The classes of the objects among them."""
    return {one.cls for one in types if isinstance(one, Instance)}


def join(*parts: Types) -> Types:
    """Whatever any of the parts may be."""
    return parts[0] if len(parts) == 1 else NOTHING.union(*parts)
