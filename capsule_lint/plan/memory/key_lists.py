"""Lists and deques that hold whole keys: they are asked for one, `(tenant_id, note_id) in self._recent`,
`self._order.index((tenant_id, note_id))`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.in_order import LISTS, PLACED, in_order
from capsule_lint.program.containers import ADDING_ALL, ADDING_ONE, LISTED
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.program import Program

_KINDS: Final = LISTS | {"list", "List", "deque", "Deque"}
_ASKING: Final = frozenset(("index", "remove", "count", "discard"))


class KeyLists(Struct, frozen=True, dict=True):
    """Finds them, and what they are asked for and given."""

    program: Program

    def is_one(self, home: Home) -> bool:
        """Whether an attribute of a class is such a list."""
        owner, name = home
        if not isinstance(owner, Class) or name not in self.asked:
            return False
        stores = owner.stores.get(name, [])
        bindings = owner.scope.bindings.get(name, [])
        values = [s.value for s in stores] + [b.value for b in bindings]
        annotations = [s.annotation for s in stores] + [b.annotation for b in bindings]
        kinds = {last_name(a) for a in annotations if a is not None}
        return not kinds.isdisjoint(_KINDS) or any(map(_makes, values))

    @cached_property
    def asked(self) -> frozenset[str]:
        """What is called so that it is asked for a tuple which says a scope."""
        return frozenset(
            last_name(base)
            for node in self._may_ask()
            for base, key in (*self._asking(node), *in_order(node))
            if isinstance(base, tree.Attr) and self._says_scope(key)
        )

    def _may_ask(self) -> Iterator[tree.Node]:
        uses = self.program.calls.uses
        for module in self.program.names.production():
            yield from module.each(tree.Compare)
        for word in sorted(_ASKING | PLACED | {"irange"}):
            for call in uses.calls_beside(word):
                if not self.program.names.module_of(call).is_test:
                    yield call

    def _asking(self, node: tree.Node) -> Iterator[tuple[tree.Node, tree.Node]]:
        """What an expression looks for in a list, and in which."""
        match node:
            case tree.Compare(ops=("in" | "not in",), left=left, rights=(base,)):
                yield base, left
            case tree.Call(func=tree.Attr(name=name, base=base), args=(first, *_)) if (
                name in _ASKING
            ):
                yield base, first.value

    def looked_up(self, node: tree.Node) -> Iterator[tuple[tree.Node, tree.Node]]:
        """The same, and what is put into one."""
        yield from self._asking(node)
        match node:
            case tree.Call(func=tree.Attr(name=name, base=base), args=(*_, last)) if (
                name in ADDING_ONE
            ):
                yield base, last.value
            case tree.Call(func=tree.Attr(name=name, base=base), args=(only,)) if (
                name in ADDING_ALL
            ):
                yield from ((base, key) for key in elements(only.value))

    def _says_scope(self, node: tree.Node) -> bool:
        found = behind(self.program.names, node)
        items = found.items if isinstance(found, tree.Sequence) and found.kind == "tuple" else ()
        return any(map(self.program.domain.held.has_value, items))


def elements(node: tree.Node) -> tuple[tree.Node, ...]:
    """What a list has that is made: `[key]`, `[key for …]`, `deque([key])`, `[key] + order`."""
    match node:
        case tree.Sequence(kind="list"):
            return node.items
        case tree.Comprehension(kind="ListComp" | "GeneratorExp"):
            return node.results
        case tree.Call(args=(first, *_)) if last_name(node.func) in LISTED:
            return elements(first.value)
        case tree.Binary(op="+"):
            return (*elements(node.left), *elements(node.right))
        case _:
            return ()


def _makes(node: tree.Node | None) -> bool:
    match node:
        case tree.Sequence(kind="list"):
            return True
        case tree.Call() if last_name(node.func) in ("field", "Field", "Factory"):
            given = (node.keyword("default_factory"), node.keyword("factory"))
            return any(one is not None and last_name(one) in _KINDS for one in given)
        case tree.Call():
            return last_name(node.func) in _KINDS
        case _:
            return False
