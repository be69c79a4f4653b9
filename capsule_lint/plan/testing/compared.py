"""What tests compare with the result of functions whose local keys change, and with what is made of a
changed key: its text in another case, or with other marks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Replace
from capsule_lint.plan.keys.fitting import Fitting
from capsule_lint.plan.keys.spelled import Forms, literal_text, text_in
from capsule_lint.plan.reach import returning
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.remarked import Remarked
from capsule_lint.program.calling.fixtures import parametrized
from capsule_lint.program.comparisons import equated
from capsule_lint.program.inference.types import FunctionObject
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.model import Span
    from capsule_lint.plan.keys.spelled import Form
    from capsule_lint.plan.memory.local_notes import LocalDefect
    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.model import Binding, Function, Module
    from capsule_lint.program.texts.pieces import Piece

_SHAPES: Final = ("text", "tuple", "bare")
_DERIVED: Final = "spells out what is made of a key that changes"
_MARK: Final = r"(?:[\W_]|%[0-9A-Fa-f]{2})+"
"""What may have come in the place of a mark between the parts of a key."""


@dataclass(eq=False, slots=True)
class Compared(MendRoom):
    """Mends such values, or notes that a person must; it comes after the keys themselves."""

    mends: Mends
    _local: dict[Function, list[LocalDefect]] = field(default_factory=dict)
    _exact: Fitting = field(default_factory=Fitting)
    _derived: Fitting = field(default_factory=Fitting)
    _seen: set[tuple[str, Span]] = field(default_factory=set)

    def build(self) -> None:
        """Look at what tests say is equal."""
        modules = self.program.names.modules.values()
        tests = [module for module in modules if module.is_test and not module.generated]
        if tests:
            self._collect()
        for module in tests:
            if self._local or self._derived:
                for node in module.either(tree.Compare, tree.Call):
                    for side, other in equated(node):
                        self._of_parts(side, other)
                        whole = behind(self.program.names, side)
                        for one, made in _paired(whole or side, other):
                            for value in self._written(one):
                                self._judge(module, value, made)

    def _collect(self) -> None:
        planner = self.planner
        for local in planner.local.notes.defects:
            function = local.function
            if function is None or local.module.is_test or local.shape not in _SHAPES:
                continue
            if any(value is local.node for value in function.returns):
                self._local.setdefault(function, []).append(local)
        self._exact = self.mends.testing.forms()
        self._derived = Fitting(self._exact.all, lambda form: _loosely(form.pieces))
        self._seen = self.mends.mended(Replace, AddElements)

    def _written(self, node: tree.Node) -> Iterator[tree.Node]:
        """The values that an expression may be, where they are written out."""
        names = self.program.names
        match node:
            case tree.Const() | tree.FString() | tree.Sequence(kind="tuple"):
                yield node
            case tree.Name():
                for binding in names.bindings_of(node):
                    for value in self._bound(binding):
                        if not isinstance(value, tree.Name):
                            yield from self._written(value)

    def _bound(self, binding: Binding) -> Sequence[tree.Node]:
        """What a name is bound to; a parameter of a test is what `parametrize` gives it, what a loop binds what
        stands in its rows."""
        function = binding.function
        if binding.kind == "for" and isinstance(binding.value, tree.Sequence):
            return list(_columns(binding.value.items, binding.path))
        if binding.kind == "param" and function is not None:
            return parametrized(function, binding.name) or []
        return [binding.assigned] if binding.assigned is not None else []

    def _judge(self, module: Module, value: tree.Node, other: tree.Node) -> None:
        if (module.filename, value.span) in self._seen:
            return
        for function in returning(self.program, other) if self._local else ():
            for defect in self._local.get(function, ()):
                self._seen.add((module.filename, value.span))
                self._mend(module, value, defect)
                return
        text = text_in(value)
        exact = self._exact.of(text) if text is not None else []
        if text is not None and not exact:
            if Remarked(self.mends.testing).update(value, text, other):
                self._seen.add((module.filename, value.span))
            elif not self.mends.testing.is_whole(text):
                self._derive(module, text, value, other)
        elif literal_text(value) is None:
            self._word(module, value, other, exact)

    def _of_parts(self, side: tree.Node, other: tree.Node) -> None:
        """A key of which a helper of the tests is given the parts, `assert made == "#".join(parts)`: who calls it
        would have to give more of them."""
        match side:
            case tree.Call(
                func=tree.Attr(name="join"), args=(tree.Argument(value=tree.Name() as parts),)
            ):
                bindings = self.program.names.bindings_of(parts)
            case _:
                return
        if not isinstance(other, tree.Name) or any(b.parameter is None for b in bindings):
            return
        passed = (self.program.calls.passed_to(b) for b in self.program.names.bindings_of(other))
        made = returning(self.program, *(node for nodes in passed for node in nodes))
        meant = [form for form in self._exact.all if form.functions & made]
        if meant:
            self.mends.spelled(meant[0].defects[0].knot, side)

    def _word(
        self, module: Module, value: tree.Node, other: tree.Node, exact: Sequence[Form]
    ) -> None:
        """A key that is a word, `"SETTINGS"`, as many other texts are: where it is compared with what a changing
        function gives, or stands in a row with that."""
        parent = self.program.names.parent(value)
        row = parent.items if isinstance(parent, tree.Sequence) else ()
        if isinstance(parent, tree.Call) and last_name(parent.func) == "param":
            row = tuple(parent.plain)
        made = returning(self.program, other, *row)
        types = [one for part in row for one in self.program.inference.of(part)]
        made |= {one.function for one in types if isinstance(one, FunctionObject)}
        meant = [form for form in exact if form.functions & made]
        if meant:
            self._seen.add((module.filename, value.span))
            self.mends.testing.update(module, value, meant)

    # --- local keys ---

    def _mend(self, module: Module, value: tree.Node, defect: LocalDefect) -> None:
        """Put what a local key gains into one that is spelled out."""
        match defect.shape, value, defect.node:
            case "text", tree.Const(value=str()) | tree.FString(), _:
                self._text(module, value, defect)
            case "tuple", tree.Sequence(), tree.Sequence() as node:
                if len(value.items) == len(node.items):
                    self._elements(module, value, defect)
                else:
                    self.mends.spelled(defect.knot, value)
            case "bare", tree.Const() | tree.FString(), _:
                self._elements(module, value, defect)
            case _:
                self.mends.spelled(defect.knot, value)

    def _text(self, module: Module, value: tree.Node, defect: LocalDefect) -> None:
        text = text_in(value)
        for form in self.mends.local.text_forms():
            if form.defects[0].template.host is defect.node and text is not None:
                fits = form.provable and form.regex.fullmatch(text) is not None
                changed = self.mends.testing.segments.filled(module, value, form) if fits else None
                if changed is not None:
                    mend = Replace(module.filename, value.span, "CAP107", changed)
                    self.mends.add(defect.knot, mend)
                    return
        self.mends.spelled(defect.knot, value)

    def _elements(self, module: Module, value: tree.Node, defect: LocalDefect) -> None:
        node, by_place = defect.node, dict[int, list[str]]()
        for scope in self.mends.policy_order(defect.missing):
            code = self.mends.code_for(scope, value, defect.knot)
            if code is None:
                self.mends.spelled(defect.knot, value, [scope])
                return
            anchor = defect.anchors[scope.name]
            at = tree.behind(tree.items(node), anchor)
            by_place.setdefault(at, []).append(code)
        for at, codes in by_place.items():
            before, after = ((), tuple(codes)) if at else (tuple(codes), ())
            items = tree.items(value)
            span = items[max(at - 1, 0)].span
            mend = AddElements(module.filename, value.span, "CAP107", before, after, span)
            self.mends.add(defect.knot, mend)

    # --- what is made of keys ---

    def _derive(self, module: Module, text: str, value: tree.Node, other: tree.Node) -> None:
        found = self._derived.of(text)
        testing = self.mends.testing
        running = testing.reach.of(*(testing.places.makers(other) if found else ()))
        made = [form.defects[0] for form in found if form.functions & running]
        shapes = Forms(self.program)
        regexes = [regex for defect in made if (regex := shapes.loose(defect)) is not None]
        same = len(regexes) == len(made) and all(regex.fullmatch(text) for regex in regexes)
        if made and not (same and testing.fill_behind(module, value, text, made)):
            self.mends.obstacle(made[0].knot, value, _DERIVED)


def _columns(rows: Sequence[tree.Node], path: Sequence[int]) -> Iterator[tree.Node]:
    """What stands in each row at a place."""
    for row in rows:
        match path, row:
            case (), _:
                yield row
            case (at,), tree.Sequence(items=items) if at < len(items):
                yield items[at]


def _paired(side: tree.Node, other: tree.Node) -> Iterator[tuple[tree.Node, tree.Node]]:
    """What is compared with what: `[a(), b()] == ["x", "y"]` element by element."""
    match side, other:
        case tree.Sequence(items=items), tree.Sequence(items=others) if len(items) == len(others):
            yield from zip(items, others, strict=True)
    yield side, other


def _loosely(pieces: Sequence[Piece]) -> re.Pattern[str]:
    """What the keys of a template look like in another case, or, where several words tell them, with
    other marks."""
    words = [w for p in pieces if isinstance(p, Text) for w in re.findall(r"\w+", p.value)]
    parts = []
    for piece in pieces:
        if not isinstance(piece, Text):
            parts.append(".+?")
        elif len(words) < 2:
            parts.append(re.escape(piece.value))
        else:
            split = re.split(r"(\W+)", piece.value)
            parts += [_MARK if re.match(r"\W", one) else re.escape(one) for one in split if one]
    return re.compile("".join(parts) if words else r"(?!)", re.IGNORECASE | re.DOTALL)
