"""The names by which whatever is given a class calls it: `make=Order`, `run(Order)`, `cls`, what a decorator has for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.aliases import renamed
from capsule_lint.program.calling.fixtures import asked_as
from capsule_lint.program.held_names import names_held, values_of
from capsule_lint.program.inference.hooks import GIVEN_CLASSES
from capsule_lint.program.model import Class, Function, last_name, outwards

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from capsule_lint.program.aliases import Aliases
    from capsule_lint.program.names import Names


@dataclass(eq=False)
class GivenClasses:
    """An index of them, to which `Uses` gives what it finds. Nothing is noted any more once somebody asks."""

    names: Names
    aliases: Aliases
    calls: Mapping[str, Sequence[tree.Call]]
    """All calls, by what they call."""
    passed: Mapping[str, Sequence[tuple[tree.Call, int]]]
    """The calls that get a name as an argument, and its position."""
    decorated: Mapping[str, Sequence[tuple[Function | Class, tree.Node]]]
    """What stands under a decorator, by the name of that."""
    _given: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The parameters that get a class by default or by keyword, and the functions that give it: `make=Order`."""
    _by_keyword: dict[str, list[tuple[tree.Call, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """The parameters that get a name by keyword, and where."""
    _results: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The names of what calls give, and of the functions that give that back, by the names of what is called."""
    _signatures: dict[str, list[Function]] = field(default_factory=lambda: defaultdict(list))
    """The functions by their names, initializers by those of their classes."""
    _known: dict[tuple[str, bool], frozenset[str]] = field(default_factory=dict)

    # --- what is noted ---

    def note_keyword(self, call: tree.Call, keyword: str, value: tree.Node) -> None:
        """A call gives something by keyword."""
        self._note(value, keyword)
        if isinstance(value, tree.Name):
            self._by_keyword[value.id].append((call, keyword))

    def note_assignment(self, statement: tree.Assign) -> None:
        """Names get what a call gives."""
        made = renamed(statement.value)
        if isinstance(made, tree.Call):
            self._results[last_name(made.func)].update(map(last_name, statement.targets))

    def note_function(self, function: Function) -> None:
        """A function is defined, which has defaults and gives something back."""
        made = function.owner if function.name == "__init__" else None
        self._signatures[made.name if made is not None else function.name].append(function)
        known = asked_as(function) if "fixture" in function.decorators else function.name
        for value in function.given_back:
            self._note(value, known)
            if isinstance(value, tree.Call):
                self._results[last_name(value.func)].add(function.name)
        for parameter in function.params:
            self._note(parameter.default, parameter.name)

    def _note(self, value: tree.Node | None, parameter: str) -> None:
        """A class, or several of them, that a parameter gets, or that a function gives, also out of a table."""
        for part in (value, *values_of(value)) if value is not None else ():
            for one in (part, *names_held(part)):
                name = last_name(one) if isinstance(one, tree.Name | tree.Attr) else ""
                if name[:1].isupper() or (name and part is not value):
                    self._given[name].add(parameter)

    # --- what can be asked ---

    def called(self, name: str, *, dressing: bool = True) -> frozenset[str]:
        """The names by which something that is given the class `name` calls it, where that is called at all; with
        `dressing` also those that only decorators have for it, which mean it in these alone."""
        known = self._known.get((name, dressing))
        if known is None:
            found = frozenset(self._find(name, dressing=dressing))
            known = self._known[name, dressing] = found
        return known

    def _find(self, name: str, *, dressing: bool) -> Iterator[str]:
        spelled = self.aliases.spelled
        found = self._given_any.union(*(self._given.get(one, ()) for one in spelled(name)))
        found |= {own for _, own in self.dressing} if dressing else set()
        found |= self._taken(name) if name[:1].isupper() else set()
        found = found.union(*(self._results.get(one, ()) for one in found))
        every = set[str]().union(*(spelled(one) for one in found))
        return (one for one in every if one in self.calls)

    @cached_property
    def dressing(self) -> list[tuple[Function, str]]:
        """The functions that decorate a class, and their names for it."""
        return [
            (function, own.name)
            for name, dressed in self.decorated.items()
            if any(isinstance(one, Class) for one, _ in dressed)
            for function in self._signatures.get(name, ())
            for own in function.params[:1]
        ]

    @cached_property
    def _given_any(self) -> set[str]:
        """The names by which what is given any class calls it: class methods, methods that Python itself gives one,
        `owner` of `__set_name__`, and what these, and decorators of classes, give it to."""
        given = {
            p.name
            for name, at in GIVEN_CLASSES.items()
            for function in self._signatures.get(name, ())
            for p in function.params[at : at + 1]
        }
        found = given | {"cls"}
        giving = [*((one, None) for one in found), *((own, f) for f, own in self.dressing)]
        for one, within in giving:
            found |= self._taken(one, within)
            found |= {
                keyword
                for call, keyword in self._by_keyword.get(one, ())
                if within is None or within in outwards(self.names.function_of(call))
            }
        return found

    def _taken(self, name: str, within: Function | None = None) -> set[str]:
        """The parameters by which functions take what is called so, `within` a function or anywhere; what `type(self)(…)`
        makes takes what an object of the class around it takes."""
        found = set()
        for call, position in self.passed.get(name, ()):
            called, function = last_name(call.func), self.names.function_of(call)
            if within is not None and within not in outwards(function):
                continue
            match call.func:
                case tree.Call(func=tree.Name(id="type")) if function and function.owner:
                    called = function.owner.name
            for taking in self._signatures.get(called, ()):
                found |= {p.name for p in taking.own_params[position : position + 1]}
        return found
