"""Entries that tests give to dicts which are read as requests or messages, but do not write out with these:
`event["detail"]["tenant_id"] = "t"`, and `asdict(Detail())` of a data class of the tests."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.plan.supply.written import Written

_LACKS: Final = "makes a dict of which `{}` is read, and has none"


@dataclass(eq=False)
class EntriesInSteps(Room):
    """Demands the new ones beside these."""

    planner: Planner
    written: Written

    @property
    def are_any(self) -> bool:
        """Whether tests do so at all."""
        return bool(self._steps or self._dumps)

    def demands(self, want: Want, old: str, new: str, under: str) -> Iterator[Want]:
        """What a read of `under[new]` lacks where tests give `under[old]`."""
        notes = self.planner.local.notes
        for target, value in self._steps.get(old, ()):
            if self._is_under(target.base, under) and not self._has(target, old, new):
                asked = notes.step(target, value, want.scope, new, want.knot)
                yield from () if asked is None else (asked,)
        for call in self._dumps if under else ():
            if under in self.written.homes(call):
                yield from self._of_class(call, want, old, new)

    @cached_property
    def _steps(self) -> dict[str, list[tuple[tree.Subscript, tree.Node]]]:
        """The items of dicts that tests assign, called like scopes, by their keys."""
        found: dict[str, list[tuple[tree.Subscript, tree.Node]]] = defaultdict(list)
        for module in self.program.names.judged():
            for statement, _ in module.statements if module.is_test else ():
                match statement:
                    case tree.Assign(targets=(tree.Subscript() as target,), op="", value=value):
                        key = tree.text(target.index)
                        if key and value and names_any_of(key, self.program.policy.scopes):
                            found[key].append((target, value))
        return found

    def _is_under(self, node: tree.Node, under: str) -> bool:
        """Whether a dict is what is read so: `event["detail"]`, or a local that becomes that."""
        match node:
            case tree.Subscript(index=index):
                return (tree.text(index) or "").lower() == under
            case tree.Name(id=name):
                return name.lower() == under or under in self.written.names_of(node)
            case _:
                return False

    def _has(self, target: tree.Subscript, old: str, new: str) -> bool:
        """Whether a dict has the new entry there, or gets it where it is written out with the old one."""
        names, base = self.program.names, text_of(target.base)
        function = names.function_of(target)
        if any(
            isinstance(one, tree.Subscript)
            and text_of(one.base) == base
            and tree.text(one.index) == new
            for one in (names.inside(function) if function is not None else ())
        ):
            return True
        displays = self.planner.local.rows.origins(target.base).displays
        return any(old in dict(entries_of(display)) for display in displays)

    @cached_property
    def _dumps(self) -> list[tree.Call]:
        """The calls by which tests make dicts of objects."""
        calls = self.program.calls.uses.calls_beside("asdict")
        return [call for call in calls if self.program.names.module_of(call).is_test]

    def _of_class(self, call: tree.Call, want: Want, old: str, new: str) -> Iterator[Want]:
        """A field more for the data class of the tests of whose object such a call makes a dict."""
        notes, classes = self.planner.local.notes, self.program.classes
        given = [self.program.inference.of(argument.value) for argument in call.args[:1]]
        for one in (one for types in given for one in ordered(types)):
            if not isinstance(one, Instance) or not one.cls.module.is_test:
                continue
            fields = [field.name for field in classes.fields(one.cls)]
            if old not in fields or new in fields:
                continue
            for owner in classes.mro(one.cls):
                for binding in owner.scope.bindings.get(old, ()):
                    statement = binding.place.statement
                    target = statement.targets[0] if isinstance(statement, tree.Assign) else None
                    if isinstance(target, tree.Name) and binding.value is not None:
                        asked = notes.step(target, binding.value, want.scope, new, want.knot)
                        yield from () if asked is None else (asked,)
                    else:
                        notes.obstacle(want.knot, call, _LACKS.format(new))
