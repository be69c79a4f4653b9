"""Defaults that the fields of a named tuple are given once its class is made: `Trip.__new__.__defaults__ = (0,)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.model import Binding, Class

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program.classes import Classes
    from capsule_lint.program.fields import Field


def with_late_defaults(classes: Classes, cls: Class, fields: Iterable[Field]) -> tuple[Field, ...]:
    """The fields of a class, the last of them with such a default; any may have one where these are not written out."""
    found = list(fields)
    for value in _set_of(classes, cls) if classes.is_named_tuple(cls) else ():
        given = list(value.items) if isinstance(value, tree.Sequence) else []
        if not given or any(isinstance(one, tree.Wrapped) for one in given):
            given = [value] * len(found)
        first = max(len(found) - len(given), 0)
        last = zip(found[first:], given, strict=False)
        found[first:] = [replace(one, value=default) for one, default in last]
    return tuple(found)


def _set_of(classes: Classes, cls: Class) -> Iterator[tree.Node]:
    """What sets the defaults of what makes the tuples of a class: it is that of its base, and of the heirs of that."""
    for target, value in classes.uses.assigned("__defaults__"):
        match target.base:
            case tree.Attr(base=named, name="__new__"):
                binding = classes.dotted(named)
                of = binding.definition if isinstance(binding, Binding) else None
                shared = {*classes.mro(of)} & {*classes.mro(cls)} if isinstance(of, Class) else ()
                if any(map(classes.is_named_tuple, shared)):
                    yield value
