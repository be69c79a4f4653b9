"""Texts in which places are replaced: `"TENANT#<t>".replace("<t>", tenant)`, and what may be a `string.Template`.

What they say as keys is known; they are not extended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import Binding, Function
from capsule_lint.program.texts.pieces import Filled, Piece, Text, hole_name

if TYPE_CHECKING:
    from capsule_lint.program.texts.templates import Templates


def pieces(templates: Templates, node: tree.Node, host: tree.Node) -> list[Piece] | None:
    """The pieces of such a text; `None` where an expression is none."""
    match node:
        case tree.Call(func=tree.Attr(name="replace") as func, args=(old, new)):
            return _replaced(templates, func.base, old.value, new.value, host)
        case tree.Call(func=tree.Attr(name="substitute" | "safe_substitute") as func):
            text = made_from(templates, func.base)
            formatted = templates.formatted
            given = formatted.substituted(node)
            return None if text is None else formatted.dollars(text, node, host, given, 0)
        case _:
            return None


def made_from(templates: Templates, node: tree.Node) -> str | None:
    """The text that something like `Template("TENANT#$tenant_id")`, or a constant of it, is made from. What a
    function of the program makes of a text, `new_id("t")`, is something else."""
    target = templates.classes.dotted(node)
    value = target.value if isinstance(target, Binding) else node
    if not isinstance(value, tree.Call) or len(value.args) != 1:
        return None
    maker = templates.classes.dotted(value.func)
    if isinstance(maker, Binding) and isinstance(maker.definition, Function):
        return None
    return tree.text(value.args[0].value)


def _replaced(
    templates: Templates, base: tree.Node, old: tree.Node, new: tree.Node, host: tree.Node
) -> list[Piece] | None:
    mark, text = templates.constant(old), templates.constant(base)
    inner = pieces(templates, base, host) if text is None else [Text(text, host, base)]
    if not mark or inner is None:
        return None
    found: list[Piece] = []
    for piece in inner:
        parts = piece.value.split(mark) if isinstance(piece, Text) else []
        if isinstance(piece, Filled):
            found.append(piece)
        for number, part in enumerate(parts):
            found += [Filled(new, host, hole_name(new))] if number else []
            found += [Text(part, host, base)] if part else []
    return found
