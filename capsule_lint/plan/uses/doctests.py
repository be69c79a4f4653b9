"""Whether doctest runs the examples of a docstring, and can do so at all: many are there to be read, and call what
exists nowhere."""

from __future__ import annotations

import ast
import builtins
import warnings
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import Binding, Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Module

_GIVING: Final = frozenset(("doctest_namespace", "doctest_global_setup", "extraglobs", "globs"))
"""What gives examples names that their module does not have: pytest's fixture, Sphinx, doctest's own."""
_SIMPLE: Final = (
    *(
        ast.Module,
        ast.Expr,
        ast.Assign,
        ast.Compare,
        ast.cmpop,
        ast.Call,
        ast.keyword,
        ast.Subscript,
    ),
    *(ast.Name, ast.Attribute, ast.expr_context, ast.Constant, ast.List, ast.Tuple, ast.Starred),
    *(ast.JoinedStr, ast.FormattedValue, ast.Slice),
)
"""What examples may have in them that only call functions."""
_PLAIN: Final = frozenset(("print", "str", "repr", "len", "list", "tuple", "sorted"))
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


def run_by(program: Program, module: Module, text: str) -> set[Function] | None:
    """The functions of the program that the examples of a docstring call, where these are nothing but that, texts, and
    Python's own: functions that give texts; `None` for other examples."""
    import doctest

    try:
        read = [ast.parse(one.source) for one in doctest.DocTestParser().get_examples(text)]
    except (SyntaxError, ValueError):
        return None
    nodes = [node for code in read for node in ast.walk(code)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    own = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    methods = [node.attr for node in nodes if isinstance(node, ast.Attribute)]
    found: set[Function] = set()
    for name in names - own - _PLAIN:
        bound = program.names.global_binding(module, name)
        target = program.names.follow(bound) if bound is not None else None
        function = target.definition if isinstance(target, Binding) else None
        if not isinstance(function, Function) or not _gives_texts(program, function):
            return None
        found.add(function)
    simple = all(isinstance(node, _SIMPLE) for node in nodes)
    return found if simple and all(hasattr(str, name) for name in methods) else None


def _gives_texts(program: Program, function: Function) -> bool:
    """Whether all that a function gives is a text, also to whoever calls it."""
    made = program.templates.template
    texts = (tree.makes_text(one) or made(one) is not None for one in function.returns)
    return not function.fact.decorators and bool(function.returns) and all(texts)


def skipped(text: str) -> frozenset[int]:
    """The lines of a docstring, from 0, in which an example stands that doctest is told to skip, `# doctest: +SKIP`, or
    what it would give."""
    import doctest

    return (lines_of_examples(text, doctest.SKIP) if "SKIP" in text else None) or frozenset()


def lines_of_examples(text: str, option: int | None = None) -> frozenset[int] | None:
    """The lines of a docstring, from 0, in which examples stand, or what they give: all of them, or those with an option
    of doctest; `None` where its prompts are out of line."""
    if ">>>" not in text:
        return frozenset()
    import doctest

    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return None
    return frozenset(
        line
        for example in examples
        if option is None or example.options.get(option)
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
