"""Of several objects in scope from which policy takes a scope's value, the one of which the neighbour is made: beside
`tenant_id = target.tenant_id` comes `target.capsule_id`, and not that of the `admin` who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.repeats import kept
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value, Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Class, Function

    _Given = tuple[tree.Node | None, tree.Node | None]
    """What is given for the neighbour, and for the object."""


class Owners(Room, Struct, frozen=True):
    """Finds it, for wants."""

    planner: Planner

    def agreed(self, want: Want, found: Value | None) -> Value | None:
        """What policy's sources yield for a want, if that goes with the neighbour, or what the neighbour's owner
        yields; `None` where several may be meant, or where callers give the neighbour of another one."""
        said = self._said(want) if found is None or found.kind == "configured" else []
        held = self._held(want) if said else {}
        meant = self._meant(said, held, want.scope)
        if meant and (found is None or not found.code.startswith(f"{meant[0]}.")):
            found = held.get(meant[0]) or self._beside(want, meant[0])
        if len(meant) > 1:
            return None
        for code, value in held.items() if found is not None else ():
            if found is not None and value.code == found.code:
                stranger = any(self._is_anothers(node, code, want.scope) for node in said)
                return None if stranger else found
        return found

    def _beside(self, want: Want, owner: str) -> Value | None:
        """What policy takes of the owner of a neighbour that a local keeps, where that is no name in scope: `me =
        request.caller.tenant_id`."""
        asked = self.planner.sources.configured.beside
        said = (asked(spec, want.call) for spec in want.scope.sources)
        return next((one for one in said if one and one.code.startswith(f"{owner}.")), None)

    def rivals(self, want: Want) -> tuple[str, ...]:
        """The objects of which the neighbour may be made, where these are several."""
        said = self._said(want)
        meant = self._meant(said, self._held(want), want.scope) if said else ()
        return meant if len(meant) > 1 else ()

    def _said(self, want: Want) -> list[tree.Node]:
        """What code that is no test gives for other scopes at the place of a want."""
        is_test = self.program.names.module_of(want.node).is_test
        return [] if is_test else list(self.planner.origins.said(want))

    def _held(self, want: Want) -> dict[str, Value]:
        place = self.program.names.place(want.node)
        return self.planner.sources.configured.held(want.scope, place)

    # --- what the neighbour is made of ---

    def _meant(
        self, said: list[tree.Node], held: Collection[str], scope: Scope
    ) -> tuple[str, ...]:
        if not held:
            return ()
        seen: set[int] = set()
        found = (code for node in said for code in self._made_of(node, held, scope, seen))
        return tuple(dict.fromkeys(found))

    def _made_of(
        self, node: tree.Node, held: Collection[str], scope: Scope, seen: set[int]
    ) -> Iterator[str]:
        """The objects of which an expression is made, also behind locals and properties: those in scope, and others
        that may be `None`."""
        code = text_of(node) if isinstance(node, tree.Name | tree.Attr) else None
        if code is not None and code in held:
            yield code
            return
        if isinstance(node, tree.Attr) and self._is_read_of_one(node, scope):
            code = text_of(node.base)
            if code is not None:
                yield code
                return
        for one in (*self._behind(node, seen), *node.all_below()):
            yield from self._made_of(one, held, scope, seen)

    def _is_read_of_one(self, node: tree.Attr, scope: Scope) -> bool:
        """Whether something is what an object has for another scope from which policy takes this one's value."""
        if not names_any_of(node.name, self.program.policy.others(scope)):
            return False
        inference = self.program.inference
        cls = inference.the_class(inference.of(node.base), present=True)
        access = self.planner.sources.holders.configured_access
        return cls is not None and access(cls, scope) is not None

    def _behind(self, node: tree.Node, seen: set[int]) -> Iterator[tree.Node]:
        """What a local is made of, and what a property of the own object returns."""
        if isinstance(node, tree.Name):
            for binding in self.program.names.bindings_of(node):
                made = _made(binding) if id(binding) not in seen else None
                seen.add(id(binding))
                if made is not None:
                    yield made
        elif isinstance(node, tree.Attr) and (cls := self._own_class(node)) is not None:
            method = self.program.classes.method(cls, node.name)
            if method is not None and method.is_property and id(method) not in seen:
                seen.add(id(method))
                yield from method.returns

    def _own_class(self, node: tree.Attr) -> Class | None:
        """The class in whose method `self.name` stands."""
        function = self.program.names.function_of(node)
        own = function is not None and function.takes_self and isinstance(node.base, tree.Name)
        if function is None or not own or text_of(node.base) != function.self_name:
            return None
        return function.owner

    # --- what callers give ---

    def _is_anothers(self, node: tree.Node, code: str, scope: Scope) -> bool:
        """Whether somebody gives another object's value as the neighbour of what `code` has."""
        return any(
            root is None or text_of(root) != text_of(owner)
            for told, root in self._given(node, code)
            if told is not None and (owner := self._owner(told, scope)) is not None
        )

    def _given(self, node: tree.Node, code: str) -> Iterator[_Given]:
        """What is given for the parameter that a neighbour is, and for the object that stands beside it; and what
        the own object is given for both."""
        binding = bound_whole(self.program.names, node)
        function = binding.function if binding is not None else None
        if isinstance(node, tree.Attr) and (cls := self._own_class(node)) is not None:
            yield from self._stored(cls, node.name, code.partition(".")[2])
        elif binding is not None and binding.kind == "param" and function is not None:
            if function.parameter(binding.name) is not binding.parameter:
                return
            own = code.partition(".")[0] == function.self_name
            if not own and function.parameter(code) is None:
                return
            yield from self._passed(function, binding.name, code)

    def _passed(self, function: Function, name: str, code: str) -> Iterator[_Given]:
        calls = self.program.calls
        roots = {id(call): one.value for call, one in calls.arguments_for(function, code)}
        for call, argument in calls.arguments_for(function, name):
            yield argument.value, roots.get(id(call))

    def _stored(self, cls: Class, name: str, other: str) -> Iterator[_Given]:
        """What an initializer puts under two names, or those who call it give for them."""
        stores = [store for one in (name, other) for store in cls.stores.get(one, ())]
        if len(stores) != 2 or any(store.function.name != "__init__" for store in stores):
            return
        told, root = (store.value for store in stores)
        yield told, root
        if isinstance(told, tree.Name) and isinstance(root, tree.Name):
            for _, given in self.program.calls.given_to(cls):
                tells, holds = given.get(told.id), given.get(root.id)
                yield tells.value if tells else None, holds.value if holds else None

    def _owner(self, node: tree.Node, scope: Scope) -> tree.Node | None:
        """The object of which a scope's value is read that has the other scope as well: `ctx` of `ctx.tenant_id`."""
        path = kept(node, self.program)
        others = self.program.policy.others(scope)
        if not isinstance(path, tree.Attr) or not names_any_of(path.name, others):
            return None
        cls = self.program.inference.the_class(self.program.inference.of(path.base))
        holders = self.planner.sources.holders
        has = cls is not None and holders.attribute_of(cls, scope) is not None
        return path.base if has else None


def _made(binding: Binding) -> tree.Node | None:
    """What a local is made of: its value, or what is matched with the pattern in which it stands."""
    if binding.is_global:
        return None
    statement = binding.place.statement
    if binding.kind == "case" and isinstance(statement, tree.Block):
        return statement.heads[0]
    return binding.value
