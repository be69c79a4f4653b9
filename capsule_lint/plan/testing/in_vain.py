"""What tests look for in vain: `assert repo.get("u", "1") is None`, `with pytest.raises(NotFound): repo.get("u", "1")`.
Who looks so is a stranger, and not whose things the test writes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.blocks import managers
from capsule_lint.program.calling.fixtures import rows_of
from capsule_lint.program.expected_errors import expected_by
from capsule_lint.program.local_names import bound_whole, only_assigned, reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Module

_MAX_DEPTH: Final = 3
_NOBODY: Final = frozenset[str]()
_ABSENCE: Final = re.compile(
    "notfound|missing|unknown|nosuch|notexist|denied|forbidden|permission|KeyError|LookupError",
    re.IGNORECASE,
)
"""Errors that tell that something is not there, or belongs to somebody else."""


@dataclass(eq=False, slots=True)
class InVain:
    """Finds it."""

    program: Program
    literal: Callable[[tree.Node], str | None]
    """The text that a value is known to be."""
    _refusals: dict[Module, frozenset[int]] = field(default_factory=dict)

    def finds_nothing(self, node: tree.Node) -> bool:
        """Whether a test expects that an expression finds nothing."""
        parent: object = node
        for parent, side in self._around(node):
            nothing = _expects_nothing(parent, side)
            if nothing is not None:
                return nothing and not self._is_code(side)
        refused = id(parent) in self._refused(self.program.names.module_of(node))
        return refused or self._is_looked_up(node)

    def is_strangers(self, function: Function, name: str, usual: str | None) -> bool:
        """Whether a test looks something up by a local, and does nothing else with it, and finds nothing, or finds it in
        those rows of `parametrize` alone in which the local is the `usual` value."""
        uses = [
            node
            for node in self.program.names.called(function, name)
            if bound_whole(self.program.names, node) is not None
        ]
        return bool(uses) and all(
            self._is_looked_up(one) or self._finds_usual(function, one, usual) for one in uses
        )

    def _is_looked_up(self, node: tree.Node, by: frozenset[str] = _NOBODY, depth: int = 0) -> bool:
        """Whether rows are looked up by an expression, or by what it makes, and a test expects that there are none:
        `found = repo.get("u", "1")`. What a call gives that looks nothing up, as an exit code, tells nothing of rows, nor
        does a part of what is found; `by` are the names of the calls that it has come through."""
        parent: object = node
        for parent, side in self._around(node):
            nothing = _expects_nothing(parent, side)
            if nothing is not None:
                counted = any(one == "len" or "count" in one for one in by)
                number = isinstance(parent, tree.Expr) and any(map(_is_number, parent.below()))
                return nothing and bool(by) and (counted or not number)
            match parent:
                case tree.Call() if by or self._looks_up(parent):
                    by |= {last_name(parent.func)}
                case tree.Attr() | tree.Subscript() if by:
                    return False
        if id(parent) in self._refused(self.program.names.module_of(node)):
            return True
        match parent:
            case tree.Assign(targets=(tree.Name() as found,), op="") if depth < _MAX_DEPTH:
                reads = list(reads_of(self.program.names, found, (found.at,)))
                return bool(reads) and all(self._is_looked_up(one, by, depth + 1) for one in reads)
        return False

    def _looks_up(self, call: tree.Call, depth: int = 0) -> bool:
        """Whether a call gives what a repository finds."""
        domain, names = self.program.domain, self.program.names
        for callee in self.program.calls.callees(call) if depth < _MAX_DEPTH else ():
            function = callee.function if callee.cls is None else None
            if function is None:
                continue
            if function.owner in domain.repositories or domain.touches_table(function):
                return True
            for given in function.returns:
                made = only_assigned(names, given) or given
                made = made.value if isinstance(made, tree.Wrapped) else made
                if isinstance(made, tree.Call) and self._looks_up(made, depth + 1):
                    return True
        return False

    def _is_code(self, node: tree.Node, depth: int = 0) -> bool:
        """Whether an expression is a number that is written out, or a call that gives one whatever rows it has found: an
        exit code."""
        match node:
            case tree.Call() if depth < _MAX_DEPTH:
                called = [c.function for c in self.program.calls.callees(node) if c.cls is None]
                given = [(f, one) for f in called if f is not None for one in f.returns]
                return {f for f, _ in given} == set(called) != set() and all(
                    self._is_code(one, depth + 1) for _, one in given
                )
            case tree.Conditional(then=then, otherwise=otherwise):
                return self._is_code(then, depth) and self._is_code(otherwise, depth)
            case _:
                return _is_number(node)

    def _finds_usual(self, function: Function, node: tree.Name, usual: str | None) -> bool:
        """Whether a test looks something up by a value of `parametrize`, and expects nothing unless that is the usual one."""
        looked = False
        for parent, side in self._around(node):
            looked = looked or (isinstance(parent, tree.Call) and self._looks_up(parent))
            for other in _others(parent, side) if isinstance(parent, tree.Compare) else ():
                rows = (
                    rows_of(function, node.id, other.id) if isinstance(other, tree.Name) else None
                )
                if rows and isinstance(other, tree.Name):
                    found = [row for row in rows if not _is_empty(row.get(other.id, other))]
                    values = {self.literal(row.get(node.id, node)) for row in found}
                    usually = usual is not None and values <= {usual}
                    return looked and usually and len(found) < len(rows)
        return False

    def _around(self, node: tree.Node) -> Iterator[tuple[object, tree.Node]]:
        """What an expression stands in, from within, up to its statement, and what of that it is in."""
        parent = self.program.names.parent(node)
        while parent is not None:
            yield parent, node
            if not isinstance(parent, tree.Expr):
                return
            node, parent = parent, self.program.names.parent(parent)

    def _refused(self, module: Module) -> frozenset[int]:
        """The statements of a test from which it expects that something is not there, or is not theirs."""
        if module not in self._refusals:
            blocks = [one for one, _ in module.statements if isinstance(one, tree.Block)]
            self._refusals[module] = frozenset(
                id(inner)
                for block in blocks
                if block.kind == "with" and any(map(_expects_absence, managers(block)))
                for inner in block.bodies[0]
            )
        return self._refusals[module]


def _others(compare: tree.Compare, side: tree.Node) -> list[tree.Node]:
    """What a comparison compares an expression with."""
    return [one for one in (compare.left, *compare.rights) if one is not side]


def _expects_nothing(parent: object, side: tree.Node) -> bool | None:
    """Whether what stands around an expression expects it to be nothing; `None` where it expects nothing of it."""
    match parent:
        case tree.Compare() if parent.ops[0] in ("==", "is"):
            return any(map(_is_empty, _others(parent, side)))
        case tree.Wrapped(kind="not"):
            return True
        case tree.Call() if last_name(parent.func).startswith("assert"):
            empty = any(_is_empty(a.value) for a in parent.args)
            return empty or last_name(parent.func) in ("assertIsNone", "assertFalse")
        case _:
            return None


def _expects_absence(node: tree.Node) -> bool:
    """Whether a test says so: `with pytest.raises(NotFound):`."""
    return any(map(_ABSENCE.search, expected_by(node)))


def _is_number(node: tree.Node) -> bool:
    return isinstance(node, tree.Const) and type(node.value) in (int, float)


def _is_empty(node: tree.Node) -> bool:
    """Whether an expression is `None`, `False`, 0 or an empty display."""
    match node:
        case tree.Const(value=value):
            return not value and node.kind != "ellipsis"
        case tree.Sequence(items=()) | tree.DictDisplay(keys=()):
            return True
        case tree.Call(func=tree.Name(id="set" | "list" | "dict" | "tuple"), args=()):
            return True
        case _:
            return False
