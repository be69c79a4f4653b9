"""What annotations say of functions that are given, `Callable[[str, str], dict]`, and Protocols of what is called: they
name one parameter more where all the functions gain it that are put there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, AddParameter, Replace
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.signature_mends import KINDS
from capsule_lint.plan.uses.bearing import functions_in
from capsule_lint.plan.uses.naming import naming
from capsule_lint.program.inference.types import (
    ANYTHING,
    NOTHING,
    ClassObject,
    FunctionObject,
    LambdaObject,
    join,
)
from capsule_lint.program.model import Binding, Function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.inference.types import Type, Types
    from capsule_lint.program.model import Class

_Gained: TypeAlias = tuple[tuple[int, "Scope"], ...]
"""The scopes that something gains by position, and how many parameters stand before each of them now."""
_CODE: Final = "CAP401"


@dataclass(eq=False, slots=True)
class CallbackTypes(MendRoom):
    """Mends them."""

    mends: Mends

    def build(self) -> None:
        """Add the mends."""
        if not self.state.params and not self.state.lambdas:
            return
        with self.program.names.aside():  # who is given a function that changes has been asked for
            self._build()

    def _build(self) -> None:
        for node in list(self.program.names.named("Callable")):
            written, module = self.program.names.parent(node), self.program.names.module_of(node)
            if module.generated or not isinstance(written, tree.Subscript):
                continue
            match written.index:
                case tree.Sequence(kind="tuple", items=(tree.Sequence(kind="list") as listed, _)):
                    found = self._gained(self._given(written), len(listed.items))
                    if found is not None:
                        self._listed(listed, *found)
        for cls in self.program.classes.owning("__call__"):
            if self.program.classes.is_callback(cls) and not cls.module.generated:
                self._called(cls)

    # --- what is put there ---

    def _given(self, node: tree.Node) -> Types:
        """What is put where an expression, or what it is a part of, is an annotation."""
        names = self.program.names
        inner: tree.Node = node
        holder = names.parent(inner)
        while isinstance(holder, tree.Expr) and not isinstance(holder, tree.Call):
            inner, holder = holder, names.parent(holder)
        match holder:
            case tree.FunctionDef():
                function = self._defined(holder)
                if function is None or inner is holder.returns:
                    return self._returned(function)
                own = next((p for p in function.params if p.annotation is inner), None)
                return self._passed(function, own) if own is not None else ANYTHING
            case tree.Assign(targets=(target,)) if holder.annotation is inner:
                return self._assigned(target, holder.value)
            case tree.Assign(targets=(tree.Name() as target,)) if holder.value is inner:
                return self._in(self._aliased(target))
            case _:
                return ANYTHING

    def _defined(self, fact: tree.FunctionDef) -> Function | None:
        scope = self.program.names.index.scopes.get(id(fact))
        return scope.function if scope is not None else None

    def _returned(self, function: Function | None) -> Types:
        if function is None or function.fact.decorators:
            return ANYTHING
        return join(*map(self.program.inference.of, function.returns))

    def _passed(self, function: Function, parameter: tree.Parameter) -> Types:
        inference = self.program.inference
        default = inference.of(parameter.default) if parameter.default is not None else NOTHING
        return join(self.program.calls.passed(function, parameter) or NOTHING, default)

    def _assigned(self, target: tree.Node, value: tree.Node | None) -> Types:
        inference, place = self.program.inference, self.program.names.place(target)
        owner = place.scope.cls if place.scope.kind == "class" else None
        if owner is not None and isinstance(target, tree.Name):
            return inference.attributes.member(owner, target.id)
        return inference.of(value) if value is not None else ANYTHING

    def _in(self, nodes: Iterator[tree.Node]) -> Types:
        """The same of several annotations."""
        return join(*map(self._given, nodes))

    def _aliased(self, alias: tree.Name) -> Iterator[tree.Node]:
        """Where an alias stands in annotations."""
        names = self.program.names
        for node in list(names.named(alias.id)):
            if isinstance(node, tree.Name) and names.annotates(node):
                bound = names.bindings_of(node)
                target = names.follow(bound[0]) if bound else None
                if isinstance(target, Binding) and target.at == alias.at:
                    yield node

    # --- what that gains ---

    def _gained(self, types: Types, width: int) -> tuple[_Gained, Knot] | None:
        """What all functions among these gain that may be called with so many arguments, and one of them; `None`
        where they do not gain the same, or not all of them are known."""
        found: dict[_Gained, Knot] = {}
        functions = functions_in(types) | self._constructors(types)
        if functions and types & ANYTHING:
            return None
        for one in functions:
            gained = self._gained_by(one, width)
            if gained is None:
                return None
            match one:
                case FunctionObject(function=function):
                    found.setdefault(gained, ("function", function))
                case LambdaObject(node=node) if id(node) in self.state.lambdas:
                    found.setdefault(gained, ("lambda", id(node)))
        match list(found.items()):
            case [only] if only[0]:
                return only
            case _:
                return None

    def _constructors(self, types: Types) -> Types:
        """The initializers of the classes among these, which are called as functions are."""
        made = [
            self.program.classes.initializer(t.cls) for t in types if isinstance(t, ClassObject)
        ]
        return frozenset(FunctionObject(one, bound=True) for one in made if one is not None)

    def _gained_by(self, one: Type, width: int) -> _Gained | None:
        match one:
            case LambdaObject(node=node):
                gains = self.state.lambdas.get(id(node))
                if gains is None:
                    return () if id(node) in self.state.doubles else None
                known = [s for s in self.program.policy.scopes if s.parameter in gains]
                places = tuple((gains[scope.parameter].place, scope) for scope in known)
                return places if all(at <= width for at, _ in places) else None
            case FunctionObject(function=function):
                slots = self.mends.signatures.final_params(function)[one.given :]
                placed = [slot for slot in slots if slot.by_position]
                scopes = self.state.params.get(function, {})
                found = tuple(
                    (sum(not one.new for one in placed[:at]), scopes[slot.name])
                    for at, slot in enumerate(placed)
                    if slot.new
                )
                if len(found) < len(scopes) or any(at > width for at, _ in found):
                    return None
                return found
            case _:
                return None

    # --- mends ---

    def _listed(self, listed: tree.Sequence, gained: _Gained, knot: Knot) -> None:
        module = self.program.names.module_of(listed)
        groups: dict[int, list[str]] = {}
        for at, scope in gained:
            near = listed.items[max(at - 1, 0)] if listed.items else None
            said = self.mends.annotation(knot, module, scope, near) or "str"
            groups.setdefault(at, []).append(said)
        for at, types in groups.items():
            if not listed.items:
                text = f"[{', '.join(types)}]"
                self.mends.add_once(knot, Replace(module.filename, listed.span, _CODE, text))
                continue
            anchor = listed.items[max(at - 1, 0)].span
            before, after = ((), tuple(types)) if at else (tuple(types), ())
            mend = AddElements(module.filename, listed.span, _CODE, before, after, anchor)
            self.mends.add_once(knot, mend)

    def _called(self, cls: Class) -> None:
        """A Protocol whose instances are called gets the parameters in its `__call__`."""
        function = cls.methods["__call__"]
        own, annotates = function.params[1:], self.program.names.annotates
        if function in self.state.params or not all(p.by_position for p in own):
            return
        found = self._gained(
            self._in(one for one in list(naming(self.program, cls)) if annotates(one)), len(own)
        )
        if found is None:
            return
        gained, knot = found
        for at, scope in gained:
            near = own[max(at - 1, 0)] if own else function.params[0]
            typed = near.annotation is not None or function.fact.returns is not None
            said = (
                self.mends.annotation(knot, cls.module, scope, near.annotation) if typed else None
            )
            index = sum(p.kind == near.kind for p in function.params[: at + 1])
            at_name = tree.span_of(function.fact.signature_at)
            mend = AddParameter(
                cls.module.filename, at_name, _CODE, scope.parameter, said, KINDS[near.kind], index
            )
            self.mends.add_once(knot, mend)
