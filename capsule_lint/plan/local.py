"""Keys and filters of in-memory and caching repositories: dicts, caches, list filters, tuple keys."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, rename, renamed_item_access, text_of
from capsule_lint.plan.collections import Collections, looks_up
from capsule_lint.plan.conditions import decides_alone, is_filter
from capsule_lint.plan.handed import Handed
from capsule_lint.plan.key_classes import KeyClasses
from capsule_lint.plan.keyed import KeyReaders, Rekeyed, keys_of
from capsule_lint.plan.rows import Rows, entries_of, entry_of
from capsule_lint.plan.state import Obstacle, State, Want
from capsule_lint.plan.unpacked import Parts
from capsule_lint.program.infer import COMPARING
from capsule_lint.program.model import (
    Binding,
    Class,
    Function,
    Module,
    Place,
    enclosing,
    owner_of,
)
from capsule_lint.program.pieces import Filled, hole_name, names_scope
from capsule_lint.program.types import Collection, Foreign, FunctionObject, Instance
from capsule_lint.program.walk import children

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.rows import Display, Home
    from capsule_lint.plan.silence import Silence
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

_MANY: Final = 6
"""Steps after which nobody follows a key any more."""
_SCALARS: Final = frozenset(("builtins.int", "builtins.float", "builtins.bool", "builtins.str"))


@dataclass(eq=False, slots=True)
class LocalDefect:
    """A key or filter that lacks scopes. `shape`: `text`, `tuple`, `call`, `bare`, `joined` (a bare one that
    becomes a text), `made` by a class, `filter`, `pattern`, `index` or `entry`."""

    node: tree.Node
    module: Module
    function: Function | None
    shape: str
    missing: list[Scope]
    anchors: dict[str, tree.Node | None]
    knot: Knot
    wants: dict[str, Want] = field(default_factory=dict)
    detail: dict[str, str] = field(default_factory=dict)
    """By scope: the left side of a new condition, the name for a pattern, the key of an entry."""
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
    rekeyed: dict[Home, Rekeyed] = field(default_factory=dict)
    """The collections whose keys change."""
    fed: dict[Home, tuple[Scope, ...]] = field(default_factory=dict)
    """The scopes that the keys of a collection need because of what is put into it."""
    mixed: set[Home] = field(default_factory=set)
    """The collections some of whose keys do not change with the others."""
    rows: Rows = field(init=False)
    collections: Collections = field(init=False)
    _checked: set[int] = field(default_factory=set)
    _settled: set[int] = field(default_factory=set)
    """The keys that have what they need, or get it."""
    _entries: set[tuple[int, str]] = field(default_factory=set)
    _passed: dict[tuple[Function, str], int] = field(default_factory=dict)
    """The parameters through which a key has been followed, and after how many steps."""
    _names: dict[Module, defaultdict[str, list[tree.Name]]] = field(default_factory=dict)
    parted: Parts = field(init=False)
    classes: KeyClasses = field(init=False)
    handed: Handed = field(init=False)
    _readers: KeyReaders = field(init=False)

    def __post_init__(self) -> None:
        self.rows = Rows(self.program)
        self.collections = Collections(self.program)
        self.parted = Parts(self.program, self.collections)
        self.classes = KeyClasses(self.program)
        self.handed = Handed(self.program)
        self._readers = KeyReaders(self)

    def find(self) -> None:
        """Fill `defects` and `wants`."""
        for module in self.program.names.judged():
            if not module.generated:
                self._judge_module(module)
        for module in self.program.names.judged():
            if not module.generated:
                for node in module.each(tree.Compare):
                    if len(node.ops) == 1:
                        self._judge_filter(node)
        self._find_identities()
        self._readers.find(set(self.rekeyed))

    def feed(self, home: Home, scopes: tuple[Scope, ...]) -> None:
        """Judge the keys of a collection by the scopes of what is put into it."""
        self.fed[home] = scopes
        self.collections.adopt(home)
        known = set(self.rekeyed)
        for module in self.program.names.judged():
            if not module.generated:
                self._judge_module(module, home)
        self._readers.find(set(self.rekeyed) - known)

    def _judge_module(self, module: Module, only: Home | None = None) -> None:
        """Judge what is looked up in collections, or in that one."""
        for node in module.nodes:
            if only is not None and not looks_up(node, only[1]):
                continue
            for owner, name, key in self.collections.sinks(node):
                if only is None or only == (owner, name):
                    self._touch(self.program.names.place(node))
                    self._judge_key(owner, name, key)
        for statement, place in module.statements:
            for home, key in self._replaced(statement):
                if only is None or only == home:
                    self._touch(place)
                    self._judge_key(*home, key)

    def _touch(self, place: Place) -> None:
        if place.scope.function is not None:
            self.touched.add(place.scope.function)

    def _find_identities(self) -> None:
        """What makes two entities the same, in `__eq__` and `__hash__`: sets and dicts go by it."""
        for cls in sorted(self.program.domain.entities, key=lambda c: c.symbol):
            methods = [
                cls.methods[n] for n in (*sorted(COMPARING), "__hash__") if n in cls.methods
            ]
            for method in methods if not cls.module.generated else ():
                for node in cls.module.either(tree.Sequence, tree.Compare):
                    if self.program.names.place(node).scope.function is not method:
                        continue
                    if isinstance(node, tree.Sequence) and node.kind == "tuple":
                        self._judge_host(cls, method.name, node, None)
                    elif isinstance(node, tree.Compare) and len(node.ops) == 1:
                        self._judge_identity(node, cls, method)

    def _judge_identity(self, node: tree.Compare, cls: Class, method: Function) -> None:
        """`self.tenant_id == other.tenant_id`."""
        left, right = node.left, node.rights[0]
        if not isinstance(left, tree.Attr) or not isinstance(right, tree.Attr):
            return
        for scope in self.program.policy.scopes:
            is_value = self.program.domain.held.is_value
            if node.ops[0] == "==" and is_value(left, scope) and is_value(right, scope):
                self._add_filter(Filter(node, left, right, scope), cls, method)
                return

    def scopes_in(self, key: tree.Node) -> list[tuple[tree.Node, set[str]]]:
        """The places where a key is written with scopes' values, and the names of those scopes."""
        self._passed.clear()
        found = []
        for host, _ in self._hosts_of(key, 0):
            cls = self.classes.of(host)
            found += [(host, {s.name for s in self.classes.held(cls)})] if cls is not None else []
            parts = self.parts(host) if self.program.keys.at(host) is None else None
            is_value = self.program.domain.held.is_value
            for _, elements in (parts,) if parts is not None else ():
                scopes = self.program.policy.scopes
                said = {s.name for s in scopes for e in elements if is_value(e, s)}
                found += [(host, said)] if said else []
        return found

    def changes(self, key: tree.Node) -> bool:
        """Whether a key has what it needs, or gets it, wherever it is written with a scope's value."""
        hosts = self.scopes_in(key)
        return bool(hosts) and all(id(host) in self._settled for host, _ in hosts)

    # --- which collections ---

    def _replaced(self, statement: tree.Statement) -> Iterator[tuple[Home, tree.Node]]:
        """The keys of `self._rows = {key: row for …}`."""
        if isinstance(statement, tree.Assign) and isinstance(
            statement.value, tree.DictDisplay | tree.Comprehension
        ):
            keys = keys_of(statement.value)
            for target in statement.targets if keys else ():
                home = self.collections.of(target)
                if home is not None:
                    yield from ((home, key) for key in keys)

    # --- keys ---

    def _judge_key(self, owner: Class | Module, name: str, key: tree.Node) -> None:
        self._passed.clear()
        for host, function in self._hosts_of(key, 0):
            fed = (owner, name) in self.fed and id(host) not in self._settled
            if id(host) in self._checked and not fed:
                continue
            self._checked.add(id(host))
            made = [one for one in _with_parts(host) if self.classes.of(one) is not None]
            for one in made:
                self._judge_made((owner, name), one, function, host)
            if not made:
                self._judge_host(owner, name, host, function)

    def _hosts_of(self, key: tree.Node, depth: int) -> Iterator[tuple[tree.Node, Function | None]]:
        """Where the expression of a key is written: here, in a local, in a helper; its helper, if any."""
        if depth >= _MANY:
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
                elif bindings and all(b.kind == "for" and not b.path for b in bindings):
                    for one in self.handed.written(key):
                        yield from self._hosts_of(one, depth + 1)
            case tree.Call() if self._joined_by(key) is not None:
                yield key, None
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
        is_value = self.program.domain.held.is_value
        if _is_identifier(name) or any(is_value(key, s) for s in self.program.policy.scopes):
            yield key, None
        elif function is not None and depth < self._passed.get((function, binding.name), _MANY):
            self._passed[function, binding.name] = depth
            for _, argument in self.program.calls.arguments_for(function, binding.name):
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
        if self.program.keys.at(host) is not None:
            return
        parts = self.parts(host)
        if parts is None:
            return
        shape, elements = parts
        if any(self.program.policy.is_key_name(hole_name(e)) for e in elements):
            return
        if self.parted.are_own(elements, (owner, name)):
            return  # it changes with what goes through the keys
        present = {
            s.name: e
            for e in elements
            for s in self.program.policy.scopes
            if self.program.domain.held.is_value(e, s)
        }
        place, fed = self.program.names.place(host), self.fed.get((owner, name))
        missing = [s for s in self._demanded((owner, name), place) if s.name not in present]
        if not missing:
            self._settled.add(id(host))
        matters = bool(present) if fed else self._matters(owner, name, elements, bool(present))
        if fed and missing and not matters:
            self.mixed.add((owner, name))
        if not missing or not matters:
            return
        if shape == "bare" and self.collections.is_text((owner, name)):
            shape = "joined"
        order = [s.name for s in self.program.policy.scopes]
        anchors: dict[str, tree.Node | None] = {}
        for scope in missing:
            before = [n for n in order[: order.index(scope.name)] if n in present]
            anchors[scope.name] = present[before[-1]] if before else None
        knot = self.knot_of(owner, host, name)
        defect = LocalDefect(
            host, place.scope.module, place.scope.function, shape, missing, anchors, knot
        )
        defect.helper = helper
        if self._is_silenced(defect):
            self._settled.add(id(host))
            return
        neighbours = list(present.values())
        for scope in missing:
            mirror = anchors[scope.name] or (neighbours[0] if neighbours else None)
            mirror = mirror if isinstance(mirror, tree.Attr) else None
            self.ask(defect, Want(scope, host, knot, "local", mirror=mirror))
        self.defects.append(defect)
        self._settled.add(id(host))
        first = anchors[missing[0].name]
        index = next((n + 1 for n, e in enumerate(elements) if e is first), 0)
        width = len(elements) if shape in ("tuple", "bare") else 0
        change = Rekeyed(index, tuple(missing), width)
        known = self.rekeyed.setdefault((owner, name), change)
        if width > 1 and known.width == width and known.scopes != change.scopes:
            self.obstacle(
                knot, host, f"is a key of `{name}`, and says other scopes than the others"
            )

    def _judge_made(
        self, home: Home, host: tree.Node, helper: Function | None, key: tree.Node
    ) -> None:
        """Note what the class of a key lacks: `rows[Slot(tenant_id, sku)]`."""
        cls, place = self.classes.of(host), self.program.names.place(host)
        if cls is None:
            return
        held = self.classes.held(cls)
        missing = [s for s in self._demanded(home, place) if s not in held]
        alone = len(self.program.classes.fields(cls)) == 1
        if missing and not (alone and self._holds_scalars(*home)):
            knot = self.knot_of(home[0], host, home[1])
            defect = LocalDefect(
                host, place.scope.module, place.scope.function, "made", missing, {}, knot
            )
            defect.helper = helper
            if not self._is_silenced(defect):
                self.defects.append(defect)
                self.classes.lacks(cls, missing, knot)
                if key is host:
                    self.rekeyed.setdefault(home, self.classes.rekeyed(cls, missing))
        self._settled.add(id(host))
        if not self.program.classes.is_named_tuple(cls):
            self._settled.add(id(key))  # nobody takes such a part of a key apart

    def _demanded(self, home: Home, place: Place) -> tuple[Scope, ...]:
        """The scopes that a key of a collection needs."""
        fed = self.fed.get(home)
        if fed:
            return self._fed(fed, place.scope.function, place.scope.module)
        return self._required(home[0], place.scope.function, place.scope.module)

    def defect(self, node: tree.Node, shape: str, scopes: list[Scope], knot: Knot) -> LocalDefect:
        """One more place that changes with the keys of a collection."""
        place = self.program.names.place(node)
        found = LocalDefect(
            node, place.scope.module, place.scope.function, shape, scopes, {}, knot
        )
        self.defects.append(found)
        return found

    def ask(self, defect: LocalDefect, want: Want) -> None:
        """Demand a scope's value for a defect."""
        defect.wants[want.scope.name] = want
        self.wants.append(want)

    def settle(self, node: tree.Node) -> None:
        """Note that an expression has what it needs, or gets it."""
        self._settled.add(id(node))

    def is_settled(self, node: tree.Node) -> bool:
        """Whether an expression has what it needs, or gets it."""
        return id(node) in self._settled

    def settles(self, home: Home, *keys: tree.Node) -> bool:
        """Whether expressions that keys of a collection are compared with change as the keys do."""
        for key in keys:
            hosts = list(self._hosts_of(key, 0))
            self._judge_key(*home, key)
            if not hosts or not all(id(host) in self._settled for host, _ in hosts):
                return False
        return True

    def ask_around(self, key: tree.Node) -> None:
        """Ask for the class of the object that is given a key: what it does with that says whether the
        key is understood."""
        match self.program.names.parent(key):
            case tree.Call(func=tree.Attr(base=base)) | tree.Subscript(base=base):
                for one in self.program.inference.of(base):
                    if isinstance(one, Instance):
                        classes = self.program.classes.mro(one.cls)
                        self.program.names.ask(*(cls.name for cls in classes))

    def obstacle(self, knot: Knot, node: tree.Node, reason: str) -> None:
        """A place that needs a person: what it belongs to is not changed without one."""
        place = self.program.names.place(node)
        function, module = place.scope.function, place.scope.module
        symbol = function.symbol if function is not None else module.name
        found = Obstacle(module.filename, node.span, reason, symbol, "reference")
        self.state.obstacles.append((knot, found))
        for one in enclosing(place):
            self.state.groups.join(knot, ("function", one))

    def parts(self, host: tree.Node) -> tuple[str, list[tree.Node]] | None:
        """The shape of a key and the expressions in it."""
        if isinstance(host, tree.Sequence) and host.kind == "tuple":
            return "tuple", list(host.items)
        if isinstance(host, tree.Call) and self._joined_by(host) is not None:
            return "call", [argument.value for argument in host.args]
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

    def _joined_by(self, call: tree.Call) -> Function | None:
        """The function that makes one text of all that a call gives it: `"/".join(parts)` of `*parts`."""
        functions = [callee.function for callee in self.program.calls.callees(call)]
        function = functions[0] if len(functions) == 1 else None
        if function is None or any(a.star or a.keyword for a in call.args):
            return None
        match function.own_params, function.returns:
            case (tree.Parameter(name=name, kind="*"),), [
                tree.Call(func=tree.Attr(name="join"), args=(tree.Argument(value=joined),))
            ] if isinstance(joined, tree.Name) and joined.id == name:
                return function
            case _:
                return None

    def _required(
        self, owner: Class | Module, function: Function | None, module: Module
    ) -> tuple[Scope, ...]:
        cls = owner if isinstance(owner, Class) else None
        entity = self.program.domain.narrowed_names(cls, function, module.name)
        if entity is None and cls is not None:
            served = self.program.domain.entities_of.get(cls) or self.collections.held(cls)
            kinds = {e.name for e in served}
            narrow = kinds & set(self.program.policy.entities)
            if narrow and narrow == kinds:
                entity = sorted(narrow)[0]
        return self.program.policy.scopes_of(entity)

    def _fed(
        self, scopes: tuple[Scope, ...], function: Function | None, module: Module
    ) -> tuple[Scope, ...]:
        """What a key needs by what is put into its collection, and by what its own function is for."""
        domain, cls = self.program.domain, owner_of(function)
        entity = domain.narrowed_names(cls, function, module.name)
        allowed = self.program.policy.scopes_of(entity)
        return tuple(scope for scope in scopes if scope in allowed)

    def _matters(
        self, owner: Class | Module, name: str, elements: list[tree.Node], scoped: bool
    ) -> bool:
        """Whether the collection holds entities: keyed by a scope, or by an identifier in a shared repository."""
        if scoped:
            many = len(elements) > 1 or not self._holds_scalars(owner, name)
            return many or self._stands_for_items(owner, name)
        if isinstance(owner, Class) and self._scoped_by_constructor(owner):
            return False
        if not any(_is_identifier(hole_name(e)) for e in elements):
            return False
        if self.collections.keeps_rows((owner, name)):
            return True
        return (
            isinstance(owner, Class)
            and not self._holds_scalars(owner, name)
            and bool(self.program.domain.entities_of.get(owner) or self._family_entities(owner))
        )

    def _family_entities(self, owner: Class) -> bool:
        return any(
            self.program.domain.entities_of.get(c)
            for c in (*self.program.classes.mro(owner), *self.program.classes.subclasses(owner))
        )

    def _scoped_by_constructor(self, cls: Class) -> bool:
        held, scopes = self.program.domain.held.is_attribute, self.program.policy.scopes
        made_with = self.program.classes.made_with(cls)
        return any(held(owner, name, scope) for owner, name in made_with for scope in scopes)

    def _stands_for_items(self, owner: Class | Module, name: str) -> bool:
        """Whether a collection is used where another implementation uses the table: a counter in memory
        for one that is an item."""
        program = self.program
        return isinstance(owner, Class) and any(
            program.domain.touches_table(other)
            for method in owner.methods.values()
            if any(
                isinstance(n, tree.Attr) and n.name == name for n in program.names.inside(method)
            )
            for other in program.calls.family(method)
            if other is not method
        )

    def _holds_scalars(self, owner: Class | Module, name: str) -> bool:
        if isinstance(owner, Module):
            return False
        for one in self.program.inference.declared(owner, name):
            if (
                isinstance(one, Collection)
                and one.items
                and all(isinstance(t, Foreign) and t.name in _SCALARS for t in one.items)
            ):
                return True
        return False

    def knot_of(self, owner: Class | Module, host: tree.Node, name: str = "") -> Knot:
        """The change set that a collection belongs to: all of a class's are one, and each that a module
        keeps under a name."""
        knot: Knot = ("local", id(host))
        if isinstance(owner, Module) and name:
            self.state.groups.join(knot, ("store", (owner, name)))
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
        function = self.program.names.place(node).scope.function
        owner = owner_of(function)
        if function is None or owner not in self.program.domain.repositories:
            return
        for one, other, inside in _compared(node):
            for left, right in ((one, other), (other, one)):
                for scope in self.program.policy.scopes:
                    is_value = self.program.domain.held.is_value(right, scope)
                    if is_value and self._reads(left, scope):
                        found = Filter(node, left, right, scope, inside)
                        self._add_filter(found, owner, function)
                        return

    def _reads(self, node: tree.Node, scope: Scope) -> bool:
        """Whether an expression is a scope's value of an entity, or of a dict that stands for one."""
        if isinstance(node, tree.Attr):
            if not names_scope(hole_name(node), scope):
                return False
            return not _is_self(node.base) and self._entity_of(node.base) is not None
        return item_key(node, scope) is not None and dict_in(node) is not None

    def _entity_of(self, node: tree.Node) -> Class | None:
        for one in self.program.inference.of(node):
            if isinstance(one, Instance) and (
                one.cls in self.program.domain.entities or self.classes.changes(one.cls)
            ):
                return one.cls
        return None

    def _add_filter(self, found: Filter, owner: Class, function: Function) -> None:
        required = self._required(owner, function, function.module)
        beside = self._conditions_beside(found.node)
        missing = [
            s
            for s in required
            if s is not found.scope and not any(names_scope(h, s) for h in beside)
        ]
        details = {s.name: self._beside(found, s) for s in missing}
        if not missing or None in details.values():
            return
        knot = self.knot_of(owner, found.node)
        if self._is_meant(found.node):
            return
        row = dict_in(found.left)
        if row is not None and not self._extend_rows(row, found, missing, knot):
            return
        if isinstance(found.left, tree.Attr):
            cls = self._entity_of(found.left.base)
            if cls is not None:
                is_key = self.classes.changes(cls)
                kind: Knot = ("class", cls) if is_key else ("entity", cls.name)
                self.state.groups.join(knot, kind)
        read, asked = self._sides(found, missing, knot)
        mirror = found.right if isinstance(found.right, tree.Attr) else None
        for one in missing:
            read.detail[one.name] = details[one.name] or ""
            self.ask(asked, Want(one, asked.node, knot, "filter", mirror=mirror))
        self._settled.add(id(found.node))
        self.touched.add(function)

    def _sides(
        self, found: Filter, missing: list[Scope], knot: Knot
    ) -> tuple[LocalDefect, LocalDefect]:
        """What reads a row and what asks for it: one condition, or the two tuples that it compares."""
        if not found.inside:
            defect = self.defect(found.node, "filter", missing, knot)
            defect.anchors.update({s.name: found.node for s in missing})
            return defect, defect
        sides = []
        for value, shape in ((found.left, "pattern"), (found.right, "tuple")):
            display = next(d for d in found.inside if any(i is value for i in d.items))
            sides.append(self.defect(display, shape, missing, knot))
            sides[-1].anchors.update({s.name: value for s in missing})
        return sides[0], sides[1]

    def _is_meant(self, node: tree.Node) -> bool:
        place = self.program.names.place(node)
        defect = LocalDefect(
            node, place.scope.module, place.scope.function, "filter", [], {}, ("local", id(node))
        )
        return self._is_silenced(defect)

    def _beside(self, found: Filter, scope: Scope) -> str | None:
        """`row["capsule_id"]` beside `row["tenant_id"]`."""
        if isinstance(found.left, tree.Attr):
            base = text_of(found.left.base)
            name = rename(found.left.name, found.scope, scope)
            return f"{base}.{name}" if base is not None else None
        code = text_of(found.left)
        return renamed_item_access(code or "", found.left, found.scope, scope)

    def _extend_rows(
        self, row: tree.Node, found: Filter, missing: list[Scope], knot: Knot
    ) -> bool:
        """Give the dicts that a filter goes through the entries that it is going to read."""
        place = self.program.names.place(found.node)
        function, origins = place.scope.function, self.rows.origins(row)
        lacking = [(d, s) for d in origins.displays for s in missing if entry_of(d, s) is None]
        known = origins.complete and bool(origins.displays)
        if known and all(entry_of(d, found.scope) for d, _ in lacking):
            for display, scope in lacking:
                self.extend(display, found.scope, scope, knot)
            return True
        if function is None or function in self.program.keys.functions:
            return False  # the key that it reads by has narrowed the rows already
        has = self.program.domain.scope_parameter
        if any(has(f, s) is None for f in enclosing(place) for s in missing):
            reason = "filters rows of which it is not known where they are made"
            self.obstacle(knot, found.node, reason)
        return False

    def extend(self, display: Display, old: Scope, scope: Scope, knot: Knot) -> Want | None:
        """Demand the entry of a scope in a dict that is written out, beside the entry of another one."""
        entry = entry_of(display, old)
        key = rename(entry[0], old, scope) if entry is not None else ""
        if entry is None or key in dict(entries_of(display)) or key == entry[0]:
            return None
        if self.is_extended(display, key):
            return None
        self.note_entry(display, key)
        defect = self.defect(display, "entry", [scope], knot)
        defect.anchors[scope.name], defect.detail[scope.name] = entry[1], key
        mirror = entry[1] if isinstance(entry[1], tree.Attr) else None
        want = Want(scope, display, knot, "entry", mirror=mirror)
        self.ask(defect, want)
        return want

    def note_entry(self, display: tree.Node, key: str) -> None:
        """Note that a dict that is written out gets an entry of that key."""
        self._entries.add((id(display), key))

    def is_extended(self, display: tree.Node, key: str) -> bool:
        """Whether a dict that is written out gets an entry of that key."""
        return (id(display), key) in self._entries

    # --- the net ---

    def check(self, wants: Iterable[Want]) -> None:
        """Make a change unsafe where a scope is going to be accepted by a method of a repository, and
        only its neighbour decides what the method finds: that would be a leak."""
        reached = {
            (function, want.scope.name)
            for want in wants
            for function in enclosing(self.program.names.place(want.node))
        }
        for function, gained in list(self.state.params.items()):
            domain = self.program.domain
            if function.owner not in domain.repositories and not domain.touches_table(function):
                continue
            if function.module.is_test or function in self.program.keys.functions:
                continue
            for scope in gained.values():
                reads = list(self._decided_by(function, scope))
                if function.owner not in domain.repositories:
                    reads = [r for r in reads if is_filter(self._holder(r), r, self.program)]
                loose = [r for r in reads if self._is_loose(r)]
                if (function, scope.name) not in reached:
                    loose = reads
                for read in loose[:1]:
                    reason = f"decides by one scope, and `{scope.parameter}` decides nothing"
                    self.obstacle(("function", function), read, reason)

    def _is_loose(self, read: tree.Name) -> bool:
        """Whether a read decides by itself, whatever else its method does."""
        holder = self._holder(read)
        return isinstance(holder, tree.Compare) or decides_alone(holder, self.program)

    def _decided_by(self, function: Function, scope: Scope) -> Iterator[tree.Name]:
        """Where a method uses the parameter of another scope to find something, and not this one."""
        others = [s for s in self.program.policy.scopes if s is not scope]
        found = [self.program.domain.scope_parameter(function, s) for s in others]
        names = {p.name for p in found if p is not None}
        for node in self._named(function.module, names):
            place = self.program.names.place(node)
            if function not in enclosing(place) or id(node) in self._settled:
                continue
            holder = self._holder(node)
            if isinstance(holder, tree.Compare):
                sides = (holder.left, *holder.rights)
                fixed = any(isinstance(side, tree.Const) for side in sides)
                home = any(self.collections.of(side) is not None for side in holder.rights)
                if not fixed and not home and not self._is_covered(holder, scope):
                    yield node
            elif isinstance(holder, tree.Subscript):
                if self.collections.of(holder.base) is None:
                    yield node
            elif is_filter(holder, node, self.program):
                yield node

    def _named(self, module: Module, names: set[str]) -> Iterator[tree.Name]:
        """The names of a module that are one of some."""
        if module not in self._names:
            by_name = self._names[module] = defaultdict(list)
            for node in module.each(tree.Name):
                by_name[node.id].append(node)
        return (node for name in sorted(names) for node in self._names[module].get(name, ()))

    def _holder(self, node: tree.Node) -> object:
        """What uses a value: the comparison, subscript or call around it and around tuples of it."""
        parent_of = self.program.names.parent
        holder: object = parent_of(node)
        while isinstance(holder, tree.Sequence):
            holder = parent_of(holder)
        return holder

    def _is_covered(self, node: tree.Compare, scope: Scope) -> bool:
        if id(node) in self._settled:
            return True
        if any(id(one) in self._settled for one in (node.left, *node.rights)):
            return True
        return any(names_scope(name, scope) for name in self._conditions_beside(node))

    def _conditions_beside(self, node: tree.Compare) -> set[str]:
        """The names that are compared in the same condition."""
        current: object = node
        parent_of = self.program.names.parent
        while isinstance(parent_of(current), tree.Boolean | tree.Wrapped | tree.Comprehension):
            current = parent_of(current)
        found: set[str] = set()
        queue = [current]
        while queue:
            one = queue.pop()
            if isinstance(one, tree.Compare):
                sides = one.left.items if isinstance(one.left, tree.Sequence) else (one.left,)
                found.update(map(hole_name, sides))
            if isinstance(one, tree.Comprehension):
                queue += [*one.results, *(i for g in one.generators for i in g.ifs)]
            elif isinstance(one, tree.Boolean | tree.Wrapped):
                queue += list(children(one))
        return found


@dataclass(frozen=True, slots=True)
class Filter:
    """A comparison of a scope's value of a row (`left`) with the one that is asked for (`right`)."""

    node: tree.Compare
    left: tree.Node
    right: tree.Node
    scope: Scope
    inside: tuple[tree.Sequence, ...] = ()
    """The two tuples that are compared, where both sides are one."""


def _compared(
    node: tree.Compare,
) -> Iterator[tuple[tree.Node, tree.Node, tuple[tree.Sequence, ...]]]:
    """What is compared with what: `a == b`, and the elements of `(a, b) == (c, d)`."""
    left, right = node.left, node.rights[0]
    if isinstance(left, tree.Sequence) and isinstance(right, tree.Sequence):
        if len(left.items) == len(right.items):
            for one, other in zip(left.items, right.items, strict=True):
                yield one, other, (left, right)
    else:
        yield left, right, ()


def _is_self(node: tree.Node) -> bool:
    return isinstance(node, tree.Name) and node.id == "self"


def _with_parts(key: tree.Node) -> tuple[tree.Node, ...]:
    """A key, and the elements of one that is a tuple."""
    return (key, *key.items) if isinstance(key, tree.Sequence) else (key,)


def dict_in(node: tree.Node) -> tree.Node | None:
    """`row` of `row["tenant_id"]`, of `row.get("tenant_id")` and of `str(row["tenant_id"])`."""
    match node:
        case tree.Subscript(index=tree.Const(value="S")):
            return dict_in(node.base)
        case tree.Subscript():
            return node.base
        case tree.Call(func=tree.Attr(name="get" | "pop") as func):
            return func.base
        case tree.Call() if len(node.args) == 1:
            return dict_in(node.args[0].value)
        case _:
            return None


def _is_identifier(name: str) -> bool:
    return (
        name == "id"
        or name.endswith(("_id", "_uuid", "_code", "_number", "_slug", "_email"))
        or name in ("email", "slug", "sku", "code", "uuid")
    )


__all__ = ["FunctionObject", "LocalDefect", "LocalKeys"]
