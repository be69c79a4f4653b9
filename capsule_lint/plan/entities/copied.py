"""Keys that are copied from another row: `{"PK": wallet["PK"], "SK": …}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.local_names import assigned
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.rows import Rows
    from capsule_lint.plan.entities.steps import Steps
    from capsule_lint.program import Program

_MAX_DEPTH: Final = 6


@dataclass(eq=False, slots=True)
class Copied:
    """Follows them to what the other row is written with, or is looked up by."""

    program: Program
    rows: Rows
    steps: Steps

    def behind(self, value: tree.Node, depth: int = 0) -> Iterator[tree.Node]:
        """The keys that an expression copies; none where it makes one."""
        if depth > _MAX_DEPTH:
            return
        if isinstance(value, tree.Name):
            for one in assigned(self.program.names, value):
                yield from self.behind(one, depth + 1)
        row = self._row(value)
        if row is not None:
            yield from self.of_row(row, depth + 1)

    def of_row(self, row: tree.Node, depth: int = 0) -> Iterator[tree.Node]:
        """What may be the keys of a row."""
        is_key, origins = self.program.policy.is_key_name, self.rows.origins(row)
        for display in origins.displays:
            parts = self.steps.of(display)
            for name, value in parts.entries:
                if is_key(name):
                    yield value
                    yield from self.behind(value, depth + 1)
            yield from parts.wholes
        for one in origins.stored:
            yield from self._asked(one, depth)

    def _row(self, node: tree.Node) -> tree.Node | None:
        """`wallet` of `wallet["PK"]`, `wallet.get("PK")` and `wallet.pop("PK")`."""
        match node:
            case tree.Subscript(base=base, index=tree.Const(value=str() as key)):
                return base if self.program.policy.is_key_name(key) else None
            case tree.Call(func=tree.Attr(name="get" | "pop", base=base), args=(first, *_)):
                key = tree.text(first.value) or ""
                return base if self.program.policy.is_key_name(key) else None
            case _:
                return None

    def _asked(self, node: tree.Node, depth: int) -> Iterator[tree.Node]:
        """What the call asks for by whose response a row is read: whatever stands in its arguments, and the
        keys of a dict that is put together step by step."""
        if depth > _MAX_DEPTH:
            return
        match node:
            case tree.Subscript() | tree.Attr():
                yield from self._asked(node.base, depth + 1)
            case tree.Wrapped() | tree.Walrus():
                yield from self._asked(node.value, depth + 1)
            case tree.Name():
                for value in assigned(self.program.names, node):
                    yield from self._asked(value, depth + 1)
            case tree.Call(func=tree.Attr(name="get", base=base)):
                yield from self._asked(base, depth + 1)
            case tree.Call():
                for argument in node.args:
                    yield from within(argument.value)
                    yield from self.steps.keys_given(argument.value)
