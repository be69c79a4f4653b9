"""Parts of keys that are one of some texts, or are left out: `"ARCHIVE#" if archived else ""`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.texts.pieces import Filled, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Branch, Place, Scope
    from capsule_lint.program.texts.pieces import Piece

ANY: Final = "(?:.*?)"
"""What a part looks like that callers may give, and may leave out."""
_CHOICES: Final = ("if", "match")
_MARK: Final = re.compile(r"[#|/:]")
_VALUE: Final = r"[^#|/:]+?"


def left_out(program: Program, pieces: Sequence[Piece]) -> dict[int, str]:
    """What such parts of a key look like, by their numbers."""
    found: dict[int, str] = {}
    for number, piece in enumerate(pieces):
        value = piece.value if isinstance(piece, Filled) else None
        texts = _choices(program, value) if value is not None else None
        if texts is not None and ("" in texts or any(map(_MARK.search, texts))):
            found[number] = f"(?:{'|'.join(sorted(texts, reverse=True))})"
        elif isinstance(value, tree.Name) and _is_given_nothing(program, value):
            found[number] = ANY
    return found


def added(program: Program, pieces: Sequence[Piece]) -> list[range]:
    """The numbers of those parts of a key, one after another, which a statement adds that may not run: `if year:
    parts.append(year)`."""
    starts: dict[Scope, Place] = {}
    found: list[tuple[int, int, tuple[Branch, ...]]] = []
    for number, place in enumerate(_places(program, pieces)):
        if place is None:
            continue
        start = starts.setdefault(place.scope, place).blocks
        blocks, inner = place.scope.module.blocks, place.blocks[len(start) :]
        chosen = all(blocks[one].kind in _CHOICES and not loops for one, _, loops in inner)
        if not inner or place.blocks[: len(start)] != start or not chosen:
            continue
        if found and found[-1][1:] == (number, place.blocks):
            found[-1] = found[-1][0], number + 1, place.blocks
        else:
            found.append((number, number + 1, place.blocks))
    return [range(first, end) for first, end, _ in found]


def _places(program: Program, pieces: Sequence[Piece]) -> Iterator[Place | None]:
    """Where the parts of a key are written; what stands between two that are joined belongs to the second."""
    nodes = [piece.node if isinstance(piece, Text) else piece.value for piece in pieces]
    for number, (piece, node) in enumerate(zip(pieces, nodes, strict=True)):
        between = isinstance(piece, Text) and isinstance(node, tree.Call)
        at = nodes[number + 1] if between and number + 1 < len(nodes) else node
        yield program.names.index.places.get(id(at))


def _choices(program: Program, value: tree.Node) -> set[str] | None:
    """What the texts look like that an expression is one of; `None` where it may be another."""
    match value:
        case tree.Const(value=str() as text):
            return {re.escape(text)}
        case tree.Conditional():
            either = (value.then, value.otherwise)
            sides = [_choices(program, one) or _ending(program, one) for one in either]
        case tree.Name():
            bindings = program.names.bindings_of(value)
            given = [None if one.is_step else one.assigned for one in bindings]
            plain = [one for one in given if one is not None and not isinstance(one, tree.Name)]
            sides = [_choices(program, one) for one in plain]
            sides += [None] * (len(bindings) - len(plain))
        case _:
            return None
    found = [one for one in sides if one is not None]
    return set[str]().union(*found) if found and len(found) == len(sides) else None


def _ending(program: Program, value: tree.Node) -> set[str] | None:
    """The same of a text with values in it that begins with words: `"#FINE#" + number`."""
    made = program.templates.template(value) if tree.makes_text(value) else None
    if made is None or not isinstance(made.pieces[0], Text):
        return None
    parts = (re.escape(p.value) if isinstance(p, Text) else _VALUE for p in made.pieces)
    return {"".join(parts)}


def _is_given_nothing(program: Program, name: tree.Name) -> bool:
    """Whether a name is a parameter that is an empty text where nothing is given for it."""
    parameters = [binding.parameter for binding in program.names.bindings_of(name)]
    return any(
        one is not None and one.default is not None and tree.text(one.default) == ""
        for one in parameters
    )
