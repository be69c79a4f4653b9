"""Caches that the program has made itself: classes whose methods look up what they are given as a key in a dict
of their own, and do nothing else with it. Outside of repositories they, or where they are kept, are called like
caches."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.foreign_caches import is_cache
from capsule_lint.plan.memory.making import makes_collection
from capsule_lint.program.containers import ADDING_ONE, KEYED, LISTED, PICKING
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.logs import LOGGING
from capsule_lint.program.model import Class, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Function

_LOOKING: Final = KEYED | {"move_to_end", "__contains__", "__getitem__"}
_PASSING: Final = _LOOKING | ADDING_ONE | {"remove", "discard"}
_ANY: Final = frozenset(("Hashable", "object", "Any"))
_MAX_DEPTH: Final = 8
_NONE: Final[Mapping[str, str]] = {}


@dataclass(eq=False, slots=True)
class Keepers:
    """Finds such classes, and what their methods take as a key."""

    program: Program
    _known: dict[Class, Mapping[str, str]] = field(default_factory=dict)
    _called: frozenset[str] | None = None
    """The names of what is given something that is called like a cache, and of what repositories keep so."""

    def at(self, home: Home) -> Class | None:
        """The class of such a cache that is kept there."""
        return self.kept_by(self._types(home))

    def _types(self, home: Home) -> Iterator[Type]:
        owner, name = home
        if not self._may_be(name):
            return
        if isinstance(owner, Class):
            yield from self.program.inference.member(owner, name)
            return
        for binding in owner.scope.bindings.get(name, ()):
            if binding.kind == "assign":
                yield from self.program.inference.bound(binding)

    def kept_by(self, types: Iterable[Type]) -> Class | None:
        """The class of such a cache that a value is an instance of, whatever else it may be."""
        for one in types:
            if isinstance(one, Instance) and self.keys(one.cls):
                return one.cls
        return None

    def opened_at(self, home: Home) -> Class | None:
        """The program's class that is kept there, and does more with keys than to look them up in its own dict."""
        if self.at(home) is not None:
            return None
        for one in self._types(home):
            if isinstance(one, Instance) and not one.cls.module.is_test and self._opens(one.cls):
                return one.cls
        return None

    def _opens(self, cls: Class) -> bool:
        dicts = self._dicts(cls)
        line = self.program.classes.mro(cls) if dicts else ()
        return any(self._keys(m, dicts) for one in line for m in one.methods.values())

    def _dicts(self, cls: Class) -> set[str]:
        """The attributes of a class, and of what it inherits from, that start as dicts or sets."""
        return {name for one in self.program.classes.mro(cls) for name in _dicts(one)}

    def keys(self, cls: Class) -> Mapping[str, str]:
        """The parameters that are keys, by the names of the methods; empty for any other class."""
        if cls not in self._known:
            self._known[cls] = _NONE  # what calls itself
            self._known[cls] = self._find(cls)
        return self._known[cls]

    def key_of(self, call: tree.Call) -> tree.Node | None:
        """What a method of such a cache is given as a key."""
        of = call.receiver
        if of is None or not (self._may_be(last_name(of)) or _says_cache(of)):
            return None
        for callee in self.program.calls.callees(call):
            function = callee.function
            if function is None or callee.cls is not None or function.owner is None:
                continue
            name = self.keys(function.owner).get(function.name)
            argument = callee.arguments(call).get(name) if name is not None else None
            if argument is not None:
                return argument.value
        return None

    def _may_be(self, name: str) -> bool:
        """Whether something of that name is a cache, as its own name says or that of what it gets."""
        if self._called is None:
            self._called = frozenset(self._find_called())
        return is_cache(name) or name in self._called

    def _find_called(self) -> Iterator[str]:
        for module in self.program.names.judged():
            for cls in module.classes:
                whole = cls in self.program.domain.repositories
                for name, stores in cls.stores.items():
                    said = ((s.value, s.annotation, s.told) for s in stores)
                    known = any(map(_says_cache, chain.from_iterable(said)))
                    if known or (whole and any(self._makes(s.value) for s in stores)):
                        yield name
            for scope in (module.scope, *(cls.scope for cls in module.classes)):
                for name, bindings in scope.bindings.items():
                    if any(_says_cache(b.value) or _says_cache(b.annotation) for b in bindings):
                        yield name

    def _makes(self, node: tree.Node | None) -> bool:
        """Whether an expression makes an object of a class that looks keys up in a dict of its own."""
        types = self.program.inference.of(node) if isinstance(node, tree.Call) else ()
        return any(isinstance(one, Instance) and self._opens(one.cls) for one in types)

    def takes_text(self, cls: Class) -> bool:
        """Whether the keys are declared as texts."""
        methods = [
            (cls.methods[m], name) for m, name in self.keys(cls).items() if m in cls.methods
        ]
        params = [method.parameter(name) for method, name in methods]
        return any(p is not None and last_name(p.annotation) == "str" for p in params)

    def _find(self, cls: Class) -> Mapping[str, str]:
        domain = self.program.domain
        if cls in domain.repositories or cls in domain.entities or cls.module.is_test:
            return _NONE
        line, dicts = self.program.classes.mro(cls), self._dicts(cls)
        methods = {name: m for one in reversed(line) for name, m in one.methods.items()}
        if not dicts or any(map(domain.takes_scope, methods.values())):
            return _NONE
        found: dict[str, str] = {}
        for name, method in methods.items():
            keys = self._keys(method, dicts)
            if len(keys) == 1 and _takes_anything(keys[0]):
                found[name] = keys[0].name
            elif keys:
                return _NONE
        shown = any(self._shows(method, dicts) for method in methods.values())
        return _NONE if shown else found

    def _keys(self, method: Function, dicts: set[str]) -> list[tree.Parameter]:
        """The parameters that a method looks up in a dict of its object."""
        inside = self.program.names.inside(method) if method.own_params else ()
        names = [node for node in inside if isinstance(node, tree.Name)]
        sought = {use.id for use in names if self._looks_up(use, method, dicts)}
        return [p for p in method.own_params if p.name in sought]

    def _looks_up(self, use: tree.Node, method: Function, dicts: set[str]) -> bool:
        match self.program.names.parent(use):
            case tree.Subscript(base=base, index=index) if index is use:
                return _is_own(base, method, dicts)
            case tree.Compare(ops=("in" | "not in",), left=left, rights=(base,)) if left is use:
                return _is_own(base, method, dicts)
            case tree.Call(func=tree.Attr(name=name, base=base), args=(first, *_)):
                return first.value is use and name in _LOOKING and _is_own(base, method, dicts)
            case _:
                return False

    def _shows(self, method: Function, dicts: set[str]) -> bool:
        """Whether a method does anything else with a key, or with a dict of its object and the keys in it."""
        names = self.program.names
        keys = {p.name for p in self._keys(method, dicts)}
        around = _Around(self, method, frozenset(dicts))
        for node in names.inside(method):
            if isinstance(node, tree.Name) and node.id in keys:
                if not around.is_plain(node, 0):
                    return True
            elif _is_own(node, method, dicts) and not around.stays(node, 0, pairs=False):
                return True
        return False


class _Around(Struct, frozen=True):
    """Follows keys through one method of such a class."""

    keepers: Keepers
    method: Function
    dicts: frozenset[str]

    def is_plain(self, node: tree.Node, depth: int) -> bool:
        """Whether a key is only looked up, kept in another collection of the object, logged, or given to another
        method as its key."""
        if depth > _MAX_DEPTH:
            return False
        match parent := self.keepers.program.names.parent(node):
            case tree.Subscript(index=index, base=base) if index is node:
                return _is_own_any(base, self.method)
            case tree.Compare(ops=("in" | "not in",), left=left, rights=(base,)) if left is node:
                return _is_own_any(base, self.method)
            case tree.Call(func=tree.Attr(name=name, base=base)):
                if name in ADDING_ONE and isinstance(base, tree.Name):
                    return all(self.stays(u, depth + 1, pairs=False) for u in self._uses(base))
                own = _is_own_any(parent.func, self.method)
                return (name in _PASSING and _is_own_any(base, self.method)) or (
                    name in LOGGING or (own and self.keepers.key_of(parent) is node)
                )
            case tree.Call(func=tree.Name(id="KeyError")):
                return True
            case tree.Comprehension(results=(result,)) if result is node:
                return self.stays(parent, depth + 1, pairs=False)
            case tree.Assign(targets=(tree.Name() as target,)) if parent.value is node:
                return all(self.is_plain(use, depth + 1) for use in self._uses(target))
            case _:
                return False

    def stays(self, node: tree.Node, depth: int, *, pairs: bool) -> bool:
        """Whether what has all keys, or pairs of keys and what is kept, gives none of them to anybody."""
        if depth > _MAX_DEPTH:
            return False
        match parent := self.keepers.program.names.parent(node):
            case tree.Subscript(base=base):
                return base is node and isinstance(node, tree.Attr)
            case tree.Attr(name="keys" | "items" | "copy" as name):
                call = self.keepers.program.names.parent(parent)
                every = pairs or name == "items"
                return isinstance(call, tree.Call) and self.stays(call, depth + 1, pairs=every)
            case tree.Attr(name="popitem"):
                call = self.keepers.program.names.parent(parent)
                return isinstance(self.keepers.program.names.parent(call), tree.Eval)
            case tree.Attr():
                return True
            case tree.Call(func=tree.Name(id=name)) if parent.func is not node:
                if name in PICKING and not pairs:
                    return self.is_plain(parent, depth + 1)
                return name in ("len", "bool") or (
                    name in LISTED and self.stays(parent, depth + 1, pairs=pairs)
                )
            case tree.Comprehension():
                targets = [g.target for g in parent.generators if g.iter is node]
                return bool(targets) and self._binds(targets[0], depth, pairs=pairs)
            case tree.Block():
                bound = [b.target for b in parent.binds if b.value is node]
                return not bound or self._binds(bound[0], depth, pairs=pairs)
            case tree.Assign() if parent.value is node:
                target = parent.targets[0]
                return isinstance(target, tree.Name) and all(
                    self.stays(use, depth + 1, pairs=pairs) for use in self._uses(target)
                )
            case tree.Assign() | tree.Wrapped(kind="not") | tree.Boolean():
                return True
            case tree.Compare(ops=("in" | "not in",), rights=(right,)):
                return right is node
            case _:
                return False

    def _binds(self, target: tree.Node, depth: int, *, pairs: bool) -> bool:
        """Whether a loop does nothing else with the keys that it gives."""
        if pairs:
            if not isinstance(target, tree.Sequence) or len(target.items) != 2:
                return False
            target = target.items[0]
        return isinstance(target, tree.Name) and all(
            self.is_plain(use, depth + 1) for use in self._uses(target)
        )

    def _uses(self, name: tree.Name) -> Iterator[tree.Name]:
        """Where a local of the method is read, additions aside."""
        names = self.keepers.program.names
        bound_at = {b.at for b in names.bindings_of(name)} | {name.at}
        for use in reads_of(names, name, bound_at):
            access = names.parent(use)
            if not (isinstance(access, tree.Attr) and access.name in ADDING_ONE):
                yield use


def _says_cache(node: tree.Node | None) -> bool:
    """Whether a name in an expression is that of a cache: `TTLCache(60)`, `cache or Memo()`."""
    return node is not None and any(
        isinstance(one, tree.Name | tree.Attr) and is_cache(last_name(one)) for one in within(node)
    )


def _dicts(cls: Class) -> list[str]:
    """The attributes of a class that start as dicts or sets."""
    stored = [(name, s.value) for name, stores in cls.stores.items() for s in stores]
    bound = [(name, b.value) for name, found in cls.scope.bindings.items() for b in found]
    return [name for name, value in (*stored, *bound) if makes_collection(value)]


def _is_own(node: tree.Node, method: Function, names: set[str]) -> bool:
    """Whether an expression is one of the attributes of the object."""
    return isinstance(node, tree.Attr) and node.name in names and _is_own_any(node, method)


def _is_own_any(node: tree.Node, method: Function) -> bool:
    base = node.base if isinstance(node, tree.Attr) else None
    return isinstance(base, tree.Name) and method.takes_self and base.id == method.self_name


def _takes_anything(parameter: tree.Parameter) -> bool:
    """Whether a key may be a text, or a tuple as well."""
    said = parameter.annotation
    if said is None or isinstance(said, tree.Const):
        return True
    name = last_name(said)
    return isinstance(said, tree.Name | tree.Attr) and (
        name in _ANY or name == "str" or len(name.strip("_")) <= 2 or name.endswith(("T", "Key"))
    )
