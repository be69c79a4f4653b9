"""Code that takes a key apart by position: `pk.split("#")[3]` reads another part once a segment is added."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.taken_apart.parts import Use, is_paired, uses
from capsule_lint.plan.taken_apart.patterns import Patterns
from capsule_lint.plan.taken_apart.probes import Probes
from capsule_lint.plan.taken_apart.related import Related
from capsule_lint.plan.taken_apart.remainders import UNCLEAR, Remainders
from capsule_lint.plan.taken_apart.shifts import Shift, Split, has_separator, shift_of
from capsule_lint.program.containers import IN_PLACE
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import hole_name, snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.state import KeyDefect, Knot, State
    from capsule_lint.plan.taken_apart.probes import Gap
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Module
    from capsule_lint.program.places.sites import KeySite

_KEYISH: Final = ("key", "_keys")
_DIFFERENT: Final = "takes a key apart by position, and keys change in different ways"


@dataclass(eq=False, slots=True)
class Reader:
    """One positional read: `number` becomes another one at `node` (an index, a limit), or the target
    `node` that unpacks all parts gets more names."""

    node: tree.Node
    module: Module
    shift: Shift
    knot: Knot
    number: int | None
    separator: str = ""
    """What separated the parts that `node`, a list of values, is compared with."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes whose segments move what is read."""
        return self.shift.scopes


class Unfit(Struct, frozen=True):
    """Code that does not recognise the changed keys: `text` is what the literal `node` becomes, if known."""

    node: tree.Node
    module: Module
    scopes: tuple[Scope, ...]
    knot: Knot
    old: str
    text: str | None = None
    gaps: tuple[Gap, ...] = ()
    """Where segments come into the text, which a test may know the values of."""


@dataclass(eq=False)
class Readers:
    """Finds positional readers of changed keys."""

    program: Program
    state: State
    found: list[Reader] = field(default_factory=list)
    unsure: list[tuple[tree.Node, Knot, str]] = field(default_factory=list)
    """Places that need a person, and why."""
    broken: list[Unfit] = field(default_factory=list)
    remainders: Remainders = field(init=False)
    _limits: set[int] = field(default_factory=set)
    _wholes: dict[int, list[KeyDefect]] = field(default_factory=dict)
    """The keys around those that change, by the expressions that these are."""

    def __post_init__(self) -> None:
        self.remainders = Remainders(self)

    def find(self, defects: list[KeyDefect]) -> None:
        """Fill `found` and `unsure`."""
        defects = [d for d in defects if not d.template.opaque]
        if not defects:
            return
        for module in self.program.names.editable():
            for node in module.each(tree.Subscript):
                index = tree.integer(node.index)
                if index is not None:
                    self._subscript(node, index, module, defects)
            for compare in module.each(tree.Compare):
                if len(compare.ops) == 1:
                    self._counted(compare, module, defects)
            for statement, _ in module.statements:
                if isinstance(statement, tree.Assign) and statement.value is not None:
                    for target in statement.targets:
                        if isinstance(target, tree.Sequence):
                            self._unpacked(target, statement.value, module, defects)
        self.remainders.find(defects)
        for call in self.program.calls.uses.calls_beside("split"):
            if not self.program.names.module_of(call).generated:
                self._used(call, defects)
        self._find_broken([*defects, *self._around(defects)])

    def _around(self, defects: list[KeyDefect]) -> Iterator[KeyDefect]:
        """The same for the keys of which a changing one is a part: `f"{head(tenant_id)}#NOTE#{note_id}"`."""
        for defect in defects:
            host = id(defect.template.host)
            if host in self._made_with and host not in self._wholes:
                self._wholes[host] = [
                    replaced(
                        defect, template=site.template, module=site.module, function=site.function
                    )
                    for site in self._made_with[host]
                ]
            yield from self._wholes.get(host, ())

    @cached_property
    def _made_with(self) -> dict[int, list[KeySite]]:
        """The keys that have parts of other ones, by the expressions that these are."""
        found: dict[int, list[KeySite]] = defaultdict(list)
        for site in self.program.keys.sites:
            template = site.template
            for host in {id(p.host): p.host for p in template.pieces}.values():
                if host is not template.host and not template.opaque:
                    found[id(host)].append(site)
        return found

    def _find_broken(self, defects: list[KeyDefect]) -> None:
        """Regular expressions, prefixes and the like that the changed keys do not fit any more."""
        for expression, matched, text in Patterns(self.program).broken(defects):
            every = [w.defect for w in matched]
            node = expression.call if text is None else expression.node
            self._note_broken(node, every, expression.text, text)
        for probe in Probes(self.program, self).broken(defects):
            self._note_broken(probe.node, list(probe.defects), probe.text, gaps=probe.gaps)

    def _note_broken(
        self,
        node: tree.Node,
        every: list[KeyDefect],
        old: str,
        text: str | None = None,
        gaps: tuple[Gap, ...] = (),
    ) -> None:
        first = every[0]
        for other in every[1:]:
            self.state.groups.join(first.knot, other.knot)
        module = self.program.names.module_of(node)
        scopes = tuple(first.missing)
        self.broken.append(Unfit(node, module, scopes, first.knot, old, text, gaps))

    def _subscript(
        self, node: tree.Subscript, index: int, module: Module, defects: list[KeyDefect]
    ) -> None:
        for split in self.splits(node.base):
            shifts = [s for s in self.moving(split, module, defects) if s.reads(index, split)]
            if longer := [s for s in shifts if s.lengthens(index, split)]:
                self.tie(shifts)
                if index < 0 or shifts != longer or not all(s.is_last(split) for s in shifts):
                    self.unsure.append((node, shifts[0].knot, UNCLEAR))
                else:
                    self._raise_limit(split, module, shifts[0])
                return
            if index < 0 and any(s.moved(index, split) == index for s in shifts):
                return  # the end of a key is what it was
            self.tie(shifts)
            moved = [(s, s.moved(index, split)) for s in shifts]
            if len({number for _, number in moved}) > 1:
                self.unsure.append((node, shifts[0].knot, _DIFFERENT))
                return
            for shift, number in moved[:1]:
                if number != index:
                    self.found.append(Reader(node.index, module, shift, shift.knot, number))
                    self._raise_limit(split, module, shift)

    def _counted(self, node: tree.Compare, module: Module, defects: list[KeyDefect]) -> None:
        """`len(parts) == 4`, where the parts are those of a key."""
        op, mirrored = node.ops[0], {">": "<", "<=": ">="}
        for side, other, more in (
            (node.left, node.rights[0], op in mirrored),
            (node.rights[0], node.left, op in mirrored.values()),
        ):
            number = tree.integer(other)
            if number is None or not isinstance(side, tree.Call) or last_name(side.func) != "len":
                continue
            needed = number + 1 if more else number  # `> 2` asks for three
            for split in self.splits(side.args[0].value) if side.args else ():
                shifts = [s for s in self.moving(split, module, defects) if s.has(needed, split)]
                self.tie(shifts)
                if len({s.by for s in shifts}) > 1:
                    self.unsure.append((node, shifts[0].knot, _DIFFERENT))
                elif shifts:
                    moved = number + shifts[0].by
                    self.found.append(Reader(other, module, shifts[0], shifts[0].knot, moved))

    def _unpacked(
        self, target: tree.Sequence, value: tree.Node, module: Module, defects: list[KeyDefect]
    ) -> None:
        for split in self.splits(value):
            known = self.moving(split, module, defects)
            shifts = [s for s in known if s.fits(target, split)]
            if not shifts and self.program.policy.is_key_name(self.name(split.key)):
                # it is a key, whatever the parts are called: `_, tenant, kind, name = pk.split("#")`
                shifts = [s for s in known if s.fits(target, split, moved=False)]
            self.tie(shifts)
            moves = {(s.start - split.taken, s.by) for s in shifts}
            if len(moves) > 1:
                self.unsure.append((split.call, shifts[0].knot, _DIFFERENT))
                return
            for shift in shifts[:1]:
                start = shift.start - split.taken
                if any(isinstance(item, tree.Wrapped) for item in target.items[: max(start, 0)]):
                    return  # what stands behind a `*rest` is counted from the end
                if not 0 < start <= len(target.items):
                    self.unsure.append((split.call, shift.knot, _DIFFERENT))
                    return
                moved = replace(shift, start=start)
                self.found.append(Reader(target, module, moved, shift.knot, None))
                self._raise_limit(split, module, shift)

    def _used(self, call: tree.Call, defects: list[KeyDefect]) -> None:
        """What becomes of the parts of a key otherwise: slices, comparisons, and what cannot be followed."""
        for split in self.splits(call):
            module = self.program.names.module_of(call)
            shifts = self.moving(split, module, defects)
            for node, use in uses(self.program, call) if shifts else ():
                self.tie(shifts)
                if len({(s.start, s.by) for s in shifts}) > 1:
                    self.unsure.append((node, shifts[0].knot, _DIFFERENT))
                    continue
                module = self.program.names.module_of(node)
                match node, use:
                    case tree.Subscript(), Use.SLICED:
                        self._sliced(node, module, split, shifts[0])
                    case tree.Sequence(), Use.COMPARED:
                        self._listed(node, module, split, shifts)
                    case _, Use.UNCLEAR:
                        self.unsure.append((node, shifts[0].knot, UNCLEAR))

    def _sliced(self, node: tree.Subscript, module: Module, split: Split, shift: Shift) -> None:
        assert isinstance(node.index, tree.Other)
        if is_paired(self.program, node) and shift.pairs(split):
            return
        bounds = shift.sliced(node.index, split)
        if bounds is None and not self._is_joined(node):
            self.unsure.append((node, shift.knot, UNCLEAR))
        for bound, number in bounds or ():
            self.found.append(Reader(bound, module, shift, shift.knot, number))

    def _is_joined(self, sliced: tree.Node) -> bool:
        """Whether a slice is put together again: `"#".join(parts[:-1])`."""
        around = self.program.names.parent(sliced)
        return isinstance(around, tree.Call) and last_name(around.func) == "join"

    def _listed(
        self, node: tree.Sequence, module: Module, split: Split, shifts: list[Shift]
    ) -> None:
        """`key.split("#") == ["TENANT", "t", "NOTE", "n"]`."""
        for shift in [s for s in shifts if s.fits(node, split)][:1]:
            start = shift.start - split.taken
            if any(isinstance(item, tree.Wrapped) for item in node.items) or start < 1:
                self.unsure.append((node, shift.knot, UNCLEAR))
                return
            moved = replace(shift, start=start)
            self.found.append(Reader(node, module, moved, shift.knot, None, split.separator))

    def tie(self, shifts: list[Shift]) -> None:
        """What one place reads changes together."""
        for shift in shifts[1:]:
            self.state.groups.join(shifts[0].knot, shift.knot)

    def _raise_limit(self, split: Split, module: Module, shift: Shift) -> None:
        """`split("#", 2)` that reads behind the new segment splits more often."""
        call = split.call
        if not isinstance(call, tree.Call) or split.limit < 0 or id(call) in self._limits:
            return
        self._limits.add(id(call))
        node, limit = call.args[1].value, split.limit + shift.by
        self.found.append(Reader(node, module, shift, shift.knot, limit))

    def splits(self, node: tree.Node) -> Iterator[Split]:
        """The splits of keys that a value comes from."""
        match node:
            case tree.Call(func=tree.Attr(name="split") as func) if 1 <= len(node.args) <= 2:
                separator = node.args[0].value
                limit = tree.integer(node.args[1].value) if len(node.args) == 2 else -1
                key, prefix = self._unprefixed(func.base)
                mark = self.program.templates.constant(separator)
                if mark and limit is not None and self.is_key(key):
                    yield Split(node, key, mark, limit, prefix)
            case tree.Call(func=tree.Name(id=name), args=(argument,)) if name in IN_PLACE:
                yield from self.splits(argument.value)
            case tree.Name():
                place = self.program.names.place(node)
                for binding in self.program.names.bindings(node.id, place):
                    value = binding.assigned
                    if value is not None and not isinstance(value, tree.Name):
                        yield from self.splits(value)

    def _unprefixed(self, node: tree.Node) -> tuple[tree.Node, str]:
        """`key` of `key.removeprefix(PREFIX)`, and the prefix."""
        match node:
            case tree.Call(func=tree.Attr(name="removeprefix") as func) if len(node.args) == 1:
                prefix = self.program.templates.constant(node.args[0].value)
                if prefix is not None:
                    return func.base, prefix
        return node, ""

    def is_key(self, node: tree.Node) -> bool:
        """Whether an expression is known as a key, by its name or by where it comes from."""
        name = self.name(node)
        if self.program.policy.is_key_name(name):
            return True
        if isinstance(node, tree.Call):
            callees = self.program.calls.callees(node)
            return any(callee.function in self.program.keys.helpers for callee in callees)
        plain = snake(name)
        if plain.endswith(_KEYISH) and not self.program.policy.is_sort_key_name(name):
            return True
        if isinstance(node, tree.Name):
            for binding in self.program.names.bindings_of(node):
                if self._is_read_back(binding):
                    return True
                if (
                    binding.kind == "assign"
                    and binding.value is not None
                    and not isinstance(binding.value, tree.Name)
                ):
                    return not binding.path and self.is_key(binding.value)
        return False

    def _is_read_back(self, binding: Binding) -> bool:
        """Whether a name is a parameter in a class that makes keys, `parse(cls, text)` beside `__str__`."""
        function = binding.function
        owner = function.owner if function is not None else None
        if owner is None or binding.parameter is None:
            return False
        return any(maker.owner is owner for maker in self.program.keys.functions)

    def name(self, node: tree.Node) -> str:
        """What an expression is called: `PK` of `item["PK"]["S"]`."""
        match node:
            case tree.Subscript(index=tree.Const(value=str() as key)) if key in ("S", "N"):
                return self.name(node.base)
            case tree.Subscript(index=tree.Const(value=str() as key)):
                return key
            case tree.Attr():
                return node.name
            case tree.Name():
                return node.id
            case _:
                return hole_name(node)

    def shifts(self, split: Split, module: Module, defects: list[KeyDefect]) -> list[Shift]:
        """How the parts of a split move, for each key that it could be of."""
        possible = [
            d
            for d in (*defects, *self._around(defects))
            if d.template.text.startswith(split.prefix) and has_separator(d, split.separator)
        ]
        near = Related(self.program, self).of(split, module, possible)
        return [s for d in near if (s := shift_of(d, split.separator)) is not None]

    def moving(self, split: Split, module: Module, defects: list[KeyDefect]) -> list[Shift]:
        """Those of them that do move."""
        found = self.shifts(split, module, defects)
        for shift in found:
            if not shift.by and self._reads_part(split, shift.start - split.taken):
                self.unsure.append((split.call, shift.knot, _DIFFERENT))
        return [shift for shift in found if shift.by]

    def _reads_part(self, split: Split, part: int) -> bool:
        """Whether the part of that number may be read of a split; all but the others by a constant."""
        parent = self.program.names.parent(split.call)
        number = tree.integer(parent.index) if isinstance(parent, tree.Subscript) else None
        return number is None or number == part
