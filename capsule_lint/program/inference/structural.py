"""Classes that fit a Protocol or base by their shape, and are given where it is declared."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.results import result_in
from capsule_lint.program.inference.types import (
    NOTHING,
    ClassObject,
    Collection,
    FunctionObject,
    Instance,
    Type,
    Types,
    classes_of,
)
from capsule_lint.program.model import Class, Function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.uses import Declared


@dataclass(eq=False)
class Structural:
    """Relatives by shape, found for one class at a time. `calls` resolves calls without them: what
    flows where must not depend on what is still looked for."""

    calls: Calls
    _given: dict[Class, frozenset[Class]] = field(default_factory=dict)
    _kin: dict[tuple[Class, str | None], frozenset[Class]] = field(default_factory=dict)
    _mirrors: dict[frozenset[Class], bool] = field(default_factory=dict)
    _heirs: dict[str, frozenset[Class]] = field(default_factory=dict)
    _meanings: dict[int, frozenset[Class]] = field(default_factory=dict)
    """The classes whose objects an annotation means, by its identity."""
    _asked: set[str] = field(default_factory=set)
    """The methods whose heirs' names have been asked for."""

    def kin(self, cls: Class, method: str | None = None) -> frozenset[Class]:
        """The classes that stand in for `cls`, or that `cls` stands in for; with `method`, at least
        those of them that have a method of that name."""
        found = self._kin.get((cls, method))
        if found is not None and self.calls.uses.names.guessing:
            return found  # nobody notes whose names are asked for
        having = [self._having(name) for name in self._shared(cls, method)]
        if found is None:
            others = frozenset[Class]().union(*having) - {cls}
            taking = {
                other
                for other in others
                if cls in self._given_as(other) or self._mirror(cls, other)
            }
            found = self._kin[cls, method] = self._given_as(cls) | taking
        return found

    def _shared(self, cls: Class, method: str | None) -> set[str]:
        """The names of the public methods of a class, or of the one that is asked for."""
        classes = self.calls.classes
        if method is not None:
            return {method} if classes.method(cls, method) is not None else set()
        return {n for c in classes.mro(cls) for n in c.methods if not n.startswith("_")}

    def _having(self, method: str) -> frozenset[Class]:
        """The classes that have a method of that name, or inherit one."""
        names = self.calls.uses.names
        if method not in self._heirs:
            owners = self.calls.classes.owning(method)
            heirs = (heir for owner in owners for heir in self.calls.classes.subclasses(owner))
            self._heirs[method] = frozenset(heirs)
        elif not names.guessing and method not in self._asked:
            # who asks for them asks for these
            names.ask(*(cls.name for cls in self._heirs[method]))
        if not names.guessing:
            self._asked.add(method)
        return self._heirs[method]

    def _given_as(self, cls: Class) -> frozenset[Class]:
        """The classes whose instances are put where one of `cls` is declared, and fit there."""
        if cls not in self._given:
            self._given[cls] = frozenset()  # a class may hold one of its own kind
            declared = self.calls.uses.declared(cls.name)
            given = dict.fromkeys(g for one in declared for g in self._given_there(one, cls))
            found = {one for types in given for one in self._meant(types, cls)}
            placed = {one for one in self._placed.get(cls, ()) if self._implements(one, cls)}
            self._given[cls] = frozenset(found | placed)
        return self._given[cls]

    @cached_property
    def _placed(self) -> dict[Class, set[Class]]:
        """The classes of tests that these put in the place of others, or whose instances they put where
        others' are: `monkeypatch.setattr(api, "store", FakeStore())`; any class, where a dependency is
        overridden."""
        found: dict[Class, set[Class]] = defaultdict(set)
        inference = self.calls.inference
        for placed in inference.placements.everywhere():
            own = [
                one
                for one in inference.of(placed.node)
                if isinstance(one, Instance | ClassObject)
                and (one.cls.module.is_test or placed.overrides)
            ]
            for other in inference.placements.replaced(placed) if own else ():
                for one in own:
                    for cls in self._taken(one, other):
                        found[cls].add(one.cls)
        for asked, given in self._bound():
            found[asked].add(given)
        return found

    def _bound(self) -> Iterator[tuple[Class, Class]]:
        """The classes by which a container is asked, and those of what it is given for them:
        `container.bind(Notes, FakeNotes())` where that has `resolve(self, kind: type[T]) -> T`."""
        inference = self.calls.inference
        containers = dict.fromkeys(
            function.owner
            for cls in self.calls.classes.all
            for function in cls.methods.values()
            if function.owner is not None and inference.type_arguments.are_asked_for(function)
        )
        methods = [method for cls in containers for method in cls.methods.values()]
        for call in (call for method in methods for call, _ in self.calls.callers(method)):
            shown = [one for one in call.plain if isinstance(one, tree.DictDisplay)]
            pairs = (pair for one in shown for pair in one.pairs)
            for key, value in itertools.chain(itertools.permutations(call.plain, 2), pairs):
                known = inference.of(key) if key is not None else NOTHING
                asked = [one.cls for one in known if isinstance(one, ClassObject)]
                if asked:
                    made = inference.results.made_by
                    given = classes_of(inference.of(value)) or classes_of(made(value))
                    yield from itertools.product(asked, given)

    def _taken(self, one: Instance | ClassObject, other: Type) -> Iterator[Class]:
        """The classes whose place something takes that comes in the place of something else."""
        if isinstance(other, Instance | ClassObject) and type(one) is type(other):
            yield other.cls
        elif isinstance(one, ClassObject) and isinstance(other, FunctionObject):
            made = self.calls.inference.placements.yielded(other)
            yield from (each.cls for each in made if isinstance(each, Instance))

    def _given_there(self, declared: Declared, cls: Class) -> Iterator[Types]:
        """What the program puts where one of the class is declared, and what that makes which it puts
        where something is declared that makes one: `Callable[[], Notes]`."""
        inference = self.calls.inference
        if self._means(declared.annotation, cls):
            yield from map(inference.of, self._put(declared))
            if isinstance(declared.holder, Class):
                yield from self._held(declared.holder, declared.parameter or "")
        elif (made := result_in(declared.annotation)) is not None and self._means(made, cls):
            yield from map(inference.results.made_by, self._put(declared))

    def _means(self, annotation: tree.Node, cls: Class) -> bool:
        known = self._meanings.get(id(annotation))
        if known is None:
            types = self.calls.inference.annotations.of(annotation)
            known = self._meanings[id(annotation)] = frozenset(classes_of(flat(types)))
        return cls in known

    def _held(self, holder: Class, name: str) -> Iterator[Types]:
        """What the classes hold under a name that stand in for one which declares it."""
        heirs = set(self.calls.classes.subclasses(holder)) - {holder}
        for other in heirs | self._given_as(holder):
            yield self.calls.inference.member(other, name)

    def _put(self, declared: Declared) -> Iterator[tree.Node]:
        """What the program puts in a place."""
        holder = declared.holder
        match holder:
            case tree.Assign():
                if holder.value is not None:
                    yield holder.value
            case Function() if declared.parameter is None:
                yield from holder.returns
            case Function():
                name = declared.parameter or ""
                for _, argument in self.calls.arguments_for(holder, name):
                    yield argument.value
                parameter = holder.parameter(name)
                if parameter is not None and parameter.kind in ("*", "**"):
                    yield from self._collected(holder, parameter.kind)
            case Class():
                for call, callee in self.calls.constructors_of(holder):
                    if callee.function is None and callee.cls is not None:
                        bound = bind(call.args, self.calls.classes.constructor(callee.cls) or ())
                        own = bound.arguments.get(declared.parameter or "") if bound else None
                        if own is not None:
                            yield own.value

    def _collected(self, function: Function, kind: str) -> Iterator[tree.Node]:
        """What calls give to the `*` or the `**` parameter of a function, one by one."""
        named = {p.name for p in function.params if p.kind in ("plain", "kwonly")}
        for call, callee in self.calls.callers(function):
            if kind == "*":
                given = [a for a in callee.surplus(call) if not a.star]
            else:
                given = [a for a in call.args if a.keyword is not None and a.keyword not in named]
            yield from (argument.value for argument in given)

    def _meant(self, given: Types, expected: Class) -> Iterator[Class]:
        """The classes that are put somewhere, by an expression that may yield others elsewhere: beside one
        that suits a Protocol wholly, those are that suit another one alone, `choose(MemoryBooks, DynamoBooks)`."""
        instances = classes_of(flat(given))
        found = [one for one in instances if self._implements(one, expected)]
        sure = len(found) > 1 and any(self._suits(one, expected) for one in found)
        yield from (one for one in found if not sure or not self._is_elsewhere(one, expected))

    def _is_elsewhere(self, cls: Class, expected: Class) -> bool:
        """Whether a class suits another Protocol of the program, and not this one."""
        if self._suits(cls, expected):
            return False
        names = self._shared(cls, None)
        others = {one for name in names for one in self._having(name)} - {cls, expected}
        return any(self._suits(cls, other) for other in others)

    def _suits(self, cls: Class, protocol: Class) -> bool:
        """Whether a class has all methods of a Protocol, and each takes as much as is demanded."""
        method = self.calls.classes.method
        return self.calls.classes.fits(cls, protocol) and all(
            own is not None and len(own.own_params) == len(demanded.own_params)
            for owner in self.calls.classes.mro(protocol)
            for name, demanded in owner.methods.items()
            for own in (method(cls, name),)
        )

    def _mirror(self, one: Class, other: Class) -> bool:
        """Whether one of two classes is a Protocol that the other fulfils to the letter, though it is given
        nowhere: parameter by parameter of the same name and type, classes of the program among these."""
        is_protocol = self.calls.classes.is_protocol
        if is_protocol(one) is is_protocol(other):
            return False
        pair = frozenset((one, other))
        if pair not in self._mirrors:
            self._mirrors[pair] = self._fulfils(one, other) or self._fulfils(other, one)
        return self._mirrors[pair]

    def _fulfils(self, cls: Class, protocol: Class) -> bool:
        classes = self.calls.classes
        if classes.is_protocol(cls) or not self._suits(cls, protocol):
            return False
        pairs = [
            pair
            for owner in classes.mro(protocol)
            for name, demanded in owner.methods.items()
            if (own := classes.method(cls, name)) is not None
            for pair in zip(demanded.own_params, own.own_params, strict=True)
        ]
        if any(theirs.name != ours.name for theirs, ours in pairs):
            return False
        types = [self._said(theirs) for theirs, _ in pairs]
        if not any(isinstance(one, Instance) for said in types for one in flat(said)):
            return False
        return all(said == self._said(ours) for said, (_, ours) in zip(types, pairs, strict=True))

    def _said(self, parameter: tree.Parameter) -> Types:
        """What the annotation of a parameter says that it is given."""
        said = parameter.annotation
        return self.calls.inference.annotations.of(said) if said is not None else NOTHING

    def _implements(self, cls: Class, expected: Class) -> bool:
        classes = self.calls.classes
        if expected in classes.mro(cls) or cls in classes.mro(expected):
            return False
        return any(
            own.has(name)
            for owner in classes.mro(expected)
            for name in owner.scope.bindings
            if not name.startswith("_")
            for own in classes.mro(cls)
        )


def flat(types: Types) -> Iterator[object]:
    """The types, with those of the items of collections in their place."""
    for one in types:
        if isinstance(one, Collection):
            yield from flat(one.items)
        else:
            yield one
