"""Keys and filters of in-memory and caching repositories: dicts, caches, list filters, tuple keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import rename, text_of
from capsule_lint.plan.state import State, Want
from capsule_lint.program.binding import bind
from capsule_lint.program.model import Binding, Class, Function, Module, last_name
from capsule_lint.program.templates import Filled, hole_name, names_scope
from capsule_lint.program.types import Collection, Foreign, FunctionObject, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.silence import Silence
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

_CONSTRUCTORS: Final = frozenset(
    [
        "dict",
        "OrderedDict",
        "defaultdict",
        "TTLCache",
        "LRUCache",
        "LFUCache",
        "Cache",
        "set",
        "WeakValueDictionary",
        "list",
        "deque",
        "Counter",
    ]
)
_KEYED: Final = frozenset(
    [
        "get",
        "pop",
        "setdefault",
        "set",
        "setex",
        "delete",
        "add",
        "discard",
        "remove",
        "__getitem__",
        "__contains__",
        "has",
        "invalidate",
        "expire",
        "put",
    ]
)
_SCALARS: Final = frozenset(("builtins.int", "builtins.float", "builtins.bool", "builtins.str"))


@dataclass(eq=False, slots=True)
class LocalDefect:
    """A key or filter that lacks scopes. `shape`: `text`, `tuple`, `bare`, `filter`, `pattern` or `index`."""

    node: tree.Node
    module: Module
    function: Function | None
    shape: str
    missing: list[Scope]
    anchors: dict[str, tree.Node | None]
    knot: Knot
    wants: dict[str, Want] = field(default_factory=dict)
    detail: dict[str, str] = field(default_factory=dict)
    """By parameter: the left side of a new condition, or the name for a pattern."""
    helper: Function | None = None


@dataclass(eq=False, slots=True)
class LocalKeys:
    """Finds what is local."""

    program: Program
    state: State
    silence: Silence
    silenced: list[LocalDefect] = field(default_factory=list)
    defects: list[LocalDefect] = field(default_factory=list)
    wants: list[Want] = field(default_factory=list)
    touched: set[Function] = field(default_factory=set)
    _hosts: dict[int, LocalDefect] = field(default_factory=dict)
    insertions: dict[tuple[Class | Module, str], tuple[int, list[Scope], int]] = field(
        default_factory=dict
    )
    _collections: dict[tuple[Class | Module, str], bool] = field(default_factory=dict)
    _checked: set[int] = field(default_factory=set)

    def find(self) -> None:
        """Fill `defects` and `wants`."""
        for module in self.program.names.modules.values():
            if module.generated:
                continue
            for node in module.nodes:
                for owner, name, key in self._sinks(node):
                    function = self.program.names.place(node).scope.function
                    if function is not None:
                        self.touched.add(function)
                    self._judge_key(owner, name, key)
        for module in self.program.names.modules.values():
            if not module.generated:
                for node in module.nodes:
                    if isinstance(node, tree.Compare) and len(node.ops) == 1:
                        self._judge_filter(node)
                self._patterns(module)

    # --- which collections ---

    def _sinks(self, node: tree.Node) -> Iterator[tuple[Class | Module, str, tree.Node]]:
        match node:
            case tree.Subscript():
                home = self._collection(node.base)
                if home is not None:
                    yield (*home, node.index)
            case tree.Call(func=tree.Attr() as func) if func.name in _KEYED and node.args:
                home = self._collection(func.base)
                if home is not None:
                    yield (*home, node.args[0].value)
            case tree.Compare(ops=("in" | "not in",)):
                home = self._collection(node.rights[0])
                if home is not None:
                    yield (*home, node.left)

    def _collection(self, node: tree.Node) -> tuple[Class | Module, str] | None:
        """The class (or module) and name of a collection that a repository keeps."""
        match node:
            case tree.Attr():
                for one in self.program.inference.of(node.base):
                    cls = getattr(one, "cls", None)
                    if isinstance(cls, Class):
                        for owner in self.program.classes.mro(cls):
                            if (
                                owner in self.program.domain.repositories
                                or cls in self.program.domain.repositories
                            ) and self._is_collection(owner, node.name):
                                return owner, node.name
            case tree.Name():
                for binding in self.program.names.bindings(
                    node.id, self.program.names.place(node)
                ):
                    target = self.program.names.follow(binding)
                    if (
                        isinstance(target, Binding)
                        and target.place.scope.kind == "module"
                        and target.kind == "assign"
                    ):
                        module = target.place.scope.module
                        if self._keeps_items(module, target.name) and _makes_collection(
                            target.value
                        ):
                            return module, target.name
        return None

    def _keeps_items(self, module: Module, name: str) -> bool:
        """Whether a collection of a module is about entities: by what the module does, or by what is
        put into it."""
        if module.name in self.program.domain.item_modules:
            return True
        for statement, _ in module.statements:
            if isinstance(statement, tree.Assign) and statement.value is not None:
                for target in statement.targets:
                    if isinstance(target, tree.Subscript) and last_name(target) == name:
                        types = self.program.inference.of(statement.value)
                        if any(
                            isinstance(t, Instance) and t.cls in self.program.domain.entities
                            for t in types
                        ):
                            return True
        return False

    def _is_collection(self, cls: Class, name: str) -> bool:
        key = (cls, name)
        if key not in self._collections:
            stores = cls.stores.get(name, [])
            bindings = cls.scope.bindings.get(name, [])
            values = [s.value for s in stores] + [b.value for b in bindings]
            annotations = [s.annotation for s in stores] + [b.annotation for b in bindings]
            kinds = {last_name(a) for a in annotations if a is not None}
            found = any(_makes_collection(v) for v in values) or bool(
                kinds & {"dict", "Dict", "set", "MutableMapping", "OrderedDict", "defaultdict"}
            )
            self._collections[key] = found or (
                bool(stores)
                and "cache" in name.lower()
                and not self._is_repository_attribute(cls, name)
            )
        return self._collections[key]

    def _is_repository_attribute(self, cls: Class, name: str) -> bool:
        return any(
            isinstance(t, Instance) and t.cls in self.program.domain.repositories
            for t in self.program.inference.member(cls, name)
        )

    # --- keys ---

    def _judge_key(self, owner: Class | Module, name: str, key: tree.Node) -> None:
        for host, function in self._hosts_of(key, 0):
            if id(host) in self._checked:
                continue
            self._checked.add(id(host))
            self._judge_host(owner, name, host, function)

    def _hosts_of(self, key: tree.Node, depth: int) -> Iterator[tuple[tree.Node, Function | None]]:
        """Where the expression of a key is written: here, in a local, in a helper; its helper, if any."""
        if depth > 5:
            return
        match key:
            case tree.Name():
                bindings = self.program.names.bindings(key.id, self.program.names.place(key))
                if (
                    all(
                        b.kind == "assign" and b.value is not None and not b.path for b in bindings
                    )
                    and bindings
                ):
                    for binding in bindings:
                        assert binding.value is not None
                        yield from self._hosts_of(binding.value, depth + 1)
                elif bindings and bindings[-1].kind == "param":
                    yield from self._hosts_of_parameter(key, bindings[-1], depth)
            case tree.Call():
                callees = [
                    c.function
                    for c in self.program.calls.callees(key)
                    if c.function is not None and c.cls is None
                ]
                for function in callees:
                    for value in function.returns:
                        for host, helper in self._hosts_of(value, depth + 1):
                            yield host, helper or function
                if not callees:
                    yield key, None
            case tree.Attr():
                yield from self._hosts_of_attribute(key, depth)
            case tree.Conditional():
                yield from self._hosts_of(key.then, depth + 1)
                yield from self._hosts_of(key.otherwise, depth + 1)
            case _:
                yield key, None

    def _hosts_of_parameter(
        self, key: tree.Name, binding: Binding, depth: int
    ) -> Iterator[tuple[tree.Node, Function | None]]:
        """A parameter that is an identifier is part of a key; any other is a whole key, which its
        callers make."""
        function = binding.place.scope.function
        name = hole_name(key)
        if _is_identifier(name) or any(names_scope(name, s) for s in self.program.policy.scopes):
            yield key, None
        elif function is not None:
            for call, callee in self.program.calls.callers(function):
                bound = bind(call.args, function.params, callee.given)
                argument = bound.arguments.get(binding.name) if bound is not None else None
                if argument is not None:
                    yield from self._hosts_of(argument.value, depth + 1)

    def _hosts_of_attribute(
        self, key: tree.Attr, depth: int
    ) -> Iterator[tuple[tree.Node, Function | None]]:
        for one in self.program.inference.of(key.base):
            method = (
                self.program.classes.method(one.cls, key.name)
                if isinstance(one, Instance)
                else None
            )
            if method is not None and method.is_property:
                for value in method.returns:
                    yield from self._hosts_of(value, depth + 1)
                return
        yield key, None

    def _judge_host(
        self, owner: Class | Module, name: str, host: tree.Node, helper: Function | None
    ) -> None:
        if any(site.template.host is host for site in self.program.keys.sites):
            return
        parts = self._parts(host)
        if parts is None:
            return
        shape, elements = parts
        if any(self.program.policy.is_key_name(hole_name(e)) for e in elements):
            return
        present = {
            s.name: e
            for e in elements
            for s in self.program.policy.scopes
            if names_scope(hole_name(e), s)
        }
        place = self.program.names.place(host)
        required = self._required(owner, place.scope.function, place.scope.module)
        missing = [s for s in required if s.name not in present]
        if not missing or not self._matters(owner, name, elements, bool(present)):
            return
        order = [s.name for s in self.program.policy.scopes]
        anchors: dict[str, tree.Node | None] = {}
        for scope in missing:
            before = [n for n in order[: order.index(scope.name)] if n in present]
            anchors[scope.name] = present[before[-1]] if before else None
        knot = self.knot_of(owner, host)
        defect = LocalDefect(
            host,
            place.scope.module,
            place.scope.function,
            shape,
            missing,
            anchors,
            knot,
            helper=helper,
        )
        if self._is_silenced(defect):
            return
        neighbours = list(present.values())
        for scope in missing:
            mirror = anchors[scope.name] or (neighbours[0] if neighbours else None)
            want = Want(
                scope,
                host,
                knot,
                "local",
                mirror=mirror if isinstance(mirror, tree.Attr) else None,
            )
            defect.wants[scope.name] = want
            self.wants.append(want)
        self.defects.append(defect)
        if shape in ("tuple", "bare"):
            first = anchors[missing[0].name]
            index = next((n + 1 for n, e in enumerate(elements) if e is first), 0)
            self.insertions.setdefault((owner, name), (index, missing, len(elements)))

    def _parts(self, host: tree.Node) -> tuple[str, list[tree.Node]] | None:
        """The shape of a key and the expressions in it."""
        if isinstance(host, tree.Sequence) and host.kind == "tuple":
            return "tuple", list(host.items)
        if isinstance(host, tree.FString | tree.Binary) or (
            isinstance(host, tree.Call)
            and isinstance(host.func, tree.Attr)
            and host.func.name in ("format", "join")
        ):
            template = self.program.templates.template(host)
            if template is None:
                return None
            return "text", [
                p.value for p in template.pieces if isinstance(p, Filled) and p.host is host
            ]
        if isinstance(host, tree.Name | tree.Attr | tree.Subscript | tree.Call) and hole_name(
            host
        ):
            return "bare", [host]
        return None

    def _required(
        self, owner: Class | Module, function: Function | None, module: Module
    ) -> tuple[Scope, ...]:
        cls = owner if isinstance(owner, Class) else None
        entity = self.program.domain.narrowed_names(cls, function, module.name)
        if entity is None and cls is not None:
            kinds = {e.name for e in self.program.domain.entities_of.get(cls, ())}
            narrow = kinds & set(self.program.policy.entities)
            if narrow and narrow == kinds:
                entity = sorted(narrow)[0]
        return (
            self.program.policy.scopes if entity is None else self.program.policy.scopes_of(entity)
        )

    def _matters(
        self, owner: Class | Module, name: str, elements: list[tree.Node], scoped: bool
    ) -> bool:
        """Whether the collection holds entities: keyed by a scope, or by an identifier in a shared repository."""
        if scoped:
            return not self._holds_scalars(owner, name) or len(elements) > 1
        if isinstance(owner, Module) or self._scoped_by_constructor(owner):
            return False
        if not any(_is_identifier(hole_name(e)) for e in elements):
            return False
        return not self._holds_scalars(owner, name) and bool(
            self.program.domain.entities_of.get(owner) or self._family_entities(owner)
        )

    def _family_entities(self, owner: Class) -> bool:
        return any(
            self.program.domain.entities_of.get(c)
            for c in (*self.program.classes.mro(owner), *self.program.classes.subclasses(owner))
        )

    def _scoped_by_constructor(self, cls: Class) -> bool:
        for owner in self.program.classes.mro(cls):
            for name, stores in owner.stores.items():
                if any(names_scope(name, s) for s in self.program.policy.scopes) and any(
                    s.function.name == "__init__" for s in stores
                ):
                    return True
        return False

    def _holds_scalars(self, owner: Class | Module, name: str) -> bool:
        if isinstance(owner, Module):
            return False
        for one in self.program.inference.member(owner, name):
            if (
                isinstance(one, Collection)
                and one.items
                and all(isinstance(t, Foreign) and t.name in _SCALARS for t in one.items)
            ):
                return True
        return False

    def knot_of(self, owner: Class | Module, host: tree.Node) -> Knot:
        knot: Knot = ("local", id(host))
        if isinstance(owner, Class):
            self.state.groups.join(knot, ("store", owner))
            for entity in self.program.domain.entities_of.get(owner, ()):
                self.state.groups.join(knot, ("entity", entity.name))
        return knot

    def _is_silenced(self, defect: LocalDefect) -> bool:
        """Note a defect that people have said is meant."""
        at, code = defect.node.at, "CAP107"
        if defect.helper is not None:
            at, code = defect.helper.fact.name_at, "CAP202"
        silenced = self.silence.over(defect.module, at, code)
        if silenced:
            self.silenced.append(defect)
        return silenced

    # --- filters ---

    def _judge_filter(self, node: tree.Compare) -> None:
        if node.ops[0] not in ("==", "!="):
            return
        place = self.program.names.place(node)
        function = place.scope.function
        owner = self._filter_owner(function)
        if owner is None or function is None:
            return
        for left, right in ((node.left, node.rights[0]), (node.rights[0], node.left)):
            scope = next(
                (
                    s
                    for s in self.program.policy.scopes
                    if names_scope(hole_name(left), s) and names_scope(hole_name(right), s)
                ),
                None,
            )
            if scope is None or not isinstance(left, tree.Attr):
                continue
            classes = [
                t.cls
                for t in self.program.inference.of(left.base)
                if isinstance(t, Instance) and t.cls in self.program.domain.entities
            ]
            if not classes or (isinstance(left.base, tree.Name) and left.base.id == "self"):
                continue
            self._add_filter(node, left, right, scope, classes[0], owner, function)
            return

    def _filter_owner(self, function: Function | None) -> Class | None:
        while function is not None:
            if function.owner is not None:
                return (
                    function.owner if function.owner in self.program.domain.repositories else None
                )
            function = function.parent
        return None

    def _add_filter(
        self,
        node: tree.Compare,
        left: tree.Attr,
        right: tree.Node,
        scope: Scope,
        cls: Class,
        owner: Class,
        function: Function,
    ) -> None:
        required = self._required(owner, function, function.module)
        place = self.program.names.place(node)
        beside = self._conditions_beside(node)
        missing = [
            s for s in required if s is not scope and not any(names_scope(h, s) for h in beside)
        ]
        base = text_of(left.base)
        if not missing or base is None:
            return
        knot = self.knot_of(owner, node)
        anchors: dict[str, tree.Node | None] = {s.name: node for s in missing}
        defect = LocalDefect(node, place.scope.module, function, "filter", missing, anchors, knot)
        if self._is_silenced(defect):
            return
        for one in missing:
            want = Want(
                one, node, knot, "filter", mirror=right if isinstance(right, tree.Attr) else None
            )
            defect.wants[one.name] = want
            defect.detail[one.name] = f"{base}.{rename(left.name, scope, one)}"
            self.wants.append(want)
            self.state.groups.join(knot, ("entity", cls.name))
        self.defects.append(defect)
        self.touched.add(function)

    def _conditions_beside(self, node: tree.Compare) -> set[str]:
        """The names that are compared in the same condition."""
        current: object = node
        parents = self.program.names.index.parents
        while isinstance(
            parents.get(id(current)), tree.Boolean | tree.Wrapped | tree.Comprehension
        ):
            current = parents[id(current)]
        found: set[str] = set()
        queue = [current]
        from capsule_lint.program.walk import children

        while queue:
            one = queue.pop()
            if isinstance(one, tree.Compare):
                found.add(hole_name(one.left))
            if isinstance(one, tree.Comprehension):
                queue += [*one.results, *(i for g in one.generators for i in g.ifs)]
            elif isinstance(one, tree.Boolean | tree.Wrapped):
                queue += list(children(one))
        return found

    # --- tuple keys that are taken apart ---

    def _patterns(self, module: Module) -> None:
        """`for (tenant, item_id), item in self._items.items()` and `key[0] == tenant_id`."""
        for node in module.nodes:
            if isinstance(node, tree.Comprehension):
                for part in node.generators:
                    self._pattern(part.target, part.iter, node)
        for statement, _ in module.statements:
            if isinstance(statement, tree.Block) and statement.kind == "for":
                for bind in statement.binds:
                    if bind.value is not None:
                        self._pattern(bind.target, bind.value, None)

    def _pattern(
        self, target: tree.Node, source: tree.Node, comprehension: tree.Comprehension | None
    ) -> None:
        while (
            isinstance(source, tree.Call)
            and last_name(source.func) in ("list", "tuple", "sorted", "set")
            and len(source.args) >= 1
        ):
            source = source.args[0].value
        pairs = False
        if (
            isinstance(source, tree.Call)
            and isinstance(source.func, tree.Attr)
            and source.func.name in ("items", "keys")
        ):
            pairs = source.func.name == "items"
            source = source.func.base
        home = self._collection(source)
        insertion = self.insertions.get(home) if home is not None else None
        if home is None or insertion is None:
            return
        if pairs:
            if not isinstance(target, tree.Sequence) or len(target.items) != 2:
                return
            target = target.items[0]
        self._key_pattern(target, insertion, home[0])

    def _key_pattern(
        self, target: tree.Node, insertion: tuple[int, list[Scope], int], owner: Class | Module
    ) -> None:
        index, scopes, width = insertion
        place = self.program.names.place(target)
        knot = self.knot_of(owner, target)
        if isinstance(target, tree.Sequence) and len(target.items) == width > 1:
            neighbour = target.items[index - 1] if index else target.items[0]
            defect = LocalDefect(
                target,
                place.scope.module,
                place.scope.function,
                "pattern",
                scopes,
                {s.name: neighbour if index else None for s in scopes},
                knot,
            )
            for scope in scopes:
                spare = isinstance(neighbour, tree.Name) and neighbour.id.startswith("_")
                defect.detail[scope.name] = (
                    "_"
                    if spare and not self._compared(neighbour, place)
                    else f"stored_{scope.parameter}"
                )
            self.defects.append(defect)
            for scope in scopes:
                if defect.detail[scope.name] != "_":
                    self._filter_by_name(neighbour, defect.detail[scope.name], scope, knot)
        elif isinstance(target, tree.Name):
            self._indexed(target, insertion, knot)

    def _compared(self, node: tree.Node, place: object) -> bool:
        return isinstance(node, tree.Name) and any(True for _ in self._comparisons(node))

    def _comparisons(self, name: tree.Name) -> Iterator[tree.Compare]:
        """Comparisons of a loop's name with a scope's value."""
        place = self.program.names.place(name)
        for node in place.scope.module.nodes:
            if (
                isinstance(node, tree.Compare)
                and len(node.ops) == 1
                and node.ops[0] in ("==", "!=")
            ):
                for side in (node.left, node.rights[0]):
                    if (
                        isinstance(side, tree.Name)
                        and side.id == name.id
                        and self.program.names.place(node).scope.function is place.scope.function
                    ):
                        yield node

    def _filter_by_name(self, neighbour: tree.Node, new: str, scope: Scope, knot: Knot) -> None:
        if not isinstance(neighbour, tree.Name):
            return
        for compare in self._comparisons(neighbour):
            self._add_key_filter(compare, new, scope, knot)

    def _add_key_filter(self, compare: tree.Compare, left: str, scope: Scope, knot: Knot) -> None:
        place = self.program.names.place(compare)
        defect = LocalDefect(
            compare,
            place.scope.module,
            place.scope.function,
            "filter",
            [scope],
            {scope.name: compare},
            knot,
        )
        want = Want(scope, compare, knot, "filter")
        defect.wants[scope.name] = want
        defect.detail[scope.name] = left
        self.wants.append(want)
        self.defects.append(defect)

    def _indexed(
        self, target: tree.Name, insertion: tuple[int, list[Scope], int], knot: Knot
    ) -> None:
        """`key[1]` behind the new element becomes `key[2]`."""
        index, scopes, _ = insertion
        place = self.program.names.place(target)
        for node in place.scope.module.nodes:
            if not (
                isinstance(node, tree.Subscript)
                and isinstance(node.base, tree.Name)
                and node.base.id == target.id
            ):
                continue
            if not isinstance(node.index, tree.Const) or not isinstance(node.index.value, int):
                continue
            if target.id not in {node.base.id} or not any(
                b.at == target.at
                for b in self.program.names.bindings(node.base.id, self.program.names.place(node))
            ):
                continue
            number = node.index.value
            if number >= index:
                defect = LocalDefect(
                    node.index, place.scope.module, place.scope.function, "index", scopes, {}, knot
                )
                defect.detail["index"] = str(number + len(scopes))
                self.defects.append(defect)
            parent = self.program.names.index.parents.get(id(node))
            if (
                number == index - 1
                and isinstance(parent, tree.Compare)
                and parent.ops[0] in ("==", "!=")
            ):
                for step, scope in enumerate(scopes):
                    self._add_key_filter(parent, f"{target.id}[{index + step}]", scope, knot)


def _makes_collection(node: tree.Node | None) -> bool:
    match node:
        case tree.DictDisplay() | tree.Comprehension(kind="DictComp"):
            return True
        case tree.Sequence(kind="set"):
            return True
        case tree.Call():
            if last_name(node.func) in ("field", "Field", "Factory"):
                return any(
                    a.keyword in ("default_factory", "factory")
                    and last_name(a.value) in _CONSTRUCTORS
                    for a in node.args
                )
            return last_name(node.func) in _CONSTRUCTORS - {"list", "deque"}
        case _:
            return False


def _is_identifier(name: str) -> bool:
    return (
        name == "id"
        or name.endswith(("_id", "_uuid", "_code", "_number", "_slug", "_email"))
        or name in ("email", "slug", "sku", "code", "uuid")
    )


__all__ = ["FunctionObject", "LocalDefect", "LocalKeys"]
