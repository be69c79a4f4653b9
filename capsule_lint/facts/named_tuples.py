"""Classes that a call makes of listed fields, `namedtuple("Note", "tenant_id note_id")`, to facts: they are as good as those
that are written out."""

from __future__ import annotations

import ast
from keyword import iskeyword
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree

if TYPE_CHECKING:
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

    def of(self, node: ast.expr) -> tuple[tree.Argument, tree.Listed] | None:
        """The base that such a call stands for, and the fields; `None` for any other expression, and where not all
        fields are written out."""
        if not isinstance(node, ast.Call) or any(isinstance(a, ast.Starred) for a in node.args):
            return None
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        said = {one.arg: one.value for one in node.keywords if one.arg in _TOLD}
        if name not in _MAKING or len(said) < len(node.keywords):
            return None
        said |= zip(_PARAMETERS, node.args, strict=False)
        display = said.get("field_names")
        found = _fields(display) if len(node.args) <= len(_PARAMETERS) else []
        if display is None or not found:
            return None
        defaults, fields, whole = (
            self._defaults(said.get("defaults"), len(found)),
            [],
            self._at(display),
        )
        for (name, type_), value in zip(found, defaults, strict=True):
            target = tree.Name(self._places.word(name, whole, first=True), name)
            annotation = self._expr(type_) if type_ is not None else None
            fields.append(tree.Assign(target.at, (target,), value, annotation))
        at = self._at(node.func)
        base = tree.Argument(tree.Name(at, "NamedTuple"), None, "", at)
        return base, tree.Listed(self._expr(display), tuple(fields))

    def _defaults(self, said: ast.expr | None, count: int) -> list[tree.Node | None]:
        """What the last fields are given by default; any of them may be where that is not written out."""
        match said:
            case None | ast.Constant(value=None):
                return [None] * count
            case ast.List(elts=values) | ast.Tuple(elts=values) if len(values) <= count:
                return [*[None] * (count - len(values)), *map(self._expr, values)]
            case _:
                return [self._expr(said)] * count


def _fields(display: ast.expr | None) -> list[tuple[str, ast.expr | None]]:
    """The names of the fields, with their types where these are said; none where not all are known."""
    found: list[tuple[str, ast.expr | None]] = []
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
                        return []
    names = [name for name, _ in found]
    fit = all(n.isidentifier() and not n.startswith("_") and not iskeyword(n) for n in names)
    return found if fit and len({*names}) == len(names) else []
