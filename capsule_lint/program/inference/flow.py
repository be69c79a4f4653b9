"""What reaches parameters: what they are annotated as, what callers and fixtures give, what frameworks hand in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.calling.dispatch import registered_for
from capsule_lint.program.calling.fixtures import is_collected
from capsule_lint.program.calling.wrapping import (
    choosing,
    is_kept_by_own,
    passed_along,
    wrappers,
)
from capsule_lint.program.inference.annotations import MAPPINGS
from capsule_lint.program.inference.announced import Announced
from capsule_lint.program.inference.hooks import given_by_hooks
from capsule_lint.program.inference.lambdas import Lambdas
from capsule_lint.program.inference.types import (
    ANYTHING,
    NOTHING,
    ClassObject,
    Collection,
    Foreign,
    FunctionObject,
    Instance,
    Mocked,
    Types,
    foreign,
    join,
)
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Binding, Class, Function

_FRAMEWORK: Final = "framework"
"""What inference calls what a framework hands in."""
COMPARING: Final = frozenset(("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"))
"""Methods whose argument is one of the same class, wherever they do anything with it."""
_OF_CLASS: Final = ("__new__", "__init_subclass__", "__class_getitem__")
"""Methods that are given their class without being decorated."""


OF_ITEMS: Final = ("put_item", "get_item", "update_item", "delete_item")
"""Operations of a DynamoDB table, which are given `Item=` and `Key=`: what mimics one, and is called
through something that nothing is known of, gets the same dicts."""


_FEW: Final = 8
"""Into how many classes a mixin may be mixed, of which each is looked at."""


@dataclass(eq=False, slots=True)
class Flow:
    """Types of parameters."""

    inference: Inference
    _lambdas: Lambdas = field(init=False)
    _announced: Announced = field(init=False)
    _mixed: dict[Class, list[Class]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lambdas = Lambdas(self.inference)
        self._announced = Announced(self.inference)

    def of(self, binding: Binding) -> Types:
        """What a parameter may be."""
        scope, parameter = binding.place.scope, binding.parameter
        assert parameter is not None
        function = scope.function if scope.kind == "function" else None
        if function is not None and (told := given_by_hooks(self.inference, function, parameter)):
            return told
        if function is not None and function.takes_self and parameter is function.params[0]:
            return self._self_object(function) if function.owner is not None else foreign("task")
        if function is not None and function.owner is not None and function.name in COMPARING:
            return frozenset((Instance(function.owner),))
        said = parameter.annotation
        if said is None and function is not None and "register" in function.decorators:
            said = registered_for(self.inference, function, parameter)
        if said is not None:
            annotated = self.inference.annotations.certain(said)
            if not annotated and function is not None and function.owner is not None:
                annotated = self.inference.type_arguments.in_heirs(said, function.owner)
            if annotated and function is not None and self._calls_elements(function, parameter):
                passed = self.inference.calls.passed
                annotated = self.inference.annotations.more_exact(
                    annotated, lambda: passed(function, parameter) or NOTHING
                )
            if annotated:
                return _as_variadic(parameter, annotated)
        if function is None:
            return self._lambdas.of(binding.place, parameter)
        return _as_variadic(parameter, self._passed(function, parameter))

    def _calls_elements(self, function: Function, parameter: tree.Parameter) -> bool:
        """Whether a function calls what it finds in a table that it is given: `handlers[kind](event)`."""
        return last_name(parameter.annotation) in MAPPINGS and any(
            isinstance(node, tree.Call)
            and isinstance(node.func, tree.Subscript)
            and isinstance(node.func.base, tree.Name)
            and node.func.base.id == parameter.name
            for node in self.inference.names.inside(function)
        )

    def _self_object(self, function: Function) -> Types:
        assert function.owner is not None
        if "classmethod" in function.decorators or function.name in _OF_CLASS:
            return frozenset((ClassObject(function.owner),))
        return frozenset(map(Instance, self._mixed_into(function.owner))) or frozenset(
            (Instance(function.owner),)
        )

    def _mixed_into(self, cls: Class) -> list[Class]:
        """The classes whose instances the objects are that the methods of a mixin speak of, where it inherits
        from nothing, is made of nothing but in tests, and is mixed into few."""
        if cls not in self._mixed:
            self._mixed[cls] = []
            classes = self.inference.classes
            alone = not any(True for _ in classes.bases(cls))
            own = cls.scope.bindings.keys() - cls.methods.keys()
            if alone and (cls.module.is_test or not (cls.stores or own)):
                heirs = [one for one in classes.subclasses(cls) if one is not cls]
                made = self.inference.calls.constructors_of
                if 0 < len(heirs) <= _FEW and all(c.cls is not cls for _, c in made(cls)):
                    self._mixed[cls] = heirs
        return self._mixed[cls]

    def _passed(self, function: Function, parameter: tree.Parameter) -> Types:
        """What reaches an un-annotated parameter: a fixture, the base's annotation, the callers."""
        default = NOTHING if parameter.default is None else self.inference.of(parameter.default)
        if any(isinstance(t, Instance) for t in default):
            return default
        if function.module.is_test:
            given = self.inference.fixtures.rows(
                function, parameter.name
            ) or self.inference.mocks.injected(function, parameter)
            if given is not None:
                return given
            fixture = self.inference.fixtures.named(function, parameter.name)
            if fixture is not None:
                return self.inference.results.yielded(self.inference.returned(fixture))
        inherited = self._inherited(function, parameter)
        if inherited is not None:
            return inherited
        if any(
            True
            for wrapper in wrappers(self.inference, function)
            for _ in choosing(self.inference, wrapper, function)
        ):
            return ANYTHING  # a decorator gives what it likes
        if self.inference.enters(function):
            given = self._entering(function, parameter) or self.inference.handed(
                function, parameter.name
            )
            if not given and is_kept_by_own(self.inference, function):
                return ANYTHING  # what the program does with it is not seen
            return given or foreign(_FRAMEWORK)
        passed = self.inference.calls.passed(function, parameter)
        if passed is None:
            if function.module.is_test and is_collected(function):
                return foreign("fixture")
            if parameter.name in ("Item", "Key") and function.name in OF_ITEMS:
                return foreign("builtins.dict")
            given = self._along(function, parameter) or self._announced.of(function, parameter)
            return given or ANYTHING
        meant = frozenset(t for t in join(passed, default) if t != Foreign("None"))
        if not function.module.is_test:  # a mock may stand for anything
            meant -= {Mocked(None), Foreign("mock")}
            known = [t for t in meant if isinstance(t, FunctionObject) and not t.mock]
            meant -= {replace(t, mock=True) for t in known}
        return meant or ANYTHING

    def _along(self, function: Function, parameter: tree.Parameter) -> Types:
        """What a wrapper gets that hands it on to what it decorates, where all of that says what it is."""
        found = [
            frozenset(t for t in self.inference.bound(binding) if isinstance(t, Instance))
            for inner, own in passed_along(self.inference, function, parameter)
            for binding in inner.scope.bindings.get(own.name, ())
            if binding.parameter is own
        ]
        return join(*found) if all(found) else NOTHING

    def _entering(self, function: Function, parameter: tree.Parameter) -> Types:
        """The objects that the program itself gives to what a framework calls as well; or else those of its classes
        that tests give."""
        module_of = self.inference.names.module_of
        every = list(self.inference.calls.arguments_for(function, parameter.name))
        own = self._objects(a for call, a in every if not module_of(call).is_test)
        tested = (a for call, a in every if module_of(call).is_test and not own)
        return own or frozenset(t for t in self._objects(tested) if not t.cls.module.is_test)

    def _objects(self, given: Iterable[tree.Argument]) -> frozenset[Instance]:
        """The objects of the program among what some arguments may be."""
        types = join(*(self.inference.of(argument.value) for argument in given))
        return frozenset(one for one in types if isinstance(one, Instance))

    def _inherited(self, function: Function, parameter: tree.Parameter) -> Types | None:
        if function.owner is None or function.name == "__init__":
            return None
        position = function.own_params.index(parameter) if parameter in function.own_params else -1
        for base in self.inference.classes.mro(function.owner)[1:]:
            method = base.methods.get(function.name)
            if method is None or position < 0:
                continue
            same = method.parameter(parameter.name)
            if same is None and position < len(method.own_params):
                same = method.own_params[position]
            if same is not None and same.annotation is not None:
                meant = self.inference.type_arguments.of(same.annotation, base, function.owner)
                return meant or self.inference.annotations.certain(same.annotation) or None
        return None


def _as_variadic(parameter: tree.Parameter, types: Types) -> Types:
    if parameter.kind == "*":
        return frozenset((Collection(types),))
    if parameter.kind == "**":
        return frozenset((Collection(types, kind="dict"),))
    return types
