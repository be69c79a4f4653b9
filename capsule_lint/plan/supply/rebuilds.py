"""Copies with other values: `replace(doc, tenant_id=…)` builds an instance too, for another tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.program.fields import COPYING, copied_by
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class


def rebuilds(program: Program, cls: Class, scope: Scope) -> Iterator[tuple[tree.Call, tree.Node]]:
    """The calls outside tests that copy an instance of `cls` with another value for a scope beside
    `scope`, but not for `scope` itself, and that value."""
    for name in COPYING:
        for call in program.calls.uses.calls_beside(name):
            place = program.names.place(call)
            if place.scope.module.is_test or not _copies(program, call, cls):
                continue
            given = list(changed(call))
            if any(names_scope(n, scope) for n, _ in given):
                continue
            others = program.policy.others(scope)
            for other, value in given:
                is_scope = names_any_of(other, others)
                if is_scope and not isinstance(value, tree.Const):
                    yield call, value
                    break


def update_of(call: tree.Call) -> tree.Node | None:
    """The dict of `model_copy(update={…})`."""
    return call.keyword("update")


def _copies(program: Program, call: tree.Call, cls: Class) -> bool:
    copied = copied_by(call)
    if copied is None or (isinstance(call.func, tree.Name) and len(call.args) < 2):
        return False
    return any(
        isinstance(one, Instance) and cls in program.classes.mro(one.cls)
        for one in program.inference.of(copied)
    )


def changed(call: tree.Call) -> Iterator[tuple[str, tree.Node]]:
    """The fields to which a copy gives other values, and these."""
    yield from ((name, value) for name, value in call.keywords if name != "update")
    match update_of(call):
        case (tree.DictDisplay() | tree.Call(func=tree.Name(id="dict"))) as update:
            yield from entries_of(update)
