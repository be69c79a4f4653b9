"""Texts that tests hand to what takes any key apart, and all of whose parts they expect of it:
`split_key("TENANT#t#TEAM#x") == {"TENANT": "t", "TEAM": "x"}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.keys.spelled import HOLE
from capsule_lint.program.comparisons import equal_to
from capsule_lint.program.local_names import behind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.planner import Planner

_MARKS: Final = re.compile(r"[#|/:]")


def is_read_whole(planner: Planner, node: tree.Node, text: str) -> bool:
    """Whether a text is given to a function that gives back all of its parts, as many as there are: it says
    nothing of the keys that change, and the function does as before, unless it reads by position."""
    names = planner.program.names
    call = names.parent(node)
    if not isinstance(call, tree.Call) or all(a.value is not node for a in call.args):
        return False
    given = planner.sources.shared.stands(call)
    around = ((names.parent(one), one) for one in given)
    expected = (
        other
        for parent, one in around
        if isinstance(parent, tree.Compare | tree.Call)
        for other in equal_to(parent, one)
    )
    whole = (list(parts_in(behind(names, one) or one)) for one in expected)
    if not any(_are_parts(parts, _MARKS.split(text)) for parts in whole):
        return False
    return takes_any(planner, call)


def _are_parts(said: Sequence[str | None], parts: Sequence[str]) -> bool:
    """Whether a test expects just these parts, whatever stands where it fills one in."""
    return len(said) == len(parts) and all(
        HOLE in part or one == part for one, part in zip(said, parts, strict=True)
    )


def takes_any(planner: Planner, call: tree.Call) -> bool:
    """Whether a call is of functions of the program that read nothing by position which moves."""
    names, readers = planner.program.names, planner.readers
    moved = [*(r.node for r in readers.found), *(one for one, _, _ in readers.unsure)]
    moving = {names.function_of(one) for one in moved}
    callees = planner.program.calls.callees(call)
    return bool(callees) and all(
        one.function is not None and one.function not in moving for one in callees
    )


def parts_in(display: tree.Node) -> Iterator[str | None]:
    """The texts that are written out in a display, in their order."""
    match display:
        case tree.DictDisplay():
            for key, value in display.pairs:
                yield tree.text(key)
                yield from parts_in(value)
        case tree.Sequence(items=items):
            for item in items:
                yield from parts_in(item)
        case _:
            yield tree.text(display)
