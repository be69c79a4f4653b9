"""What the ledger says that something else is, in words."""

from __future__ import annotations

from typing import Final

from capsule_lint.program.inference.types import (
    ClassObject,
    Collection,
    Foreign,
    FunctionObject,
    Instance,
    LambdaObject,
    Mocked,
    ModuleObject,
    Partial,
    TupleOf,
    Type,
    Types,
    ordered,
)

_OTHER: Final = "is something else"
_ORIGINS: Final = {
    "None": "is read from what is `None` at first",
    "collection": "is of a list, a dict or the like",
    "exception": "is of an exception",
    "fixture": "is of what pytest gives",
    "framework": "is of what a framework gives",
    "function": "is an attribute of a function",
    "key": "is of a plain value",
    "mock": "is of a mock",
    "task": "is of a task",
    "value": "is of a plain value",
}
"""What inference calls values that have no name outside of the program, and what they are."""


def described(types: Types) -> str:
    """What an expression of such types is."""
    said = sorted({_described(one) for one in ordered(types)})
    return next((text for text in said if text != _OTHER), _OTHER)


def _described(one: Type) -> str:
    match one:
        case Instance() | ClassObject():
            return f"is `{one.cls.symbol}`"
        case FunctionObject():
            return f"is `{one.function.symbol}`"
        case Partial(of=ClassObject() | FunctionObject() as made):
            return _described(made)
        case ModuleObject():
            return f"is the module `{one.module.name}`"
        case LambdaObject():
            return "is a lambda"
        case Collection() | TupleOf():
            return "is a list, a dict or the like"
        case Mocked():
            return "is a mock"
        case Foreign():
            return _named(one.name)
        case _:
            return _OTHER


def _named(name: str) -> str:
    origin = name.partition(".")[0].rstrip("()[]")
    if origin in _ORIGINS:
        return _ORIGINS[origin]
    return f"is `{name.removeprefix('builtins.')}`"
