"""What goes through a collection and gives a function what is in it: `map(f, notes)`, `sorted(notes, key=f)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.program.inference.types import FunctionObject, Partial, Types, join, ordered
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.facts import tree
    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Function

_CHOOSING: Final = frozenset(("min", "max"))
"""Those that choose among their arguments, where these are several."""
_SPREADING: Final = frozenset(("starmap", "starmap_async"))
"""Those that give the parts of what is in the collection, one each."""
_COUNTED: Final = frozenset(("nlargest", "nsmallest"))
"""Those that are told first of how many."""
_REDUCING: Final = "reduce"
GOING_THROUGH: Final = (
    frozenset(("map", "imap", "imap_unordered", "map_async", "filter", "filterfalse"))
    | frozenset(("takewhile", "dropwhile", "sorted", "sort", "groupby", _REDUCING))
    | _CHOOSING
    | _SPREADING
    | _COUNTED
)


def given_through(
    inference: Inference, call: tree.Call, function: tree.Node, position: int
) -> Types | None:
    """What a call gives a parameter of a function that it is given, `rows.sort(key=f)` and `reduce` with what comes
    second, or with both where nothing comes before; `None` where it does not go through anything with it."""
    name = last_name(call.func)
    if name not in GOING_THROUGH:
        return None
    rest = [one for one in call.unnamed if one is not function]
    if name == "sort" and not rest and call.receiver is not None:
        rest = [call.receiver]
    elif name in _COUNTED:
        rest = rest[1:]
    elif name == _REDUCING:
        rest = rest[:1] * 2 if position == 1 or len(call.args) == 2 else []
    if name in _CHOOSING and len(rest) > 1 and position == 0:
        return join(*map(inference.of, rest))
    if name in _SPREADING and rest:
        return inference.unpacked(inference.elements(inference.of(rest[0])), (position,))
    return inference.elements(inference.of(rest[position])) if position < len(rest) else None


def passed_through(calls: Calls, function: Function, parameter: tree.Parameter) -> Iterator[Types]:
    """What is given so for a parameter of a function of the program, also of `partial(f, 1)`."""
    at, inference = function.params.index(parameter), calls.inference
    for call, value in calls.uses.mapped(calls.known_by(function)):
        for one in ordered(inference.of(value)):
            meant = one.of if isinstance(one, Partial) else one
            if not isinstance(meant, FunctionObject) or meant.function is not function:
                continue
            filled = len(one.call.plain) - 1 if isinstance(one, Partial) else 0
            position = at - meant.given - filled
            types = given_through(inference, call, value, position) if position >= 0 else None
            if types is not None and not calls.callees(call):
                yield types
