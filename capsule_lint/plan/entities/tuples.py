"""Code that reads the fields of a tuple, or of what is made one, by position: a new field moves them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities import tuple_calls
from capsule_lint.plan.entities.behind_bases import place_behind
from capsule_lint.plan.entities.tuple_layouts import Layout, Layouts
from capsule_lint.plan.entities.wholes import given_in_order, is_list
from capsule_lint.plan.room import Room
from capsule_lint.program.comparisons import equal_to
from capsule_lint.program.containers import IN_PLACE
from capsule_lint.program.inference.caught import found_at
from capsule_lint.program.inference.types import ClassObject, Foreign, Instance, Types
from capsule_lint.program.local_names import only_assigned, reads_of, stays_as_made
from capsule_lint.program.logs import is_for_people
from capsule_lint.program.model import Class, last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_READING: Final = (
    tree.Subscript,
    tree.Call,
    tree.Comprehension,
    tree.Wrapped,
    tree.Compare,
    tree.Binary,
)
"""The expressions that may read a tuple."""


class TupleReader(Struct, frozen=True):
    """One place that changes: `number` becomes another one, or `node` gets names beside `anchor`."""

    node: tree.Node
    layout: Layout
    number: int | None = None
    anchor: tree.Node | None = None
    before: bool = False
    scopes: tuple[Scope, ...] = ()
    name: str = ""


@dataclass(eq=False, slots=True)
class Tuples(Room):
    """Finds what reads a changing class by position."""

    planner: Planner
    found: list[TupleReader] = field(default_factory=list)
    unsure: list[tuple[tree.Node, Layout]] = field(default_factory=list)
    spread: set[tuple[int, str]] = field(default_factory=set)
    """The tuples that calls spread which take the new field as it comes, by their expressions and the scope's name."""
    _layouts: dict[Class, Layout] = field(default_factory=dict)
    _named: bool = False
    """Whether any of these classes is a tuple itself."""

    def find(self) -> None:
        """Fill `found` and `unsure`."""
        program = self.program
        for home in self.state.fields:
            for cls in program.classes.subclasses(home):
                layout = self._layout(cls, home)
                if layout is not None:
                    self._layouts[cls] = layout
                    self._named |= program.classes.is_named_tuple(cls)
        for module in program.names.modules.values() if self._layouts else ():
            if not module.generated:
                self._module(module)

    def _layout(self, cls: Class, home: Class) -> Layout | None:
        classes = self.program.classes
        if not classes.is_data(cls) or classes.keyword_only(cls):
            return None
        fields = classes.fields(cls)
        own = [n for n, f in enumerate(fields) if f.owner is home]
        policy, new = self.program.policy, []
        for scope in policy.scopes:
            if scope.parameter not in self.state.fields[home]:
                continue
            beside = policy.beside(scope)
            near = [n + step for s, step in beside for n in own if names_scope(fields[n].name, s)]
            first = own[0] if own else len(classes.fields(home))
            behind = place_behind(self.program, home, scope, [f.name for f in fields])
            new.append((behind if behind is not None else near[0] if near else first, scope))
        return Layout(cls, home, len(fields), tuple(new))

    # --- which values ---

    def _of(self, node: tree.Node) -> Layout | None:
        """The class whose fields an expression gives by position."""
        call = only_assigned(self.program.names, node) or node
        if isinstance(call, tree.Call):
            made = self._made(call)
            if made is not None:
                return made
        return self._typed(self._read(node))

    def _read(self, node: tree.Node) -> Types:
        """What an expression may be that is read, where that may be a tuple of these."""
        types = self.program.inference.of(node)
        return types if self._typed(types) is not None else tuple_calls.given(self.program, node)

    def _is_mixed(self, types: Types, layout: Layout, index: tree.Node | None = None) -> bool:
        number = tree.integer(index) if index is not None else None
        known = Layouts(self.program.classes, self._layouts)
        return known.are_mixed(types, layout) and not known.keep(types, layout, number)

    def _made(self, call: tree.Call) -> Layout | None:
        """`astuple(truck)`, and `zip(*trucks)`, which has a column for each field."""
        of = tuple_calls.columns(call)
        if of is not None:
            return self._each(of)
        if last_name(call.func) != "astuple" or not call.args:
            return None
        return self._whole(self.program.inference.of(call.args[0].value))

    def _whole(self, types: Types) -> Layout | None:
        classes = [t.cls for t in types if isinstance(t, Instance) and t.cls in self._layouts]
        return self._layouts[classes[0]] if classes else None

    def _by_place(self, node: tree.Node) -> tuple[Layout | None, Types]:
        """The class whose fields an expression gives to what unpacks or indexes it, and what may be read there; nothing
        of a list in a local that may have changed by then."""
        kept = only_assigned(self.program.names, node)
        of = given_in_order(kept or node)
        if of is None or (
            kept is not None and is_list(kept) and not stays_as_made(self.program.names, node)
        ):
            return self._of(node), self._read(node)
        types = self.program.inference.of(of)
        return self._whole(types), types

    def _each(self, node: tree.Node) -> Layout | None:
        """The class of the tuples that are in a collection."""
        inference = self.program.inference
        return self._typed(inference.elements(inference.of(node)))

    def _typed(self, types: Types) -> Layout | None:
        classes = [t.cls for t in types if isinstance(t, Instance) and t.cls in self._layouts]
        is_tuple = self.program.classes.is_named_tuple
        found = [self._layouts[c] for c in classes if is_tuple(c)]
        return found[0] if found else None

    # --- which readers ---

    def _module(self, module: Module) -> None:
        for statement, _ in module.statements:
            if isinstance(statement, tree.Assign) and statement.value is not None:
                for target in statement.targets:
                    self._unpacked(target, statement.value)
            elif isinstance(statement, tree.Block):
                self._block(statement)
        for node in module.every(*_READING):
            self._node(node)

    def _block(self, block: tree.Block) -> None:
        inference = self.program.inference
        for bind in block.binds:
            if block.kind == "for" and bind.value is not None:
                if self._of(bind.value) is not None:
                    self._doubt(bind.value)
                self._target(bind.target, inference.elements(inference.of(bind.value)))
        if block.kind == "match":
            for pattern in block.heads[1:]:
                self._pattern(pattern)
            for one in block.sequences:
                self._sought(block, one)

    def _pattern(self, pattern: tree.Node) -> None:
        """`case Truck(tenant, vin):`."""
        if not isinstance(pattern, tree.Other) or not pattern.children:
            return
        first, *rest = pattern.children
        types = self.program.inference.of(first)
        classes = [t.cls for t in types if isinstance(t, ClassObject)]
        layout = next((self._layouts[c] for c in classes if c in self._layouts), None)
        if layout is None or "__match_args__" in layout.cls.scope.bindings:
            return
        for at in sorted({at for at, _ in layout.new if at < len(rest)}):
            scopes = tuple(layout.names(at))
            self.found.append(TupleReader(pattern, layout, None, rest[at], True, scopes, name="_"))

    def _sought(self, block: tree.Block, sought: tree.Sought) -> None:
        """`case (tenant, vin):`, also within other patterns."""
        pattern = block.heads[sought.head]
        types = found_at(self.program.inference, block, sought.keys)
        typed = self._typed(types)
        layout = typed or (None if sought.keys else self._of(block.heads[0]))
        if layout is None or not isinstance(pattern, tree.Other):
            return
        alike = [
            self._layouts.get(t.cls) if isinstance(t, Instance) else None
            for t in types
            if t != Foreign("None")
        ]
        if typed is None or set(map(id, alike)) == {id(layout)}:
            self._names(pattern, pattern.children[1:], layout)
        else:  # which may be asked for by those of another class
            self.unsure.append((pattern, layout))

    def _node(self, node: tree.Node) -> None:
        match node:
            case tree.Subscript():
                self._indexed(node)
            case tree.Call():
                self._call(node)
            case tree.Comprehension():
                inference = self.program.inference
                for part in node.generators:
                    if self._of(part.iter) is not None:
                        self._doubt(part.iter)
                    self._target(part.target, inference.elements(inference.of(part.iter)))
            case tree.Wrapped(kind="starred" | "yieldfrom"):
                self._doubt(node.value)
            case tree.Compare() if set(node.ops) <= {"==", "!="}:
                for one, other in permutations((node.left, *node.rights), 2):
                    made = self._made(one) if isinstance(one, tree.Call) else None
                    if isinstance(other, tree.Sequence) and made is None:
                        self._compared(one)
            case tree.Binary(op="+" | "%"):
                self._doubt(node.left)
                self._doubt(node.right)

    def gives(self, node: tree.Node) -> bool:
        """Whether an expression is a tuple that gets a field."""
        return bool(self._layouts) and self._typed(self.program.inference.of(node)) is not None

    def homes(self, node: tree.Node, scope: Scope, at: int) -> list[Class]:
        """The classes of a tuple, or of what `astuple` makes one, that get a field for a scope before the one at that
        index; none where another tuple may be meant, or anything else."""
        made = isinstance(node, tree.Call) and self._made(node) is not None
        whole = node.args[0].value if made and isinstance(node, tree.Call) else node
        types = self.program.inference.of(whole)
        classes = [t.cls for t in types if isinstance(t, Instance)]
        fits = self.program.classes.is_named_tuple
        found = [self._layouts[c] for c in classes if c in self._layouts and (made or fits(c))]
        sure = len(found) == len(types) and all((at, scope) in one.new for one in found)
        return [one.home for one in found] if sure else []

    def _compared(self, node: tree.Node) -> None:
        layout = self._of(node)
        if layout is not None and not (self.gives(node) and self._is_spelled_out(node, layout)):
            self.unsure.append((node, layout))

    def _is_listed(self, call: tree.Call) -> bool:
        """Whether this is `tuple(truck)`, which a test compares with all fields."""
        if last_name(call.func) not in IN_PLACE or len(call.args) != 1:
            return False
        value = call.args[0].value
        layout = self._of(value) if self.gives(value) else None
        return layout is not None and self._is_spelled_out(call, layout)

    def _doubt(self, node: tree.Node) -> None:
        layout = self._of(node)
        if layout is not None:
            self.unsure.append((node, layout))

    def _call(self, node: tree.Call) -> None:
        name = last_name(node.func)
        if self._made(node) is not None:
            self._tuple_made(node)
        if name in IN_PLACE and self._is_listed(node):
            return
        for value in tuple_calls.whole(node):
            self._doubt(value)
        for value in tuple_calls.each(node) if self._made(node) is None else ():
            layout = self._each(value)
            if layout is not None:
                self.unsure.append((value, layout))
        if self._named:
            self._got(node)
        if name == "_make" and isinstance(node.func, tree.Attr):
            for one in self.program.inference.of(node.func.base):
                if isinstance(one, ClassObject | Instance) and one.cls in self._layouts:
                    self.unsure.append((node, self._layouts[one.cls]))

    def _tuple_made(self, node: tree.Call) -> None:
        """`astuple(truck)` that is neither unpacked nor indexed, by whatever local name."""
        layout = self._made(node)
        if (
            layout is not None
            and not self._is_read(node, node)
            and not self._is_spelled_out(node, layout)
        ):
            self.unsure.append((node, layout))

    def _is_read(self, node: tree.Node, made: tree.Call) -> bool:
        """Whether a tuple, or the name that it is given, stands where its fields are read."""
        names = self.program.names
        match names.parent(node):
            case tree.Subscript(base=base):
                return base is node
            case tree.Call() as call:
                told = node is not made and is_for_people(names, node)
                return told or tuple_calls.goes_through(call)
            case tree.Assign(targets=targets, value=value) if value is node:
                own = [t for t in targets if isinstance(t, tree.Name)]
                reads = [read for name in own for read in reads_of(names, name, {name.at})]
                return all(isinstance(t, tree.Name | tree.Sequence) for t in targets) and all(
                    only_assigned(names, one) is made and self._is_read(one, made) for one in reads
                )
            case tree.Compare() | tree.Binary() | tree.Wrapped() | tree.Block():
                return node is not made
            case _:
                return False

    def _is_spelled_out(self, node: tree.Node, layout: Layout) -> bool:
        """Whether it is compared with a tuple of all fields, as tests expect it."""
        module = self.program.names.module_of(node)
        parent = self.program.names.parent(node)
        if not module.is_test or not isinstance(parent, tree.Compare | tree.Call):
            return False
        count = len(self.program.classes.fields(layout.cls))
        return any(
            isinstance(other, tree.Sequence)
            and len(other.items) == count
            and not any(isinstance(item, tree.Wrapped) for item in other.items)
            for other in equal_to(parent, node)
        )

    def _got(self, node: tree.Call) -> None:
        """`sorted(trucks, key=itemgetter(1))`, `itemgetter(1)(truck)`."""
        for value in (node.func, *(argument.value for argument in node.args)):
            getter = tuple_calls.getter(self.program.names, value)
            layout = self._asked_by(value, node) if getter is not None else None
            if getter is None or layout is None:
                continue
            sure = getter is value and (value is node.func or tuple_calls.asks_each(node))
            for place in getter.args:
                number = tree.integer(place.value)
                if sure:
                    self._number(place.value, layout)
                elif number is None or layout.moved(number) != number:
                    self.unsure.append((value, layout))

    def _asked_by(self, getter: tree.Node, call: tree.Call) -> Layout | None:
        """The class of the tuples of which a call reads what an `itemgetter` gets."""
        if getter is call.func:
            found = [self._of(given) for given in call.plain[:1]]
        else:
            found = [self._each(one) for one in (call.receiver, *call.unnamed) if one is not None]
        return next((layout for layout in found if layout is not None), None)

    def _indexed(self, node: tree.Subscript) -> None:
        layout, types = self._by_place(node.base)
        if layout is not None and self._is_mixed(types, layout, node.index):
            self.unsure.append((node, layout))
        elif layout is not None:
            self._number(node.index, layout)

    def _number(self, node: tree.Node, layout: Layout) -> None:
        number = tree.integer(node)
        if self.planner.local.notes.is_settled(node):
            return  # a part of a key, which moves with the key
        if number is None or not -layout.width <= number < layout.width:
            self.unsure.append((node, layout))
        elif layout.moved(number) != number:
            self.found.append(TupleReader(node, layout, layout.moved(number)))

    # --- unpacking ---

    def _unpacked(self, target: tree.Node, value: tree.Node) -> None:
        if isinstance(target, tree.Sequence):
            if any(isinstance(item, tree.Wrapped) for item in target.items):
                layout, types = self._of(value), self._read(value)  # takes as many as there are
            else:
                layout, types = self._by_place(value)
            if layout is not None:
                self._taken(target, types, layout)
            elif isinstance(value, tree.Sequence) and len(value.items) == len(target.items):
                for one, other in zip(target.items, value.items, strict=True):
                    self._unpacked(one, other)
            else:
                self._target(target, self.program.inference.of(value))

    def _target(self, target: tree.Node, types: Types) -> None:
        if not isinstance(target, tree.Sequence):
            return
        layout = self._typed(types)
        if layout is not None:
            self._taken(target, types, layout)
        for number, item in enumerate(target.items) if layout is None else ():
            if isinstance(item, tree.Sequence):
                self._target(item, self.program.inference.unpacked(types, (number,)))

    def _taken(self, target: tree.Sequence, types: Types, layout: Layout) -> None:
        if self._is_mixed(types, layout):
            self.unsure.append((target, layout))
        else:
            self._names(target, target.items, layout)

    def _names(self, target: tree.Node, items: Sequence[tree.Node], layout: Layout) -> None:
        """`tenant, vin = truck` gets a name for the new field, and `case (tenant, vin)` a pattern."""
        if self.planner.local.notes.is_settled(target):
            return  # a key that is taken apart
        places = list(layout.places(items))
        if not places:
            self.unsure.append((target, layout))
        spare = isinstance(target, tree.Other) or all(map(_is_spare, items[:1]))
        for at, place in places:
            scopes = tuple(layout.names(at))
            if place is None:
                star = next(i for i in items if isinstance(i, tree.Wrapped))
                if star.kind == "starred" and not _is_spare(star.value):
                    self.unsure.append((target, layout))
                continue
            before = place == 0 or isinstance(items[place - 1], tree.Wrapped)
            anchor = items[place if before else place - 1]
            name = "_" if spare else ""
            self.found.append(TupleReader(target, layout, None, anchor, before, scopes, name))


def _is_spare(target: tree.Node) -> bool:
    return last_name(target).startswith("_")
