"""Classes that a call makes of listed fields, `namedtuple("Note", "tenant_id note_id")`, to facts: they are as good as those
that are written out."""

from __future__ import annotations

import ast
from keyword import iskeyword
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.facts.expressions import Expressions
    from capsule_lint.facts.places import Places

_MAKING: Final = ("namedtuple", "NamedTuple")
_PARAMETERS: Final = ("typename", "field_names")
_TOLD: Final = frozenset((*_PARAMETERS, "defaults", "module", "rename"))


class NamedTuples:
    """Converts them."""

    def __init__(self, places: Places, expressions: Expressions) -> None:
        self._places = places
        self._at = places.at
        self._expr = expressions.of

    def apart(self, nodes: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
        """Statements, where such a class gets several names each name by itself: `Slot = Place = namedtuple(…)`."""
        for node in nodes:
            match node:
                case ast.Assign(
                    targets=[ast.Name() as first, ast.Name(), *_], value=ast.Call()
                ) if self.of(node.value) is not None:
                    same = ast.copy_location(ast.Name(first.id, ast.Load()), first)
                    yield ast.copy_location(ast.Assign([first], node.value), node)
                    yield ast.copy_location(ast.Assign(node.targets[1:], same), node)
                case _:
                    yield node

    def of(self, node: ast.expr) -> tuple[tree.Argument, tree.Listed] | None:
        """The base that such a call stands for, and the fields; `None` for any other expression, and where no field is
        written out."""
        if not isinstance(node, ast.Call) or any(isinstance(a, ast.Starred) for a in node.args):
            return None
        func = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        said = {one.arg: one.value for one in node.keywords if one.arg in _TOLD}
        if func not in _MAKING or len(said) < len(node.keywords):
            return None
        said |= zip(_PARAMETERS, node.args, strict=False)
        display = said.get("field_names")
        found, leading = _fields(display) if len(node.args) <= len(_PARAMETERS) else ([], None)
        if display is None or not found:
            return None
        defaults = self._defaults(said.get("defaults"), len(found), leading)
        fields = list[tree.Assign]()
        for (field, type_), value in zip(found, defaults, strict=True):
            at = self._places.word(field, self._at(display), first=True)
            target = tree.Name(at, field)
            annotation = self._expr(type_) if type_ is not None else None
            fields.append(tree.Assign(target.at, (target,), value, annotation))
        at = self._at(node.func)
        base = tree.Argument(tree.Name(at, "NamedTuple"), None, "", at)
        called = said.get("typename")
        name = self._expr(called) if called is not None else None
        return base, tree.Listed(self._expr(display), tuple(fields), leading, name)

    def _defaults(
        self, said: ast.expr | None, count: int, leading: int | None
    ) -> list[tree.Node | None]:
        """What the last fields are given by default; any of them may be where that, or the last field, is not written out."""
        match said:
            case None | ast.Constant(value=None):
                return [None] * count
            case ast.List(elts=values) | ast.Tuple(elts=values) if (
                len(values) <= count
                and leading is None
                and not any(isinstance(value, ast.Starred) for value in values)
            ):
                return [*[None] * (count - len(values)), *map(self._expr, values)]
            case _:
                return [self._expr(said)] * count


def _fields(
    display: ast.expr | None,
) -> tuple[list[tuple[str, ast.expr | None]], int | None]:
    """The names of the fields that are written out, with their types where these are said, and how many stand before the
    first that is not, if there is one."""
    found = list[tuple[str, ast.expr | None]]()
    match display:
        case ast.Constant(value=str() as text):
            found = [(name, None) for name in text.replace(",", " ").split()]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            for item in items:
                match item:
                    case ast.Constant(value=str() as name):
                        found.append((name, None))
                    case ast.Tuple(elts=[ast.Constant(value=str() as name), type_]):
                        found.append((name, type_))
                    case _:
                        found.append(("", None))
    fit = {n: t for n, t in found if n.isidentifier() and n[0] != "_" and not iskeyword(n)}
    names = list(fit.items())
    leading = next((at for at, one in enumerate(found) if names[at : at + 1] != [one]), None)
    return names, leading
