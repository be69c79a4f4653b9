"""What an expression, a name and a call of a function may be, across files, on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.calling.fixtures import Fixtures
from capsule_lint.program.inference import namespaces
from capsule_lint.program.inference.annotations import Annotations
from capsule_lint.program.inference.attributes import Attributes
from capsule_lint.program.inference.caught import caught, matched
from capsule_lint.program.inference.contents import Contents
from capsule_lint.program.inference.filled import Filled
from capsule_lint.program.inference.flow import Flow
from capsule_lint.program.inference.late import Late
from capsule_lint.program.inference.located import Located
from capsule_lint.program.inference.mocks import Mocks
from capsule_lint.program.inference.named_keys import key_of
from capsule_lint.program.inference.narrowing import Narrowing
from capsule_lint.program.inference.placed import Placements
from capsule_lint.program.inference.results import Results
from capsule_lint.program.inference.supers import Supers
from capsule_lint.program.inference.tabling import Table
from capsule_lint.program.inference.type_arguments import TypeArguments
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
    ModuleObject,
    TupleOf,
    Type,
    Types,
    classes_of,
    foreign,
    holds_objects,
    join,
    ordered,
)
from capsule_lint.program.model import Binding, Class, Function, Module, Place, last_name
from capsule_lint.program.names import External

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.names import Names


class Inference:
    """Types on demand."""

    def __init__(self, names: Names, classes: Classes, *, listens: bool = False) -> None:
        self.names = names
        self.classes = classes
        self.enters: Callable[[Function], bool] = lambda function: False
        """Whether a framework calls this function (a handler)."""
        self.handed: Callable[[Function, str], Types] = lambda function, name: NOTHING
        """What a framework gives a handler for a parameter of the name."""
        self.listens = listens
        """Whether what is asked on the way to a type matters to what changes."""
        self.table = Table()
        self.calls: Calls
        self.mocks = Mocks(self)
        self.placements = Placements(self)
        self.annotations = Annotations(self)
        self.fixtures = Fixtures(self)
        self.results = Results(self)
        self.supers = Supers(self)
        self.attributes = Attributes(self)
        self.contents = Contents(self)
        self.flow = Flow(self)
        self.filled = Filled(self)
        self.located = Located(self)
        self.late = Late(self)
        self.type_arguments = TypeArguments(self)
        self.narrowing = Narrowing(self)

    # --- expressions ---

    def of(self, node: tree.Node) -> Types:
        """What `node`, an expression of the program, may be."""
        key = id(node)
        held = self.table.settled(key)
        if held is None:
            held = self.table.guess(key)
        return held if held is not None else self._find(key, lambda: self._infer(node))

    def _answer(self, key: int, find: Callable[[], Types]) -> Types:
        held = self.table.settled(key)
        if held is None:
            held = self.table.guess(key)
        return held if held is not None else self._find(key, find)

    def _find(self, key: int, find: Callable[[], Types]) -> Types:
        if self.listens or self.names.guessing:
            return self.table.find(key, find)
        self.names.guessing += 1  # as `aside`, which takes longer than most answers
        try:
            return self.table.find(key, find)
        finally:
            self.names.guessing -= 1

    def _infer(self, node: tree.Node) -> Types:
        match node:
            case tree.Name():
                place = self.names.place(node)
                bound = place.scope.bindings.get(node.id, ()) if place.scope.cls else ()
                own = [b for b in bound if b.at == node.at and b.kind == "assign"]
                if own:
                    return self.bound(own[0])
                found = self.name(node.id, place)
                return self.narrowing.of(node, found) if place.blocks else found
            case tree.Attr():
                return self._attribute(node)
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
            case tree.Wrapped(kind="await"):
                return self.contents.awaited(self.of(node.value))
            case tree.Wrapped(kind="starred" | "yieldfrom"):
                return self.of(node.value)
            case tree.Walrus():
                return self.of(node.value)
            case tree.Conditional():
                return join(self.of(node.then), self.of(node.otherwise))
            case tree.Boolean(op="or", values=(*others, tree.Sequence(kind="tuple", items=()))):
                return join(*map(self.of, others)) - ANYTHING  # nothing is taken out of that
            case tree.Boolean(op="or", values=(*_, tree.DictDisplay() | tree.Sequence())):
                return join(*map(self.of, node.values)) - ANYTHING  # the others are that as well
            case tree.Boolean():
                return join(*map(self.of, node.values))
            case tree.Subscript():
                return self.contents.at(node)
            case tree.Binary(op="+" | "|"):
                return self.contents.joined(node) or foreign("value")
            case tree.Sequence() | tree.DictDisplay() | tree.Comprehension():
                return frozenset((self._written_out(node),))
            case tree.Lambda():
                return frozenset((LambdaObject(node),))
            case _:
                return foreign("value")

    def _attribute(self, node: tree.Attr) -> Types:
        given = self.fixtures.request_parameter(node)
        if given is not None:
            return given
        above = self.supers.above(node)
        if above:
            return join(*(self.attributes.member(cls, node.name) for cls in above))
        base = self.of(node.base)
        if told := self.type_arguments.in_object(node, base):
            return told
        found = join(*(self.attributes.of(t, node.name) for t in ordered(base)))
        is_mocked = any(isinstance(t, Mocked) for t in base)
        if is_mocked and not any(isinstance(t, FunctionObject) for t in found):
            return self.mocks.held(node) or found
        return found

    def _written_out(
        self, node: tree.Sequence | tree.DictDisplay | tree.Comprehension
    ) -> TupleOf | Collection:
        match node:
            case tree.Sequence(kind="tuple") if not any(map(tree.spread, node.items)):
                return TupleOf(tuple(map(self.of, node.items)))
            case tree.Sequence():
                return Collection(join(*(self._item(item) for item in node.items)))
            case tree.DictDisplay():
                return self._dict(node)
            case tree.Comprehension(kind="DictComp"):
                return Collection(self.of(node.results[1]), kind="dict")
            case tree.Comprehension():
                return Collection(self.of(node.results[0]))

    def _item(self, item: tree.Node) -> Types:
        listed = tree.spread(item)
        return self.of(item) if listed is None else self.contents.elements(self.of(listed))

    def _dict(self, node: tree.DictDisplay) -> Collection:
        each = [self._entry(*pair) for pair in node.pairs]
        items = join(*each)
        named = [key_of(self.classes, key) for key in node.keys] if holds_objects(items) else ()
        entries = tuple((n, types) for n, types in zip(named, each, strict=False) if n is not None)
        different = len(items) > 1 and len(entries) == len(each)
        return Collection(items, kind="dict", entries=entries if different else ())

    def _entry(self, key: tree.Node | None, value: tree.Node) -> Types:
        """What a dict that is written out has under a key, or has of another dict that is spread into it."""
        types = self.of(value)
        if key is not None:
            return types
        return join(*(t.items if isinstance(t, Collection) else frozenset((t,)) for t in types))

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
                return frozenset((FunctionObject(made, bound=made.is_bound_by_decorator),))
            case "class":
                assert isinstance(binding.definition, Class)
                return frozenset((ClassObject(binding.definition),))
            case "import":
                return self._imported(binding)
            case "param":
                return self.flow.of(binding)
            case "except":
                return caught(self, binding)
            case "except*":
                return foreign("exception")
            case "case":
                return matched(self, binding)
        if filled := self.filled.of(binding):
            return filled
        if binding.annotation is not None and last_name(binding.annotation) != "Final":
            annotated = self.annotations.with_value(binding.annotation, binding.value)
            if annotated:
                return annotated
        if binding.value is None:
            return ANYTHING
        if later := self.late.of(binding):
            return later
        value = self.of(binding.value)
        if binding.kind == "for":
            value = self.contents.elements(value)
        elif binding.kind == "with":
            value = self.contents.entered(value)
        value = self.contents.unpacked(value, binding.path)
        return self.mocks.role(binding, value)

    def _imported(self, binding: Binding) -> Types:
        target = self.names.follow(binding)
        match target:
            case Module():
                return frozenset((ModuleObject(target),))
            case External():
                late = self.names.is_made_late(target)
                return namespaces.made_late(self, target) if late else foreign(target.name)
            case Binding() if target is not binding and target.kind != "import":
                return self.bound(target)
            case _:
                return ANYTHING

    # --- what others ask of values ---

    def member(self, cls: Class, name: str) -> Types:
        """What `cls().name` may be."""
        return self.attributes.member(cls, name)

    def declared(self, cls: Class, name: str) -> Types:
        """What `cls().name` is declared as, or starts as, whatever is put into it later."""
        return self.attributes.declared(cls, name)

    def elements(self, types: Types) -> Types:
        """What iterating over a value of these types yields."""
        return self.contents.elements(types)

    def unpacked(self, value: Types, path: tuple[int, ...]) -> Types:
        """What stands at a place of an unpacked target."""
        return self.contents.unpacked(value, path)

    # --- functions ---

    def the_class(self, types: Types, *, present: bool = False) -> Class | None:
        """The one class that a value of these types is certainly an instance of.

        `present` says that the value is known not to be `None`.
        """
        classes = self.any_class(types, present=present)
        return next(iter(classes)) if len(classes) == 1 else None

    def any_class(self, types: Types, *, present: bool = False) -> frozenset[Class]:
        """The classes that a value of these types is certainly an instance of one of; none where it may be
        something else."""
        certain = [t for t in types if not (present and t == Foreign("None"))]
        known = all(isinstance(t, Instance) for t in certain)
        return frozenset(classes_of(certain)) if known else frozenset()

    def homes(self, node: tree.Node, *, classes: bool = False) -> Iterator[Class]:
        """The classes that may have an object's attributes: its own, and what that inherits from. `classes` says
        that those of what may be a class itself are asked for as well."""
        for one in ordered(self.of(node)):
            if isinstance(one, Instance) or (classes and isinstance(one, ClassObject)):
                yield from self.classes.mro(one.cls)

    def returned(self, function: Function | None, receiver: Type | None = None) -> Types:
        """What calling the function gives (awaited, where it is async)."""
        if function is None:
            return ANYTHING
        if last_name(function.fact.returns) == "Self":
            return self._self_type(function, receiver)
        if isinstance(receiver, Instance) and function.owner is not None:
            said = function.fact.returns
            meant = self.type_arguments.of(said, function.owner, receiver.cls) if said else NOTHING
            if meant:
                return meant
        return self._answer(id(function.fact), lambda: self._returned(function))

    def _self_type(self, function: Function, receiver: Type | None) -> Types:
        if isinstance(receiver, Instance | ClassObject):
            return frozenset((Instance(receiver.cls),))
        return frozenset((Instance(function.owner),)) if function.owner else ANYTHING

    def _returned(self, function: Function) -> Types:
        if function.fact.returns is not None:
            annotated = self.annotations.certain(function.fact.returns)
            if annotated:
                only = function.returns[0] if len(function.returns) == 1 else None
                if isinstance(only, tree.DictDisplay | tree.Sequence):  # what is in it says more
                    return self.annotations.more_exact(annotated, lambda: self.of(only))
                return annotated
        if function.yields:
            items = []
            for node in function.yields:
                value = self.of(node.value)
                items.append(self.contents.elements(value) if node.kind == "yieldfrom" else value)
            return frozenset((Collection(join(*items), kind="yields"),))
        if not function.returns:
            overridden = self._overridden(function) if _only_declares(function) else NOTHING
            if overridden or function.fact.returns is not None or _raises(function):
                return overridden or ANYTHING
            return foreign("None")
        found = join(*map(self.of, function.returns))
        return found or ANYTHING

    def _overridden(self, function: Function) -> Types:
        """What the methods yield that subclasses have for one which is not implemented, of their own or
        of a mixin."""
        heirs = self.classes.subclasses(function.owner) if function.owner is not None else ()
        methods = dict.fromkeys(self.classes.method(heir, function.name) for heir in heirs)
        return join(*(self.returned(m) for m in methods if m is not None and m is not function))


def _only_declares(function: Function) -> bool:
    """Whether a function does nothing but raise, or has no body, as what is not implemented."""
    return all(
        isinstance(one, tree.Eval)
        and (one.kind == "raise" or all(isinstance(v, tree.Const) for v in one.values))
        for one in function.fact.body[function.fact.doc :]
    )


def _raises(function: Function) -> bool:
    """Whether a function does nothing but raise."""
    match function.fact.body[function.fact.doc :]:
        case (tree.Eval(kind="raise"),):
            return True
        case _:
            return False
