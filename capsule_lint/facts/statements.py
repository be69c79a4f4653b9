"""Statements to facts: what they bind, what they hold, and the statements inside."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.facts.expressions import BINARY, Expressions
from capsule_lint.facts.named_tuples import NamedTuples
from capsule_lint.facts.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from capsule_lint.facts.tree import At, Node, Statement

    _Step: TypeAlias = int | tuple[ast.MatchMapping | ast.MatchClass, str | int]
    """The place in a sequence, the entry of a dict, or what an object of a class has under a name or at a place."""
_ITSELF: Final = frozenset(
    ("bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str")
)
"""The classes whose one place in a pattern is the object itself: `str(tenant_id)`."""


class Statements:
    """Converts the statements of a text."""

    def __init__(self, text: str) -> None:
        self._places = Places(text)
        self._expressions = Expressions(self._places)
        self._named_tuples = NamedTuples(self._places, self._expressions)
        self._at = self._places.at
        self._expr = self._expressions.of
        self._exprs = self._expressions.many

    def definitions(self, nodes: Sequence[ast.stmt]) -> tuple[Statement, ...]:
        """The statements of a module or a class: a lambda that has a name there is a function."""
        found = []
        for node in self._named_tuples.apart(nodes):
            statement = self._named_lambda(node) or self._statement(node)
            if statement is not None:
                found.append(statement)
        return tuple(found)

    def _statements(self, nodes: Sequence[ast.stmt]) -> tuple[Statement, ...]:
        found = []
        for node in self._named_tuples.apart(nodes):
            statement = self._statement(node)
            if statement is not None:
                found.append(statement)
        return tuple(found)

    def _statement(self, node: ast.stmt) -> Statement | None:
        match node:
            case ast.Assign():
                return self._named_tuple(node) or tree.Assign(
                    self._at(node), self._exprs(node.targets), self._expr(node.value)
                )
            case ast.AnnAssign() if (made := self._named_tuple(node)) is not None:
                return made
            case ast.AnnAssign():
                value = None if node.value is None else self._expr(node.value)
                annotation = self._expressions.annotation(node.annotation)
                return tree.Assign(self._at(node), (self._expr(node.target),), value, annotation)
            case ast.AugAssign():
                op = BINARY.get(type(node.op), "other")
                target, value = self._expr(node.target), self._expr(node.value)
                return tree.Assign(self._at(node), (target,), value, None, op)
            case ast.Expr():
                return tree.Eval(self._at(node), "expr", (self._expr(node.value),))
            case ast.Return():
                values = () if node.value is None else (self._expr(node.value),)
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
                decorators = (self._expr(wrapper),)
            case _:
                return None
        at = self._at(node)
        body = tree.Eval(at, "return", (self._expr(made.body),))
        params = self._expressions.parameters(made.args)
        name_at, lambda_at = self._at(target), self._at(made)
        return tree.FunctionDef(
            at, target.id, name_at, params, None, decorators, (body,), False, lambda_at
        )

    def _block(self, node: ast.stmt) -> tree.Block:
        at = self._at(node)
        match node:
            case ast.If() | ast.While():
                kind = "if" if isinstance(node, ast.If) else "while"
                bodies = (self._statements(node.body), self._statements(node.orelse))
                return tree.Block(at, kind, (self._expr(node.test),), (), bodies)
            case ast.For() | ast.AsyncFor():
                bind = tree.Bind(self._expr(node.target), self._expr(node.iter), "for")
                bodies = (self._statements(node.body), self._statements(node.orelse))
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
            value = self._expr(item.context_expr)
            if item.optional_vars is None:
                heads.append(value)
            else:
                binds.append(tree.Bind(self._expr(item.optional_vars), value, "with"))
        body = self._statements(node.body)
        return tree.Block(self._at(node), "with", tuple(heads), tuple(binds), (body,))

    def _try(self, node: ast.Try | ast.TryStar) -> tree.Block:
        binds, bodies = [], [self._statements(node.body)]
        heads: list[Node] = []
        how = "except*" if isinstance(node, ast.TryStar) else "except"
        for handler in node.handlers:
            kind = None if handler.type is None else self._expr(handler.type)
            if handler.name and kind is not None:
                first = self._at(handler.body[0])
                at = self._places.word(handler.name, (*kind.at[2:], *first[:2]), first=True)
                target = tree.Name(at, handler.name)
                binds.append(tree.Bind(target, None, how, body=len(bodies)))
            if kind is not None:
                heads.append(kind)
            bodies.append(self._statements(handler.body))
        bodies += [self._statements(node.orelse), self._statements(node.finalbody)]
        return tree.Block(self._at(node), "try", tuple(heads), tuple(binds), tuple(bodies))

    def _match(self, node: ast.Match) -> tree.Block:
        heads = [self._expr(node.subject)]
        binds, cases, sequences = [], [], []
        bodies: list[tuple[Statement, ...]] = []
        listed: set[ast.AST] = set()
        for case in node.cases:
            places: dict[ast.AST, int] = {}
            steps = dict(_steps(case.pattern, ()))
            steps[case.pattern] = ()
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.MatchValue):
                    heads += [] if part in listed else [self._expr(part.value)]
                elif isinstance(part, ast.MatchClass):
                    marks = tuple(tree.Const(self._at(p), None, _mark(p)) for p in part.patterns)
                    named = self._expr(part.cls)
                    at, places[part] = self._at(part), len(heads)
                    heads.append(tree.Other(at, (named, *marks)) if marks else named)
                elif isinstance(part, ast.MatchSequence):
                    mark = tree.Const(self._at(part), None, "pattern")
                    if part in steps:
                        sequences.append(tree.Sought(len(heads), self._keys(steps[part], places)))
                    heads.append(
                        tree.Other(self._at(part), (mark, *map(self._item, part.patterns)))
                    )
                    listed.update(part.patterns)
                captured = _captured(part)
                if captured is not None and isinstance(part, ast.pattern):
                    at = self._places.word(captured, self._at(part))
                    target = tree.Name(at, captured)
                    inner = part.pattern if isinstance(part, ast.MatchAs) else None
                    whole = isinstance(part, ast.MatchAs) and part in steps
                    keys = self._keys(steps[part], places) if whole else None
                    asked = not isinstance(inner, ast.MatchSequence | None)
                    binds.append(tree.Bind(target, None, "case", keys, len(bodies), asked))
            if case.guard is not None:
                heads.append(self._expr(case.guard))
            bodies.append(self._statements(case.body))
            cases.append(_case(case.pattern, places))
        at = self._at(node)
        said = tuple(heads), tuple(binds), tuple(bodies), tuple(cases), tuple(sequences)
        return tree.Block(at, "match", *said)

    def _item(self, part: ast.pattern) -> Node:
        """What a sequence that is matched has at one place: a value; something else; `*rest`, which has no name
        where nothing in it is read."""
        if isinstance(part, ast.MatchValue):
            return self._expr(part.value)
        mark = tree.Const(self._at(part), None, "pattern")
        if not isinstance(part, ast.MatchStar):
            return mark
        kind = "starred" if part.name is not None else "wildcard"
        return tree.Wrapped(self._at(part), kind, mark)

    def _keys(
        self, steps: tuple[_Step, ...], places: Mapping[ast.AST, int]
    ) -> tuple[tree.Step, ...]:
        """The steps on the way to what a pattern has in it; `places` are those of its classes."""
        return tuple(self._key(step, places) for step in steps)

    def _key(self, step: _Step, places: Mapping[ast.AST, int]) -> tree.Step:
        if isinstance(step, int):
            return step
        pattern, which = step
        if isinstance(pattern, ast.MatchClass):
            named, place = ("", which) if isinstance(which, int) else (which, 0)
            names = tuple(pattern.kwd_attrs)
            held = pattern.kwd_patterns[names.index(named)] if named else pattern.patterns[place]
            places_of = self._at(pattern), self._at(held)
            return tree.Field(places[pattern], named, place, *places_of, names)
        keys = tuple(map(_text, pattern.keys))
        value = pattern.patterns[keys.index(str(which))]
        at, types = self._at(pattern), _types(value)
        return tree.Entry(str(which), at, self._at(value), keys, types, pattern.rest)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tree.FunctionDef:
        at = self._at(node)
        return tree.FunctionDef(
            self._with_decorators(node, at),
            node.name,
            self._places.name_at(at, node.name, "def"),
            self._expressions.parameters(node.args),
            None if node.returns is None else self._expressions.annotation(node.returns),
            self._exprs(node.decorator_list),
            self._statements(node.body),
            ast.get_docstring(node, clean=False) is not None,
            is_async=isinstance(node, ast.AsyncFunctionDef),
        )

    def _class(self, node: ast.ClassDef) -> tree.ClassDef:
        at = self._at(node)
        bases = self._expressions.arguments(node.bases, node.keywords)
        made = self._named_tuples.of(node.bases[0]) if node.bases else None
        return tree.ClassDef(
            self._with_decorators(node, at),
            node.name,
            self._places.name_at(at, node.name, "class"),
            bases if made is None else (made[0], *bases[1:]),
            self._exprs(node.decorator_list),
            self.definitions(node.body),
            ast.get_docstring(node, clean=False) is not None,
            made[1] if made is not None else None,
        )

    def _named_tuple(self, node: ast.Assign | ast.AnnAssign) -> tree.ClassDef | None:
        """`Note = namedtuple("Note", "tenant_id note_id")`."""
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name) as target], value=value)
                | ast.AnnAssign(target=ast.Name(id=name) as target, value=ast.Call() as value)
            ) if (made := self._named_tuples.of(value)) is not None:
                at, (base, listed) = self._at(node), made
                return tree.ClassDef(at, name, self._at(target), (base,), (), (), False, listed)
            case _:
                return None

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


def _case(pattern: ast.pattern, places: Mapping[ast.AST, int]) -> tree.Case:
    """What a pattern says of its subject; `places` are those of its classes."""
    name, whole = None, pattern
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
        name, whole = pattern.name, pattern.pattern
    each = whole.patterns if isinstance(whole, ast.MatchOr) else [whole]
    known = all(isinstance(one, ast.MatchClass) for one in each)
    return tree.Case(tuple(places[one] for one in each) if known else (), name)


def _mark(pattern: ast.pattern) -> str:
    """What tells `_` from any other pattern."""
    spare = isinstance(pattern, ast.MatchAs) and pattern.pattern is None and pattern.name is None
    return "wildcard" if spare else "pattern"


def _steps(
    pattern: ast.pattern, around: tuple[_Step, ...]
) -> Iterator[tuple[ast.AST, tuple[_Step, ...]]]:
    """Under which keys of dicts, as what of objects and at which places of sequences the patterns stand that a pattern
    has in it."""
    match pattern:
        case ast.MatchMapping():
            for key, value in zip(map(_text, pattern.keys), pattern.patterns, strict=True):
                if key:
                    yield value, (*around, (pattern, key))
                    yield from _steps(value, (*around, (pattern, key)))
        case ast.MatchClass(cls=ast.Name(id=cls), patterns=[only], kwd_attrs=[]) if cls in _ITSELF:
            yield only, around
            yield from _steps(only, around)
        case ast.MatchClass():
            found: list[tuple[str | int, ast.pattern]] = [*enumerate(pattern.patterns)]
            found += zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True)
            for name, value in found:
                yield value, (*around, (pattern, name))
                yield from _steps(value, (*around, (pattern, name)))
        case ast.MatchSequence(patterns=parts):
            stars = (n for n, one in enumerate(parts) if isinstance(one, ast.MatchStar))
            for n, value in enumerate(parts[: next(stars, None)]):
                yield value, (*around, n)
                yield from _steps(value, (*around, n))
        case ast.MatchAs(pattern=ast.pattern() as inner):
            yield inner, around
            yield from _steps(inner, around)
        case ast.MatchOr():
            for one in pattern.patterns:
                yield one, around
                yield from _steps(one, around)


def _text(key: ast.expr) -> str:
    """The key of an entry that a pattern asks for; empty for one that is no text."""
    said = key.value if isinstance(key, ast.Constant) else ""
    return said if isinstance(said, str) else ""


def _types(pattern: ast.pattern) -> tuple[str, ...] | None:
    """The classes of which what a pattern finds has to be, if that is all, and it binds one name."""
    found, bound = list[str](), 0
    for part in ast.walk(pattern):
        match part:
            case ast.MatchClass(cls=ast.Name(id=name)):
                found.append(name)
            case ast.MatchAs() | ast.MatchMapping(rest=None):
                bound += isinstance(part, ast.MatchAs) and part.name is not None
            case ast.pattern():
                return None
    return tuple(found) if bound == 1 else None


def _captured(part: ast.AST) -> str | None:
    """The name that a part of a pattern binds."""
    match part:
        case ast.MatchAs() | ast.MatchStar():
            return part.name
        case ast.MatchMapping():
            return part.rest
        case _:
            return None
