"""Imports at the top of a file, and those of functions that import from the same module themselves."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Final, TypeGuard

import libcst as cst

from capsule_lint import syntax
from capsule_lint.lines import lines_of, newline_of, unit_of
from capsule_lint.rewrite.base import bare, with_remark, without_remark
from capsule_lint.rewrite.offsets import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.model import AddImport


def add_imports(source: str, imports: Sequence[AddImport], width: int) -> str:
    """`source` with the imports that it lacks, lines longer than `width` broken; every other byte stays."""
    for one in sorted({(i.inside, i.module, i.name) for i in imports if i.inside}):
        source = _add_inside(source, *one, width)
    imports = [one for one in imports if not one.inside]
    at_run_time = {(i.module, i.name) for i in imports if not i.typing}
    ours = frozenset(_top(i.module) for i in imports if i.apart)
    for module, name in sorted(at_run_time):
        source = _add(source, module, name, width, ours)
    for module, name in sorted({(i.module, i.name) for i in imports if i.typing} - at_run_time):
        source = _add_typing(source, module, name, width)
    return source


def _add_inside(source: str, function: str, module: str, name: str, width: int) -> str:
    """A name more in the import of a function."""
    for qualname, node in _functions(syntax.parse(source).body, ""):
        for one in node.body if qualname == function else ():
            if isinstance(one, ast.ImportFrom) and _module(one) == module:
                said = any(alias.name == name and alias.asname is None for alias in one.names)
                return source if said else _extended(source, one, name, width)
    return source


def _functions(
    body: Sequence[ast.stmt], before: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The functions of a file by their qualified names."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{before}{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield name, node
            yield from _functions(node.body, f"{name}.")


def _add_typing(source: str, module: str, name: str, width: int) -> str:
    """An import for the type checker, under `if TYPE_CHECKING:`."""
    blocks = [node for node in syntax.parse(source).body if _is_typing(node)]
    own = [n for block in blocks for n in block.body if isinstance(n, ast.ImportFrom)]
    for node in own:
        if _module(node) == module and any(a.name == name and not a.asname for a in node.names):
            return source
    for node in own:
        if _module(node) == module and node.names[0].name != "*":
            return _extended(source, node, name, width)
    newline, lines = newline_of(source), lines_of(source)
    if blocks:
        last = blocks[0].body[-1]
        at = last.end_lineno or last.lineno
        indent = lines[last.lineno - 1][: last.col_offset]
        return "".join([*lines[:at], f"{indent}from {module} import {name}{newline}", *lines[at:]])
    source = _add(source, "typing", "TYPE_CHECKING", width)
    tree = syntax.parse(source)
    lines, block = lines_of(source), _block(tree, leading=False)
    at = block[-1].end_lineno or block[-1].lineno
    new = f"{newline}if TYPE_CHECKING:{newline}    from {module} import {name}{newline}"
    return _put(lines, tree, at, [new])


def _is_typing(node: ast.stmt) -> TypeGuard[ast.If]:
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return True
        case _:
            return False


def _add(
    source: str, module: str, name: str, width: int, ours: frozenset[str] = frozenset()
) -> str:
    """A name more in the imports at the top of a file; `ours` are packages that stand behind all others there."""
    tree = syntax.parse(source)
    for node in tree.body:
        own = node.names if isinstance(node, ast.ImportFrom) and _module(node) == module else []
        if any(alias.name == name and alias.asname is None for alias in own):
            return source
    froms = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    same = [node for node in froms if _module(node) == module and node.names[0].name != "*"]
    # what stands between these and imports further down may need the name
    top = [node for node in same if node in _block(tree, leading=True)]
    if top and _is_one_a_line(froms):
        at = _place_of(name, [node.names[0].name for node in top])
        row = (top[at - 1].end_lineno or top[at - 1].lineno) if at else top[0].lineno - 1
        new = f"from {module} import {name}{newline_of(source)}"
        return _put(lines_of(source), tree, row, [new])
    if same:
        return _extended(source, same[0], name, width)
    return _new_line(source, tree, module, name, ours)


def _is_one_a_line(froms: Sequence[ast.ImportFrom]) -> bool:
    """Whether imports have one name each, also where several are of one module."""
    modules = {_module(node) for node in froms}
    return len(modules) < len(froms) and all(len(node.names) == 1 for node in froms)


def _module(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def _extended(source: str, node: ast.ImportFrom, name: str, width: int) -> str:
    lines = lines_of(source)
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    indent = lines[first][: node.col_offset]
    indent = indent if not indent.strip() else ""
    piece = "".join(line.removeprefix(indent) for line in lines[first : last + 1])
    module = cst.parse_module(piece)
    if piece.endswith("\r"):  # LibCST does not take it for the end of a line
        module = module.with_changes(has_trailing_newline=True)
    line = module.body[0]
    assert isinstance(line, cst.SimpleStatementLine)
    changed = line.with_changes(
        body=[_with_name(s, name) if _is_it(s, node) else s for s in line.body]
    )
    code = code_of(module.with_changes(body=[changed, *module.body[1:]]))
    flat = code.rstrip("\r\n")
    if first == last and len(flat) > width and "(" not in flat and "#" not in flat:
        code = _wrapped(flat, newline_of(source), unit_of(source)) + code[len(flat) :]
    code = "".join(indent + line for line in lines_of(code))
    return "".join([*lines[:first], code, *lines[last + 1 :]])


def _is_it(statement: cst.BaseSmallStatement, node: ast.ImportFrom) -> bool:
    if not isinstance(statement, cst.ImportFrom) or isinstance(statement.names, cst.ImportStar):
        return False
    return [n.evaluated_name for n in statement.names] == [a.name for a in node.names]


def _with_name(statement: cst.BaseSmallStatement, name: str) -> cst.BaseSmallStatement:
    assert isinstance(statement, cst.ImportFrom)
    assert not isinstance(statement.names, cst.ImportStar)
    names = list(statement.names)
    said = [n.evaluated_name for n in names]
    at = _place_of(name, said)
    comma = next(
        (bare(n.comma) for n in names[:-1] if isinstance(n.comma, cst.Comma)),
        cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")),
    )
    last, closing = names[-1], statement.rpar
    if len(names) == 1 and isinstance(last.comma, cst.Comma):
        space = last.comma.whitespace_after
        if isinstance(space, cst.ParenthesizedWhitespace) and statement.lpar is not None:
            comma = bare(cst.Comma(whitespace_after=statement.lpar.whitespace_after))
    if at < len(names):
        names.insert(at, cst.ImportAlias(cst.Name(name), comma=comma))
    elif isinstance(last.comma, cst.Comma):
        names[-1] = last.with_changes(comma=with_remark(comma, last.comma.whitespace_after))
        ending = without_remark(last.comma.whitespace_after, comma)
        ending_comma = last.comma.with_changes(whitespace_after=ending)
        names.append(cst.ImportAlias(cst.Name(name), comma=ending_comma))
    else:
        if closing is not None:
            space = closing.whitespace_before
            closing = closing.with_changes(whitespace_before=without_remark(space, comma))
            names[-1] = last.with_changes(comma=with_remark(comma, space))
        else:
            names[-1] = last.with_changes(comma=comma)
        names.append(cst.ImportAlias(cst.Name(name)))
    return statement.with_changes(names=names, rpar=closing)


def _place_of(name: str, said: Sequence[str]) -> int:
    """Where a name comes among others, in the order that these have."""
    order = next((one for one in _ORDERS if list(said) == sorted(said, key=one)), None)
    behind = (n for n, other in enumerate(said) if order and order(other) > order(name))
    return next(behind, len(said))


def _rank(name: str) -> int:
    """Constants, classes, the rest: as import sorters have it."""
    return 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2


_ORDERS: Final[tuple[Callable[[str], tuple[int, str]], ...]] = (
    lambda name: (_rank(name), name.lower()),
    lambda name: (_rank(name), name),
    lambda name: (0, name),
    lambda name: (0, name.lower()),
)
"""The orders that imported names are kept in, the commonest first."""


def _wrapped(line: str, newline: str, unit: str) -> str:
    head, _, names = line.partition(" import ")
    items = "".join(f"{unit}{item.strip()},{newline}" for item in names.split(","))
    return f"{head} import ({newline}{items})"


def _kind(module: str, ours: frozenset[str]) -> int:
    if module == "__future__":
        return 0
    if module.startswith("."):
        return 4
    top = _top(module)
    return 3 if top in ours else 1 if top in sys.stdlib_module_names else 2


def _new_line(source: str, tree: ast.Module, module: str, name: str, ours: frozenset[str]) -> str:
    newline = newline_of(source)
    lines = lines_of(source)
    new = f"from {module} import {name}{newline}"
    block = _block(tree, leading=_top(module) in ours)
    if not block:
        return _first_import(lines, tree, new, newline)
    after: ast.stmt | None = None
    kind, kinds = _kind(module, ours), {id(n): _kind(_name_of(n), ours) for n in block}
    same = [n for n in block if kinds[id(n)] == kind]
    near = [n for n in same if isinstance(n, ast.ImportFrom) and _top(_name_of(n)) == _top(module)]
    siblings = near or same
    for node in siblings:
        if _name_of(node) < module:
            after = node
    if after is not None:
        return _put(lines, tree, after.end_lineno or after.lineno, [new])
    if siblings:
        return _put(lines, tree, siblings[0].lineno - 1, [new])
    earlier = [n for n in block if kinds[id(n)] < kind]
    if earlier:
        return _put(lines, tree, earlier[-1].end_lineno or earlier[-1].lineno, [newline, new])
    return _put(lines, tree, block[0].lineno - 1, [new, newline])


def _put(lines: list[str], tree: ast.Module, at: int, new: list[str]) -> str:
    """`lines` with new ones at a place, or at the next one between statements: never above the
    docstring or a `from __future__`, which may share their line with others."""
    for number, node in enumerate(tree.body):
        end = node.end_lineno or node.lineno
        if _is_first(node, number):
            at = max(at, end)
        if node.lineno - 1 < at < end:
            at = end
    if at == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += newline_of("".join(new))
    return "".join([*lines[:at], *new, *lines[at:]])


def _is_first(node: ast.stmt, number: int) -> bool:
    """Whether nothing may stand above a statement: the docstring, a `from __future__`."""
    match node:
        case ast.ImportFrom(module="__future__", level=0):
            return True
        case ast.Expr(value=ast.Constant(value=str())):
            return number == 0
        case _:
            return False


def _block(tree: ast.Module, *, leading: bool) -> list[ast.Import | ast.ImportFrom]:
    """The imports at the top of the file, up to the first function or class, or if they are to be `leading` to the first other
    code: it may need what comes behind all of them."""
    found: list[ast.Import | ast.ImportFrom] = []
    for number, node in enumerate(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        elif number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        elif found and (
            leading or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        ):
            break
    return found


def _name_of(node: ast.Import | ast.ImportFrom) -> str:
    return _module(node) if isinstance(node, ast.ImportFrom) else node.names[0].name


def _top(module: str) -> str:
    return module.partition(".")[0]


def _first_import(lines: list[str], tree: ast.Module, new: str, newline: str) -> str:
    first = tree.body[0] if tree.body else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return _put(lines, tree, first.end_lineno or first.lineno, [newline, new])
    at = 0
    while at < len(lines) and lines[at].startswith("#"):
        at += 1
    gap = (
        [newline, newline]
        if isinstance(first, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        else [newline]
    )
    rest = lines[at:]
    while rest and not rest[0].strip():
        rest = rest[1:]
    return "".join([*lines[:at], *([newline] if at else []), new, *(gap if rest else []), *rest])
