"""Keys that several statements put together: `pk = …` and then `pk += …`, or `pk = pk + …`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.reaching import history
from capsule_lint.program.texts.pieces import (
    MAX_PIECES,
    Filled,
    Piece,
    Template,
    hole_name,
    merged,
    names_scope,
)
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program.model import Binding, Module, Place, Scope
    from capsule_lint.program.texts.templates import Templates


_TRIMS: Final = frozenset(
    ("strip", "lstrip", "rstrip", "lower", "upper", "casefold", "removesuffix", "removeprefix")
)
"""Methods of a text that change nothing but its ends, or its letters."""


class Step(Struct, frozen=True):
    """What a name, an attribute or an entry gets: the whole of it, or (`op`) what is added."""

    place: Place
    value: tree.Node
    op: str
    target: tree.Node | None = None
    """Where it is assigned; `None` where that is known to be a name."""
    goes_on: bool = False
    """Whether it goes on with what is there."""


@dataclass(eq=False, slots=True)
class Steps:
    """Finds what belongs to one key, and evaluates it as one template."""

    templates: Templates
    _built: dict[int, Template] = field(default_factory=dict)
    """By the binding that is the last step."""
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
        if not chain or at != len(chain) - 1:
            return None
        host = self._first(chain[0])
        if self._starts_elsewhere(chain[0], path) and host is chain[0].value:
            return None
        if self.goes_through_scopes(place, path):
            return None
        start = chain[0].place.blocks
        always = [s for s in chain if s.place.blocks == start[: len(s.place.blocks)]]
        pieces, certain = self._pieces(chain, path), self._pieces(always, path)
        if not pieces or not certain or host is None:
            return None
        own = pieces[0].host
        if self.templates.names.place(own).scope is place.scope:
            host = own
        said = [{s.scope for s in self.templates.segments(found)} for found in (pieces, certain)]
        if said[0] == said[1] or self._in_each(chain, said[0] - said[1]):
            return Template(host, merged(pieces))
        return Template(host, merged(certain), opaque=True)

    def goes_through_scopes(self, place: Place, path: str) -> bool:
        """Whether one of the steps is made for each of several values among which scopes are: nobody
        knows what the key is then."""
        chain, _ = self._chain(place, path)
        blocks = place.scope.module.blocks
        return any(
            names_scope(hole_name(part), scope)
            for step in chain
            for number, _, loops in step.place.blocks
            if loops
            for bind in blocks[number].binds
            if bind.value is not None
            for part in within(bind.value)
            for scope in self.templates.scopes
        )

    def goes_on_in_loop(self, binding: Binding) -> bool:
        """Whether a local gets what it was, and more, each time round: `for part in parts: key = f"{key}#{part}"`."""
        chain, at = self._chain(binding.place, binding.name)
        return at > 0 and _is_looped(chain[at], chain[0])

    def added(self, bindings: Iterable[Binding], depth: int) -> list[Piece] | None:
        """What bindings of one local say together, `key = …` and then `key += …`; `None` for any others,
        which are not one text."""
        first, *more = sorted(bindings, key=lambda b: b.place.order)
        steps = [Step(b.place, b.value, b.operator) for b in (first, *more) if b.value is not None]
        if len(steps) <= len(more) or any(step.op != "+" for step in steps[1:]):
            return None
        value = steps[0].value
        if first.kind != "assign" or first.path:
            return None
        if self.templates.said(value, depth + 1) is None:
            return None
        return self._pieces(steps, first.name, depth)

    def up_to(self, last: Binding) -> Template | None:
        """The template of a local whose last step so far is `key += …`, written where it starts."""
        known = self._built.get(id(last))
        if known is None:
            pieces = self.added(history(last), 0)
            if not pieces:
                return None
            known = self._built[id(last)] = Template(pieces[0].host, merged(pieces))
        return known

    def _starts_elsewhere(self, step: Step, path: str) -> bool:
        """Whether what a step makes begins with what is there: `pk += …`, `pk = f"{pk}#…"`."""
        if step.op or not step.goes_on:
            return bool(step.op)
        return _is_read(self.templates.inline(step.value, step.value, 0)[0], path)

    def _in_each(self, chain: list[Step], scopes: set[str]) -> bool:
        """Whether several branches of one statement, and so presumably all, add the scopes."""
        found: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for step in chain:
            pieces = self.templates.evaluate(step.value, step.value, 0)
            for segment in self.templates.segments(pieces or ()):
                found[segment.scope].update(branch[:2] for branch in step.place.blocks)
        return all(
            any(
                sum(number == other for other, _ in found[scope]) > 1 for number, _ in found[scope]
            )
            for scope in scopes
        )

    def _pieces(self, chain: list[Step], path: str, depth: int = 0) -> list[Piece] | None:
        """What the steps say one after the other."""
        found: list[Piece] = []
        first = self._first(chain[0])
        if first is not None and first is not chain[0].value:
            found = self.templates.inline(first, first, depth)
        for number, step in enumerate(chain):
            value = step.value
            if step.op not in ("", "+") or len(found) > MAX_PIECES:
                return None
            new = self.templates.inline(value, value, depth)
            if step.op:
                found = found + (self._repeated(new) if _is_looped(step, chain[0]) else new)
            elif number == 0 and not found:
                found = new
            elif isinstance(value, tree.Call | tree.Subscript) and _is_trimmed(value, path):
                continue
            elif any(_is_read(piece, path) for piece in new):
                if _is_looped(step, chain[0]) and _is_read(new[0], path):
                    new = [new[0], *self._repeated(new[1:])]
                found = [p for one in new for p in (found if _is_read(one, path) else [one])]
            else:
                found = new
        return found

    def _repeated(self, pieces: list[Piece]) -> list[Piece]:
        """What a loop adds again and again, `"#" + name`, as one hole that stands for any number of parts; what says a
        scope as it is."""
        filled = next((one for one in pieces if isinstance(one, Filled)), None)
        if filled is None or self.templates.segments(pieces):
            return pieces
        return [*(p for p in pieces[:1] if p is not filled), replace(filled, several=True)]

    def _chain(self, place: Place, path: str) -> tuple[list[Step], int]:
        """The steps that one assignment belongs to, and which of them it is."""
        every = self._of(place.scope.module).get((_home(place, path), path), [])
        at = next((n for n, s in enumerate(every) if s.place.statement is place.statement), None)
        if at is None:
            return [], 0
        start = max((n for n in range(at + 1) if not every[n].goes_on), default=0)
        end = next((n for n in range(at + 1, len(every)) if not every[n].goes_on), len(every))
        return every[start:end], at - start

    def _first(self, step: Step) -> tree.Node | None:
        """What a step starts with: what it assigns itself, or the entry of a dict that is written out."""
        target = step.target
        if not step.goes_on or not isinstance(target, tree.Subscript):
            return step.value
        display = only_assigned(self.templates.names, target.base)
        said = tree.text(target.index)
        match display:
            case tree.DictDisplay():
                return next((v for k, v in display.pairs if tree.text(k) == said), None)
            case tree.Call(func=tree.Name(id="dict")):
                return display.keyword(said) if said is not None else None
            case _:
                return None

    def _of(self, module: Module) -> dict[tuple[Scope, str], list[Step]]:
        known = self._known.get(module)
        if known is None:
            known = self._known[module] = defaultdict(list)
            for statement, place in module.statements:
                if isinstance(statement, tree.Assign) and len(statement.targets) == 1:
                    target, value = statement.targets[0], statement.value
                    path = path_of(target)
                    if path and value is not None:
                        goes_on = bool(statement.op) or path in _read_in(value)
                        step = Step(place, value, statement.op, target, goes_on)
                        known[_home(place, path), path].append(step)
        return known


def _home(place: Place, path: str) -> Scope:
    """Where assignments to a path belong together: in a function, or in all methods of an object."""
    function = place.scope.function
    if function is None or function.owner is None or not function.self_name:
        return place.scope
    return function.owner.scope if path.startswith(f"{function.self_name}.") else place.scope


def _is_looped(step: Step, first: Step) -> bool:
    """Whether a step stands in a loop that the first one does not stand in."""
    around = {number for number, _, loops in first.place.blocks if loops}
    return any(loops and number not in around for number, _, loops in step.place.blocks)


def _is_read(piece: Piece, path: str) -> bool:
    return isinstance(piece, Filled) and path_of(piece.value) == path


def _is_trimmed(value: tree.Call | tree.Subscript, path: str) -> bool:
    """Whether a value is only what is there, without something at its ends."""
    func = tree.uncalled(value)
    return isinstance(func, tree.Attr | tree.Subscript) and path_of(func.base) == path


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
        case tree.Call(func=tree.Attr(base=base, name=name)) if name in _TRIMS:
            yield from _read_in(base)
        case tree.Subscript(base=base, index=tree.Slice()):
            yield from _read_in(base)
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
