"""Parameters and fields that can be left out, or may be `None`."""

from __future__ import annotations

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name


def how_optional(annotation: tree.Node | None, has_default: bool) -> str:
    """Why a parameter or field can be left out; empty when it cannot."""
    if has_default:
        return "has a default"
    return "may be `None`" if annotation is not None and _allows_none(annotation) else ""


def _allows_none(annotation: tree.Node) -> bool:
    match annotation:
        case tree.Const(value=None, kind=""):
            return True
        case tree.Binary(op="|"):
            return _allows_none(annotation.left) or _allows_none(annotation.right)
        case tree.Subscript():
            name = last_name(annotation.base)
            if name in ("Union", "Annotated") and isinstance(annotation.index, tree.Sequence):
                said = annotation.index.items
                return any(map(_allows_none, said if name == "Union" else said[:1]))
            return name == "Optional"
        case _:
            return False
