"""What tests read from a mock's recorded calls: `mock.call_args.args[1]` reads another argument once
a parameter comes before it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, AddEntry, Replace, Verdict
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Obstacle
from capsule_lint.plan.testing.recorders import Recorders
from capsule_lint.plan.testing.shapes import Shape
from capsule_lint.plan.testing.standins import callables, parameters, spare
from capsule_lint.program.comparisons import HOLDING, equated
from capsule_lint.program.inference.records import MANY_CALLS, ONE_CALL, View
from capsule_lint.program.inference.types import Mocked, ordered
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.model import Class, last_name
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.program.inference.records import Record
    from capsule_lint.program.model import Module

_LOOKING = frozenset(("print", "repr", "str", "bool", "set", "any", "all", "type", "isinstance"))
"""Functions whose result does not depend on where an argument stands."""


@dataclass(eq=False, slots=True)
class Recorded(MendRoom):
    """Mends what reads a mock's recorded calls."""

    mends: Mends
    recorders: Recorders = field(init=False)
    _asked: set[int] = field(init=False)
    """The calls that get an argument."""

    def __post_init__(self) -> None:
        self.recorders = Recorders(self.mends)
        self._asked = {id(want.call) for want in self.state.wants}

    def build(self) -> None:
        """Add the mends, and what they make of the mock's names in the ledger."""
        program = self.program
        starred = set(self._follow_stars())
        names = ONE_CALL | MANY_CALLS
        for module in program.names.modules.values():
            if not module.generated and (
                module in starred or any(node.name in names for node in module.each(tree.Attr))
            ):
                for node in module.nodes:
                    self._read(module, node)

    def _follow_stars(self) -> Iterator[Module]:
        """Follow what comes in a function's place and takes `*args`; yields the modules of those."""
        planner = self.planner
        for function, scopes in self.state.params.items():
            for stand_in in planner.signatures.stand_ins.of(function):
                for one in callables(self.program, stand_in.node):
                    params, module = parameters(self.program, one)
                    given = stand_in.given
                    named = spare(self.program, params, function, given, scopes.values())
                    star = next((p for p in params if p.kind == "*"), None)
                    if named is not None and star is not None and module is not None:
                        first = given + named
                        name = stand_in.name
                        self.program.records.star(module, star, name, function, first)
                        yield module

    def _read(self, module: Module, node: tree.Node) -> None:
        record = self.program.records.of(node)
        if record is None:
            return
        for function, given in self.program.records.functions(record.mock):
            if function in self.state.params:
                final = self.mends.signatures.final_params(function)[given:]
                self._use(module, node, record, Shape(function, tuple(final)))
        if record.first:  # the calls of a mock's methods
            for shape in self._methods(record.mock):
                self._use(module, node, record, shape)

    def _methods(self, mock: tree.Node) -> list[Shape]:
        """The methods that a mock of an object records; one stands for all that change alike."""
        program, changing = self.program, self.state.params
        shapes, sure = [], True
        for one in ordered(program.inference.of(mock)):
            spec = one.spec if isinstance(one, Mocked) else None
            for cls in program.classes.mro(spec) if isinstance(spec, Class) else ():
                for name, method in cls.methods.items():
                    if method in changing and method.takes_self:
                        final = self.mends.signatures.final_params(method)[1:]
                        shapes.append(Shape(method, tuple(final)))
                    elif not name.startswith("_") and not method.is_property:
                        sure = False
        alike = sure and len({shape.places for shape in shapes}) == 1
        return shapes[:1] if alike else [replace(shape, sure=False) for shape in shapes]

    def _use(self, module: Module, node: tree.Node, record: Record, shape: Shape) -> None:
        """Mend one use of a part of a record, by what it is used in."""
        parent = self.program.names.parent(node)
        match record.view, parent:
            case View.ARGS, tree.Subscript(index=tree.Slice() as cut) if parent.base is node:
                self._slice(module, parent, cut, record, shape)
            case View.ARGS, tree.Subscript() if parent.base is node:
                self._index(module, parent.index, record, shape)
            case View.ARGS, tree.Subscript():  # `data[args]`
                self._unsure(module, record, shape)
            case View.ARGS, tree.Call() if last_name(parent.func) == "len":
                self._length(module, parent, record, shape)
            case View.CALLS | View.LISTED | View.NAMED, tree.Call(args=(sought, held, *_)) if (
                last_name(parent.func) in HOLDING and held.value is node
            ):
                self._sought(module, sought.value, record, shape)
            case _, tree.Call() if last_name(parent.func).startswith("assert"):
                for side, other in equated(parent):
                    if side is node:
                        self.compared(module, other, record, shape)
            case View.ARGS, tree.Call() | tree.Sequence() | tree.Wrapped() | tree.Lambda():
                if not self._is_harmless(node, parent):
                    self._unsure(module, record, shape)
            case View.ARGS | View.LISTED, tree.Eval(kind="return"):
                self._unsure(module, record, shape)
            case _, tree.Compare() if set(parent.ops) <= {"==", "!="}:
                for side in (parent.left, *parent.rights):
                    if side is not node:
                        self.compared(module, side, record, shape)
            case View.CALLS | View.LISTED | View.NAMED, tree.Compare() if parent.left is not node:
                self._sought(module, parent.left, record, shape)
            case _, tree.Assign() if parent.value is node:
                for target in parent.targets:
                    self._unpacked(module, target, record, shape)
            case _, tree.Block() | tree.Comprehension():
                part = record.item(None)
                for target in _looped(parent, node):
                    if part is not None:
                        self._unpacked(module, target, part, shape)

    def _sought(self, module: Module, node: tree.Node, record: Record, shape: Shape) -> None:
        """Mend what is looked for among several records: `(…) in calls`."""
        part = record.item(None)
        if part is not None:
            self.compared(module, node, part, shape)

    def _is_harmless(self, node: tree.Node, parent: object) -> bool:
        """Whether a use of positional arguments does not depend on where they stand."""
        records = self.program.records
        if id(node) in records.kept:
            return True
        match parent:
            case tree.Call() if any(a.value is node and a.star for a in parent.args):
                callees = self.program.calls.callees(parent)
                changing = self.state.params
                return bool(callees) and all(c.mock or c.function in changing for c in callees)
            case tree.Call():
                return last_name(parent.func) in _LOOKING or records.of(parent) is not None
            case tree.Wrapped(kind=kind):
                return kind == "not"
            case _:
                return False

    # --- parts ---

    def _index(self, module: Module, node: tree.Node, record: Record, shape: Shape) -> None:
        index = tree.integer(node)
        if index is None:
            self._unsure(module, record, shape)
        else:
            self._place(module, node, index, shape.moved(index), record, shape)

    def _place(
        self, module: Module, node: tree.Node, at: int, moved: int, record: Record, shape: Shape
    ) -> None:
        """Mend a number that says where something stands, or where a slice begins or ends."""
        if moved != at and not (shape.sure and not self.recorders.others(record, shape)):
            self._unsure(module, record, shape)
        elif moved != at:
            mend = Replace(module.filename, node.span, "CAP108", str(moved))
            self.mends.add(("function", shape.function), mend)
            self._settled(record)

    def _slice(
        self, module: Module, part: tree.Subscript, cut: tree.Slice, record: Record, shape: Shape
    ) -> None:
        """Mend a slice of the positional arguments, and what is done with it if something new comes into it."""
        start, stop = (
            None if end is None else tree.integer(end) for end in (cut.lower, cut.upper)
        )
        known = (cut.lower is None) == (start is None) and (cut.upper is None) == (stop is None)
        inner = shape.between(start, stop)
        followed = self._is_followed(part) and not self.recorders.others(record, shape)
        ascending = (start or 0) >= 0 and (stop is None or stop > (start or 0))
        if not (known and ascending and cut.step is None and (followed or not inner.places)):
            self._unsure(module, record, shape)
            return
        if inner.places:
            self._use(module, part, record, inner)
        if cut.lower is not None and start is not None:
            self._place(module, cut.lower, start, shape.moved(start), record, shape)
        if cut.upper is not None and stop is not None:
            self._place(module, cut.upper, stop, shape.moved(stop - 1) + 1, record, shape)

    def _is_followed(self, part: tree.Subscript) -> bool:
        """Whether what is done with a slice is mended as with all arguments."""
        match self.program.names.parent(part):
            case tree.Compare(ops=ops):
                return set(ops) <= {"==", "!="}
            case tree.Call() as call:
                return last_name(call.func) == "len" or last_name(call.func).startswith("assert")
            case tree.Assign(targets=targets):
                return all(isinstance(target, tree.Sequence) for target in targets)
            case tree.Subscript(base=base):
                return base is part
            case _:
                return False

    def _length(self, module: Module, call: tree.Call, record: Record, shape: Shape) -> None:
        compare = self.program.names.parent(call)
        if not isinstance(compare, tree.Compare) or len(compare.ops) != 1:
            self._unsure(module, record, shape)
            return
        other = compare.other(call)
        length = tree.integer(other)
        if length is None:
            self._unsure(module, record, shape)
            return
        more = sum(1 for _ in shape.inserted(length))
        meant = self.recorders.is_meant(record, shape, length) if more else False
        if meant is None or (more and not shape.sure):
            self._unsure(module, record, shape)
        elif meant:
            mend = Replace(module.filename, other.span, "CAP108", str(length + more))
            self.mends.add(("function", shape.function), mend)
            self._settled(record)

    def _unpacked(self, module: Module, target: tree.Node, record: Record, shape: Shape) -> None:
        """`tenant, note = mock.call_args.args`, `(tenant, note), _ = mock.call_args`."""
        if not isinstance(target, tree.Sequence):
            return
        if record.view is not View.ARGS:
            for at, item in enumerate(target.items):
                part = record.item(at)
                if part is not None:
                    self._unpacked(module, item, part, shape)
        elif _has_rest(target.items[:-1]) or (
            _has_rest(target.items) and not shape.is_whole_from(len(target.items) - 1)
        ):
            self._unsure(module, record, shape)
        else:
            self._insert(module, target, record, shape, names=True)

    def compared(self, module: Module, node: tree.Node, record: Record, shape: Shape) -> None:
        """Mend what a part of a record is compared with."""
        node = self._written(node)
        match record.view, node:
            case View.ARGS, tree.Sequence():
                if _has_rest(node.items):
                    self._unsure(module, record, shape)
                else:
                    self._insert(module, node, record, shape, names=False)
            case View.CALL, tree.Sequence(kind="tuple"):
                for item in node.items:
                    view = View.KWARGS if isinstance(item, tree.DictDisplay) else View.ARGS
                    self.compared(module, item, record.part(view), shape)
            case View.CALLS | View.LISTED | View.NAMED, tree.Sequence(
                items=items
            ) | tree.Comprehension(results=items):
                part = record.item(None)
                for item in items if part is not None else ():
                    assert part is not None
                    self.compared(module, item, part, shape)
            case View.CALL, tree.Call() if id(node) in self._asked:
                self._settled(record)
            case View.KWARGS, tree.DictDisplay():
                self._entries(module, node, record, shape)
            case View.ARGS | View.LISTED, _ if not isinstance(node, tree.Const):
                if self.program.records.of(node) is None:
                    self._unsure(module, record, shape)

    def _written(self, node: tree.Node) -> tree.Node:
        """The display that a local stands for, which is used for nothing else."""
        program = self.program
        binding = bound_whole(program.names, node)
        if binding is None or binding.kind != "assign":
            return node
        statement, value = binding.place.statement, binding.value
        if value is None or not isinstance(statement, tree.Assign):
            return node
        uses = list(program.records.uses(statement))
        return value if len(uses) == 1 else node

    # --- mends ---

    def _insert(
        self,
        module: Module,
        node: tree.Sequence,
        record: Record,
        shape: Shape,
        *,
        names: bool,
    ) -> None:
        """Put what is new among the values, or among the names that are bound to them."""
        by_place: dict[int, list[str]] = defaultdict(list)
        added = list(shape.inserted(len(node.items)))
        meant = self.recorders.is_meant(record, shape, len(node.items)) if added else False
        if meant is None:
            self._unsure(module, record, shape)
        for at, name in added if meant else ():
            code = "_" if names else self._code(node, name, shape)
            if code is None or not shape.sure:
                self._unsure(module, record, shape)
                return
            by_place[at].append(code)
        for at, codes in by_place.items():
            before, after = ((), tuple(codes)) if at else (tuple(codes), ())
            anchor = node.items[max(at - 1, 0)].span
            mend = AddElements(module.filename, node.span, "CAP401", before, after, anchor)
            self._once(("function", shape.function), mend)
            self._settled(record)

    def _entries(
        self, module: Module, node: tree.DictDisplay, record: Record, shape: Shape
    ) -> None:
        present = {name for name, _ in node.entries}
        policy = self.program.policy
        beside = [v for name, v in node.entries if names_any_of(name, policy.scopes)]
        for name in shape.keyword(present, beside=bool(beside)):
            code = self._code(node, name, shape)
            if code is None or not shape.sure or self.recorders.others(record, shape):
                self._unsure(module, record, shape)
                return
            scope = next(one for one in policy.scopes if one.parameter == name)
            near = [
                v for s, _ in policy.beside(scope) for n, v in node.entries if names_scope(n, s)
            ]
            anchor = near[0].span if near else None
            mend = AddEntry(module.filename, node.span, "CAP401", f'"{name}"', code, anchor)
            self._once(("function", shape.function), mend)
            self._settled(record)

    def _code(self, node: tree.Node, parameter: str, shape: Shape) -> str | None:
        """The code of the value that is expected of a new parameter."""
        scopes = self.program.policy.scopes
        scope = next(scope for scope in scopes if scope.parameter == parameter)
        return self.mends.code_for(scope, node, ("function", shape.function))

    def _once(self, knot: Knot, mend: AddElements | AddEntry) -> None:
        if not any(known == mend for _, known in self.mends.found):
            self.mends.add(knot, mend)

    # --- the ledger ---

    def _settled(self, record: Record) -> None:
        verdict = (Verdict.REWRITTEN, "what its mock has recorded")
        self.state.verdicts.setdefault(id(record.mock), verdict)

    def _unsure(self, module: Module, record: Record, shape: Shape) -> None:
        """A use of recorded arguments that cannot be followed: a person must look."""
        mock, function = record.mock, shape.function
        reason = "reads what its mock has recorded in a way that cannot be followed"
        self.state.verdicts[id(mock)] = (Verdict.TEXT, reason)
        span = mock.name_span if isinstance(mock, tree.Attr) else mock.span
        obstacle = Obstacle(module.filename, span, reason, function.symbol, "reference")
        self.state.obstacles.append((("function", function), obstacle))


def _looped(loop: tree.Block | tree.Comprehension, node: tree.Node) -> Iterator[tree.Node]:
    """The targets of a loop that goes through an expression."""
    if isinstance(loop, tree.Block):
        yield from (one.target for one in loop.binds if one.value is node and one.how == "for")
    else:
        yield from (one.target for one in loop.generators if one.iter is node)


def _has_rest(items: Iterable[tree.Node]) -> bool:
    """Whether one of some items stands for several: `*rest`."""
    return any(isinstance(item, tree.Wrapped) for item in items)
