"""`getattr(repo, name)(…)`: calls of changing methods whose names are only known when they run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.uses.dicts import is_plain
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.calling.fixtures import found_by_rows, parametrized
from capsule_lint.program.calling.passing import PASSING
from capsule_lint.program.inference.namespaces import base_of, name_in
from capsule_lint.program.inference.narrowing import asked_around
from capsule_lint.program.inference.types import (
    ClassObject,
    Foreign,
    Instance,
    Mocked,
    ModuleObject,
    Namespace,
    Type,
    function_of,
)
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import Class, Function, last_name
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program import Linked
    from capsule_lint.program.model import Binding, Module

_ANY: Final = ".*"
_NONE: Final = "(?!)"
_FIELDS: Final = tuple(Foreign(f"{module}.fields") for module in ("dataclasses", "attr", "attrs"))
_DICT: Final = "__dict__"
_HARMLESS: Final = frozenset(
    (
        "callable",
        "isinstance",
        "repr",
        "str",
        "bool",
        "id",
        "hash",
        "len",
        "print",
        "type",
        "hasattr",
    )
)
_EACH: Final = ("values", "items")
_METHOD: Final = re.compile(r"(?:^|_|http)method$", re.IGNORECASE)
_VERBS: Final = "(?:get|head|post|put|delete|connect|options|trace|patch)"
"""The methods of HTTP (RFC 9110, and RFC 5789 for `PATCH`): `getattr(self, request.method.lower())`."""
_PROXIES: Final = ("__getattr__", "__getattribute__")
_MAX_DEPTH: Final = 6


class Lookup(Struct, frozen=True):
    """A lookup of an attribute by a computed name that may find a changing function."""

    module: Module
    name: tree.Node
    function: Function
    by: str = "getattr"


class Dynamic(Struct, frozen=True):
    """Finds lookups by computed names."""

    program: Linked
    functions: Collection[Function]
    """Those that gain parameters."""
    scopes: Sequence[Scope]

    def find(self) -> Iterator[Lookup]:
        """Every lookup that may find a changing function and have it called with old arguments."""
        self.program.names.looked_up.update(self.functions)
        for call in self.program.calls.uses.calls_beside("getattr"):
            if len(call.args) < 2 or not isinstance(call.func, tree.Name):
                continue
            receiver, name = call.args[0].value, call.args[1].value
            if isinstance(name, tree.Const) or self._is_proxy(call, name):
                continue
            uses, is_kept = list(self._uses(call, 0)), self._is_kept(call)
            if not (uses or is_kept) or self._is_call_site(call):
                continue
            # What the name may be is asked last: that is followed through all that it is made of.
            functions = self._members(receiver)
            said = list(self._names(name, 0)) if functions else []
            pattern = re.compile("|".join(said) or _ANY)
            functions = [f for f in functions if pattern.fullmatch(f.name)]
            if functions:
                kept = [None] if is_kept and _ANY not in said else []
                yield from self._called(call, name, functions, [*uses, *kept])
        for space in self._namespaces():
            yield from self._in_namespace(space, space, 0)

    def _is_call_site(self, lookup: tree.Call) -> bool:
        """Whether what is found is called at once, by names that are written out, and all of it changes alike."""
        parent = self.program.names.parent(lookup)
        called = isinstance(parent, tree.Call) and parent.func is lookup
        if not called or not found_by_rows(self.program.names, lookup):
            return False
        found = [function_of(one) for one in self.program.inference.of(lookup)]
        told = {
            tuple(n for n, p in enumerate(one.params) if names_any_of(p.name, self.scopes))
            for one in found
            if one is not None and one in self.functions
        }
        return len(told) == 1 and all(one in self.functions for one in found)

    def _namespaces(self) -> Iterator[tree.Node]:
        """Where the attributes of something are had by their names."""
        for name in ("globals", "vars"):
            yield from self.program.calls.uses.calls_beside(name)
        for module in self.program.names.modules.values():
            for node in module.each(tree.Attr):
                if node.name == _DICT:
                    yield node

    def _in_namespace(self, space: tree.Node, node: tree.Node, depth: int) -> Iterator[Lookup]:
        """What is looked up in a namespace by a name that is computed, or found by going through it."""
        parent = self.program.names.parent(node)
        if isinstance(parent, tree.Assign) and parent.value is node and depth < _MAX_DEPTH:
            for target in parent.targets:
                for read in self._reads(target):
                    yield from self._in_namespace(space, read, depth + 1)
            return
        lookup = self.program.names.parent(parent) if isinstance(parent, tree.Attr) else parent
        if not isinstance(lookup, tree.Subscript | tree.Call):
            return
        module = self.program.names.module_of(node)
        name = name_in(lookup) if base_of(lookup) is node else None
        members = self._kept_in(space)
        if not members:
            return
        if name is not None and not isinstance(name, tree.Const):
            pattern = re.compile("|".join(self._names(name, 0)) or _ANY)
            functions = [f for f in members if pattern.fullmatch(f.name)]
            uses = list(self._uses(lookup, 0)) if functions else []
            found = self._called(lookup, name, functions, uses)
            yield from (replace(one, by=_spelled(space)) for one in found)
        elif last_name(parent if isinstance(parent, tree.Attr) else None) in _EACH and any(
            True for _ in self._gone_through(lookup)
        ):
            yield from (Lookup(module, node, f, _spelled(space)) for f in members)

    def _gone_through(self, attributes: tree.Node, depth: int = 0) -> Iterator[tree.Call | None]:
        """The calls of what a loop over attributes gives, as of what is found; where it only looks at those of a
        class, `isinstance(value, Column)`, no function is among them."""
        match self.program.names.parent(attributes):
            case tree.Assign(targets=(tree.Name() as kept,), value=value) if value is attributes:
                for read in self._reads(kept) if depth < _MAX_DEPTH else ():
                    yield from self._gone_through(read, depth + 1)
                return
        for target, iterated in self.program.names.module_of(attributes).loops():
            if iterated is attributes:
                value = target.items[-1] if isinstance(target, tree.Sequence) else target
                for use in self._reads(value):
                    if not self._is_object(use):
                        yield from self._uses(use, 0)
                return
        yield None

    def _is_object(self, node: tree.Name) -> bool:
        """Whether a value is known to be an object that nobody can call."""
        inference, method = self.program.inference, self.program.classes.method
        asked = asked_around(self.program.names, node)
        classes = [one for cls in asked for one in inference.of(cls)]
        types = [t.cls if isinstance(t, ClassObject) else None for t in classes] or [
            t.cls if isinstance(t, Instance) else None for t in inference.of(node)
        ]
        return bool(types) and all(
            cls is not None and method(cls, "__call__") is None for cls in types
        )

    def _kept_in(self, space: tree.Node) -> list[Function]:
        """The changing functions among the attributes of modules and classes; objects keep none."""
        bases = [t.base for t in self.program.inference.of(space) if isinstance(t, Namespace)]
        return self._changing(b for b in bases if isinstance(b, ModuleObject | ClassObject))

    def _is_kept(self, node: tree.Node) -> bool:
        """Whether what is found by names that are known goes into a collection, from which it may be called."""
        parent = self.program.names.parent(node)
        return isinstance(parent, tree.Comprehension | tree.Sequence | tree.DictDisplay)

    def _called(
        self,
        call: tree.Node,
        name: tree.Node,
        functions: list[Function],
        uses: Sequence[tree.Call | None],
    ) -> Iterator[Lookup]:
        """Those functions that what is found may be called as, by its uses."""
        module = self.program.names.module_of(call)
        for function in functions:
            given = int(function.takes_self)
            if any(use is None or bind(use.args, function.params, given) for use in uses):
                yield Lookup(module, name, function)

    # --- the name ---

    def _is_proxy(self, call: tree.Call, name: tree.Node) -> bool:
        """Whether a proxy passes on whatever it is asked for: the callers of that are call sites."""
        function = self.program.names.function_of(name)
        return (
            isinstance(name, tree.Name)
            and function is not None
            and function.name in _PROXIES
            and any(p.name == name.id for p in function.own_params)
            and not self._is_filled(call, 0)
        )

    def _is_filled(self, node: tree.Node, depth: int) -> bool:
        """Whether what is found gets arguments of the proxy's own: `partial(getattr(self._repo, name), tenant_id)`."""
        parent = self.program.names.parent(node)
        match parent:
            case tree.Call() if parent.func is node:
                return any(not argument.star for argument in parent.args)
            case tree.Call():
                return last_name(parent.func) in PASSING
            case tree.Assign() if depth < _MAX_DEPTH and parent.value is node:
                reads = (read for target in parent.targets for read in self._reads(target))
                return any(self._is_filled(read, depth + 1) for read in reads)
            case _:
                return False

    def _names(self, node: tree.Node, depth: int) -> Iterator[str]:
        """Patterns of the names that an expression may be."""
        constant = self.program.templates.constant(node)
        if constant is not None:
            yield re.escape(constant)
            return
        match node:
            case tree.FString():
                yield "".join(re.escape(p) if isinstance(p, str) else _ANY for p in node.parts)
            case tree.Binary(op="+"):
                for left in self._names(node.left, depth):
                    for right in self._names(node.right, depth):
                        yield left + right
            case tree.Conditional():
                yield from self._names(node.then, depth)
                yield from self._names(node.otherwise, depth)
            case tree.Name() if depth < _MAX_DEPTH:
                bindings = self.program.names.bindings_of(node)
                if not bindings:
                    yield _ANY
                for binding in bindings:
                    yield from self._bound(binding, depth + 1)
            case tree.Attr(name="name") if self._is_field(node.base):
                yield _NONE
            case tree.Call(func=tree.Attr(name="lower", base=told), args=()) if _METHOD.search(
                tree.text(told.index) or ""
                if isinstance(told, tree.Subscript)
                else last_name(told)
            ):
                yield _VERBS
            case _:
                yield _ANY

    def _is_field(self, node: tree.Node) -> bool:
        """Whether a name stands for one of the fields of a dataclass: none of these is a method."""
        if not isinstance(node, tree.Name):
            return False
        bindings = self.program.names.bindings_of(node)
        return bool(bindings) and all(
            b.kind == "for" and not b.path and self._gives_fields(b.value) for b in bindings
        )

    def _gives_fields(self, node: tree.Node | None) -> bool:
        """Whether an expression is a call of `dataclasses.fields`, or of that of attrs."""
        types = self.program.inference.of(node.func) if isinstance(node, tree.Call) else ()
        return bool(types) and all(t in _FIELDS for t in types)

    def _bound(self, binding: Binding, depth: int) -> Iterator[str]:
        """Patterns of what a name is bound to: a value, a loop over a display, a test's parameters."""
        value, function = binding.value, binding.function
        if binding.kind == "param" and function is not None:
            values = parametrized(function, binding.name)
            if values is not None:
                for one in values:
                    yield from self._names(one, depth)
                return
        looped, path = _gone_through(value, binding.path)
        items = self._items(looped) if binding.kind == "for" and looped is not None else None
        if items is not None and not path:
            for item in items:
                yield from self._names(item, depth)
        elif binding.assigned is not None:
            yield from self._names(binding.assigned, depth)
        else:
            yield _ANY

    def _items(self, node: tree.Node) -> tuple[tree.Node, ...] | None:
        """What a loop goes through, where that is written out."""
        match node:
            case tree.Sequence():
                return node.items
            case tree.Name():
                bindings = self.program.names.bindings_of(node)
                values = [b.value for b in bindings if b.kind == "assign"]
                if len(bindings) == len(values) == 1 and isinstance(values[0], tree.Sequence):
                    return values[0].items
            case tree.Attr():
                return self._kept_by_classes(node)
        return None

    def _kept_by_classes(self, node: tree.Attr) -> tuple[tree.Node, ...] | None:
        """The elements of what a class, and each of those that inherit from it, has as a constant."""
        program, name = self.program, node.name
        program.names.ask(name)
        types = program.inference.of(node.base)
        classes: set[Class] = set()
        for one in types:
            if not isinstance(one, Instance | ClassObject):
                return None
            classes.update(program.classes.mro(one.cls), program.classes.subclasses(one.cls))
        if any(name in c.stores for c in classes) or program.calls.uses.assigned(name):
            return None
        found = [b for c in classes for b in c.scope.bindings.get(name, ())]
        values = [b.assigned for b in found if b.value is not None or b.kind != "assign"]
        if not values or not all(isinstance(value, tree.Sequence) for value in values):
            return None
        return tuple(
            i for value in values if isinstance(value, tree.Sequence) for i in value.items
        )

    # --- what is looked into ---

    def _members(self, receiver: tree.Node) -> list[Function]:
        """The changing functions among the attributes of a receiver."""
        return self._changing(self.program.inference.of(receiver))

    def _changing(self, types: Iterable[Type]) -> list[Function]:
        """The changing functions among the attributes of what has these types, in a fixed order."""
        found: set[Function] = set()
        for one in types:
            match one:
                case Instance() | ClassObject() | Mocked(spec=Class()):
                    cls = one.cls if not isinstance(one, Mocked) else one.spec
                    assert isinstance(cls, Class)
                    with self.program.names.aside():
                        heirs = tuple(self.program.classes.subclasses(cls))
                    classes = (*self.program.classes.mro(cls), *heirs)
                    found.update(m for c in classes for m in c.methods.values())
                case ModuleObject():
                    found.update(
                        f for f in one.module.functions if f.owner is None and f.parent is None
                    )
        changing = [f for f in found if f in self.functions and not f.name.startswith("__")]
        return sorted(changing, key=lambda f: f.symbol)

    # --- what becomes of what is found ---

    def _uses(self, node: tree.Node, depth: int) -> Iterator[tree.Call | None]:
        """The calls of what an expression yields; `None` for a use in which it may be called."""
        parent = self.program.names.parent(node)
        match parent:
            case tree.Call() if parent.func is node:
                yield parent
            case tree.Call():
                if last_name(parent.func) not in _HARMLESS:
                    yield None
            case tree.Eval(kind="return"):
                yield None
            case tree.Assign() if depth < _MAX_DEPTH and parent.value is node:
                for target in parent.targets:
                    for use in self._reads(target):
                        if not is_plain(self.program, use):
                            yield from self._uses(use, depth + 1)
            case tree.Wrapped() | tree.Boolean() | tree.Conditional() | tree.Walrus():
                yield from self._uses(parent, depth + 1)

    def _reads(self, target: tree.Node) -> Iterator[tree.Name]:
        """Where a name is read that a target binds."""
        if isinstance(target, tree.Name):
            yield from reads_of(self.program.names, target, (target.at,))


def _gone_through(
    node: tree.Node | None, path: tuple[int, ...]
) -> tuple[tree.Node | None, tuple[int, ...]]:
    """What a loop goes through, and where its elements are in what it binds: those of `rows` are second in
    `enumerate(rows)`."""
    if isinstance(node, tree.Call) and last_name(node.func) == "enumerate" and path[:1] == (1,):
        return next(iter(node.plain), None), path[1:]
    return node, path


def _spelled(space: tree.Node) -> str:
    return _DICT if isinstance(space, tree.Attr) else last_name(space)
