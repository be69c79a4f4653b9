"""Dicts of the decorators of a program in which nothing stands but what the decorated functions give: `kept[name] =
function(*args)`. Whoever looks into one knows it by the decorator alone, and its keys may say more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.keyed_methods import PUTTING, is_keyed, key_beside
from capsule_lint.plan.memory.making import makes_collection
from capsule_lint.plan.uses.choices import TRUTHS, is_empty
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Function


class DecoratorMemos(Struct, frozen=True):
    """Finds them by what makes their keys."""

    program: Program

    def are_keys(self, made: Iterable[tree.Node]) -> bool:
        """Whether nothing is done with some values but looking them up in such dicts, in which nothing else is."""
        looked = [one for value in made for one in self._looked_up(value)]
        dicts = [one for one in looked if one is not None]
        keyed = {id(one) for one in dicts}
        return (
            bool(looked)
            and len(dicts) == len(looked)
            and all(self._is_memo(one, keyed) for one in dicts)
        )

    def keys_of_results(self, maker: Function) -> Iterator[tree.Node]:
        """Under which keys a decorator keeps what the decorated function gives, whatever it keeps it in."""
        names = self.program.names
        for node in names.inside(maker):
            key = key_beside(names, node) if isinstance(node, tree.Name | tree.Attr) else None
            if key is not None and any(map(self._is_result, self._taken_in(node))):
                yield key

    def _looked_up(self, made: tree.Node) -> Iterator[tree.Name | None]:
        """The dicts in which a value is looked up where it is used, each where it stands; None for any other use."""
        names = self.program.names
        match names.parent(made):
            case tree.Assign(op="", targets=(tree.Name() as target,)):
                uses = list(reads_of(names, target, (target.at,)))
                for use in uses:
                    yield from self._looked_up(use)
                if not uses:
                    yield None
            case tree.Subscript(base=tree.Name() as base, index=key) if key is made:
                yield base
            case tree.Compare(ops=("in" | "not in",), left=key, rights=(tree.Name() as base,)) if (
                key is made
            ):
                yield base
            case tree.Call(
                func=tree.Attr(name=name, base=tree.Name() as base),
                args=(tree.Argument(value=key), *_),
            ) if key is made and is_keyed(name):
                yield base
            case _:
                yield None

    def _is_memo(self, name: tree.Name, keyed: set[int]) -> bool:
        """Whether a name is that of an empty dict of a function, which is used by the known keys alone and takes in
        results alone."""
        found = self.program.names.bindings_of(name)
        made = found[0].value if len(found) == 1 and _is_local(found[0]) else None
        if made is None or not (makes_collection(made) and is_empty(made)):
            return False
        uses = list(reads_of(self.program.names, name, (found[0].at,)))
        taken = [value for use in uses for value in self._taken_in(use)]
        known = all(id(use) in keyed or self._is_whole(use) for use in uses)
        return known and bool(taken) and all(map(self._is_result, taken))

    def _is_whole(self, use: tree.Name) -> bool:
        """Whether a dict is emptied, or only asked how much is in it, which has to do with no key."""
        match self.program.names.parent(use):
            case tree.Attr(name="clear"):
                return True
            case tree.Call(func=func):
                return last_name(func) in TRUTHS
            case _:
                return False

    def _taken_in(self, use: tree.Node) -> Iterator[tree.Node]:
        """What a dict takes in where it is used."""
        parent = self.program.names.parent
        match parent(use):
            case tree.Subscript() as entry:
                holder = parent(entry)
                if isinstance(holder, tree.Assign) and holder.value is not entry:
                    yield entry if holder.op or holder.value is None else holder.value
            case tree.Attr(name=name) as access if name in PUTTING:
                call = parent(access)
                yield call.args[-1].value if isinstance(call, tree.Call) else access

    def _is_result(self, node: tree.Node) -> bool:
        """Whether a value is what the decorated function gives, alone or with more beside it."""
        names = self.program.names
        match node:
            case tree.Wrapped(kind="await", value=value):
                return self._is_result(value)
            case tree.Sequence(kind="tuple"):
                return any(map(self._is_result, node.items))
            case tree.Name():
                found = names.bindings_of(node)
                given = found[0].value if len(found) == 1 and _is_local(found[0]) else None
                return given is not None and self._is_result(given)
            case tree.Call(func=tree.Name() as func):
                own = names.function_of(node)
                return any(
                    b.kind == "param" and b.function is not own for b in names.bindings_of(func)
                )
            case _:
                return False


def _is_local(binding: Binding) -> bool:
    """Whether a function assigns something to a name as it is."""
    return binding.kind == "assign" and not binding.path and binding.place.scope.kind == "function"
