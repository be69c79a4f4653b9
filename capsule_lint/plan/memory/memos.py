"""What objects and modules load once and keep: `if self._rate is None: self._rate = self._load(tenant_id)`, and the
same of a `global _rate`, or of a `nonlocal rate`. Once the function is told a scope, what is kept for one of its values is no answer for
another: the attribute, or what the module has, becomes a dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.local_names import made_of
from capsule_lint.program.model import Binding, Class, Function, Module, last_name, outwards
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot

Use: TypeAlias = tree.Attr | tree.Name
_CODE: Final = "CAP107"
_NEW: Final = ("__init__", "__post_init__")


class Memo(Struct, frozen=True):
    """Where a class, a module, or a function for those that it defines, keeps such a value."""

    owner: Class | Module | Function
    name: str

    @property
    def module(self) -> Module:
        """The file that it stands in."""
        return self.owner if isinstance(self.owner, Module) else self.owner.module

    def starts(self, store: Kept) -> bool:
        """Whether it begins with nothing."""
        first = store.function is None or store.function.name in _NEW
        return (first or store.function is self.owner) and _is_none(store.value)


class Kept(Struct, frozen=True):
    """A statement that puts something there; `function` is `None` in the module itself."""

    function: Function | None
    statement: tree.Assign
    value: tree.Node | None


class Memos(MendRoom, Struct, frozen=True):
    """Finds such attributes and names, and makes dicts of them where all that is done with them is known."""

    mends: Mends

    def build(self) -> None:
        """Add the mends; what cannot become a dict makes its change set unsafe."""
        seen: set[Memo] = set()
        for function in self.state.params:
            if function.module.generated:
                continue
            own = sorted(function.owner.stores) if function.owner is not None else ()
            memos = [Memo(function.owner, name) for name in own if function.owner is not None]
            memos += [Memo(_keeper(function, name), name) for name in sorted(function.scope.outer)]
            for memo in memos:
                if memo not in seen and self._is_filled(memo, function):
                    seen.add(memo)
                    self._change(memo, function)

    def _stores(self, memo: Memo) -> Iterator[Kept]:
        """What is put there, each as a whole."""
        if isinstance(memo.owner, Class):
            for store in memo.owner.stores[memo.name]:
                if not store.path:
                    yield Kept(store.function, store.statement, store.value)
            return
        for binding in memo.owner.scope.bindings.get(memo.name, ()):
            statement = binding.place.statement
            if isinstance(statement, tree.Assign) and not binding.path:
                yield Kept(binding.function, statement, binding.value)

    def _is_filled(self, memo: Memo, function: Function) -> bool:
        """Whether a function puts there what it finds out for a scope, unless it has been found."""
        stores = [s for s in self._stores(memo) if s.function is function]
        depends = any(self._depends(store.value, function) for store in stores)
        return depends and self._is_guarded(memo, function)

    def _is_guarded(self, memo: Memo, function: Function) -> bool:
        """Whether a function asks first whether something is kept already."""
        return any(self._is_guard(u) for u in self._uses(memo) if self._home(u) is function)

    def _depends(self, value: tree.Node | None, function: Function) -> bool:
        """Whether what is stored is found out by a call that is told a scope, or under a key that gets it."""
        planner = self.planner
        gained = self.state.params[function].values()
        hosts = {id(d.template.host) for d in planner.defects if d.function is function}
        if value is None:
            return False
        return any(
            id(node) in hosts
            or (
                isinstance(node, tree.Call)
                and any(planner.signatures.asked(node, s) for s in gained)
            )
            for node in made_of(self.program.names, value)
        )

    # --- the dict ---

    def _change(self, memo: Memo, function: Function) -> None:
        knot: Knot = ("function", function)
        uses, names = list(self._uses(memo)), self._names(function)
        mends = [mend for use in uses for mend in self._mends(memo, use, names)]
        stores = list(self._stores(memo))
        known = any(map(memo.starts, stores)) and not self._is_seen_outside(memo, uses)
        if not known or self._expires(memo, function) or any(mend is None for mend in mends):
            store = next(s for s in stores if s.function is function)
            told = " and ".join(f"`{n}`" for n in self.state.params[function])
            reason = f"`{memo.name}` is kept for whatever {told} was asked for first"
            self.mends.obstacle(knot, store.statement.targets[0], reason)
            return
        for use in uses:
            home = self._home(use)
            if home in self.state.params:
                self.state.groups.join(knot, ("function", home))
        for mend in mends:
            if mend is not None:
                self.mends.add(knot, mend)

    def _mends(self, memo: Memo, use: Use, names: tuple[str, ...]) -> Iterator[Replace | None]:
        """What changes about a use; `None` for one that cannot be changed."""
        home, module = self._home(use), self.program.names.module_of(use)
        filename = module.filename
        parent = self.program.names.parent(use)
        key = ", ".join(names)
        asked = f"({key})" if len(names) > 1 else key
        own = self.mends.source(module, use.span)
        if isinstance(parent, tree.Assign) and _is_target(parent, use) and _is_none(parent.value):
            assert parent.value is not None
            yield Replace(filename, parent.value.span, _CODE, "{}")
            if parent.annotation is not None:
                yield self._annotated(memo, parent.annotation, len(names))
        elif home is None or home.name in _NEW or self._names(home) != names:
            yield None
        elif self._is_guard(use) or not (_is_target(parent, use) or self._is_guarded(memo, home)):
            yield Replace(filename, use.span, _CODE, f"{own}.get({asked})")  # none, as it was
        else:
            yield Replace(filename, use.span, _CODE, f"{own}[{key}]")

    def _annotated(self, memo: Memo, node: tree.Node, count: int) -> Replace | None:
        """`dict[tuple[str, str], int]` for `int | None`, which it stays where nothing may be found."""
        match node:
            case tree.Binary(op="|", left=kept, right=tree.Const(value=None)):
                pass
            case tree.Subscript(base=tree.Name(id="Optional"), index=kept):
                pass
            case _:
                return None
        key = f"tuple[{', '.join(['str'] * count)}]" if count > 1 else "str"
        said = node if any(self._may_be_none(s) for s in self._stores(memo)) else kept
        code = f"dict[{key}, {self.mends.source(memo.module, said.span)}]"
        return Replace(memo.module.filename, node.span, _CODE, code)

    def _may_be_none(self, store: Kept) -> bool:
        """Whether what is found out is declared as something that may be `None`."""
        value = store.value.value if isinstance(store.value, tree.Wrapped) else store.value
        callees = self.program.calls.callees(value) if isinstance(value, tree.Call) else ()
        said = [c.function.fact.returns for c in callees if c.function is not None]
        return any(
            _is_none(part) or last_name(part) == "Optional"
            for annotation in said
            if annotation is not None
            for part in within(annotation)
        )

    def _names(self, function: Function) -> tuple[str, ...]:
        """What a method is told of the scopes, once it is told all of them."""
        gained = self.state.params.get(function, {})
        taken = self.program.domain.scope_parameter
        found = []
        for scope in self.program.policy.scopes:
            parameter = taken(function, scope)
            if scope.parameter in gained or parameter is not None:
                found.append(parameter.name if parameter is not None else scope.parameter)
        return tuple(found)

    # --- uses ---

    def _uses(self, memo: Memo) -> Iterator[Use]:
        """`self.name` in the methods of the class; the name in its module, and `module.name` where that is
        set to nothing again."""
        names = self.program.names
        if isinstance(memo.owner, Class):
            for method in memo.owner.methods.values():
                for node in names.inside(method):
                    if (
                        isinstance(node, tree.Attr)
                        and node.name == memo.name
                        and isinstance(node.base, tree.Name)
                        and method.takes_self
                        and node.base.id == method.self_name
                    ):
                        yield node
            return
        own = {id(b) for b in memo.owner.scope.bindings.get(memo.name, ())}
        for name in memo.module.each(tree.Name):
            if name.id == memo.name and own.issuperset(map(id, names.bindings_of(name))):
                yield name
        for module in names.modules.values() if isinstance(memo.owner, Module) else ():
            for node in module.each(tree.Attr):
                if node.name == memo.name and self._is_set_again(node, own):
                    yield node

    def _is_set_again(self, node: tree.Attr, own: set[int]) -> bool:
        """Whether a test, or whoever else it is, sets what a module keeps to `None`."""
        program = self.program
        statement = program.names.parent(node)
        if not _is_target(statement, node) or not isinstance(statement, tree.Assign):
            return False
        target = program.classes.dotted(node)
        return _is_none(statement.value) and isinstance(target, Binding) and id(target) in own

    def _expires(self, memo: Memo, function: Function) -> bool:
        """Whether it is asked as well how old it is, by something else that is kept once for all."""
        program = self.program
        kept = set(function.scope.outer)
        if function.owner is not None:
            kept |= {
                n
                for n, found in function.owner.stores.items()
                if any(s.function is function for s in found)
            }
        kept -= {memo.name}
        for use in self._uses(memo):
            node: object = use
            while isinstance(node, tree.Expr):
                node = program.names.parent(node)
                if isinstance(node, tree.Boolean) and any(
                    last_name(part) in kept
                    for part in within(node)
                    if isinstance(part, tree.Attr | tree.Name)
                ):
                    return True
        return False

    def _is_seen_outside(self, memo: Memo, uses: list[Use]) -> bool:
        """Whether it is used elsewhere than in these places, or by its name in a text or an import."""
        if isinstance(memo.owner, Function):
            return False
        own = {id(use) for use in uses}
        modules = self.program.names.modules.values()
        if not isinstance(memo.owner, Class) and any(
            b.imported is not None and memo.name in (b.name, b.imported.name)
            for module in modules
            for found in module.scope.bindings.values()
            for b in found
        ):
            return True
        return any(
            node.name == memo.name
            and id(node) not in own
            and not self._is_of_another(node, memo.owner)
            for module in modules
            for node in module.each(tree.Attr)
        ) or any(tree.text(node) == memo.name for m in modules for node in m.each(tree.Const))

    def _is_of_another(self, node: tree.Attr, owner: Class | Module) -> bool:
        """Whether an attribute is that of the object itself, in a class that has nothing to do with this one."""
        home, classes = self._home(node), self.program.classes
        if home is None or home.owner is None or not isinstance(node.base, tree.Name):
            return False
        related = isinstance(owner, Class) and (
            home.owner in classes.mro(owner) or owner in classes.mro(home.owner)
        )
        return node.base.id == home.self_name and not related

    def _home(self, node: tree.Node) -> Function | None:
        return self.program.names.function_of(node)

    def _is_guard(self, use: Use) -> bool:
        """Whether it is asked here whether something is kept already."""
        match parent := self.program.names.parent(use):
            case tree.Compare(left=left, ops=(op,), rights=(other,)):
                return left is use and op in ("is", "==", "is not", "!=") and _is_none(other)
            case tree.Block(kind="if" | "while"):
                return use in parent.heads
            case _:
                return isinstance(parent, tree.Wrapped) and parent.kind == "not"


def _is_target(parent: object, use: Use) -> bool:
    return isinstance(parent, tree.Assign) and use in parent.targets


def _keeper(function: Function, name: str) -> Module | Function:
    """Whose name it is that a function says is not its own."""
    around = outwards(function.parent)
    own = (f for f in around if name in f.scope.bindings and name not in f.scope.outer)
    return next(own, function.module)


def _is_none(node: tree.Node | None) -> bool:
    return isinstance(node, tree.Const) and node.value is None and not node.kind
