"""The decided plan to mends: what exactly changes at which span."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.model import (
    NOWHERE,
    AddArgument,
    AddElements,
    AddEntry,
    AddImport,
    AddParameter,
    Mend,
    ReplaceComment,
)
from capsule_lint.plan.calls.call_mends import CallMends
from capsule_lint.plan.calls.callback_types import CallbackTypes
from capsule_lint.plan.code import text_of
from capsule_lint.plan.docstrings import Docstrings
from capsule_lint.plan.documented import Documented
from capsule_lint.plan.entities.entry_mends import EntryMends
from capsule_lint.plan.entities.enumerated import Enumerated
from capsule_lint.plan.entities.excluded import Excluded
from capsule_lint.plan.entities.field_mends import FieldMends
from capsule_lint.plan.entities.named import NamedFields
from capsule_lint.plan.entities.narrow import Narrow
from capsule_lint.plan.entities.pickled import Pickled
from capsule_lint.plan.entities.projections import Projections
from capsule_lint.plan.entities.wholes import Wholes
from capsule_lint.plan.entities.yielded import Yielded
from capsule_lint.plan.imports import Imports, Refused, through_module
from capsule_lint.plan.keys.described import Described
from capsule_lint.plan.keys.members import Members
from capsule_lint.plan.keys.segments import Segments
from capsule_lint.plan.memory.argument_keys import ArgumentKeys
from capsule_lint.plan.memory.key_annotations import KeyAnnotations
from capsule_lint.plan.memory.local_mends import LocalMends
from capsule_lint.plan.memory.memos import Memos
from capsule_lint.plan.memory.planted import Planted
from capsule_lint.plan.memory.unread_parts import UnreadParts
from capsule_lint.plan.room import Room
from capsule_lint.plan.signature_mends import SignatureMends
from capsule_lint.plan.state import Knot, Obstacle, Value, Want
from capsule_lint.plan.supply.captures import Captures
from capsule_lint.plan.supply.kept_values import KeptValues
from capsule_lint.plan.taken_apart.reader_mends import ReaderMends
from capsule_lint.plan.testing.cached import CachedKeys
from capsule_lint.plan.testing.compared import Compared
from capsule_lint.plan.testing.expected import Expected
from capsule_lint.plan.testing.field_names import FieldNames
from capsule_lint.plan.testing.glimpses import Glimpses
from capsule_lint.plan.testing.golden import Golden
from capsule_lint.plan.testing.kept_by_arguments import KeptByArguments
from capsule_lint.plan.testing.kept_by_decorators import KeptByDecorators
from capsule_lint.plan.testing.lookins import LookIns
from capsule_lint.plan.testing.made_for_another import MadeForAnother
from capsule_lint.plan.testing.misshapen import Misshapen
from capsule_lint.plan.testing.proxied import Proxied
from capsule_lint.plan.testing.recorded import Recorded
from capsule_lint.plan.testing.scope_helper import ScopeHelper
from capsule_lint.plan.testing.seeds import Seeds
from capsule_lint.plan.testing.snapshots import Snapshots
from capsule_lint.plan.testing.testing import Testing
from capsule_lint.plan.uses.lambda_mends import LambdaMends
from capsule_lint.program.inference.types import ModuleObject
from capsule_lint.program.model import Class, Function, Module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from capsule_lint.model import Span
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Reference, Scope

Saying: TypeAlias = Literal["inside", "text", "value"]
"""How an annotation says a type: in another one, which may be a text already; by itself, as a text where it has
to be; or so that it can be evaluated, as pydantic does it."""
_PLAIN_ANNOTATIONS: Final = frozenset(("str", "int", "UUID", "uuid.UUID"))


class Mends(Room):
    """Builds the mends of a settled plan, each with the knot whose change set it belongs to."""

    planner: Planner

    def __init__(self, planner: Planner, read: Callable[[str], str]) -> None:
        self.planner = planner
        self.read = read
        """The text of a file of the program."""
        self.found: list[tuple[Knot, Mend]] = []
        self._starts: dict[str, list[int]] = {}
        self.testing = Testing(self)
        self.members = Members(self)
        self.segments = Segments(self)
        self.imports = Imports(planner.program)
        self.types = planner.types
        self.local = LocalMends(self)
        self.signatures = SignatureMends(self)
        self.calls = CallMends(self)
        self.fields = FieldMends(self)
        self.entries = EntryMends(self)
        self.expected = Expected(self)
        self.wholes = Wholes(planner.program)
        self.kept = KeptValues(self)
        self.captures = Captures(self)
        self.scope_helper = ScopeHelper(self)

    def build(self) -> None:
        """Fill `found`."""
        self.kept.collect()
        for defect in self.planner.defects:
            self.segments.key(defect)
        self.segments.formats.constants.uses()
        for local in self.planner.local.notes.defects:
            self.local.key(local)
        KeyAnnotations(self).build()
        Memos(self).build()
        ArgumentKeys(self).build()
        for function, scopes in self.state.params.items():
            self.signatures.parameters(function, list(scopes.values()))
        for double in self.state.doubles.values():
            self.signatures.double(double)
        for cls, scopes in self.state.fields.items():
            self.fields.gain(cls, list(scopes.values()))
            Yielded(self).gain(cls, list(scopes.values()))
        for function, knot in self.state.handler_params.items():
            self.signatures.handler_parameter(function, knot)
        by_call: dict[int, list[Want]] = defaultdict(list)
        for want in self.state.wants:
            if want.purpose == "argument":
                by_call[id(want.call)].append(want)
            elif want.purpose == "rebuild":
                self.calls.rebuild(want)
            elif want.purpose == "field":
                self.segments.formats.fill(want)
        for wants in by_call.values():
            self.calls.arguments(wants)
        MadeForAnother(self).build()
        LambdaMends(self).build()
        CallbackTypes(self).build()
        self.planner.bypassed.build(self)
        self.planner.queued.build(self)
        self.planner.thrown_away.build(self)
        self.planner.class_patterns.build(self)
        self.entries.build()
        NamedFields(self).build()
        Excluded(self).build()
        Projections(self).build()
        self.expected.build()
        Narrow(self).build()
        known = len(self.expected.grown)
        ReaderMends(self).build()
        recorded = Recorded(self)
        recorded.build()
        Proxied(self, recorded).build()
        look_ins = LookIns(self)
        look_ins.build()
        KeptByDecorators(self, look_ins).build()
        KeptByArguments(self, look_ins).build()
        Planted(self, look_ins).build()
        Pickled(self).build()
        self.testing.keys()
        Misshapen(self).build()
        Seeds(self).build()
        Compared(self).build()
        Glimpses(self).build()
        Snapshots(self).build()
        Enumerated(self).build()
        FieldNames(self).note()
        Narrow(self, known).build()
        Golden(self).build()
        CachedKeys(self).build()
        self.calls.written.judge()
        self.kept.build()
        self.testing.examples()
        described = Described(self)
        described.comments()
        Docstrings(self).build((*described.docstrings(), *Documented(self).docstrings()))
        UnreadParts(self).build()

    # --- helpers ---

    def add(self, knot: Knot, mend: Mend) -> None:
        """One more mend."""
        self.found.append((knot, mend))

    def add_once(self, knot: Knot, mend: Mend) -> bool:
        """Add a mend that several may ask for; whether all ask for the same."""
        if isinstance(mend, AddEntry) and any(
            isinstance(m, AddEntry)
            and (m.filename, m.at, m.key) == (mend.filename, mend.at, mend.key)
            and m.value != mend.value
            for _, m in self.found
        ):
            return False
        if not any(m == mend for _, m in self.found):
            self.add(knot, mend)
        return True

    def added_entries(self) -> dict[tuple[str, Span, str], Knot]:
        """The entries that dicts and calls get so far, by where these are and the name, and for what change."""
        return {
            (m.filename, m.at, m.key.strip('"') if isinstance(m, AddEntry) else m.keyword or ""): k
            for k, m in self.found
            if isinstance(m, AddEntry | AddArgument)
        }

    def mended(self, *kinds: type[Mend]) -> set[tuple[str, Span]]:
        """Where something is mended, in one of some ways."""
        return {(mend.filename, mend.at) for _, mend in self.found if isinstance(mend, kinds)}

    def naming(self, name: str, node: tree.Node, within: Span | None) -> Iterator[Mend]:
        """The mends in the file of an expression, or within a part of that, whose code reads a name."""
        filename = self.program.names.module_of(node).filename
        said = re.compile(rf"\b{re.escape(name)}\b")
        for _, mend in self.found:
            if (
                mend.filename == filename
                and (within is None or mend.at in within)
                and not isinstance(mend, AddParameter | ReplaceComment)
                and said.search(repr(mend))
            ):
                yield mend

    def adds_to(self, node: tree.Node) -> bool:
        """Whether a list that is written out gets elements already."""
        return (self.program.names.module_of(node).filename, node.span) in self.mended(AddElements)

    def policy_order(self, scopes: Sequence[Scope]) -> list[Scope]:
        """Scopes in the order in which policy lists them."""
        return sorted(scopes, key=self.program.policy.scopes.index)

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

    def value(self, want: Want) -> Value | None:
        """The value of a want."""
        return self.planner.values.value(want)

    def code_of(self, want: Want, knot: Knot, at: tree.Node | None = None) -> str | None:
        """The code that yields a want's value, with what it needs imported; `None` if there is none. It comes to
        stand `at` another expression of the same function, if one is given."""
        value = self.value(want)
        if value is None:
            return None
        module, place = self.program.names.module_of(want.node), want.node if at is None else at
        if self.kept.shares(want, value, knot, at):
            return want.scope.parameter
        if value.kind == "test":
            self.scope_helper.use(want, knot)
            for helper in value.imports:
                if (said := self.imports.through(place, *helper)) is not None:
                    return said.removesuffix(helper[1]) + value.code
                if (whole := self.imports.by_module(module, *helper)) is not None:
                    self.import_(knot, module, *whole)
                    return f"{whole[1]}.{value.code}"
        for name in value.imports:
            inside = self.imports.inside(place, *name)
            if inside is None:
                self.import_(knot, module, *name)
            else:
                written, function = inside
                mend = AddImport(
                    module.filename, NOWHERE, "CAP401", written, name[1], inside=function
                )
                self.add(knot, mend)
        self.import_type(knot, module, want.scope, value.code)
        return self.captures.named(want, value.code, knot)

    def code_for(self, scope: Scope, node: tree.Node, knot: Knot) -> str | None:
        """The code of a scope's value that is expected at `node`, which changes with what it comes from."""
        want = Want(scope, node, knot, "expected")
        value = self.value(want)
        if value is not None and value.knot is not None:
            self.state.groups.join(knot, value.knot)
        return self.code_of(want, knot)

    # --- imports ---

    def import_(
        self,
        knot: Knot,
        module: Module,
        source: str,
        name: str,
        *,
        annotation: bool = False,
        quoted: bool = False,
    ) -> bool:
        """Have a name imported into a module, unless it is there; whether it is brought in for the type
        checker alone, where annotations are evaluated."""
        needed = self.imports.find(module, source, name, annotation=annotation, quoted=quoted)
        if isinstance(needed, Refused):
            obstacle = Obstacle(module.filename, NOWHERE, needed.reason, module.name, "reference")
            self.state.obstacles.append((knot, obstacle))
        elif needed is not None:
            mend = AddImport(
                *(module.filename, NOWHERE, "CAP401", needed.written, name, needed.typing),
                apart=needed.apart,
            )
            self.add(knot, mend)
            return needed.typing and not self.imports.is_postponed(module)
        return annotation and self.imports.must_quote(module, name)

    def import_type(self, knot: Knot, module: Module, scope: Scope, code: str) -> None:
        """Have the type of a scope imported where it is called beside that of another one."""
        own = scope.type
        if own is None or f"{own.name}(" not in code:
            return
        if re.search(rf"(?<![\w.]){re.escape(own.name)}\(", code):
            self.import_(knot, module, own.module, own.root)

    def annotation(
        self,
        knot: Knot,
        module: Module,
        scope: Scope,
        neighbour: tree.Node | None,
        *,
        said: Saying = "inside",
    ) -> str | None:
        """How the new parameter or field is annotated, beside a neighbour's annotation."""
        if scope.type is not None:
            if scope.type.module == "builtins":
                return scope.type.name
            return self._type(knot, module, scope.type, neighbour, said)
        if (named := self.types.in_file(module, scope)) is not None:
            return named
        text = text_of(neighbour) if neighbour is not None else None
        if text in _PLAIN_ANNOTATIONS:
            return text
        other = self.types.said(scope)
        if other is not None and self.imports.can(module, other):
            if other.module == "builtins":
                return other.name
            return self._type(knot, module, other, neighbour, said)
        return "str" if neighbour is not None else None

    def _type(
        self,
        knot: Knot,
        module: Module,
        reference: Reference,
        neighbour: tree.Node | None,
        said: Saying,
    ) -> str:
        if isinstance(neighbour, tree.Attr):
            base = text_of(neighbour.base)
            for one in self.program.inference.of(neighbour.base):
                is_home = isinstance(one, ModuleObject) and one.module.name == reference.module
                if is_home and base:
                    return f"{base}.{reference.name}"
        whole = through_module(self.program, module, reference.module, reference.name)
        if whole is not None:
            return whole
        source, root = reference.module, reference.root
        named, quoted = said != "value", said == "text"
        late = self.import_(knot, module, source, root, annotation=named, quoted=quoted)
        return f'"{reference.name}"' if late and quoted else reference.name

    def spelled(self, knot: Knot, node: tree.Node, lacking: Iterable[Scope] = ()) -> None:
        """A key that a test spells out, and that cannot be mended; `lacking` are the scopes whose values would
        have to stand there."""
        untold = [scope.parameter for scope in lacking if scope.test_value is None]
        remedy = f", and the policy names no `test-value` for `{untold[0]}`" if untold else ""
        self.obstacle(knot, node, f"spells out a key that changes{remedy}")

    def obstacle(self, knot: Knot, node: tree.Node, reason: str) -> None:
        """A place that the plan cannot settle: its change set is unsafe."""
        module = self.program.names.module_of(node)
        match knot:
            case (_, Function() | Class() as changed):
                symbol = changed.symbol
            case _ if module.is_test:  # the key that it spells out
                made = (d.template.host for d in self.planner.defects if d.knot == knot)
                symbol = self.program.names.symbol_of(next(made, node))
            case _:
                symbol = self.program.names.symbol_of(node)
        self.state.obstacles.append(
            (knot, Obstacle(module.filename, node.span, reason, symbol, "reference"))
        )
