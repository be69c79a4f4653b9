"""What calls yield: of the program's own functions, of collections, and of what everybody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.by_hand import decorated_by_hand
from capsule_lint.program.calling.fixtures import found_by_rows
from capsule_lint.program.containers import LISTED
from capsule_lint.program.inference import collection_methods, namespaces, standard, strategies
from capsule_lint.program.inference.mocks import MOCKS
from capsule_lint.program.inference.types import (
    ANYTHING,
    NOTHING,
    ClassObject,
    Collection,
    Foreign,
    FunctionObject,
    Instance,
    LambdaObject,
    Mocked,
    Partial,
    TupleOf,
    Type,
    Types,
    foreign,
    gives_back,
    holds_objects,
    join,
    ordered,
)
from capsule_lint.program.model import Class, Function, Module, last_name

_SAME: Final = frozenset(
    (
        "replace",
        "copy",
        "deepcopy",
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

_TO_LIST: Final = LISTED | {"aiter", "as_completed", "islice"}

_NAMESPACES: Final = ("globals", "vars", "import_module", "__import__")

_FIRST_ITEM: Final = frozenset(("max", "min", "anext", "choice", "heappop"))

_LOADING: Final = frozenset(("get", "query", "scan", "batch_get"))

_LOADING_BY_PATH: Final = frozenset(
    ("import_string", "import_from_string", "import_object", "locate", "resolve_name")
)
"""Functions of libraries that load what stands at a dotted path."""
_FIELDS: Final = frozenset(("field", "Field"))
"""What says of a field of a dataclass, or of a model, what makes its value."""
_READING: Final = frozenset(
    [
        "construct",
        "from_orm",
        "model_validate",
        "model_validate_json",
        "model_validate_strings",
        "parse_file",
        "parse_obj",
        "parse_raw",
    ]
)
"""What classes of models have that makes one of them of a dict, a text or an object."""
_ENTRY_POINTS: Final = "entry_points()"

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program.inference.infer import Inference


@dataclass(eq=False, slots=True)
class Results:
    """Types of calls."""

    inference: Inference

    def of(self, node: tree.Call) -> Types:
        """What a call yields."""
        special = self._special(node)
        if special is not None:
            return special
        if isinstance(node.func, tree.Attr):
            of_collection = collection_methods.of_method(self.inference, node, node.func)
            if of_collection is not None:
                return of_collection
            loaded = (
                self._loaded(node.func)
                or self._changed(node.func)
                or self._read_as(node.func)
                or self._started(node.func)
                or self._made_past(node, node.func)
            )
            if loaded is not None:
                return loaded
        found = join(*(self._result(t, node) for t in ordered(self.inference.of(node.func))))
        return found if found and not found & ANYTHING else self._declared(node.func) or found

    def _changed(self, func: tree.Attr) -> Types | None:
        """What `level._replace(reserved=1)` and `order.model_copy()` yield: another of the same class."""
        if func.name not in ("_replace", "model_copy", "copy"):
            return None
        classes, found = self.inference.classes, self.inference.of(func.base)
        own = [t.cls for t in found if isinstance(t, Instance)]
        if not own or any(classes.method(cls, func.name) for cls in own):
            return None
        return found if func.name != "copy" or all(map(classes.is_model, own)) else None

    def _read_as(self, func: tree.Attr) -> Types | None:
        """What `Order.model_validate(body)` yields: one of the class, which has no such method of its own."""
        if func.name not in _READING:
            return None
        found, classes = self.inference.of(func.base), self.inference.classes
        own = [t.cls for t in ordered(found) if isinstance(t, ClassObject | Instance)]
        if not own or not all(
            classes.is_model(cls) and classes.method(cls, func.name) is None for cls in own
        ):
            return None
        return frozenset(map(Instance, own))

    def _made_past(self, node: tree.Call, func: tree.Attr) -> Types | None:
        """What `Notes.__new__(Notes)` and `object.__new__(Notes)` yield, past the constructor: a `Notes`."""
        if func.name != "__new__" or not node.plain:
            return None
        made = self.inference.of(node.plain[0])
        if not made or not all(isinstance(one, ClassObject) for one in made):
            return None
        if any(isinstance(one, FunctionObject) for one in self.inference.of(func)):
            return None  # a class's own, which says what it makes
        return join(*(self._result(one, node) for one in ordered(made)))

    def _started(self, func: tree.Attr) -> Types | None:
        """What `patch("app.use.f").start()` yields: the mock that comes in that place."""
        if func.name != "start":
            return None
        mocks = frozenset(filter(self._is_mock, self.inference.of(func.base)))
        return mocks or None

    def _is_mock(self, one: Type) -> bool:
        """Whether something is the mock of a function, or of a class or a module that has no `start` of its own."""
        match one:
            case FunctionObject():
                return one.mock
            case Mocked(spec=Class() as spec):
                return self.inference.classes.method(spec, "start") is None
            case Mocked(spec=Module() as spec):
                return "start" not in spec.scope.bindings
            case _:
                return False

    def _declared(self, func: tree.Node) -> Types:
        """What a call yields of something that is annotated `Callable[[], Notes]`."""
        annotations: list[tree.Node | None] = []
        match func:
            case tree.Name():
                names = self.inference.names
                for binding in names.bindings_of(func):
                    own = binding.parameter
                    annotations.append(own.annotation if own is not None else binding.annotation)
            case tree.Attr():
                for one in ordered(self.inference.of(func.base)):
                    cls = one.cls if isinstance(one, Instance) else None
                    for owner in self.inference.classes.mro(cls) if cls is not None else ():
                        stores = owner.stores.get(func.name, ())
                        annotations += [s.annotation or s.told for s in stores]
                        bindings = owner.scope.bindings.get(func.name, ())
                        annotations += [b.annotation for b in bindings]
        results = [result for one in annotations if (result := result_in(one)) is not None]
        return join(*map(self.inference.annotations.of, results))

    def _result(self, called: Type, node: tree.Call) -> Types:
        match called:
            case ClassObject():
                return frozenset((Instance(called.cls),))
            case FunctionObject():
                if called.mock:
                    return self.inference.returned(called.function)
                given = decorated_by_hand(self.inference.names, node, called.function)
                if given is not None:
                    return self.inference.of(given)
                if called.function.draws:
                    return strategies.yielding(self.inference.returned(called.function))
                told = self.inference.type_arguments.in_call(called.function, node)
                if told:
                    return told
                asked = node.args[0].value if len(node.args) == 1 else None
                located = self.inference.located.of(called.function, asked)
                if located:
                    return located
                receiver = self._receiver(node)
                found = self.inference.returned(called.function, receiver)
                return self._of_receiver(found, called.function, receiver)
            case Partial(of=ClassObject() as made):
                return frozenset((Instance(made.cls),))
            case Partial(of=FunctionObject() as made):
                return self.inference.returned(made.function)
            case LambdaObject():
                return self.inference.of(called.node.body)
            case Instance():
                method = self.inference.classes.method(called.cls, "__call__")
                return self.inference.returned(method) if method else ANYTHING
            case Mocked():
                return foreign("mock")
            case Foreign(name=name) if name.endswith(".load") and _ENTRY_POINTS in name:
                return ANYTHING
            case Foreign():
                holds = gives_back(called) or self._is_given_objects(node)
                return foreign(f"{called.name}()", holds=holds)
            case _:
                return ANYTHING

    def _is_given_objects(self, node: tree.Call) -> bool:
        """Whether an object or a class of the program is among the arguments: what is called may give
        it back."""
        return any(holds_objects(self.inference.of(argument.value)) for argument in node.args)

    def made_by(self, node: tree.Node) -> Types:
        """What calling an expression yields, whatever it is given."""
        made = tree.Call(node.at, node, ())
        return join(*(self._result(t, made) for t in ordered(self.inference.of(node))))

    def _receiver(self, node: tree.Call) -> Type | None:
        if not isinstance(node.func, tree.Attr):
            return None
        for one in ordered(self.inference.of(node.func.base)):
            if isinstance(one, Instance | ClassObject):
                return one
        return None

    def _of_receiver(self, found: Types, function: Function, receiver: Type | None) -> Types:
        """What a method that says nothing of its type makes of `cls` or `self`: one of the receiver's class."""
        owner = function.owner
        if function.fact.returns is not None or not function.takes_self:
            return found
        if not isinstance(receiver, Instance | ClassObject) or receiver.cls is owner:
            return found
        if owner not in self.inference.classes.mro(receiver.cls):
            return found
        return frozenset(Instance(receiver.cls) if t == Instance(owner) else t for t in found)

    def _loaded(self, func: tree.Attr) -> Types | None:
        """`Model.get(…)` and `Model.query(…)` of PynamoDB, unless a model has its own."""
        if func.name not in _LOADING:
            return None
        classes = self.inference.classes
        for one in ordered(self.inference.of(func.base)):
            if (
                isinstance(one, ClassObject)
                and classes.is_pynamo(one.cls)
                and not classes.is_pynamo_index(one.cls)
                and classes.method(one.cls, func.name) is None
            ):
                made: Types = frozenset((Instance(one.cls),))
                return made if func.name == "get" else frozenset((Collection(made),))
        return None

    def _special(self, node: tree.Call) -> Types | None:
        """What a call yields that is known by its name; `None` where the name says nothing."""
        name = last_name(node.func)
        plain = node.plain
        if name == "super":
            return self.inference.supers.of(node)
        if strategies.may_be(node) and (made := strategies.of_method(self.inference, node)):
            return made
        if name in MOCKS and self._outside(node.func):
            return self.inference.mocks.made(node, plain)
        if name in ("patch", "object", "spy") and plain and self._patches(node.func):
            return self.inference.mocks.patched(node)
        if name in _NAMESPACES and self._outside(node.func):
            return namespaces.of_call(self.inference, node, plain)
        if name in ("staticmethod", "classmethod") and plain and self._outside(node.func):
            return self.inference.of(plain[0])
        if not plain and name in ("Depends", "Security"):
            return self.depends(node)
        if name in ("Depends", "Security", "Provide", "Inject") and self._outside(node.func):
            return self.depends(node)
        if not self._outside(node.func):
            return None
        if name in _FIELDS and (factory := dict(node.keywords).get("default_factory")) is not None:
            return self.made_by(factory)
        known = strategies.of_call(self.inference, node, plain)
        known = known or standard.of_call(self.inference, node, plain)
        if known is not None or not plain:
            return known
        return self._known(node, name, plain)

    def _known(self, node: tree.Call, name: str, plain: Sequence[tree.Node]) -> Types | None:
        """What a function yields that everybody knows, of what it is given; `None` for any other one."""
        of, elements, first = self.inference.of, self.inference.elements, plain[0]
        match name:
            case "partial" | "partialmethod":
                return self._partial(node, first)
            case "getfixturevalue":
                return self.inference.fixtures.asked_for(first)
            case "cast":
                return self.inference.annotations.of(first)
            case "gather":
                return frozenset((TupleOf(tuple(map(of, plain))),))
            case "filter" | "filterfalse" | "takewhile" | "dropwhile":
                return frozenset((Collection(elements(of(plain[-1]))),))
            case "next":
                return join(elements(of(first)), *map(of, plain[1:2]))
            case "enumerate":
                pair = TupleOf((foreign("builtins.int"), elements(of(first))))
                return frozenset((Collection(frozenset((pair,))),))
            case "zip" | "zip_longest" | "product":
                row = TupleOf(tuple(elements(of(part)) for part in plain))
                return frozenset((Collection(frozenset((row,))),))
            case "type" if len(plain) == 1:
                own = (ClassObject(one.cls) for one in of(first) if isinstance(one, Instance))
                return frozenset(own) or ANYTHING
            case "getattr" if len(plain) >= 2 and isinstance(plain[1], tree.Const):
                return self._attribute(first, str(plain[1].value))
            case "getattr" if all(map(namespaces.is_module, of(first))) and (
                said := found_by_rows(self.inference.names, node)
            ):
                return join(*(self._attribute(first, one) for one in said))
            case "LocalProxy" | "SimpleLazyObject":
                return self.made_by(first)
            case "getattr" if len(plain) >= 2 and any(map(_has_ours, of(first))):
                return ANYTHING
            case _ if name in _LOADING_BY_PATH:
                return self._at_path(first)
            case "map" | "imap" | "imap_unordered":
                called = [self._result(one, node) for one in ordered(of(first))]
                return frozenset((Collection(join(*called)),))
            case _ if name in _SAME:
                return of(first)
            case _ if name in _TO_LIST:
                return frozenset((Collection(elements(of(first))),))
            case _ if name in _FIRST_ITEM:
                return elements(of(first))
            case _:
                return None

    def _attribute(self, node: tree.Node, name: str) -> Types:
        """What an object may have as an attribute."""
        attribute = self.inference.attributes.of
        return join(*(attribute(one, name) for one in ordered(self.inference.of(node))))

    def _at_path(self, path: tree.Node) -> Types:
        """What the program has at a dotted path: `import_string("app.notes.Notes")`."""
        said = tree.text(path)
        definition = self.inference.names.definition(said.replace(":", ".")) if said else None
        if isinstance(definition, Class):
            return frozenset((ClassObject(definition),))
        return ANYTHING

    def _outside(self, func: tree.Node) -> bool:
        """Whether a called name is not one of the program's own."""
        return all(isinstance(t, Foreign) for t in self.inference.of(func))

    def _patches(self, func: tree.Node) -> bool:
        """Whether a function is `unittest.mock.patch`, `patch.object` or pytest-mock's."""
        base = func.base if isinstance(func, tree.Attr) else None
        if last_name(func) == "object":
            return isinstance(base, tree.Name | tree.Attr) and last_name(base) == "patch"
        if base is not None and "mock" not in last_name(base).lower():
            return False  # `client.patch("/orders/1")`
        return self._outside(func)

    def depends(self, node: tree.Call) -> Types:
        """What `Depends(f)` injects: what `f` returns."""
        args = [a.value for a in node.args if a.keyword in (None, "dependency")]
        if not args:
            return NOTHING
        return join(
            *(self.yielded(self._result(one, node)) for one in ordered(self.inference.of(args[0])))
        )

    def yielded(self, types: Types) -> Types:
        """What a generator's `yield` gives, for a fixture or a context manager."""
        return join(
            *(
                t.items if isinstance(t, Collection) and t.kind == "yields" else frozenset((t,))
                for t in types
            )
        )

    def _partial(self, node: tree.Call, func: tree.Node) -> Types:
        found: set[Type] = {
            Partial(t, node)
            for t in self.inference.of(func)
            if isinstance(t, FunctionObject | ClassObject)
        }
        return frozenset(found) or foreign("partial")


def result_in(annotation: tree.Node | None) -> tree.Node | None:
    """`Notes` of `Callable[[], Notes]`."""
    match annotation:
        case tree.Subscript(index=tree.Sequence(items=(_, result))) if (
            last_name(annotation.base) == "Callable"
        ):
            return result
        case tree.Binary(op="|"):
            return result_in(annotation.left) or result_in(annotation.right)
        case _:
            return None


def _has_ours(one: Type) -> bool:
    """Whether anything of the program may be an attribute of a value, where its name is not known."""
    return isinstance(one, Instance) or namespaces.is_module(one)
