"""Models that pydantic makes of texts: `Note.model_validate_json(text)`, `Note.model_validate(json.loads(text))`,
`TypeAdapter(list[Note]).validate_json(text)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.adapted import ADAPTING
from capsule_lint.program.inference.types import Instance, join
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class

_PARSING: Final = ("model_validate_json", "parse_raw", "validate_json")
"""Methods that make an object, or several, of a text."""
_VALIDATING: Final = ("model_validate", "parse_obj", ADAPTING)
"""Methods that make them of what may have been a text before."""
_LOADING: Final = "loads"
_MAX_DEPTH: Final = 4


def made_of_texts(planner: Planner, *, traced: bool) -> set[Class]:
    """The classes of the objects that are made so; with `traced` also where the dicts are known of which a text is made,
    and get what the objects need: `load(json.dumps({"tenant_id": "t"}))`."""
    inference = planner.program.inference
    found = [inference.of(call) for call in _calls(planner, traced=traced)]
    every = join(*found, *map(inference.elements, found))
    return {one.cls for one in every if isinstance(one, Instance)}


def _calls(planner: Planner, *, traced: bool) -> Iterator[tree.Call]:
    uses, rows = planner.program.calls.uses, planner.local.rows
    for name in _PARSING:
        yield from uses.calls_beside(name)
    for name in _VALIDATING:
        for call in uses.calls_beside(name):
            for node in call.unnamed[:1]:
                if _is_loaded(planner.program, node, 0) and (
                    traced or not rows.origins(node).displays
                ):
                    yield call


def _is_loaded(program: Program, node: tree.Node, depth: int) -> bool:
    """Whether an expression is what a text says, or something in that: `one` of `for one in json.loads(text)`."""
    match node:
        case tree.Call():
            return last_name(node.func) == _LOADING
        case tree.Subscript(base=base):
            return _is_loaded(program, base, depth)
        case tree.Name() if depth < _MAX_DEPTH:
            bound = program.names.bindings_of(node)
            values = [one.value for one in bound if one.value is not None and not one.path]
            return any(_is_loaded(program, value, depth + 1) for value in values)
        case _:
            return False
