"""The strings that expressions always are: literals, constants, the values of enum members."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.fields import COPYING
from capsule_lint.program.inference.types import ClassObject, Instance, ordered
from capsule_lint.program.model import Binding, Class, last_name
from capsule_lint.program.texts.class_decorators import ClassDecorators
from capsule_lint.program.texts.pieces import MAX_DEPTH, names_scope
from capsule_lint.program.texts.text_objects import VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capsule_lint.policy import Scope as ScopePolicy
    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.names import Names

_MAX_LENGTH: Final = 100_000
"""How long a text may be that is put together of others."""


@dataclass(eq=False, slots=True)
class Constants:
    """Finds the texts."""

    names: Names
    classes: Classes
    calls: Calls
    scopes: Sequence[ScopePolicy]
    decorators: ClassDecorators = field(init=False)
    _given: dict[tuple[Class, str], bool] = field(default_factory=dict)
    """Whether fields are set to something else than their defaults."""
    _known: dict[tuple[int, int], str | None] = field(default_factory=dict)
    """What bindings always are, by these and how deep in other texts they are asked for."""

    def __post_init__(self) -> None:
        self.decorators = ClassDecorators(self.names, self.calls)

    def of(self, node: tree.Node, depth: int = 0) -> str | None:
        """The string that an expression always is: a literal, a constant, an enum member's value."""
        if depth > MAX_DEPTH:
            return None
        match node:
            case tree.Const(value=str() as value):
                return value
            case tree.Name():
                bindings = self.names.bindings_of(node)
                return self._bound(bindings[0], depth) if len(bindings) == 1 else None
            case tree.Attr():
                return self._attribute(node, depth)
            case tree.Subscript():
                entry = self.entry(node, depth)
                if entry is None and (member := self._member(node)) is not None:
                    return self._bound(member, depth)
                return self.of(entry, depth + 1) if entry is not None else None
            case tree.Call(args=(tree.Argument(keyword=None, star="", value=only),)) if (
                self._is_typed(node)
            ):
                return self.of(only, depth + 1)
            case tree.Binary(op="+"):
                return self._together((node.left, node.right), depth)
            case tree.FString():
                parts = (p if isinstance(p, str) else p.value for p in node.parts)
                return self._together(parts, depth)
            case _:
                return None

    def _together(self, parts: Iterable[str | tree.Node], depth: int) -> str | None:
        """What texts and expressions are one after the other; `None` where that is too long."""
        found = ""
        for part in parts:
            said = part if isinstance(part, str) else self.of(part, depth + 1)
            if said is None or len(found) + len(said) > _MAX_LENGTH:
                return None
            found += said
        return found

    def _is_typed(self, call: tree.Call) -> bool:
        """Whether a call only says that its argument is a scope's value: `CapsuleId("PRODUS")`."""
        name = last_name(call.func)
        return any(
            scope.type is not None and scope.type.name.rpartition(".")[2] == name
            for scope in self.scopes
        )

    def entry(self, node: tree.Subscript, depth: int = 0) -> tree.Node | None:
        """What a table that is a constant has under a key that is written out: `KEYS["session"]`."""
        table = self.table(node.base)
        wanted = self.of(node.index, depth + 1) if table is not None else None
        if table is None or wanted is None:
            return None
        found = [
            value for key, value in table.pairs if key is None or self.of(key, depth + 1) == wanted
        ]
        return found[0] if len(found) == 1 and None not in table.keys else None

    def _member(self, node: tree.Subscript) -> Binding | None:
        """The member of an enum that is looked up by its name: `Tag["TENANT"]`."""
        named = isinstance(node.base, tree.Name | tree.Attr)
        target = self.classes.dotted(node.base) if named else None
        cls = target.definition if isinstance(target, Binding) else None
        if not isinstance(cls, Class) or not self.classes.is_enum(cls):
            return None
        found = cls.scope.bindings.get(self.of(node.index) or "")
        return found[-1] if found else None

    def is_filled(self, node: tree.Subscript) -> bool:
        """Whether something may be put there besides: under that key of something that is called so."""
        wanted = self.of(node.index)
        return wanted is None or bool(self.calls.uses.fillings.kept(last_name(node.base), wanted))

    def table(self, node: tree.Node) -> tree.DictDisplay | None:
        """The dict that is written out where a module or a class keeps it under a name."""
        found = self.tables(node)
        return found[0] if len(found) == 1 else None

    def tables(self, node: tree.Node) -> list[tree.DictDisplay]:
        """The same of `self.KEYS`, which each heir of a class may have of its own; none if one is not known."""
        found = self.kept(node)
        tables = [one.assigned for one in found if one.place.scope.kind in ("module", "class")]
        known = [one for one in tables if isinstance(one, tree.DictDisplay)]
        return known if len(known) == len(found) else []

    def kept(self, node: tree.Node) -> list[Binding]:
        """What gives a name its value, or `self.KEYS`, in the class of the object and in those of heirs; nothing for any
        other expression."""
        target = self.classes.dotted(node) if isinstance(node, tree.Name | tree.Attr) else None
        if isinstance(target, Binding):
            return [target]
        return self._of_class(node) if isinstance(node, tree.Attr) else []

    def _of_class(self, node: tree.Attr) -> list[Binding]:
        """What an attribute is by the class of its object, and by those of heirs; nothing where objects are given it."""
        found: list[Binding] = []
        for own in ordered(self.calls.inference.of(node.base)):
            if not isinstance(own, Instance | ClassObject):
                return []
            with self.names.aside():  # most of them may make no keys
                heirs = tuple(self.classes.subclasses(own.cls))
            holders = (one for heir in heirs for one in self._holders(heir, node.name))
            for cls in sorted(set(holders), key=lambda cls: cls.symbol):
                if node.name in cls.stores:
                    return []
                found += cls.scope.bindings[node.name]
        return found

    def _holders(self, cls: Class, name: str) -> list[Class]:
        """The class that a class has an attribute of."""
        return [one for one in self.classes.mro(cls) if name in one.scope.bindings][:1]

    def _bound(self, binding: Binding, depth: int) -> str | None:
        target = self.names.follow(binding)
        if not isinstance(target, Binding) or target.kind != "assign" or target.path:
            return None
        if target.value is None or target.is_step:
            return None
        key = id(target), depth
        if key not in self._known:
            self._known[key] = self.of(target.value, depth + 1)
        return self._known[key]

    def unless_set(self, binding: Binding) -> str | None:
        """The value of a scope that has a scope's name, and is what the environment says, or else that."""
        if binding.value is None or not any(names_scope(binding.name, s) for s in self.scopes):
            return None
        return _unless_set(binding.value)

    def _attribute(self, node: tree.Attr, depth: int) -> str | None:
        inner = node.base if node.name in VALUE and isinstance(node.base, tree.Attr) else node
        dotted = self.classes.dotted(inner)
        if isinstance(dotted, Binding):
            return self._bound(dotted, depth)
        if isinstance(inner.base, tree.Name) and inner.base.id in ("self", "cls"):
            return self._own_attribute(inner.base, inner.name, depth)
        return None

    def _own_attribute(self, base: tree.Name, name: str, depth: int) -> str | None:
        """What `self.PREFIX` is by the class, unless objects are given another one."""
        for one in ordered(self.calls.inference.of(base)):
            if isinstance(one, Instance | ClassObject):
                for owner in self.classes.mro(one.cls):
                    bindings = owner.scope.bindings.get(name)
                    if bindings and name not in owner.stores:
                        said = self._bound(bindings[-1], depth)
                        varies = said is not None and self._varies(one.cls, name, said)
                        return None if varies else said
        return None

    def _varies(self, cls: Class, name: str, said: str) -> bool:
        """Whether objects are given something else than what their class says, or its heirs say it."""
        key = (cls, name)
        if key not in self._given:
            self._given[key] = self._is_given(*key, said) or self._is_overridden(*key, said)
        return self._given[key]

    def _is_overridden(self, cls: Class, name: str, said: str) -> bool:
        """Whether an heir has another value: what stands in the class is a default then, `prefix = ""`."""
        # such classes may have heirs everywhere, most of which make no keys
        with self.names.aside():
            heirs = tuple(self.classes.subclasses(cls))
        if any(True for heir in heirs for _ in self.decorators.values(heir, name)):
            return True
        for bindings in (heir.scope.bindings.get(name, ()) for heir in heirs if heir is not cls):
            if any(b.kind == "def" for b in bindings):
                return True
            if any(b.value is not None and self.of(b.value) != said for b in bindings[-1:]):
                return True
        return False

    def _is_given(self, cls: Class, name: str, default: str) -> bool:
        """Whether an attribute is a field that is set to something else than its default, which is what
        stands in the class. A default that separates parts of keys is a constant by another name."""
        fields = self.classes.fields(cls) if self.classes.declares(cls) else ()
        if all(one.name != name for one in fields):
            return self._is_put(cls, name, default)
        if any(names_scope(name, s) for s in self.scopes) or default == "":
            return True
        return "#" not in default and (
            bool(self.calls.uses.stores(name))
            or self.calls.gives(cls, name)
            or self._is_changed(name)
        )

    def _is_put(self, cls: Class, name: str, default: str) -> bool:
        """Whether an object of a plain class gets another value from outside: `order.state = State.SENT`."""
        inference = self.calls.inference
        return any(
            isinstance(one, Instance) and cls in self.classes.mro(one.cls)
            for target, value in self.calls.uses.assigned(name)
            if self.of(value) != default
            for one in inference.of(target.base)
        )

    def _is_changed(self, name: str) -> bool:
        """Whether a copy gets another value for a field: `replace(order, state=State.SENT)`."""
        calls = (call for one in COPYING for call in self.calls.uses.calls_beside(one))
        return any(
            argument.keyword == name
            or (
                argument.keyword == "update"
                and isinstance(argument.value, tree.DictDisplay)
                and name in dict(argument.value.entries)
            )
            for call in calls
            for argument in call.args
        )


def _unless_set(node: tree.Node) -> str | None:
    """What an option of the environment is where nobody sets it: `os.environ.get("CAPSULE", "PRODUS")`."""
    match node:
        case tree.Call(args=(tree.Argument(keyword=None, star="", value=tree.Call() as only),)):
            return _unless_set(only) if last_name(node.func)[:1].isupper() else None
        case tree.Call(func=func, args=(_, tree.Argument(value=tree.Const(value=str() as value)))):
            return value if is_environment(func) else None
        case tree.Boolean(
            op="or", values=(tree.Call(func=func), tree.Const(value=str() as value))
        ):
            return value if is_environment(func) else None
        case _:
            return None


def is_environment(func: tree.Node) -> bool:
    """Whether what is called is `os.getenv` or `os.environ.get`."""
    if last_name(func) == "getenv":
        return True
    return isinstance(func, tree.Attr) and func.name == "get" and last_name(func.base) == "environ"
