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
    kinds = {p.kind for p in params}
    found: dict[str, tree.Argument] = {}
    starred = blind = False
    number = 0
    for argument in arguments:
        if argument.star:
            starred = True
            blind = blind or argument.star == "*"
        elif (keyword := argument.keyword) is not None:
            if keyword in found or not ("**" in kinds or _takes(params, keyword)):
                return None
            found[keyword] = argument
        elif blind:
            continue
        elif number < len(positional):
            found[positional[number].name] = argument
            number += 1
        elif "*" not in kinds:
            return None
    if not starred:
        required = (p for p in params if p.kind == "kwonly") if "kwonly" in kinds else ()
        for parameter in (*positional, *required):
            if parameter.default is None and parameter.name not in found:
                return None
    return Bound(found, starred)


def _takes(params: Sequence[tree.Parameter], keyword: str) -> bool:
    """Whether one of these parameters is given by that keyword."""
    return any(p.name == keyword and p.kind in ("plain", "kwonly") for p in params)


def surplus(
    arguments: Sequence[tree.Argument], params: Sequence[tree.Parameter], given: int = 0
) -> list[tree.Argument]:
    """What a call that binds gives to the `*` parameter, things that are spread (`*rest`) among it."""
    number = len([p for p in params if p.by_position][given:])
    return [a for a in arguments if a.keyword is None and a.star != "**"][number:]
