"""What a command line says: beside `args.tenant_id` comes `args.capsule_id`, where there is such an option."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.program.inference.options import is_parsed, presets
from capsule_lint.program.inference.types import Foreign, FunctionObject
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
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
    module = program.names.module_of(read)
    parsers: dict[str, set[str]] = {}
    for call in program.calls.uses.calls_beside("add_argument"):
        if program.names.module_of(call) is module and isinstance(call.func, tree.Attr):
            name = kept_as(call)
            if name == read.name or (names_scope(name, scope) and _is_certain(call)):
                parsers.setdefault(name, set()).add(_parser(program, call.func.base))
    needed = parsers.pop(read.name, set())
    needed = needed & _presetting(program, read) or needed
    found = [name for name, has in parsers.items() if needed and needed <= has]
    known = len(found) == 1 and _is_parsed(program, read.base, found[0], 0)
    return found[0] if known else None


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


def _is_parsed(program: Program, node: tree.Node, option: str, depth: int) -> bool:
    """Whether something is what a command line says, whoever gives it, or a test writes out with that option."""
    if isinstance(node, tree.Call) and last_name(node.func) in _WRITTEN:
        return any(a.keyword == option for a in node.args)
    binding = bound_whole(program.names, node)
    function = binding.function if binding is not None else None
    types = program.inference.of(node)
    if not is_parsed(types):
        return False
    if binding is not None and binding.kind == "assign" and binding.value is not None:
        return depth > _MAX_DEPTH or _is_parsed(program, binding.value, option, depth + 1)
    if binding is None or function is None or binding.kind != "param":
        return is_parsed(types - {_DECLARED})
    given = list(program.calls.arguments_for(function, binding.name))
    return bool(given) and all(
        _is_parsed(program, a.value, option, depth + 1) for _, a in given if depth < _MAX_DEPTH
    )


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
