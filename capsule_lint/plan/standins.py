"""What tests put in the place of a function: `monkeypatch.setattr(module, "f", lambda a, b: …)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.types import FunctionObject, Mocked, Types, UnknownType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program

PATCHES: Final = frozenset(("patch", "object", "setattr", "patch_object", "dict"))
_REPLACING: Final = ("new", "side_effect", "value", "new_callable", "wraps")


@dataclass(frozen=True, slots=True)
class StandIn:
    """A replacement of a function: the call that puts it there, the string that names the function,
    what comes in its place, and how many of the function's first parameters it does not take."""

    call: tree.Call
    text: tree.Const
    node: tree.Node
    given: int


def replacement(call: tree.Call) -> tree.Node | None:
    """What a call of `setattr`, `patch` or `patch.object` puts in place; `None` for a plain mock."""
    word = last_name(call.func)
    positional = [a.value for a in call.args if a.keyword is None]
    dotted = bool(positional) and isinstance(positional[0], tree.Const)
    at = 1 if word == "patch" or dotted else 2
    if len(positional) > at:
        return positional[at]
    return next((a.value for a in call.args if a.keyword in _REPLACING), None)


def named(program: Program, call: tree.Call, text: str) -> Types | None:
    """What the string `text` in a call of `patch`, `setattr` or `getattr` names; `None` if unknown."""
    if "." in text:
        found = program.names.definition(text)
        return frozenset((FunctionObject(found),)) if isinstance(found, Function) else frozenset()
    first = call.args[0].value if call.args else None
    if first is None or isinstance(first, tree.Const):
        return None
    types = program.inference.of(first)
    if not types or any(isinstance(t, UnknownType) for t in types):
        return None
    return frozenset(a for t in types for a in program.inference.attribute(t, text))


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
                for one in named(program, call, text.value) or ():
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
