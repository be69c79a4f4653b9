"""Mocks that a test attaches to another one, which records their calls besides: `manager.attach_mock(repo, "repo")`,
`manager.repo = repo`, `Mock(repo=repo)`; what it has recorded begins with that name, `call.repo.get("t", "1")`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.program.inference.mocks import MOCKS
from capsule_lint.program.local_names import assigned
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Module

_ATTACHES = "attach_mock"


def spoken_of(program: Program, function: Function) -> Iterator[tuple[tree.Call, tree.Node]]:
    """The `call.repo.get(…)` and `call.loaded(…)` that may speak of a function by way of what a mock is attached to:
    each with the attached mock."""
    for call in program.calls.uses.calls(function.name):
        match call.receiver:
            case tree.Attr(base=base, name=name) if is_call_object(base):
                yield from ((call, one) for one in _attached(program, call, name))
    for attaching in program.calls.uses.calls_beside(_ATTACHES):
        said = tree.text(attaching.plain[1]) if len(attaching.plain) == 2 else None
        if said is None:
            continue
        for call in program.calls.uses.calls(said):
            if is_call_object(call.receiver):
                yield from ((call, one) for one in _attached(program, call, said))


def is_call_object(node: tree.Node | None) -> bool:
    """Whether an expression is `unittest.mock.call`, whose attributes are the methods of a mock."""
    return isinstance(node, tree.Name | tree.Attr) and last_name(node) == "call"


def _attached(program: Program, call: tree.Call, name: str) -> Iterator[tree.Node]:
    """What is attached under a name to the mocks with whose calls a `call(…)` is compared."""
    for manager, named in program.records.compared(call):
        if named:
            yield from _children(program, manager, name)


def _children(program: Program, manager: tree.Node, name: str) -> Iterator[tree.Node]:
    names = program.names
    module = names.module_of(manager)
    for parent, attribute, child in _attaching(module):
        if attribute == name and _are_same(program, parent, manager):
            yield child
    for made in assigned(names, manager) if isinstance(manager, tree.Name) else ():
        if isinstance(made, tree.Call) and last_name(made.func) in MOCKS:
            yield from (value for key, value in made.keywords if key == name)


def _attaching(module: Module) -> Iterator[tuple[tree.Node, str, tree.Node]]:
    """What is attached to what in a module, and under which name."""
    for call in module.each(tree.Call):
        if last_name(call.func) == _ATTACHES and isinstance(call.func, tree.Attr):
            said = dict(zip(("mock", "attribute"), call.plain, strict=False)) | dict(call.keywords)
            name = tree.text(said.get("attribute"))
            if name is not None and "mock" in said:
                yield call.func.base, name, said["mock"]
    for target, value in module.assigned:
        if isinstance(target, tree.Attr):
            yield target.base, target.name, value


def _are_same(program: Program, one: tree.Node, other: tree.Node) -> bool:
    """Whether two expressions name the same local, or are written alike and start from the same one."""
    if text_of(one) != text_of(other):
        return False
    while isinstance(one, tree.Attr) and isinstance(other, tree.Attr):
        one, other = one.base, other.base
    if not isinstance(one, tree.Name) or not isinstance(other, tree.Name):
        return False
    return program.names.bindings_of(one) == program.names.bindings_of(other)
