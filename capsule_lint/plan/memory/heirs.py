"""The program's own dicts: classes that inherit from `dict` and the like, and what is kept in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_BASES: Final = frozenset(
    ("dict", "OrderedDict", "UserDict", "TTLCache", "LRUCache", "LFUCache", "Cache", "defaultdict")
)

_ASKING: Final = ("__missing__", "__getitem__", "__setitem__", "__delitem__", "__contains__")


@dataclass(eq=False, slots=True)
class Heirs:
    """Finds the classes, their instances, and the methods that make keys by themselves."""

    program: Program
    names: frozenset[str] = field(init=False)
    """The names of the classes that are dicts, and do nothing else with their keys."""
    _homes: dict[str, tuple[Home, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = frozenset(c.name for c in self.program.classes.all if self._is_heir(c))

    def makes(self, node: tree.Node | None) -> bool:
        """Whether a value is a new instance of one."""
        return _makes(node, self.names)

    def homes(self, node: tree.Node) -> tuple[Home, ...]:
        """Where the instances are kept that `self`, `super()` or `self.data` is in a method of one."""
        cls = self._itself(node) if self.names else None
        return self.kept(cls) if cls is not None else ()

    def kept(self, cls: Class) -> tuple[Home, ...]:
        """Where instances of such a class are kept."""
        if cls.name not in self._homes:
            self._homes[cls.name] = tuple(self._kept(cls))
        return self._homes[cls.name]

    def asked(self, home: Home) -> Iterator[tuple[Function, tree.Parameter]]:
        """The methods by which a dict that is kept there is asked for a key, such as `__missing__`, and what they call
        it."""
        owner, name = home
        stores = owner.stores.get(name, ()) if isinstance(owner, Class) else ()
        values = [s.value for s in stores] + [b.value for b in owner.scope.bindings.get(name, ())]
        made = {last_name(v.func) for v in values if isinstance(v, tree.Call)} & self.names
        for cls in self.program.classes.all if made else ():
            if cls.name in made:
                for method in map(cls.methods.get, _ASKING):
                    if method is not None and method.own_params:
                        yield method, method.own_params[0]

    def _itself(self, node: tree.Node) -> Class | None:
        """The class in whose method an expression is the dict itself."""
        match node:
            case tree.Attr(name="data", base=tree.Name() as base):
                cls = self._itself(base)
                bases = self.program.classes.foreign_bases(cls) if cls is not None else ()
                return cls if any(base.endswith("UserDict") for base in bases) else None
            case tree.Name() | tree.Call(func=tree.Name(id="super")):
                function = self.program.names.function_of(node)
                if function is None or function.owner is None or not function.takes_self:
                    return None
                own = isinstance(node, tree.Call) or node.id == function.params[0].name
                return function.owner if own and function.owner.name in self.names else None
            case _:
                return None

    def _kept(self, cls: Class) -> Iterator[Home]:
        made = {heir.name for heir in self.program.classes.subclasses(cls)}
        for module in self.program.names.judged():
            for name, bindings in module.scope.bindings.items():
                if any(_makes(b.value, made) for b in bindings if b.kind == "assign"):
                    yield module, name
            for owner in module.classes:
                for name, stores in owner.stores.items():
                    if any(_makes(store.value, made) for store in stores):
                        yield owner, name

    def key_makers(self, call: tree.Call, key: tree.Node) -> Iterator[Function]:
        """The methods of the program's that are given a scope's value there, and make a key of it themselves."""
        scopes, takes = self.program.policy.scopes, self.program.domain.scope_parameter
        for callee in self.program.calls.callees(call):
            function = callee.function if callee.cls is None else None
            if function is None:
                continue
            taken = {p.name for s in scopes if (p := takes(function, s)) is not None}
            if any(a.value is key and name in taken for name, a in callee.arguments(call).items()):
                yield function

    def _is_heir(self, cls: Class) -> bool:
        """Whether a class is a dict that does not go through its own keys."""
        if self.program.classes.base_names(cls).isdisjoint(_BASES):
            return False
        return not any(self._goes_through(node, cls) for node in cls.module.each(tree.Name))

    def _goes_through(self, node: tree.Name, cls: Class) -> bool:
        """Whether a name is an instance in one of the class's methods, which is more than looked into."""
        function = self.program.names.function_of(node)
        if function is None or function.owner is not cls or not function.takes_self:
            return False
        if node.id != function.params[0].name:
            return False
        match self.program.names.parent(node):
            case tree.Attr(name=name):
                return name in ("items", "keys", "copy", "update") or name.startswith("_")
            case tree.Subscript(base=base):
                return base is not node
            case tree.Compare(ops=("in" | "not in",), rights=(right,)):
                return right is not node
            case tree.Call(func=func):
                return last_name(func) not in ("len", "bool", "super")
            case _:
                return True


def _makes(node: tree.Node | None, names: Set[str]) -> bool:
    return isinstance(node, tree.Call) and last_name(node.func) in names
