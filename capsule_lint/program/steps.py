"""Keys that several statements put together: `pk = …` and then `pk += …`, or `pk = pk + …`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.pieces import Filled, Piece, Template, merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Module, Place, Scope
    from capsule_lint.program.templates import Templates


@dataclass(frozen=True, slots=True)
class Step:
    """One assignment to a name, an attribute or an entry; whether it goes on with what is there."""

    place: Place
    statement: tree.Assign
    goes_on: bool


@dataclass(eq=False, slots=True)
class Steps:
    """Finds what belongs to one key, and evaluates it as one template."""

    templates: Templates
    _known: dict[Module, dict[tuple[Scope, str], list[Step]]] = field(default_factory=dict)

    def is_one(self, target: tree.Node) -> bool:
        """Whether what is assigned to `target` is only a part of what stands there in the end."""
        chain, at = self._chain(self.templates.names.place(target), path_of(target))
        return len(chain) > 1 or (
            bool(chain) and self._starts_elsewhere(chain[at], path_of(target))
        )

    def whole(self, place: Place, path: str) -> Template | None:
        """The template of all steps, where the last one is made at `place`; `None` elsewhere, and where
        it is not known what they go on with.

        Where a step that adds a scope may be left out, the template is that of the others, and nobody
        knows how it is put together.
        """
        chain, at = self._chain(place, path)
        if not chain or at != len(chain) - 1 or self._starts_elsewhere(chain[0], path):
            return None
        start = chain[0].place.blocks
        always = [s for s in chain if s.place.blocks == start[: len(s.place.blocks)]]
        pieces, certain = self._pieces(chain, path), self._pieces(always, path)
        host = chain[0].statement.value
        if not pieces or not certain or host is None:
            return None
        own = pieces[0].host
        if self.templates.names.place(own).scope is place.scope:
            host = own
        said = [{s.scope for s in self.templates.segments(found)} for found in (pieces, certain)]
        if said[0] == said[1] or self._in_each(chain, said[0] - said[1]):
            return Template(host, merged(pieces))
        return Template(host, merged(certain), opaque=True)

    def _starts_elsewhere(self, step: Step, path: str) -> bool:
        """Whether what a step makes begins with what is there: `pk += …`, `pk = f"{pk}#…"`."""
        value = step.statement.value
        if step.statement.op or value is None or not step.goes_on:
            return bool(step.statement.op)
        return _is_read(self.templates.inline(value, value, 0)[0], path)

    def _in_each(self, chain: list[Step], scopes: set[str]) -> bool:
        """Whether several branches of one statement, and so presumably all, add the scopes."""
        found: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for step in chain:
            value = step.statement.value
            pieces = self.templates.evaluate(value, value, 0) if value is not None else None
            for segment in self.templates.segments(pieces or ()):
                found[segment.scope].update(branch[:2] for branch in step.place.blocks)
        return all(
            any(
                sum(number == other for other, _ in found[scope]) > 1 for number, _ in found[scope]
            )
            for scope in scopes
        )

    def _pieces(self, chain: list[Step], path: str) -> list[Piece] | None:
        """What the steps say one after the other."""
        found: list[Piece] = []
        for number, step in enumerate(chain):
            value = step.statement.value
            if value is None or step.statement.op not in ("", "+"):
                return None
            new = self.templates.inline(value, value, 0)
            if step.statement.op:
                found = found + new
            elif number == 0:
                found = new
            elif any(_is_read(piece, path) for piece in new):
                found = [p for one in new for p in (found if _is_read(one, path) else [one])]
            else:
                found = new
        return found

    def _chain(self, place: Place, path: str) -> tuple[list[Step], int]:
        """The steps that one assignment belongs to, and which of them it is."""
        every = self._of(place.scope.module).get((place.scope, path), [])
        at = next((n for n, s in enumerate(every) if s.statement is place.statement), None)
        if at is None:
            return [], 0
        start = max((n for n in range(at + 1) if not every[n].goes_on), default=0)
        end = next((n for n in range(at + 1, len(every)) if not every[n].goes_on), len(every))
        return every[start:end], at - start

    def _of(self, module: Module) -> dict[tuple[Scope, str], list[Step]]:
        known = self._known.get(module)
        if known is None:
            known = self._known[module] = defaultdict(list)
            for statement, place in module.statements:
                if isinstance(statement, tree.Assign) and len(statement.targets) == 1:
                    path = path_of(statement.targets[0])
                    if path and statement.value is not None:
                        goes_on = bool(statement.op) or path in _read_in(statement.value)
                        known[place.scope, path].append(Step(place, statement, goes_on))
        return known


def _is_read(piece: Piece, path: str) -> bool:
    return isinstance(piece, Filled) and path_of(piece.value) == path


def _read_in(node: tree.Node) -> Iterator[str]:
    """The paths whose text an expression is put together of."""
    match node:
        case tree.Binary(op="+" | "%"):
            yield from _read_in(node.left)
            yield from _read_in(node.right)
        case tree.FString():
            for part in node.parts:
                if isinstance(part, tree.Hole):
                    yield from _read_in(part.value)
        case tree.Sequence():
            for item in node.items:
                yield from _read_in(item)
        case tree.Call(func=tree.Attr(name="join" | "format")):
            for argument in node.args:
                yield from _read_in(argument.value)
        case _:
            yield path_of(node)


def path_of(node: tree.Node) -> str:
    """How a name, an attribute or an entry is written: `pk`, `self.pk`, `item['PK']`; empty for
    anything else."""
    match node:
        case tree.Name(id=name):
            return name
        case tree.Attr() if base := path_of(node.base):
            return f"{base}.{node.name}"
        case tree.Subscript(index=tree.Const(value=str() as key)) if base := path_of(node.base):
            return f"{base}[{key!r}]"
        case tree.Subscript() if (base := path_of(node.base)) and (key := path_of(node.index)):
            return f"{base}[{key}]"
        case _:
            return ""
