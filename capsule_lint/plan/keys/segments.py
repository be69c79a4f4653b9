"""Segments into key templates: which, where, and in the words in which their neighbours are written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddSegments, AddStatement, NewSegment, Replace
from capsule_lint.plan.code import text_of
from capsule_lint.plan.keys.format_fields import start_of
from capsule_lint.plan.keys.format_filling import Addition, Group
from capsule_lint.plan.keys.formats import Formats
from capsule_lint.plan.keys.listed import Listed, joins
from capsule_lint.plan.keys.segment_calls import SegmentCalls
from capsule_lint.plan.keys.tag_constants import Spelled, TagConstants, operands_of
from capsule_lint.plan.literals import changed_part
from capsule_lint.plan.memory.arity import takes_any, takes_more
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import KeyDefect
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import Filled, word_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.texts.pieces import Template


class Added(Struct, frozen=True):
    """A segment that a template lacks, and the code that yields its value."""

    scope: Scope
    tag: str
    hole: str


class LocalPiece(Struct, frozen=True):
    """A scope that the text of a local key lacks, and how its parts are set off."""

    scope: Scope
    anchor: tree.Node | None
    separator: str
    tag: str
    hole: str

    @property
    def addition(self) -> Addition:
        """The same for a format string."""
        front = self.anchor is None
        before = self.tag if front else self.separator + self.tag
        return Addition(self.scope, before, self.separator if front else "", self.hole)


@dataclass(eq=False, slots=True)
class Segments(MendRoom):
    """Puts segments into templates."""

    mends: Mends
    formats: Formats = field(init=False)
    _constants: TagConstants = field(init=False)
    _calls: SegmentCalls = field(init=False)
    _listed: Listed = field(init=False)

    def __post_init__(self) -> None:
        self.formats = Formats(self.mends)
        self._constants = TagConstants(self.mends)
        self._calls = SegmentCalls(self.mends, self._constants)
        self._listed = Listed(self.program, self.formats)

    def key(self, defect: KeyDefect) -> None:
        """Put the segments that a key lacks into its template."""
        host = defect.template.host
        code = self.planner.keys.key_code(self.planner.sites[id(host)])
        anchors: dict[int, tree.Node | None] = {}
        groups: dict[int, list[Added]] = defaultdict(list)
        for scope in self.mends.policy_order(defect.missing):
            hole = self.mends.members.hole(defect.wants[scope.name], defect.knot)
            if hole is None:
                return
            doubt = self.mends.members.doubt(scope, hole)
            if doubt:
                self.mends.obstacle(defect.knot, host, doubt)
            if defect.marks.get(scope.name) is None:
                self.mends.obstacle(defect.knot, host, "nothing shows what sets its parts off")
                return
            anchor = defect.anchors[scope.name]
            anchors[id(anchor)] = anchor
            groups[id(anchor)].append(Added(scope, defect.tag(scope), hole))
        if defect.template.opaque:
            self.mends.obstacle(defect.knot, host, "the key is put together in an unknown way")
        elif self.formats.is_format(host):
            if defect.template.part and None in anchors.values():
                self.mends.obstacle(
                    defect.knot, host, "the key is written inside of a longer text"
                )
                return
            found = [self._group(defect, anchors[key], new) for key, new in groups.items()]
            self.formats.extend(defect.knot, host, found, code)
        else:
            for key, new in groups.items():
                self._into(defect, anchors[key], new, code)

    def local(self, knot: Knot, host: tree.Node, pieces: Sequence[LocalPiece], code: str) -> None:
        """Put scopes into the text that is the key of a dict or of a cache."""
        groups: dict[int, list[LocalPiece]] = defaultdict(list)
        for piece in pieces:
            groups[id(piece.anchor)].append(piece)
        if self.formats.is_format(host):
            found = [Group(g[0].anchor, [p.addition for p in g]) for g in groups.values()]
            self.formats.extend(knot, host, found, code)
            return
        module = self.program.names.module_of(host)
        for group in groups.values():
            anchor, mark = group[0].anchor, group[0].separator
            new = [Added(p.scope, p.tag, p.hole) for p in group]
            if isinstance(host, tree.Call) and not joins(host):
                template = self.program.templates.template(host)
                assert template is not None
                scopes, marks = [p.scope for p in group], {p.scope.name: mark for p in group}
                anchors: dict[str, tree.Node | None] = dict.fromkeys(marks, anchor)
                defect = KeyDefect(
                    template, module, None, scopes, anchors, knot, marks=dict(marks)
                )
                self._beside(defect, anchor, new, code)
                continue
            made = tuple(self._segment(knot, host, anchor, one) for one in new)
            span = anchor.span if anchor is not None else None
            self.mends.add(knot, AddSegments(module.filename, host.span, code, made, span, mark))

    def _group(self, defect: KeyDefect, anchor: tree.Node | None, new: Sequence[Added]) -> Group:
        mark, front = (
            defect.mark(new[0].scope),
            anchor is None or new[0].scope.name in defect.opened,
        )
        before, after = ("", mark) if front else (mark, "")
        return Group(
            anchor, [Addition(one.scope, before + one.tag, after, one.hole) for one in new]
        )

    def _into(
        self, defect: KeyDefect, anchor: tree.Node | None, new: Sequence[Added], code: str
    ) -> None:
        """Put new segments into a key that is no format string, unless it has no place for them."""
        host = defect.template.host
        if isinstance(host, tree.Const) and any(
            isinstance(p, Filled) and p.host is host for p in defect.template.pieces
        ):
            if anchor is None and not self.program.templates.choices.fills(host):
                self.mends.obstacle(defect.knot, host, "nothing says what fills the braces")
                return
            self._brace_template(defect, host, new, code)
            return
        if anchor is host and not isinstance(host, tree.Const):
            reason = "the key is a scope's value and nothing else, and may be read as that"
            self.mends.obstacle(defect.knot, host, reason)  # and shown how it would change
        elif anchor is host or (
            isinstance(anchor, tree.Const) and not isinstance(host, tree.Sequence | tree.Call)
        ):
            reason = "the scope before it is written out in the text"
            self.mends.obstacle(defect.knot, host, reason)
            return
        if defect.template.part and anchor is None:
            self.mends.obstacle(defect.knot, host, "the key is written inside of a longer text")
            return
        self._beside(defect, anchor, new, code)

    def _beside(
        self, defect: KeyDefect, anchor: tree.Node | None, new: Sequence[Added], code: str
    ) -> None:
        """Put new segments behind the anchor, or at the front, in the way in which a key is put together."""
        host = defect.template.host
        if anchor is not None and self._is_appended(anchor):
            self._appended(defect, anchor, new, code)
            return
        if isinstance(host, tree.Call) and self._listed.ends_alone(host, anchor):
            anchor = host
        argument = self._listed.argument(host, anchor)
        if isinstance(host, tree.Call) and anchor is not host and _is_named(host, anchor):
            if self._by_keyword(defect.knot, host, anchor, new, code):
                return
            if argument is None:
                self.mends.obstacle(defect.knot, host, "the parts of the key are given by name")
                return
        whole = self._listed.going_on(host, anchor) or argument
        formatted = self._format_in(whole or host, anchor)
        if formatted is not None:
            self.formats.extend(defect.knot, formatted, [self._group(defect, anchor, new)], code)
            return
        place = whole or self._listed.display(host, anchor)
        if anchor is not None and anchor.span not in place.span:
            place = self._step(defect, anchor) or place
        if anchor is not None and anchor.span not in place.span:
            self.mends.obstacle(defect.knot, anchor, "the key is put together in steps")
            return
        doubt = _doubt(place, anchor) or self._unbound(place, anchor)
        if doubt:
            self.mends.obstacle(defect.knot, host, doubt)
            return
        opened = new[0].scope.name in defect.opened
        if opened and not isinstance(place, tree.FString):
            self.mends.obstacle(defect.knot, host, "begins with a key that needs less")
            return
        listed = anchor is None and self._is_list_of_parts(defect.template, place)
        around = isinstance(place, tree.Call) and not (anchor or listed or joins(place))
        plain = around or place is anchor
        made = tuple(
            NewSegment(one.tag, one.hole)
            if plain  # the constants between the parts of a call are set off by what it calls
            else self._segment(defect.knot, place, anchor, one)
            for one in new
        )
        filename, mark = defect.module.filename, defect.mark(new[0].scope)
        at = anchor.span if anchor is not None else None
        said = self._constants.mark_behind(place, anchor, mark)
        mend = AddSegments(filename, place.span, code, made, at, mark, listed, opened, said)
        self.mends.add(defect.knot, mend)

    def _is_list_of_parts(self, template: Template, place: tree.Node) -> bool:
        """Whether a key begins with the first of any number of parts that a call is given:
        `join("RESOURCE", resource)`."""
        if not isinstance(place, tree.Call) or not place.args or place.args[0].star:
            return False
        first, begins = place.args[0].value, template.pieces[0]
        node = begins.value if isinstance(begins, Filled) else begins.node
        same = self.program.names.module_of(node) is self.program.names.module_of(first)
        return same and node.span in first.span and takes_any(self.program.calls, place)

    def _unbound(self, place: tree.Node, anchor: tree.Node | None) -> str:
        """Why a call does not take another part; empty where it does."""
        if not isinstance(place, tree.Call) or anchor is None:
            return ""
        taken = takes_more(self.program.calls, place, anchor)
        return "" if taken else "what makes the key does not take one more part of it"

    def _by_keyword(
        self,
        knot: Knot,
        host: tree.Call,
        anchor: tree.Node | None,
        new: Sequence[Added],
        code: str,
    ) -> bool:
        """`make_key(tenant=tenant_id)` gets `capsule=capsule_id`, where the function makes the scope's tag
        of a name; whether it does."""
        program = self.program
        functions = [c.function for c in program.calls.callees(host)]
        at = tree.behind([argument.value for argument in host.args], anchor)
        if len(functions) != 1 or functions[0] is None or (anchor is not None and not at):
            return False
        joiner = program.templates.called.keyworded.joiner(functions[0])
        keywords = [joiner.keyword(one.tag, one.scope.name) if joiner else None for one in new]
        if None in keywords:
            return False
        filename = self.program.names.module_of(host).filename
        for one, keyword in zip(new, keywords, strict=True):
            mend = AddArgument(filename, host.span, code, one.hole, keyword, at)
            self.mends.add(knot, mend)
        return True

    def _segment(
        self, knot: Knot, host: tree.Node, anchor: tree.Node | None, one: Added
    ) -> NewSegment:
        made = self._calls.beside(knot, host, anchor, one.tag, one.hole) if anchor else None
        if made is not None:
            return NewSegment(one.tag, one.hole, made=made)
        found = self._constants.beside(knot, host, anchor, one.tag) if one.tag else Spelled()
        spelled = self.planner.stored.as_text(one.scope, one.hole, anchor)
        said = found.constant, found.joint, found.mark
        return NewSegment(one.tag, one.hole, *said, spelled=spelled)

    def _format_in(self, host: tree.Node, anchor: tree.Node | None) -> tree.Node | None:
        """The part of a sum that fills a format with the anchor: `PREFIX + "{}#GROUP#{}".format(…)`."""
        if anchor is not None and self.formats.is_format(host):
            return host
        for part in within(host) if isinstance(host, tree.Binary) and anchor is not None else ():
            if self.formats.is_format(part) and any(one is anchor for one in within(part)):
                return part
        return None

    # --- lists of parts ---

    def _is_appended(self, anchor: tree.Node) -> bool:
        """Whether an expression stands in `parts.append(…)`."""
        call = self._append_call(anchor)
        return call is not None and call.args[0].value.span == anchor.span

    def _append_call(self, anchor: tree.Node) -> tree.Call | None:
        match self.program.names.place(anchor).statement:
            case tree.Eval(values=(tree.Call(func=tree.Attr(name="append")) as call,)) if (
                call.args
            ):
                return call
            case _:
                return None

    def _appended(
        self, defect: KeyDefect, anchor: tree.Node, new: Sequence[Added], code: str
    ) -> None:
        """A list of parts that grows by `parts.append(…)`: the new parts are appended in their turn."""
        statement = self.program.names.place(anchor).statement
        call = self._append_call(anchor)
        parts = text_of(call.func) if call is not None else None
        if statement is None or parts is None:
            self.mends.obstacle(defect.knot, anchor, "the key is put together in steps")
            return
        for one in new:
            hole = self.planner.stored.as_text(one.scope, one.hole, anchor) or one.hole
            for part in (f'"{word_of(one.tag)}"', hole) if one.tag else (hole,):
                mend = AddStatement(
                    defect.module.filename, statement.span, code, f"{parts}({part})"
                )
                self.mends.add(defect.knot, mend)

    def _step(self, defect: KeyDefect, anchor: tree.Node) -> tree.Node | None:
        """The expression that `key += tenant_id` adds, in the function that the key is begun in."""
        place = self.program.names.place
        for piece in defect.template.pieces:
            if isinstance(piece, Filled) and piece.value is anchor:
                same = place(anchor).scope is place(defect.template.host).scope
                return piece.host if same else None
        return None

    # --- `"TENANT#{tenant_id}#X"` for a decorator ---

    def _brace_template(
        self, defect: KeyDefect, host: tree.Const, new: Sequence[Added], code: str
    ) -> None:
        """`"TENANT#{tenant_id}#X"` as a literal (a decorator's argument): the text itself changes."""
        literal = self.mends.source(defect.module, host.span)
        order = self.program.policy.scopes
        for one in new:
            at = order.index(one.scope)
            before = [s for s in order[:at] if "{" + s.parameter + "}" in literal]
            hole, between = f"{one.tag}{{{one.scope.parameter}}}", defect.mark(one.scope)
            if before:
                mark = "{" + before[-1].parameter + "}"
                literal = literal.replace(mark, f"{mark}{between}{hole}", 1)
            elif any(scope in defect.missing for scope in order[:at]) or not at:
                start = start_of(literal)
                literal = literal[:start] + f"{hole}{between}" + literal[start:]
            else:
                reason = f"`{order[at - 1].parameter}` is called otherwise in the text"
                self.mends.obstacle(defect.knot, host, reason)
                return
        constants = self.formats.constants
        self.state.groups.join(defect.knot, ("constant", id(host)))
        if not constants.becomes(host, literal):
            self.mends.obstacle(
                defect.knot, host, "the text would have to change in different ways"
            )
            return
        was = self.mends.source(defect.module, host.span)
        span, text = changed_part(host.span, was, literal)
        self.mends.add_once(defect.knot, Replace(defect.module.filename, span, code, text))


def _doubt(place: tree.Node, anchor: tree.Node | None) -> str:
    """Why a segment beside `anchor` would not come out between separators; empty where it does."""
    match place:
        case tree.Const(value=str() as text) if "{" in text or "}" in text or "\\" in text:
            return "the text has braces or escapes of its own"
        case tree.Call(func=tree.Attr(name="join", base=tree.Const(value=""))):
            return "the parts are joined by nothing"
        case tree.Binary(op="+") if anchor is not None:
            part = next((o for o in operands_of(place) if anchor.span in o.span), None)
            if part is not None and _goes_on(part):
                return "the scope before it is inside of a part of the sum"
    return ""


def _goes_on(part: tree.Node) -> bool:
    """Whether a formatted or joined part of a sum may go on behind its last value."""
    match part:
        case tree.Binary(op="%", left=tree.Const(value=str() as text)):
            return not text.endswith("s")
        case tree.Call(func=tree.Attr(name="format", base=tree.Const(value=str() as text))):
            return not text.endswith("}")
        case tree.Call():
            return last_name(part.func) in ("format", "format_map", "join")
        case _:
            return isinstance(part, tree.Binary)


def _is_named(call: tree.Call, anchor: tree.Node | None) -> bool:
    """Whether a call is given parts by name, or what is spread before the place of a new one."""
    holding = (n for n, a in enumerate(call.args) if anchor and anchor.span in a.value.span)
    before = call.args[: next(holding, -1) + 1]
    return any(a.keyword or a.star == "**" for a in call.args) or any(a.star for a in before)
