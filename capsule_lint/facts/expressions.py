"""Expressions, parameters and annotations to facts."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.facts.fstrings import Field, fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capsule_lint.facts.places import Places
    from capsule_lint.facts.tree import Node

_DOTTED: Final = re.compile(r"\s*[^\W\d]\w*(\.[^\W\d]\w*)*\s*")
_STABLE_FSTRINGS: Final = sys.version_info >= (3, 12)

BINARY: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mod: "%",
    ast.BitOr: "|",
    ast.BitAnd: "&",
    ast.BitXor: "^",
    ast.Div: "/",
}
"""Operators that are told apart; the others are `other`."""
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


class Expressions:
    """Converts expressions of a text."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._at = places.at

    def of(self, node: ast.expr) -> Node:
        """The facts of an expression."""
        match node:
            case ast.Name():
                return tree.Name(self._at(node), node.id)
            case ast.Attribute():
                return tree.Attr(self._at(node), self.of(node.value), node.attr)
            case ast.Constant():
                return self._constant(node)
            case ast.JoinedStr():
                return self._fstring(node)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="str"), attr="join"),
                args=[separator, parts],
                keywords=[],
            ) if not isinstance(separator, ast.Starred) and not isinstance(parts, ast.Starred):
                # It is `separator.join(parts)`.
                at = self._at(node.func)[:2] + self._at(separator)[2:]
                joining = tree.Attr(at, self.of(separator), "join")
                return tree.Call(self._at(node), joining, self.arguments((parts,), ()))
            case ast.Call():
                return tree.Call(
                    self._at(node), self.of(node.func), self.arguments(node.args, node.keywords)
                )
            case ast.BinOp():
                op = BINARY.get(type(node.op), "other")
                return tree.Binary(self._at(node), op, self.of(node.left), self.of(node.right))
            case ast.BoolOp():
                op = "and" if isinstance(node.op, ast.And) else "or"
                return tree.Boolean(self._at(node), op, self.many(node.values))
            case ast.Compare():
                ops = tuple(_COMPARE.get(type(op), "other") for op in node.ops)
                left, rights = self.of(node.left), self.many(node.comparators)
                return tree.Compare(self._at(node), left, ops, rights)
            case ast.Subscript():
                return tree.Subscript(self._at(node), self.of(node.value), self.of(node.slice))
            case ast.Slice():
                lower, upper, step = [
                    None if bound is None else self.of(bound)
                    for bound in (node.lower, node.upper, node.step)
                ]
                return tree.Slice(self._at(node), lower, upper, step)
            case ast.Dict():
                keys = tuple(None if key is None else self.of(key) for key in node.keys)
                return tree.DictDisplay(self._at(node), keys, self.many(node.values))
            case ast.Tuple() | ast.List() | ast.Set():
                kind = type(node).__name__.lower()
                return tree.Sequence(self._at(node), kind, self.many(node.elts))
            case ast.IfExp():
                test, then, otherwise = self.many((node.test, node.body, node.orelse))
                return tree.Conditional(self._at(node), test, then, otherwise)
            case ast.Lambda():
                return tree.Lambda(self._at(node), self.parameters(node.args), self.of(node.body))
            case ast.NamedExpr():
                return tree.Walrus(self._at(node), node.target.id, self.of(node.value))
            case ast.Await() | ast.YieldFrom() | ast.Starred():
                kind = type(node).__name__.lower()
                return tree.Wrapped(self._at(node), kind, self.of(node.value))
            case ast.Yield():
                at = self._at(node)
                value = tree.Const(at, None) if node.value is None else self.of(node.value)
                return tree.Wrapped(at, "yield", value)
            case ast.UnaryOp():
                kind = "not" if isinstance(node.op, ast.Not) else "unary"
                return tree.Wrapped(self._at(node), kind, self.of(node.operand))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                kind = type(node).__name__
                return self._comprehension(node, kind, (node.elt,), node.generators)
            case ast.DictComp():
                results = (node.key, node.value)
                return self._comprehension(node, "DictComp", results, node.generators)
            case _:
                children = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
                return tree.Other(self._at(node), self.many(children))

    def many(self, nodes: Iterable[ast.expr]) -> tuple[Node, ...]:
        """The facts of expressions."""
        return tuple([self.of(node) for node in nodes])

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
            tree.Generator(self.of(g.target), self.of(g.iter), self.many(g.ifs))
            for g in generators
        )
        return tree.Comprehension(self._at(node), kind, self.many(results), parts)

    def arguments(
        self, args: Sequence[ast.expr], keywords: Sequence[ast.keyword]
    ) -> tuple[tree.Argument, ...]:
        """The arguments of a call or the bases of a class, in the order in which they are written."""
        found = []
        for arg in args:
            at = self._at(arg)
            if isinstance(arg, ast.Starred):
                found.append(tree.Argument(self.of(arg.value), None, "*", at))
            else:
                found.append(tree.Argument(self.of(arg), None, "", at))
        for keyword in keywords:
            star = "" if keyword.arg else "**"
            value = self.of(keyword.value)
            found.append(tree.Argument(value, keyword.arg, star, self._at(keyword)))
        if args and keywords:
            found.sort(key=lambda argument: argument.at)
        return tuple(found)

    def _fstring(self, node: ast.JoinedStr) -> Node:
        at = self._at(node)
        positioned: list[Field] | None = None
        if not _STABLE_FSTRINGS:
            positioned = list(
                fields(
                    self._places.text,
                    self._places.offset(at[0], at[1]),
                    self._places.offset(*at[2:]),
                )
            )
        parts: list[str | tree.Hole] = []
        number = 0
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                plain = value.conversion == -1 and value.format_spec is None
                if positioned is None:
                    parts.append(tree.Hole(self.of(value.value), plain))
                else:
                    parts.append(tree.Hole(self._field(positioned[number]), plain))
                number += 1
            elif isinstance(value, ast.Constant) and isinstance(value.value, str):
                parts.append(value.value.encode(errors="replace").decode())
        return tree.FString(at, tuple(parts))

    def _field(self, field: Field) -> Node:
        lead = len(field.text) - len(field.text.lstrip())
        text = field.text.strip()
        row, column = self._places.of_offset(field.offset + lead)
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

    def _parsed(self, text: str, row: int, column: int) -> Node:
        """The expression that `text`, which stands at `row` and `column`, is the source of."""
        wrapped = f"({text}\n)"
        inner = ast.parse(wrapped, mode="eval").body
        with self._places.inside(wrapped, row, column):
            return self.of(inner)

    def parameters(self, args: ast.arguments) -> tuple[tree.Parameter, ...]:
        """The parameters of a function or a lambda, in order."""
        plain = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults))
        defaults += args.defaults
        found = []
        for number, (arg, default) in enumerate(zip(plain, defaults, strict=True)):
            kind = "posonly" if number < len(args.posonlyargs) else "plain"
            found.append(self._parameter(arg, kind, default))
        if args.vararg:
            found.append(self._parameter(args.vararg, "*", None))
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            found.append(self._parameter(arg, "kwonly", default))
        if args.kwarg:
            found.append(self._parameter(args.kwarg, "**", None))
        return tuple(found)

    def _parameter(self, arg: ast.arg, kind: str, default: ast.expr | None) -> tree.Parameter:
        row, column, _, _ = self._at(arg)
        return tree.Parameter(
            arg.arg,
            kind,
            None if arg.annotation is None else self.annotation(arg.annotation),
            None if default is None else self.of(default),
            (row, column, row, column + len(arg.arg)),
        )

    def annotation(self, node: ast.expr) -> Node:
        """An annotation; one that is written as a string says what is in the string, other than the texts of `Literal`."""
        quoted = [
            n for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
        if not quoted:
            return self.of(node)
        return self._unquoted(node)

    def _unquoted(self, node: ast.expr) -> Node:
        found = self.of(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            row, column, _, _ = self._at(node)
            try:
                return self._parsed(node.value.strip(), row, column + 1)
            except SyntaxError:
                return found
        match node, found:
            case ast.Subscript(), tree.Subscript() if found.base.last_name() != "Literal":
                return tree.Subscript(found.at, found.base, self._unquoted(node.slice))
            case ast.Tuple(), tree.Sequence():
                return tree.Sequence(found.at, found.kind, tuple(map(self._unquoted, node.elts)))
            case ast.BinOp(), tree.Binary():
                left, right = self._unquoted(node.left), self._unquoted(node.right)
                return tree.Binary(found.at, found.op, left, right)
            case _:
                return found
