"""Dicts that tests spread into a constructor and that stand elsewhere: what a builder keeps, `Pet(**self._kw)`, what
a fixture or a function gives, the rows of `parametrize`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.calling.fixtures import is_collected, parametrized
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import bound_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function


def kept(
    program: Program, node: tree.Attr, takes: Callable[[tree.Call], bool]
) -> tree.Node | None:
    """The dict that `self._kw` starts as, by its class or its initializer, where all that is done with it is to
    set entries, and to spread it into calls that take as much; `None` where anything else may be done."""
    function = program.names.function_of(node)
    owner = function.owner if function is not None else None
    if function is None or owner is None or not function.module.is_test:
        return None
    if not isinstance(node.base, tree.Name) or node.base.id != function.self_name:
        return None
    every = owner.stores.get(node.name, ())
    stores = [s for s in every if s.statement.op != "|" and not _is_grown(program, s.value, node)]
    bound = list(owner.scope.bindings.get(node.name, ()))
    values = [s.value for s in stores if not s.path] + [b.value for b in bound if not b.path]
    if len(values) != 1 or len(stores) + len(bound) != 1:
        return None
    reads = [
        one
        for module in program.names.modules.values()
        for one in module.each(tree.Attr)
        if one.name == node.name and not any(one in s.statement.targets for s in every)
        if not _is_of_another(program, one, owner)
    ]
    return values[0] if all(_is_harmless(program, one, takes) for one in reads) else None


def behind(
    program: Program, node: tree.Node, takes: Callable[[tree.Call], bool]
) -> list[tree.Node]:
    """The dicts of which one is what a name or a call gives that a test spreads, where nothing is done with
    them but that, into calls that take as much; none where that is unsure."""
    match node:
        case tree.Name():
            binding = bound_whole(program.names, node)
            function = binding.function if binding is not None else None
            if binding is None or binding.kind != "param" or function is None:
                return []
            fixture = program.inference.fixtures.named(function, node.id)
            alone = fixture is None or parametrized(function, node.id) is not None
            takers = [function] if fixture is None or alone else _takers(program, fixture)
            uses = [use for taker in takers for use in program.names.called(taker, node.id)]
            harmless = all(_is_harmless(program, use, takes) for use in uses)
            return program.inference.fixtures.given(function, node.id) if harmless else []
        case tree.Call():
            found = program.calls.callees(node)
            made = found[0].function if len(found) == 1 and found[0].cls is None else None
            if made is None or not made.module.is_test or is_collected(made):
                return []
            calls = [one for one, _ in program.calls.callers(made)]
            return made.given_back if all(_is_harmless(program, c, takes) for c in calls) else []
        case _:
            return []


def _is_of_another(program: Program, node: tree.Attr, owner: Class) -> bool:
    """Whether an attribute is known to be one of objects of other classes."""
    types, mro = program.inference.of(node.base), program.classes.mro
    return bool(types) and all(
        isinstance(one, Instance) and owner not in mro(one.cls) and one.cls not in mro(owner)
        for one in types
    )


def _is_grown(program: Program, value: tree.Node | None, kept: tree.Attr) -> bool:
    """Whether a method puts in the place of a dict that dict and more: `self._kw = {**self._kw, **more}`."""
    parts: Sequence[tree.Node] = ()
    match value:
        case tree.DictDisplay():
            parts = value.spread
        case tree.Binary(op="|"):
            parts = (value.left, value.right)
    return any(
        isinstance(one, tree.Attr)
        and one.name == kept.name
        and isinstance(one.base, tree.Name)
        and (function := program.names.function_of(one)) is not None
        and one.base.id == function.self_name
        for one in parts
    )


def _takers(program: Program, fixture: Function) -> list[Function]:
    """The tests and fixtures that are given a fixture."""
    return [
        function
        for module in program.names.modules.values()
        for function in (module.functions if module.is_test else ())
        for parameter in function.own_params
        if program.inference.fixtures.named(function, parameter.name) is fixture
    ]


def _is_harmless(program: Program, node: tree.Node, takes: Callable[[tree.Call], bool]) -> bool:
    parent = program.names.parent(node)
    match parent:
        case tree.Subscript():
            return parent.base is node
        case tree.Attr(name="update" | "setdefault" | "copy" | "get" | "pop"):
            return True
        case tree.DictDisplay():
            return None in parent.keys_for(node)
        case tree.Binary(op="|") | tree.Assign(op="|"):
            return True
        case tree.Call() if parent.func is node:
            return True  # a dict is not called: what is called so is something else
        case tree.Call():
            return any(a.star == "**" and a.value is node for a in parent.args) and takes(parent)
        case _:
            return False
