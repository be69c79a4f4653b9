"""Keys that tests put together of parts: `PREFIX + "DOC#d"`, `f"{PREFIX}#DOC#d"`, `"#".join(["TENANT", "t", …])`,
`join("TENANT", "t", …)` of a helper; and those that are a part alone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddElements, Replace
from capsule_lint.plan.keys.spelled import HOLE
from capsule_lint.plan.literals import plain_literal
from capsule_lint.plan.testing.asked_alone import AskedAlone
from capsule_lint.plan.testing.parts import Part, around, elements_of, place_of, with_texts
from capsule_lint.program.local_names import only_assigned, reads_of
from capsule_lint.program.model import Binding
from capsule_lint.program.texts.pieces import Filled, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.model import Mend
    from capsule_lint.plan.keys.spelled import Form
    from capsule_lint.plan.testing.parts import Place
    from capsule_lint.plan.testing.testing import Testing
    from capsule_lint.program.model import Module
    from capsule_lint.program.texts.pieces import Piece

_COMPOSING: Final = (tree.Name, tree.Attr, tree.FString, tree.Binary, tree.Call)
"""The expressions that may put a text together, or name one."""
_MAX_DEPTH: Final = 6
BOTH: Final = "spells out a key that changes in one place, and stays in another"
_MADE_OF_TEXTS: Final[dict[str, Callable[[str, Sequence[str]], str]]] = {
    "replace": lambda text, given: text.replace(given[0], given[1]) if len(given) == 2 else "",
    "lower": lambda text, given: text.lower(),
    "upper": lambda text, given: text.upper(),
}
"""What methods make of a text that is written out."""
_Item: TypeAlias = "tuple[tree.Node, tree.Sequence | tree.Call | None]"
"""What is joined, and the display in which it stands if nothing else has that, or the call that joins its arguments."""


class _Changing(Exception):
    """A part changes by itself: so does the text."""


class Composed(Struct, frozen=True):
    """Finds them, and what the segments that they lack are put into."""

    testing: Testing

    def texts(self, needed: set[str]) -> Iterator[tuple[tree.Node, str]]:
        """The texts that tests put together and that have one of these parts of keys in them."""
        for module in self.testing.mends.planner.program.names.modules.values():
            judged = module.is_test and not module.generated
            for node in module.every(*_COMPOSING) if judged else ():
                text = self.text(node)
                if text and any(one in text for one in needed):
                    yield node, text

    def text(self, node: tree.Node) -> str:
        """What an expression puts together, or names; empty where it is no text of its own."""
        is_own = self._is_composed(node) and not self.testing.places.is_part(node)
        whole = self._is_key(node) or is_own
        return "".join(part.text for part in self._parts(node)) if whole else ""

    def update(self, node: tree.Node, forms: list[Form]) -> None:
        """Put the segments that keys of a form lack into the literals of the expression, where it has one
        at that place."""
        planner, form = self.testing.mends.planner, forms[0]
        if id(node) in self.testing.updated or any(
            one is node
            for one in (
                *(d.template.host for d in planner.defects),
                *(d.node for d in planner.local.notes.defects),
            )
        ):
            return
        asked = set(AskedAlone(self.testing).uses(node, forms)) if self._is_made(node) else {False}
        if False not in asked:
            return
        if True in asked:
            self.testing.mends.obstacle(self.testing.tie(forms), node, BOTH)
            return
        try:
            parts = self._parts(node, strict=True)
        except _Changing:
            return
        knot = self.testing.tie(forms)
        module = self.testing.mends.program.names.module_of(node)
        changed = self._changed(module, node, form, parts) if form.provable else None
        if changed is None:
            self.testing.mends.obstacle(knot, node, "spells out a key that changes, in parts")
        for mend in changed or ():
            self.testing.mends.add(knot, mend)

    def _changed(
        self, module: Module, node: tree.Node, form: Form, parts: Sequence[Part]
    ) -> list[Mend] | None:
        found = form.regex.fullmatch("".join(part.text for part in parts))
        if found is None:
            return None
        names, order = self.testing.mends.program.names, self.testing.mends.program.policy.scopes
        put: dict[int, list[tuple[Place, str, bool]]] = defaultdict(list)
        items: dict[tuple[int, bool], list[tuple[Place, tuple[str, ...]]]] = defaultdict(list)
        for gap in sorted(form.gaps, key=lambda g: (found.end(g.group), order.index(g.scope))):
            segment = self.testing.segments.segment(gap, node, has_hole=False)
            place = place_of(parts, gap, found.end(gap.group))
            if segment is None or place is None:
                return None
            at, front = place
            if at.listing is not None:
                codes = elements_of(segment, gap, at.between, front=front)
                if codes is None:
                    return None
                items[id(at.written), front].append((at, codes))
                continue
            text = f"{segment[0]}{gap.separator}" if front else f"{gap.separator}{segment[0]}"
            put[id(at.written)].append((at, text, segment[1]))
        mends: list[Mend] = []
        for (_, front), beside in items.items():
            added = tuple(code for _, codes in beside for code in codes)
            before, after = (added, ()) if front else ((), added)
            at = beside[0][0]
            assert at.listing is not None
            span, anchor = at.listing.span, at.written.span
            if isinstance(at.listing, tree.Call):
                index = [a.value for a in at.listing.args].index(at.written) + (not front)
                mends += (
                    AddArgument(module.filename, span, "CAP104", code, None, index)
                    for code in added
                )
                continue
            mends.append(AddElements(module.filename, span, "CAP104", before, after, anchor))
        for several in put.values():
            written = several[0][0].written
            shown = _shown(written)
            source = self.testing.mends.source(module, shown.span)
            known = plain_literal(source)
            summed = isinstance(names.parent(written), tree.Binary)
            code = (
                with_texts(known, several)
                if known is not None
                else around(shown, source, several, summed=summed)
            )
            if code is None:
                return None
            mends.append(Replace(module.filename, written.span, "CAP104", code))
        return mends

    # --- parts ---

    def _is_key(self, node: tree.Node) -> bool:
        """Whether a name is used as a key that stands for a text of the program, which is no test's own:
        `{"PK": PK_CONFIG}`."""
        if not isinstance(node, tree.Name | tree.Attr):
            return False
        target = self.testing.mends.planner.program.classes.dotted(node)
        of_program = isinstance(target, Binding) and not target.module.is_test
        return of_program and self.testing.places.is_key(node)

    def _parts(self, node: tree.Node, depth: int = 0, *, strict: bool = False) -> list[Part]:
        """What a text is put together of; where that is `strict`, `_Changing` is raised for a part that
        changes by itself."""
        match node:
            case tree.Const(value=str() as value):
                return [Part(value, node)]
            case tree.FString():
                return self._formatted(node, depth, strict=strict)
            case tree.Binary(op="+"):
                left = self._parts(node.left, depth, strict=strict)
                return [*left, *self._parts(node.right, depth, strict=strict)]
            case tree.Call() if depth == 0 and (joined := self._joined(node)):
                return self._listed(joined, node, strict=strict)
            case tree.Call(func=tree.Attr()) if said := self._said(node, depth, strict=strict):
                return [Part(said)]
            case tree.Call() if depth == 0 and (together := self._together(node)):
                return self._filled(together, strict=strict)
            case _:
                return [Part("".join(self._foreign(node, depth, strict=strict)), operand=node)]

    def _filled(self, together: Sequence[Piece | tree.Node], *, strict: bool) -> list[Part]:
        """The parts of what a helper puts together of what it is given: `pk("TENANT", "t")`."""
        found: list[Part] = []
        for one in together:
            if isinstance(one, Text):
                found.append(Part(one.value))
            elif isinstance(one, Filled):
                found.append(Part(HOLE))
            else:
                found += self._parts(one, 1, strict=strict)
        return found

    def _is_made(self, node: tree.Node) -> bool:
        """Whether a helper puts the whole of a key together."""
        return isinstance(node, tree.Call) and (
            self._together(node) is not None or self._joiner(node) is not None
        )

    def _together(self, node: tree.Call) -> list[Piece | tree.Node] | None:
        return self.testing.mends.planner.program.templates.called.together(node)

    def _joiner(self, node: tree.Call) -> str | None:
        """What a function of the program sets the arguments of a call off with which it joins, all as they stand."""
        callees = self.testing.mends.program.calls.callees(node)
        function = callees[0].function if len(callees) == 1 else None
        plain = all(
            one.keyword is None
            and (one.star == "*" or not (one.star or isinstance(one.value, tree.Sequence)))
            for one in node.args
        )
        if function is None or not node.args or not plain:
            return None
        return self.testing.mends.program.templates.joins.joiner(function)

    def _between(self, node: tree.Call, depth: int, *, strict: bool) -> list[str]:
        """What stands between the items that a call joins."""
        mark = self._joiner(node)
        if mark is not None:
            return [mark]
        assert node.receiver is not None
        return self._foreign(node.receiver, depth, strict=strict)

    def _listed(self, joined: Sequence[_Item], node: tree.Call, *, strict: bool) -> list[Part]:
        """The parts of items that are joined, and what stands between them."""
        between = "".join(self._between(node, 1, strict=strict))
        found: list[Part] = []
        for item, listing in joined:
            found += [Part(between)] if found and between else []
            inner = self._parts(item, 1, strict=strict)
            if listing is None:
                found += [Part(part.text) for part in inner]
            else:
                found += [
                    replace(part, listing=listing, item=item, between=between) for part in inner
                ]
        return found

    def _said(self, node: tree.Call, depth: int, *, strict: bool) -> str:
        """What a method makes of a text that is written out: `"TENANT/t1".replace("/", "#")`."""
        given = [tree.text(argument.value) for argument in node.args]
        made = _MADE_OF_TEXTS.get(node.func.last_name())
        if made is None or not isinstance(node.func, tree.Attr) or depth > _MAX_DEPTH:
            return ""
        texts = [one for one in given if one is not None]
        if len(texts) != len(given) or not self.is_text(node.func.base):
            return ""
        parts = self._parts(node.func.base, depth + 1, strict=strict)
        return made("".join(part.text for part in parts), texts)

    def _formatted(self, node: tree.FString, depth: int, *, strict: bool) -> list[Part]:
        found = [Part("", node)]
        number = 0
        for part in node.parts:
            if isinstance(part, str):
                found[-1] = Part(part, node, number)
                continue
            number += 1
            found += [Part(t) for t in self._foreign(part.value, depth, strict=strict)]
            found.append(Part("", node, number))
        return found

    def _foreign(self, node: tree.Node, depth: int, *, strict: bool) -> list[str]:
        """The texts of what is not written in the expression itself: of constants, and of functions."""
        program, planner = self.testing.mends.planner.program, self.testing.mends.planner
        if depth > _MAX_DEPTH:
            return [HOLE]
        if isinstance(node, tree.Call) and (joined := self._joined(node)):
            return self._join(node, joined, depth, strict=strict)
        if isinstance(node, tree.Name | tree.Attr):
            target = program.classes.dotted(node)
            value = (
                target.value if isinstance(target, Binding) and target.kind == "assign" else None
            )
            if value is not None and (tree.text(value) is not None or self._is_composed(value)):
                if strict and id(value) in self.testing.updated:
                    raise _Changing
                return [p.text for p in self._parts(value, depth + 1, strict=strict)]
        if isinstance(node, tree.Call) and strict:
            callees = program.calls.callees(node)
            if any(c.function in planner.state.params for c in callees if c.function):
                raise _Changing
        pieces = program.templates.evaluate(node, node, depth) or []
        hosts = {id(d.template.host) for d in planner.defects} if strict else set()
        if any(id(p.host) in hosts for p in pieces):
            raise _Changing
        return [p.value if isinstance(p, Text) else HOLE for p in pieces] or [HOLE]

    def _join(
        self, node: tree.Call, joined: Sequence[_Item], depth: int, *, strict: bool
    ) -> list[str]:
        between = self._between(node, depth + 1, strict=strict)
        found: list[str] = []
        for item, _ in joined:
            found += between if found else []
            found += [p.text for p in self._parts(item, depth + 1, strict=strict)]
        return found

    def _is_composed(self, node: tree.Node) -> bool:
        match node:
            case tree.FString() | tree.Binary(op="+"):
                return True
            case tree.Call(func=tree.Attr(name="join")):
                return True
            case tree.Call(func=tree.Attr(name=name, base=base)) if name in _MADE_OF_TEXTS:
                return self.is_text(base)
            case _:
                return self._is_made(node)

    def is_text(self, node: tree.Node) -> bool:
        """Whether an expression is a text, or puts one together."""
        return tree.text(node) is not None or self._is_composed(node)

    def _joined(self, node: tree.Node) -> list[_Item]:
        """What `"#".join(…)` is given, there or in locals, or a helper that joins; empty where that is not known."""
        match node:
            case tree.Call(
                func=tree.Attr(name="join"), args=(tree.Argument(star="", value=value),)
            ):
                return self._items(value)
            case tree.Call() if self._joiner(node) is not None:
                given = [
                    self._items(one.value) if one.star else [(one.value, node)]
                    for one in node.args
                ]
                return [item for items in given for item in items] if all(given) else []
            case _:
                return []

    def _items(self, node: tree.Node, depth: int = 0) -> list[_Item]:
        """The items of displays that are written out, also behind `*` and `+`."""
        match node:
            case tree.Sequence():
                found: list[_Item] = []
                for item in node.items:
                    listed = tree.spread(item)
                    inner = [] if listed is None else self._items(listed, depth + 1)
                    found += inner or [(item, node)]
                return found
            case tree.Binary(op="+", left=left, right=right) if depth < _MAX_DEPTH:
                first, second = self._items(left, depth + 1), self._items(right, depth + 1)
                known = bool(first or second)
                return [*(first or [(left, None)]), *(second or [(right, None)])] if known else []
            case tree.Name() if depth < _MAX_DEPTH:
                display = only_assigned(self.testing.mends.planner.program.names, node)
                items = self._items(display, depth + 1) if display is not None else []
                return items if self._is_alone(node) else [(item, None) for item, _ in items]
            case _:
                return []

    def _is_alone(self, name: tree.Name) -> bool:
        """Whether nothing else has what a name stands for."""
        names = self.testing.mends.planner.program.names
        reads = reads_of(names, name, {b.at for b in names.bindings_of(name)})
        return [id(one) for one in reads] == [id(name)]


def _shown(node: tree.Node) -> tree.Node:
    """What an f-string shows as well as `str(…)` does."""
    match node:
        case tree.Call(func=tree.Name(id="str"), args=(tree.Argument(value=value, star=""),)):
            return value
        case _:
            return node
