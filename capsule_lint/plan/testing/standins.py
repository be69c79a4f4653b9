"""What tests put in the place of a function: `monkeypatch.setattr(module, "f", lambda a, b: …)`,
`mock.get.side_effect = fake_get`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.mocks import MOCKS, PATCHES, is_autospec, replacement
from capsule_lint.program.inference.types import (
    ClassObject,
    Collection,
    Foreign,
    FunctionObject,
    Instance,
    LambdaObject,
    Mocked,
    TupleOf,
    classes_of,
    join,
    ordered,
)
from capsule_lint.program.local_names import calls_of_value, written_text
from capsule_lint.program.model import Class, last_name
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.model import Span
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Function, Module

CALLED: Final = ("side_effect", "wraps")
"""The names under which a mock keeps what it calls."""
STATIC: Final = "staticmethod"
"""What makes a method that is not given its object."""


class StandIn(Struct, frozen=True):
    """A replacement of a function: what comes in its place, how many of the function's first
    parameters it does not take, and the expression that names the function there, if there is one."""

    node: tree.Node
    given: int
    name: tree.Node


@dataclass(eq=False, slots=True)
class StandIns:
    """All replacements in a program, by the functions that they replace."""

    program: Program
    _found: dict[Function, list[StandIn]] | None = None
    _by_name: dict[int, list[StandIn]] = field(default_factory=lambda: defaultdict(list))

    def of(self, function: Function) -> list[StandIn]:
        """The replacements of a function that are not plain mocks."""
        return self._all().get(function, [])

    def named(self, node: tree.Node) -> list[StandIn]:
        """The replacements that come where an expression, or a string, names a function."""
        self._all()
        return self._by_name.get(id(node), [])

    def replaced(self, node: tree.Node) -> list[Function]:
        """The functions in whose place an expression comes."""
        every = self._all().items()
        return [f for f, found in every if any(node in (one.node, one.name) for one in found)]

    def _all(self) -> dict[Function, list[StandIn]]:
        if self._found is None:
            found: dict[Function, list[StandIn]] = defaultdict(list)
            for function, stand_in in self._find():
                found[function].append(stand_in)
                self._by_name[id(stand_in.name)].append(stand_in)
            self._found = found
        return self._found

    def _find(self) -> Iterator[tuple[Function, StandIn]]:
        for word in sorted(PATCHES):
            for call in self.program.calls.uses.calls_beside(word):
                yield from self._patched(call)
        for word in sorted(MOCKS):
            for call in self.program.calls.uses.calls_beside(word):
                yield from self._specified(call)
        for word in ("SimpleNamespace", "type", *sorted(MOCKS)):
            for call in self.program.calls.uses.calls_beside(word):
                yield from self._attributes(call)
        modules = self.program.names.modules.values()
        names = {*CALLED, *(function.name for module in modules for function in module.functions)}
        for module in modules:
            for target, value in module.assigned:
                if isinstance(target, tree.Attr) and target.name in names:
                    yield from self._assigned(target, value)

    def _patched(self, call: tree.Call) -> Iterator[tuple[Function, StandIn]]:
        """`patch("a.f", new)`, `patch.object(C, "f", side_effect=fake)`, `setattr(C, "f", fake)`."""
        node = replacement(call)
        if node is None:
            return
        called = any(a.value is node and a.keyword in CALLED for a in call.args)
        for argument in call.args[:2]:
            text = argument.value
            said = written_text(self.program.names, text)
            for one in self.program.inference.mocks.target(call) or ():
                if (
                    isinstance(one, FunctionObject)
                    and said is not None
                    and said.rpartition(".")[2] == one.function.name
                ):
                    bound = one.bound or (called and not is_autospec(call))
                    yield from self._come(one.function, node, text, bound=bound)
                elif isinstance(one, ClassObject) and said is not None:
                    yield from self._constructed(one.cls, node, text)

    def _constructed(
        self, cls: Class, node: tree.Node, name: tree.Node
    ) -> Iterator[tuple[Function, StandIn]]:
        """`setattr(Runner, "lease", FakeLease)`: a class in the place of another one."""
        initializer = self.program.classes.initializer(cls)
        types = self.program.inference.of(node)
        if initializer is not None and any(isinstance(t, ClassObject) for t in types):
            yield initializer, StandIn(node, 1, name)

    def _specified(self, call: tree.Call) -> Iterator[tuple[Function, StandIn]]:
        """`create_autospec(f, side_effect=fake)`, `MagicMock(spec=f, wraps=fake)`, and `Mock(side_effect=fake)` that is
        given where a function is expected."""
        called = [a.value for a in call.args if a.keyword in CALLED]
        for one in self.program.calls.roles.of(call) if called else ():
            if isinstance(one, FunctionObject):
                for node in called:
                    yield from self._come(one.function, node, node, bound=one.bound)
        for spec in call.args if called else ():
            if spec.keyword not in (None, "spec", "spec_set"):
                continue
            for one in self.program.inference.of(spec.value):
                if isinstance(one, FunctionObject):
                    bound = one.bound or not is_autospec(call)
                    for node in called:
                        yield from self._come(one.function, node, spec.value, bound=bound)

    def _attributes(self, call: tree.Call) -> Iterator[tuple[Function, StandIn]]:
        """`Service(SimpleNamespace(get=fake))`, `Mock(spec=Repo, get=Mock(side_effect=fake))`: the methods of
        what is expected there, or of the spec; and `type("Stub", (), {"get": fake})()`."""
        own = [*_attributes_of(call)]
        made = (
            [call] if class_entries(call) is None else [*calls_of_value(self.program.names, call)]
        )
        roles = join(*(self.program.calls.roles.of(one) for one in made)) if own else ()
        known = classes_of(roles) | self._specs(call) if own else classes_of(roles)
        for cls in sorted(known, key=lambda c: c.symbol):
            for word, node, name in own:
                method = self.program.classes.method(cls, word)
                if method is not None and not method.is_property:
                    yield from self._come(method, node, name, bound=made == [call])

    def _specs(self, call: tree.Call) -> frozenset[Class]:
        """The classes that a mock stands for by its spec, or that a class which a call makes inherits from."""
        of = self.program.inference.of
        if class_entries(call) is not None:
            bases = join(*map(of, tree.items(call.plain[1])))
            return frozenset(one.cls for one in bases if isinstance(one, ClassObject))
        specs = (one.spec for one in of(call) if isinstance(one, Mocked))
        return frozenset(spec for spec in specs if isinstance(spec, Class))

    def _assigned(self, target: tree.Attr, value: tree.Node) -> Iterator[tuple[Function, StandIn]]:
        """`mock.get.side_effect = fake`, `mock.get = fake`, `Repo.get = fake`."""
        if target.name in CALLED:
            for one in self.program.inference.of(target.base):
                if isinstance(one, FunctionObject):
                    bound = one.bound or not (one.mock or self._takes_self(value, one.function))
                    yield from self._come(one.function, value, target.base, bound=bound)
        for one in self.program.inference.of(target):
            if isinstance(one, FunctionObject) and one.function.name == target.name:
                yield from self._come(one.function, value, target, bound=one.bound)

    def _takes_self(self, node: tree.Node, method: Function) -> bool:
        """Whether what a mock calls is given the object as well, by its parameters: that tells whether the mock
        which a test has put into a class has the signature of the method there."""
        scopes = self.program.policy.scopes
        listed = [parameters(self.program, one)[0] for one in callables(self.program, node)]
        return any(not fits(params, method, 1, scopes) for params in listed)

    def _come(
        self, function: Function, node: tree.Node, name: tree.Node, *, bound: bool
    ) -> Iterator[tuple[Function, StandIn]]:
        """What is called in the end: the function itself, or what the mock calls that comes there."""
        if isinstance(node, tree.Call) and last_name(node.func) in MOCKS:
            for argument in node.args:
                if argument.keyword in CALLED:
                    yield from self._come(function, argument.value, name, bound=True)
        elif isinstance(node, tree.Call) and last_name(node.func) == STATIC and node.plain:
            yield from self._come(function, node.plain[0], name, bound=True)
        elif not any(isinstance(t, Mocked) for t in self.program.inference.of(node)):
            yield function, StandIn(node, int(bound and function.takes_self), name)


def class_entries(call: tree.Call) -> tree.Node | None:
    """What a class has that a call makes, `{"get": fake}` of `type("Stub", (), {"get": fake})`; `None` where it makes
    none."""
    return call.plain[2] if last_name(call.func) == "type" and len(call.plain) == 3 else None


def _attributes_of(call: tree.Call) -> Iterator[tuple[str, tree.Node, tree.Node]]:
    """The attributes that a call gives what it makes, what they are, and the expressions that say so:
    `get=fake`, `**{"get.side_effect": fake}`."""
    match class_entries(call):
        case tree.DictDisplay(pairs=pairs):
            yield from ((tree.text(key) or "", given, key) for key, given in pairs if key)
        case tree.Call(args=args) as made if tree.makes_dict(made):
            yield from ((a.keyword, a.value, a.value) for a in args if a.keyword)
    for argument in call.args:
        value = argument.value
        if argument.star == "**" and isinstance(value, tree.DictDisplay):
            for key, given in value.pairs:
                word, _, rest = (tree.text(key) or "").partition(".")
                if key is not None and rest in ("", *CALLED):
                    yield word, given, key
        elif argument.keyword and (
            isinstance(value, tree.Lambda | tree.Name)
            or (isinstance(value, tree.Call) and last_name(value.func) in MOCKS)
        ):
            yield argument.keyword, value, value


class Double(Struct, frozen=True):
    """A lambda, or a function that nothing else calls, which comes in another function's place: it
    gets the parameters that the function gets, where the function gets them."""

    at: Span
    module: Module
    function: Function
    given: int
    params: tuple[tree.Parameter, ...]
    """Its own parameters, as far as they stand for the function's."""


def callables(program: Program, node: tree.Node) -> Iterator[Type]:
    """What may be called where `node` is put, in an order that does not depend on the run."""
    types = program.inference.of(node)
    yield from ordered(frozenset(t for t in types if not _is_data(t, program)))


def parameters(program: Program, one: Type) -> tuple[tuple[tree.Parameter, ...], Module | None]:
    """The parameters that something callable is given, and where it is written."""
    match one:
        case LambdaObject():
            return one.node.params, program.names.module_of(one.node)
        case FunctionObject():
            function = one.function
            return function.params[int(one.bound and function.takes_self) :], function.module
        case _:
            return (), None


def _is_data(one: Type, program: Program) -> bool:
    """Whether nothing is called: a mock's `side_effect` may be an exception or a list of results."""
    match one:
        case Collection() | TupleOf() | Foreign() | Mocked():
            return True
        case ClassObject():
            return program.classes.is_exception(one.cls)
        case Instance():
            return program.classes.method(one.cls, "__call__") is None
        case _:
            return False


def accepts_anything(params: tuple[tree.Parameter, ...]) -> bool:
    """Whether a signature takes one more argument as it is: `lambda *args, **kwargs: …`."""
    return any(p.kind == "*" for p in params)


def fits(
    params: tuple[tree.Parameter, ...], function: Function, given: int, scopes: Sequence[Scope]
) -> bool:
    """Whether a replacement has the function's parameters, one for one; the last ones may be missing
    that have a default and take no scope, or `**kwargs` takes them."""
    own = function.params[given:]
    more = params[-1:] if params and params[-1].kind == "**" else ()
    if more and not any(p.kind == "**" for p in own):
        params = params[:-1]
    rest = own[len(params) :]
    spared = all(
        (p.default is not None or (more and p.kind == "kwonly"))
        and not names_any_of(p.name, scopes)
        for p in rest
    )
    return (
        len(params) <= len(own)
        and spared
        and all(_stands_for(a, b) for a, b in zip(params, own, strict=False))
    )


def _stands_for(one: tree.Parameter, other: tree.Parameter) -> bool:
    """Whether a parameter takes all that another one takes: any plain one what is given by position, one
    of the same name what is given by keyword."""
    if one.kind == "plain" and other.kind in ("posonly", "kwonly"):
        return other.kind == "posonly" or one.name == other.name
    return one.kind == other.kind


def agrees(
    params: tuple[tree.Parameter, ...], function: Function, given: int, scopes: tuple[Scope, ...]
) -> bool:
    """Whether both name the same scopes at the same places, so that a new one comes to the same place."""

    def places(listed: tuple[tree.Parameter, ...]) -> list[tuple[int, str]]:
        return [
            (n, s.name) for n, p in enumerate(listed) for s in scopes if names_scope(p.name, s)
        ]

    return places(params) == places(function.params[given:])


def spare(
    program: Program,
    params: tuple[tree.Parameter, ...],
    function: Function,
    given: int,
    scopes: Iterable[Scope],
) -> int | None:
    """How many parameters stand before the `*args` of a replacement, if it takes one more argument
    where `scopes` come; `None` if it does not."""
    if not accepts_anything(params):
        return None
    order = list(program.policy.scopes)
    first = min((order.index(scope) for scope in scopes), default=0)
    before = 0
    for number, parameter in enumerate(function.params[given:]):
        itself = number + given == 0 and function.takes_self
        if not itself and not names_any_of(parameter.name, order[:first]):
            break
        before += 1
    named = sum(1 for p in params if p.by_position)
    return named if named <= before else None
