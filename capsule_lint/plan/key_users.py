"""Functions that look something up by what they are given, and those that make a key which lacks scopes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeGuard

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.local_names import entries_of_dict
from capsule_lint.program.model import Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope


@dataclass(eq=False)
class KeyUsers(Room):
    """Finds them."""

    planner: Planner

    def makes(self, function: Function) -> bool:
        """Whether a function makes a key which lacks scopes, by itself or by a helper."""
        made = (d.function for d in self.planner.defects if d.function is not None)
        running = self.program.names.running
        return function in self._filling or any(
            one is function or (one.parent is not None and function in running(one))
            for one in made
        )

    def is_told(self, function: Function) -> bool:
        """Whether others may tell such a function whose key it makes; one that takes nothing is a script's or a
        job's, and where its keys are written says enough."""
        private = function.name.startswith("_")
        return bool(function.params) and not private and self.makes(function)

    def scopes_of(self, function: Function) -> set[Scope] | None:
        """The scopes of the keys that a function has its entities or helpers make, `Item={"PK": flag.pk}`, where that is
        known of all its keys; of an expression that may be one of several keys, those that each of them needs."""
        program = self.program
        found: list[set[Scope]] = []
        for display in program.names.inside(function):
            pairs = display.pairs if isinstance(display, tree.DictDisplay) else ()
            for value in (value for name, value in pairs if program.keys.key_name(name)):
                made = [
                    set(program.domain.required(site))
                    for helper in program.keys.results.helpers_in(value)
                    for site in program.keys.inside(helper)
                ]
                if not made:
                    return None
                found.append(set.intersection(*made))
        return set.union(*found) if found else None

    @cached_property
    def asking(self) -> set[Function]:
        """The functions that ask the table for an item by what they are given, `Key={"login": login}`, unless that
        is a whole key: `pk`, or `row["PK"]`."""
        program, found = self.program, set[Function]()
        for name in ("get_item", "update_item", "delete_item"):
            for call in program.calls.uses.calls_beside(name):
                function = program.names.function_of(call)
                key = self._key(call) if function is not None else None
                if function is None or key is None:
                    continue
                entries = {
                    name: list(self._steps(value.values[0] if _is_typed(value) else value))
                    for name, value in entries_of_dict(program.names, key).items()
                    if value is not None
                }
                own = {p.name for p in function.own_params if not p.name.endswith("key")}
                roots = [
                    s.id for steps in entries.values() for s in steps if isinstance(s, tree.Name)
                ]
                given = own.intersection(roots)
                if (
                    given
                    and not any(map(program.policy.is_key_name, roots))
                    and not any(self._is_of_row(n, s, given) for n, s in entries.items())
                ):
                    found.update(program.names.running(function))
        return found

    def _key(self, call: tree.Call) -> tree.Node | None:
        """The key that a call gives, also in a dict whose entries it gives by keywords: `get_item(**options)`."""
        given = call.keyword("Key")
        for one in call.spread if given is None else ():
            given = given or entries_of_dict(self.program.names, one).get("Key")
        return given

    def _steps(self, node: tree.Node) -> Iterator[tree.Node]:
        """A value and what it is read from, also through a local: `config["options"]["thread_id"]`,
        `config["options"]` and `config`; none that is made by a call."""
        found = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        if len(found) == 1 and found[0].kind == "assign" and found[0].value is not None:
            node = found[0].value
        while isinstance(node, tree.Attr | tree.Subscript):
            yield node
            node = node.base
        if isinstance(node, tree.Name):
            yield node

    def _is_of_row(self, name: str, steps: Sequence[tree.Node], given: AbstractSet[str]) -> bool:
        """Whether a key's entry is the table's own partition key, read of a row that is one of the things which a function
        is given: `row["PK"]`, and no `user["gsi1pk"]`; of settings, whose class no entity is, other things are asked."""
        root = steps[-1] if steps else None
        if not isinstance(root, tree.Name) or root.id not in given or not self._is_partition(name):
            return False
        for step in steps[:-1]:
            keys = self.program.keys
            said = (
                keys.key_name(step.index) if isinstance(step, tree.Subscript) else last_name(step)
            )
            if self._is_partition(said):
                classes = classes_of(self.program.inference.of(root))
                return len(given) == 1 or all(c in self.program.domain.entities for c in classes)
        return False

    def _is_partition(self, name: str) -> bool:
        policy = self.program.policy
        return policy.is_key_name(name) and not policy.is_index_key_name(name)

    @cached_property
    def _filling(self) -> set[Function]:
        """The functions that have a helper make a key which lacks scopes of what they are given themselves."""
        program, found = self.program, set[Function]()
        lacking = {d.function for d in self.planner.defects if d.function is not None}
        for helper in sorted(lacking & program.keys.helpers, key=lambda f: f.symbol):
            for call, _ in program.calls.callers(helper):
                function = program.names.function_of(call)
                own = {p.name for p in function.own_params} if function is not None else ()
                given = {
                    a.value.id for a in call.args if isinstance(a.value, tree.Name) and not a.star
                }
                if function is not None and not given.isdisjoint(own):
                    found.add(function)
        return found


def _is_typed(node: tree.Node) -> TypeGuard[tree.DictDisplay]:
    """Whether a value says of what type it is: `{"S": login}`."""
    return isinstance(node, tree.DictDisplay) and len(node.values) == 1
