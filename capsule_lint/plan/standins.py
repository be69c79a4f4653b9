"""What tests put in the place of a function: `monkeypatch.setattr(module, "f", lambda a, b: …)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.mocks import PATCHES, replacement
from capsule_lint.program.types import FunctionObject, Mocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function


@dataclass(frozen=True, slots=True)
class StandIn:
    """A replacement of a function: the call that puts it there, the string that names the function,
    what comes in its place, and how many of the function's first parameters it does not take."""

    call: tree.Call
    text: tree.Const
    node: tree.Node
    given: int


def stand_ins(program: Program, function: Function) -> Iterator[StandIn]:
    """The replacements of a function that are not plain mocks."""
    for word in sorted(PATCHES):
        for call in program.calls.by_name.get(word, ()):
            node = replacement(call)
            if node is None or any(isinstance(t, Mocked) for t in program.inference.of(node)):
                continue
            for argument in call.args[:2]:
                text = argument.value
                if not isinstance(text, tree.Const) or not isinstance(text.value, str):
                    continue
                if text.value.rpartition(".")[2] != function.name:
                    continue
                for one in program.inference.mocks.target(call) or ():
                    if isinstance(one, FunctionObject) and one.function is function:
                        yield StandIn(call, text, node, int(one.bound and function.takes_self))


def accepts_anything(params: tuple[tree.Parameter, ...]) -> bool:
    """Whether a signature takes one more argument as it is: `lambda *args, **kwargs: …`."""
    return any(p.kind == "*" for p in params)


def fits(params: tuple[tree.Parameter, ...], function: Function, given: int) -> bool:
    """Whether a replacement has the function's parameters, one for one."""
    own = function.params[given:]
    return len(params) == len(own) and all(
        a.kind == b.kind for a, b in zip(params, own, strict=True)
    )
