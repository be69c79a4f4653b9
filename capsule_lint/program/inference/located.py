"""What is given back under the name under which it was told: `services.get("notes")` after
`services.register("notes", Notes(table))`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.filled import made_empty
from capsule_lint.program.inference.named_keys import key_of
from capsule_lint.program.inference.types import NOTHING, Types, holds_objects, join
from capsule_lint.program.local_names import behind, looked_up

if TYPE_CHECKING:
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Function


@dataclass(eq=False, slots=True)
class Located:
    """Finds what objects keep under names that are written out."""

    inference: Inference

    def of(self, getter: Function, key: tree.Node | None) -> Types:
        """The objects that a function gives back which looks a name up in a dict, its object's or its module's; nothing
        where it does anything else, or where it is not known under which names these are put there."""
        said = key_of(self.inference.classes, key)
        entry = self._given_back(getter) if said is not None else None
        if entry is None or self._parameter(entry[1], getter) is None:
            return NOTHING
        table, _ = entry
        told = [self._told(value) for value in self._put_into(table, getter)]
        found = join(*(one[said] for one in told if one is not None and said in one))
        return found if None not in told and holds_objects(found) else NOTHING

    def _given_back(self, getter: Function) -> tuple[tree.Node, tree.Node] | None:
        """The dict of which a function with one parameter returns an entry, and which: `return self._all[name]`."""
        if len(getter.own_params) != 1 or len(getter.returns) != 1:
            return None
        return looked_up(behind(self.inference.names, getter.returns[0]))

    def _put_into(self, table: tree.Node, getter: Function) -> list[tree.Node]:
        """What is put, one by one, into a dict that is empty at first, and gets nothing of another one."""
        fillings, owner = self.inference.calls.uses.fillings, getter.owner
        match table:
            case tree.Attr(base=tree.Name(id=base), name=name) if (
                owner and base == getter.self_name
            ):
                begun = {made_empty(store.value) for store in owner.stores.get(name, ())}
                known = begun == {"dict"} and not fillings.spills(owner, name)
                return fillings.fills(owner, name) if known else []
            case tree.Name():
                return self.inference.filled.of_module(table)
            case _:
                return []

    def _parameter(self, node: tree.Node, function: Function) -> str | None:
        """The parameter of a function that an expression is, as the function is given it."""
        bound = self.inference.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        own = bound[0].parameter if len(bound) == 1 else None
        return own.name if own is not None and own in function.own_params else None

    def _told(self, value: tree.Node) -> dict[str, Types] | None:
        """What a value that is put into a dict is, by the names under which it is put there; `None` where one of
        these is not known."""
        names, classes, of = self.inference.names, self.inference.classes, self.inference.of
        match names.parent(value):
            case tree.Assign(targets=(tree.Subscript(index=index),)):
                pass
            case _:
                return None
        if (said := key_of(classes, index)) is not None:
            return {said: of(value)}
        function = names.function_of(value)
        key = self._parameter(index, function) if function is not None else None
        if function is None or key is None:
            return None
        given = self._parameter(value, function)
        found: dict[str, Types] = {}
        for call, callee in self.inference.calls.callers(function):
            arguments = callee.arguments(call)
            name = key_of(classes, arguments[key].value) if key in arguments else None
            if name is None or (given is not None and given not in arguments):
                return None
            told = of(arguments[given].value if given is not None else value)
            found[name] = join(found.get(name, NOTHING), told)
        return found
