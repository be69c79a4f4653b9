"""The names under which something may be known: by an import, an assignment, a loop, a parameter of a test."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from capsule_lint.facts import tree
from capsule_lint.program.calling.by_hand import given_by_hand
from capsule_lint.program.calling.fixtures import asked_as, parametrized
from capsule_lint.program.held_names import container_of, given_back, held_in, passed_on, values_of
from capsule_lint.program.model import last_name, outwards
from capsule_lint.program.walk import singles, targets_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from capsule_lint.program.model import Function, Module, Scope
    from capsule_lint.program.names import Names

_T = TypeVar("_T")
_LOCAL: Final = ".<locals>."
_MADE: Final = "()"
"""What stands behind the name of a function in that of its result."""
_HANDED: Final = "->"
"""What stands behind the symbol of a function in what it is called where it is given away."""
_FILLED: Final = "[]"
"""What stands behind the name of a generic class in that of what it is filled with."""
_UNSPELLED: Final = (_MADE, _HANDED, _FILLED)
PRESETTING: Final = "set_defaults"
"""The method of a parser of command lines by which what is parsed has more: `args.run`."""
_PASSING: Final = (
    "partial",
    "partialmethod",
    "staticmethod",
    "classmethod",
    "cache",
    "lru_cache",
)
"""What is called with a function, and gives it another name."""


@dataclass(eq=False, slots=True)
class Aliases:
    """Which names follow from which. A name that only one function knows is told from those that are spelled
    as it is: `app.jobs.start.<locals>.run`, as Python spells what a function defines."""

    names: Names
    _steps: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _own: set[str] = field(default_factory=set)
    """Those that only one function knows."""
    _words: set[str] = field(default_factory=set)
    """How these are spelled in the code."""
    _makers: set[str] = field(default_factory=set)
    """The functions that give back what they define, by their names."""
    _known: dict[str, frozenset[str]] = field(default_factory=dict)
    _spelled: dict[str, frozenset[str]] = field(default_factory=dict)

    # --- what can be asked ---

    def of(self, name: str) -> frozenset[str]:
        """All names under which something called `name` may be known, itself included."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = frozenset(closure((name,), self._steps))
        return found

    def spelled(self, name: str) -> frozenset[str]:
        """The same as they stand in the code."""
        found = self._spelled.get(name)
        if found is None:
            every = (one for one in self.of(name) if not one.endswith(_UNSPELLED))
            words = (one.rpartition(_LOCAL)[2] for one in every)
            found = self._spelled[name] = frozenset(words)
        return found

    def makers(self, name: str) -> Iterator[str]:
        """The functions that give back what is called so, by their names."""
        return (one.removesuffix(_MADE) for one in self.of(name) if one.endswith(_MADE))

    def is_own(self, name: str) -> bool:
        """Whether no word is such a name: only one function knows it, or it is that of a result."""
        return name in self._own or name.endswith(_UNSPELLED)

    def knows(self, function: Function, name: str) -> bool:
        """Whether a function calls something so that has other names too."""
        return _qualified(function, name) in self._own

    def own(self, node: tree.Node) -> Iterator[str]:
        """What the functions around a name, or a table of that name, call so that has other names too."""
        while isinstance(node, tree.Subscript):
            node = node.base
        if isinstance(node, tree.Name) and node.id in self._words:
            yield from (name for name in self._around(node) if name in self._own)

    def makes(self, name: str) -> bool:
        """Whether a function of that name gives back what it defines."""
        return name in self._makers

    def made(self, called: tree.Node) -> Iterator[str]:
        """What is called in `make(…)(…)` and `make(…)["put"](…)`: `make()`."""
        while isinstance(called, tree.Subscript):
            called = called.base
        if isinstance(called, tree.Call) and last_name(called.func) in self._makers:
            yield f"{last_name(called.func)}{_MADE}"

    @staticmethod
    def handed(function: Function) -> str:
        """What stands for a function where it is given away, to be asked for with its name."""
        return f"{function.symbol}{_HANDED}"

    # --- how it is found ---

    def hand(self, function: Function, name: str) -> None:
        """A function is given to something that knows it by a name."""
        self.add(self.handed(function), name)

    def own_name(self, function: Function, name: str) -> str:
        """What a function calls something that only it knows."""
        own = _qualified(function, name)
        self._own.add(own)
        self._words.add(name)
        return own

    def note_makers(self, modules: Collection[Module]) -> None:
        """Note the functions that give back what they define: their results are known by its name, those of
        fixtures by the name that tests ask for."""
        handing: list[tuple[str, str]] = []
        for function in (f for m in modules for f in m.functions if f.returns or f.yields):
            for value in function.returns:
                handing += [(last_name(one.func), function.name) for one in _calls_in(value)]
            fixture = "fixture" in function.decorators
            for made in passed_on(function) if fixture else given_back(function):
                self.give(function.name, made)
                if fixture:
                    self.add(made, asked_as(function))
        for statement, _ in (one for module in modules for one in module.imports):
            handing += [(one.name, one.bound) for one in statement.names if one.name is not None]
        while found := [(by, name) for by, name in handing if by in self._makers - {name}]:
            for by, name in found:
                self.give(name, f"{by}{_MADE}")
            handing = [one for one in handing if one not in found]

    def give(self, name: str, made: str) -> None:
        """A function called `name` gives back what is called `made`, or what is in that."""
        self._makers.add(name)
        self.add(made, f"{name}{_MADE}")

    def note(self, module: Module) -> None:
        """Note the names that a file gives to what has one."""
        for statement, _ in module.statements:
            if isinstance(statement, tree.Import):
                for imported in statement.names:
                    if imported.name is not None and imported.bound != imported.name:
                        self.add(imported.name, imported.bound)
            elif isinstance(statement, tree.Assign):
                for single in singles(statement):
                    self._assigned(single)
        for call in module.each(tree.Call):
            if last_name(call.func) == PRESETTING:
                for keyword, value in call.keywords:
                    if isinstance(value, tree.Name | tree.Attr):
                        self.add(last_name(value), keyword)
        self._parametrized(module)
        self._filled(module)
        self._loops(module)

    def add(self, name: str, bound: str) -> None:
        """What is called `name` is known as `bound` as well, wherever that stands."""
        self._steps[name].add(bound)
        self._known.clear()
        self._spelled.clear()

    def _add_own(self, names: Iterable[str], function: Function, bound: str) -> None:
        own = self.own_name(function, bound)
        for name in names:
            self.add(name, own)

    def _add(self, name: str, target: tree.Node, source: tree.Node) -> None:
        """The same of what a target gets, from an expression in the same function."""
        bound, scope = last_name(target), self.names.place(target).scope
        if not name or not bound or bound == name:
            return
        known = (name, *self._around(source))
        if isinstance(target, tree.Name) and scope.function is not None and _is_own(bound, scope):
            self._add_own(known, scope.function, bound)
        else:
            for one in known:
                self.add(one, bound)

    def _around(self, node: tree.Node) -> Iterator[str]:
        """What a name is called if it is one of a function around it."""
        if isinstance(node, tree.Name):
            for function in outwards(self.names.function_of(node)):
                yield _qualified(function, node.id)

    def _assigned(self, statement: tree.Assign) -> None:
        value = renamed(statement.value)
        for name in self.made(value) if value is not None else ():
            for target in statement.targets:
                for leaf, _ in targets_of(target):
                    self._add(name, leaf, target)
        if isinstance(value, tree.Call):
            value = given_by_hand(self.names, value) or value
        for source in values_of(value) if value is not None else ():
            if isinstance(source, tree.Name | tree.Attr):
                for target in statement.targets:
                    self._add(last_name(source), target, source)

    def _parametrized(self, module: Module) -> None:
        """A parameter of a test that `parametrize` fills is an alias of what it is filled with."""
        for function in module.functions if module.is_test else ():
            for parameter in function.params if function.fact.decorators else ():
                for value in parametrized(function, parameter.name) or ():
                    if isinstance(value, tree.Name | tree.Attr):
                        self._add_own((last_name(value),), function, parameter.name)

    def _filled(self, module: Module) -> None:
        """What an heir fills a generic class with, `Repository[Order]`, is known there as what the class declares as
        that: `model: type[T]`."""
        for cls in module.classes:
            for base in (argument.value for argument in cls.fact.bases):
                if isinstance(base, tree.Subscript):
                    for given in (f"{cls.name}{_FILLED}", *map(last_name, tree.items(base.index))):
                        self.add(given, f"{last_name(base.base)}{_FILLED}")
            for name, bindings in cls.scope.bindings.items():
                if any(last_name(_said(b.annotation)) in ("type", "Type") for b in bindings):
                    self.add(f"{cls.name}{_FILLED}", name)

    def _loops(self, module: Module) -> None:
        """What a loop binds, or a target unpacks, and something calls, is an alias of what stands in the table
        that it goes through."""
        tables: dict[str, set[str]] = {}
        for target, value in module.assigned:
            if isinstance(target, tree.Name | tree.Attr) and (held := set(held_in(value))):
                tables.setdefault(last_name(target), set()).update(held)
        for parameter in (p for f in module.functions for p in f.params):
            if parameter.default is not None and (held := set(held_in(parameter.default))):
                tables.setdefault(parameter.name, set()).update(held)
        called = {
            node.func.id for node in module.each(tree.Call) if isinstance(node.func, tree.Name)
        }
        for target, value in (*module.loops(), *_unpacked(module)) if called else ():
            table = container_of(value)
            own = (last_name(table),) if isinstance(table, tree.Name | tree.Attr) else ()
            for name in (*own, *held_in(table), *tables.get(last_name(table), ())):
                for leaf, _ in targets_of(target):
                    if isinstance(leaf, tree.Name) and leaf.id in called:
                        self._add(name, leaf, table)


def _said(annotation: tree.Node | None) -> tree.Node | None:
    """What an annotation is a form of: `type` of `type[T]`."""
    return annotation.base if isinstance(annotation, tree.Subscript) else None


def _unpacked(module: Module) -> Iterator[tuple[tree.Node, tree.Node]]:
    """Each target that unpacks something with a name, and that: `load, save = handlers`."""
    for target, value in module.assigned:
        if isinstance(target, tree.Sequence) and isinstance(value, tree.Name | tree.Attr):
            yield target, value


def _calls_in(value: tree.Node) -> list[tree.Call]:
    """The call that a value is, or the calls that stand in a display."""
    match value:
        case tree.Call():
            return [value]
        case tree.Sequence(items=inner) | tree.DictDisplay(values=inner):
            return [one for one in inner if isinstance(one, tree.Call)]
        case _:
            return []


def renamed(value: tree.Node | None) -> tree.Node | None:
    """What an assigned value is another name of: the `f` of `partial(f, 1)`, else the value itself."""
    if isinstance(value, tree.Call) and last_name(value.func) in _PASSING and value.args:
        return value.args[0].value
    return value


def closure(starts: Iterable[_T], steps: Mapping[_T, Iterable[_T]]) -> set[_T]:
    """What is reached from somewhere by any number of steps, the starts among it."""
    queue = list(starts)
    found = set(queue)
    while queue:
        for other in steps.get(queue.pop(), ()):
            if other not in found:
                found.add(other)
                queue.append(other)
    return found


def _qualified(function: Function, name: str) -> str:
    return f"{function.symbol}{_LOCAL}{name}"


def _is_own(name: str, scope: Scope) -> bool:
    """Whether a name that is bound where a scope begins is one of its function."""
    return scope.kind != "class" and not any(name in one.outer for one in scope.ancestors())
