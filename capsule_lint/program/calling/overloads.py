"""Overloads: the signatures of a function that say more than the one that is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capsule_lint.program.model import Function


def overloads(function: Function) -> list[Function]:
    """The `@overload` stubs of a function."""
    return [one for one in _alike(function) if "overload" in one.decorators]


def implementation(function: Function) -> Function | None:
    """What is run in the place of an `@overload` stub; `None` for any other function."""
    if "overload" not in function.decorators:
        return None
    return next((one for one in _alike(function) if "overload" not in one.decorators), None)


def _alike(function: Function) -> list[Function]:
    """The other functions of that name in the same place."""
    same = [f for f in function.module.functions if f.qualname == function.qualname]
    return [one for one in same if one is not function]
