"""Code that looks into a key across the place where a segment comes in: `pk.endswith(f"{tenant_id}#ORDER")`,
`"t1#ORDER" in pk`, `pk[7 : pk.index("#ORDER")]`, `pk.rpartition("#ORDER#")[0]`.

It is tried on a made-up key as it is and as it will be, with what it looks for made up alike.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.keys.tags import separator_of
from capsule_lint.plan.taken_apart.parts import is_cut_again
from capsule_lint.plan.taken_apart.reads import ACROSS
from capsule_lint.plan.taken_apart.samples import samples
from capsule_lint.plan.taken_apart.shifts import Split
from capsule_lint.program.comparisons import comparisons
from capsule_lint.program.local_names import behind, reads_of
from capsule_lint.program.model import Function
from capsule_lint.program.texts.pieces import Filled, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.plan.taken_apart.readers import Readers
    from capsule_lint.program.texts.pieces import Piece

_POSITIONS: Final = ("find", "index", "rfind", "rindex")
_AT_END: Final = ("endswith", "removesuffix")
_HALVING: Final = ("partition", "rpartition")
_FINDING: Final = (*_POSITIONS, *_AT_END, *_HALVING, "count", "replace")
"""Methods that look for a text in a key."""
_MATCHING: Final = ("search", "match", "fullmatch", "findall", "finditer", "split")
_LEAVING: Final = ("removeprefix", "replace", "strip", "lower", "upper")
"""Methods that leave most of a key as it is."""
_MAX_DEPTH: Final = 3
_HOLE: Final = "\0"


class _Look(Struct, frozen=True):
    """Where something is looked for in a key, and what: a text, several, or the bounds of a slice."""

    node: tree.Node
    key: tree.Node
    sought: tree.Node
    method: str = ""


class _Tried(Struct, frozen=True):
    """A key of a changing template before and after the change, the words that are written in it, and its
    values by the names of their holes."""

    keys: tuple[str, str]
    words: frozenset[str]
    values: dict[str, str]
    separator: str
    known: int
    """How long the text is that all such keys begin with."""

    @classmethod
    def of(cls, defect: KeyDefect) -> _Tried | None:
        """`None` for a key that cannot be made up."""
        sample = next(samples(defect), None)
        if sample is None:
            return None
        pieces, separator = defect.template.pieces, separator_of(defect)
        names = (piece.name for piece in pieces if isinstance(piece, Filled))
        texts = "".join(p.value if isinstance(p, Text) else _HOLE for p in pieces)
        words = frozenset(one for one in texts.split(separator) if one and _HOLE not in one)
        values = dict(zip(names, sample.values, strict=True))
        known = len(texts.partition(_HOLE)[0])
        return cls((sample.before, sample.after), words, values, separator, known)


class Across(Struct, frozen=True, dict=True):
    """Finds such code: a person has to look at it."""

    readers: Readers

    def find(self, defects: list[KeyDefect]) -> None:
        """Note what is unsure."""
        changing = {id(defect.template.host) for defect in defects}
        separators = [mark for mark in dict.fromkeys(map(separator_of, defects)) if mark]
        tried: dict[int, _Tried | None] = {}
        for look in self._looks():
            module = self.readers.program.names.module_of(look.node)
            for mark in separators:
                split = Split(look.node, look.key, mark, -1, "")
                for defect in self.readers.near(split, module, defects, None):
                    if id(defect) not in tried:
                        tried[id(defect)] = _Tried.of(defect)
                    made = tried[id(defect)]
                    if made is not None and self._loses(look, made, changing):
                        self.readers.unsure.append((look.node, defect.knot, ACROSS))

    # --- places ---

    def _looks(self) -> Iterator[_Look]:
        """What may look into a key."""
        names, uses = self.readers.program.names, self.readers.program.calls.uses
        for name in (*_FINDING, *_MATCHING):
            for call in uses.calls_beside(name):
                look = None if names.module_of(call).generated else self._called(call, name)
                if look is not None and self._is_told(look.key):
                    yield look
        for module in names.editable():
            for node in module.each(tree.Subscript):
                if isinstance(node.index, tree.Slice) and self._is_told(node.base):
                    yield _Look(node, node.base, node.index)
            for compare in comparisons(module):
                if compare.op in ("in", "not in") and self._is_told(compare.right):
                    yield _Look(compare.node, compare.right, compare.left)

    def _called(self, call: tree.Call, name: str) -> _Look | None:
        match call:
            case tree.Call(func=tree.Attr(base=tree.Name(id="re")), args=(first, second, *_)):
                # Constant patterns are asked elsewhere, but for how they split.
                is_ours = name == "split" or tree.makes_text(first.value)
                return _Look(call, second.value, first.value, name) if is_ours else None
            case tree.Call(func=tree.Attr(base=key), args=(first, *_)) if name not in _MATCHING:
                text = tree.text(first.value)
                is_mark = text is not None and len(text) < 2
                return None if is_mark else _Look(call, key, first.value, name)
            case _:
                return None

    def _is_told(self, node: tree.Node, depth: int = 0) -> bool:
        """Whether an expression is a key by its name, or what a helper yields."""
        splits, names = self.readers.splits, self.readers.program.names
        if self.readers.program.policy.is_key_name(splits.name(node)):
            return True
        match node:
            case tree.Call(func=tree.Attr(name=name, base=base)) if name in _LEAVING:
                return self._is_told(base, depth)
            case tree.Call():
                return node.func.last_name() in self._makers and splits.is_key(node)
            case tree.Name() if depth < _MAX_DEPTH:
                values = [binding.assigned for binding in names.bindings_of(node)]
                return any(one is not None and self._is_told(one, depth + 1) for one in values)
            case _:
                return False

    @cached_property
    def _makers(self) -> frozenset[str]:
        return frozenset(function.name for function in self.readers.program.keys.helpers)

    # --- what they say of a key ---

    def _loses(self, look: _Look, tried: _Tried, changing: set[int]) -> bool:
        """Whether code says something else of a changed key, for which nothing else answers."""
        if isinstance(look.sought, tree.Slice):
            return self._is_another_piece(look.sought, tried, changing)
        if look.method == "split":
            return self._is_split_otherwise(look.sought, tried)
        halving, at_end = look.method in _HALVING, look.method in _AT_END
        if halving and not self._is_head_used(look.node):
            return False
        gone = _moves if halving else _is_lost
        if halving and not is_cut_again(self.readers.program, look.node):
            gone = _ends_otherwise
        patterns = (
            self._pattern(one, tried, changing, at_end=at_end) for one in tree.items(look.sought)
        )
        return any(pattern is not None and gone(pattern, tried) for pattern in patterns)

    def _is_split_otherwise(self, pattern: tree.Node, tried: _Tried) -> bool:
        """Whether `re.split` by more than a mark gives other parts."""
        text = self.readers.program.templates.constant(pattern)
        if text is None or len(text) < 2:
            return False
        try:
            before, after = (re.split(text, key) for key in tried.keys)
        except re.error:
            return True
        return before != after

    def _pattern(
        self, node: tree.Node, tried: _Tried, changing: set[int], *, at_end: bool = False
    ) -> str | None:
        """An expression for what is looked for in a key, made up as that is; `None` where it has nothing that
        is written in the key, or changes itself."""
        pieces = self._pieces(node)
        if not pieces or any(id(piece.host) in changing for piece in pieces):
            return None
        names = iter([piece.name for piece in pieces if isinstance(piece, Filled)])
        text = "".join(p.value if isinstance(p, Text) else _HOLE for p in pieces)
        parts = text.split(tried.separator)
        found: list[str | None] = []
        for number, part in enumerate(parts):
            holes = [next(names) for _ in range(part.count(_HOLE))]
            if part == _HOLE:
                found.append(tried.values.get(holes[0]))
            elif not number:
                found.append(next((part for one in tried.words if one.endswith(part)), None))
            elif number == len(parts) - 1 and not at_end:
                found.append(next((part for one in tried.words if one.startswith(part)), None))
            else:
                found.append(part if part in tried.words or not part else None)
        if len(parts) < 2 or not any(found):
            return None
        value = f"([^{re.escape(tried.separator)}]*)"
        between = re.escape(tried.separator)
        whole = between.join(value if part is None else re.escape(part) for part in found)
        return whole + r"\Z" * at_end

    def _pieces(self, node: tree.Node, depth: int = 0) -> Sequence[Piece]:
        """What a text consists of that is looked for, also where a function makes it."""
        program = self.readers.program
        inner = behind(program.names, node)
        template = program.templates.template(inner) if inner is not None else None
        if template is not None:
            return () if template.opaque else template.pieces
        callees = program.calls.callees(inner) if isinstance(inner, tree.Call) else ()
        match [callee.function for callee in callees]:
            case [Function(returns=[value])] if depth < _MAX_DEPTH:
                return self._pieces(value, depth + 1)
            case _:
                return ()

    def _is_head_used(self, call: tree.Node) -> bool:
        """Whether what stands before the text is read of what `pk.partition("#ORDER#")` gives."""
        names = self.readers.program.names
        match names.parent(call):
            case tree.Subscript() as taken:
                return tree.integer(taken.index) not in (1, 2, -1, -2)
            case tree.Assign(targets=(tree.Sequence(items=(tree.Name() as head, *_)),)):
                return any(True for _ in reads_of(names, head, (head.at,)))
            case _:
                return True

    # --- pieces of keys ---

    def _is_another_piece(self, bounds: tree.Slice, tried: _Tried, changing: set[int]) -> bool:
        """Whether a slice whose bounds are looked for in a key takes something else out of it, and not
        what it begins with."""
        lower, upper = bounds.lower, bounds.upper
        if bounds.step is not None:
            return False
        start = tree.integer(lower)
        if start is not None and start > tried.known:
            return True  # what stands there depends on how long a value is
        if not any(map(self._is_sought, bounds.below())):
            return False
        before, after = (self._piece(lower, upper, tried, text, changing) for text in tried.keys)
        if before is None or after is None:
            return True
        return before != after and lower is not None

    def _is_sought(self, bound: tree.Node, depth: int = 0) -> bool:
        """Whether a bound comes from where something stands in a key."""
        match behind(self.readers.program.names, bound):
            case tree.Call(func=tree.Attr(name=name)) if name in _POSITIONS:
                return True
            case tree.Binary(left=left, right=right) if depth < 2:
                return self._is_sought(left, depth + 1) or self._is_sought(right, depth + 1)
            case _:
                return False

    def _piece(
        self,
        lower: tree.Node | None,
        upper: tree.Node | None,
        tried: _Tried,
        key: str,
        changing: set[int],
    ) -> str | None:
        """What a slice takes out of a key; `None` where that is not known."""
        limits: list[int | None] = []
        for bound in (lower, upper):
            at = None if bound is None else self._number(bound, tried, key, changing)
            if bound is not None and at is None:
                return None
            limits.append(at)
        return key[slice(*limits)]

    def _number(
        self, bound: tree.Node, tried: _Tried, key: str, changing: set[int], depth: int = 0
    ) -> int | None:
        """What a bound is for a key."""
        inner = behind(self.readers.program.names, bound)
        match inner:
            case tree.Call(func=tree.Name(id="len"), args=(measured,)):
                text = self.readers.program.templates.constant(measured.value)
                return None if text is None else len(text)
            case tree.Call(func=tree.Attr(name=name), args=(sought,)) if name in _POSITIONS:
                text = self.readers.program.templates.constant(sought.value)
                pattern = re.escape(text) if text is not None else None
                pattern = self._pattern(sought.value, tried, changing) or pattern
                places = [] if pattern is None else [m.start() for m in re.finditer(pattern, key)]
                return places[-1 if name.startswith("r") else 0] if places else None
            case tree.Binary(op="+" | "-" as op, left=left, right=right) if depth < 2:
                first = self._number(left, tried, key, changing, depth + 1)
                second = self._number(right, tried, key, changing, depth + 1)
                if first is None or second is None:
                    return None
                return first + second if op == "+" else first - second
            case _:
                return tree.integer(inner)


def _is_lost(pattern: str, tried: _Tried) -> bool:
    """Whether something that stands inside of a key is not there after the change, or is something else."""
    before, after = (re.search(pattern, key) for key in tried.keys)
    if before is None or not before.start():
        return False  # what keys begin with is asked elsewhere
    return after is None or before.groups() != after.groups()


def _moves(pattern: str, tried: _Tried) -> bool:
    """Whether something else stands before a text in the key after the change."""
    before, after = (re.search(pattern, key) for key in tried.keys)
    if before is None:
        return False
    return after is None or before.string[: before.start()] != after.string[: after.start()]


def _ends_otherwise(pattern: str, tried: _Tried) -> bool:
    """Whether what stands before a text in the key ends with something else after the change."""
    found = [re.search(pattern, key) for key in tried.keys]
    heads = [match.string[: match.start()] for match in found if match is not None]
    parts = [head.split(tried.separator) for head in heads]
    return (
        bool(parts) and found[0] is not None and (len(parts) < 2 or parts[0][-2:] != parts[1][-2:])
    )
