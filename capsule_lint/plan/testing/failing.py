"""Calls of which a test expects that they lack an argument: `with pytest.raises(TypeError): shop.pay("t1")`. They lack
it still when what they call takes more, and stay as they are; unless the test says what Python is to say of them,
`match="missing 1 required positional argument: 'order_id'"`, which names one thing only if they get the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import lacks
from capsule_lint.program.expected_errors import expected_of
from capsule_lint.program.model import Class

if TYPE_CHECKING:
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_ERROR: Final = "TypeError"
_LACKING: Final = re.compile(r"\b(missing|required|arguments?)\b")
"""What Python says of a call that lacks something, with all that it lacks."""


def is_to_fail(
    program: Program, call: tree.Call, callee: Function | Class, given: int, offset: int = 0
) -> bool:
    """Whether a call is one of them, of which the arguments from `offset` on go to a function whose first parameters
    are filled already, or to a class."""
    place = program.names.place(call)
    params = program.classes.constructor(callee) if isinstance(callee, Class) else callee.params
    if not place.scope.module.is_test or not lacks(call.args[offset:], params or (), given):
        return False
    return _ERROR in expected_of(program.names, call) and not _says_what(program, call)


def _says_what(program: Program, call: tree.Call) -> bool:
    """Whether the test of a call says what is missing."""
    test = program.names.function_of(call)
    for node in program.names.inside(test) if test is not None else ():
        said = program.templates.constant(node), *tree.said_in(node)
        if any(isinstance(text, str) and _LACKING.search(text) for text in said):
            return True
    return False
