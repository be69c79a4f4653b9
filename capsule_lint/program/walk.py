"""The facts of one file to a module: its scopes, bindings, and where every expression stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import (
    Binding,
    Branch,
    Class,
    Function,
    Module,
    Place,
    Scope,
    Store,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Parent = tree.Node | tree.Statement | tree.Argument | None

_OPENING: Final = frozenset((tree.Comprehension, tree.Lambda, tree.Walrus, tree.Wrapped))
"""Of an expression of any other kind, only what is below it has to be walked."""
_LEAVES: Final = frozenset((tree.Name, tree.Const))
"""Nothing is below these."""


@dataclass(eq=False, slots=True)
class Index:
    """For every expression of the files that were walked: where it stands, and what it is a part of.

    It knows expressions by their ids, so these must live as long as it does.
    """

    places: dict[int, Place] = field(default_factory=dict)
    parents: dict[int, Parent] = field(default_factory=dict)
    lambdas: dict[int, tree.Lambda] = field(default_factory=dict)
    """The lambda that opens a scope."""
    scopes: dict[int, Scope] = field(default_factory=dict)
    """The scope that a function or a lambda opens."""
    matched: dict[int, tree.Node] = field(default_factory=dict)
    """What a binding of a `case` is found by, by its id, where somebody has asked."""
    _made: list[tree.Node] = field(default_factory=list)
    """What stands in no file."""

    def put(self, node: tree.Node, place: Place, parent: Parent = None) -> None:
        """Say where an expression stands that is not written as one."""
        self._made.append(node)
        self.places[id(node)] = place
        self.parents[id(node)] = parent


def within(node: tree.Node) -> Iterator[tree.Node]:
    """`node` and all expressions below it, without those of a scope of its own."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack += node.below()[::-1]


def targets_of(
    target: tree.Node, path: tuple[int, ...] = ()
) -> Iterator[tuple[tree.Node, tuple[int, ...]]]:
    """The names, attributes and subscripts that a target binds, each with its place in the target."""
    match target:
        case tree.Sequence():
            for number, item in enumerate(target.items):
                yield from targets_of(item, (*path, number))
        case tree.Wrapped(kind="starred"):
            yield target.value, (*path, -1)
        case _:
            yield target, path


def _is_one_by_one(target: tree.Node, value: tree.Node | None) -> bool:
    """Whether an assignment is as good as several: `pk, sk = f"TENANT#{tenant_id}", "META"`."""
    match target, value:
        case tree.Sequence(items=names), tree.Sequence(items=values):
            plain = all(isinstance(n, tree.Name | tree.Attr | tree.Subscript) for n in names)
            starred = any(isinstance(one, tree.Wrapped) for one in values)
            if not plain or starred or len(names) != len(values):
                return False
            bound = {name.id for name in names if isinstance(name, tree.Name)}
            read = (one for part in values for one in within(part) if isinstance(one, tree.Name))
            return bound.isdisjoint(one.id for one in read)
        case _:
            return False


def singles(statement: tree.Assign) -> list[tree.Assign]:
    """`a = x` and `b = y` of `a, b = x, y`; any other assignment alone, one to several targets too."""
    match statement:
        case tree.Assign(targets=(tree.Sequence(items=names),), value=tree.Sequence(items=values)):
            starred = any(isinstance(one, tree.Wrapped) for one in (*names, *values))
            if len(names) == len(values) and not starred:
                pairs = zip(names, values, strict=True)
                return [tree.Assign(statement.at, (name,), one) for name, one in pairs]
    return [statement]


@dataclass(eq=False, slots=True)
class Walks:
    """The files that have been walked: what is in them, and where. They serve every program that a file is
    part of under the same name."""

    index: Index = field(default_factory=Index)
    _modules: dict[str, Module] = field(default_factory=dict)
    _outdated: list[Module] = field(default_factory=list)
    """Older versions: the index still knows what is in them."""

    def module(self, name: str, facts: tree.FileFacts, package: bool, is_test: bool) -> Module:
        """A file under its dotted name; it is walked unless that has been done."""
        known = self._modules.get(facts.filename)
        if known is not None and known.facts is facts and known.name == name:
            return known
        if known is not None:
            self._outdated.append(known)
        module = self._modules[facts.filename] = Module(name, facts, package, is_test)
        _Walker(module, self.index).walk()
        return module


class _Walker:
    """Walks one file."""

    def __init__(self, module: Module, index: Index) -> None:
        self._module = module
        self._index = index
        self._places, self._parents = index.places, index.parents
        self._nodes, self._kinds = module.nodes, module.kinds
        self._order = 0
        self._block = 0

    def walk(self) -> None:
        """Fill the module."""
        scope = Scope("module", None, self._module, None)
        self._module.scope = scope
        self._body(self._module.facts.body, scope, ())

    # --- statements ---

    def _body(
        self, body: Sequence[tree.Statement], scope: Scope, blocks: tuple[Branch, ...]
    ) -> None:
        for statement in body:
            self._order += 1
            place = Place(scope, statement, blocks, self._order)
            self._module.statements.append((statement, place))
            scope.statements.append((statement, place))
            self._statement(statement, place)

    def _statement(self, node: tree.Statement, place: Place) -> None:
        match node:
            case tree.Assign():
                self._assign(node, place)
            case tree.Eval():
                self._all(node.values, place, node)
                if node.kind == "return" and place.scope.function is not None:
                    place.scope.function.returns.extend(node.values)
            case tree.Block():
                self._compound(node, place)
            case tree.FunctionDef():
                self._function(node, place)
            case tree.ClassDef():
                self._class(node, place)
            case tree.Import():
                self._import(node, place)
            case tree.Outer():
                place.scope.outer.update(node.names)

    def _assign(self, node: tree.Assign, place: Place) -> None:
        if node.value is not None:
            self._expr(node.value, place, node)
        if node.annotation is not None:
            self._expr(node.annotation, place, node)
        for target in node.targets:
            self._target(target, place, node, "assign", node.value, node.annotation)

    def _target(
        self,
        target: tree.Node,
        place: Place,
        parent: tree.Statement | tree.Node,
        kind: str,
        value: tree.Node | None,
        annotation: tree.Node | None = None,
    ) -> None:
        self._expr(target, place, parent)
        one_by_one = kind == "assign" and _is_one_by_one(target, value)
        for leaf, path in targets_of(target):
            own = value
            if one_by_one and isinstance(value, tree.Sequence):
                own, path = value.items[path[0]], ()
            if isinstance(leaf, tree.Name):
                found = Binding(leaf.id, kind, place, leaf.at, own, annotation, path)
                self._bind(found, place.scope)
            elif isinstance(leaf, tree.Attr) and isinstance(leaf.base, tree.Name):
                self._store(leaf, place, own, annotation, path)

    def _store(
        self,
        leaf: tree.Attr,
        place: Place,
        value: tree.Node | None,
        annotation: tree.Node | None,
        path: tuple[int, ...],
    ) -> None:
        function = place.scope.function
        if function is None or function.owner is None or not function.takes_self:
            return
        assert isinstance(leaf.base, tree.Name)
        if leaf.base.id == function.params[0].name and isinstance(place.statement, tree.Assign):
            store = Store(function, place.statement, value, annotation, path)
            function.owner.stores.setdefault(leaf.name, []).append(store)

    def _bind(self, binding: Binding, scope: Scope) -> None:
        home = scope
        while home.kind == "comprehension" and binding.kind != "for" and home.parent is not None:
            home = home.parent
        if binding.name in home.outer and home.parent is not None:
            outer = [s for s in home.ancestors() if s is not home and s.kind != "class"]
            home = next((s for s in outer if binding.name in s.bindings), outer[-1])
        home.bindings.setdefault(binding.name, []).append(binding)

    def _compound(self, node: tree.Block, place: Place) -> None:
        self._all(node.heads, place, node)
        self._block += 1
        number, loops = self._block, node.kind in ("for", "while")
        for bind in node.binds:
            if bind.value is not None:
                self._expr(bind.value, place, node)
            inside = (
                place.blocks if bind.body is None else (*place.blocks, (number, bind.body, loops))
            )
            here = Place(place.scope, place.statement, inside, place.order)
            self._target(bind.target, here, node, bind.how, bind.value)
        self._module.blocks[number] = node
        self._module.starts[number] = place.order
        for branch, body in enumerate(node.bodies):
            # The body of `with`, and of `try` itself, is as good as not being in a block.
            plain = node.kind == "with" or (node.kind == "try" and branch == 0)
            inner = place.blocks if plain else (*place.blocks, (number, branch, loops))
            self._body(body, place.scope, inner)

    def _import(self, node: tree.Import, place: Place) -> None:
        self._module.imports.append((node, place))
        for name in node.names:
            if name.name == "*":
                self._module.stars.append(node)
                continue
            binding = Binding(
                name.bound, "import", place, name.at, imported=name, level=node.level
            )
            self._bind(binding, place.scope)

    def _qualname(self, name: str, scope: Scope) -> str:
        if scope.cls is not None and scope.kind == "class":
            return f"{scope.cls.qualname}.{name}"
        if scope.function is not None:
            return f"{scope.function.qualname}.{name}"
        return name

    def _function(self, node: tree.FunctionDef, place: Place) -> None:
        scope = place.scope
        owner = scope.cls if scope.kind == "class" else None
        inner = Scope("function", scope, self._module, None)
        qualname = self._qualname(node.name, scope)
        function = Function(node, self._module, qualname, owner, scope.function, inner, place)
        inner.function = function
        self._index.scopes[id(node)] = inner
        self._module.functions.append(function)
        if (
            owner is not None
            and "overload" not in function.decorators
            and "setter" not in function.decorators
        ):
            owner.methods[node.name] = function
        self._bind(Binding(node.name, "def", place, node.name_at, definition=function), scope)
        self._all(node.decorators, place, node)
        self._parameters(node.params, inner, place, node)
        if node.returns is not None:
            self._expr(node.returns, place, node)
        self._body(node.body, inner, ())

    def _parameters(
        self,
        params: Iterable[tree.Parameter],
        scope: Scope,
        place: Place,
        parent: tree.Statement | tree.Node,
    ) -> None:
        here = Place(scope, place.statement, (), 0)
        for param in params:
            for part in (param.annotation, param.default):
                if part is not None:
                    self._expr(part, place, parent)
            scope.bindings.setdefault(param.name, []).append(
                Binding(
                    param.name,
                    "param",
                    here,
                    param.at,
                    param.default,
                    param.annotation,
                    parameter=param,
                )
            )

    def _class(self, node: tree.ClassDef, place: Place) -> None:
        scope = place.scope
        inner = Scope("class", scope, self._module, scope.function)
        cls = Class(
            node, self._module, self._qualname(node.name, scope), inner, place, scope.function
        )
        inner.cls = cls
        self._module.classes.append(cls)
        self._bind(Binding(node.name, "class", place, node.name_at, definition=cls), scope)
        self._all(node.decorators, place, node)
        self._all([base.value for base in node.bases], place, node)
        if node.listed is not None:
            self._all((node.listed.called,) if node.listed.called else (), place, node)
            for one in node.listed.fields:
                self._assign(one, Place(inner, one, (), place.order))
        self._body(node.body, inner, ())

    # --- expressions ---

    def _all(self, nodes: Iterable[tree.Node], place: Place, parent: Parent) -> None:
        for node in nodes:
            self._expr(node, place, parent)

    def _expr(self, node: tree.Node, place: Place, parent: Parent) -> None:
        key, kind = id(node), type(node)
        self._places[key] = place
        self._parents[key] = parent
        self._nodes.append(node)
        self._kinds[kind].append(node)
        if kind in _OPENING:
            self._opening(node, place)
        elif kind not in _LEAVES:
            for child in node.below():
                self._expr(child, place, node)

    def _opening(self, node: tree.Node, place: Place) -> None:
        """What opens a scope, binds a name, or is a result."""
        match node:
            case tree.Comprehension():
                self._comprehension(node, place)
            case tree.Lambda():
                scope = Scope("lambda", place.scope, self._module, place.scope.function)
                self._index.lambdas[id(scope)] = node
                self._index.scopes[id(node)] = scope
                self._parameters(node.params, scope, place, node)
                self._expr(node.body, Place(scope, place.statement, (), place.order), node)
            case tree.Walrus():
                self._expr(node.value, place, node)
                self._bind(Binding(node.name, "assign", place, node.at, node.value), place.scope)
            case tree.Wrapped():
                self._expr(node.value, place, node)
                function = place.scope.function
                if function is not None and node.kind in ("yield", "yieldfrom"):
                    function.yields.append(node)

    def _comprehension(self, node: tree.Comprehension, place: Place) -> None:
        """Each `for` opens a scope of its own: what it goes through does not see its target yet."""
        inner = place
        for part in node.generators:
            self._expr(part.iter, inner, node)
            scope = Scope("comprehension", inner.scope, self._module, place.scope.function)
            inner = Place(scope, place.statement, place.blocks, place.order)
            self._target(part.target, inner, node, "for", part.iter)
            self._all(part.ifs, inner, node)
        self._all(node.results, inner, node)


def asks_presence(parent: object) -> bool:
    """Whether what an expression is a part of only asks whether there is anything: `if job is None`, `not job`."""
    match parent:
        case tree.Block(kind="if" | "while") | tree.Wrapped(kind="not"):
            return True
        case tree.Compare(rights=(tree.Const(value=None | ""),)):
            return True
        case _:
            return False
