"""Where names are used: the calls, aliases, attributes and annotations of a program, asked for by name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.aliases import Aliases, closure
from capsule_lint.program.calling import deferred
from capsule_lint.program.calling.chosen import chosen
from capsule_lint.program.calling.fixtures import found_by_rows
from capsule_lint.program.calling.passing import PASSING
from capsule_lint.program.fillings import Fillings, is_own
from capsule_lint.program.given_classes import GivenClasses
from capsule_lint.program.handed_names import HandedNames
from capsule_lint.program.held_names import words_in
from capsule_lint.program.inference.going_through import GOING_THROUGH
from capsule_lint.program.inference.namespaces import called_name
from capsule_lint.program.model import Class, Function, Module, last_name
from capsule_lint.program.walk import singles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from capsule_lint.policy import Scope
    from capsule_lint.program.calling.deferred import Boxed
    from capsule_lint.program.names import Names


_OF_CLASSES: Final = frozenset(("type", "Type"))
"""What an annotation says of a place where a class itself is put."""


class Declared(Struct, frozen=True):
    """A place that says what is put there: a parameter, a field, a result, a variable."""

    annotation: tree.Node
    holder: Function | Class | tree.Assign
    parameter: str | None = None
    """`None` for the result of a function, and for a variable."""


@dataclass(eq=False, slots=True)
class Uses:
    """An index of a program by name. What it is asked for is noted: whoever left a file out can tell
    from it whether that file could have changed an answer."""

    names: Names
    scopes: Sequence[Scope]
    """Those of the policy: functions that take one are followed to whoever they are given to."""
    fillings: Fillings = field(init=False)
    given_classes: GivenClasses = field(init=False)
    _named: Aliases = field(init=False)
    _calls: dict[str, list[tree.Call]] = field(default_factory=lambda: defaultdict(list))
    _arguments: dict[tuple[int, str], list[tuple[tree.Call, tree.Argument]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _passed: dict[str, list[tuple[tree.Call, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _handed_on: dict[str, list[tuple[tree.Call, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _mapped: dict[str, list[tuple[tree.Call, tree.Node]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _stores: dict[str, list[tuple[tree.Attr, tree.Node]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _decorated: dict[str, list[tuple[Function | Class, tree.Node]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _declared: dict[str, list[Declared]] = field(default_factory=lambda: defaultdict(list))
    _asked_as: set[str] = field(default_factory=set)
    _asked_by: set[str] = field(default_factory=set)
    """The names whose other ones have been asked for, see `aliases` and `known_by`."""
    _of_classes: dict[str, list[Declared]] = field(default_factory=lambda: defaultdict(list))
    """Those of these where the class itself may be put, and no object of it."""
    _spelled: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The names of the module-level values in which a name stands: `Repos = list[Repo]`."""
    boxes: dict[int, Boxed] = field(default_factory=dict)
    """The calls that something makes later, with arguments that are written out."""
    later: dict[int, list[tree.Call]] = field(default_factory=dict)
    """These calls by what they call."""

    def __post_init__(self) -> None:
        self._named = Aliases(self.names)
        self.fillings = Fillings(self.names)
        self.given_classes = GivenClasses(
            self.names, self._named, self._calls, self._passed, self._decorated
        )
        through = deferred.QUEUED | deferred.attached(self.names.modules.values())
        self._named.note_makers(self.names.modules.values())
        HandedNames(self.names, self._named, self.scopes).note()
        for module in self.names.modules.values():
            self._named.note(module)
            for statement, place in module.statements:
                for one in singles(statement) if isinstance(statement, tree.Assign) else ():
                    self._note_assignment(one, place.scope.kind == "module")
            self._note_definitions(module)
            for node in module.each(tree.Call):
                for called in chosen(node.func):
                    self._note_call(node, called, called_name(called))
                    for name in found_by_rows(self.names, called):
                        self._calls[name].append(node)
                self._note_arguments(node)
                self._note_deferred(node, through)
                self.fillings.note_call(node)
        self._note_kept()

    # --- what can be asked ---

    def calls(self, name: str) -> list[tree.Call]:
        """The calls of whatever is called `name`, `name(…)` or `x.name(…)`, or of what one function calls so."""
        self._ask(name)
        return self._calls.get(name, [])

    def calls_beside(self, name: str) -> list[tree.Call]:
        """The calls of something that is called `name` everywhere, `copy` or `append`, of which only
        those matter that stand in a file with another word of interest."""
        return self._calls.get(name, [])

    def all_calls(self) -> Iterator[tree.Call]:
        """All calls of the program."""
        for calls in self._calls.values():
            yield from calls

    def aliases(self, name: str) -> frozenset[str]:
        """All names under which something called `name` may be known."""
        found = self.known_as(name)
        if not self.names.guessing and name not in self._asked_as:
            self._asked_as.add(name)
            self.names.ask(*found, *self._named.makers(name))
        return found

    def known_as(self, name: str) -> frozenset[str]:
        """The same, of a name that is as common as those of `calls_beside`."""
        return self._named.spelled(name)

    def known_by(self, name: str) -> frozenset[str]:
        """The same, but a name that only one function knows is told from those that are spelled as it is:
        `calls`, `passed` and `handed_on` tell what that function does with it."""
        found = self._named.of(name)
        if not self.names.guessing and name not in self._asked_by:
            self._asked_by.add(name)
            own = self._named.is_own
            self.names.ask(*(one for one in found if not own(one)), *self._named.makers(name))
        return found

    def calls_of(self, function: Function) -> tuple[frozenset[str], list[tree.Call]]:
        """The calls of what may be a function by its name, or by one under which others know it that it is given
        to, and what tells these names from those of another. Who passes on `*args` may have got these with it."""
        known, handed = self.known_by(function.name), self._named.handed(function)
        others = self.passed_as(function) - known
        calls = [call for name in sorted(known & self._calls.keys()) for call in self._calls[name]]
        for name in sorted(others & self._calls.keys()):
            calls += (call for call in self._calls[name] if not self._hands_on(call))
        return (known | {handed} if others else known), calls

    def _hands_on(self, call: tree.Call) -> bool:
        """Whether a call spreads something else than what its function is given by keyword, or is of what that is
        given with it."""
        spread = [argument for argument in call.args if argument.star]
        binds = self._binds_parameter
        return any(a.star == "*" or not binds(a.value, "**") for a in spread) or (
            bool(spread) and binds(call.func)
        )

    def _binds_parameter(self, node: tree.Node, kind: str = "") -> bool:
        """Whether a name is a parameter, of a kind where one is told."""
        bound = self.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        given = [b.parameter for b in bound if b.parameter is not None]
        return any(one.kind == kind for one in given) if kind else bool(given)

    def passed_as(self, function: Function) -> frozenset[str]:
        """The names that others give a function which it is given to, with its own: see `known_by`."""
        handed = self._named.handed(function)
        return self.known_by(function.name) | (self.known_by(handed) - {handed})

    def may_be_function(self, function: Function, parameter: str) -> bool:
        """Whether something called like a function of the program is given to a parameter."""
        return self._named.knows(function, parameter)

    def written_as(self, symbol: Function | Class) -> frozenset[str]:
        """All names under which something may be known, as they stand in the code."""
        names = self.aliases(symbol.name)
        if isinstance(symbol, Function):
            names |= self.aliases(self._named.handed(symbol))
        return names

    def arguments(
        self, owner: Function | Class | None, name: str
    ) -> list[tuple[tree.Call, tree.Argument]]:
        """The calls in a function that get its local `name`, those in a class that get `self.name`."""
        return self._arguments.get((id(owner), name), [])

    def passed(self, name: str) -> list[tuple[tree.Call, int]]:
        """The calls that get something called `name` as an argument, and its position."""
        self._ask(name)
        return self._passed.get(name, [])

    def handed_on(self, names: AbstractSet[str]) -> Iterator[tuple[tree.Call, int]]:
        """Those of what has one of these names, which have been asked for, that call it with the arguments behind it:
        `partial(name, 1)`."""
        for name in sorted(names & self._handed_on.keys()):
            yield from self._handed_on[name]

    def mapped(self, names: AbstractSet[str]) -> Iterator[tuple[tree.Call, tree.Node]]:
        """Those that go through a collection with it, and where it stands: `sorted(notes, key=name)`."""
        for name in sorted(names & self._mapped.keys()):
            yield from self._mapped[name]

    def _ask(self, name: str) -> None:
        if not self._named.is_own(name):  # those stand in one file, which has been read
            self.names.ask(name)

    def makes(self, name: str) -> bool:
        """Whether a function of that name gives back what it defines, which is then called by other names."""
        return self._named.makes(name)

    def stores(self, name: str) -> list[tree.Node]:
        """What is assigned to attributes of that name, of anything but `self` and `cls`."""
        return [value for _, value in self._stores.get(name, ())]

    def assigned(self, name: str) -> list[tuple[tree.Attr, tree.Node]]:
        """The same, with these attributes, where `a, b = x, y` gives each its own."""
        return self._stores.get(name, [])

    def kept_by(self, keeper: Function) -> Iterator[tuple[Function | Class, tree.Node]]:
        """The functions and classes under decorators that may be a function, or give it back, and these."""
        parent = (keeper.parent.name,) if keeper.parent is not None else ()
        names = dict.fromkeys((keeper.name, *parent, *sorted(self._named.makers(keeper.name))))
        aliases = dict.fromkeys(one for name in names for one in sorted(self.aliases(name)))
        for alias in aliases:
            yield from self._decorated.get(alias, ())

    def declared(self, name: str) -> list[Declared]:
        """The places whose annotations may mean the class `name`, through aliases too."""
        return self._declaring(name, self._declared)

    def _declaring(self, name: str, index: Mapping[str, list[Declared]]) -> list[Declared]:
        names = closure(self.aliases(name), self._spelled)
        self.names.ask(*names)
        return [one for known in sorted(names) for one in index.get(known, ())]

    def holders(self, name: str) -> set[str]:
        """The names that hold the class `name` itself, by their annotation: `dict[str, type[Order]]`."""
        found = set()
        for one in self._declaring(name, self._of_classes):
            targets = one.holder.targets if isinstance(one.holder, tree.Assign) else ()
            found |= {last_name(target) for target in targets} | {one.parameter or ""}
        return found - {""}

    # --- how it is found ---

    def _note_call(self, call: tree.Call, called: tree.Node, name: str | None = None) -> None:
        for one in (
            name or last_name(called),
            *self._named.own(called),
            *self._named.made(called),
        ):
            self._calls[one].append(call)

    def _note_deferred(self, node: tree.Call, through: frozenset[str]) -> None:
        if isinstance(node.func, tree.Attr) and node.func.name in through:
            self._note_call(node, node.func.base)
        for box in deferred.boxed(self.names, node):
            self.boxes[id(box.call)] = box
            self.later.setdefault(id(box.call.func), []).append(box.call)
            self.names.index.put(box.call, self.names.place(box.at), node)
            self._note_call(box.call, box.call.func)

    def _note_kept(self) -> None:
        """A function is known by the name of the table into which its decorator puts it."""
        tables: dict[Function, dict[str, None]] = {}
        for name, put in self.fillings.tables():
            values = [one for _, value in put for one in _parts(value)]
            for keeper in filter(None, map(self._keeper, values)):
                tables.setdefault(keeper, {})[name] = None
        with self.names.aside():
            kept = {keeper: [one.name for one, _ in self.kept_by(keeper)] for keeper in tables}
        for keeper, names in kept.items():  # a new name has all of them be followed anew
            for name in names:
                for table in tables[keeper]:
                    self._named.add(name, table)

    def _keeper(self, value: tree.Node) -> Function | None:
        """The function that puts what it is given first into a table."""
        function = self.names.function_of(value) if isinstance(value, tree.Name) else None
        first = function.own_params[:1] if function is not None else ()
        return function if [p.name for p in first] == [last_name(value)] else None

    def _note_arguments(self, call: tree.Call) -> None:
        function, called = self.names.function_of(call), PASSING.get(last_name(call.func))
        mapping = last_name(call.func) in GOING_THROUGH
        for position, argument in enumerate(call.args):
            value = argument.value
            plain = not argument.star and argument.keyword is None
            if plain and isinstance(value, tree.Name | tree.Attr):
                for name in (last_name(value), *self._named.own(value)):
                    self._passed[name].append((call, position))
                    if position == called:
                        self._handed_on[name].append((call, position))
            if mapping and not argument.star:
                for name in self._functions_in(value):
                    self._mapped[name].append((call, value))
            if argument.keyword is not None:
                self.given_classes.note_keyword(call, argument.keyword, value)
            if isinstance(value, tree.Name):
                self._arguments[id(function), value.id].append((call, argument))
            elif isinstance(value, tree.Attr) and isinstance(value.base, tree.Name):
                owner = function.owner if function is not None else None
                if owner is not None and function is not None and function.takes_self:
                    self._arguments[id(owner), value.name].append((call, argument))

    def _functions_in(self, value: tree.Node) -> Iterator[str]:
        """The names of what may be a function, also in `partial(name, 1)`."""
        if isinstance(value, tree.Call) and last_name(value.func) == "partial":
            value = next(iter(value.plain), value)
        if isinstance(value, tree.Name | tree.Attr):
            yield from (last_name(value), *self._named.own(value))

    def _note_assignment(self, statement: tree.Assign, is_global: bool) -> None:
        value = statement.value
        self.given_classes.note_assignment(statement)
        for target in statement.targets if value is not None else ():
            assert value is not None
            if isinstance(target, tree.Attr) and not is_own(target):
                self._stores[target.name].append((target, value))
            elif isinstance(target, tree.Attr | tree.Subscript):
                self.fillings.note_assignment(target, value, statement.op)
            elif isinstance(target, tree.Name) and is_global:
                for name in words_in(value):
                    self._spelled[name].add(target.id)
        if statement.annotation is not None and value is not None:
            self._note_declared(Declared(statement.annotation, statement))

    def _note_definitions(self, module: Module) -> None:
        for function in module.functions:
            for decorator in function.fact.decorators:
                self._decorated[last_name(decorator)].append((function, decorator))
            if function.fact.returns is not None:
                self._note_declared(Declared(function.fact.returns, function))
            self.given_classes.note_function(function)
            for parameter in function.params:
                if parameter.annotation is not None:
                    self._note_declared(Declared(parameter.annotation, function, parameter.name))
        for cls in module.classes:
            for decorator in cls.fact.decorators:
                self._decorated[last_name(decorator)].append((cls, decorator))
            for statement in cls.fact.said:
                if isinstance(statement, tree.Assign) and statement.annotation is not None:
                    name = last_name(statement.targets[0])
                    self._note_declared(Declared(statement.annotation, cls, name))

    def _note_declared(self, declared: Declared) -> None:
        words = dict.fromkeys(words_in(declared.annotation))
        for name in words:
            self._declared[name].append(declared)
            if not _OF_CLASSES.isdisjoint(words):
                self._of_classes[name].append(declared)


def _parts(value: tree.Node) -> tuple[tree.Node, ...]:
    """What is put into a table, `fn`, or in a tuple that is, `(pattern, fn)`."""
    return value.items if isinstance(value, tree.Sequence) else (value,)
