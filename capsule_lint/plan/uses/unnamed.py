"""Calls of what may be a changing class, where nothing shows which class it is: `self.model(tenant_id=tenant_id)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.calling.calls import INDIRECT_CONSTRUCTION
from capsule_lint.program.inference.types import ClassObject, Instance, UnknownType
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Class


def unnamed(program: Program, cls: Class) -> Iterator[tree.Call]:
    """The calls, by a name under which something knows a class that it is given, that fit its constructor and are of
    nothing that is known, or of what the class inherits from."""
    params = program.classes.constructor(cls)
    for call in _by_names(program, cls) if params is not None else ():
        types = program.inference.of(call.func)
        known = any(isinstance(one, ClassObject) and one.cls is cls for one in types)
        if known or not any(_may_be(program, one, cls) for one in types):
            continue
        if call.args and not _hands_on(call) and bind(call.args, params or ()) is not None:
            yield call


def _by_names(program: Program, cls: Class) -> Iterator[tree.Call]:
    """The calls by such a name; by that which a decorator has for it, those in the decorator."""
    uses = program.calls.uses
    known = uses.given_classes.called(cls.name, dressing=False).difference(INDIRECT_CONSTRUCTION)
    for name in sorted(known):
        yield from uses.calls_beside(name)
    for function, name in uses.given_classes.dressing:
        for node in program.names.inside(function) if name not in known else ():
            if isinstance(node, tree.Call) and last_name(node.func) == name:
                yield node


def _hands_on(call: tree.Call) -> bool:
    """Whether a call hands on what somebody else gives for what is called: `fn(*args, **kwargs)` of a decorator."""
    return isinstance(call.func, tree.Name) and all(argument.star for argument in call.args)


def _may_be(program: Program, one: Type, cls: Class) -> bool:
    """Whether what something is known to be may be a class: an heir of what is known, or made by a metaclass."""
    match one:
        case ClassObject(cls=known):
            return known in program.classes.mro(cls)
        case Instance(cls=known):
            return known in program.classes.metaclasses(cls)
        case _:
            return isinstance(one, UnknownType)
