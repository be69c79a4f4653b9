"""Texts made elsewhere that are just like a key which changes: `forget(f"note:{tenant_id}:{note_id}")` beside
a cache that has such keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.memory.local_notes import LocalDefect
    from capsule_lint.plan.planner import Planner

Shape: TypeAlias = "tuple[str | None, ...]"
"""The texts of a key and the scopes in it, in their order; nothing for any other value."""


class Twins(Room, Struct, frozen=True):
    """Lets those change alike that are handed to a function of the program."""

    planner: Planner

    def find(self, defects: Sequence[LocalDefect]) -> None:
        """Note what looks like the keys of some defects; a person must look where the value is not at hand."""
        by_shape = {
            shape: defect
            for defect in defects
            if defect.shape == "text" and (shape := self._shape(defect.node)) is not None
        }
        if not by_shape:
            return
        for module in self.program.names.production():
            for node in module.every(tree.FString, tree.Binary, tree.Call):
                settled = self.planner.local.notes.is_settled(node)
                if tree.makes_text(node) and not settled and self._is_handed_on(node):
                    shape = self._shape(node)
                    if shape in by_shape and shape is not None:
                        self._change(node, by_shape[shape])

    def _shape(self, node: tree.Node) -> Shape | None:
        """What a text consists of; `None` for one without words, or without scopes."""
        program = self.program
        template = program.templates.template(node) if program.keys.at(node) is None else None
        if template is None:
            return None
        is_value, scopes = program.domain.held.is_value, program.policy.scopes
        found: list[str | None] = []
        texts: list[str] = []
        for piece in template.pieces:
            if isinstance(piece, Text):
                texts.append(piece.value)
                found.append(piece.value)
            else:
                named = (f"{{{s.name}}}" for s in scopes if is_value(piece.value, s))
                found.append(next(named, None))
        worded = any(character.isalnum() for text in texts for character in text)
        scoped = len([one for one in found if one is not None]) > len(texts)
        return tuple(found) if worded and scoped else None

    def _is_handed_on(self, node: tree.Node) -> bool:
        """Whether a text is an argument of a call of a function of the program."""
        call = self.program.names.parent(node)
        return isinstance(call, tree.Call) and any(
            callee.function is not None and callee.cls is None
            for callee in self.program.calls.callees(call)
        )

    def _change(self, node: tree.Node, like: LocalDefect) -> None:
        local, policy = self.planner.local, self.program.policy
        parts = local.hosts.parts(node)
        if parts is None:
            return
        defect = local.notes.draft(node, "text", like.missing, like.knot)
        is_value = self.program.domain.held.is_value
        said = {s.name: e for s in policy.scopes for e in parts[1] if is_value(e, s)}
        values = {}
        for scope in like.missing:
            before = [
                s.name for s in policy.scopes[: policy.scopes.index(scope)] if s.name in said
            ]
            defect.anchors[scope.name] = said[before[-1]] if before else None
            want = Want(scope, node, like.knot, "local")
            values[scope.name] = self.planner.values.value(want)
            local.notes.ask(defect, want)
        local.notes.settle(node)
        if None in values.values():
            local.notes.obstacle(like.knot, node, "looks like a key that changes")
            return
        for value in values.values():
            if value is not None and value.knot is not None:
                self.state.groups.join(like.knot, value.knot)
        local.notes.defects.append(defect)
