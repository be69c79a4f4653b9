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
    bound = bind_open(arguments, params, given)
    return (
        bound
        if bound is not None and (bound.starred or not _missing(bound, params, given))
        else None
    )


def lacks(
    arguments: Sequence[tree.Argument], params: Sequence[tree.Parameter], given: int = 0
) -> bool:
    """Whether `arguments` do not bind to `params` because there are not enough of them."""
    bound = bind_open(arguments, params, given)
    return bound is not None and not bound.starred and _missing(bound, params, given)


def bind_open(
    arguments: Sequence[tree.Argument], params: Sequence[tree.Parameter], given: int = 0
) -> Bound | None:
    """The same where nothing has to be given: the rest comes later, as that of a partial does."""
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
    return Bound(found, starred)


def _missing(bound: Bound, params: Sequence[tree.Parameter], given: int) -> bool:
    """Whether something has to be given that is not."""
    positional = [p for p in params if p.by_position][given:]
    required = (p for p in params if p.kind == "kwonly")
    return any(
        parameter.default is None and parameter.name not in bound.arguments
        for parameter in (*positional, *required)
    )


def _takes(params: Sequence[tree.Parameter], keyword: str) -> bool:
    """Whether one of these parameters is given by that keyword."""
    return any(p.name == keyword and p.kind in ("plain", "kwonly") for p in params)


def surplus(
    arguments: Sequence[tree.Argument], params: Sequence[tree.Parameter], given: int = 0
) -> list[tree.Argument]:
    """What a call that binds gives to the `*` parameter, things that are spread (`*rest`) among it."""
    number = len([p for p in params if p.by_position][given:])
    return [a for a in arguments if a.keyword is None and a.star != "**"][number:]
