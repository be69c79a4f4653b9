"""What objects load once and keep: `if self._rate is None: self._rate = self._load(tenant_id)`. Once the method is
told a scope, what is kept for one of its values is no answer for another: the attribute becomes a dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.program.model import Class, Function, Store

_CODE: Final = "CAP107"
_NEW: Final = ("__init__", "__post_init__")


class Memo(Struct, frozen=True):
    """An attribute that a class keeps such a value in."""

    cls: Class
    name: str


class Memos(Struct, frozen=True):
    """Finds such attributes, and makes dicts of them where all that is done with them is known."""

    mends: Mends

    def build(self) -> None:
        """Add the mends; an attribute that cannot become a dict makes its change set unsafe."""
        seen: set[Memo] = set()
        for function in self.mends.planner.state.params:
            cls = function.owner
            if cls is None or function.module.generated:
                continue
            for name in sorted(cls.stores):
                memo = Memo(cls, name)
                if memo not in seen and self._is_filled(memo, function):
                    seen.add(memo)
                    self._change(memo, function)

    def _is_filled(self, memo: Memo, function: Function) -> bool:
        """Whether a method puts into the attribute what it finds out for a scope, unless it has been found."""
        stores = [s for s in memo.cls.stores[memo.name] if s.function is function and not s.path]
        depends = any(self._depends(store, function) for store in stores)
        return depends and self._is_guarded(memo, function)

    def _is_guarded(self, memo: Memo, function: Function) -> bool:
        """Whether a method asks first whether something is kept already."""
        return any(self._is_guard(u) for u in self._uses(memo) if self._home(u) is function)

    def _depends(self, store: Store, function: Function) -> bool:
        """Whether what is stored is found out by a call that is told a scope."""
        planner = self.mends.planner
        gained = planner.state.params[function].values()
        return store.value is not None and any(
            isinstance(node, tree.Call) and any(planner.asked(node, scope) for scope in gained)
            for node in within(store.value)
        )

    # --- the dict ---

    def _change(self, memo: Memo, function: Function) -> None:
        knot: Knot = ("function", function)
        uses, names = list(self._uses(memo)), self._names(function)
        mends = [mend for use in uses for mend in self._mends(memo, use, names)]
        started = any(self._starts(store) for store in memo.cls.stores[memo.name])
        if not started or any(mend is None for mend in mends) or self._is_seen_outside(memo, uses):
            store = next(s for s in memo.cls.stores[memo.name] if s.function is function)
            told = " and ".join(f"`{n}`" for n in self.mends.planner.state.params[function])
            reason = f"`{memo.name}` is kept for whatever {told} was asked for first"
            self.mends.obstacle(knot, store.statement.targets[0], reason)
            return
        for use in uses:
            home = self._home(use)
            if home in self.mends.planner.state.params:
                self.mends.planner.state.groups.join(knot, ("function", home))
        for mend in mends:
            if mend is not None:
                self.mends.add(knot, mend)

    def _mends(
        self, memo: Memo, use: tree.Attr, names: tuple[str, ...]
    ) -> Iterator[Replace | None]:
        """What changes about a use of the attribute; `None` for a use that cannot be changed."""
        home = self._home(use)
        filename = memo.cls.module.filename
        parent = self.mends.planner.program.names.parent(use)
        key = ", ".join(names)
        asked = f"({key})" if len(names) > 1 else key
        own = self.mends.source(memo.cls.module, use.span)
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
        """`dict[tuple[str, str], int]` for `int | None`."""
        match node:
            case tree.Binary(op="|", left=kept, right=tree.Const(value=None)):
                pass
            case tree.Subscript(base=tree.Name(id="Optional"), index=kept):
                pass
            case _:
                return None
        key = f"tuple[{', '.join(['str'] * count)}]" if count > 1 else "str"
        code = f"dict[{key}, {self.mends.source(memo.cls.module, kept.span)}]"
        return Replace(memo.cls.module.filename, node.span, _CODE, code)

    def _names(self, function: Function) -> tuple[str, ...]:
        """What a method is told of the scopes, once it is told all of them."""
        planner = self.mends.planner
        gained = planner.state.params.get(function, {})
        taken = planner.program.domain.scope_parameter
        found = []
        for scope in planner.program.policy.scopes:
            parameter = taken(function, scope)
            if scope.parameter in gained or parameter is not None:
                found.append(parameter.name if parameter is not None else scope.parameter)
        return tuple(found)

    # --- uses ---

    def _uses(self, memo: Memo) -> Iterator[tree.Attr]:
        """`self.name`, in the methods of the class."""
        for method in memo.cls.methods.values():
            for node in self.mends.planner.program.names.inside(method):
                if (
                    isinstance(node, tree.Attr)
                    and node.name == memo.name
                    and isinstance(node.base, tree.Name)
                    and method.takes_self
                    and node.base.id == method.self_name
                ):
                    yield node

    def _is_seen_outside(self, memo: Memo, uses: list[tree.Attr]) -> bool:
        """Whether the attribute is used elsewhere than in these places, or by its name in a text."""
        own = {id(use) for use in uses}
        modules = self.mends.planner.program.names.modules.values()
        return any(
            node.name == memo.name
            and id(node) not in own
            and not self._is_of_another(node, memo.cls)
            for module in modules
            for node in module.each(tree.Attr)
        ) or any(tree.text(node) == memo.name for m in modules for node in m.each(tree.Const))

    def _is_of_another(self, node: tree.Attr, cls: Class) -> bool:
        """Whether an attribute is that of the object itself, in a class that has nothing to do with this one."""
        home, classes = self._home(node), self.mends.planner.program.classes
        if home is None or home.owner is None or not isinstance(node.base, tree.Name):
            return False
        related = home.owner in classes.mro(cls) or cls in classes.mro(home.owner)
        return node.base.id == home.self_name and not related

    def _home(self, node: tree.Node) -> Function | None:
        return self.mends.planner.program.names.place(node).scope.function

    def _starts(self, store: Store) -> bool:
        return store.function.name in _NEW and _is_none(store.value)

    def _is_guard(self, use: tree.Attr) -> bool:
        """Whether it is asked here whether something is kept already."""
        match parent := self.mends.planner.program.names.parent(use):
            case tree.Compare(left=left, ops=(op,), rights=(other,)):
                return left is use and op in ("is", "==", "is not", "!=") and _is_none(other)
            case tree.Block(kind="if" | "while"):
                return use in parent.heads
            case _:
                return isinstance(parent, tree.Wrapped) and parent.kind == "not"


def _is_target(parent: object, use: tree.Attr) -> bool:
    return isinstance(parent, tree.Assign) and use in parent.targets


def _is_none(node: tree.Node | None) -> bool:
    return isinstance(node, tree.Const) and node.value is None and not node.kind
