"""The decided plan to mends: what exactly changes at which span."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import (
    AddArgument,
    AddCondition,
    AddElements,
    AddEntry,
    AddImport,
    AddParameter,
    AddStatement,
    Mend,
    ParameterKind,
    Position,
    Replace,
    Span,
)
from capsule_lint.plan.code import AddedEntry, added_entry, rename, text_of
from capsule_lint.plan.imports import Imports, Refused
from capsule_lint.plan.lookins import LookIns
from capsule_lint.plan.patterns import code_of
from capsule_lint.plan.rebuilds import update_of
from capsule_lint.plan.recorded import Recorded
from capsule_lint.plan.segments import SEPARATORS, LocalPiece, Segments
from capsule_lint.plan.sources import enclosing, inline
from capsule_lint.plan.state import Knot, Obstacle, Value, Want
from capsule_lint.plan.testing import Testing
from capsule_lint.program.model import Class, Function, Module, last_name
from capsule_lint.program.templates import Filled, Text, ends_with_tag, names_scope
from capsule_lint.program.types import Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.plan.local import LocalDefect
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.readers import Unfit
    from capsule_lint.plan.standins import Double
    from capsule_lint.policy import Reference, Scope
    from capsule_lint.program.model import Place, Store

_NOWHERE: Final = Span(Position(1, 1), Position(1, 1))
_PLAIN_ANNOTATIONS: Final = frozenset(("str", "int", "UUID", "uuid.UUID"))


@dataclass(eq=False)
class Mends:
    """Builds the mends of a settled plan, each with the knot whose change set it belongs to."""

    planner: Planner
    read: Callable[[str], str]
    """The text of a file of the program."""
    found: list[tuple[Knot, Mend]] = field(default_factory=list)
    _bound: dict[tuple[Function, str], list[tuple[Want, Value]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    imports: Imports = field(init=False)
    _starts: dict[str, list[int]] = field(default_factory=dict)
    _values: dict[int, Value | None] = field(default_factory=dict)
    testing: Testing = field(init=False)
    segments: Segments = field(init=False)

    def __post_init__(self) -> None:
        self.testing = Testing(self)
        self.segments = Segments(self)
        self.imports = Imports(self.planner.program)

    def build(self) -> None:
        """Fill `found`."""
        self._collect_bound()
        for defect in self.planner.defects:
            self.segments.key(defect)
        self.segments.formats.uses()
        for local in self.planner.local.defects:
            self._local(local)
        self._local_annotations()
        for function, scopes in self.planner.state.params.items():
            self._parameters(function, list(scopes.values()))
        for double in self.planner.doubles.values():
            self._double(double)
        for cls, scopes in self.planner.state.fields.items():
            self._fields(cls, list(scopes.values()))
        for function, knot in self.planner.state.handler_params.items():
            self._handler_parameter(function, knot)
        by_call: dict[int, list[Want]] = defaultdict(list)
        for want in self.planner.state.wants:
            if want.purpose == "argument":
                by_call[id(want.call)].append(want)
            elif want.purpose == "rebuild":
                self._rebuild(want)
        for wants in by_call.values():
            self._arguments(wants)
        self._entries()
        self._readers()
        self._fields_by_position()
        Recorded(self).build()
        LookIns(self).build()
        self.testing.keys()
        for (function, parameter), uses in self._bound.items():
            self._bind(function, parameter, uses)

    # --- helpers ---

    def add(self, knot: Knot, mend: Mend) -> None:
        """One more mend."""
        self.found.append((knot, mend))

    def module_of(self, node: tree.Node) -> Module:
        """The file that an expression stands in."""
        return self.planner.program.names.place(node).scope.module

    def policy_order(self, scopes: Sequence[Scope]) -> list[Scope]:
        """Scopes in the order in which policy lists them."""
        return sorted(scopes, key=self.planner.program.policy.scopes.index)

    def source(self, module: Module, span: Span) -> str:
        """The text of a file between two places."""
        text = self.read(module.filename)
        starts = self._starts.get(module.filename)
        if starts is None:
            starts = self._starts[module.filename] = [
                0,
                *(m.end() for m in re.finditer(r"\r\n|\r|\n", text)),
            ]
        first = starts[span.start.row - 1] + span.start.column - 1
        return text[first : starts[span.end.row - 1] + span.end.column - 1]

    def _value(self, want: Want) -> Value | None:
        if id(want) not in self._values:
            self._values[id(want)] = self.planner.value(want)
        return self._values[id(want)]

    def code_of(self, want: Want, knot: Knot) -> str | None:
        """The code that yields a want's value, with what it needs imported; `None` if there is none."""
        value = self._value(want)
        if value is None:
            return None
        module = self.module_of(want.node)
        if (
            value.bind
            and value.root is not None
            and (value.root, want.scope.parameter) in self._bound
        ):
            return want.scope.parameter
        for name in value.imports:
            self.import_(knot, module, *name)
        if value.kind == "test":
            self.testing.helper(want.scope, knot)
        return value.code

    def _collect_bound(self) -> None:
        """Values that are taken once per function: those of calls that are needed twice, or long ones."""
        found: dict[tuple[Function, str], list[tuple[Want, Value]]] = defaultdict(list)
        every = [w for d in self.planner.defects for w in d.wants.values()]
        every += [w for d in self.planner.local.defects for w in d.wants.values()]
        every += [w for w in self.planner.state.wants if w.purpose in ("argument", "rebuild")]
        for want in every:
            value = self._value(want)
            if value is not None and value.bind and value.root is not None:
                found[value.root, want.scope.parameter].append((want, value))
        for key, uses in found.items():
            if len(uses) > 1 or not inline(uses[0][1]) or self._repeats(uses[0][0]):
                self._bound[key] = uses
                for want, _ in uses[1:]:  # they share the statement
                    self.planner.state.groups.join(uses[0][0].knot, want.knot)

    def _repeats(self, want: Want) -> bool:
        place = self.planner.program.names.place(want.node)
        return place.scope.kind in ("lambda", "comprehension") or any(
            loops for _, _, loops in place.blocks
        )

    def _bind(self, function: Function, parameter: str, uses: list[tuple[Want, Value]]) -> None:
        """`capsule_id = extract_capsule_from_context(request)` before the first statement that needs it."""
        first = self._first_statement(function, [want for want, _ in uses])
        want, value = uses[0]
        for name in value.imports:
            self.import_(want.knot, function.module, *name)
        statement = f"{parameter} = {value.code}"
        self.add(
            want.knot,
            AddStatement(function.module.filename, first.span, "CAP501", statement, before=True),
        )

    def _first_statement(self, function: Function, wants: list[Want]) -> tree.Statement:
        spans = [want.node.span for want in wants]
        for statement in function.fact.body:
            if any(span in statement.span for span in spans):
                return statement
        return function.fact.body[0]

    # --- imports ---

    def import_(
        self, knot: Knot, module: Module, source: str, name: str, *, annotation: bool = False
    ) -> None:
        """Have a name imported into a module, unless it is there."""
        needed = self.imports.find(module, source, name, annotation=annotation)
        if isinstance(needed, Refused):
            at = Span(Position(1, 1), Position(1, 1))
            obstacle = Obstacle(module.filename, at, needed.reason, module.name, "reference")
            self.planner.state.obstacles.append((knot, obstacle))
        elif needed is not None:
            mend = AddImport(
                module.filename, _NOWHERE, "CAP401", needed.written, name, needed.typing
            )
            self.add(knot, mend)

    def annotation(
        self, knot: Knot, module: Module, scope: Scope, neighbour: tree.Node | None
    ) -> str | None:
        """How the new parameter or field is annotated, beside a neighbour's annotation."""
        if scope.type is not None:
            if scope.type.module == "builtins":
                return scope.type.name
            return self._type(knot, module, scope.type, neighbour)
        if neighbour is not None:
            text = text_of(neighbour)
            if text in _PLAIN_ANNOTATIONS:
                return text
            return "str"
        return None

    def _type(
        self, knot: Knot, module: Module, reference: Reference, neighbour: tree.Node | None
    ) -> str:
        if isinstance(neighbour, tree.Attr):
            base = text_of(neighbour.base)
            for one in self.planner.program.inference.of(neighbour.base):
                if (
                    getattr(getattr(one, "module", None), "name", None) == reference.module
                    and base
                ):
                    return f"{base}.{reference.name}"
        self.import_(knot, module, reference.module, reference.name, annotation=True)
        return reference.name

    def obstacle(self, knot: Knot, node: tree.Node, reason: str) -> None:
        """A place that the plan cannot settle: its change set is unsafe."""
        module = self.module_of(node)
        match knot:
            case (_, Function() | Class() as changed):
                symbol = changed.symbol
            case _:
                function = self.planner.program.names.place(node).scope.function
                symbol = function.symbol if function is not None else module.name
        self.planner.state.obstacles.append(
            (knot, Obstacle(module.filename, node.span, reason, symbol, "reference"))
        )

    # --- local keys ---

    def _local(self, defect: LocalDefect) -> None:
        filename, knot = defect.module.filename, defect.knot
        code = "CAP202" if defect.helper is not None else "CAP107"
        codes: dict[str, str] = {}
        for scope in self.policy_order(defect.missing):
            if scope.name in defect.wants:
                found = self.code_of(defect.wants[scope.name], knot)
                if found is None:
                    return
                codes[scope.name] = found
        if defect.shape == "index":
            self.add(knot, Replace(filename, defect.node.span, code, defect.detail["index"]))
        elif defect.shape == "filter":
            assert isinstance(defect.node, tree.Compare)
            operator = defect.node.ops[0]
            for scope in self.policy_order(defect.missing):
                condition = f"{defect.detail[scope.name]} {operator} {codes[scope.name]}"
                self.add(
                    knot,
                    AddCondition(
                        filename,
                        defect.node.span,
                        code,
                        condition,
                        "and" if operator == "==" else "or",
                    ),
                )
        elif defect.shape == "entry":
            self._new_entries(defect, codes)
        elif defect.shape == "text":
            self._local_text(defect, codes, code)
        else:
            self._elements(defect, codes, code)

    def _new_entries(self, defect: LocalDefect, codes: dict[str, str]) -> None:
        """A dict that stands for an item gets the other scope's entry beside the one that it has."""
        node, filename = defect.node, defect.module.filename
        for scope in self.policy_order(defect.missing):
            key, anchor = defect.detail[scope.name], defect.anchors[scope.name]
            assert anchor is not None
            mend: Mend
            if isinstance(node, tree.Call):
                at = next(n for n, a in enumerate(node.args) if a.value is anchor)
                mend = AddArgument(filename, node.span, "CAP301", codes[scope.name], key, at + 1)
            else:
                name, code = f'"{key}"', codes[scope.name]
                mend = AddEntry(filename, node.span, "CAP301", name, code, anchor.span)
            self.add(defect.knot, mend)

    def _local_annotations(self) -> None:
        """`dict[tuple[TenantId, OrderId], Order]` says what the keys of a collection have become."""
        for (owner, name), change in self.planner.local.rekeyed.items():
            index, scopes, width = change.index, change.scopes, change.width
            for annotation in _annotations_of(owner, name) if width else ():
                key = _key_annotation(annotation)
                if key is None:
                    continue
                knot = self.planner.local.knot_of(owner, annotation)
                module = self.module_of(annotation)
                said = [self.annotation(knot, module, s, key) for s in self.policy_order(scopes)]
                if None in said:
                    continue
                types = tuple(one for one in said if one is not None)
                filename, parts = module.filename, _tuple_annotation(key)
                if parts is not None and len(parts.items) == width:
                    at = parts.items[index - 1] if index else parts.items[0]
                    before, after = ((), types) if index else (types, ())
                    mend = AddElements(filename, parts.span, "CAP107", before, after, at.span)
                    self.add(knot, mend)
                elif parts is None and width == 1:
                    own = self.source(module, key.span)
                    listed = [own, *types] if index else [*types, own]
                    text = f"tuple[{', '.join(listed)}]"
                    self.add(knot, Replace(filename, key.span, "CAP107", text))

    def _local_text(self, defect: LocalDefect, codes: dict[str, str], code: str) -> None:
        pieces = [
            LocalPiece(scope, defect.anchors[scope.name], *self.local_marks(defect, scope), hole)
            for scope in self.policy_order(defect.missing)
            if (hole := codes[scope.name])
        ]
        self.segments.local(defect.knot, defect.node, pieces, code)

    def local_marks(self, defect: LocalDefect, scope: Scope) -> tuple[str, str]:
        """What separates the parts of a local key that is a text, and the tag before the scope's."""
        template = self.planner.program.templates.template(defect.node)
        assert template is not None
        pieces, anchor = template.pieces, defect.anchors[scope.name]
        separator, tag = ":", ""
        for number, piece in enumerate(pieces):
            if isinstance(piece, Filled) and (
                piece.value is anchor or (anchor is None and number <= 1)
            ):
                near = [
                    p.value for p in pieces[max(0, number - 1) : number + 2] if isinstance(p, Text)
                ]
                found = re.findall(rf"[{SEPARATORS}]", "".join(reversed(near)))
                separator = found[0] if found else separator
                before = pieces[number - 1] if number else None
                if isinstance(before, Text) and any(
                    ends_with_tag(before.value, s.tag) for s in self.planner.program.policy.scopes
                ):
                    tag = scope.tag
                break
        return separator, tag

    def _elements(self, defect: LocalDefect, codes: dict[str, str], code: str) -> None:
        by_anchor: dict[int, list[str]] = defaultdict(list)
        anchors: dict[int, tree.Node | None] = {}
        for scope in self.policy_order(defect.missing):
            anchor = defect.anchors[scope.name]
            anchors[id(anchor)] = anchor
            by_anchor[id(anchor)].append(codes.get(scope.name) or defect.detail[scope.name])
        node = defect.node
        for key, new in by_anchor.items():
            anchor = anchors[key]
            if isinstance(node, tree.Sequence):
                at = anchor.span if anchor is not None else node.items[0].span
            else:
                at = node.span
            before, after = ((), tuple(new)) if anchor is not None else (tuple(new), ())
            self.add(
                defect.knot,
                AddElements(defect.module.filename, node.span, code, before, after, at),
            )

    # --- positional readers ---

    def _fields_by_position(self) -> None:
        """`tenant, vin = truck` and `truck[1]`, where the class of `truck` gets a field."""
        for reader in self.planner.tuples.found:
            filename, knot = self.module_of(reader.node).filename, ("class", reader.layout.home)
            if reader.number is not None:
                text = str(reader.number)
                self.add(knot, Replace(filename, reader.node.span, "CAP301", text))
            elif reader.anchor is not None:
                names = tuple(reader.name or f"_{s.parameter}" for s in reader.scopes)
                before, after = (names, ()) if reader.before else ((), names)
                anchor = reader.anchor.span
                mend = AddElements(filename, reader.node.span, "CAP301", before, after, anchor)
                self.add(knot, mend)
        for node, layout in self.planner.tuples.unsure:
            reason = f"takes the fields of `{layout.cls.name}` by position"
            self.obstacle(("class", layout.home), node, reason)

    def _readers(self) -> None:
        for reader in self.planner.readers.found:
            filename, span = reader.module.filename, reader.node.span
            if reader.number is not None:
                self.add(reader.knot, Replace(filename, span, "CAP108", str(reader.number)))
            elif isinstance(reader.node, tree.Sequence):
                names = tuple(
                    n
                    for s in reader.shift.scopes
                    for n in (*["_"] * s.tag.count("#"), s.parameter)
                )
                anchor = reader.node.items[reader.shift.start - 1].span
                self.add(reader.knot, AddElements(filename, span, "CAP108", (), names, anchor))
        for broken in self.planner.readers.broken:
            self._broken(broken)
        for node, knot in self.planner.readers.unsure:
            self.obstacle(
                knot, node, "takes a key apart by position, and keys change in different ways"
            )

    def _broken(self, broken: Unfit) -> None:
        """A regular expression gets the segment; whatever else does not fit needs a person."""
        text = broken.text
        if broken.module.is_test and isinstance(broken.node, tree.Const) and broken.gaps:
            text = self._beginning(broken)
        code = None
        if text is not None:
            literal = self.source(broken.module, broken.node.span)
            code = code_of(literal, broken.old, text)
        if code is None:
            self.obstacle(broken.knot, broken.node, "does not recognise the keys as they will be")
            return
        filename = broken.module.filename
        self.add(broken.knot, Replace(filename, broken.node.span, "CAP108", code))

    def _beginning(self, broken: Unfit) -> str | None:
        """The beginning of a key in a test, with the values that the test uses."""
        text = broken.old
        for gap in reversed(broken.gaps):
            want = Want(gap.scope, broken.node, broken.knot, "key")
            value = self.planner.sources.find(gap.scope, broken.node)
            known = self.testing.known(value, want) if value is not None else None
            if known is None:
                return None
            segment = f"{gap.scope.tag}{known}"
            head, tail = text[: gap.at], text[gap.at :]
            text = f"{head}{tail[0]}{segment}{tail}" if gap.at else f"{segment}#{tail}"
        return text

    # --- signatures ---

    def final_params(self, function: Function) -> list[tuple[str, str, bool]]:
        """Name, kind and novelty of each parameter after the change, in order."""
        found = [(p.name, p.kind, False) for p in function.params]
        for scope in self.policy_order(
            list(self.planner.state.params.get(function, {}).values())
        ):
            at, kind = self._where(function, scope, found)
            found.insert(at, (scope.parameter, kind, True))
        return found

    def _where(
        self, function: Function, scope: Scope, params: list[tuple[str, str, bool]]
    ) -> tuple[int, str]:
        order = self.planner.program.policy.scopes
        at = order.index(scope)
        for other in reversed(order[:at]):
            found = self._index_of(function, other, params)
            if found is not None:
                return self._before_defaults(function, params, found + 1, params[found][1])
        for other in order[at + 1 :]:
            found = self._index_of(function, other, params)
            if found is not None:
                return self._before_defaults(function, params, found, params[found][1])
        front = 1 if function.takes_self else 0
        kind = "posonly" if front < len(params) and params[front][1] == "posonly" else "plain"
        return front, kind

    def _index_of(
        self, function: Function, scope: Scope, params: list[tuple[str, str, bool]]
    ) -> int | None:
        own = self.planner.program.domain.scope_parameter(function, scope)
        for number, (name, kind, new) in enumerate(params):
            if kind in ("*", "**"):
                continue
            if (new and name == scope.parameter) or (
                own is not None and not new and name == own.name
            ):
                return number
        return None

    def _before_defaults(
        self, function: Function, params: list[tuple[str, str, bool]], at: int, kind: str
    ) -> tuple[int, str]:
        """A parameter without a default cannot follow one with a default, unless it is keyword-only."""
        if kind == "kwonly":
            return at, kind
        for number, (name, its_kind, new) in enumerate(params[:at]):
            fact = function.parameter(name)
            if (
                not new
                and fact is not None
                and fact.default is not None
                and its_kind in ("plain", "posonly")
            ):
                return number, its_kind
        return at, kind

    def _parameters(self, function: Function, scopes: list[Scope]) -> None:
        knot: Knot = ("function", function)
        final = self.final_params(function)
        code = self._parameter_code(function)
        for name, kind, new in final:
            if not new:
                continue
            scope = next(s for s in scopes if s.parameter == name)
            listed = [(n, k, fresh) for n, k, fresh in final if k == kind]
            position = next(i for i, entry in enumerate(listed) if entry[0] == name)
            index = sum(1 for _, _, fresh in listed[:position] if not fresh)
            annotation = self._parameter_annotation(function, scope, knot)
            self.add(
                knot,
                AddParameter(
                    function.module.filename,
                    tree.span_of(function.fact.name_at),
                    code,
                    name,
                    annotation,
                    _KINDS[kind],
                    index,
                ),
            )

    def _double(self, double: Double) -> None:
        """What comes in a function's place gets the parameters where the function gets them."""
        filename = double.module.filename
        final = self.final_params(double.function)[double.given :]
        for number, (name, kind, new) in enumerate(final):
            if new:
                before = final[:number]
                index = sum(1 for _, k, fresh in before if k == kind and not fresh)
                mend = AddParameter(filename, double.at, "CAP401", name, None, _KINDS[kind], index)
                self.add(("function", double.function), mend)

    def _parameter_annotation(self, function: Function, scope: Scope, knot: Knot) -> str | None:
        own = function.own_params
        neighbours = [
            p
            for s in self.planner.program.policy.scopes
            if (p := self.planner.program.domain.scope_parameter(function, s)) is not None
        ]
        neighbour = neighbours[0].annotation if neighbours else None
        typed = (
            neighbour is not None
            if neighbours
            else (any(p.annotation is not None for p in own) or function.fact.returns is not None)
        )
        if not typed:
            return None
        said = self.annotation(knot, function.module, scope, neighbour)
        return said or ("str" if self._scopes_are_text else None)

    @cached_property
    def _scopes_are_text(self) -> bool:
        """Whether the program says somewhere that the value of a scope is a `str`."""
        return any(
            text_of(parameter.annotation) == "str"
            for module in self.planner.program.names.modules.values()
            for function in module.functions
            for parameter in function.params
            if parameter.annotation is not None
            and any(names_scope(parameter.name, s) for s in self.planner.program.policy.scopes)
        )

    def _parameter_code(self, function: Function) -> str:
        if function in self.planner.program.keys.helpers:
            return "CAP202"
        if function in self.planner.drifting:
            return "CAP203"
        if function in self.planner.methods:
            return "CAP201"
        return "CAP301" if function.name == "__init__" else "CAP401"

    def _handler_parameter(self, function: Function, knot: Knot) -> None:
        parameter = self.planner.program.policy.handlers.parameter
        assert parameter is not None
        annotation = None
        if parameter.annotation is not None:
            annotation = parameter.annotation.name
            self.import_(
                knot, function.module, parameter.annotation.module, parameter.annotation.name
            )
        at = tree.span_of(function.fact.name_at)
        index = 1 if function.takes_self else 0
        self.add(
            knot,
            AddParameter(
                function.module.filename,
                at,
                "CAP501",
                parameter.name,
                annotation,
                ParameterKind.PLAIN,
                index,
            ),
        )

    # --- calls ---

    def _arguments(self, wants: list[Want]) -> None:
        call = wants[0].call
        assert call is not None
        wants = sorted(wants, key=lambda w: self.planner.program.policy.scopes.index(w.scope))
        for want in wants:
            if not self.planner.takes(call, want.scope):
                reason = f"this also calls what does not take `{want.scope.parameter}`"
                self.obstacle(want.knot, call, reason)
                continue
            value = self._value(want)
            if value is not None and value.kind == "spread":
                continue
            code = self.code_of(want, want.knot)
            if code is None:
                continue
            where = self._argument_place(call, want)
            if where is None:
                self.obstacle(
                    want.knot,
                    call,
                    f"`{want.scope.parameter}` cannot be placed among the arguments",
                )
                continue
            if not where:
                continue
            keyword, index = where
            if keyword == want.scope.parameter:
                keyword = self._spelled(want, [a.keyword for a in call.args if a.keyword])
                if any(a.keyword == keyword for a in call.args):
                    continue
            self.add(
                want.knot,
                AddArgument(
                    self.module_of(call).filename, call.span, "CAP401", code, keyword, index
                ),
            )

    def _spelled(self, want: Want, beside: Sequence[str]) -> str:
        """The keyword for a scope among others: an alias (`tenantId=`) beside aliases."""
        cls, classes = want.callee, self.planner.program.classes
        if isinstance(cls, Class) and classes.is_typed_dict(cls):
            for home in classes.mro(cls):
                key = self.planner.state.attributes.get((home, want.scope.parameter))
                if key is not None:
                    return key
        if isinstance(cls, Class) and (aliases := classes.aliases(cls)):
            for other in self.planner.program.policy.scopes:
                for name in beside if other is not want.scope else ():
                    if name in aliases.values() and names_scope(name, other):
                        return rename(name, other, want.scope)
        return want.scope.parameter

    def _rebuild(self, want: Want) -> None:
        """`replace(doc, tenant_id=…)` and `model_copy(update={…})` name the other scope as well."""
        call, name = want.call, want.scope.parameter
        assert call is not None
        value = self._value(want)
        if value is not None and value.kind == "spread":
            return
        update = update_of(call)
        if update is not None:
            placed = self._spread_entry(update, want)
        else:
            code = self.code_of(want, want.knot)
            placed = code is not None
            index = self._keyword_index(call.args, want)
            filename = self.module_of(call).filename
            if code is not None:
                self.add(want.knot, AddArgument(filename, call.span, "CAP401", code, name, index))
        if not placed:
            self.obstacle(want.knot, call, f"`{name}` cannot be placed in this copy")

    def _signature(self, want: Want) -> list[tuple[str, str, bool]]:
        """The callee's parameters after the change, without those that are given."""
        callee = want.callee
        if isinstance(callee, Function):
            if callee not in self.planner.state.params:
                names = {
                    s.parameter
                    for _, _, scopes in self.planner.partial_calls.values()
                    for s in scopes
                }
                own = self.planner.partial_calls.get(id(want.call))
                fresh = {s.parameter for s in own[2]} if own else names
                return [(p.name, p.kind, p.name in fresh) for p in callee.params][want.given :]
            return self.final_params(callee)[want.given :]
        assert callee is not None
        params = self.planner.program.classes.constructor(callee) or ()
        own = self.planner.partial_calls.get(id(want.call))
        fresh = {s.parameter for s in own[2]} if own else set()
        found = [(p.name, p.kind, p.name in fresh) for p in params]
        for cls in self.planner.program.classes.mro(callee):
            for scope in self.policy_order(list(self.planner.state.fields.get(cls, {}).values())):
                if any(name == scope.parameter for name, _, _ in found):
                    continue
                found.insert(*self._field_place(cls, scope, found, params))
        return found

    def _field_place(
        self,
        cls: Class,
        scope: Scope,
        found: list[tuple[str, str, bool]],
        params: Sequence[tree.Parameter],
    ) -> tuple[int, tuple[str, str, bool]]:
        order = self.planner.program.policy.scopes
        kind = params[0].kind if params else "plain"
        at = order.index(scope)
        for other, step in [
            *((o, 1) for o in reversed(order[:at])),
            *((o, 0) for o in order[at + 1 :]),
        ]:
            for number, (name, _, _) in enumerate(found):
                if names_scope(name, other) and (name == other.parameter or step):
                    return number + step, (scope.parameter, kind, True)
        return 0, (scope.parameter, kind, True)

    def _argument_place(
        self, call: tree.Call, want: Want
    ) -> tuple[str | None, int] | tuple[()] | None:
        """Keyword (or `None`) and index of the new argument; `()` when `**` passes it on; `None` when unsure."""
        name = want.scope.parameter
        signature = self._signature(want)
        entry = next((e for e in signature if e[0] == name), None)
        if entry is None:
            takes = any(kind == "**" for _, kind, _ in signature)
            return (name, self._keyword_index(call.args, want)) if takes else None
        args = call.args[want.offset :]
        if any(a.keyword == name for a in args):
            return ()
        positional = [n for n, a in enumerate(args) if a.keyword is None and a.star != "**"]
        stars = [n for n in positional if args[n].star]
        count = len(positional)
        plain = [e for e in signature if e[1] in ("posonly", "plain")]
        old_before = (
            sum(1 for e in plain[: plain.index(entry)] if not e[2]) if entry in plain else 0
        )
        neighbour = self._neighbour_argument(args, want, signature)
        if any(a.star == "**" for a in args) and neighbour is None and old_before >= count:
            return self._spread(call, args, want)
        if entry[1] == "kwonly":
            return name, self._keyword_index(args, want) + want.offset
        if (
            stars
            and neighbour is None
            and self._starred(args[stars[0]], want, old_before - stars[0])
        ):
            return ()
        if stars and (neighbour is None or stars[0] < old_before):
            return (
                None
                if neighbour is None or args[neighbour].keyword is None
                else (name, neighbour + 1 + want.offset)
            )
        if old_before < count or (
            old_before == count and (count > 0 or not any(a.keyword for a in args))
        ):
            if want.offset and last_name(call.func) == "partial" and old_before > count:
                return None
            at = (
                positional[old_before]
                if old_before < count
                else (positional[-1] + 1 if positional else 0)
            )
            return None, at + want.offset
        if want.offset and last_name(call.func) == "partial":
            return None
        if entry[1] == "posonly":
            return None
        return name, self._keyword_index(args, want) + want.offset

    def _starred(self, argument: tree.Argument, want: Want, index: int) -> bool:
        """`get(*key)`, where `key` is a local tuple that is used for nothing else."""
        display = argument.value
        if isinstance(display, tree.Name):
            place = self.planner.program.names.place(display)
            bindings = self.planner.program.names.bindings(display.id, place)
            uses = [
                n
                for n in place.scope.module.nodes
                if isinstance(n, tree.Name)
                and n.id == display.id
                and self.planner.program.names.place(n).scope is place.scope
            ]
            if len(bindings) != 1 or len(uses) != 2 or bindings[0].value is None:
                return False
            display = bindings[0].value
        if not isinstance(display, tree.Sequence) or not 0 <= index <= len(display.items):
            return False
        code = self.code_of(want, want.knot)
        if code is None:
            return False
        before, after = ((), (code,)) if index else ((code,), ())
        at = display.items[max(index - 1, 0)].span
        filename = self.module_of(display).filename
        mend = AddElements(filename, display.span, "CAP401", before, after, at)
        return self._once(want, mend)

    def _neighbour_argument(
        self, args: Sequence[tree.Argument], want: Want, signature: list[tuple[str, str, bool]]
    ) -> int | None:
        """Where the call passes the neighbouring scope's value."""
        others = [s for s in self.planner.program.policy.scopes if s is not want.scope]
        for number, argument in enumerate(args):
            if argument.keyword is not None and any(
                names_scope(argument.keyword, s) for s in others
            ):
                return number
        plain = [e for e in signature if e[1] in ("posonly", "plain") and not e[2]]
        for number, argument in enumerate(args):
            if (
                argument.keyword is None
                and not argument.star
                and number < len(plain)
                and any(names_scope(plain[number][0], s) for s in others)
            ):
                return number
        return None

    def _keyword_index(self, args: Sequence[tree.Argument], want: Want) -> int:
        order = self.planner.program.policy.scopes
        at = order.index(want.scope)
        for other in reversed(order[:at]):
            for number, argument in enumerate(args):
                if argument.keyword is not None and names_scope(argument.keyword, other):
                    return number + 1
        for other in order[at + 1 :]:
            for number, argument in enumerate(args):
                if argument.keyword is not None and names_scope(argument.keyword, other):
                    return number
        return sum(1 for a in args if a.keyword is None and a.star != "**")

    def _spread(
        self, call: tree.Call, args: Sequence[tree.Argument], want: Want
    ) -> tuple[()] | None:
        """`C(**fields)`: the dict that is spread gets the entry, where it is written out nearby."""
        for argument in args:
            if argument.star != "**":
                continue
            if self._spread_entry(argument.value, want):
                return ()
        return None

    def _spread_entry(self, node: tree.Node, want: Want) -> bool:
        """Give a dict that is written out nearby the entry beside that of another scope."""
        match node:
            case tree.Name():
                return self._spread_name(node, want)
            case tree.Binary(op="|"):
                return self._spread_entry(node.left, want) or self._spread_entry(node.right, want)
            case tree.DictDisplay():
                return self._spread_display(node, want)
            case tree.Call(func=tree.Name(id="dict")):
                return self._spread_call(node, want)
        return False

    def _spread_call(self, node: tree.Call, want: Want) -> bool:
        filename, code = self.module_of(node).filename, self.code_of(want, want.knot)
        for number, argument in enumerate(node.args if code is not None else ()):
            if argument.keyword and self._is_other_scope(argument.keyword, want.scope):
                name = self._spelled(want, (argument.keyword,))
                mend = AddArgument(filename, node.span, "CAP401", code or "", name, number + 1)
                return self._once(want, mend)
        return False

    def _spread_display(self, node: tree.DictDisplay, want: Want) -> bool:
        filename = self.module_of(node).filename
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                if self._spread_entry(value, want):
                    return True
            elif self._names_other(key, want.scope):
                code = self.code_of(want, want.knot)
                if code is None:
                    return False
                said = key.value if isinstance(key, tree.Const) else None
                name = self._spelled(want, (str(said),))
                mend = AddEntry(filename, node.span, "CAP401", f'"{name}"', code, value.span)
                return self._once(want, mend)
        return False

    def _spread_name(self, node: tree.Name, want: Want) -> bool:
        """A local dict: its display, or the statement that sets another scope's key."""
        place = self.planner.program.names.place(node)
        for statement, at in place.scope.module.statements:
            if at.scope is not place.scope or at.order >= place.order:
                continue
            line = self._key_set(statement, node.id, want.scope)
            code = self.code_of(want, want.knot) if line is not None else None
            if line is not None and code is not None:
                filename, text = self.module_of(node).filename, line.format(code)
                return self._once(want, AddStatement(filename, statement.span, "CAP401", text))
        bindings = self.planner.program.names.bindings(node.id, place)
        value = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assign" else None
        return value is not None and self._spread_entry(value, want)

    def _key_set(self, statement: tree.Statement, name: str, scope: Scope) -> str | None:
        """`kw.setdefault("tenant_id", …)` and `kw["tenant_id"] = …`, as the line for another scope."""
        match statement:
            case tree.Eval(
                values=(
                    tree.Call(func=tree.Attr(base=tree.Name() as base, name="setdefault")) as call,
                )
            ) if base.id == name and len(call.args) == 2:
                if self._names_other(call.args[0].value, scope):
                    return f'{name}.setdefault("{scope.parameter}", {{}})'
            case tree.Assign(targets=(tree.Subscript(base=tree.Name() as base) as target,)):
                if base.id == name and self._names_other(target.index, scope):
                    return f'{name}["{scope.parameter}"] = {{}}'
        return None

    def _names_other(self, key: tree.Node, scope: Scope) -> bool:
        text = key.value if isinstance(key, tree.Const) else None
        return isinstance(text, str) and self._is_other_scope(text, scope)

    def _once(self, want: Want, mend: Mend) -> bool:
        """Add a mend that several calls may ask for."""
        if not any(m == mend for _, m in self.found):
            self.add(want.knot, mend)
        return True

    def _is_other_scope(self, name: str, scope: Scope) -> bool:
        return any(
            s is not scope and names_scope(name, s) for s in self.planner.program.policy.scopes
        )

    # --- fields ---

    def _fields(self, cls: Class, scopes: list[Scope]) -> None:
        initializer = cls.methods.get("__init__")
        for scope in self.policy_order(scopes):
            if initializer is not None:
                self._store(cls, initializer, scope)
            else:
                self._field(cls, scope)
            self._slot(cls, scope)

    def _near_scopes(self, scope: Scope) -> list[tuple[Scope, bool]]:
        order = self.planner.program.policy.scopes
        at = order.index(scope)
        return [*((s, False) for s in reversed(order[:at])), *((s, True) for s in order[at + 1 :])]

    def _field(self, cls: Class, scope: Scope) -> None:
        knot: Knot = ("class", cls)
        filename = cls.module.filename
        fields = [f for f in self.planner.program.classes.fields(cls) if f.owner is cls]
        attribute = self.planner.state.attributes[cls, scope.parameter]
        for other, before in self._near_scopes(scope):
            near = next((f for f in fields if names_scope(f.name, other)), None)
            if near is None:
                continue
            annotation = self.annotation(knot, cls.module, scope, near.annotation) or "str"
            value = (
                self._renamed_value(cls.module, near.value, other, scope)
                if near.value is not None
                else None
            )
            statement = attribute if near.annotation is None else f"{attribute}: {annotation}"
            statement += f" = {value}" if value is not None else ""
            self.add(
                knot, AddStatement(filename, near.statement.span, "CAP301", statement, before)
            )
            return
        annotation = self.annotation(knot, cls.module, scope, None) or "str"
        body = [s for s in cls.fact.body if not (cls.fact.doc and s is cls.fact.body[0])]
        anchor = fields[0].statement if fields else body[0]
        self.add(
            knot,
            AddStatement(
                filename, anchor.span, "CAP301", f"{attribute}: {annotation}", before=True
            ),
        )

    def _renamed_value(self, module: Module, value: tree.Node, old: Scope, new: Scope) -> str:
        text = self.source(module, value.span)
        return _renamed(text, old, new)

    def _store(self, cls: Class, initializer: Function, scope: Scope) -> None:
        knot: Knot = ("class", cls)
        filename = cls.module.filename
        attribute = self.planner.state.attributes[cls, scope.parameter]
        itself = initializer.params[0].name
        found = self._neighbour_store(cls, initializer, scope)
        if found is not None and any(found[0].statement is s for s in initializer.fact.body):
            store, other, before = found
            value = self._stored_value(store.value, other, scope, initializer)
            if value is None:
                self.obstacle(
                    ("class", cls),
                    store.value or store.statement.targets[0],
                    f"nothing in `__init__` yields `{scope.parameter}`",
                )
                return
            annotation = ""
            if store.annotation is not None:
                said = self.annotation(knot, cls.module, scope, store.annotation)
                annotation = f": {said}" if said else ""
            statement = f"{itself}.{attribute}{annotation} = {value}"
            self.add(
                knot, AddStatement(filename, store.statement.span, "CAP301", statement, before)
            )
            return
        own = self._own_parameter(initializer, scope)
        body = [
            s
            for s in initializer.fact.body
            if not (initializer.fact.doc and s is initializer.fact.body[0])
        ]
        if own is None and found is not None:  # set in a branch, from something that may be there
            node = found[0].value or found[0].statement.targets[0]
            self.obstacle(knot, node, f"`{scope.parameter}` would be set on one path alone")
        if not body:
            return
        first = body[0]
        supers = (
            isinstance(first, tree.Eval)
            and bool(first.values)
            and isinstance(first.values[0], tree.Call)
            and "super" in str(text_of(first.values[0].func))
        )
        statement = f"{itself}.{attribute} = {own or scope.parameter}"
        self.add(knot, AddStatement(filename, first.span, "CAP301", statement, before=not supers))

    def _neighbour_store(
        self, cls: Class, initializer: Function, scope: Scope
    ) -> tuple[Store, Scope, bool] | None:
        """Where the initializer sets another scope's attribute, and whether that comes after."""
        for other, before in self._near_scopes(scope):
            for name, stores in cls.stores.items():
                for store in stores:
                    if store.function is initializer and names_scope(name, other):
                        if not store.path:
                            return store, other, before
                        break
        return None

    def _own_parameter(self, function: Function, scope: Scope) -> str | None:
        """The parameter by which a function takes a scope, or will."""
        if scope.parameter in self.planner.state.params.get(function, ()):
            return scope.parameter
        own = self.planner.program.domain.scope_parameter(function, scope)
        return own.name if own is not None else None

    def _stored_value(
        self, value: tree.Node | None, old: Scope, new: Scope, initializer: Function
    ) -> str | None:
        own = self._own_parameter(initializer, new)
        if value is None or isinstance(value, tree.Name):
            return own
        text = text_of(value)
        taken = self.planner.program.domain.scope_parameter(initializer, old)
        if text is not None and taken is not None and own is not None:
            match value:  # `str(tenant_id)`, and what else is made of the parameter
                case tree.Call(func=tree.Name(id=func), args=(tree.Argument(value=given),)):
                    same = _renamed(func, old, new)
                    known = new.type.name if new.type is not None else func
                    if isinstance(given, tree.Name) and given.id == taken.name:
                        return f"{same}({own})" if same in (func, known) else own
        if new.parameter not in self.planner.state.params.get(initializer, ()):
            found = self.planner.mirrored(value, new, ("function", initializer))
            if found is not None:
                return found.code
            if self.planner.reads_keywords(initializer, value) and text is not None:
                return _renamed(text, old, new)
        return own

    def _slot(self, cls: Class, scope: Scope) -> None:
        for binding in cls.scope.bindings.get("__slots__", ()):
            if not isinstance(binding.value, tree.Sequence):
                continue
            attribute = self.planner.state.attributes[cls, scope.parameter]
            near = [
                item
                for other, _ in self._near_scopes(scope)
                for item in binding.value.items
                if isinstance(item, tree.Const)
                and isinstance(item.value, str)
                and names_scope(item.value, other)
            ]
            for item in near[:1]:
                if isinstance(item, tree.Const):
                    mend = AddElements(
                        cls.module.filename,
                        binding.value.span,
                        "CAP301",
                        (),
                        (f'"{attribute}"',),
                        item.span,
                    )
                    self.add(("class", cls), mend)
                    return

    # --- item dicts ---

    def _entries(self) -> None:
        """Item dicts that list an entity's fields by hand get the new one beside its neighbour."""
        gained = {
            c
            for cls in self.planner.state.fields
            for c in self.planner.program.classes.subclasses(cls)
        }
        for module in self.planner.program.names.modules.values():
            if module.generated or module.is_test:
                continue
            for statement, _ in module.statements:
                self._added_entry(statement, gained)
            for node in module.nodes:
                if isinstance(node, tree.DictDisplay):
                    self._entry(node, gained)
                elif (
                    isinstance(node, tree.Call)
                    and _takes_entries(node.func)
                    and not self.planner.program.calls.callees(node)
                ):
                    self._keyword_entry(node, gained)
                elif isinstance(node, tree.Sequence) and not self._are_slots(node):
                    self._named_fields(node, module, gained)

    def _are_slots(self, node: tree.Sequence) -> bool:
        holder = self.planner.program.names.parent(node)
        return isinstance(holder, tree.Assign) and last_name(holder.targets[0]) == "__slots__"

    def _entry(self, node: tree.DictDisplay, gained: set[Class]) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            name = key.value if isinstance(key, tree.Const) else None
            if not isinstance(name, str) or self.planner.program.policy.is_key_name(name):
                continue
            old = next(
                (s for s in self.planner.program.policy.scopes if names_scope(name, s)), None
            )
            if old is None:
                continue
            for cls, scope in self._lacking(node, value, gained, old):
                present = {k.value for k in node.keys if isinstance(k, tree.Const)}
                new = rename(name, old, scope)
                if new in present or new == name or self._is_extended(node, new):
                    continue
                code = self._renamed_value(
                    self.module_of(node), self._spelled_out(value), old, scope
                )
                self.add(
                    ("class", cls),
                    AddEntry(
                        self.module_of(node).filename,
                        node.span,
                        "CAP301",
                        f'"{new}"',
                        code,
                        value.span,
                    ),
                )

    def _keyword_entry(self, node: tree.Call, gained: set[Class]) -> None:
        for number, argument in enumerate(node.args):
            old = next(
                (
                    s
                    for s in self.planner.program.policy.scopes
                    if argument.keyword and names_scope(argument.keyword, s)
                ),
                None,
            )
            if old is None:
                continue
            for cls, scope in self._lacking(node, argument.value, gained, old):
                new = rename(argument.keyword or "", old, scope)
                if any(a.keyword == new for a in node.args) or self._is_extended(node, new):
                    continue
                value = self._spelled_out(argument.value)
                code = self._renamed_value(self.module_of(node), value, old, scope)
                self.add(
                    ("class", cls),
                    AddArgument(
                        self.module_of(node).filename, node.span, "CAP301", code, new, number + 1
                    ),
                )

    def _added_entry(self, statement: tree.Statement, gained: set[Class]) -> None:
        """`item["tenant_id"] = self.tenant_id` and `item.setdefault("tenant_id", self.tenant_id)`."""
        added = added_entry(statement)
        old = self._scope_named(added.key) if added is not None else None
        if added is None or old is None or self.planner.program.policy.is_key_name(added.key):
            return
        names = self._added_beside(added)
        for cls, scope in self._lacking(added.base, added.value, gained, old, frozenset(names)):
            new = rename(added.key, old, scope)
            if new in names or new == added.key:
                continue
            module = self.module_of(added.base)
            base = self.source(module, added.base.span)
            value = self._renamed_value(module, self._spelled_out(added.value), old, scope)
            code = added.spelled(base, new, value)
            self.add(("class", cls), AddStatement(module.filename, statement.span, "CAP301", code))

    def _added_beside(self, added: AddedEntry) -> set[str]:
        """All keys that one dict gets, step by step, in one function."""
        names = self.planner.program.names
        place, base = names.place(added.base), text_of(added.base)
        found = {added.key}
        for statement, at in place.scope.module.statements:
            other = added_entry(statement) if at.scope is place.scope else None
            if other is not None and text_of(other.base) == base:
                found.add(other.key)
        for binding in names.bindings(base, place) if base is not None else ():
            found |= _entry_names(binding.value) if binding.value is not None else set()
        return found

    def _is_extended(self, node: tree.Node, key: str) -> bool:
        return self.planner.local.is_extended(node, key)

    def _spelled_out(self, value: tree.Node) -> tree.Node:
        """What a local name stands for, where that is an attribute: `tenant = self.tenant_id`."""
        if isinstance(value, tree.Name):
            names = self.planner.program.names
            bindings = names.bindings(value.id, names.place(value))
            if len(bindings) == 1 and bindings[0].kind == "assign" and not bindings[0].path:
                found = bindings[0].value
                if found is not None and _attribute_in(found) is not None:
                    return found
        return value

    def _lacking(
        self,
        node: tree.Node,
        value: tree.Node,
        gained: set[Class],
        old: Scope,
        names: frozenset[str] = frozenset(),
    ) -> list[tuple[Class, Scope]]:
        """The gained fields that belong beside `old` in an item dict whose entry has that value."""
        place: Place = self.planner.program.names.place(node)
        if any(self.planner.program.domain.enters(f) for f in enclosing(place)):
            return []
        path = _attribute_in(self._spelled_out(value))
        if path is None or not names_scope(path.name, old):
            return []
        for one in sorted(self.planner.program.inference.of(path.base), key=repr):
            if isinstance(one, Instance) and one.cls in gained:
                lists = self._lists(node, one.cls, names or frozenset(_entry_names(node)))
                return self._beside(one.cls, old) if lists else []
        return []

    def _lists(self, node: tree.Node, cls: Class, names: frozenset[str]) -> bool:
        """Whether a dict is an item, and no mere message about one: it has keys of the table, or all
        fields, or it is made by the entity or by a repository."""
        if any(self.planner.program.policy.is_key_name(name) for name in names):
            return True
        function = self.planner.program.names.place(node).scope.function
        owner = function.owner if function is not None else None
        if owner is not None and (
            owner in self.planner.program.classes.mro(cls)
            or owner in self.planner.program.domain.repositories
        ):
            return True
        fields = {p.name for p in self.planner.program.classes.constructor(cls) or ()}
        return bool(fields) and fields - set(self.planner.state.fields.get(cls, ())) <= names

    def _beside(self, cls: Class, old: Scope) -> list[tuple[Class, Scope]]:
        """The fields that a class gains right beside the scope `old`, and where they are defined."""
        gained = self.planner.state.fields
        home = next(c for c in self.planner.program.classes.mro(cls) if c in gained)
        order = list(self.planner.program.policy.scopes)
        have = [s for s in order if s.parameter not in gained[home]]
        found = []
        for scope in self.policy_order(list(gained[home].values())):
            preceding = [s for s in have if order.index(s) < order.index(scope)]
            beside = preceding[-1] if preceding else have[0] if have else None
            if beside is old:
                found.append((home, scope))
        return found

    def _named_fields(self, node: tree.Sequence, module: Module, gained: set[Class]) -> None:
        """`for name in ("tenant_id", "number"): item[name] = getattr(self, name)`."""
        names = [item.value for item in node.items if isinstance(item, tree.Const)]
        if len(names) < 2 or len(names) != len(node.items):
            return
        texts = [name for name in names if isinstance(name, str)]
        for cls in sorted(gained, key=lambda c: (c.module is not module, c.symbol)):
            if len(texts) != len(names) or not self._are_fields(cls, texts):
                continue
            for item in node.items:
                assert isinstance(item, tree.Const)
                old = self._scope_named(str(item.value))
                for home, scope in self._beside(cls, old) if old is not None else ():
                    new = self.planner.state.attributes[home, scope.parameter]
                    if not self.planner.program.classes.has_attribute(cls, str(item.value)):
                        new = rename(str(item.value), old, scope) if old is not None else new
                    if new in texts:
                        continue
                    knot: Knot = ("class", home)
                    mend = AddElements(
                        module.filename, node.span, "CAP301", (), (f'"{new}"',), item.span
                    )
                    self.add(knot, mend)
            return

    def _are_fields(self, cls: Class, names: list[str]) -> bool:
        """Whether texts are the names of a class's attributes, or their aliases."""
        classes = self.planner.program.classes
        aliases = set(classes.aliases(cls).values())
        return all(classes.has_attribute(cls, name) or name in aliases for name in names)

    def _scope_named(self, name: str) -> Scope | None:
        return next((s for s in self.planner.program.policy.scopes if names_scope(name, s)), None)


def _takes_entries(func: tree.Node) -> bool:
    """Whether keywords become the entries of a dict: `dict(…)`, `item.update(…)`."""
    match func:
        case tree.Name():
            return func.id == "dict"
        case tree.Attr():
            return func.name == "update"
        case _:
            return False


def _entry_names(node: tree.Node) -> set[str]:
    """The string keys of a dict display or of a call of `dict`."""
    match node:
        case tree.DictDisplay():
            keys = [key.value for key in node.keys if isinstance(key, tree.Const)]
            return {key for key in keys if isinstance(key, str)}
        case tree.Call():
            return {a.keyword for a in node.args if a.keyword is not None}
        case _:
            return set()


def _annotations_of(owner: Class | Module, name: str) -> Iterator[tree.Node]:
    """The annotations of a collection that a class or module keeps."""
    if isinstance(owner, Class):
        for store in owner.stores.get(name, ()):
            if store.annotation is not None:
                yield store.annotation
    for binding in owner.scope.bindings.get(name, ()):
        if binding.annotation is not None:
            yield binding.annotation


def _key_annotation(node: tree.Node) -> tree.Node | None:
    """`K` of `dict[K, V]`, `defaultdict[K, V]` and `set[K]`."""
    if not isinstance(node, tree.Subscript):
        return None
    if last_name(node.base) in ("ClassVar", "Final", "Annotated"):
        return _key_annotation(node.index)
    inner = node.index
    if isinstance(inner, tree.Sequence) and inner.kind == "tuple":
        return inner.items[0] if len(inner.items) == 2 else None
    return inner if last_name(node.base).lower() in ("set", "counter", "frozenset") else None


def _tuple_annotation(node: tree.Node) -> tree.Sequence | None:
    """What stands in `tuple[A, B]`."""
    if isinstance(node, tree.Subscript) and last_name(node.base) in ("tuple", "Tuple"):
        return node.index if isinstance(node.index, tree.Sequence) else None
    return None


def _attribute_in(node: tree.Node) -> tree.Attr | None:
    """`self.tenant_id` in `str(self.tenant_id)`, `{"S": self.tenant_id}` and `self.tenant_id.value`."""
    match node:
        case tree.Attr(name="value" | "hex", base=tree.Attr() as inner):
            return inner
        case tree.Attr():
            return node
        case tree.Call() if len(node.args) == 1:
            return _attribute_in(node.args[0].value)
        case tree.Call(func=tree.Attr() as func) if not node.args:
            return _attribute_in(func.base)
        case tree.DictDisplay() if len(node.values) == 1:
            return _attribute_in(node.values[0])
        case _:
            return None


def _renamed(text: str, old: Scope, new: Scope) -> str:
    """Code with one scope's names replaced by another's."""
    found = rename(text, old, new)
    if old.type is not None and new.type is not None:
        found = re.sub(rf"\b{re.escape(old.type.name)}\b", new.type.name, found)
    return found


_KINDS: Final = {
    "posonly": ParameterKind.POSITIONAL_ONLY,
    "plain": ParameterKind.PLAIN,
    "kwonly": ParameterKind.KEYWORD_ONLY,
}
