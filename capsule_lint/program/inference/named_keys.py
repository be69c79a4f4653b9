"""What tells one key of a dict from others: a text, a member of an enum, a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import Binding, Class

if TYPE_CHECKING:
    from capsule_lint.program.classes import Classes


def key_of(classes: Classes, node: tree.Node | None) -> str | None:
    """A text that is the same for the same key: what a literal or a constant says, or the full name of a member of an
    enum, or of a class; `None` for a key that only shows while the program runs."""
    if (said := tree.text(node)) is not None:
        return said
    target = classes.dotted(node) if isinstance(node, tree.Name | tree.Attr) else None
    if not isinstance(target, Binding):
        return None
    if isinstance(target.definition, Class):
        return target.definition.symbol
    scope = target.place.scope
    if scope.kind not in ("module", "class") or len(scope.bindings.get(target.name, ())) != 1:
        return None
    if scope.cls is not None and classes.is_enum(scope.cls):
        return f"{scope.cls.symbol}.{target.name}"
    return tree.text(target.assigned)
