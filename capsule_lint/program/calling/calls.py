"""Who calls whom: call sites by resolved callee, and what they give."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.calling.callers import Callee, Callers
from capsule_lint.program.calling.dispatch import dispatched_with
from capsule_lint.program.calling.families import Families
from capsule_lint.program.calling.passing import OF_METHOD, PASSING
from capsule_lint.program.calling.roles import Roles
from capsule_lint.program.calling.wrapping import filled, is_around
from capsule_lint.program.fields import COPYING, copied_by
from capsule_lint.program.inference.going_through import passed_through
from capsule_lint.program.inference.types import (
    ClassObject,
    FunctionObject,
    Instance,
    Types,
    join,
    ordered,
)
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from capsule_lint.program.classes import Classes
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.inference.structural import Structural
    from capsule_lint.program.model import Binding, Function
    from capsule_lint.program.uses import Uses

_Alike: TypeAlias = str | frozenset[str]
"""The name of what is called, or all names under which something is known."""
INDIRECT_CONSTRUCTION: Final = ("cls", "__class__", "type", "__init__", "model_construct")


@dataclass(eq=False, slots=True)
class Calls:
    """The call graph, on demand."""

    uses: Uses
    classes: Classes
    inference: Inference
    structural: Structural | None = None
    roles: Roles = field(init=False)
    families: Families = field(init=False)
    _callees: dict[int, tuple[Callee, ...]] = field(default_factory=dict)
    _guessed: dict[int, tuple[Types, tuple[Callee, ...]]] = field(default_factory=dict)
    """Those of calls of which not all is known yet, and of what types."""
    _callers: dict[_Alike, Callers] = field(default_factory=dict)
    _decorated: dict[Function, int | None] = field(default_factory=dict)
    _handing_up: dict[Function, list[tree.Call]] | None = None
    _handed_on: dict[Function | Class, list[tuple[tree.Call, int, int]]] | None = None
    _passed_on: dict[str, dict[Function, list[tuple[tree.Call, int, int]]]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.inference.calls = self
        self.roles = Roles(self)
        self.families = Families(self)

    # --- callees ---

    def is_known(self, call: tree.Call) -> bool:
        """Whether what a call may call cannot turn out otherwise any more."""
        return id(call) in self._callees

    def guess(self, call: tree.Call) -> Types | None:
        """The types, so far, of what a call calls; `None` where they are final, or have to be found."""
        return self.inference.table.guess(id(call.func))

    def callees(self, call: tree.Call) -> tuple[Callee, ...]:
        """What the call may call, among the functions and classes of the program."""
        known = self._callees.get(id(call))
        if known is not None:
            return known
        types = self.inference.of(call.func)
        guessed = self._guessed.get(id(call))
        if guessed is not None and guessed[0] is types:
            result = guessed[1]
        else:
            found = dict.fromkeys(self._callee(one, call) for one in ordered(types))
            result = tuple(callee for callee in found if callee is not None)
        if self.inference.table.settled(id(call.func)) is not None:
            self._callees[id(call)] = result
            self._guessed.pop(id(call), None)
        else:
            self._guessed[id(call)] = types, result
        return result

    def _callee(self, one: object, call: tree.Call) -> Callee | None:
        match one:
            case ClassObject():
                return Callee(self.classes.initializer(one.cls), one.cls, 1)
            case FunctionObject():
                filled = self._filled(one.function, call)
                if filled is None:
                    return None
                return Callee(one.function, None, one.given + filled, one.mock)
            case Instance():
                method = self.classes.method(one.cls, "__call__")
                return Callee(method, None, 1) if method else None
            case _:
                return None

    def _filled(self, function: Function, call: tree.Call) -> int | None:
        """How many of the parameters of a function its decorators fill, where it is not called by these; `None`
        where the call is one of a decorator's function that gives it something else."""
        if not function.fact.decorators:
            return 0
        if function not in self._decorated:
            self._decorated[function] = filled(self.classes, function)
        count = self._decorated[function]
        place = self.uses.names.place(call) if count != 0 else None
        return 0 if place is not None and is_around(place, function, self.classes) else count

    def candidates(self, function: Function) -> Iterator[tree.Call]:
        """The calls that could, by name, be calls of the function."""
        return chain.from_iterable(calls for _, calls in self._named_alike(function))

    def _named_alike(self, function: Function) -> Iterator[tuple[_Alike, Iterable[tree.Call]]]:
        """The same by what they call by name."""
        name = function.name
        guessed = self._guessed_names(function)
        if guessed is not None:
            yield from ((one, self.uses.calls(one)) for one in guessed)
        elif name in ("__init__", "__new__") and function.owner is not None:
            for cls in self.classes.subclasses(function.owner):
                yield from self._constructing(cls)
            yield from self._indirect()
        else:
            names, named = self.uses.calls_of(function)  # who asks for the callers asks for these
            every = name == "__call__" and function.owner is not None
            yield names, self.uses.all_calls() if every else named

    def _guessed_names(self, function: Function) -> list[str] | None:
        """The names by which objects with `__call__` may be called, good enough to guess types from; `None`
        where these may be any, or where a guess is not good enough."""
        if function.name != "__call__" or function.owner is None or not self.uses.names.guessing:
            return None
        known = self._known_as(function.owner)
        if known is None:
            return None
        return sorted({alias for one in known for alias in self.uses.aliases(one)})

    def _known_as(self, cls: Class) -> set[str] | None:
        """The names that instances of the class are given where they are made, or put where one is
        declared; `None` where they may get any name. `Cls()(…)` calls what has none. They get others
        when they are passed on: good enough to guess types from, not to say who calls."""
        found = {"", "__call__"}
        for heir in self.classes.subclasses(cls):
            for declared in self.uses.declared(heir.name):
                if isinstance(declared.holder, tree.Assign):
                    found |= {last_name(target) for target in declared.holder.targets}
                elif declared.parameter is None:
                    return None
                else:
                    found.add(declared.parameter)
            for alias in self.uses.aliases(heir.name) | self.uses.holders(heir.name):
                for call in self.uses.calls(alias):
                    parent = self.uses.names.parent(call)
                    if isinstance(parent, tree.Assign):
                        found |= {last_name(target) for target in parent.targets}
                    elif not isinstance(parent, tree.Call) or parent.func is not call:
                        return None
        return found

    def _constructions(self, cls: Class) -> Iterator[tree.Call]:
        """The calls that could, by the name of a class, construct it."""
        for _, calls in self._constructing(cls):
            yield from calls

    def _constructing(self, cls: Class) -> Iterator[tuple[str, list[tree.Call]]]:
        """The same by names."""
        named = self.uses.known_by(cls.name) | self.uses.holders(cls.name)
        for alias in sorted(named):
            yield alias, self.uses.calls(alias)
        for parameter in sorted(self.uses.given_classes.called(cls.name) - named):
            yield parameter, self.uses.calls_beside(parameter)

    def _indirect(self) -> Iterator[tuple[str, list[tree.Call]]]:
        """The calls that could construct any class, by names."""
        return ((name, self.uses.calls_beside(name)) for name in INDIRECT_CONSTRUCTION)

    def callers(self, function: Function) -> Iterator[tuple[tree.Call, Callee]]:
        """The calls of exactly this function."""
        for names, calls in self._named_alike(function):
            yield from self._among(names, calls).of(function)

    def is_called(self, function: Function) -> bool:
        """Whether there are calls of exactly this function."""
        return any(True for _ in self.callers(function))

    def _among(self, names: _Alike, calls: Iterable[tree.Call]) -> Callers:
        """The calls of what has these names, by what they call."""
        if names not in self._callers:
            self._callers[names] = Callers(calls, self)
        return self._callers[names]

    def arguments_for(
        self, function: Function, parameter: str
    ) -> Iterator[tuple[tree.Call, tree.Argument]]:
        """The calls of a function, and what each gives for a parameter, as far as that is told."""
        for call, callee in self.callers(function):
            argument = callee.arguments(call).get(parameter)
            if argument is not None:
                yield call, argument

    def passed_to(self, binding: Binding) -> Iterator[tree.Node]:
        """What callers give for the parameter of a function that a name is bound to; nothing for any other
        binding."""
        function, parameter = binding.function, binding.parameter
        if function is None or parameter is None:
            return
        if function.parameter(binding.name) is parameter:  # and not that of a lambda in it
            for _, argument in self.arguments_for(function, binding.name):
                yield argument.value

    def constructors_of(self, cls: Class) -> Iterator[tuple[tree.Call, Callee]]:
        """The calls that run the constructor of the class: they make an instance of it or of one that
        inherits its constructor, or come from an initializer of an heir."""
        initializer = self.classes.initializer
        every = sorted(self.classes.subclasses(cls), key=lambda c: c.symbol)
        for heir in every if initializer(cls) is None else ():
            if "__init__" in heir.methods:
                for call in self.handed_up(heir.methods["__init__"]):
                    yield call, Callee(None, cls, 1)
        heirs = [heir for heir in every if initializer(heir) is initializer(cls)]
        known, seen = frozenset(heirs), set[tuple[int, Callee]]()
        for heir in heirs:
            for name, calls in self._constructing(heir):
                for call, callee in self._among(name, calls).of_any(known):
                    if (id(call), callee) not in seen:
                        seen.add((id(call), callee))
                        yield call, callee
        direct = {key for key, _ in seen}
        for heir in heirs:
            for name, calls in self._indirect():
                found = self._among(name, calls).of(heir)
                yield from (pair for pair in found if id(pair[0]) not in direct)

    def given_to(self, cls: Class) -> Iterator[tuple[tree.Call, Mapping[str, tree.Argument]]]:
        """The calls that run the constructor of a class, and what each gives for its parameters, or for the
        fields it is made of: nothing where the call does not bind."""
        params = self.classes.constructor(cls) or ()
        for call, _ in list(self.constructors_of(cls)):
            bound = bind(call.args, params)
            yield call, bound.arguments if bound is not None else {}

    def changed_in(self, cls: Class, name: str) -> Iterator[tree.Node]:
        """What copies of objects of a class are given for a field: `replace(store, load=load)`."""
        for word in COPYING:
            for call in self.uses.calls_beside(word):
                value, copied = call.keyword(name), copied_by(call)
                if value is None or copied is None:
                    continue
                classes = [t.cls for t in self.inference.of(copied) if isinstance(t, Instance)]
                if any(cls in self.classes.mro(one) for one in classes):
                    yield value

    def handed_up(self, initializer: Function) -> list[tree.Call]:
        """The calls of `super().__init__(…)` in an initializer."""
        if self._handing_up is None:
            self._handing_up = defaultdict(list)
            for call in self.uses.calls_beside("__init__"):
                match call.func:
                    case tree.Attr(base=tree.Call(func=tree.Name(id="super"))):
                        function = self.uses.names.function_of(call)
                        if function is not None:
                            self._handing_up[function].append(call)
        return self._handing_up.get(initializer, [])

    def gives(self, cls: Class, name: str) -> bool:
        """Whether a call that may construct the class, by its name, may give that field a value."""
        names = [field.name for field in self.classes.fields(cls)]
        at = names.index(name) if name in names else len(names)
        return any(
            argument.star or argument.keyword == name or (not argument.keyword and number >= at)
            for call in (*self._constructions(cls), *self.uses.calls_beside("cls"))
            for number, argument in enumerate(call.args)
        )

    def parameter_of(self, call: tree.Call, argument: tree.Argument) -> str | None:
        """The name of the parameter that an argument of a call goes to."""
        for callee in self.callees(call):
            params, given = self.parameters(callee)
            bound = bind(call.args, params, given)
            for name, passed in bound.arguments.items() if bound else ():
                if passed is argument:
                    return name
        return None

    def parameters(self, callee: Callee) -> tuple[tuple[tree.Parameter, ...], int]:
        """The parameters of a callee, and how many of them are given already."""
        if callee.function is not None:
            return callee.function.params, callee.given
        return (self.classes.constructor(callee.cls) if callee.cls else None) or (), 0

    # --- flow into parameters ---

    def passed(self, function: Function, parameter: tree.Parameter) -> Types | None:
        """What the callers pass for a parameter; `None` when nobody is known to call."""
        found: list[Types] = []
        known = False
        position = function.params.index(parameter)
        methods = self.families.nominal(function)
        if "register" in function.decorators and parameter not in function.own_params[:1]:
            methods |= {*dispatched_with(self.inference, function)}
        unseen = not any(map(self.is_called, methods))
        if unseen or self.uses.may_be_function(function, parameter.name):
            methods |= self.families.structural(function)
        for method in methods:
            same = method.parameter(parameter.name)
            if same is None and position < len(method.params):
                same = method.params[position]
            if same is None:
                continue
            for call, callee in self.callers(method):
                known = True
                bound = callee.bind(call)
                if bound and same.kind == "*":
                    for more in callee.surplus(call):
                        value = self.inference.of(more.value)
                        found.append(self.inference.elements(value) if more.star else value)
                argument = bound.arguments.get(same.name) if bound else None
                if argument is not None:
                    found.append(self.inference.of(argument.value))
            for argument in self._handed(method, same):
                known = True
                found.append(self.inference.of(argument.value))
            for given in passed_through(self, method, same):
                known = True
                found.append(given)
        return join(*found) if known else None

    def _handed(self, function: Function, parameter: tree.Parameter) -> Iterator[tree.Argument]:
        """What `partial(function, …)` and the like give for a parameter."""
        for call, position in self.uses.handed_on(self.known_by(function)):
            of_object = last_name(call.func) == OF_METHOD
            for given in self.named(call.args[position].value, function):
                names = [p.name for p in function.params[given + of_object :]]
                plain = [a for a in call.args[position + 1 :] if a.keyword is None]
                at = names.index(parameter.name) if parameter.name in names else len(plain)
                yield from (a for a in plain[at : at + 1] if not a.star)
                yield from (a for a in call.args if a.keyword == parameter.name)

    def known_by(self, function: Function) -> frozenset[str]:
        """The names by which a function may be passed on: those of its class, if it is an initializer."""
        if function.name != "__init__" or function.owner is None:
            return self.uses.passed_as(function)
        heirs = self.classes.subclasses(function.owner)
        return frozenset[str]().union(*(self.uses.known_by(heir.name) for heir in heirs))

    def is_value(self, function: Function) -> bool:
        """Whether a function is named where it is not called: `map(Service.loader, services)`."""
        for node in list(self.uses.names.named(*self.known_by(function))):
            parent = self.uses.names.parent(node)
            called = isinstance(parent, tree.Call) and parent.func is node
            if not called and any(True for _ in self.named(node, function)):
                return True
        return False

    def named(self, node: tree.Node, function: Function) -> Iterator[int]:
        """How many of a function's first parameters are filled where an expression is the function
        itself, or the class that it initializes; nothing where it is something else."""
        return (given for one, given in self._functions_at(node) if one is function)

    def _functions_at(self, node: tree.Node) -> Iterator[tuple[Function, int]]:
        """The functions that an expression may be, and how many of their first parameters are filled."""
        for one, given in self._called_at(node):
            if not isinstance(one, Class):
                yield one, given

    def _called_at(self, node: tree.Node) -> Iterator[tuple[Function | Class, int]]:
        """The same, and the data classes that have no initializer of their own."""
        for one in ordered(self.inference.of(node)):
            match one:
                case FunctionObject():
                    yield one.function, one.given
                case ClassObject():
                    initializer = self.classes.initializer(one.cls)
                    yield (one.cls, 0) if initializer is None else (initializer, 1)

    def handed_on(self, function: Function | Class) -> Sequence[tuple[tree.Call, int, int]]:
        """The calls of `partial` and the like that are given a function, or a data class, together with its
        arguments, how many of its first parameters are filled already, and how many arguments stand before its own."""
        if self._handed_on is None:
            self._handed_on = defaultdict(list)
            for name, position in PASSING.items():
                for call in self.uses.calls_beside(name):
                    first = call.args[position] if len(call.args) > position else None
                    if first is not None and first.keyword is None and not first.star:
                        for one, given in self._called_at(first.value):
                            of_object = given + (name == OF_METHOD)
                            self._handed_on[one].append((call, of_object, position + 1))
        return self._handed_on.get(function, ())

    def passed_on(self, name: str, function: Function) -> Sequence[tuple[tree.Call, int, int]]:
        """The other calls that get a function as an argument under a name, the argument's position, and how
        many of the function's first parameters are filled there."""
        if name not in self._passed_on:
            found = self._passed_on[name] = defaultdict(list)
            for call, position in self.uses.passed(name):
                if last_name(call.func) not in PASSING:
                    for one, given in self._functions_at(call.args[position].value):
                        found[one].append((call, position, given))
        return self._passed_on[name].get(function, ())

    def given(self, binding: Binding) -> Iterator[tree.Call]:
        """The calls that get a local name as an argument."""
        function = binding.function
        for call, _ in self.uses.arguments(function, binding.name):
            yield call
