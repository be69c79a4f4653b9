"""What mocks stand for: by their spec, by what they are patched over, by what they are given to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import (
    NOTHING,
    ClassObject,
    Foreign,
    FunctionObject,
    Instance,
    Mocked,
    ModuleObject,
    Namespace,
    Partial,
    Type,
    Types,
    foreign,
    join,
    ordered,
)
from capsule_lint.program.local_names import written_text
from capsule_lint.program.model import Binding, Module, last_name
from capsule_lint.program.names import External

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.names import Target

MOCKS: Final = frozenset(
    [
        "AsyncMock",
        "MagicMock",
        "Mock",
        "NonCallableMagicMock",
        "NonCallableMock",
        "create_autospec",
    ]
)
CONFIGURES: Final = "configure_mock"
"""The method that gives a mock attributes by keywords, as making it does."""
_IN_NAMESPACE: Final = "setitem"
PATCHES: Final = frozenset(
    ["patch", "object", "setattr", "patch_object", "dict", "spy", _IN_NAMESPACE]
)
"""The last names of functions that put something in the place of what a string names."""
_ITSELF: Final = ("__enter__", "__aenter__", "return_value")
"""What leads from what a factory gives, or a `with` statement enters, to the mock of the object itself."""
_MAX_DEPTH: Final = 3
_REPLACING: Final = ("new", "side_effect", "value", "new_callable", "wraps")


def replacement(call: tree.Call) -> tree.Node | None:
    """What a call of `setattr`, `patch` or `patch.object` puts in place; `None` for a plain mock."""
    word = last_name(call.func)
    positional = call.unnamed
    dotted = bool(positional) and isinstance(positional[0], tree.Const)
    if word == "setattr" and len(positional) == 2:  # `setattr(PATH, fake)`
        dotted = dotted or tree.text(positional[1]) is None
    at = 1 if word == "patch" or dotted else 2
    if len(positional) > at:
        return positional[at]
    return next((a.value for a in call.args if a.keyword in _REPLACING), None)


def _new(call: tree.Call) -> tree.Node | None:
    """The object itself that a patch puts in place; `None` where it makes a mock."""
    node = replacement(call)
    if any(a.value is node and a.keyword not in (None, "new", "value") for a in call.args):
        return call.keyword("new")
    return node


def _giving(decorators: Sequence[tree.Node]) -> list[tree.Call]:
    """The patches among what decorates a test or a class of tests that give it a mock, in the order of its parameters."""
    return [
        d
        for d in reversed(decorators)
        if isinstance(d, tree.Call)
        and last_name(d.func) in ("patch", "object")
        and _new(d) is None
    ]


def is_autospec(call: tree.Call) -> bool:
    """Whether a mock has the signature of what it replaces, and so takes `self` like a function of a
    class does."""
    if last_name(call.func) in ("create_autospec", "spy"):
        return True
    said = call.keyword("autospec")
    return said is not None and not (isinstance(said, tree.Const) and not said.value)


@dataclass(eq=False, slots=True)
class Mocks:
    """Answers the inference's questions about mocks."""

    inference: Inference

    def made(self, node: tree.Call, plain: list[tree.Node]) -> Types:
        """What `MagicMock(spec=C)` or `create_autospec(f)` makes; without a spec, a mock of what is expected
        where it goes."""
        spec = node.keyword("spec") or node.keyword("spec_set") or next(iter(plain), None)
        autospec = is_autospec(node)
        if spec is None:
            return self._expected(self.inference.calls.roles.of(node)) or _OF_ANYTHING
        return self.of(self.inference.of(spec), autospec=autospec)

    def of(self, types: Types, *, autospec: bool = False) -> Types:
        """Mocks of what has these types."""
        found = frozenset(self._of(one, autospec=autospec) for one in types)
        return found or frozenset((Mocked(None),))

    def _of(self, one: Type, *, autospec: bool) -> Type:
        """A mock; only one with `autospec` in the place of a method is given `self` when it is called."""
        match one:
            case ClassObject() | Instance():
                return Mocked(one.cls)
            case ModuleObject():
                return Mocked(one.module)
            case FunctionObject():
                return FunctionObject(one.function, one.bound or not autospec, mock=True)
            case Partial():
                return one  # it is called as what it stands for
            case _:
                return Mocked(None)

    def yielded(self, function: Function) -> Types:
        """What a mock in the place of a function, or of a class by its initializer, yields."""
        if function.name == "__init__" and function.owner is not None:
            return frozenset((Mocked(function.owner),))
        known = self._objects(self.inference.returned(function))
        return self.of(known) if known else foreign("mock")

    def of_class(self, function: Function, name: str) -> Types:
        """What an attribute of a mock in the place of a class is, which `function` initializes: a method's where
        a test takes that mock for an object, too."""
        owner = function.owner if function.name == "__init__" else None
        method = self.inference.classes.method(owner, name) if owner is not None else None
        if method is None:
            return foreign(f"function.{name}")
        return frozenset((FunctionObject(method, bound=True, mock=True),))

    def _objects(self, types: Types) -> Types:
        """The objects of the program among what an expression may be, and what generators give of them."""
        found = self.inference.results.yielded(types)
        return frozenset(one for one in found if isinstance(one, Instance))

    def attribute(self, mock: Mocked, name: str) -> Types | None:
        """What an attribute of a mock is; `None` where nothing is known of it."""
        if isinstance(mock.spec, Module):
            return self.of(self.inference.attributes.of(ModuleObject(mock.spec), name))
        if mock.spec is None:
            return None
        method = self.inference.classes.method(mock.spec, name)
        if method is not None and not method.is_property:
            return frozenset((FunctionObject(method, bound=True, mock=True),))
        if name in _ITSELF:
            return frozenset((mock,))
        member = self.inference.attributes.member(mock.spec, name)
        return frozenset(
            self._of(t, autospec=False) if isinstance(t, Instance | FunctionObject) else t
            for t in member
        )

    def held(self, node: tree.Attr) -> Types:
        """The mocks that a test has given a mock as an attribute: `MagicMock(rooms=MagicMock(spec=R))`,
        `mock.rooms = create_autospec(R)`."""
        values = self._given(node.base, node.name, 0)
        found = (self.inference.of(v) for v in values if v is not node)
        return frozenset(t for t in join(*found) if isinstance(t, Mocked) and t.spec is not None)

    def _given(self, mock: tree.Node, name: str, depth: int) -> list[tree.Node]:
        """What a mock gets under a name, where it is made or later."""
        names = self.inference.names
        match mock:
            case tree.Call() if last_name(mock.func) in MOCKS:
                return [a.value for a in mock.args if a.keyword == name]
            case tree.Name() if depth < _MAX_DEPTH:
                bindings = names.bindings_of(mock)
                return [v for b in bindings for v in self._bound(b, name, depth + 1)]
            case tree.Attr() if depth < _MAX_DEPTH:
                types = self.inference.of(mock.base)
                made = [
                    store.value
                    for one in types
                    if isinstance(one, Instance)
                    for cls in self.inference.classes.mro(one.cls)
                    for store in cls.stores.get(mock.name, ())
                    if store.value is not None and not store.path
                ]
                return [v for value in made for v in self._given(value, name, depth + 1)]
            case _:
                return []

    def _bound(self, binding: Binding, name: str, depth: int) -> list[tree.Node]:
        """What the mock that a name is bound to gets as an attribute."""
        function = binding.function
        if binding.kind == "param" and function is not None:
            fixture = self.inference.fixtures.named(function, binding.name)
            values = fixture.given_back if fixture is not None else []
            return [v for value in values for v in self._given(value, name, depth)]
        if binding.assigned is None:
            return []
        return [*self._given(binding.assigned, name, depth), *self._assigned(binding, name)]

    def _assigned(self, binding: Binding, name: str) -> Iterator[tree.Node]:
        """`mock.rooms = …`."""
        names, module = self.inference.names, binding.module
        for target, value in module.assigned if self.inference.calls.uses.stores(name) else ():
            match target:
                case tree.Attr(base=tree.Name() as base) if (
                    target.name == name
                    and base.id == binding.name
                    and binding in names.bindings_of(base)
                ):
                    yield value

    def dotted(self, text: str) -> Types:
        """What `a.b.C.f` names; nothing where it leads out of the program."""
        parts = text.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            module = self.inference.names.exact(".".join(parts[:cut]))
            if module is not None:
                found: Types = frozenset((ModuleObject(module),))
                for name in parts[cut:]:
                    found = join(*(self.inference.attributes.of(t, name) for t in ordered(found)))
                return frozenset(t for t in found if not isinstance(t, Foreign))
        return NOTHING

    def target(self, call: tree.Call) -> Types | None:
        """What a call of `patch`, `patch.object`, `setattr` or `getattr` names; `None` if unknown."""
        for number, argument in enumerate(call.args[:2]):
            text = written_text(self.inference.names, argument.value)
            if text is not None and "." in text:
                return self.dotted(text)
            if text is not None and number:
                if self._is_of_library(call.args[0].value):
                    return NOTHING
                types = self.inference.of(call.args[0].value)
                if last_name(call.func) == _IN_NAMESPACE:  # `setitem(vars(module), "f", fake)`
                    types = frozenset(t.base for t in types if isinstance(t, Namespace))
                    return join(*(self.inference.attributes.of(t, text) for t in ordered(types)))
                if not types or not all(isinstance(t, (*_KNOWN, FunctionObject)) for t in types):
                    return None
                return join(*(self.inference.attributes.of(t, text) for t in ordered(types)))
        return None

    def _is_of_library(self, node: tree.Node) -> bool:
        """Whether a name, or a path of names, leads to a module or a class of nobody in the program: `requests`."""
        names, target = self.inference.names, self._imported(node)
        return (
            isinstance(target, External)
            and not names.is_ours(target.name)
            and not names.is_made_late(target)
        )

    def _imported(self, node: tree.Node) -> Target | None:
        """What a path of names leads to that begins with an import; `None` where it begins with anything else."""
        names = self.inference.names
        match node:
            case tree.Name():
                bound = names.bindings_of(node)
                return names.follow(bound[0]) if len(bound) == 1 and bound[0].imported else None
            case tree.Attr(base=base, name=name):
                home = self._imported(base)
                if isinstance(home, Module | External):
                    found = names.member(home.name, name)
                    return names.follow(found) if isinstance(found, Binding) else found
        return None

    def patched(self, call: tree.Call) -> Types:
        """What `with patch("a.b.f") as mock` binds, and `patch(…).start()` gives."""
        node = _new(call)
        known = self.inference.of(node) if node is not None else NOTHING
        if node is not None and known != _OF_ANYTHING:
            return known
        maker = call.keyword("new_callable")
        if maker is not None and last_name(maker) not in MOCKS:
            types = self.inference.of(maker)
            return frozenset(Instance(t.cls) for t in types if isinstance(t, ClassObject)) or types
        found: set[Type] = set()
        for one in self.target(call) or ():
            if isinstance(one, ClassObject):
                made = self.inference.classes.initializer(one.cls)
                found.add(FunctionObject(made, bound=True, mock=True) if made else Mocked(one.cls))
            else:
                found.add(self._of(one, autospec=is_autospec(call)))
        return frozenset(found) or frozenset((Mocked(None),))

    def injected(self, function: Function, parameter: tree.Parameter) -> Types | None:
        """What `@patch("a.b.f")` above a test, or above its class, gives a parameter: the lowest decorator the
        first one, and a class's after those of the test."""
        own = function.own_params
        if parameter not in own:
            return None
        at, near = own.index(parameter), _giving(function.fact.decorators)
        if at < len(near):
            return self.patched(near[at])
        above = (near + self._above(function, heir) for heir in self._heirs(function))
        found = [self.patched(patches[at]) for patches in above if at < len(patches)]
        return join(*found) if found else None

    def _heirs(self, function: Function) -> Iterator[Class]:
        """The classes whose patches reach a test: its own one, and those that inherit it."""
        if function.owner is not None and function.name.startswith("test"):
            yield from self.inference.classes.subclasses(function.owner)

    def _above(self, function: Function, heir: Class) -> list[tree.Call]:
        """What patches stand above the class that has a test, and above those that inherit from it up to one."""
        mro = self.inference.classes.mro
        between = (cls for cls in reversed(mro(heir)) if function.owner in mro(cls))
        return [patch for cls in between for patch in _giving(cls.fact.decorators)]

    def role(self, binding: Binding, value: Types) -> Types:
        """A mock without a spec stands for what it replaces, or for what it is given to expects."""
        if value != _OF_ANYTHING:
            return value
        for placed in self.inference.placements.under(binding):
            replaced = self.inference.placements.replaced(placed)
            if replaced:
                return self.of(replaced)
        return self._expected(self.inference.calls.roles.bound(binding)) or value

    def _expected(self, roles: Types) -> Types:
        """Mocks of what is expected where they go."""
        return frozenset(Mocked(t.cls) if isinstance(t, Instance) else t for t in roles)


_OF_ANYTHING: Final[Types] = frozenset((Mocked(None),))
"""A mock of which nothing says what it stands for: where a patch puts it in place, it is what it replaces."""
_KNOWN: Final = (ModuleObject, ClassObject, Instance, Mocked)
