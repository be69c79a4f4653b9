"""One file to facts, in one pass over the tree of the standard library's `ast`."""

from __future__ import annotations

import ast
import re
import sys
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint import syntax
from capsule_lint.facts import tree
from capsule_lint.facts.fstrings import Field, fields
from capsule_lint.facts.suppress import suppressions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capsule_lint.facts.tree import At, Node, Statement

_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_DOTTED: Final = re.compile(r"\s*[^\W\d]\w*(\.[^\W\d]\w*)*\s*")
_DEFINED: Final = {word: re.compile(rf"{word}[\s\\]+(\w+)") for word in ("def", "class")}
_HEAD_LINES: Final = 10
_STABLE_FSTRINGS: Final = sys.version_info >= (3, 12)

_BINARY: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Mod: "%",
    ast.BitOr: "|",
    ast.BitAnd: "&",
}
_COMPARE: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def build(filename: str, text: str, generated_markers: Sequence[str] = ()) -> tree.FileFacts:
    """The facts of a file whose decoded text is `text` (newlines as they are on disk).

    A text that does not parse gives facts with `problem` set and no body.
    """
    head = "\n".join(text.splitlines()[:_HEAD_LINES])
    generated = any(marker in head for marker in generated_markers)
    try:
        text, module = syntax.read(text)
        body = _Builder(text).definitions(module.body)
        comments = suppressions(text)
    except SyntaxError as error:
        return tree.FileFacts(
            filename, problem=f"syntax error: {error.msg}", problem_row=error.lineno or 1
        )
    except (RecursionError, MemoryError):
        return tree.FileFacts(filename, problem="nested too deeply to be read")
    except ValueError as error:
        return tree.FileFacts(filename, problem=f"cannot be parsed: {error}")
    return tree.FileFacts(filename, body, comments, generated)


@dataclass(frozen=True, slots=True)
class _Inner:
    """A piece of the text that is parsed by itself: where it stands, and its lines as parsed."""

    row: int
    column: int
    lines: list[str]


class _Builder:
    """Converts nodes; knows the text, for columns in characters and for the fields of f-strings."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
        self._ascii = text.isascii()
        self._encoded: dict[int, bytes] = {}
        self._inner: _Inner | None = None

    # --- places ---

    def _column(self, row: int, offset: int) -> int:
        if self._ascii:
            return offset + 1
        line = self._encoded.get(row)
        if line is None:
            stop = self._starts[row] if row < len(self._starts) else len(self._text)
            line = self._encoded[row] = self._text[self._starts[row - 1] : stop].encode()
        return len(line[:offset].decode(errors="replace")) + 1

    def _point(self, row: int, offset: int) -> tuple[int, int]:
        """A place of the tree in rows and columns of the file."""
        if self._inner is None:
            return row, self._column(row, offset)
        line = self._inner.lines[row - 1].encode()
        column = len(line[:offset].decode(errors="replace")) + 1
        if row == 1:
            column += self._inner.column - 2  # its text is parsed inside one parenthesis
        return self._inner.row + row - 1, column

    def _at(
        self, node: ast.expr | ast.stmt | ast.keyword | ast.arg | ast.alias | ast.pattern
    ) -> At:
        end_row, end = node.end_lineno or node.lineno, node.end_col_offset or 0
        return (*self._point(node.lineno, node.col_offset), *self._point(end_row, end))

    def _word(self, name: str, at: At, *, first: bool = False) -> At:
        """Where a name stands that has no node of its own: the last, or the first, such word in a part
        of the text. No width where it is spelled otherwise there."""
        start, stop = (self._starts[r - 1] + c - 1 for r, c in (at[:2], at[2:]))
        found = [m.start() for m in re.finditer(rf"\b{re.escape(name)}\b", self._text[start:stop])]
        if not found:
            return (*at[:2], *at[:2])
        place = start + found[0 if first else -1]
        row = bisect_right(self._starts, place)
        column = place - self._starts[row - 1] + 1
        return (row, column, row, column + len(name))

    def _parsed(self, text: str, row: int, column: int) -> Node:
        """The expression that `text`, which stands at `row` and `column`, is the source of."""
        wrapped = f"({text}\n)"
        inner = ast.parse(wrapped, mode="eval").body
        outer, self._inner = self._inner, _Inner(row, column, _NEWLINE.split(wrapped))
        try:
            return self.expr(inner)
        finally:
            self._inner = outer

    def _offset(self, row: int, column: int) -> int:
        return self._starts[row - 1] + column - 1

    def _place(self, offset: int) -> tuple[int, int]:
        """The row and column of an offset of the text."""
        low, high = 0, len(self._starts)
        while high - low > 1:
            middle = (low + high) // 2
            if self._starts[middle] <= offset:
                low = middle
            else:
                high = middle
        return low + 1, offset - self._starts[low] + 1

    def _name_at(self, at: At, name: str, keyword: str) -> At:
        """The token of a definition's name: the first `keyword name` at or after its line."""
        every = _DEFINED[keyword].finditer(self._text, self._offset(at[0], at[1]))
        found = next((match for match in every if match[1] == name), None)
        if found is None:  # an identifier that NFKC changes
            return at
        row, column = self._place(found.start(1))
        return row, column, row, column + len(name)

    # --- expressions ---

    def expr(self, node: ast.expr) -> Node:
        match node:
            case ast.Name():
                return tree.Name(self._at(node), node.id)
            case ast.Attribute():
                return tree.Attr(self._at(node), self.expr(node.value), node.attr)
            case ast.Constant():
                return self._constant(node)
            case ast.JoinedStr():
                return self._fstring(node)
            case ast.Call():
                return tree.Call(self._at(node), self.expr(node.func), self._arguments(node))
            case ast.BinOp():
                op = _BINARY.get(type(node.op), "other")
                return tree.Binary(self._at(node), op, self.expr(node.left), self.expr(node.right))
            case ast.BoolOp():
                op = "and" if isinstance(node.op, ast.And) else "or"
                return tree.Boolean(self._at(node), op, self._exprs(node.values))
            case ast.Compare():
                ops = tuple(_COMPARE.get(type(op), "other") for op in node.ops)
                left, rights = self.expr(node.left), self._exprs(node.comparators)
                return tree.Compare(self._at(node), left, ops, rights)
            case ast.Subscript():
                return tree.Subscript(self._at(node), self.expr(node.value), self.expr(node.slice))
            case ast.Dict():
                keys = tuple(None if key is None else self.expr(key) for key in node.keys)
                return tree.DictDisplay(self._at(node), keys, self._exprs(node.values))
            case ast.Tuple() | ast.List() | ast.Set():
                kind = type(node).__name__.lower()
                return tree.Sequence(self._at(node), kind, self._exprs(node.elts))
            case ast.IfExp():
                test, then, otherwise = self._exprs((node.test, node.body, node.orelse))
                return tree.Conditional(self._at(node), test, then, otherwise)
            case ast.Lambda():
                return tree.Lambda(self._at(node), self._params(node.args), self.expr(node.body))
            case ast.NamedExpr():
                return tree.Walrus(self._at(node), node.target.id, self.expr(node.value))
            case ast.Await() | ast.YieldFrom() | ast.Starred():
                kind = type(node).__name__.lower()
                return tree.Wrapped(self._at(node), kind, self.expr(node.value))
            case ast.Yield():
                at = self._at(node)
                value = tree.Const(at, None) if node.value is None else self.expr(node.value)
                return tree.Wrapped(at, "yield", value)
            case ast.UnaryOp():
                kind = "not" if isinstance(node.op, ast.Not) else "unary"
                return tree.Wrapped(self._at(node), kind, self.expr(node.operand))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                kind = type(node).__name__
                return self._comprehension(node, kind, (node.elt,), node.generators)
            case ast.DictComp():
                results = (node.key, node.value)
                return self._comprehension(node, "DictComp", results, node.generators)
            case _:
                children = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
                return tree.Other(self._at(node), self._exprs(children))

    def _exprs(self, nodes: Iterable[ast.expr]) -> tuple[Node, ...]:
        return tuple([self.expr(node) for node in nodes])

    def _constant(self, node: ast.Constant) -> tree.Const:
        value = node.value
        if isinstance(value, str):
            # Lone surrogates cannot be stored; they occur in no key.
            return tree.Const(self._at(node), value.encode(errors="replace").decode(), "str")
        if value is None or isinstance(value, bool | float):
            return tree.Const(self._at(node), value)
        if isinstance(value, int):
            return tree.Const(self._at(node), value if abs(value) < 2**63 else 0)
        return tree.Const(self._at(node), None, type(value).__name__)

    def _comprehension(
        self,
        node: ast.expr,
        kind: str,
        results: Sequence[ast.expr],
        generators: Sequence[ast.comprehension],
    ) -> tree.Comprehension:
        parts = tuple(
            tree.Generator(self.expr(g.target), self.expr(g.iter), self._exprs(g.ifs))
            for g in generators
        )
        return tree.Comprehension(self._at(node), kind, self._exprs(results), parts)

    def _arguments(self, node: ast.Call) -> tuple[tree.Argument, ...]:
        return tuple(self._ordered(node.args, node.keywords))

    def _ordered(
        self, args: Sequence[ast.expr], keywords: Sequence[ast.keyword]
    ) -> list[tree.Argument]:
        found = []
        for arg in args:
            at = self._at(arg)
            if isinstance(arg, ast.Starred):
                found.append(tree.Argument(self.expr(arg.value), None, "*", at))
            else:
                found.append(tree.Argument(self.expr(arg), None, "", at))
        for keyword in keywords:
            star = "" if keyword.arg else "**"
            value = self.expr(keyword.value)
            found.append(tree.Argument(value, keyword.arg, star, self._at(keyword)))
        if args and keywords:
            found.sort(key=lambda argument: argument.at)
        return found

    def _fstring(self, node: ast.JoinedStr) -> Node:
        at = self._at(node)
        positioned: list[Field] | None = None
        if not _STABLE_FSTRINGS:
            positioned = list(
                fields(self._text, self._offset(at[0], at[1]), self._offset(*at[2:]))
            )
        parts: list[str | tree.Hole] = []
        number = 0
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                if positioned is None:
                    parts.append(tree.Hole(self.expr(value.value)))
                else:
                    parts.append(tree.Hole(self._field(positioned[number])))
                number += 1
            elif isinstance(value, ast.Constant) and isinstance(value.value, str):
                parts.append(value.value.encode(errors="replace").decode())
        return tree.FString(at, tuple(parts))

    def _field(self, field: Field) -> Node:
        lead = len(field.text) - len(field.text.lstrip())
        text = field.text.strip()
        row, column = self._place(field.offset + lead)
        if _DOTTED.fullmatch(text) and not any(char.isspace() for char in text):
            return self._dotted(text, row, column)
        return self._parsed(text, row, column)

    def _dotted(self, text: str, row: int, column: int) -> Node:
        first, *rest = text.split(".")
        end = column + len(first)
        if first in ("None", "True", "False"):
            return tree.Const((row, column, row, end), None)
        found: Node = tree.Name((row, column, row, end), first)
        for name in rest:
            end += 1 + len(name)
            found = tree.Attr((row, column, row, end), found, name)
        return found

    def _params(self, args: ast.arguments) -> tuple[tree.Parameter, ...]:
        plain = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults))
        defaults += args.defaults
        found = []
        for number, (arg, default) in enumerate(zip(plain, defaults, strict=True)):
            kind = "posonly" if number < len(args.posonlyargs) else "plain"
            found.append(self._param(arg, kind, default))
        if args.vararg:
            found.append(self._param(args.vararg, "*", None))
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            found.append(self._param(arg, "kwonly", default))
        if args.kwarg:
            found.append(self._param(args.kwarg, "**", None))
        return tuple(found)

    def _param(self, arg: ast.arg, kind: str, default: ast.expr | None) -> tree.Parameter:
        row, column, _, _ = self._at(arg)
        return tree.Parameter(
            arg.arg,
            kind,
            None if arg.annotation is None else self._annotation(arg.annotation),
            None if default is None else self.expr(default),
            (row, column, row, column + len(arg.arg)),
        )

    def _annotation(self, node: ast.expr) -> Node:
        """An annotation; one that is written as a string says what is in the string."""
        quoted = [
            n for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
        if not quoted:
            return self.expr(node)
        return self._unquoted(node)

    def _unquoted(self, node: ast.expr) -> Node:
        found = self.expr(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            row, column, _, _ = self._at(node)
            try:
                return self._parsed(node.value.strip(), row, column + 1)
            except SyntaxError:
                return found
        match node, found:
            case ast.Subscript(), tree.Subscript():
                return tree.Subscript(found.at, found.base, self._unquoted(node.slice))
            case ast.Tuple(), tree.Sequence():
                return tree.Sequence(found.at, found.kind, tuple(map(self._unquoted, node.elts)))
            case ast.BinOp(), tree.Binary():
                left, right = self._unquoted(node.left), self._unquoted(node.right)
                return tree.Binary(found.at, found.op, left, right)
            case _:
                return found

    # --- statements ---

    def statements(self, nodes: Sequence[ast.stmt]) -> tuple[Statement, ...]:
        found = []
        for node in nodes:
            statement = self.statement(node)
            if statement is not None:
                found.append(statement)
        return tuple(found)

    def definitions(self, nodes: Sequence[ast.stmt]) -> tuple[Statement, ...]:
        """The statements of a module or a class: a lambda that has a name there is a function."""
        found = []
        for node in nodes:
            statement = self._named_lambda(node) or self.statement(node)
            if statement is not None:
                found.append(statement)
        return tuple(found)

    def _named_lambda(self, node: ast.stmt) -> tree.FunctionDef | None:
        """`item_pk = lambda tenant_id, item_id: …`, `item_pk = staticmethod(lambda …)`."""
        match node:
            case ast.Assign(targets=[ast.Name() as target], value=ast.Lambda() as made):
                decorators: tuple[Node, ...] = ()
            case ast.Assign(
                targets=[ast.Name() as target],
                value=ast.Call(
                    func=ast.Name(id="staticmethod" | "classmethod") as wrapper,
                    args=[ast.Lambda() as made],
                    keywords=[],
                ),
            ):
                decorators = (self.expr(wrapper),)
            case _:
                return None
        at = self._at(node)
        body = tree.Eval(at, "return", (self.expr(made.body),))
        params = self._params(made.args)
        name_at, lambda_at = self._at(target), self._at(made)
        return tree.FunctionDef(
            at, target.id, name_at, params, None, decorators, (body,), False, lambda_at
        )

    def statement(self, node: ast.stmt) -> Statement | None:
        match node:
            case ast.Assign():
                return tree.Assign(
                    self._at(node), self._exprs(node.targets), self.expr(node.value)
                )
            case ast.AnnAssign():
                value = None if node.value is None else self.expr(node.value)
                annotation = self._annotation(node.annotation)
                return tree.Assign(self._at(node), (self.expr(node.target),), value, annotation)
            case ast.AugAssign():
                op = _BINARY.get(type(node.op), "other")
                target, value = self.expr(node.target), self.expr(node.value)
                return tree.Assign(self._at(node), (target,), value, None, op)
            case ast.Expr():
                return tree.Eval(self._at(node), "expr", (self.expr(node.value),))
            case ast.Return():
                values = () if node.value is None else (self.expr(node.value),)
                return tree.Eval(self._at(node), "return", values)
            case ast.Raise():
                return self._eval(node, "raise", (node.exc, node.cause))
            case ast.Assert():
                return self._eval(node, "assert", (node.test, node.msg))
            case ast.Delete():
                return self._eval(node, "del", node.targets)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self._function(node)
            case ast.ClassDef():
                return self._class(node)
            case ast.Import() | ast.ImportFrom():
                return self._import(node)
            case ast.Global() | ast.Nonlocal():
                return tree.Outer(self._at(node), tuple(node.names))
            case ast.Break():
                return tree.Eval(self._at(node), "break", ())
            case ast.Continue():
                return tree.Eval(self._at(node), "continue", ())
            case ast.Pass():
                return None
            case _:
                return self._block(node)

    def _eval(self, node: ast.stmt, kind: str, values: Sequence[ast.expr | None]) -> tree.Eval:
        return tree.Eval(self._at(node), kind, self._exprs([v for v in values if v is not None]))

    def _block(self, node: ast.stmt) -> tree.Block:
        at = self._at(node)
        match node:
            case ast.If() | ast.While():
                kind = "if" if isinstance(node, ast.If) else "while"
                bodies = (self.statements(node.body), self.statements(node.orelse))
                return tree.Block(at, kind, (self.expr(node.test),), (), bodies)
            case ast.For() | ast.AsyncFor():
                bind = tree.Bind(self.expr(node.target), self.expr(node.iter), "for")
                bodies = (self.statements(node.body), self.statements(node.orelse))
                return tree.Block(at, "for", (), (bind,), bodies)
            case ast.With() | ast.AsyncWith():
                return self._with(node)
            case ast.Try() | ast.TryStar():
                return self._try(node)
            case ast.Match():
                return self._match(node)
            case _:  # a type alias (3.12) and whatever comes
                values = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
                return tree.Block(at, "other", self._exprs(values), (), ())

    def _with(self, node: ast.With | ast.AsyncWith) -> tree.Block:
        heads, binds = [], []
        for item in node.items:
            value = self.expr(item.context_expr)
            if item.optional_vars is None:
                heads.append(value)
            else:
                binds.append(tree.Bind(self.expr(item.optional_vars), value, "with"))
        body = self.statements(node.body)
        return tree.Block(self._at(node), "with", tuple(heads), tuple(binds), (body,))

    def _try(self, node: ast.Try | ast.TryStar) -> tree.Block:
        binds, bodies = [], [self.statements(node.body)]
        heads: list[Node] = []
        for handler in node.handlers:
            kind = None if handler.type is None else self.expr(handler.type)
            if handler.name and kind is not None:
                first = self._at(handler.body[0])
                at = self._word(handler.name, (*kind.at[2:], *first[:2]), first=True)
                binds.append(tree.Bind(tree.Name(at, handler.name), None, "except"))
            if kind is not None:
                heads.append(kind)
            bodies.append(self.statements(handler.body))
        bodies += [self.statements(node.orelse), self.statements(node.finalbody)]
        return tree.Block(self._at(node), "try", tuple(heads), tuple(binds), tuple(bodies))

    def _match(self, node: ast.Match) -> tree.Block:
        heads = [self.expr(node.subject)]
        binds, bodies = [], []
        for case in node.cases:
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.MatchValue):
                    heads.append(self.expr(part.value))
                elif isinstance(part, ast.MatchClass):
                    marks = tuple(tree.Const(self._at(p), None, "pattern") for p in part.patterns)
                    named = self.expr(part.cls)
                    at = self._at(part)
                    heads.append(tree.Other(at, (named, *marks)) if marks else named)
                elif isinstance(part, ast.MatchSequence):
                    mark = tree.Const(self._at(part), None, "pattern")
                    heads.append(tree.Other(self._at(part), (mark,)))
                captured = _captured(part)
                if captured is not None and isinstance(part, ast.pattern):
                    at = self._word(captured, self._at(part))
                    binds.append(tree.Bind(tree.Name(at, captured), None, "case"))
            if case.guard is not None:
                heads.append(self.expr(case.guard))
            bodies.append(self.statements(case.body))
        return tree.Block(self._at(node), "match", tuple(heads), tuple(binds), tuple(bodies))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tree.FunctionDef:
        at = self._at(node)
        return tree.FunctionDef(
            self._with_decorators(node, at),
            node.name,
            self._name_at(at, node.name, "def"),
            self._params(node.args),
            None if node.returns is None else self._annotation(node.returns),
            self._exprs(node.decorator_list),
            self.statements(node.body),
            ast.get_docstring(node, clean=False) is not None,
        )

    def _class(self, node: ast.ClassDef) -> tree.ClassDef:
        at = self._at(node)
        return tree.ClassDef(
            self._with_decorators(node, at),
            node.name,
            self._name_at(at, node.name, "class"),
            tuple(self._ordered(node.bases, node.keywords)),
            self._exprs(node.decorator_list),
            self.definitions(node.body),
            ast.get_docstring(node, clean=False) is not None,
        )

    @staticmethod
    def _with_decorators(
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, at: At
    ) -> At:
        first = min((d.lineno for d in node.decorator_list), default=at[0])
        return (min(first, at[0]), *at[1:])

    def _import(self, node: ast.Import | ast.ImportFrom) -> tree.Import:
        names = []
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                names.append(tree.Imported(alias.name, None, bound, self._at(alias)))
            return tree.Import(self._at(node), 0, tuple(names))
        for alias in node.names:
            bound = alias.asname or alias.name
            names.append(tree.Imported(node.module or "", alias.name, bound, self._at(alias)))
        return tree.Import(self._at(node), node.level, tuple(names))


def _captured(part: ast.AST) -> str | None:
    """The name that a part of a pattern binds."""
    match part:
        case ast.MatchAs() | ast.MatchStar():
            return part.name
        case ast.MatchMapping():
            return part.rest
        case _:
            return None
