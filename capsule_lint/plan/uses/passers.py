"""Functions of the program that call what they are given with the arguments after it: `with_retry(f, *args)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.passing import PASSING
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Class

_PLAIN: Final = ("plain", "posonly")
_NAMING: Final = frozenset(("__name__", "__qualname__", "__module__", "__doc__", "__class__"))
"""Attributes of a function that say what it is called."""


def given_by(program: Program, callee: Callee, position: int) -> int | None:
    """How many arguments a callee puts before the ones after `position`, when it calls what it is given
    there; `None` where it does anything else with it."""
    function = callee.function
    if function is None or callee.cls is not None:
        return None
    params = function.params[callee.given :]
    if len(params) < position + 2 or params[position + 1].kind != "*":
        return None
    return _leading(program, function, params[position])


def is_handed_on(program: Program, call: tree.Call) -> bool:
    """Whether a call is the one by which such a function calls what it is given: the arguments come
    from its own callers, who are call sites."""
    position = PASSING.get(last_name(call.func))
    given = call.args[position].value if position is not None and call.args[position:] else None
    named = given if isinstance(given, tree.Name) else call.func
    if not isinstance(named, tree.Name):
        return False
    names = program.names
    bindings = names.bindings(named.id, names.place(call))
    for binding in bindings:
        function, own = binding.function, binding.parameter
        if function is None or own is None or own not in function.params:
            return False
        after = function.params[function.params.index(own) + 1 :]
        if not after or after[0].kind != "*" or _leading(program, function, own) is None:
            return False
    return bool(bindings)  # `map` has none


def _leading(program: Program, function: Function, own: tree.Parameter) -> int | None:
    stars = stars_of(function.params)
    found: set[int] = set()
    for node in _names_of(program, function, {own.name, *stars}):
        parent = program.names.parent(node)
        if node.id == own.name:
            match parent:
                case tree.Call() if parent.func is node:
                    leading = passed_on(parent.args, stars)
                case tree.Call() if last_name(parent.func) in PASSING:
                    leading = _after(parent, PASSING[last_name(parent.func)], node, stars)
                case tree.Call() if last_name(parent.func) == function.name:
                    own_at = function.own_params.index(own)
                    leading = _after(parent, own_at, node, stars)
                case tree.Attr(name=name) if name in _NAMING:
                    continue
                case _:
                    return None
            if leading is None:
                return None
            found.add(leading)
        elif not isinstance(parent, tree.Call | tree.Sequence | tree.FString | tree.Wrapped):
            return None
    return found.pop() if len(found) == 1 else None


def stars_of(params: Iterable[tree.Parameter]) -> dict[str, str]:
    """The names of `*args` and `**kwargs` among some parameters, and the kind of each."""
    return {p.name: p.kind for p in params if p.kind in ("*", "**")}


def _names_of(program: Program, function: Function, names: set[str]) -> Iterator[tree.Name]:
    """Where a function names some of its parameters, functions in it included."""
    for node in function.module.each(tree.Name):
        if node.id in names:
            found = program.names.bindings_of(node)
            if any(binding.function is function for binding in found):
                yield node


def passed_on(args: Sequence[tree.Argument], stars: dict[str, str]) -> int | None:
    """How many arguments stand before `*args, **kwargs`, if all that a function was given is passed on;
    `stars` are the names and kinds of these parameters of it."""
    given = {a.value.id: a.star for a in args if a.star and isinstance(a.value, tree.Name)}
    if given != stars or not stars:
        return None
    plain = [a for a in args if not a.star and a.keyword is None]
    return len(plain) if not any(a.star for a in args[: len(plain)]) else None


def forwarded_by(
    program: Program, call: tree.Call, callee: Function | Class, given: int
) -> tuple[Function | None, int]:
    """The function that passes all of its `*args` and `**kwargs` on by a call, whose callers are the call
    sites then, and how many arguments it puts before them. It puts none there but what comes before all
    scopes, and does nothing else with what it is given."""
    function = program.names.function_of(call)
    if function is None or not call.args:
        return None, 0
    stars = stars_of(function.params)
    leading = passed_on(call.args, stars)
    named = [name.id for name in _names_of(program, function, set(stars))]
    starred = {name for name, kind in stars.items() if kind == "*"}
    told = [a.keyword for a in call.args if a.keyword]
    takes_all = starred and len(function.own_params) == len(stars)
    own_words = len(told) if takes_all and not _names_scope(program, told) else 0
    several = leading and not starred and sorted(named) != sorted(stars)
    if several or leading is None or len(call.args) != leading + len(stars) + own_words:
        return (function if _is_told_by_keyword(program, function, call) else None), 0
    own = callee.params[given:] if isinstance(callee, Function) else ()
    for node in _names_of(program, function, starred):
        if not _stays(program, node, call, own):
            return None, 0
    if leading:
        if sorted(named) != sorted(stars) or not isinstance(callee, Function):
            return None, 0
        before, after = callee.params[: given + leading], callee.params[given + leading :]
        scoped = [
            any(names_scope(p.name, s) for p in part for s in program.policy.scopes)
            for part in (before, after)
        ]
        if scoped != [False, True] or any(p.kind not in _PLAIN for p in before):
            return None, 0
    return function, leading


def handed_to(program: Program, function: Function) -> Iterator[Function]:
    """What takes by its own parameters whatever a function is given as `*ids`, which goes there whole, and nowhere else:
    `key = cls.key(*ids)`."""
    variadic = any(p.kind == "*" for p in function.own_params)
    for call in program.names.inside(function) if variadic else ():
        for callee in program.calls.callees(call) if isinstance(call, tree.Call) else ():
            taker = callee.function
            if taker is None or not isinstance(call, tree.Call):
                continue
            forwarder, leading = forwarded_by(program, call, taker, callee.given)
            filled = taker.params[callee.given + leading :]
            if forwarder is function and filled and filled[0].kind in _PLAIN:
                yield taker


def _is_told_by_keyword(program: Program, function: Function, call: tree.Call) -> bool:
    """Whether the scopes of what a function calls are among the keywords that its callers give it, and that it spreads
    into the call beside what it knows itself: `Patient(**scope, name=self.name)`."""
    keywords = {p.name for p in function.params if p.kind == "**"}
    spread = {one.id for one in call.spread if isinstance(one, tree.Name)}
    named = [p.name for p in function.params if p.kind != "**"]
    if not keywords & spread or _names_scope(program, (*named, *(a.keyword for a in call.args))):
        return False
    outer = [one for one, _ in program.calls.callers(function)]
    told = [_names_scope(program, [a.keyword for a in one.args]) for one in outer]
    return any(told) and all(known or one.spread for known, one in zip(told, outer, strict=True))


def _names_scope(program: Program, names: Sequence[str | None]) -> bool:
    scopes = program.policy.scopes
    return any(name and names_scope(name, scope) for name in names for scope in scopes)


def _stays(
    program: Program, node: tree.Name, call: tree.Call, params: Sequence[tree.Parameter]
) -> bool:
    """Whether what is done with `*args` beside handing them on, to what has these parameters, may see one more of
    them: nothing takes them apart, or gives them to something that cannot take it."""
    parent = program.names.parent(node)
    match parent:
        case tree.Call() if parent is not call and any(
            a.star and a.value is node for a in parent.args
        ):
            functions = [c.function for c in program.calls.callees(parent)]
            return all(f is None or any(p.kind == "*" for p in f.params) for f in functions)
        case tree.Call():
            return last_name(parent.func) != "len"
        case tree.Subscript(index=tree.Const(value=int() as at)) if at >= 0:
            scopes = program.policy.scopes
            return any(names_scope(p.name, scope) for p in params[at:] for scope in scopes)
        case tree.Sequence() | tree.FString() | tree.Wrapped() | tree.Binary():
            return True
        case _:
            return False


def _after(call: tree.Call, position: int, node: tree.Name, stars: dict[str, str]) -> int | None:
    """The same, for a call that gets the function itself at a position, and its arguments after it."""
    if len(call.args) <= position or call.args[position].value is not node:
        return None
    return passed_on(call.args[position + 1 :], stars)
