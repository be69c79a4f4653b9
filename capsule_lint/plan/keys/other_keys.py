"""What the other keys of an item say of scopes: `alert.tenant_id` of its `"PK"`, beside a key that has nothing of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.program.texts.pieces import Filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.texts.pieces import Template


def of_other_keys(program: Program, template: Template) -> Iterator[tree.Attr]:
    """Such values of an object of which the key itself says something else: `f"POND#{alert.pond_id}"`."""
    item, templates = program.names.parent(template.host), program.templates
    own = {text_of(value.base) for value in _paths(template)}
    for name, value in entries_of(item) if own and isinstance(item, tree.DictDisplay) else ():
        key = templates.template(value) if program.policy.is_key_name(name) else None
        if key is None or key is template:
            continue
        scoped = {segment.piece for segment in templates.segments(key.pieces)}
        said = (p for number, p in enumerate(key.pieces) if number in scoped)
        for piece in said:
            if isinstance(piece, Filled) and piece.host is value:
                path = piece.value
                if isinstance(path, tree.Attr) and text_of(path.base) in own:
                    yield path


def _paths(template: Template) -> Iterator[tree.Attr]:
    """The attributes that a key says."""
    values = (piece.value for piece in template.pieces if isinstance(piece, Filled))
    return (value for value in values if isinstance(value, tree.Attr))
