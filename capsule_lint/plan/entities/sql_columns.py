"""Columns of SQL that are named by all entries of a dict, or all fields of a class: where these get one, no table has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.hidden import keys_of, viewed
from capsule_lint.plan.entities.wholes import named_by
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.local_names import behind, made_throughout
from capsule_lint.program.model import last_name
from capsule_lint.program.purposes.sql import ASKING, is_statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.grown import Gain, Grown
    from capsule_lint.plan.mends import Mends

_REASON: Final = (
    "this names the columns of a table of SQL, and gets `{}`, for which that may have none"
)
_MAX_DEPTH: Final = 4
_FILLED: Final = frozenset(("insert", "update"))
"""What makes a statement of SQLAlchemy's that is given its values by their columns."""
_CREATING: Final = frozenset(("create", "get_or_create", "update_or_create"))
"""Methods of Django's `objects` that do the same."""


@dataclass(eq=False, slots=True)
class SqlColumns(MendRoom):
    """Notes that a person must look at them."""

    mends: Mends
    grown: Grown

    def build(self) -> None:
        """Look at all statements."""
        for name in sorted({"values"} | _CREATING | ASKING):
            for call in self.program.calls.uses.calls_beside(name):
                for node, gain in self._named(call):
                    self.mends.obstacle(gain.knot, node, _REASON.format(gain.key))

    def _named(self, call: tree.Call) -> Iterator[tuple[tree.Node, Gain]]:
        """Where a call names columns, and what it comes to name."""
        first = call.args[0].value if call.plain else None
        match call.func:
            case tree.Attr(name="values", base=filled) if self._is_filled(filled):
                given = [argument.value for argument in call.args if argument.keyword is None]
            case tree.Attr(name=name, base=tree.Attr(name="objects")) if name in _CREATING:
                given = list(call.spread)
            case tree.Attr(name=name) if first is not None and name in ASKING:
                if self._says_statement(first, 0):
                    yield from self._joined(first, 0)
                made = behind(self.program.names, first) or first
                given = call.plain[1:2] if self._is_filled(made) else []
            case _:
                return
        for node in given:
            for gain in (*self.grown.of(node), *self.grown.of_elements(node)):
                yield node, gain

    def _is_filled(self, node: tree.Node) -> bool:
        """`insert(table)`, `table.insert()`, and not a function of the program."""
        return (
            isinstance(node, tree.Call)
            and last_name(node.func) in _FILLED
            and not self.program.calls.callees(node)
        )

    # --- statements that are texts ---

    def _says_statement(self, node: tree.Node, depth: int) -> bool:
        """Whether an expression is a statement: `f"INSERT INTO …"`, `text(statement)`, or what a function of the program
        gives that is one."""
        made = behind(self.program.names, node)
        if made is None or depth > _MAX_DEPTH:
            return False
        if is_statement(made) or not isinstance(made, tree.Call):
            return is_statement(made)
        return any(self._says_statement(one, depth + 1) for one in self._inside(made))

    def _inside(self, call: tree.Call) -> Iterator[tree.Node]:
        """What a call gives: of a function of the program its results, and of another one what it is given."""
        callees = self.program.calls.callees(call)
        for callee in callees:
            yield from callee.function.returns if callee.function is not None else ()
        yield from call.plain[:1] if not callees else ()

    def _joined(self, node: tree.Node, depth: int) -> Iterator[tuple[tree.Node, Gain]]:
        """The keys and names that a text is joined of, here or in the functions that give it."""
        for one in made_throughout(self.program.names, node):
            match one:
                case tree.Call(func=tree.Attr(name="join"), args=(only,)):
                    for gain in self._gone_through(only.value):
                        yield one, gain
                case tree.Call() if depth < _MAX_DEPTH and self.program.calls.callees(one):
                    for given in self._inside(one):
                        yield from self._joined(given, depth + 1)

    def _gone_through(self, node: tree.Node) -> Iterator[Gain]:
        """What comes to be among the names that are joined: `values`, `[f":{name}" for name in values]`,
        `map(quoted, values)`, `(f.name for f in fields(Order))`."""
        node = behind(self.program.names, node) or node
        match node:
            case tree.Comprehension(results=(result, *_), generators=(one,)):
                if any(isinstance(test, tree.Compare) and "in" in test.ops for test in one.ifs):
                    return
                cls = named_by(result, one.target, one.iter)
                yield from self.grown.of_object(cls) if cls is not None else ()
                yield from self._keys(one.iter)
            case tree.Call(func=tree.Name(id="map"), args=(_, listed)):
                yield from self._keys(listed.value)
            case _:
                yield from self._keys(node)

    def _keys(self, node: tree.Node) -> Iterator[Gain]:
        """What the keys of a dict come to be that something goes through."""
        yield from self.grown.of(viewed(node, "items") or keys_of(node) or node)
