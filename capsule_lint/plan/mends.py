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
    AddSegments,
    AddStatement,
    Mend,
    NewSegment,
    ParameterKind,
    Position,
    Replace,
    Span,
)
from capsule_lint.plan.code import rename, text_of
from capsule_lint.plan.imports import Imports, Refused
from capsule_lint.plan.rebuilds import update_of
from capsule_lint.plan.sources import enclosing, inline
from capsule_lint.plan.state import KeyDefect, Knot, Obstacle, Value, Want
from capsule_lint.plan.testing import Testing
from capsule_lint.program.model import Class, Function, Module, last_name
from capsule_lint.program.templates import Filled, Text, ends_with_tag, names_scope
from capsule_lint.program.types import Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.plan.local import LocalDefect
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.standins import StandIn
    from capsule_lint.policy import Reference, Scope
    from capsule_lint.program.model import Place

_NOWHERE: Final = Span(Position(1, 1), Position(1, 1))
_SEPARATORS: Final = "#|/:;~"
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

    def __post_init__(self) -> None:
        self.testing = Testing(self)
        self.imports = Imports(self.planner.program)

    def build(self) -> None:
        """Fill `found`."""
        self._collect_bound()
        for defect in self.planner.defects:
            self._key(defect)
        for local in self.planner.local.defects:
            self._local(local)
        self._local_annotations()
        for function, scopes in self.planner.state.params.items():
            self._parameters(function, list(scopes.values()))
        for stand_in, function in self.planner.stand_ins.values():
            self._stand_in(stand_in, function)
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
        self.testing.keys()
        for (function, parameter), uses in self._bound.items():
            self._bind(function, parameter, uses)

    # --- helpers ---

    def add(self, knot: Knot, mend: Mend) -> None:
        """One more mend."""
        self.found.append((knot, mend))

    def _policy_order(self, scopes: Sequence[Scope]) -> list[Scope]:
        order = self.planner.program.policy.scopes
        return sorted(scopes, key=order.index)

    def _module(self, node: tree.Node) -> Module:
        return self.planner.program.names.place(node).scope.module

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
        module = self._module(want.node)
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

    # --- templates ---

    def _key(self, defect: KeyDefect) -> None:
        host = defect.template.host
        site = self.planner.sites[id(host)]
        code = self.planner.key_code(site)
        knot = defect.knot
        segments: dict[int, list[NewSegment]] = {}
        anchors: dict[int, tree.Node | None] = {}
        for scope in self._policy_order(defect.missing):
            hole = self.code_of(defect.wants[scope.name], knot)
            if hole is None:
                return
            anchor = defect.anchors[scope.name]
            anchors[id(anchor)] = anchor
            segments.setdefault(id(anchor), []).append(NewSegment(scope.tag, hole))
        for key, new in segments.items():
            self._segments(defect, anchors[key], new, code)

    def _segments(
        self, defect: KeyDefect, anchor: tree.Node | None, new: list[NewSegment], code: str
    ) -> None:
        host, filename = defect.template.host, defect.module.filename
        if isinstance(host, tree.Const) and any(
            isinstance(p, Filled) for p in defect.template.pieces
        ):
            self._brace_template(defect, host, new, code)
            return
        if (
            isinstance(host, tree.Call)
            and isinstance(host.func, tree.Attr)
            and host.func.name == "format"
            and not isinstance(host.func.base, tree.Const)
        ):
            self._named_format(defect, host, host.func.base, anchor, new, code)
            return
        if anchor is host or (
            isinstance(anchor, tree.Const) and not isinstance(host, tree.Sequence | tree.Call)
        ):
            self.obstacle(defect.knot, host, "the scope before it is written out in the text")
            return
        if isinstance(host, tree.Sequence) and anchor is not None and anchor.span not in host.span:
            self._appended(defect, anchor, new, code)
            return
        separator = self._separator(defect, anchor)
        self.add(
            defect.knot,
            AddSegments(
                filename,
                host.span,
                code,
                tuple(new),
                anchor.span if anchor is not None else None,
                separator,
            ),
        )

    def _appended(
        self, defect: KeyDefect, anchor: tree.Node, new: list[NewSegment], code: str
    ) -> None:
        """A list of parts that grows by `parts.append(…)`: the new parts are appended in their turn."""
        statement = self.planner.program.names.place(anchor).statement
        call = (
            statement.values[0] if isinstance(statement, tree.Eval) and statement.values else None
        )
        parts = text_of(call.func) if isinstance(call, tree.Call) else None
        if statement is None or parts is None:
            self.obstacle(defect.knot, anchor, "the key is put together in steps")
            return
        for segment in reversed(new):
            for part in (segment.hole, f'"{segment.tag.rstrip(_SEPARATORS)}"'):
                line = f"{parts}({part})"
                self.add(
                    defect.knot, AddStatement(defect.module.filename, statement.span, code, line)
                )

    def obstacle(self, knot: Knot, node: tree.Node, reason: str) -> None:
        """A place that the plan cannot settle: its change set is unsafe."""
        module = self._module(node)
        function = self.planner.program.names.place(node).scope.function
        symbol = function.symbol if function is not None else module.name
        self.planner.state.obstacles.append(
            (knot, Obstacle(module.filename, node.span, reason, symbol, "reference"))
        )

    def _separator(self, defect: KeyDefect, anchor: tree.Node | None) -> str:
        pieces = defect.template.pieces
        for number, piece in enumerate(pieces):
            if isinstance(piece, Filled) and (piece.value is anchor or anchor is None):
                following = pieces[number + 1] if number + 1 < len(pieces) else None
                if isinstance(following, Text) and following.value[:1] in tuple(_SEPARATORS):
                    return following.value[0]
                return "#"
        return "#"

    def _brace_template(
        self, defect: KeyDefect, host: tree.Const, new: list[NewSegment], code: str
    ) -> None:
        """`"TENANT#{tenant_id}#X"` as a literal (a decorator's argument): the text itself changes."""
        literal = self.source(defect.module, host.span)
        order = self.planner.program.policy.scopes
        for segment in new:
            scope = next(s for s in order if s.tag == segment.tag)
            before = [s for s in order[: order.index(scope)] if "{" + s.parameter + "}" in literal]
            hole = f"{segment.tag}{{{scope.parameter}}}"
            if before:
                mark = "{" + before[-1].parameter + "}"
                literal = literal.replace(mark, f"{mark}#{hole}", 1)
            else:
                quote = re.match(r"[A-Za-z]*(\"\"\"|'''|\"|')", literal)
                assert quote is not None
                literal = literal[: quote.end()] + f"{hole}#" + literal[quote.end() :]
        self.add(defect.knot, Replace(defect.module.filename, host.span, code, literal))

    def _named_format(
        self,
        defect: KeyDefect,
        host: tree.Call,
        base: tree.Node,
        anchor: tree.Node | None,
        new: list[NewSegment],
        code: str,
    ) -> None:
        """`PK.format(t, x)`: the constant's text gets the segment, the call the argument."""
        constant = self._definition(base)
        module = self._module(constant) if constant is not None else None
        if constant is None or module is None:
            self.obstacle(defect.knot, host, "the format string is not a constant of the program")
            return
        literal = self.source(module, constant.span)
        at = next((n for n, a in enumerate(host.args) if a.value is anchor), -1)
        order = self.planner.program.policy.scopes
        for number, segment in enumerate(new):
            scope = next(s for s in order if s.tag == segment.tag)
            keyword = host.args[max(at, 0)].keyword is not None
            hole = "{" + scope.parameter + "}" if keyword else "{}"
            place = at + 1
            self.add(
                defect.knot,
                AddArgument(
                    defect.module.filename,
                    host.span,
                    code,
                    segment.hole,
                    scope.parameter if keyword else None,
                    place,
                ),
            )
            literal = _insert_field(
                literal,
                at + number,
                f"{segment.tag}{hole}",
                host.args[at].keyword if at >= 0 else None,
            )
        mend = Replace(module.filename, constant.span, code, literal)
        if not any(m == mend for _, m in self.found):
            self.add(defect.knot, mend)
        self.planner.state.groups.join(defect.knot, ("constant", id(constant)))

    def _definition(self, base: tree.Node) -> tree.Const | None:
        from capsule_lint.program.model import Binding

        dotted = self.planner.program.classes.dotted(base)
        if isinstance(dotted, Binding) and isinstance(dotted.value, tree.Const):
            return dotted.value
        if isinstance(base, tree.Attr):
            for one in self.planner.program.inference.of(base.base):
                cls = getattr(one, "cls", None)
                if isinstance(cls, Class):
                    for owner in self.planner.program.classes.mro(cls):
                        for binding in owner.scope.bindings.get(base.name, ()):
                            if isinstance(binding.value, tree.Const):
                                return binding.value
        return None

    # --- local keys ---

    def _local(self, defect: LocalDefect) -> None:
        filename, knot = defect.module.filename, defect.knot
        code = "CAP202" if defect.helper is not None else "CAP107"
        codes: dict[str, str] = {}
        for scope in self._policy_order(defect.missing):
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
            for scope in self._policy_order(defect.missing):
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
        elif defect.shape == "text":
            self._local_text(defect, codes, code)
        else:
            self._elements(defect, codes, code)

    def _local_annotations(self) -> None:
        """`dict[tuple[TenantId, OrderId], Order]` says what the keys of a collection have become."""
        for (owner, name), (index, scopes, width) in self.planner.local.insertions.items():
            for annotation in _annotations_of(owner, name):
                key = _key_annotation(annotation)
                if key is None:
                    continue
                knot = self.planner.local.knot_of(owner, annotation)
                module = self._module(annotation)
                said = [self.annotation(knot, module, s, key) for s in self._policy_order(scopes)]
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
        template = self.planner.program.templates.template(defect.node)
        assert template is not None
        pieces = template.pieces
        for scope in self._policy_order(defect.missing):
            anchor = defect.anchors[scope.name]
            separator, tag = ":", ""
            for number, piece in enumerate(pieces):
                if isinstance(piece, Filled) and (
                    piece.value is anchor or (anchor is None and number <= 1)
                ):
                    near = [
                        p.value
                        for p in pieces[max(0, number - 1) : number + 2]
                        if isinstance(p, Text)
                    ]
                    found = re.findall(rf"[{_SEPARATORS}]", "".join(reversed(near)))
                    separator = found[0] if found else separator
                    before = pieces[number - 1] if number else None
                    if isinstance(before, Text) and any(
                        ends_with_tag(before.value, s.tag)
                        for s in self.planner.program.policy.scopes
                    ):
                        tag = scope.tag
                    break
            new = (NewSegment(tag, codes[scope.name]),)
            self.add(
                defect.knot,
                AddSegments(
                    defect.module.filename,
                    defect.node.span,
                    code,
                    new,
                    anchor.span if anchor is not None else None,
                    separator,
                ),
            )

    def _elements(self, defect: LocalDefect, codes: dict[str, str], code: str) -> None:
        by_anchor: dict[int, list[str]] = defaultdict(list)
        anchors: dict[int, tree.Node | None] = {}
        for scope in self._policy_order(defect.missing):
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
        for node, knot in self.planner.readers.unsure:
            self.obstacle(
                knot, node, "takes a key apart by position, and keys change in different ways"
            )

    # --- signatures ---

    def final_params(self, function: Function) -> list[tuple[str, str, bool]]:
        """Name, kind and novelty of each parameter after the change, in order."""
        found = [(p.name, p.kind, False) for p in function.params]
        for scope in self._policy_order(
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

    def _stand_in(self, stand_in: StandIn, function: Function) -> None:
        """A lambda in a function's place gets the parameters where the function gets them."""
        filename = self._module(stand_in.node).filename
        final = self.final_params(function)[stand_in.given :]
        for number, (name, kind, new) in enumerate(final):
            if new:
                before = final[:number]
                index = sum(1 for _, k, fresh in before if k == kind and not fresh)
                mend = AddParameter(
                    filename, stand_in.node.span, "CAP401", name, None, _KINDS[kind], index
                )
                self.add(("function", function), mend)

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
            self.add(
                want.knot,
                AddArgument(
                    self._module(call).filename, call.span, "CAP401", code, keyword, index
                ),
            )

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
            filename = self._module(call).filename
            if code is not None:
                self.add(
                    want.knot, AddArgument(filename, call.span, "CAP401", code, name, index)
                )
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
            for scope in self._policy_order(list(self.planner.state.fields.get(cls, {}).values())):
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
        filename = self._module(display).filename
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
        filename, name = self._module(node).filename, want.scope.parameter
        code = self.code_of(want, want.knot)
        for number, argument in enumerate(node.args if code is not None else ()):
            if argument.keyword and self._is_other_scope(argument.keyword, want.scope):
                mend = AddArgument(filename, node.span, "CAP401", code or "", name, number + 1)
                return self._once(want, mend)
        return False

    def _spread_display(self, node: tree.DictDisplay, want: Want) -> bool:
        filename, name = self._module(node).filename, f'"{want.scope.parameter}"'
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                if self._spread_entry(value, want):
                    return True
            elif self._names_other(key, want.scope):
                code = self.code_of(want, want.knot)
                if code is None:
                    return False
                mend = AddEntry(filename, node.span, "CAP401", name, code, value.span)
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
                filename, text = self._module(node).filename, line.format(code)
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
        for scope in self._policy_order(scopes):
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
            statement = f"{attribute}: {annotation}" + (f" = {value}" if value is not None else "")
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
        for other, before in self._near_scopes(scope):
            for name, stores in cls.stores.items():
                store = next(
                    (s for s in stores if s.function is initializer and names_scope(name, other)),
                    None,
                )
                if store is None or store.path:
                    continue
                value = self._stored_value(store.value, other, scope, initializer)
                annotation = ""
                if store.annotation is not None:
                    said = self.annotation(knot, cls.module, scope, store.annotation)
                    annotation = f": {said}" if said else ""
                statement = f"{itself}.{attribute}{annotation} = {value}"
                self.add(
                    knot, AddStatement(filename, store.statement.span, "CAP301", statement, before)
                )
                return
        body = [
            s
            for s in initializer.fact.body
            if not (initializer.fact.doc and s is initializer.fact.body[0])
        ]
        if not body:
            return
        first = body[0]
        if (
            isinstance(first, tree.Eval)
            and first.values
            and isinstance(first.values[0], tree.Call)
            and "super" in str(text_of(first.values[0].func))
        ):
            self.add(
                knot,
                AddStatement(
                    filename,
                    first.span,
                    "CAP301",
                    f"{itself}.{attribute} = {scope.parameter}",
                    before=False,
                ),
            )
        else:
            self.add(
                knot,
                AddStatement(
                    filename,
                    first.span,
                    "CAP301",
                    f"{itself}.{attribute} = {scope.parameter}",
                    before=True,
                ),
            )

    def _stored_value(
        self, value: tree.Node | None, old: Scope, new: Scope, initializer: Function
    ) -> str:
        if value is None or isinstance(value, tree.Name):
            own = self.planner.program.domain.scope_parameter(initializer, new)
            return own.name if own is not None else new.parameter
        found = self.planner.mirrored(value, new, ("function", initializer))
        if found is not None:
            return found.code
        text = text_of(value)
        return _renamed(text, old, new) if text is not None else new.parameter

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
            for node in module.nodes:
                if isinstance(node, tree.DictDisplay):
                    self._entry(node, gained)
                elif (
                    isinstance(node, tree.Call)
                    and isinstance(node.func, tree.Name)
                    and node.func.id == "dict"
                ):
                    self._keyword_entry(node, gained)
                elif isinstance(node, tree.Sequence) and not self._are_slots(node):
                    self._named_fields(node, module, gained)

    def _are_slots(self, node: tree.Sequence) -> bool:
        holder = self.planner.program.names.index.parents.get(id(node))
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
                if new in present or new == name:
                    continue
                code = _renamed(self.source(self._module(node), value.span), old, scope)
                self.add(
                    ("class", cls),
                    AddEntry(
                        self._module(node).filename,
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
                if any(a.keyword == new for a in node.args):
                    continue
                code = _renamed(self.source(self._module(node), argument.value.span), old, scope)
                self.add(
                    ("class", cls),
                    AddArgument(
                        self._module(node).filename, node.span, "CAP301", code, new, number + 1
                    ),
                )

    def _lacking(
        self, node: tree.Node, value: tree.Node, gained: set[Class], old: Scope
    ) -> list[tuple[Class, Scope]]:
        """The gained fields that belong beside `old` in an item dict whose entry has that value."""
        place: Place = self.planner.program.names.place(node)
        if any(self.planner.program.domain.enters(f) for f in enclosing(place)):
            return []
        path = _attribute_in(value)
        if path is None or not names_scope(path.name, old):
            return []
        for one in sorted(self.planner.program.inference.of(path.base), key=repr):
            if isinstance(one, Instance) and one.cls in gained:
                return self._beside(one.cls, old) if self._lists(node, one.cls) else []
        return []

    def _lists(self, node: tree.Node, cls: Class) -> bool:
        """Whether a dict is an item, and no mere message about one: it has keys of the table, or all
        fields, or it is made by the entity or by a repository."""
        names = _entry_names(node)
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
        for scope in self._policy_order(list(gained[home].values())):
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
        has = self.planner.program.classes.has_attribute
        for cls in sorted(gained, key=lambda c: (c.module is not module, c.symbol)):
            if len(texts) != len(names) or not all(has(cls, name) for name in texts):
                continue
            for item in node.items:
                assert isinstance(item, tree.Const)
                old = self._scope_named(str(item.value))
                for home, scope in self._beside(cls, old) if old is not None else ():
                    new = self.planner.state.attributes[home, scope.parameter]
                    if new in texts:
                        continue
                    knot: Knot = ("class", home)
                    mend = AddElements(
                        module.filename, node.span, "CAP301", (), (f'"{new}"',), item.span
                    )
                    self.add(knot, mend)
            return

    def _scope_named(self, name: str) -> Scope | None:
        return next((s for s in self.planner.program.policy.scopes if names_scope(name, s)), None)


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


def _insert_field(literal: str, after: int, segment: str, keyword: str | None) -> str:
    """A format string's literal with a segment behind its field number `after` (or the named one)."""
    matches = list(re.finditer(r"(?<!\{)\{(?P<name>[^{}]*)\}(?!\})", literal))
    if keyword is not None:
        found = next((m for m in matches if m["name"] == keyword), None)
    else:
        found = matches[after] if 0 <= after < len(matches) else None
    if found is None:
        quote = re.match(r"[A-Za-z]*(\"\"\"|'''|\"|')", literal)
        assert quote is not None
        return literal[: quote.end()] + f"{segment}#" + literal[quote.end() :]
    return literal[: found.end()] + f"#{segment}" + literal[found.end() :]


_KINDS: Final = {
    "posonly": ParameterKind.POSITIONAL_ONLY,
    "plain": ParameterKind.PLAIN,
    "kwonly": ParameterKind.KEYWORD_ONLY,
}
