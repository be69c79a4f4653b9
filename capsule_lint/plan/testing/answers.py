"""Rows that mocks of tables give back: `table.get_item.return_value = {"Item": {"tenant_id": "t"}}`. Code that reads a new
entry of what a table gives finds it there as well."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.purposes.tables import OPERATIONS
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Module

_GIVING: Final = ("return_value", "side_effect")


class Answers(Struct, frozen=True, dict=True):
    """Finds them in tests."""

    program: Program

    def of(self, function: Function, fields: set[str]) -> Iterator[tree.DictDisplay]:
        """Those that have anything, scopes aside, which a function names that reads rows, or that is a field of
        what it makes of them. Of what its module calls besides, `table.pages(pk)`, those that say a scope, and have
        nothing else but such fields."""
        if function.module.is_test or not self._rows:
            return
        named = fields | {tree.text(one) for one in self.program.names.inside(function)}
        scopes = self.program.policy.scopes
        for asked, row in self._rows:
            keys = {key for key, _ in entries_of(row)}
            others = {key for key in keys if not names_any_of(key, scopes)}
            if asked in OPERATIONS:
                if not others or not others.isdisjoint(named):
                    yield row
            elif asked in function.module.named and others and others < keys and others <= fields:
                yield row

    @cached_property
    def _rows(self) -> tuple[tuple[str, tree.DictDisplay], ...]:
        """The dicts that are written out in what such mocks give back, each once, and what is called for them."""
        tests = (m for m in self.program.names.editable() if m.is_test)
        given = (one for module in tests for one in self._given(module))
        rows = {
            id(row): (asked, row)
            for asked, value in given
            for row in self._dicts(value, deep=True)
        }
        return tuple(rows.values())

    def _dicts(self, node: tree.Node, *, deep: bool) -> Iterator[tree.DictDisplay]:
        """The dicts in an expression, also where parts of it have names."""
        for one in within(node):
            if isinstance(one, tree.DictDisplay):
                yield one
            elif isinstance(one, tree.Name) and deep:
                binding = bound_whole(self.program.names, one)
                if binding is not None and binding.kind == "assign" and binding.value is not None:
                    yield from self._dicts(binding.value, deep=False)

    def _given(self, module: Module) -> Iterator[tuple[str, tree.Node]]:
        """What the mocks of a test file are told to give, and as what they are called for it."""
        for statement, _ in module.statements:
            match statement:
                case tree.Assign(
                    targets=(tree.Attr(name=name, base=tree.Attr(name=asked)),), value=value
                ) if name in _GIVING and value is not None:
                    yield asked, value
                case tree.Assign(targets=(tree.Attr(name=asked),), value=tree.Call() as made):
                    yield from ((asked, value) for value in _told(made))
        for call in module.each(tree.Call):
            for argument in call.args:
                text = tree.text(argument.value) or ""
                if argument.keyword is not None and isinstance(argument.value, tree.Call):
                    asked = argument.keyword
                    yield from ((asked, value) for value in _told(argument.value))
                elif text:
                    # `patch.object(table, "get_item", return_value={})`
                    yield from ((text.rpartition(".")[2], value) for value in _told(call))


def _told(call: tree.Call) -> Iterator[tree.Node]:
    """What a call that makes a mock says that it gives."""
    return (argument.value for argument in call.args if argument.keyword in _GIVING)
