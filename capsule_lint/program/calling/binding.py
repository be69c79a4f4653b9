"""Which argument of a call goes to which parameter, by the language's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capsule_lint.facts import tree


class Bound(Struct, frozen=True):
    """A call that binds: the arguments by parameter, and whether `*` or `**` hide some."""

    arguments: Mapping[str, tree.Argument]
    starred: bool


def bind(
    arguments: Sequence[tree.Argument], params: Sequence[tree.Parameter], given: int = 0
) -> Bound | None:
    """Bind `arguments` to `params`, of which the first `given` positional ones are filled already.

    `None` when the call would raise a `TypeError`. With `*args` or `**kwargs` in the call everything
    that could be right binds.
    """
    positional = [p for p in params if p.by_position][given:]
    by_name = {p.name: p for p in params if p.kind in ("plain", "kwonly")}
    rest = any(p.kind == "*" for p in params)
    keywords = any(p.kind == "**" for p in params)
    found: dict[str, tree.Argument] = {}
    starred = any(a.star for a in arguments)
    number = 0
    blind = False
    for argument in arguments:
        if argument.star == "*":
            blind = True
        elif argument.star == "**":
            continue
        elif argument.keyword is not None:
            if argument.keyword in found or (argument.keyword not in by_name and not keywords):
                return None
            found[argument.keyword] = argument
        elif blind:
            continue
        elif number < len(positional):
            found[positional[number].name] = argument
            number += 1
        elif not rest:
            return None
    if not starred:
        required = [p for p in positional if p.default is None] + [
            p for p in params if p.kind == "kwonly" and p.default is None
        ]
        if any(p.name not in found for p in required):
            return None
    return Bound(found, starred)


def surplus(
    arguments: Sequence[tree.Argument], params: Sequence[tree.Parameter], given: int = 0
) -> list[tree.Argument]:
    """What a call that binds gives to the `*` parameter, things that are spread (`*rest`) among it."""
    number = len([p for p in params if p.by_position][given:])
    return [a for a in arguments if a.keyword is None and a.star != "**"][number:]
