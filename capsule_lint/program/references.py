"""Whether what the policy names exists in the program."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from capsule_lint.policy import SourceKind, free_names, likely, place_in
from capsule_lint.program.bases import PLAIN_BASES
from capsule_lint.program.model import Class, Function, Module

if TYPE_CHECKING:
    from capsule_lint.errors import PolicyError
    from capsule_lint.policy import Scope, SourceSpec
    from capsule_lint.program import Program


def check_references(program: Program) -> None:
    """Raise PolicyError for a type or source that names nothing in the program.

    Modules from outside of the program cannot be looked into and are taken on trust; a test source
    need not exist yet.
    """
    for number, scope in enumerate(program.policy.scopes):
        where = f"scopes[{number}]"
        if scope.type is not None:
            _check(program, f"{where}.type", scope.type.module, scope.type.name)
        for index, source in enumerate(scope.sources):
            _check_source(program, f"{where}.sources[{index}]", source)
        _check_test_source(program, where, scope)


def _check_source(program: Program, key: str, source: SourceSpec) -> None:
    if not source.module:
        _check_expression(program, key, source.code)
        return
    _check(program, key, source.module, source.name)
    if source.kind is not SourceKind.ATTRIBUTE:
        return
    found = program.names.definition(source.dotted)
    attribute = source.access.partition("(")[0].partition(".")[0]
    if isinstance(found, Class) and not _has(program, found, attribute):
        known = [
            name for c in program.classes.mro(found) for name in (*c.scope.bindings, *c.stores)
        ]
        problem = f"`{source.name}` has no `{attribute}`; {likely(attribute, known)}"
        raise _error(program, key, problem)


def _check_expression(program: Program, key: str, code: str) -> None:
    """What begins with a name that nothing has, and as a module of the program does, lacks its colon."""
    names, parts = program.names, code.partition("(")[0].split(".")
    scopes = (
        s for m in names.modules.values() for s in (m.scope, *(f.scope for f in m.functions))
    )
    is_bound = any(parts[0] in scope.bindings for scope in scopes)
    if is_bound or not all(map(str.isidentifier, parts)):
        return
    for end in range(len(parts), 0, -1):
        module, rest = names.exact(".".join(parts[:end])), parts[end:]
        if module is None or (rest and names.global_binding(module, rest[0]) is None):
            continue
        said = code.removeprefix(f"{module.name}.") if rest else "NAME"
        problem = f"`{code}` has no colon: did you mean `{'.'.join(parts[:end])}:{said}`?"
        raise _error(program, key, problem)


def _has(program: Program, cls: Class, attribute: str) -> bool:
    foreign = program.classes.base_names(cls) - PLAIN_BASES
    return bool(foreign) or program.classes.has_attribute(cls, attribute)


def _check_test_source(program: Program, where: str, scope: Scope) -> None:
    """A helper that is to be written needs a value, and one that is there is no fixture."""
    source = scope.test_source
    if source is not None and source.module and source.kind is SourceKind.CALL:
        helper = program.names.definition(source.dotted)
        if isinstance(helper, Function) and "fixture" in helper.decorators:
            problem = f"`{source.text}` is a fixture, which nobody can call: name a function"
            raise _error(program, f"{where}.test-source", problem)
    if source is None or not source.module:
        return
    module = program.names.module(source.module)
    first = source.name.partition(".")[0]
    if module is not None and program.names.global_binding(module, first) is not None:
        return
    if source.kind is not SourceKind.ATTRIBUTE and scope.test_value is not None:
        for name in unknown_in_test_value(program, scope):
            problem = f"`{name}` is neither a builtin, nor the scope's `type`, nor a name of `{source.module}`"
            known = [scope.type.root] if scope.type is not None else []
            known += module.scope.bindings if module is not None else ()
            if scope.type is not None or not _is_defined(program, name):
                raise _error(program, f"{where}.test-value", f"{problem}; {likely(name, known)}")
    elif module is not None or program.names.is_ours(source.module):
        problem = f"`{source.text}` does not exist: write it, or give its value as `test-value`"
        raise _error(program, f"{where}.test-source", problem)


def unknown_in_test_value(program: Program, scope: Scope) -> list[str]:
    """The names in a `test-value` that nothing brings into the module in which the `test-source` is to be written."""
    source, code = scope.test_source, scope.test_value
    if source is None or code is None:
        return []
    module = program.names.module(source.module)
    known = {scope.type.root} if scope.type is not None else set()

    def is_there(name: str) -> bool:
        return module is not None and program.names.global_binding(module, name) is not None

    names = free_names(ast.parse(code, mode="eval")) if not is_there(source.name) else ()
    return [name for name in names if name not in known and not is_there(name)]


def _is_defined(program: Program, name: str) -> bool:
    return any(name in module.scope.bindings for module in program.names.modules.values())


def _check(program: Program, key: str, module: str, name: str) -> None:
    if module == "builtins":
        return
    found = program.names.module(module)
    if found is None:
        if program.names.is_ours(module):
            problem = f"no module `{module}`; {likely(module, program.names.known())}"
            raise _error(program, key, problem)
        return
    first = name.partition(".")[0]
    target = program.names.member(found.name, first)
    if program.names.global_binding(found, first) is None and not isinstance(target, Module):
        problem = f"module `{module}` has no `{first}`; {likely(first, found.scope.bindings)}"
        raise _error(program, key, problem)
    _check_inner(program, key, module, name)


def _check_inner(program: Program, key: str, module: str, name: str) -> None:
    """`Ids.Capsule`: what a class is said to have in it."""
    parts = name.split(".")
    for number, part in enumerate(parts[1:], 1):
        outer = ".".join(parts[:number])
        cls = program.names.definition(f"{module}.{outer}")
        if isinstance(cls, Class) and not _has(program, cls, part):
            problem = f"`{outer}` has no `{part}`; {likely(part, cls.scope.bindings)}"
            raise _error(program, key, problem)


def _error(program: Program, key: str, problem: str) -> PolicyError:
    return place_in(program.policy).below(key).error(problem)
