"""What a command line says: beside `args.tenant_id` comes `args.capsule_id`, where there is such an option."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.program.inference.mocks import PATCHES
from capsule_lint.program.inference.options import is_parsed, presets
from capsule_lint.program.inference.types import Foreign, FunctionObject
from capsule_lint.program.local_names import bound_whole, written_text
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

_MAX_DEPTH: Final = 4
_DECLARED: Final = Foreign("argparse.Namespace")
"""What an annotation says, whoever gives it."""
_WRITTEN: Final = ("Namespace", "SimpleNamespace")
"""What tests write out instead of a command line."""


def option_beside(program: Program, read: tree.Attr, scope: Scope) -> str | None:
    """The attribute of the parsed arguments that certainly has the scope's value wherever the one that
    is read has its own."""
    module_of, made = program.names.module_of, list(_made(program, read.base, 0))
    calls = [one for one in made if isinstance(one, tree.Call) and one.receiver is not None]
    asked = [p for c in calls if c.receiver is not None for p in _made(program, c.receiver, 0)]
    here, makers = {module_of(read)}, {module_of(one) for one in asked}
    options = [
        call
        for call in program.calls.uses.calls_beside("add_argument")
        if module_of(call) in here | makers
        and ((name := kept_as(call)) == read.name or names_scope(name, scope))
        and not _is_of_another(program, call, asked)
    ]
    told_here = any(module_of(c) in here and kept_as(c) == read.name for c in options)
    modules = here if told_here else makers
    parsers: dict[str, set[str]] = {}
    for call in options:
        if module_of(call) in modules and isinstance(call.func, tree.Attr):
            name = kept_as(call)
            if name == read.name or (names_scope(name, scope) and _is_certain(call)):
                parsers.setdefault(name, set()).add(_parser(program, call.func.base))
    needed = parsers.pop(read.name, set())
    needed = needed & _presetting(program, read) or needed
    found = [name for name, has in parsers.items() if needed and needed <= has]
    known = made and len(found) == 1 and all(_is_parsed(program, one, found[0]) for one in made)
    return found[0] if known else None


def _is_of_another(program: Program, option: tree.Call, asked: list[tree.Node]) -> bool:
    """Whether an option is none of those parsers, all of which are known: each is made by itself, without parents."""
    if option.receiver is None or not asked or not all(map(_is_alone, asked)):
        return False
    own = list(_made(program, option.receiver, 0))
    return bool(own) and all(map(_is_alone, own)) and {*map(id, own)}.isdisjoint(map(id, asked))


def _is_alone(made: tree.Node) -> bool:
    return (
        isinstance(made, tree.Call)
        and last_name(made.func) == "ArgumentParser"
        and not any(a.keyword == "parents" or a.star for a in made.args)
    )


def _parser(program: Program, node: tree.Node) -> str:
    """Which parser an expression means: a name may mean one after the other."""
    bound = program.names.bindings_of(node) if isinstance(node, tree.Name) else []
    return " ".join(map(str, sorted(map(id, bound)))) or text_of(node) or ""


def _presetting(program: Program, read: tree.Attr) -> set[str]:
    """The parsers for which alone the function in which an option is read is called, `parser.set_defaults(run=show)`;
    nothing where others call it."""
    binding = bound_whole(program.names, read.base)
    function = binding.function if binding is not None and binding.kind == "param" else None
    if function is None or not all(
        isinstance(call.func, tree.Attr) and is_parsed(program.inference.of(call.func.base))
        for call, _ in program.calls.callers(function)
        if not program.names.module_of(call).is_test
    ):
        return set()
    return {
        _parser(program, call.func.base)
        for call, given in presets(program.calls.uses)
        if isinstance(call.func, tree.Attr)
        and any(
            isinstance(one, FunctionObject) and one.function is function
            for one in program.inference.of(given.value)
        )
    }


def _is_parsed(program: Program, made: tree.Node, option: str) -> bool:
    """Whether something is what a command line says, or a test writes out with that option."""
    if isinstance(made, tree.Call) and last_name(made.func) in _WRITTEN:
        return any(a.keyword == option for a in made.args)
    return is_parsed(program.inference.of(made) - {_DECLARED})


def _made(program: Program, node: tree.Node, depth: int) -> Iterator[tree.Node]:
    """What makes the parsed arguments that an expression is, whoever gives them, and whatever function gives them back."""
    binding = bound_whole(program.names, node)
    function = binding.function if binding is not None else None
    sources: list[tree.Node | None] = []
    if binding is not None and binding.kind == "assign":
        sources.append(binding.value)
    elif binding is not None and function is not None and binding.kind == "param":
        sources += [a.value for _, a in program.calls.arguments_for(function, binding.name)]
    elif isinstance(node, tree.Call):
        for callee in program.calls.callees(node):
            own = callee.function if callee.cls is None else None
            sources += own.returns if own is not None else [None]
            yield from _put_in_place(program, own.name) if own is not None else ()
    if not sources or None in sources or depth == _MAX_DEPTH:
        yield node
    for one in sources if depth < _MAX_DEPTH else ():
        if one is not None:
            yield from _made(program, one, depth + 1)


def _put_in_place(program: Program, name: str) -> Iterator[tree.Node]:
    """What stands in the place of a function of that name in tests: what is written out there instead of a command line,
    or else what puts it there."""
    uses, modules = program.calls.uses, program.names.modules.values()
    for call in (one for word in sorted(PATCHES) for one in uses.calls_beside(word)):
        said = [written_text(program.names, a.value) or "" for a in call.args[:2]]
        if any(text.rpartition(".")[2] == name for text in said):
            yield from _written_in(call) or (call,)
    for target, value in (one for m in modules if m.is_test for one in m.assigned):
        if isinstance(target, tree.Attr) and target.name == name:
            yield from _written_in(value) or (value,)


def _written_in(node: tree.Node) -> list[tree.Node]:
    parts = (n for n in within(node) if isinstance(n, tree.Call | tree.Lambda))
    bodies = (n.body if isinstance(n, tree.Lambda) else n for n in parts)
    return [n for n in bodies if isinstance(n, tree.Call) and last_name(n.func) in _WRITTEN]


def kept_as(call: tree.Call) -> str:
    """The attribute that an option is kept under."""
    said = [a.value.value for a in call.args if isinstance(a.value, tree.Const) and not a.keyword]
    for argument in call.args:
        if argument.keyword == "dest" and isinstance(argument.value, tree.Const):
            said = [argument.value.value]
    names = [name for name in said if isinstance(name, str)]
    long = [name for name in names if name.startswith("--")] or names
    return long[0].lstrip("-").replace("-", "_") if long else ""


def _is_certain(call: tree.Call) -> bool:
    """Whether an option always has a value: it is positional, required, or has a default."""
    first = call.args[0].value if call.args else None
    given = dict(call.keywords)
    required, default = given.get("required"), given.get("default")
    return (
        (isinstance(first, tree.Const) and not str(first.value).startswith("-"))
        or (isinstance(required, tree.Const) and required.value is True)
        or (isinstance(default, tree.Const) and isinstance(default.value, str))
    )
