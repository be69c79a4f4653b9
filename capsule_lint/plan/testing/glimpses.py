"""What tests say of a changed key or entity without spelling it out: a piece of it, its length, how it
is printed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.keys.spelled import text_in
from capsule_lint.plan.reach import returning
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.read_whole import parts_in, takes_any
from capsule_lint.program.comparisons import comparisons
from capsule_lint.program.local_names import behind
from capsule_lint.program.texts.pieces import Filled, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.program.comparisons import Comparison
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.texts.pieces import Template

_MEASURING: Final = frozenset(("count", "find", "rfind", "index", "rindex"))
"""Methods whose result grows with the key, as its length does."""
_SAYING: Final = ("__repr__", "__str__")
_DIFFERENT: Final = "says something of a key that changes"
_PRINTED: Final = "spells out how an entity is printed that gains a field"


@dataclass(eq=False, slots=True)
class Glimpses(MendRoom):
    """Finds such places: a person must look at them."""

    mends: Mends
    _made: dict[Function, list[tuple[KeyDefect, Template]]] = field(default_factory=dict)
    """The keys that functions return: what each lacks, and the whole of it."""

    def build(self) -> None:
        """Note the places."""
        planner = self.planner
        for defect in planner.defects:
            function = defect.function
            if function is not None and not defect.module.is_test:
                for key in self._results(function, defect):
                    self._made.setdefault(function, []).append((defect, key))
        gaining = self._gaining()
        for module in self.program.names.modules.values():
            if not module.is_test or module.generated:
                continue
            for compare in comparisons(module) if self._made else ():
                self._compared(compare)
            for node in module.either(tree.Const, tree.FString) if gaining else ():
                text = text_in(node)
                for cls, pattern in gaining if text is not None and "=" in text else ():
                    if text is not None and pattern.search(text):
                        self.mends.obstacle(("class", cls), node, _PRINTED)

    # --- keys ---

    def _results(self, function: Function, defect: KeyDefect) -> list[Template]:
        """The keys that a function returns which are the one that changes, or have it in them."""
        templates, host = self.program.templates, defect.template.host
        return [
            template
            for value in function.returns
            for template in templates.resolve(value)
            if template.host is host or any(piece.host is host for piece in template.pieces)
        ]

    def _compared(self, compare: Comparison) -> None:
        op, names = compare.op, self.program.names
        left, right = (behind(names, one) or one for one in (compare.left, compare.right))
        if op in ("in", "not in"):
            text = tree.text(left)
            for defect, key in self._made_by(right) if text is not None else ():
                if text is not None and _spans(defect, key, text, appears=op == "not in"):
                    self.mends.obstacle(defect.knot, compare.node, _DIFFERENT)
            return
        for side, other in ((left, right), (right, left)):
            self._told_apart(compare, side, other)
        for side, other, growing in ((left, right, (">", ">=")), (right, left, ("<", "<="))):
            if tree.integer(other) is not None and op not in growing:
                for defect, _ in self._measured(side):
                    self.mends.obstacle(defect.knot, compare.node, _DIFFERENT)

    def _told_apart(self, compare: Comparison, side: tree.Node, other: tree.Node) -> None:
        """What a function that takes any key apart gives of one that changes: the parts that a test expects of it,
        with the word of another scope among them, are not all of them any more."""
        if not isinstance(side, tree.Call) or not isinstance(
            other, tree.DictDisplay | tree.Sequence
        ):
            return
        words, scopes = set(parts_in(other)), self.program.policy.scopes
        said = {scope for scope in scopes if scope.tag and scope.tag[:-1] in words}
        if said and takes_any(self.planner, side):
            made = (one for argument in side.args for one in self._made_by(argument.value))
            for defect, _ in made:
                if not said & {*defect.missing}:
                    self.mends.obstacle(defect.knot, compare.node, _DIFFERENT)

    def _measured(self, node: tree.Node) -> Iterator[tuple[KeyDefect, Template]]:
        """The keys of which `len(key)` or `key.count("#")` tells something."""
        match node:
            case tree.Call(func=tree.Name(id="len"), args=(argument,)):
                yield from self._made_by(argument.value)
            case tree.Call(func=tree.Attr(name=name) as func) if name in _MEASURING:
                yield from self._made_by(func.base)

    def _made_by(self, node: tree.Node) -> Iterator[tuple[KeyDefect, Template]]:
        """The changed keys that an expression is, straight from what makes them or by a local name."""
        for function in returning(self.program, node):
            yield from self._made.get(function, ())

    # --- entities ---

    def _gaining(self) -> list[tuple[Class, re.Pattern[str]]]:
        """The classes whose printed form changes, with what tells a text that spells it out."""
        found = []
        classes = self.program.classes
        for cls in self.state.fields:
            own = [m for name in _SAYING if (m := classes.method(cls, name)) is not None]
            is_data = classes.is_data(cls)
            fields = classes.fields(cls) if is_data else classes.constructor(cls) or ()
            names = [one.name for one in fields]
            beside = [n for n in names if self.program.domain.held.is_scoped(cls, n)]
            generated = is_data and classes.method(cls, "__repr__") is None
            if not generated and all(self._spells(method, names) for method in own):
                continue
            any_field = "|".join(map(re.escape, names))
            if names:
                said = rf"\b{re.escape(cls.name)}\((?:{any_field})="
                said += "".join(rf"|\b{n}=[^,()]*, (?:{any_field})=" for n in beside)
                found.append((cls, re.compile(said)))
        return found

    def _spells(self, method: Function, names: Sequence[str]) -> bool:
        """Whether a method that says what an object is names its fields itself, and does not go through all of them."""
        inside = self.program.names.inside(method)
        return any(isinstance(node, tree.Attr) and node.name in names for node in inside)


def _spans(defect: KeyDefect, key: Template, text: str, *, appears: bool) -> bool:
    """Whether a piece of a key stands on both sides of where a segment comes into it, or, where it
    must not stand in the key, in what comes into it."""
    if appears:
        return any(text in defect.tag(scope) for scope in defect.missing)
    pieces = key.pieces
    for scope in defect.missing:
        anchor = defect.behind(scope)
        numbers = [n for n, p in enumerate(pieces) if isinstance(p, Filled) and p.value is anchor]
        following = pieces[numbers[0] + 1 :][:1] if numbers else ()
        for piece in following:
            if isinstance(piece, Text) and _crosses(text, piece.value):
                return True
    return False


def _crosses(text: str, behind: str) -> bool:
    """Whether some of `text`, from its second character on, begins what stands behind a value, and is
    more than the mark there."""
    return any(
        len(text) - at > 1 and (behind.startswith(text[at:]) or text[at:].startswith(behind))
        for at in range(1, len(text))
    )
