"""What attributes may be: of objects, classes, modules, and of what is not the program's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.bases import ADDING_NOTHING, last_name_of
from capsule_lint.program.calling.deferred import takes_arguments
from capsule_lint.program.inference import namespaces
from capsule_lint.program.inference.options import is_parsed, preset_options
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
    Partial,
    TupleOf,
    Type,
    Types,
    UnknownType,
    foreign,
    join,
    ordered,
)
from capsule_lint.program.model import Binding, Class, Function, Module, Store

if TYPE_CHECKING:
    from capsule_lint.program.inference.infer import Inference

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
_QUERYING: Final = ("query", "scan", "get", "objects")
"""What classes of mappers have that the program does not see."""
_OF_FIELDS: Final = (
    "model_fields",
    "model_computed_fields",
    "model_config",
    "__fields__",
    "__annotations__",
)
"""What tells of the fields of a model: no object is in it."""
_SPACE: Final = "SimpleNamespace"
_MADE_EMPTY: Final = {
    "builtins.dict()": "dict",
    "builtins.list()": "list",
    "collections.OrderedDict()": "dict",
    "collections.deque()": "list",
    "sortedcontainers.SortedDict()": "dict",
    "sortedcontainers.SortedList()": "list",
}
"""What makes a table, and of which kind."""
_FUNCTIONS: Final = FunctionObject | LambdaObject | Partial
_EMPTY_LISTS: Final = frozenset(map(Foreign, ("builtins.list()", "builtins.set()")))
"""What is in a dict that is to be filled, `defaultdict(list)`."""


@dataclass(eq=False, slots=True)
class Attributes:
    """Types of attributes."""

    inference: Inference

    def of(self, base: Type, name: str) -> Types:
        """What `base.name` may be."""
        if name == "__dict__" and not isinstance(base, Mocked | Foreign | UnknownType):
            return namespaces.of(base)
        match base:
            case Instance():
                return self.member(base.cls, name)
            case ClassObject():
                return self._of_class(base.cls, name)
            case ModuleObject():
                return self._of_module(base.module, name)
            case Mocked():
                return self.inference.mocks.attribute(base, name) or foreign("mock")
            case FunctionObject(mock=True) if name == "return_value":
                return self.inference.mocks.yielded(base.function)
            case Foreign():
                return self._of_foreign(base, name)
            case FunctionObject() if takes_arguments(self.inference, base.function, name):
                return frozenset((base,))
            case FunctionObject(mock=True):
                return self.inference.mocks.of_class(base.function, name)
            case FunctionObject() | Partial() | LambdaObject():
                return foreign(f"function.{name}")
            case Collection() | TupleOf():
                return foreign(f"collection.{name}")
            case _:
                return foreign(f"boto3.{name}") if self._is_operation(name) else ANYTHING

    def _of_foreign(self, base: Foreign, name: str) -> Types:
        """The objects of the program that it stores under the name in what is not its own, or makes that of."""
        uses = self.inference.calls.uses
        stored = [*uses.stores(name)]
        if is_parsed((base,)):
            preset = join(*map(self.inference.of, preset_options(uses, name)))
            if preset and all(isinstance(one, FunctionObject) for one in preset):
                return preset
        if base.name.endswith(f"{_SPACE}()"):
            stored += [
                argument.value
                for call in uses.calls_beside(_SPACE)
                for argument in call.args
                if argument.keyword == name
            ]
        if base.name == namespaces.MODULE:
            return ANYTHING
        if not stored or base.name.startswith("builtins."):
            return foreign(f"{base.name}.{name}", holds=base.holds)
        known = join(*map(self.inference.of, stored))
        own = frozenset(t for t in known if isinstance(t, Instance))
        return own or foreign(f"{base.name}.{name}", holds=base.holds)

    def _is_operation(self, name: str) -> bool:
        """Whether a name is that of an operation of the table, and of no method of the program."""
        return name in _DYNAMODB and not self.inference.classes.owning(name)

    def _is_set(self, name: str) -> bool:
        """Whether something is given an attribute by its name: `setattr(module, "notes", notes)`."""
        calls = self.inference.calls.uses.calls_beside("setattr")
        return any(len(call.plain) > 1 and tree.text(call.plain[1]) == name for call in calls)

    def _of_module(self, module: Module, name: str) -> Types:
        target = self.inference.names.follow(self.inference.names.member(module.name, name))
        match target:
            case Module():
                return frozenset((ModuleObject(target),))
            case Binding():
                bindings = [
                    b
                    for b in target.place.scope.bindings.get(target.name, ())
                    if b.kind != "import"
                ]
                return join(*map(self.inference.bound, bindings or [target]))
            case _:
                if self.inference.names.is_made_late(target):
                    return namespaces.made_late(self.inference, target)
                return ANYTHING if self._is_set(name) else foreign(target.name)

    def _of_class(self, cls: Class, name: str) -> Types:
        if (
            self.inference.classes.is_enum(cls)
            and name in cls.scope.bindings
            and name not in cls.methods
        ):
            return frozenset((Instance(cls),))
        method = self.inference.classes.method(cls, name)
        if method is not None:
            return frozenset((FunctionObject(method, bound="classmethod" in method.decorators),))
        for owner in self.inference.classes.mro(cls):
            bindings = owner.scope.bindings.get(name)
            if bindings:
                found = self.inference.bound(bindings[-1])
                if meant := self._meant(found, owner, name, cls):
                    return meant
                if _says_nothing(found):
                    return self._said_below(cls, name) or self.inference.late.of_class(cls, name)
                return self._chosen_below(cls, owner, name, found) or self._described(found, cls)
        if name == "model_construct" and self.inference.classes.is_model(cls):
            return frozenset((ClassObject(cls),))  # which checks nothing, and makes the same
        if above := self._of_metaclass(cls, name):
            return above
        based = any(self.inference.classes.foreign_bases(cls))
        later = self.inference.late.of_class(cls, name)
        if (
            later != ANYTHING
        ):  # a base that is not seen may have another one, before it or for good
            return ANYTHING if based else self._described(later, cls)
        inherited = foreign(f"{cls.name}.{name}", holds=name not in _OF_FIELDS)
        return inherited if based or name in _QUERYING else ANYTHING

    def _of_metaclass(self, cls: Class, name: str) -> Types:
        """What the class of a class has under a name, where that is one of the program's."""
        said = [a.value for a in cls.fact.bases if a.keyword == "metaclass"]
        found = (one for node in said for one in self.inference.of(node))
        return join(*(self.member(one.cls, name) for one in found if isinstance(one, ClassObject)))

    def member(self, cls: Class, name: str) -> Types:
        """What `cls().name` may be."""
        method = self.inference.classes.method(cls, name)
        if method is not None:
            if method.is_property:
                return self.inference.returned(method, Instance(cls))
            return frozenset((FunctionObject(method, bound=not method.is_static),))
        if name == "__class__":
            return frozenset((ClassObject(cls),))
        for owner in self.inference.classes.mro(cls):
            found = self._stored(owner, name)
            if found is not None:
                if meant := self._meant(found, owner, name, cls):
                    return meant
                if _says_nothing(found):
                    return self._said_below(cls, name) or self.inference.late.of_class(cls, name)
                if below := self._chosen_below(cls, owner, name, found):
                    return below
                return self._described(found, cls) if name in owner.scope.bindings else found
        proxy = self.inference.classes.method(cls, "__getattr__")
        if proxy is not None:
            return self._forwarded(proxy, name)
        of_kin = join(
            *(self._of_kin(other, name) for other in self.inference.calls.families.kin(cls))
        )
        if of_kin:  # what is declared lacks it, what is given there has it
            return of_kin
        bases = self.inference.classes.foreign_bases(cls)
        telling = next((b for b in bases if last_name_of(b) not in ADDING_NOTHING), None)
        if telling is not None:
            return foreign(f"{telling}.{name}")
        return self._had_below(cls, name) or ANYTHING

    def _meant(self, found: Types, owner: Class, name: str, cls: Class) -> Types:
        """What a generic class declares by its type variable, `model: type[T]`, where an heir says what that is, and
        what was found is nothing of the program's."""
        if not all(isinstance(one, Foreign | UnknownType) for one in found):
            return NOTHING
        said = [
            b.annotation for b in owner.scope.bindings.get(name, ()) if b.annotation is not None
        ]
        if not said:
            return NOTHING
        arguments = self.inference.type_arguments
        return arguments.of(said[0], owner, cls) or arguments.in_heirs(said[0], owner)

    def _had_below(self, cls: Class, name: str) -> Types:
        """What the heirs of a class have under a name that it only uses, as mixins do."""
        classes = self.inference.classes
        heirs = (one for one in classes.subclasses(cls) if one is not cls)
        return join(*(self.member(one, name) for one in heirs if classes.has_attribute(one, name)))

    def _said_below(self, cls: Class, name: str) -> Types:
        """What the heirs of a class say of an attribute of which it says nothing: `model = None`."""
        classes = self.inference.classes
        heirs = [one for one in classes.subclasses(cls) if one is not cls]
        return join(
            *(
                self.inference.bound(binding)
                for heir in heirs
                for binding in heir.scope.bindings.get(name, ())
                if binding.kind == "assign" and binding.value is not None
            )
        )

    def _chosen_below(self, cls: Class, owner: Class, name: str, found: Types) -> Types:
        """What the heirs of a class say where it, or what it inherits from, only declares that there is a class:
        `model: type[Entity]`."""
        said = owner.scope.bindings.get(name, ())
        declares = all(isinstance(one, ClassObject) for one in found) and name not in owner.stores
        if not declares or any(binding.value is not None for binding in said):
            return NOTHING
        return self._said_below(cls, name)

    def _described(self, types: Types, cls: Class) -> Types:
        """What descriptors give, where a class has them: `repo = Provided(NoteRepository)`; a method under another
        name, `get = fetch`, is one of the object."""
        found: list[Types] = []
        for one in ordered(types):
            owner = one.cls if isinstance(one, Instance) else None
            if isinstance(one, FunctionObject) and _takes_object(one.function):
                found.append(frozenset((replace(one, bound=True),)))
                continue
            method = self.inference.classes.method(owner, "__get__") if owner else None
            found.append(self.inference.returned(method) if method else frozenset((one,)))
        return join(*found)

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
                    found = [self._asked(one, name) for one in self.inference.of(base.value)]
                    return join(*found) or ANYTHING
        return ANYTHING

    def _asked(self, one: Type, name: str) -> Types:
        """What something has under a name itself: what that asks in its turn may be what asks it."""
        if isinstance(one, Instance):
            return self._of_kin(one.cls, name)
        spec = one.spec if isinstance(one, Mocked) and isinstance(one.spec, Class) else None
        method = self.inference.classes.method
        if spec is None or method(spec, name) or not method(spec, "__getattr__"):
            return self.of(one, name)
        return NOTHING

    def _of_kin(self, cls: Class, name: str) -> Types:
        """What a class that may stand where another is declared has under a name."""
        method = self.inference.classes.method(cls, name)
        if method is not None:
            return frozenset((FunctionObject(method, bound=not method.is_static),))
        found = self._stored(cls, name) or NOTHING
        return frozenset(t for t in found if isinstance(t, FunctionObject))

    def declared(self, cls: Class, name: str) -> Types:
        """What `cls().name` is declared as, or starts as, whatever is put into it later."""
        found = (self._declared(owner, name) for owner in self.inference.classes.mro(cls))
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
        written = [(s.annotation, s.path, s.value) for s in stores]
        written += [(b.annotation, b.path, b.value) for b in bindings]
        for annotation, path, value in written:
            if annotation is not None:
                given = None if path else value
                annotated = self.inference.annotations.with_value(annotation, given)
                if annotated:
                    return annotated
        found = [self._store(store) for store in stores]
        found += [
            self.inference.bound(b) for b in bindings if b.value is not None or b.kind != "assign"
        ]
        known = join(*found)
        meant = frozenset(t for t in known if t != Foreign("None"))
        if meant <= ANYTHING and any(b.annotation is not None for b in bindings):
            return self._functions_given(cls, name) or known or ANYTHING
        return meant or known or ANYTHING

    def _functions_given(self, cls: Class, name: str) -> Types:
        """The functions that instances of a data class are made with, or copies of them; nothing where one is made with
        something else, for a field that does not say what it is: `handler: Callable[..., dict]`."""
        given = [
            arguments[name].value
            for _, arguments in self.inference.calls.given_to(cls)
            if name in arguments
        ]
        given += self.inference.calls.changed_in(cls, name)
        found = join(*map(self.inference.of, given))
        return found if all(isinstance(t, _FUNCTIONS) for t in found) else NOTHING

    def _filled(self, cls: Class, name: str, one: Type) -> Type:
        """A collection that starts empty, with what the methods of its class put into it, if all of that
        is known."""
        if isinstance(one, Foreign):
            return self._filled_with_functions(cls, name, one)
        if not isinstance(one, Collection) or not one.items <= _EMPTY_LISTS:
            return one
        inference, fillings = self.inference, self.inference.calls.uses.fillings
        put = join(*map(inference.filled.put, fillings.fills(cls, name)))
        if one.kind == "dict":
            put |= self._nested(cls, name)
        spilled = join(
            *(
                self._inside(inference.of(value), one.kind == "dict")
                for value in fillings.spills(cls, name)
            )
        )
        known = put | (spilled - ANYTHING) or one.items
        return one if put & ANYTHING else Collection(known, one.keys, one.kind)

    def _nested(self, cls: Class, name: str) -> Types:
        """The lists in such a dict, with what is put into them."""
        nested = self.inference.calls.uses.fillings.nested_fills(cls, name)
        put = join(*map(self.inference.filled.put, nested))
        return put if put & ANYTHING or not nested else frozenset((Collection(put),))

    def _filled_with_functions(self, cls: Class, name: str, one: Foreign) -> Type:
        """The same of one that is made empty by a call, `OrderedDict()`, where that is functions."""
        kind = _MADE_EMPTY.get(one.name)
        if kind is None:
            return one
        inference = self.inference
        plain = join(*map(inference.filled.put, inference.calls.uses.fillings.fills(cls, name)))
        held = plain | self._nested(cls, name)
        functions = plain | join(*(t.items for t in held if isinstance(t, Collection)))
        known = all(isinstance(t, _FUNCTIONS) for t in functions)
        return Collection(held, kind=kind) if functions and known else one

    def _inside(self, types: Types, is_dict: bool) -> Types:
        """What a collection gets of another one, all of which is put into it."""
        if not is_dict:
            return self.inference.contents.elements(types)
        return join(*(t.items for t in types if isinstance(t, Collection) and t.kind == "dict"))

    def _store(self, store: Store) -> Types:
        if store.value is None:
            return ANYTHING
        return self.inference.contents.unpacked(self.inference.of(store.value), store.path)


def _says_nothing(types: Types) -> bool:
    """Whether all that is known of an attribute is that it may be `None`."""
    return all(one == Foreign("None") or isinstance(one, UnknownType) for one in types)


def _takes_object(function: Function) -> bool:
    """Whether a function is given the object first where a class has it under a name: a method, or a function of a
    module that says so, `def fetch(self, note_id)`."""
    first = function.params[0].name if function.params else ""
    return function.takes_self or (function.owner is None and first == "self")
