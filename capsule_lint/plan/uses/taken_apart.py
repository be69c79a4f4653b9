"""Objects whose attributes are got at, or filled, other than by their names: `for name, run in routes`,
`vars(service)`, `replace(service, load=fake)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.fields import COPYING
from capsule_lint.program.inference.mocks import PATCHES
from capsule_lint.program.inference.types import (
    ClassObject,
    Foreign,
    Instance,
    ModuleObject,
    UnknownType,
)
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Types
    from capsule_lint.program.model import Binding, Class, Module

_WHOLE: Final = ("vars", "asdict", "astuple", "getmembers", "_asdict")
"""What gives all attributes of an object."""
_GOING_THROUGH: Final = frozenset(("items", "values"))
_EACH: Final = frozenset(
    (
        *("list", "tuple", "set", "frozenset", "iter", "next", "deque", "dict", "sorted"),
        *("reversed", "enumerate", "zip", "map", "filter", "min", "max", "chain", "from_iterable"),
    )
)
"""What goes through the fields of a tuple that it is given."""


def line_of(program: Program, cls: Class) -> set[Class]:
    """A class, its heirs, and all that these inherit from."""
    heirs = program.classes.subclasses(cls)
    return {one for heir in heirs for one in program.classes.mro(heir)}


def is_taken_apart(program: Program, cls: Class, name: str) -> bool:
    """Whether objects of a class are taken apart into their attributes somewhere, of which one is called `name`."""
    return (
        _is_matched(program, cls)
        or _is_listed(program, cls, name)
        or (program.classes.is_named_tuple(cls) and _is_tuple(program, cls))
    )


def _is_matched(program: Program, cls: Class) -> bool:
    """`case Route(name, run)`."""
    line = line_of(program, cls)
    named = {alias for one in line for alias in program.calls.uses.aliases(one.name)} | {"object"}
    return any(
        isinstance(statement, tree.Block) and named & set(map(last_name, statement.heads[1:]))
        for module in program.names.modules.values()
        for statement, _ in module.statements
    )


def _is_listed(program: Program, cls: Class, name: str) -> bool:
    """All attributes at once: `vars(route)`; those of an object of which nothing is known, where they are gone
    through, or a text says the name."""
    line = line_of(program, cls)
    for node, base in listings(program):
        types, parent = program.inference.of(base), program.names.parent(node)
        through = isinstance(parent, tree.Attr) and parent.name in _GOING_THROUGH
        if _are_of(types, line) or (_is_unknown(types) and (through or _is_said(program, name))):
            return True
    return False


def listings(program: Program) -> Iterator[tuple[tree.Node, tree.Node]]:
    """What gives all attributes of something, and that."""
    for word in _WHOLE:
        for call in program.calls.uses.calls_beside(word):
            yield from ((call, base) for base in call.plain[:1])
            if isinstance(call.func, tree.Attr):
                yield call, call.func.base
    for node in program.names.named("__dict__"):
        if isinstance(node, tree.Attr):
            yield node, node.base


def _is_tuple(program: Program, cls: Class) -> bool:
    """`for name, run in routes`, `name, run = route`, `route[0]`, `*route`, `max(route)`."""
    made, inference = {cls, *program.classes.subclasses(cls)}, program.inference
    for module in program.names.modules.values():
        unpacked = [
            inference.elements(inference.of(value))
            for target, value in module.loops()
            if isinstance(target, tree.Sequence)
        ]
        unpacked += [
            inference.of(value)
            for target, value in module.assigned
            if isinstance(target, tree.Sequence)
        ]
        if any(_are_of(types, made) or _is_unknown(types) for types in unpacked):
            return True
        if any(_are_of(inference.of(node), made) for node in _gone_through(module)):
            return True
    return False


def _gone_through(module: Module) -> Iterator[tree.Node]:
    """The expressions whose items are taken, one or each."""
    yield from (value for _, value in module.loops())
    yield from (node.base for node in module.each(tree.Subscript))
    for call in module.each(tree.Call):
        each = last_name(call.func) in _EACH
        yield from (argument.value for argument in call.args if each or argument.star)


def is_looked_up(program: Program, cls: Class, name: str, *, judged: bool) -> bool:
    """Whether an attribute may be read by a name that is only known when it runs, `getattr(route, field)`; one
    of an object of which nothing is known, only where a text says the name, which may be `judged` anyway."""
    line = line_of(program, cls)
    for call in program.calls.uses.calls_beside("getattr"):
        match call.plain:
            case (_, tree.Const(value=str()), *_):
                continue
            case (base, _, *_):
                types = program.inference.of(base)
                if any(isinstance(t, Instance) and t.cls in line for t in types):
                    return True
                if not judged and _is_unknown(types) and _is_said(program, name):
                    return True
    return False


def is_replaced(program: Program, cls: Class, name: str, *, judged: bool) -> bool:
    """Whether an attribute of objects of a class is given something else than what these are made with:
    `service.load = fake`, `replace(service, load=fake)`. One of an object of which nothing is known is, unless
    that is `judged` anyway."""
    line, known = line_of(program, cls), program.inference.attributes.member(cls, name)
    if any(
        _says_else(program, heir, cls, name, known) for heir in program.classes.subclasses(cls)
    ):
        return True
    given = [(target.base, value) for target, value in program.calls.uses.assigned(name)]
    for word in COPYING:
        for call in program.calls.uses.calls_beside(word):
            bases = [*call.plain[:1]]
            if isinstance(call.func, tree.Attr):
                bases.append(call.func.base)
            named = [a.value for a in call.args if a.keyword == name]
            spread = [a.value for a in call.args if a.star == "**"]
            given += [(base, value) for base in bases for value in (*named, *spread)]
    for base, value in given:
        types = program.inference.of(base)
        may = _are_of(types, line) or (_is_unknown(types) and not judged)
        if may and not program.inference.of(value) <= known | {Foreign("None")}:
            return True
    return False


def _says_else(program: Program, heir: Class, cls: Class, name: str, known: Types) -> bool:
    """Whether an heir of a class has something else of its own under a name."""
    own = name in heir.methods or name in heir.scope.bindings or name in heir.stores
    if heir is cls or not own:
        return False
    return not program.inference.attributes.member(heir, name) <= known | {Foreign("None")}


def is_put_elsewhere(program: Program, binding: Binding) -> bool:
    """Whether a test, or another module, puts something else in the place of what a module has:
    `monkeypatch.setattr(app, "HOOKS", {})`, `app.HOOKS = {}`."""
    uses, module = program.calls.uses, binding.module
    patched = [
        call
        for word in sorted(PATCHES)
        for call in uses.calls_beside(word)
        if any(
            isinstance(a.value, tree.Const)
            and str(a.value.value).rpartition(".")[2] == binding.name
            for a in call.args[:2]
        )
    ]
    stored = (program.inference.of(target.base) for target, _ in uses.assigned(binding.name))
    return bool(patched) or any(
        _is_unknown(types)
        or any(isinstance(t, ModuleObject) and t.module is module for t in types)
        for types in stored
    )


def _are_of(types: Types, classes: set[Class]) -> bool:
    return any(isinstance(t, Instance | ClassObject) and t.cls in classes for t in types)


def _is_unknown(types: Types) -> bool:
    return any(isinstance(t, UnknownType) for t in types)


def _is_said(program: Program, name: str) -> bool:
    modules = program.names.modules.values()
    return any(text.value == name for module in modules for text in module.each(tree.Const))
