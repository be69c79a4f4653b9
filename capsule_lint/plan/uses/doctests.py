"""Whether doctest runs the examples of a docstring, and can do so at all: many are there to be read, and call what
exists nowhere."""

from __future__ import annotations

import ast
import builtins
import warnings
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Module

_GIVING: Final = frozenset(("doctest_namespace", "doctest_global_setup", "extraglobs", "globs"))
"""What gives examples names that their module does not have: pytest's fixture, Sphinx, doctest's own."""
_LATER: Final = (
    *(ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp, ast.BoolOp),
)
"""What reads names that something else binds, or not always."""


def hindered(program: Program, module: Module, text: str) -> str | None:
    """Why the examples of a docstring fail in any case: one is no statement, or a name exists nowhere."""
    import doctest  # it loads much, and few programs have such examples

    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return "its prompts are out of line"
    parsed = []
    for example in examples:
        if doctest.SKIP in example.options or example.exc_msg is not None:
            continue
        try:
            with warnings.catch_warnings(action="ignore"):
                compile(example.source, "<docstring>", "single", dont_inherit=True)
                parsed.append(ast.parse(example.source))
        except (SyntaxError, ValueError):
            return f"line {example.lineno + 1} of it is no statement"
    if _may_have_any(module) or not parsed:
        return None
    bound = {name for example in examples for name in _bound(example.source)}
    for name in (name for code in parsed for name in _read(code)):
        known = name in bound or hasattr(builtins, name) or name.startswith("__")
        if not known and program.names.global_binding(module, name) is None:
            return None if _gives_names(program) else f"there is no `{name}`"
    return None


def skipped(text: str) -> frozenset[int]:
    """The lines of a docstring, from 0, in which an example stands that doctest is told to skip, `# doctest: +SKIP`, or
    what it would give."""
    if "SKIP" not in text:
        return frozenset()
    import doctest

    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return frozenset()
    return frozenset(
        line
        for example in examples
        if example.options.get(doctest.SKIP)
        for line in range(
            example.lineno,
            example.lineno + example.source.count("\n") + example.want.count("\n"),
        )
    )


def _bound(source: str) -> Iterator[str]:
    """The names that an example binds anywhere, as far as it can be read."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.AsyncFunctionDef(name=name):
                yield name
            case _:
                pass


def _read(code: ast.Module) -> Iterator[str]:
    """The names that an example reads in any case."""
    for statement in code.body:
        match statement:
            case ast.For(iter=value) | ast.Expr(value=value) | ast.Assign(value=value):
                yield from _names(value)
            case ast.With(items=[ast.withitem(context_expr=value), *_]):
                yield from _names(value)
            case _:
                return


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    elif not isinstance(node, _LATER):
        for child in ast.iter_child_nodes(node):
            yield from _names(child)


def _may_have_any(module: Module) -> bool:
    """Whether a module may have names that nothing shows."""
    called = (last_name(call.func) for call in module.each(tree.Call))
    modules = any(node.name == "modules" for node in module.each(tree.Attr))
    return bool(module.stars) or modules or not {"globals", "exec"}.isdisjoint(called)


def _gives_names(program: Program) -> bool:
    """Whether a program gives examples names of its own."""
    program.names.ask(*_GIVING)
    return any(
        not _GIVING.isdisjoint(module.scope.bindings)
        or any(p.name in _GIVING for function in module.functions for p in function.params)
        or any(a.keyword in _GIVING for call in module.each(tree.Call) for a in call.args)
        for module in program.names.modules.values()
    )
