"""Keys of caches that are texts which a decorator fills with the arguments of its function, by their names:
`@cached("note:{tenant_id}:{note_id}")`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.plan.uses.registries import caching, placeholders
from capsule_lint.program.inference.types import FunctionObject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.memory.local_notes import LocalDefect
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

_ELSEWHERE = "is a key that other code makes too, which may have to change with it"
_HOLE = re.compile(r"\{(\w+)\}")
_FILLED = "is a key that is filled in a way that is not known"


class KeyTexts(Room, Struct, frozen=True):
    """Judges them: they change with their function, or say too little already."""

    planner: Planner

    def judge(self, node: tree.Const, function: Function, codes: dict[Scope, str]) -> None:
        """Note which of the scopes a key lacks that a function takes, or is going to, by those names."""
        said, local = placeholders(node), self.planner.local
        taken = self.program.domain.scope_parameter
        scopes = self.program.policy.scopes
        own = {s: p.name for s in scopes if (p := taken(function, s)) is not None}
        present = {s: name for s, name in own.items() if name in said}
        missing = [s for s in codes if s not in present and codes[s] not in said]
        if not present or not missing:
            return
        defect = local.notes.draft(node, "named", missing, ("function", function))
        order = list(scopes)
        old = max(present, key=order.index)
        defect.detail["hole"] = present[old]
        for scope in missing:
            behind = order.index(old) < order.index(scope)
            text = tree.text(node) or ""
            defect.detail[scope.name] = (
                _beside(text, old, present[old], scope, codes[scope]) if behind else ""
            )
        if local.notes.is_silenced(defect):
            return
        local.notes.defects.append(defect)
        local.notes.settle(node)
        reason = self._doubt(node, function, defect)
        if reason or not all(defect.detail.values()):
            local.notes.obstacle(defect.knot, node, reason or _FILLED)

    def _doubt(self, node: tree.Const, function: Function, defect: LocalDefect) -> str:
        """Why a key cannot be changed without a person; empty where it can, together with what is the same key and
        changes as it does."""
        if not all(self._fills_by_name(d) for d in function.fact.decorators if _gives(d, node)):
            return _FILLED
        alike = []
        for one in self._elsewhere(node):
            other = self.planner.local.changing(one) if self._is_same(one, node, defect) else None
            if other is None or other.missing != defect.missing:
                return _ELSEWHERE
            alike.append(other.knot)
        for knot in alike:
            self.state.groups.join(defect.knot, knot)
        return ""

    def _is_same(self, other: tree.Node, node: tree.Const, defect: LocalDefect) -> bool:
        """Whether an f-string says what a text does, hole for hole, and the mark that comes beside the scope's value is
        beyond doubt: the same stands on both of its sides."""
        pieces = _HOLE.split(tree.text(node) or "")
        texts, names = pieces[::2], pieces[1::2]
        parts = other.parts if isinstance(other, tree.FString) else ()
        holes = [part.value for part in parts if not isinstance(part, str)]
        said = [part for part in parts if isinstance(part, str)]
        if said != [one for one in texts if one] or len(holes) != len(names):
            return False
        if "" in texts[1:-1] or names.count(defect.detail["hole"]) != 1:
            return False  # two values without a text between them
        at = names.index(defect.detail["hole"])
        told = [s for s in self.program.policy.scopes if s not in defect.missing]
        is_value = self.program.domain.held.is_value
        marked = texts[at][-1:] == texts[at + 1][:1] != ""
        return marked and any(is_value(holes[at], scope) for scope in told)

    def _fills_by_name(self, decorator: tree.Node) -> bool:
        """Whether a decorator, if it is the program's, gives `format` all arguments by their names."""
        program = self.program
        func = tree.uncalled(decorator)
        own = [
            one.function for one in program.inference.of(func) if isinstance(one, FunctionObject)
        ]
        for maker in own:
            params = {p.name for p in maker.own_params}
            filling = [
                call
                for call in maker.module.each(tree.Call)
                if isinstance(call.func, tree.Attr)
                and isinstance(call.func.base, tree.Name)
                and call.func.base.id in params
            ]
            for call in filling:
                stars = [a.star for a in call.args]
                if call.last_name() != "format_map" and stars != ["**"]:
                    return False
            if not filling:
                return False
        return True

    def _elsewhere(self, node: tree.Const) -> Iterator[tree.Node]:
        """What else in the program begins as a key does; all of it, where it begins with what it is filled with."""
        program = self.program
        start = (tree.text(node) or "").partition("{")[0]
        if not start:
            yield node
            return
        named = {
            id(n) for m in program.names.modules.values() for f in m.functions for n in caching(f)
        }
        for module in program.names.modules.values():
            for one in module.either(tree.Const, tree.FString):
                text = (
                    one.parts[0] if isinstance(one, tree.FString) and one.parts else tree.text(one)
                )
                if isinstance(text, str) and text.startswith(start) and id(one) not in named:
                    yield one


def _beside(text: str, old: Scope, name: str, new: Scope, code: str) -> str:
    """What comes behind `{tenant_id}` in a text; empty where nobody knows."""
    found = re.findall(rf"([^{{}}]*)\{{{name}\}}([^{{}}]*)", text)
    if len(found) != 1:
        return ""
    before, behind = found[0]
    tag, plain = "", re.search(r"[^\w]*$", before)
    if before.endswith(old.tag):
        tag = new.tag
        behind = behind or before.removesuffix(old.tag)[-1:]
    elif plain is not None and not plain[0] and before:
        return ""  # a mark of its own
    mark = behind[:1] or before[-1:]
    return f"{mark}{tag}{{{code}}}" if mark and not mark.isalnum() else ""


def _gives(decorator: tree.Node, node: tree.Const) -> bool:
    args = decorator.args if isinstance(decorator, tree.Call) else ()
    return any(a.value is node for a in args)
