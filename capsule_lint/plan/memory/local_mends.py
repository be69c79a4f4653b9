"""Mends of local keys: dict keys, cache keys, filters, and the annotations of what is keyed."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import (
    AddArgument,
    AddCondition,
    AddElements,
    AddEntry,
    AddStatement,
    Mend,
    Replace,
)
from capsule_lint.plan.keys.segments import LocalPiece
from capsule_lint.plan.keys.spelled import Form, Forms
from capsule_lint.plan.keys.tags import tag_beside
from capsule_lint.plan.literals import plain_literal
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import KeyDefect
from capsule_lint.plan.testing.expected import typed_value
from capsule_lint.program.model import Module, last_name
from capsule_lint.program.texts.marks import PLAIN, beside_tag, is_plainly_marked, mark_behind
from capsule_lint.program.texts.pieces import Filled, Text, ends_with_tag, names_scope, word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.memory.local_notes import LocalDefect
    from capsule_lint.plan.mends import Mends
    from capsule_lint.policy import Scope


@dataclass(eq=False, slots=True)
class LocalMends(MendRoom):
    """Builds the mends of local keys."""

    mends: Mends
    _forms: dict[int, Form] = field(default_factory=dict)

    def key(self, defect: LocalDefect) -> None:
        """Put the scopes into a local key, or beside the condition of a filter."""
        if defect.shape == "made":
            return  # whoever makes it passes the argument
        if defect.shape == "named":
            self._named(defect)
            return
        filename, knot = defect.module.filename, defect.knot
        code = "CAP202" if defect.helper is not None else "CAP107"
        codes: dict[str, str] = {}
        for scope in self.mends.policy_order(defect.missing):
            if scope.name in defect.wants:
                in_text = defect.shape in ("text", "joined")
                make = self.mends.members.hole if in_text else self.mends.code_of
                found = make(defect.wants[scope.name], knot)
                if found is None:
                    return
                codes[scope.name] = found
            elif defect.shape == "text":
                codes[scope.name] = defect.detail[scope.name]
        match defect.shape:
            case "index":
                mend = Replace(filename, defect.node.span, code, defect.detail["index"])
                self.mends.add(knot, mend)
            case "rows":
                said = " and ".join(self._conditions(defect, codes))
                picked = f"[row for row in {defect.detail['rows']} if {said}]"
                self.mends.add(knot, Replace(filename, defect.node.span, code, picked))
            case "filter" | "beside":
                joined = "and" if _operator(defect) == "==" else "or"
                for said in self._conditions(defect, codes):
                    where = filename, defect.node.span
                    self.mends.add(knot, AddCondition(*where, code, said, joined))
            case "entry":
                self._new_entries(defect, codes)
            case "step":
                self._new_steps(defect, codes)
            case "joined":
                self._joined(defect, codes, code)
            case "text":
                self._local_text(defect, codes, code)
            case "call":
                self._arguments(defect, codes, code)
            case _:
                self._elements(defect, codes, code)

    def _conditions(self, defect: LocalDefect, codes: dict[str, str]) -> Iterator[str]:
        """The comparisons of what a row has with what is asked for."""
        for scope in self.mends.policy_order(defect.missing):
            yield f"{defect.detail[scope.name]} {_operator(defect)} {codes[scope.name]}"

    def _new_entries(self, defect: LocalDefect, codes: dict[str, str]) -> None:
        """A dict that stands for an item gets the other scope's entry beside the one that it has."""
        node, filename = defect.node, defect.module.filename
        for scope in self.mends.policy_order(defect.missing):
            key, anchor = defect.detail[scope.name], defect.anchors[scope.name]
            assert anchor is not None
            self.mends.expected.note(node, defect.knot, scope, key)
            assert isinstance(node, tree.DictDisplay | tree.Call)
            old = self.planner.loads.present(node, scope)
            code = self._stored(defect, old, scope, codes[scope.name])
            if typed_value(anchor) is not None and not code.startswith("{"):
                assert isinstance(anchor, tree.DictDisplay)
                code = f'{{"{tree.text(anchor.keys[0])}": {code}}}'
            mend: Mend
            before = old is not None and self.mends.policy_order([scope, old])[0] is scope
            if isinstance(node, tree.Call):
                at = next(n for n, a in enumerate(node.args) if a.value is anchor)
                at = at if before else at + 1
                mend = AddArgument(filename, node.span, "CAP301", code, key, at)
            else:
                name = f'"{key}"'
                mend = AddEntry(filename, node.span, "CAP301", name, code, anchor.span, before)
            self.mends.add(defect.knot, mend)

    def _new_steps(self, defect: LocalDefect, codes: dict[str, str]) -> None:
        """Beside `item["tenant_id"] = tenant_id` comes an assignment for the other scope."""
        node, module = defect.node, defect.module
        assert isinstance(node, tree.Subscript | tree.Attr | tree.Name)
        statement = self.program.names.place(node).statement
        assert isinstance(statement, tree.Assign)
        old = self._scope_of(node)
        grown = node.base if isinstance(node, tree.Subscript) else node
        for scope in self.mends.policy_order(defect.missing):
            self.mends.expected.note(grown, defect.knot, scope, defect.detail[scope.name])
            code = self._stored(defect, old, scope, codes[scope.name])
            line = f"{self._target(module, node, defect.detail[scope.name])} = {code}"
            before = self.mends.policy_order([scope, old])[0] is scope
            mend = AddStatement(module.filename, statement.span, "CAP301", line, before)
            self.mends.add(defect.knot, mend)

    def _target(
        self, module: Module, node: tree.Subscript | tree.Attr | tree.Name, key: str
    ) -> str:
        """What gets a value beside something else that does, annotated as that is."""
        if isinstance(node, tree.Name):
            statement = self.program.names.parent(node)
            said = statement.annotation if isinstance(statement, tree.Assign) else None
            return key if said is None else f"{key}: {self.mends.source(module, said.span)}"
        base = self.mends.source(module, node.base.span)
        return f"{base}.{key}" if isinstance(node, tree.Attr) else f'{base}["{key}"]'

    def _scope_of(self, node: tree.Subscript | tree.Attr | tree.Name) -> Scope:
        """Whose value an assignment gives an item."""
        key = tree.text(node.index) if isinstance(node, tree.Subscript) else last_name(node)
        key = key or ""
        return next(s for s in self.program.policy.scopes if names_scope(key, s))

    def _stored(self, defect: LocalDefect, old: Scope | None, scope: Scope, code: str) -> str:
        """The value of an entry as an item holds it, in the way in which its neighbour is written."""
        anchor, key = defect.anchors[scope.name], defect.detail[scope.name]
        assert anchor is not None
        if old is not None and not code.startswith("{"):
            written = self.planner.stored.written(code, anchor, old, scope)
            if written is None:
                self.mends.obstacle(defect.knot, anchor, f"no item holds `{key}` as it is")
            code = code if written is None else written
        code = self._wrapped(defect.module, anchor, scope, code)
        self.mends.import_type(defect.knot, defect.module, scope, code)
        return code

    def _wrapped(self, module: Module, anchor: tree.Node, scope: Scope, code: str) -> str:
        """`str(self.capsule_id)` beside `str(self.tenant_id)`, `_s(capsule_id)` beside
        `_s(note["tenant_id"])`."""
        if not isinstance(anchor, tree.Call | tree.DictDisplay):
            return code
        for other in self.program.policy.scopes:
            if other is not scope:
                renamed = self.mends.fields.renamed_value(module, anchor, other, scope)
                if re.search(rf"(?<![\w\"'.]){re.escape(code)}(?![\w\"'])", renamed):
                    return renamed
        inner = _argument_in(anchor)
        if inner is None:
            return code
        outer, said = (self.mends.source(module, node.span) for node in (anchor, inner))
        before, _, after = outer.rpartition(said)
        for other in self.program.policy.scopes:
            if other is not scope and other.type is not None and scope.type is not None:
                before = before.replace(f"{other.type.name}(", f"{scope.type.name}(")
        return f"{before}{code}{after}"

    def _local_text(self, defect: LocalDefect, codes: dict[str, str], code: str) -> None:
        pieces = [
            LocalPiece(scope, defect.anchors[scope.name], *self.marks(defect, scope), hole)
            for scope in self.mends.policy_order(defect.missing)
            if (hole := codes[scope.name])
        ]
        self.mends.segments.local(defect.knot, defect.node, pieces, code)

    def _named(self, defect: LocalDefect) -> None:
        """`"note:{tenant_id}:{note_id}"` names one more argument."""
        said = self.mends.source(defect.module, defect.node.span)
        hole = f"{{{defect.detail['hole']}}}"
        new = [defect.detail[scope.name] for scope in self.mends.policy_order(defect.missing)]
        code = said.replace(hole, "".join((hole, *new)))
        self.mends.add(
            defect.knot, Replace(defect.module.filename, defect.node.span, "CAP107", code)
        )

    def _joined(self, defect: LocalDefect, codes: dict[str, str], code: str) -> None:
        """A bare key becomes a text: `f"{tenant_id}:{capsule_id}"`."""
        node = defect.node
        if isinstance(node, tree.Call) and last_name(node.func) == "str" and len(node.args) == 1:
            node = node.args[0].value
        own = self.mends.source(defect.module, node.span)
        parts = {s.name: codes[s.name] for s in defect.missing}
        before = [c for n, c in parts.items() if defect.anchors[n] is None]
        after = [c for n, c in parts.items() if defect.anchors[n] is not None]
        said = ":".join(f"{{{one}}}" for one in (*before, own, *after))
        if re.search(r"[\\\n#{}]", "".join((own, *parts.values()))) or (
            '"' in said and "'" in said
        ):
            self.mends.obstacle(defect.knot, defect.node, "is a key that needs more than one part")
            return
        quote = "'" if '"' in said else '"'
        mend = Replace(defect.module.filename, defect.node.span, code, f"f{quote}{said}{quote}")
        self.mends.add(defect.knot, mend)

    def _arguments(self, defect: LocalDefect, codes: dict[str, str], code: str) -> None:
        """One more argument of a function that joins all that it is given."""
        assert isinstance(defect.node, tree.Call)
        values = [argument.value for argument in defect.node.args]
        for scope in self.mends.policy_order(defect.missing):
            anchor = defect.anchors[scope.name]
            at = tree.behind(values, anchor)
            filename, span = defect.module.filename, defect.node.span
            value = codes.get(scope.name) or self._detail(defect, scope)
            self.mends.add(defect.knot, AddArgument(filename, span, code, value, None, at))

    def marks(self, defect: LocalDefect, scope: Scope) -> tuple[str, str]:
        """What separates the parts of a local key that is a text, and the tag before the scope's."""
        template = self.program.templates.template(defect.node)
        assert template is not None
        for key in self.planner.defects:
            if key.template.text == template.text and scope in key.missing:
                return key.mark(scope), key.tag(scope)  # as the key of the table has it
        pieces, anchor = template.pieces, defect.anchors[scope.name]
        separator, tag = ":", self._tag_given(defect.node, anchor, scope)
        for number, piece in enumerate(pieces):
            if isinstance(piece, Filled) and (
                piece.value is anchor or (anchor is None and number <= 1)
            ):
                near = [
                    p.value for p in pieces[max(0, number - 1) : number + 2] if isinstance(p, Text)
                ]
                said = next(filter(None, map(PLAIN.search, reversed(near))), None)
                if said is not None:
                    separator = said[0]
                elif not is_plainly_marked(self.program.policy.scopes):
                    separator = mark_behind(pieces, number) or separator
                before = pieces[number - 1] if number else None
                for other in self.program.policy.scopes:
                    if isinstance(before, Text) and ends_with_tag(before.value, other.tag):
                        tag = tag_beside(scope, pieces, number, other)
                break
        apart = beside_tag(separator, tag) if anchor is not None else None
        return separator if apart is None else apart, tag

    def _tag_given(self, node: tree.Node, anchor: tree.Node | None, scope: Scope) -> str:
        """The tag of a scope in a call that joins what it is given, if it is given another one's before the anchor."""
        given = [argument.value for argument in node.args] if isinstance(node, tree.Call) else []
        before = tree.text(given[at - 2]) if (at := tree.behind(given, anchor)) > 1 else None
        words = {word_of(other.tag).casefold() for other in self.program.policy.scopes} - {""}
        return scope.tag if before is not None and before.casefold() in words else ""

    def text_forms(self) -> list[Form]:
        """How the local keys look that are texts."""
        program = self.program
        forms = Forms(program)
        for local in self.planner.local.notes.defects:
            template = program.templates.template(local.node) if local.shape == "text" else None
            if template is None or id(local.node) in self._forms:
                continue
            if id(local.node) in self.planner.local.hosts.hidden:
                continue
            anchors = dict(local.anchors)
            defect = KeyDefect(
                template, local.module, local.function, local.missing, anchors, local.knot
            )
            form = forms.local(defect, partial(self.marks, local))
            if form is not None:
                self._forms[id(local.node)] = form
        return list(self._forms.values())

    def _elements(self, defect: LocalDefect, codes: dict[str, str], code: str) -> None:
        by_anchor: dict[int, list[str]] = defaultdict(list)
        anchors: dict[int, tree.Node | None] = {}
        for scope in self.mends.policy_order(defect.missing):
            anchor = defect.anchors[scope.name]
            anchors[id(anchor)] = anchor
            by_anchor[id(anchor)].append(codes.get(scope.name) or self._detail(defect, scope))
        node = defect.node
        for key, new in by_anchor.items():
            anchor = anchors[key]
            if isinstance(node, tree.Sequence):
                at = anchor.span if anchor is not None else node.items[0].span
            else:
                at = node.span
            before, after = ((), tuple(new)) if anchor is not None else (tuple(new), ())
            self.mends.add(
                defect.knot,
                AddElements(defect.module.filename, node.span, code, before, after, at),
            )

    def _detail(self, defect: LocalDefect, scope: Scope) -> str:
        """What comes for a scope that is no value of its, a text in the quotes of that beside it."""
        code, anchor = defect.detail[scope.name], defect.anchors[scope.name]
        new = plain_literal(code)
        if new is None or not isinstance(anchor, tree.Const):
            return code
        beside = plain_literal(self.mends.source(defect.module, anchor.span))
        if beside is None or not beside.single or beside.quote in new.body:
            return code
        return f"{new.prefix}{beside.quote}{new.body}{beside.quote}"


def _operator(defect: LocalDefect) -> str:
    """How a row is compared with what is asked for: as the comparison beside does it."""
    node = defect.node
    return node.ops[0] if defect.shape == "filter" and isinstance(node, tree.Compare) else "=="


def _argument_in(node: tree.Node) -> tree.Node | None:
    """`x` of `str(x)`, `_s(str(x))` and `{"S": str(x)}`; `None` for anything else."""
    match node:
        case tree.Call(func=tree.Name(), args=(only,)) if not only.star:
            return _argument_in(only.value) or only.value
        case tree.DictDisplay(values=(value,)):
            return _argument_in(value) or value
        case _:
            return None
