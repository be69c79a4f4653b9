"""Classes that keep what they are told apart by a scope of it, in a collection of their own: `self._seen[context.tenant_id,
channel_id]`. One that only writes the scope into a log or a text keeps the same for everybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.containers import COPIED, KEYED, LISTED
from capsule_lint.program.inference.types import Collection
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.purposes.domain import Domain

_MADE: Final = LISTED | COPIED | {"defaultdict", "Counter"}


@dataclass(eq=False, slots=True)
class KeptApart:
    """Judges one class."""

    domain: Domain
    cls: Class
    _seen: set[int] = field(default_factory=set)

    def is_so(self) -> bool:
        """Whether a scope of what a method is told is in a key or a filter of what the class keeps."""
        return any(
            self._decides(node, method)
            for method in self._methods()
            for node in self._told(method)
        )

    def _methods(self) -> Iterator[Function]:
        for owner in self.domain.classes.mro(self.cls):
            yield from owner.methods.values()

    def _told(self, method: Function) -> Iterator[tree.Node]:
        """Where a method reads a scope of what it is told: `context.tenant_id`."""
        told = {parameter.name for parameter in method.own_params}
        for node in self.domain.names.inside(method):
            if isinstance(node, tree.Attr) and isinstance(node.base, tree.Name):
                is_scope = names_any_of(node.name, self.domain.policy.scopes)
                if is_scope and node.base.id in told:
                    yield node

    def _decides(self, value: tree.Node, method: Function) -> bool:
        """Whether a value is a part of a key or a filter, also by way of a local or of a method that makes the key."""
        if id(value) in self._seen:
            return False
        self._seen.add(id(value))
        names = self.domain.names
        inner: object = value
        outer = names.parent(value)
        while outer is not None and not isinstance(outer, tree.Statement):
            match outer:
                case tree.Subscript(index=index, base=base) if index is inner:
                    found = self._is_kept(base)
                case tree.Call(func=tree.Attr(name=name) as func, args=(first, *_)):
                    found = name in KEYED and first.value is inner and self._is_kept(func.base)
                case tree.Compare(ops=("in" | "not in",)):
                    # who is in a set of tenants is told apart, and not what is kept
                    found = inner is not value and self._is_kept(outer.rights[0])
                case tree.Compare(ops=("==" | "!=",)):
                    is_asked = inner is value or isinstance(inner, tree.Sequence)
                    found = is_asked and any(map(self._is_of_kept, within(outer)))
                case _:
                    found = False
            if found:
                return True
            inner, outer = outer, names.parent(outer)
        match outer:
            case tree.Assign(targets=(tree.Name() as local,), value=given) if given is inner:
                uses: Iterator[tree.Node] = reads_of(names, local, (local.at,))
                return any(self._decides(use, method) for use in uses)
            case tree.Eval(kind="return"):
                return any(self._decides(call, caller) for call, caller in self._calls(method))
            case _:
                return False

    def _calls(self, made: Function) -> Iterator[tuple[tree.Node, Function]]:
        """The calls of one of the class's own methods in the others."""
        for method in self._methods():
            for node in self.domain.names.inside(method):
                match node:
                    case tree.Call(func=tree.Attr(name=made.name) as func) if self._is_own(func):
                        yield node, method
                    case _:
                        pass

    def _is_of_kept(self, node: tree.Node) -> bool:
        """Whether a name is what a loop finds in something that the class keeps."""
        bound = self.domain.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        over = (one.value for one in bound if one.kind == "for" and one.value is not None)
        return any(self._is_kept(one) for value in over for one in within(value))

    def _is_kept(self, node: tree.Node) -> bool:
        """Whether an expression is a collection of the class, or one that is in such a one."""
        match node:
            case tree.Subscript(base=base):
                return self._is_kept(base)
            case tree.Call(func=tree.Attr(name=name) as func) if name in KEYED:
                return self._is_kept(func.base)
            case tree.Attr():
                return self._is_own(node) and self._is_collection(node.name)
            case _:
                return False

    def _is_own(self, node: tree.Attr) -> bool:
        method = self.domain.names.function_of(node)
        own = method.self_name if method is not None else ""
        return isinstance(node.base, tree.Name) and node.base.id in {own, self.cls.name} - {""}

    def _is_collection(self, name: str) -> bool:
        """Whether an attribute is a collection of the program's own."""
        owners = self.domain.classes.mro(self.cls)
        values = [store.value for one in owners for store in one.stores.get(name, ())]
        return any(
            isinstance(value, tree.DictDisplay | tree.Sequence)
            or last_name(tree.uncalled(value)) in _MADE
            for value in values
            if value is not None
        ) or any(
            isinstance(one, Collection) for one in self.domain.inference.member(self.cls, name)
        )
