"""What an expression may be, across files, on demand: annotations, constructors, flow into parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program import namespaces
from capsule_lint.program.annotations import Annotations
from capsule_lint.program.deferred import takes_arguments
from capsule_lint.program.fixtures import Fixtures, is_collected
from capsule_lint.program.mocks import Mocks
from capsule_lint.program.model import Binding, Class, Function, Module, Place, Store, last_name
from capsule_lint.program.names import External
from capsule_lint.program.results import Results
from capsule_lint.program.tabling import Table
from capsule_lint.program.types import (
    ANYTHING,
    NOTHING,
    ClassObject,
    Collection,
    Foreign,
    FunctionObject,
    Instance,
    LambdaObject,
    Mocked,
    ModuleObject,
    Namespace,
    Partial,
    TupleOf,
    Type,
    Types,
    UnknownType,
    foreign,
    join,
)
from capsule_lint.program.wrapping import choosing, wrappers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.program.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.names import Names

_MAPPING: Final = frozenset(
    ["map", "filter", "sorted", "min", "max", "sort", "groupby", "starmap"]
)
_DYNAMODB: Final = frozenset(
    [
        "get_item",
        "put_item",
        "update_item",
        "delete_item",
        "batch_writer",
        "batch_get_item",
        "batch_write_item",
        "transact_write_items",
        "transact_get_items",
        "get_paginator",
        "describe_table",
        "execute_statement",
    ]
)
"""Operations that only a DynamoDB table or client has."""
FRAMEWORK: Final = "framework"
COMPARING: Final = frozenset(("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"))
"""Methods whose argument is one of the same class, wherever they do anything with it."""


@dataclass(eq=False)
class Inference:
    """Types on demand."""

    names: Names
    classes: Classes
    calls: Calls = field(init=False)
    mocks: Mocks = field(init=False)
    annotations: Annotations = field(init=False)
    fixtures: Fixtures = field(init=False)
    results: Results = field(init=False)
    enters: Callable[[Function], bool] = field(default=lambda function: False)
    handed: Callable[[Function, str], Types] = field(default=lambda function, name: NOTHING)
    """Whether a framework calls this function (a handler)."""
    listens: bool = False
    """Whether what is asked on the way to a type matters to what changes."""
    table: Table = field(default_factory=Table)

    def __post_init__(self) -> None:
        self.mocks = Mocks(self)
        self.annotations = Annotations(self)
        self.fixtures = Fixtures(self)
        self.results = Results(self)

    # --- expressions ---

    def of(self, node: tree.Node) -> Types:
        """What `node`, an expression of the program, may be."""
        return self._answer(id(node), lambda: self._infer(node))

    def _answer(self, key: int, find: Callable[[], Types]) -> Types:
        with self.names.aside(not self.listens):
            return self.table.answer(key, find)

    def _infer(self, node: tree.Node) -> Types:
        match node:
            case tree.Name():
                place = self.names.place(node)
                bound = place.scope.bindings.get(node.id, ()) if place.scope.cls else ()
                own = [b for b in bound if b.at == node.at and b.kind == "assign"]
                return self.bound(own[0]) if own else self.name(node.id, place)
            case tree.Attr():
                given = self.fixtures.request_parameter(node)
                if given is not None:
                    return given
                above = self.results.above(node)
                if above:
                    return join(*(self.member(cls, node.name) for cls in above))
                base = self.of(node.base)
                found = join(*(self.attribute(t, node.name) for t in base))
                if any(isinstance(t, Mocked) for t in base) and not any(
                    isinstance(t, FunctionObject) for t in found
                ):
                    return self.mocks.held(node) or found
                return found
            case tree.Call():
                return self.results.of(node)
            case tree.Const():
                return foreign(
                    "None"
                    if node.value is None and not node.kind
                    else f"builtins.{type(node.value).__name__}"
                )
            case tree.FString():
                return foreign("builtins.str")
            case tree.Wrapped(kind="await" | "starred" | "yieldfrom"):
                return self.of(node.value)
            case tree.Walrus():
                return self.of(node.value)
            case tree.Conditional():
                return join(self.of(node.then), self.of(node.otherwise))
            case tree.Boolean(op="or", values=(*_, tree.DictDisplay() | tree.Sequence())):
                return join(*map(self.of, node.values)) - ANYTHING  # the others are that as well
            case tree.Boolean():
                return join(*map(self.of, node.values))
            case tree.Subscript():
                return self._subscript(node)
            case tree.Sequence(kind="tuple"):
                return frozenset((TupleOf(tuple(map(self.of, node.items))),))
            case tree.Sequence():
                items = join(*(self._item(item) for item in node.items))
                return frozenset((Collection(items),))
            case tree.DictDisplay():
                values = join(*map(self.of, node.values))
                return frozenset((Collection(values, kind="dict"),))
            case tree.Comprehension(kind="DictComp"):
                return frozenset((Collection(self.of(node.results[1]), kind="dict"),))
            case tree.Comprehension():
                return frozenset((Collection(self.of(node.results[0])),))
            case tree.Lambda():
                return frozenset((LambdaObject(node),))
            case _:
                return foreign("value")

    def _item(self, item: tree.Node) -> Types:
        if isinstance(item, tree.Wrapped) and item.kind == "starred":
            return self.elements(self.of(item.value))
        return self.of(item)

    def _subscript(self, node: tree.Subscript) -> Types:
        if isinstance(node.index, tree.Other):  # a slice
            return self.of(node.base)
        found: list[Types] = []
        for base in self.of(node.base):
            match base:
                case Collection():
                    found.append(base.items)
                case TupleOf() if isinstance(node.index, tree.Const) and isinstance(
                    node.index.value, int
                ):
                    number = node.index.value
                    inside = -len(base.items) <= number < len(base.items)
                    found.append(base.items[number] if inside else NOTHING)
                case TupleOf():
                    found.append(join(*base.items))
                case ClassObject():
                    found.append(frozenset((base,)))
                case Namespace():
                    found.append(namespaces.looked_up(self, base, node.index))
                case Foreign(name="sys.modules"):
                    found.append(namespaces.imported(self, node.index))
                case Instance():
                    getter = self.classes.method(base.cls, "__getitem__")
                    found.append(self.returned(getter) if getter else ANYTHING)
                case Foreign():
                    found.append(self._kept(node) or foreign(f"{base.name}[]"))
                case _:
                    found.append(ANYTHING)
        return join(*found)

    def _kept(self, node: tree.Subscript) -> Types:
        """The objects of the program that it keeps under a name in what is not its own:
        `app.extensions["stores"] = stores` for `current_app.extensions["stores"]`."""
        key = tree.text(node.index)
        stored = self.calls.uses.kept(last_name(node.base), key) if key is not None else ()
        return frozenset(t for value in stored for t in self.of(value) if isinstance(t, Instance))

    def name(self, name: str, place: Place) -> Types:
        """What the name may be at that place."""
        bindings = self.names.bindings(name, place)
        if not bindings:
            return foreign(f"builtins.{name}")
        return join(*map(self.bound, bindings))

    def bound(self, binding: Binding) -> Types:
        """What a binding gives its name."""
        return self._answer(id(binding), lambda: self._bound(binding))

    def _bound(self, binding: Binding) -> Types:
        match binding.kind:
            case "def":
                assert isinstance(binding.definition, Function)
                made = binding.definition
                return frozenset((FunctionObject(made, bound=made.is_bound_task),))
            case "class":
                assert isinstance(binding.definition, Class)
                return frozenset((ClassObject(binding.definition),))
            case "import":
                return self._imported(binding)
            case "param":
                return self._parameter(binding)
            case "except" | "case":
                return foreign("exception")
        if binding.annotation is not None and last_name(binding.annotation) != "Final":
            annotated = self.annotations.of(binding.annotation)
            if annotated and not annotated & ANYTHING:
                return annotated
        if binding.value is None:
            return ANYTHING
        value = self.of(binding.value)
        if binding.kind == "for":
            value = self.elements(value)
        elif binding.kind == "with":
            value = self._entered(value)
        value = self.unpacked(value, binding.path)
        return self.mocks.role(binding, value)

    def _imported(self, binding: Binding) -> Types:
        target = self.names.follow(binding)
        match target:
            case Module():
                return frozenset((ModuleObject(target),))
            case External():
                return foreign(target.name)
            case Binding() if target is not binding and target.kind != "import":
                return self.bound(target)
            case _:
                return ANYTHING

    def unpacked(self, value: Types, path: tuple[int, ...]) -> Types:
        """What stands at a place of an unpacked target."""
        for step in path:
            parts = []
            for one in value:
                if isinstance(one, TupleOf):
                    parts.append(
                        one.items[step] if 0 <= step < len(one.items) else join(*one.items)
                    )
                else:
                    parts.append(self.elements(frozenset((one,))))
            value = join(*parts)
        return value

    def _entered(self, value: Types) -> Types:
        found = []
        for one in value:
            if isinstance(one, Instance):
                enter = self.classes.method(one.cls, "__enter__") or self.classes.method(
                    one.cls, "__aenter__"
                )
                found.append(self.returned(enter, one) if enter else frozenset((one,)))
            elif isinstance(one, Collection):
                found.append(one.items)  # a generator under @contextmanager
            else:
                found.append(frozenset((one,)))
        return join(*found)

    def elements(self, types: Types, around: frozenset[Class] = frozenset()) -> Types:
        """What iterating over a value of these types yields; `around` are those that lead there."""
        found: list[Types] = []
        for one in types:
            match one:
                case Collection(kind="dict"):
                    found.append(one.keys or foreign("key"))
                case Collection():
                    found.append(one.items)
                case TupleOf():
                    found.append(join(*one.items))
                case Instance():
                    found.append(self._iterated(one.cls, around))
                case Foreign():
                    found.append(foreign(f"{one.name}[]"))
                case _:
                    found.append(ANYTHING)
        return join(*found)

    def _iterated(self, cls: Class, around: frozenset[Class]) -> Types:
        """What an object yields: one that is its own iterator says so in `__next__`."""
        method = self.classes.method(cls, "__next__" if cls in around else "__iter__")
        if method is None:
            return ANYTHING
        found = self.returned(method)
        return found if cls in around else self.elements(found, around | {cls})

    # --- attributes ---

    def attribute(self, base: Type, name: str) -> Types:
        """What `base.name` may be."""
        if name == "__dict__" and not isinstance(base, Mocked | Foreign | UnknownType):
            return namespaces.of(base)
        match base:
            case Instance():
                return self.member(base.cls, name)
            case ClassObject():
                return self._class_attribute(base.cls, name)
            case ModuleObject():
                return self._module_attribute(base.module, name)
            case Mocked():
                return self.mocks.attribute(base, name) or foreign("mock")
            case FunctionObject(mock=True) if name == "start":
                return frozenset((base,))
            case FunctionObject(mock=True) if name == "return_value":
                made = base.function.owner if base.function.name == "__init__" else None
                return frozenset((Mocked(made),)) if made else foreign("mock")
            case Foreign():
                stored = self.calls.uses.stores(name)
                if stored and not base.name.startswith("builtins."):
                    known = join(*map(self.of, stored))
                    return frozenset(t for t in known if isinstance(t, Instance)) or foreign(
                        f"{base.name}.{name}"
                    )
                return foreign(f"{base.name}.{name}")
            case FunctionObject() if takes_arguments(self, base.function, name):
                return frozenset((base,))
            case FunctionObject() | Partial() | LambdaObject():
                return foreign(f"function.{name}")
            case Collection() | TupleOf():
                return foreign(f"collection.{name}")
            case _:
                is_dynamo = name in _DYNAMODB and not any(
                    name in c.methods for c in self.classes.all
                )
                return foreign(f"boto3.{name}") if is_dynamo else ANYTHING

    def _module_attribute(self, module: Module, name: str) -> Types:
        target = self.names.follow(self.names.member(module.name, name))
        match target:
            case Module():
                return frozenset((ModuleObject(target),))
            case Binding():
                bindings = [
                    b
                    for b in target.place.scope.bindings.get(target.name, ())
                    if b.kind != "import"
                ]
                return join(*map(self.bound, bindings or [target]))
            case _:
                return foreign(target.name)

    def _class_attribute(self, cls: Class, name: str) -> Types:
        if self.classes.is_enum(cls) and name in cls.scope.bindings and name not in cls.methods:
            return frozenset((Instance(cls),))
        method = self.classes.method(cls, name)
        if method is not None:
            return frozenset((FunctionObject(method, bound="classmethod" in method.decorators),))
        for owner in self.classes.mro(cls):
            bindings = owner.scope.bindings.get(name)
            if bindings:
                return self.bound(bindings[-1])
        if name in ("query", "scan", "get", "objects"):
            return foreign(f"{cls.name}.{name}")
        return foreign(f"{cls.name}.{name}") if any(self.classes.foreign_bases(cls)) else ANYTHING

    def member(self, cls: Class, name: str) -> Types:
        """What `cls().name` may be."""
        method = self.classes.method(cls, name)
        if method is not None:
            if method.is_property:
                return self.returned(method, Instance(cls))
            return frozenset((FunctionObject(method, bound=not method.is_static),))
        if name == "__class__":
            return frozenset((ClassObject(cls),))
        for owner in self.classes.mro(cls):
            found = self._stored(owner, name)
            if found is not None:
                return found
        proxy = self.classes.method(cls, "__getattr__")
        if proxy is not None:
            return self._forwarded(proxy, name)
        of_kin = join(*(self._of_kin(other, name) for other in self.calls.kin(cls)))
        if of_kin:  # what is declared lacks it, what is given there has it
            return of_kin
        foreign_bases = [
            b
            for b in self.classes.foreign_bases(cls)
            if b.rpartition(".")[2] not in ("object", "ABC", "Protocol", "Generic")
        ]
        return foreign(f"{foreign_bases[0]}.{name}") if foreign_bases else ANYTHING

    def _forwarded(self, proxy: Function, name: str) -> Types:
        """What `__getattr__` yields for a name, where it only asks something else for it."""
        match proxy.returns:
            case [
                tree.Call(
                    func=tree.Name(id="getattr"),
                    args=(base, tree.Argument(tree.Name() as own), *_),
                )
            ]:
                if own.id == proxy.params[-1].name:
                    found = [
                        self._of_kin(one.cls, name)
                        if isinstance(one, Instance)
                        else self.attribute(one, name)
                        for one in self.of(base.value)
                    ]
                    return join(*found) or ANYTHING
        return ANYTHING

    def _of_kin(self, cls: Class, name: str) -> Types:
        """What a class that may stand where another is declared has under a name."""
        method = self.classes.method(cls, name)
        if method is not None:
            return frozenset((FunctionObject(method, bound=not method.is_static),))
        found = self._stored(cls, name) or NOTHING
        return frozenset(t for t in found if isinstance(t, FunctionObject))

    def declared(self, cls: Class, name: str) -> Types:
        """What `cls().name` is declared as, or starts as, whatever is put into it later."""
        found = (self._declared(owner, name) for owner in self.classes.mro(cls))
        return next((types for types in found if types is not None), NOTHING)

    def _stored(self, cls: Class, name: str) -> Types | None:
        known = self._declared(cls, name)
        if known is None:
            return None
        return frozenset(self._filled(cls, name, one) for one in known)

    def _declared(self, cls: Class, name: str) -> Types | None:
        stores = cls.stores.get(name, [])
        bindings = cls.scope.bindings.get(name, [])
        if not stores and not bindings:
            return None
        for annotation in [s.annotation for s in stores] + [b.annotation for b in bindings]:
            if annotation is not None:
                annotated = self.annotations.of(annotation)
                if annotated and not annotated & ANYTHING:
                    return annotated
        found = [self._store(store) for store in stores]
        found += [self.bound(b) for b in bindings if b.value is not None or b.kind != "assign"]
        known = join(*found)
        meant = frozenset(t for t in known if t != Foreign("None"))
        return meant or known or ANYTHING

    def _filled(self, cls: Class, name: str, one: Type) -> Type:
        """A collection that starts empty, with what the methods of its class put into it, if all of that
        is known."""
        if not isinstance(one, Collection) or one.items:
            return one
        put = join(*(self.of(value) for value in self.calls.uses.fills(cls, name)))
        return one if put & ANYTHING else Collection(put, one.keys, one.kind)

    def _store(self, store: Store) -> Types:
        if store.value is None:
            return ANYTHING
        return self.unpacked(self.of(store.value), store.path)

    # --- functions ---

    def the_class(self, types: Types, *, present: bool = False) -> Class | None:
        """The one class that a value of these types is certainly an instance of.

        `present` says that the value is known not to be `None`.
        """
        certain = [t for t in types if not (present and t == Foreign("None"))]
        classes = {t.cls for t in certain if isinstance(t, Instance)}
        if len(classes) != 1 or not all(isinstance(t, Instance) for t in certain):
            return None
        return next(iter(classes))

    def returned(self, function: Function | None, receiver: Type | None = None) -> Types:
        """What calling the function gives (awaited, where it is async)."""
        if function is None:
            return ANYTHING
        return (
            self._answer(id(function.fact), lambda: self._returned(function))
            if not (_names_self(function.fact.returns))
            else self._self_type(function, receiver)
        )

    def _self_type(self, function: Function, receiver: Type | None) -> Types:
        if isinstance(receiver, Instance | ClassObject):
            return frozenset((Instance(receiver.cls),))
        return frozenset((Instance(function.owner),)) if function.owner else ANYTHING

    def _returned(self, function: Function) -> Types:
        if function.fact.returns is not None:
            annotated = self.annotations.of(function.fact.returns)
            if annotated and not annotated & ANYTHING:
                return annotated
        if function.yields:
            items = []
            for node in function.yields:
                if isinstance(node, tree.Wrapped):
                    value = self.of(node.value)
                    items.append(self.elements(value) if node.kind == "yieldfrom" else value)
            return frozenset((Collection(join(*items), kind="yields"),))
        if not function.returns and _only_raises(function):
            return self._overridden(function) or ANYTHING
        if not function.returns:
            return foreign("None") if function.fact.returns is None else ANYTHING
        found = join(*map(self.of, function.returns))
        return found or ANYTHING

    def _overridden(self, function: Function) -> Types:
        """What the methods yield that subclasses have for one which is not implemented."""
        heirs = self.classes.subclasses(function.owner) if function.owner is not None else ()
        methods = [heir.methods.get(function.name) for heir in heirs]
        return join(*(self.returned(m) for m in methods if m is not None and m is not function))

    def _parameter(self, binding: Binding) -> Types:
        scope, parameter = binding.place.scope, binding.parameter
        assert parameter is not None
        function = scope.function if scope.kind == "function" else None
        if function is not None and function.takes_self and parameter is function.params[0]:
            return self._self_object(function) if function.owner is not None else foreign("task")
        if function is not None and function.owner is not None and function.name in COMPARING:
            return frozenset((Instance(function.owner),))
        if parameter.annotation is not None:
            annotated = self.annotations.of(parameter.annotation)
            if annotated and not annotated & ANYTHING:
                return _as_variadic(parameter, annotated)
        if function is None:
            return self._into_lambda(binding.place, parameter)
        return _as_variadic(parameter, self._flowing(function, parameter))

    def _into_lambda(self, place: Place, parameter: tree.Parameter) -> Types:
        """What reaches the parameter of a lambda: from calls by the name that it is bound to, or from
        the collection that `map`, `filter` or `sorted` go through."""
        node = self.names.index.lambdas.get(id(place.scope))
        if node is None or parameter not in node.params:
            return ANYTHING
        position = node.params.index(parameter)
        parent = self.names.parent(node)
        name = ""
        match parent:
            case tree.Call():
                argument = next(a for a in parent.args if a.value is node)
                rest = [a.value for a in parent.args if a.value is not node and a.keyword is None]
                cls = place.scope.parent.cls if place.scope.parent is not None else None
                if cls is not None and position == 0 and last_name(parent.func) == "property":
                    return frozenset((Instance(cls),))
                if last_name(parent.func) in _MAPPING and rest:
                    return self.elements(self.of(rest[min(position, len(rest) - 1)]))
                name = argument.keyword or self.calls.parameter_of(parent, argument) or ""
            case tree.Assign():
                name = last_name(parent.targets[0])
            case tree.DictDisplay():  # called as `TABLE[name](ctx, note_id)`
                holder = self.names.parent(parent)
                name = last_name(holder.targets[0]) if isinstance(holder, tree.Assign) else ""
        homes = {place.scope.module}
        if isinstance(parent, tree.Call):
            called = [c.function or c.cls for c in self.calls.callees(parent)]
            homes.update(one.module for one in called if one is not None)
        elif isinstance(parent, tree.DictDisplay):
            homes.update(self._importing(name, place.scope.module))
        passed = [
            self.of(call.args[position].value)
            for call in self.calls.uses.calls_beside(name)
            if name and self.names.place(call).scope.module in homes
            if position < len(call.args) and call.args[position].keyword is None
        ]
        return join(*passed) or ANYTHING

    def _importing(self, name: str, module: Module) -> Iterator[Module]:
        """The modules that import a name from one under the same name."""
        for other in self.names.modules.values():
            for binding in other.scope.bindings.get(name, ()):
                target = self.names.follow(binding)
                if isinstance(target, Binding) and target.place.scope.module is module:
                    yield other

    def _self_object(self, function: Function) -> Types:
        assert function.owner is not None
        if "classmethod" in function.decorators or function.name in (
            "__new__",
            "__init_subclass__",
            "__class_getitem__",
        ):
            return frozenset((ClassObject(function.owner),))
        return frozenset((Instance(function.owner),))

    def _flowing(self, function: Function, parameter: tree.Parameter) -> Types:
        """What reaches an un-annotated parameter: a fixture, the base's annotation, the callers."""
        default = NOTHING if parameter.default is None else self.of(parameter.default)
        if any(isinstance(t, Instance) for t in default):
            return default
        if function.module.is_test:
            given = self.fixtures.rows(function, parameter.name) or self.mocks.injected(
                function, parameter
            )
            if given is not None:
                return given
            fixture = self.fixtures.named(function, parameter.name)
            if fixture is not None:
                return self.results.yielded(self.returned(fixture))
        inherited = self._inherited(function, parameter)
        if inherited is not None:
            return inherited
        if any(True for wrapper in wrappers(self, function) for _ in choosing(self, wrapper)):
            return ANYTHING  # a decorator gives what it likes
        if self.enters(function):
            given = self._entering(function, parameter) or self.handed(function, parameter.name)
            return given or foreign(FRAMEWORK)
        passed = self.calls.passed(function, parameter)
        if passed is None:
            if function.module.is_test and is_collected(function):
                return foreign("fixture")
            return ANYTHING
        meant = frozenset(t for t in join(passed, default) if t != Foreign("None"))
        if not function.module.is_test:  # a mock may stand for anything
            meant -= {Mocked(None), Foreign("mock")}
        return meant or ANYTHING

    def _entering(self, function: Function, parameter: tree.Parameter) -> Types:
        """The objects that the program itself gives to what a framework calls as well."""
        given = (
            self.of(argument.value)
            for call, argument in self.calls.arguments_for(function, parameter.name)
            if not self.names.place(call).scope.module.is_test
        )
        return frozenset(one for one in join(*given) if isinstance(one, Instance))

    def _inherited(self, function: Function, parameter: tree.Parameter) -> Types | None:
        if function.owner is None or function.name == "__init__":
            return None
        position = function.own_params.index(parameter) if parameter in function.own_params else -1
        for base in self.classes.mro(function.owner)[1:]:
            method = base.methods.get(function.name)
            if method is None or position < 0:
                continue
            same = method.parameter(parameter.name)
            if same is None and position < len(method.own_params):
                same = method.own_params[position]
            if same is not None and same.annotation is not None:
                return self.annotations.of(same.annotation)
        return None


def _names_self(node: tree.Node | None) -> bool:
    return last_name(node) == "Self" if node is not None else False


def _as_variadic(parameter: tree.Parameter, types: Types) -> Types:
    if parameter.kind == "*":
        return frozenset((Collection(types),))
    if parameter.kind == "**":
        return frozenset((Collection(types, kind="dict"),))
    return types


def _only_raises(function: Function) -> bool:
    """Whether a function does nothing but raise, as what is not implemented does."""
    match function.fact.body[function.fact.doc :]:
        case (tree.Eval(kind="raise"),):
            return True
        case _:
            return False
