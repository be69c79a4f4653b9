"""What an expression may be, across files, on demand: annotations, constructors, flow into parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.mocks import MOCKS, Mocks
from capsule_lint.program.model import Binding, Class, Function, Module, Place, Store, last_name
from capsule_lint.program.names import External
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
    Partial,
    TupleOf,
    Type,
    Types,
    foreign,
    join,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from capsule_lint.program.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.names import Names

_COLLECTIONS: Final = frozenset(
    [
        "list",
        "List",
        "Sequence",
        "MutableSequence",
        "Iterable",
        "Iterator",
        "Generator",
        "AsyncIterator",
        "AsyncIterable",
        "AsyncGenerator",
        "set",
        "Set",
        "frozenset",
        "FrozenSet",
        "deque",
        "Collection",
        "AbstractSet",
    ]
)
_MAPPINGS: Final = frozenset(
    [
        "dict",
        "Dict",
        "Mapping",
        "MutableMapping",
        "OrderedDict",
        "defaultdict",
        "DefaultDict",
        "ChainMap",
    ]
)
_TRANSPARENT: Final = frozenset(
    [
        "Optional",
        "Union",
        "Annotated",
        "Awaitable",
        "Coroutine",
        "Final",
        "ClassVar",
        "Required",
        "NotRequired",
        "ReadOnly",
        "ContextManager",
        "AbstractContextManager",
        "AsyncContextManager",
        "AbstractAsyncContextManager",
        "Unpack",
    ]
)
_VAGUE: Final = frozenset(("typing.Any", "object", "typing.TypeVar", "Any"))
_SAME: Final = frozenset(
    (
        "replace",
        "copy",
        "deepcopy",
        "cast",
        "wait_for",
        "shield",
        "run",
        "ensure_future",
        "create_task",
        "run_until_complete",
        "evolve",
        "run_sync",
    )
)
_TO_LIST: Final = frozenset(
    (
        "list",
        "tuple",
        "sorted",
        "set",
        "frozenset",
        "reversed",
        "iter",
        "filter",
        "gather",
        "aiter",
        "chain",
        "islice",
    )
)
_MAPPING: Final = frozenset(
    ["map", "filter", "sorted", "min", "max", "sort", "groupby", "starmap"]
)
_FIRST_ITEM: Final = frozenset(("next", "max", "min", "anext", "choice"))
_DICT_ITEMS: Final = frozenset(("get", "pop", "setdefault", "popleft", "__getitem__"))
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


@dataclass(eq=False)
class Inference:
    """Types on demand."""

    names: Names
    classes: Classes
    calls: Calls = field(init=False)
    mocks: Mocks = field(init=False)
    enters: Callable[[Function], bool] = field(default=lambda function: False)
    """Whether a framework calls this function (a handler)."""
    table: Table = field(default_factory=Table)
    _foreign_stores: dict[str, list[tree.Node]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mocks = Mocks(self)
        for module in self.names.modules.values():
            for statement, _ in module.statements:
                if isinstance(statement, tree.Assign) and statement.value is not None:
                    for target in statement.targets:
                        if isinstance(target, tree.Attr) and not _is_self(target.base):
                            self._foreign_stores.setdefault(target.name, []).append(
                                statement.value
                            )

    def forget(self) -> None:
        """Forget what was found before classes were known that fit a Protocol by their shape."""
        self.table.clear()

    # --- expressions ---

    def of(self, node: tree.Node) -> Types:
        """What `node`, an expression of the program, may be."""
        return self.table.answer(id(node), lambda: self._infer(node))

    def _infer(self, node: tree.Node) -> Types:
        match node:
            case tree.Name():
                return self.name(node.id, self.names.place(node))
            case tree.Attr():
                given = self._request_parameter(node)
                if given is not None:
                    return given
                return join(*(self.attribute(t, node.name) for t in self.of(node.base)))
            case tree.Call():
                return self._call(node)
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
                case Instance():
                    getter = self.classes.method(base.cls, "__getitem__")
                    found.append(self.returned(getter) if getter else ANYTHING)
                case Foreign():
                    found.append(foreign(f"{base.name}[]"))
                case _:
                    found.append(ANYTHING)
        return join(*found)

    def name(self, name: str, place: Place) -> Types:
        """What the name may be at that place."""
        bindings = self.names.bindings(name, place)
        if not bindings:
            return foreign(f"builtins.{name}")
        return join(*map(self.bound, bindings))

    def bound(self, binding: Binding) -> Types:
        """What a binding gives its name."""
        return self.table.answer(id(binding), lambda: self._bound(binding))

    def _bound(self, binding: Binding) -> Types:
        match binding.kind:
            case "def":
                assert isinstance(binding.definition, Function)
                return frozenset((FunctionObject(binding.definition),))
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
            annotated = self.annotation(binding.annotation)
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
                stored = self._foreign_stores.get(name)
                if stored and not base.name.startswith("builtins."):
                    known = join(*map(self.of, stored))
                    return frozenset(t for t in known if isinstance(t, Instance)) or foreign(
                        f"{base.name}.{name}"
                    )
                return foreign(f"{base.name}.{name}")
            case FunctionObject() | Partial() | LambdaObject():
                return foreign(f"function.{name}")
            case Collection() | TupleOf():
                return foreign(f"collection.{name}")
            case _:
                ours = any(name in c.methods for c in self.classes.all)
                return foreign(f"boto3.{name}") if name in _DYNAMODB and not ours else ANYTHING

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
        if self.classes.method(cls, "__getattr__"):
            return ANYTHING
        of_kin = join(*(self._of_kin(other, name) for other in self.calls.kin(cls)))
        if of_kin:  # what is declared lacks it, what is given there has it
            return of_kin
        foreign_bases = [
            b
            for b in self.classes.foreign_bases(cls)
            if b.rpartition(".")[2] not in ("object", "ABC", "Protocol", "Generic")
        ]
        return foreign(f"{foreign_bases[0]}.{name}") if foreign_bases else ANYTHING

    def _of_kin(self, cls: Class, name: str) -> Types:
        """What a class that may stand where another is declared has under a name."""
        method = self.classes.method(cls, name)
        if method is not None:
            return frozenset((FunctionObject(method, bound=not method.is_static),))
        found = self._stored(cls, name) or NOTHING
        return frozenset(t for t in found if isinstance(t, FunctionObject))

    def _stored(self, cls: Class, name: str) -> Types | None:
        stores = cls.stores.get(name, [])
        bindings = cls.scope.bindings.get(name, [])
        if not stores and not bindings:
            return None
        for annotation in [s.annotation for s in stores] + [b.annotation for b in bindings]:
            if annotation is not None:
                annotated = self.annotation(annotation)
                if annotated and not annotated & ANYTHING:
                    return annotated
        found = [self._store(store) for store in stores]
        found += [self.bound(b) for b in bindings if b.value is not None or b.kind != "assign"]
        known = join(*found)
        meant = frozenset(t for t in known if t != Foreign("None"))
        return meant or known or ANYTHING

    def _store(self, store: Store) -> Types:
        if store.value is None:
            return ANYTHING
        return self.unpacked(self.of(store.value), store.path)

    # --- calls ---

    def _call(self, node: tree.Call) -> Types:
        special = self._special(node)
        if special is not None:
            return special
        if isinstance(node.func, tree.Attr):
            of_collection = self._collection_method(node, node.func)
            if of_collection is not None:
                return of_collection
        return join(*(self._result(t, node) for t in self.of(node.func)))

    def _result(self, called: Type, node: tree.Call) -> Types:
        match called:
            case ClassObject():
                return frozenset((Instance(called.cls),))
            case FunctionObject():
                if called.mock:
                    return self.returned(called.function)
                return self.returned(called.function, self._receiver(node))
            case Partial():
                return self.returned(called.function.function)
            case LambdaObject():
                return self.of(called.node.body)
            case Instance():
                method = self.classes.method(called.cls, "__call__")
                return self.returned(method) if method else ANYTHING
            case Mocked():
                return foreign("mock")
            case Foreign():
                return foreign(f"{called.name}()")
            case _:
                return ANYTHING

    def _receiver(self, node: tree.Call) -> Type | None:
        if not isinstance(node.func, tree.Attr):
            return None
        for one in self.of(node.func.base):
            if isinstance(one, Instance | ClassObject):
                return one
        return None

    def _collection_method(self, node: tree.Call, func: tree.Attr) -> Types | None:
        base = self.of(func.base)
        found: list[Types] = []
        for one in base:
            if not isinstance(one, Collection):
                return None
            if func.name == "values":
                found.append(frozenset((Collection(one.items),)))
            elif func.name == "items":
                pair = TupleOf((one.keys or foreign("key"), one.items))
                found.append(frozenset((Collection(frozenset((pair,))),)))
            elif func.name in _DICT_ITEMS:
                defaults = [self.of(a.value) for a in node.args[1:2]]
                found.append(join(one.items, *defaults))
            elif func.name == "copy":
                found.append(frozenset((one,)))
            else:
                found.append(foreign(f"collection.{func.name}()"))
        return join(*found) if found else None

    def _special(self, node: tree.Call) -> Types | None:
        name = last_name(node.func)
        plain = [a.value for a in node.args if not a.star and a.keyword is None]
        if name == "super" and not node.args:
            return self._super(node)
        if name in MOCKS and self._outside(node.func):
            return self.mocks.made(node, plain)
        if name in ("patch", "object", "spy") and plain and self._patches(node.func):
            return self.mocks.patched(node)
        if not plain:
            return self._depends(node) if name in ("Depends", "Security") else None
        if name in ("Depends", "Security", "Provide", "Inject") and self._outside(node.func):
            return self._depends(node)
        if not self._outside(node.func):
            return None
        if name == "partial":
            return self._partial(node, plain[0])
        if name == "getfixturevalue" and isinstance(plain[0], tree.Const):
            given = self._fixtures.get(str(plain[0].value), ())
            return join(*(self._yielded(self.returned(f)) for f in given)) or ANYTHING
        if name == "cast":
            return self.annotation(plain[0])
        if name in _SAME:
            return self.of(plain[0])
        if name in _TO_LIST:
            if name == "gather":
                return frozenset((TupleOf(tuple(map(self.of, plain))),))
            source = plain[-1] if name == "filter" else plain[0]
            return frozenset((Collection(self.elements(self.of(source))),))
        if name in _FIRST_ITEM:
            return join(
                self.elements(self.of(plain[0])),
                *map(self.of, plain[1:2] if name == "next" else []),
            )
        if name == "enumerate":
            pair = TupleOf((foreign("builtins.int"), self.elements(self.of(plain[0]))))
            return frozenset((Collection(frozenset((pair,))),))
        if name == "zip":
            row = TupleOf(tuple(self.elements(self.of(part)) for part in plain))
            return frozenset((Collection(frozenset((row,))),))
        if name == "type" and len(plain) == 1:
            return (
                frozenset(ClassObject(t.cls) for t in self.of(plain[0]) if isinstance(t, Instance))
                or ANYTHING
            )
        if name == "getattr" and len(plain) >= 2 and isinstance(plain[1], tree.Const):
            return join(*(self.attribute(t, str(plain[1].value)) for t in self.of(plain[0])))
        if name == "map":
            called = [self._result(t, node) for t in self.of(plain[0])]
            return frozenset((Collection(join(*called)),))
        return None

    def _outside(self, func: tree.Node) -> bool:
        """Whether a called name is not one of the program's own."""
        return all(isinstance(t, Foreign) for t in self.of(func))

    def _super(self, node: tree.Call) -> Types:
        function = self.names.place(node).scope.function
        while function is not None and function.owner is None:
            function = function.parent
        if function is None or function.owner is None:
            return ANYTHING
        bases = [b for b in self.classes.bases(function.owner) if isinstance(b, Class)]
        if not bases:
            return foreign("super")
        return frozenset(Instance(base) for base in bases)

    def _patches(self, func: tree.Node) -> bool:
        """Whether a function is `unittest.mock.patch`, `patch.object` or pytest-mock's."""
        base = func.base if isinstance(func, tree.Attr) else None
        if last_name(func) == "object":
            return isinstance(base, tree.Name | tree.Attr) and last_name(base) == "patch"
        return self._outside(func)

    def _depends(self, node: tree.Call) -> Types:
        args = [a.value for a in node.args if a.keyword in (None, "dependency")]
        if not args:
            return NOTHING
        found = []
        for one in self.of(args[0]):
            result = self._result(one, node)
            found.append(result)
        return join(*(self._yielded(f) for f in found))

    def _yielded(self, types: Types) -> Types:
        return join(
            *(
                t.items if isinstance(t, Collection) and t.kind == "yields" else frozenset((t,))
                for t in types
            )
        )

    def _partial(self, node: tree.Call, func: tree.Node) -> Types:
        found: set[Type] = {
            Partial(t, node) for t in self.of(func) if isinstance(t, FunctionObject)
        }
        return frozenset(found) or foreign("partial")

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
            self.table.answer(id(function.fact), lambda: self._returned(function))
            if not (_names_self(function.fact.returns))
            else self._self_type(function, receiver)
        )

    def _self_type(self, function: Function, receiver: Type | None) -> Types:
        if isinstance(receiver, Instance | ClassObject):
            return frozenset((Instance(receiver.cls),))
        return frozenset((Instance(function.owner),)) if function.owner else ANYTHING

    def _returned(self, function: Function) -> Types:
        if function.fact.returns is not None:
            annotated = self.annotation(function.fact.returns)
            if annotated and not annotated & ANYTHING:
                return annotated
        if function.yields:
            items = []
            for node in function.yields:
                if isinstance(node, tree.Wrapped):
                    value = self.of(node.value)
                    items.append(self.elements(value) if node.kind == "yieldfrom" else value)
            return frozenset((Collection(join(*items), kind="yields"),))
        if not function.returns:
            return foreign("None") if function.fact.returns is None else ANYTHING
        found = join(*map(self.of, function.returns))
        return found or ANYTHING

    def _parameter(self, binding: Binding) -> Types:
        scope, parameter = binding.place.scope, binding.parameter
        assert parameter is not None
        function = scope.function if scope.kind == "function" else None
        if function is not None and function.takes_self and parameter is function.params[0]:
            return self._self_object(function)
        if parameter.annotation is not None:
            annotated = self.annotation(parameter.annotation)
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
                if last_name(parent.func) in _MAPPING and rest:
                    return self.elements(self.of(rest[min(position, len(rest) - 1)]))
                name = argument.keyword or self.calls.parameter_of(parent, argument) or ""
            case tree.Assign():
                name = last_name(parent.targets[0])
        passed = [
            self.of(call.args[position].value)
            for call in self.calls.by_name.get(name, ())
            if name
            if position < len(call.args) and call.args[position].keyword is None
        ]
        return join(*passed) or ANYTHING

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
            given = self._parametrized(function, parameter.name) or self.mocks.injected(
                function, parameter
            )
            if given is not None:
                return given
            fixture = self.fixture(function, parameter.name)
            if fixture is not None:
                return self._yielded(self.returned(fixture))
        inherited = self._inherited(function, parameter)
        if inherited is not None:
            return inherited
        if self.enters(function):
            return foreign(FRAMEWORK)
        passed = self.calls.passed(function, parameter)
        if passed is None:
            if function.module.is_test and is_collected(function):
                return foreign("fixture")
            return ANYTHING
        meant = frozenset(t for t in join(passed, default) if t != Foreign("None"))
        return meant or ANYTHING

    def _parametrized(self, function: Function, name: str) -> Types | None:
        """What `@pytest.mark.parametrize` gives a parameter of a test."""
        for decorator in function.fact.decorators:
            values = parametrized(decorator, name)
            if values is not None:
                return join(*map(self.of, values)) or ANYTHING
        return None

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
                return self.annotation(same.annotation)
        return None

    def fixture(self, function: Function, name: str) -> Function | None:
        """The pytest fixture that a parameter of a test or fixture asks for."""
        module = function.module
        if not is_collected(function):
            return None
        owner = function.owner
        if owner is not None:
            for cls in self.classes.mro(owner):
                method = cls.methods.get(name)
                if (
                    method is not None
                    and "fixture" in method.decorators
                    and method is not function
                ):
                    return method
        candidates = [self.names.global_binding(module, name)]
        folder = module.filename.rpartition("/")[0]
        while True:
            conftest = f"{folder}/conftest.py" if folder else "conftest.py"
            candidates += [
                self.names.global_binding(other, name)
                for other in self.names.modules.values()
                if other.filename == conftest and other is not module
            ]
            if not folder:
                break
            folder = folder.rpartition("/")[0]
        for candidate in candidates:
            target = self.names.follow(candidate) if candidate is not None else None
            found = target.definition if isinstance(target, Binding) else None
            if (
                isinstance(found, Function)
                and found is not function
                and "fixture" in found.decorators
            ):
                return found
        others = [f for f in self._fixtures.get(name, ()) if f is not function]
        return others[0] if others else None

    @cached_property
    def _fixtures(self) -> dict[str, list[Function]]:
        """All fixtures by the names under which tests ask for them."""
        found: dict[str, list[Function]] = {}
        for module in self.names.modules.values():
            for function in module.functions if module.is_test else ():
                if "fixture" in function.decorators:
                    said = _fixture_option(function, "name")
                    name = said.value if isinstance(said, tree.Const) else None
                    known = name if isinstance(name, str) else function.name
                    found.setdefault(known, []).append(function)
        return found

    def _request_parameter(self, node: tree.Attr) -> Types | None:
        """`request.param` in a fixture with `params=[…]`."""
        if node.name != "param" or not isinstance(node.base, tree.Name):
            return None
        function = self.names.place(node).scope.function
        params = _fixture_option(function, "params") if function is not None else None
        if not isinstance(params, tree.Sequence):
            return None
        values = [_parameter_set(item)[:1] or (item,) for item in params.items]
        whole = [
            item if isinstance(item, tree.Sequence) else v[0]
            for item, v in zip(params.items, values, strict=True)
        ]
        return join(*map(self.of, whole)) or ANYTHING

    # --- annotations ---

    def annotation(self, node: tree.Node) -> Types:
        """What a value with that annotation may be."""
        match node:
            case tree.Binary(op="|"):
                return join(self.annotation(node.left), self.annotation(node.right))
            case tree.Const(value=None):
                return foreign("None")
            case tree.Subscript():
                return self._generic(node)
            case tree.Name() | tree.Attr():
                return join(*(self._denoted(t, node) for t in self._type_name(node)))
            case _:
                return ANYTHING

    def _type_name(self, node: tree.Name | tree.Attr) -> Types:
        if id(node) in self.names.index.places:
            return self.of(node)
        return ANYTHING

    def _denoted(self, one: Type, node: tree.Node) -> Types:
        match one:
            case ClassObject():
                return frozenset((Instance(one.cls),))
            case Foreign():
                return self._foreign_type(one, node)
            case Instance() | Collection() | TupleOf():
                return ANYTHING
            case _:
                return ANYTHING

    def _foreign_type(self, one: Foreign, node: tree.Node) -> Types:
        name = one.name
        if name.endswith("TypeVar()"):
            return self._type_variable(node)
        if name.endswith("NewType()"):
            return foreign("value")
        if name in _VAGUE or name.removeprefix("builtins.") in _VAGUE:
            return ANYTHING
        if name.rpartition(".")[2] in MOCKS:  # what it mocks says more
            return ANYTHING
        if name.endswith((".Self", "builtins.Self")):
            return ANYTHING
        last = name.rpartition(".")[2]
        if last in _MAPPINGS and "builtins" in name + "builtins":
            return foreign("builtins.dict")
        if name.endswith("[]"):  # an alias: Repos = dict[str, Repo], Ctx = Annotated[...]
            return self._alias(node)
        return foreign(name.removesuffix("()"))

    def _alias(self, node: tree.Node) -> Types:
        if isinstance(node, tree.Name):
            for binding in self.names.bindings(node.id, self.names.place(node)):
                target = self.names.follow(binding)
                if isinstance(target, Binding) and isinstance(
                    target.value, tree.Subscript | tree.Binary
                ):
                    return self.annotation(target.value)
        return ANYTHING

    def _type_variable(self, node: tree.Node) -> Types:
        if isinstance(node, tree.Name):
            for binding in self.names.bindings(node.id, self.names.place(node)):
                target = self.names.follow(binding)
                call = target.value if isinstance(target, Binding) else None
                if isinstance(call, tree.Call):
                    bounds = [a.value for a in call.args if a.keyword == "bound"]
                    plain = [a.value for a in call.args if a.keyword is None][1:]
                    found = join(*(self._quoted(b) for b in bounds + plain))
                    return found or ANYTHING
        return ANYTHING

    def _quoted(self, node: tree.Node) -> Types:
        if isinstance(node, tree.Const) and isinstance(node.value, str):
            return self.annotation_of_name(node.value, self.names.place(node))
        return self.annotation(node)

    def annotation_of_name(self, name: str, place: Place) -> Types:
        """What a value is whose annotation is that name, in quotes."""
        return (
            join(
                *(
                    self._denoted(t, tree.Name((0, 0, 0, 0), name))
                    for t in self.name(name, place)
                    if isinstance(t, ClassObject)
                )
            )
            or ANYTHING
        )

    def _generic(self, node: tree.Subscript) -> Types:
        name = last_name(node.base)
        items = (
            node.index.items
            if isinstance(node.index, tree.Sequence) and node.index.kind == "tuple"
            else (node.index,)
        )
        own = self.of(node.base) if id(node.base) in self.names.index.places else NOTHING
        classes = frozenset(Instance(t.cls) for t in own if isinstance(t, ClassObject))
        if classes:
            return frozenset[Type](classes)
        if name in ("Union", "Optional"):
            optional = foreign("None") if name == "Optional" else NOTHING
            return join(optional, *map(self.annotation, items))
        if name == "Annotated":
            return self._annotated(items)
        if name in ("Coroutine",):
            return self.annotation(items[-1])
        if name in _TRANSPARENT:
            return self.annotation(items[0])
        if name in ("Type", "type"):
            return frozenset(
                ClassObject(t.cls) if isinstance(t, Instance) else t
                for t in self.annotation(items[0])
            )
        if name in _COLLECTIONS:
            kind = "yields" if name.endswith(("Iterator", "Generator")) else "list"
            return frozenset((Collection(self.annotation(items[0]), kind=kind),))
        if name in _MAPPINGS:
            values = self.annotation(items[-1])
            return frozenset((Collection(values, self.annotation(items[0]), "dict"),))
        if name in ("tuple", "Tuple"):
            if (
                len(items) == 2
                and isinstance(items[1], tree.Const)
                and items[1].kind == "ellipsis"
            ):
                return frozenset((Collection(self.annotation(items[0])),))
            return frozenset((TupleOf(tuple(map(self.annotation, items))),))
        if name == "Literal":
            return foreign("builtins.str")
        if name == "Callable":
            return ANYTHING
        return foreign(name)

    def _annotated(self, items: tuple[tree.Node, ...]) -> Types:
        found = self.annotation(items[0])
        if any(isinstance(t, Instance) for t in found):
            return found
        for extra in items[1:]:
            if isinstance(extra, tree.Call) and last_name(extra) in ("Depends", "Security"):
                given = self._depends(extra)
                if any(isinstance(t, Instance) for t in given):
                    return given
        return found


def is_collected(function: Function) -> bool:
    """Whether pytest fills its parameters: a test, or a fixture."""
    return (
        function.name.startswith("test")
        or "fixture" in function.decorators
        or function.name
        in ("setup_method", "teardown_method", "setup_class", "pytest_generate_tests")
    )


def parametrized(decorator: tree.Node, name: str) -> list[tree.Node] | None:
    """The values that a `parametrize` decorator gives a parameter; `None` where it gives it none."""
    if not isinstance(decorator, tree.Call) or last_name(decorator.func) != "parametrize":
        return None
    if len(decorator.args) < 2 or not isinstance(decorator.args[1].value, tree.Sequence):
        return None
    said, rows = decorator.args[0].value, decorator.args[1].value.items
    if isinstance(said, tree.Const) and isinstance(said.value, str):
        names = [part.strip() for part in said.value.split(",") if part.strip()]
    elif isinstance(said, tree.Sequence):
        names = [str(item.value) for item in said.items if isinstance(item, tree.Const)]
    else:
        return None
    if name not in names:
        return None
    values = [_parameter_set(row) for row in rows]
    if len(names) == 1:
        return [
            row[0] if len(row) == 1 else whole for row, whole in zip(values, rows, strict=True)
        ]
    at = names.index(name)
    return [row[at] for row in values if at < len(row)]


def _fixture_option(function: Function, name: str) -> tree.Node | None:
    """The value of a keyword of `@pytest.fixture(…)`."""
    for decorator in function.fact.decorators:
        if isinstance(decorator, tree.Call) and last_name(decorator) == "fixture":
            return next((a.value for a in decorator.args if a.keyword == name), None)
    return None


def _parameter_set(row: tree.Node) -> tuple[tree.Node, ...]:
    if isinstance(row, tree.Sequence):
        return row.items
    if isinstance(row, tree.Call) and last_name(row.func) == "param":
        return tuple(a.value for a in row.args if a.keyword is None)
    return (row,)


def _is_self(node: tree.Node) -> bool:
    return isinstance(node, tree.Name) and node.id in ("self", "cls")


def _names_self(node: tree.Node | None) -> bool:
    return last_name(node) == "Self" if node is not None else False


def _as_variadic(parameter: tree.Parameter, types: Types) -> Types:
    if parameter.kind == "*":
        return frozenset((Collection(types),))
    if parameter.kind == "**":
        return frozenset((Collection(types, kind="dict"),))
    return types
