"""What the type variables of a generic class mean in an heir: `T` of `Repository(Generic[T])` in
`class NoteRepository(Repository[Note])`; and those of a function that is given a class: `resolve(NoteRepository)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.annotations import COLLECTIONS, collection_of
from capsule_lint.program.inference.types import (
    NOTHING,
    ClassObject,
    Foreign,
    Instance,
    Type,
    Types,
    foreign,
    join,
    ordered,
)
from capsule_lint.program.model import Class, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Function

_GENERIC: Final = ("Generic", "Protocol")
_CLASS: Final = ("type", "Type")
_MAX_DEPTH: Final = 3


class TypeArguments(Struct, frozen=True):
    """Reads annotations of a generic class as they are meant in an heir."""

    inference: Inference

    def of(self, node: tree.Node | None, base: Class, cls: Class) -> Types:
        """What an annotation in `base` says in `cls`; nothing where no type variable is in it that `cls` fills."""
        if cls is base or not _is_generic(base):
            return NOTHING
        return self._meant(node, base, cls)

    def in_heirs(self, node: tree.Node, base: Class) -> Types:
        """The same in any of those that inherit from it: what its own methods are given."""
        heirs = self.inference.classes.subclasses(base) if _is_generic(base) else ()
        return join(*(self._meant(node, base, heir) for heir in heirs if heir is not base))

    def in_object(self, node: tree.Attr, base: Types) -> Types:
        """What an attribute is of an object of which an annotation says what its class is filled with: `page.items` of
        `-> Page[Note]`, where `class Page(Generic[T])` has `items: list[T]`."""
        if len(base) > 2:  # one object, or none
            return NOTHING
        generic = [one.cls for one in base if isinstance(one, Instance) and _is_generic(one.cls)]
        if len(generic) != 1 or base - foreign("None") != {Instance(generic[0])}:
            return NOTHING
        said = [b.annotation for b in generic[0].scope.bindings.get(node.name, ())]
        given = self._given(node.base, generic[0], 0) if any(said) else ()
        filled = dict(zip(self._variables(generic[0]) if given else (), given, strict=False))

        def meant(name: tree.Name) -> Types:
            inner = filled.get(name.id)
            return self.inference.annotations.of(inner) if inner is not None else NOTHING

        return self._filled(said[0], meant) if filled else NOTHING

    def _given(self, node: tree.Node, cls: Class, depth: int) -> Sequence[tree.Node]:
        """What the annotation of an expression, or of what gives it, fills a generic class with."""
        said: list[tree.Node | None] = []
        match node:
            case tree.Wrapped(kind="await", value=inner):
                return self._given(inner, cls, depth)
            case tree.Call():
                called = (c.function for c in self.inference.calls.callees(node))
                said += [function.fact.returns for function in called if function is not None]
            case tree.Name():
                for binding in self.inference.names.bindings_of(node):
                    said.append(
                        binding.parameter.annotation if binding.parameter else binding.annotation
                    )
                    if said[-1] is None and binding.assigned is not None and depth < _MAX_DEPTH:
                        return self._given(binding.assigned, cls, depth + 1)
        found = [one for one in said if isinstance(one, tree.Subscript)]
        classes = [{ClassObject(cls)} == set(self.inference.of(one.base)) for one in found]
        return tree.items(found[0].index) if found and all(classes) else ()

    def in_call(self, function: Function, call: tree.Call) -> Types:
        """What a call gives of a class that it is given: `resolve(self, kind: type[T]) -> T`; nothing where a function
        does not say that, or where it is not known which class that is."""
        said = function.fact.returns
        taken = dict(self._taken(function)) if said is not None else {}
        if not taken:
            return NOTHING
        bound = bind(call.args, function.own_params)

        def meant(name: tree.Name) -> Types:
            given = bound.arguments.get(taken.get(name.id, "")) if bound is not None else None
            types = self.inference.of(given.value) if given is not None else NOTHING
            made = [_instance(one) for one in ordered(types)]
            return NOTHING if None in made else frozenset(filter(None, made))

        return self._filled(said, meant)

    def are_asked_for(self, function: Function) -> bool:
        """Whether a function gives what is of a class that it is given."""
        said = function.fact.returns
        if said is None:
            return False
        names = {name for name, _ in self._taken(function)}
        return bool(names) and any(
            isinstance(one, tree.Name) and one.id in names for one in within(said)
        )

    def _taken(self, function: Function) -> Iterator[tuple[str, str]]:
        """The type variables of which a function is given the class, and as which parameters."""
        for parameter in function.own_params:
            match parameter.annotation:
                case tree.Subscript(base=of, index=tree.Name() as name) if last_name(of) in (
                    _CLASS
                ) and self._is_variable(name):
                    yield name.id, parameter.name

    def _meant(self, node: tree.Node | None, base: Class, cls: Class) -> Types:
        def meant(name: tree.Name) -> Types:
            given = self._argument(cls, base, name.id)
            return self.inference.annotations.of(given) if given is not None else NOTHING

        return self._filled(node, meant)

    def _filled(self, node: tree.Node | None, meant: Callable[[tree.Name], Types]) -> Types:
        """What an annotation says where its type variables mean something; nothing where none does."""
        match node:
            case tree.Name():
                return meant(node)
            case tree.Subscript(base=of, index=index):
                inner = self._filled(tree.items(index)[0], meant)
                name = last_name(of)
                if not inner:
                    return NOTHING
                if name == "Optional":
                    return join(inner, foreign("None"))
                if name in _CLASS:
                    return frozenset(ClassObject(t.cls) for t in inner if isinstance(t, Instance))
                return frozenset((collection_of(name, inner),)) if name in COLLECTIONS else NOTHING
            case tree.Binary(op="|"):
                sides = [self._filled(one, meant) for one in (node.left, node.right)]
                if not any(sides):
                    return NOTHING
                pairs = zip(sides, (node.left, node.right), strict=True)
                return join(*(one or self.inference.annotations.of(side) for one, side in pairs))
            case _:
                return NOTHING

    def _argument(self, cls: Class, base: Class, name: str) -> tree.Node | None:
        """What a class gives a base for its type variable of that name, itself or through another base."""
        nodes = [argument.value for argument in cls.fact.bases if argument.keyword is None]
        for node, parent in zip(nodes, self.inference.classes.bases(cls), strict=True):
            if not isinstance(parent, Class):
                continue
            if parent is not base and base not in self.inference.classes.mro(parent):
                continue
            found = (
                tree.Name(node.at, name) if parent is base else self._argument(parent, base, name)
            )
            if isinstance(found, tree.Name) and found.id in (own := self._variables(parent)):
                given = tree.items(node.index) if isinstance(node, tree.Subscript) else ()
                at = own.index(found.id)
                return given[at] if at < len(given) else None
            if parent is not base:
                return found
        return None

    def _variables(self, cls: Class) -> list[str]:
        """The type variables of a class in their order."""
        nodes = [b.value for b in cls.fact.bases if isinstance(b.value, tree.Subscript)]
        said = [node for node in nodes if last_name(node.base) in _GENERIC] or nodes
        given = [one for node in said for one in tree.items(node.index)]
        return list(dict.fromkeys(map(last_name, filter(self._is_variable, given))))

    def _is_variable(self, node: tree.Node) -> bool:
        types = self.inference.of(node) if isinstance(node, tree.Name) else ()
        return any(isinstance(one, Foreign) and one.name.endswith("TypeVar()") for one in types)


def _instance(one: Type) -> Type | None:
    """What a class makes that is given as a value; `None` where that is not known to be one."""
    match one:
        case ClassObject():
            return Instance(one.cls)
        case Foreign(name=name) if "(" not in name and "[" not in name:
            return Foreign(name)
        case _:
            return None


def _is_generic(cls: Class) -> bool:
    return any(isinstance(base.value, tree.Subscript) for base in cls.fact.bases)
