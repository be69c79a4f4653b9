"""What is left of a key once its beginning is cut off: `pk.removeprefix("TENANT#")`, `pk[len("TENANT#"):]`.

Where that is the last value of the key, and a segment comes behind it, the segment is cut off as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.taken_apart.parts import CUTS, is_cut_again, leaves
from capsule_lint.plan.taken_apart.shifts import Split, shift_of
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.logs import is_for_people
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.plan.taken_apart.readers import Readers
    from capsule_lint.plan.taken_apart.shifts import Shift
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module

_TAILS: Final = ("removesuffix", "rpartition")
"""Methods that leave the beginning of a key."""
_SUB: Final = "sub"
"""`re.sub("^TENANT#", "", pk)`, which cuts off a pattern."""
_WHOLE: Final = ("endswith", "encode", "lower", "upper")
"""Methods to which it is nothing what comes into the front of a key."""
_MAX_DEPTH: Final = 3
_PART: Final = re.compile(r"\w+")
"""One part of a key."""
UNCLEAR: Final = "takes a key apart by position, in a way that cannot be followed"


class Remainder(Struct, frozen=True):
    """An expression that is a value at the end of a key: `behind` is what the segments begin with that follow it
    once the key has changed, `#CAPSULE#`."""

    node: tree.Node
    module: Module
    scopes: tuple[Scope, ...]
    knot: Knot
    behind: str


class _Cut(Struct, frozen=True):
    """A text that is cut off a key, and the method of strings that does it; a slice is a `removeprefix`."""

    node: tree.Call | tree.Subscript
    key: tree.Node
    method: str
    text: str
    counted: bool = False
    """Whether the text is only told by how long it is: `pk[6:]`."""

    def is_last(self, shifts: Sequence[Shift]) -> bool:
        """Whether the text stands before the last value of all these keys, and the same comes behind that."""
        return len({(s.behind, s.scopes) for s in shifts}) == 1 and all(
            s.start == len(s.parts)
            and s.plain.partition(self.text)[2] == "?"
            and (self.method == "partition" or s.plain.startswith(self.text))
            for s in shifts
        )


@dataclass(eq=False, slots=True)
class Remainders:
    """Finds them."""

    readers: Readers
    found: list[Remainder] = field(default_factory=list)

    def find(self, defects: list[KeyDefect]) -> None:
        """Fill `found`, and what is unsure of the readers."""
        program = self.readers.program
        for name in (*CUTS, _SUB):
            for call in program.calls.uses.calls_beside(name):
                if not program.names.module_of(call).generated:
                    self._note(call, defects)
        for module in program.names.editable():
            for node in module.each(tree.Subscript):
                if isinstance(node.index, tree.Slice):
                    self._note(node, defects)

    def _note(self, node: tree.Call | tree.Subscript, defects: list[KeyDefect]) -> None:
        for cut in self._cuts(node, defects):
            shifts = self._shifts(cut, defects)
            self.readers.tie(shifts)
            rest = self._rest(cut)
            if shifts and rest is not None and cut.is_last(shifts):
                module = self.readers.program.names.module_of(node)
                first = shifts[0]
                self.found.append(Remainder(rest, module, first.scopes, first.knot, first.behind))
            elif shifts:
                self.readers.unsure.append((node, shifts[0].knot, UNCLEAR))

    def of(self, node: tree.Node, defects: list[KeyDefect]) -> tuple[tree.Node, Shift] | None:
        """The key that an expression is the last value of, and what comes behind that."""
        inner = node.base if isinstance(node, tree.Subscript) else node
        for one in dict.fromkeys((node, inner)):
            for cut in self._cuts(one, defects):
                shifts = self._shifts(cut, defects)
                if shifts and self._rest(cut) is node and cut.is_last(shifts):
                    return cut.key, shifts[0]
        return None

    def _cuts(self, node: tree.Node, defects: list[KeyDefect]) -> Iterator[_Cut]:
        """What an expression may cut off a key."""
        program = self.readers.program
        match node:
            case tree.Call(func=tree.Attr(name=name, base=key), args=(first, *_)) if name in CUTS:
                text = program.templates.constant(first.value) if self._is_told(key) else None
                parent = program.names.parent(node)
                split = isinstance(parent, tree.Attr) and parent.name == "split"
                if text is not None and not split:
                    yield _Cut(node, key, name, text)
            case tree.Call(func=tree.Attr(name="sub"), args=(first, _, tree.Argument(value=key))):
                text = program.templates.constant(first.value) if self._is_told(key) else None
                if text is not None:
                    yield _Cut(node, key, _SUB, text.lstrip("^"))
            case tree.Subscript(base=key, index=tree.Slice() as bounds) if self._is_told(key):
                counted = tree.integer(bounds.lower) is not None
                for text in self._beginnings(bounds, defects):
                    yield _Cut(node, key, "removeprefix", text, counted)

    def _is_told(self, node: tree.Node) -> bool:
        """Whether an expression is a key by its name, or what a helper yields."""
        readers = self.readers
        return readers.program.policy.is_key_name(readers.splits.name(node)) or (
            isinstance(node, tree.Call) and readers.splits.is_key(node)
        )

    def _beginnings(self, bounds: tree.Slice, defects: list[KeyDefect]) -> Iterator[str]:
        """The texts that may be cut off a key by their length: `pk[len("TENANT#"):]`, `pk[7:]`."""
        match bounds.lower if bounds.upper is None and bounds.step is None else None:
            case tree.Call(func=tree.Name(id="len"), args=(tree.Argument(value=measured),)):
                text = self.readers.program.templates.constant(measured)
                yield from () if text is None else (text,)
            case bound:
                number = tree.integer(bound)
                firsts = [d.template.pieces[0] for d in defects]
                texts = dict.fromkeys(p.value for p in firsts if isinstance(p, Text))
                yield from (text for text in texts if len(text) == number)

    def _shifts(self, cut: _Cut, defects: list[KeyDefect]) -> list[Shift]:
        """How the parts of the keys move of which something else is left then."""
        readers = self.readers
        index = self._index(cut)
        module = readers.program.names.module_of(cut.node)
        again = cut.method in _TAILS and is_cut_again(readers.program, cut.node)
        for mark in sorted({char for char in cut.text if not char.isalnum()})[:1]:
            split = Split(cut.node, cut.key, mark, -1, "")
            moving = readers.moving(split, module, defects)
            if self._is_put_in_place(cut, mark, moving, defects):
                return []
            counted = cut.counted and not self._is_of_others(cut, defects)
            return [
                s
                for s in moving
                if again
                or leaves(cut.method, cut.text, index, s, mark)
                # what is cut off by its text is asked elsewhere
                or (counted and s.start < cut.text.count(mark) and s.plain.startswith(cut.text))
            ]
        return []

    def _is_of_others(self, cut: _Cut, defects: list[KeyDefect]) -> bool:
        """Whether the program has keys that stay, and begin with a text that is as long as what is cut off."""
        changing = {id(defect.template.host) for defect in defects}
        firsts = (
            site.template.pieces[0]
            for site in self.readers.program.keys.sites
            if id(site.template.host) not in changing
            and site.template.pieces
            and not site.module.is_test
        )
        return any(isinstance(p, Text) and len(p.value) == len(cut.text) for p in firsts)

    def _is_put_in_place(
        self, cut: _Cut, mark: str, moving: list[Shift], defects: list[KeyDefect]
    ) -> bool:
        """`pk.replace("#NOTE#", "#MEMO#")`: whether one part of a key is put in the place of another, behind all that comes
        into the key; keys that have either of these parts change alike, and together."""
        given = cut.node.args[1:] if isinstance(cut.node, tree.Call) else ()
        if not moving or cut.method != "replace" or len(given) != 1:
            return False
        readers = self.readers
        texts = (cut.text, readers.program.templates.constant(given[0].value) or "")
        if not all(_PART.fullmatch(text.strip(mark)) for text in texts):
            return False
        if any(text in d.template.text for text in texts for d in readers.staying):
            return False
        having = [d for d in defects if any(text in d.template.text for text in texts)]
        shifts = [*moving, *(s for d in having if (s := shift_of(d, mark)) is not None)]
        alike = len({(s.start, s.scopes) for s in shifts}) == 1
        if not alike or not _stays_whole(readers.program, cut.node):
            return False
        readers.tie(shifts)
        return all(shift.is_before(cut.text.strip(mark), mark) for shift in shifts)

    def _index(self, cut: _Cut) -> int | None:
        """Which of the parts is taken that `partition` gives."""
        parent = self.readers.program.names.parent(cut.node)
        return tree.integer(parent.index) if isinstance(parent, tree.Subscript) else None

    def _rest(self, cut: _Cut) -> tree.Node | None:
        """The expression that is all that stands behind what is cut off."""
        match cut.node, cut.method:
            case _, "removeprefix":
                return cut.node
            case tree.Call(args=(_, only)), "replace" if tree.text(only.value) == "":
                return cut.node
            case _, "partition" if self._index(cut) == 2:
                parent = self.readers.program.names.parent(cut.node)
                return parent if isinstance(parent, tree.Subscript) else None
            case _:
                return None


def _stays_whole(program: Program, node: tree.Node, depth: int = 0) -> bool:
    """Whether what a cut leaves of a key is surely used as a whole, also where its function gives that back: it is written,
    looked up, compared, or told to what is followed."""
    names = program.names
    parent, function = names.parent(node), names.function_of(node)
    if depth > _MAX_DEPTH:
        return False
    if function is not None and any(one is node for one in function.returns):
        calls = [call for call, _ in program.calls.callers(function)]
        return all(_stays_whole(program, call, depth + 1) for call in calls)
    match parent:
        case tree.Attr(name=name):
            return name in _WHOLE
        case tree.Subscript(index=index):
            return index is node
        case tree.Call(args=args):
            named = any(a.value is node and a.keyword for a in args)
            followed = bool(program.calls.callees(parent))
            return named or followed or is_for_people(names, node)
        case tree.Assign(targets=targets):
            bound = [target for target in targets if isinstance(target, tree.Name)]
            rows = [target for target in targets if isinstance(target, tree.Subscript)]
            reads = (read for name in bound for read in reads_of(names, name, {name.at}))
            return len(bound) + len(rows) == len(targets) and all(
                _stays_whole(program, read, depth + 1) for read in reads
            )
        case _:
            return isinstance(parent, tree.DictDisplay | tree.Compare) or is_for_people(
                names, node
            )
