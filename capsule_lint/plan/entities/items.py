"""Items that are written out by hand, key and scopes: with a new segment in the key comes the entry of its
scope. What is annotated with a `TypedDict` is such an item too, and that class gets the key."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import attribute_in, rename
from capsule_lint.plan.entities.copied import Copied
from capsule_lint.plan.entities.displays import entries_of, entry_of
from capsule_lint.plan.entities.enumerated import JSON_KEYS
from capsule_lint.plan.entities.named import named_read
from capsule_lint.plan.entities.typed_dicts import TypedDicts
from capsule_lint.plan.reach import returning
from capsule_lint.plan.room import Room
from capsule_lint.plan.testing.expected import typed_value
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import behind, looked_up
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.entities.steps import Parts, Steps
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import KeyDefect, Knot, Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class

_MAX_DEPTH: Final = 3


class Written(Struct, frozen=True):
    """An item that gets an entry, or the `item["tenant_id"]` beside which it is put: with which change of a key,
    for which scope, and under which name."""

    item: Display | tree.Subscript
    defect: KeyDefect
    scope: Scope
    key: str


@dataclass(eq=False)
class Items(Room):
    """Demands entries of such items."""

    planner: Planner
    written: list[Written] = field(default_factory=list)
    """The items that get an entry."""
    streamed: list[tuple[frozenset[str], Knot, Scope]] = field(default_factory=list)
    """What is read of items of which it is not known who has written them, with which change, for which scope."""
    _steps: Steps = field(init=False)
    _copied: Copied = field(init=False)
    _typed: TypedDicts = field(init=False)

    def __post_init__(self) -> None:
        program = self.program
        self._steps = self.planner.spreaders.steps
        self._typed = TypedDicts(program)
        self._copied = Copied(program, self.planner.local.rows, self._steps)

    def find(self) -> None:
        """Demand the entries of items whose keys change, and the keys of their `TypedDict` classes."""
        if not self.planner.defects:
            return
        for node in self.written_out():
            if not self.is_written(node) or self.is_loaded_whole(node):
                continue
            for defect in self._defects_of(node):
                for scope in defect.missing:
                    if isinstance(node, tree.Subscript):
                        added = self.step(node, scope, defect.knot)
                        if added is not None:
                            self.written.append(Written(node, defect, scope, added[0]))
                    else:
                        self._extend(node, scope, defect)
        self._spelled_as_json()

    @cached_property
    def gaining(self) -> list[tuple[frozenset[str], Knot, Scope]]:
        """What the items have that get an entry, with which change, for which scope."""
        return [
            (frozenset(n for n, _ in self._steps.of(one.item).entries), one.defect.knot, one.scope)
            for one in self.written
        ]

    def _spelled_as_json(self) -> None:
        """Where a test spells out all that such an item has but its keys, as a text, a person must look."""
        policy = self.program.policy
        gaining = [
            (
                {n for n in names if not (policy.is_key_name(n) or policy.is_sort_key_name(n))},
                knot,
                scope,
            )
            for names, knot, scope in self.gaining
        ]
        judged = self.program.names.judged() if gaining else ()
        for module in (one for one in judged if one.is_test and not one.generated):
            for const in module.each(tree.Const):
                said = frozenset(JSON_KEYS.findall(tree.text(const) or ""))
                for own, knot, scope in gaining if len(said) > 1 else ():
                    if own <= said and not any(names_scope(n, scope) for n in said):
                        reason = f"spells out an item that gains `{scope.parameter}`"
                        self.planner.local.notes.obstacle(knot, const, reason)

    def extend(self) -> bool:
        """Demand the entries of all that is annotated with a `TypedDict` which gains a key; whether there
        was anything."""
        found = False
        gaining = [c for c in self.state.fields if self._is_typed(c)]
        for display in self.displays(tests=True) if gaining else ():
            for cls in self._typed.of(display):
                for home in self.program.classes.mro(cls):
                    for scope in self.state.fields.get(home, {}).values():
                        want = self.add(display, scope, ("class", home))
                        if want is not None:
                            self.planner.want(want)
                            found = True
        return found

    def tie(self, want: Want, code: str) -> None:
        """What reads a scope, `code`, of an item of which it is not known who has written it, that of a stream,
        changes with the items that have all which it reads."""
        read, callee = self.read_of(want, code.partition("[")[0]), want.callee
        if read and isinstance(callee, Function) and callee.name != "__init__":
            self.streamed.append((read, want.knot, want.scope))
        for names_in, knot, scope in self.gaining if read else ():
            if scope is want.scope and read <= names_in:
                self.state.groups.join(want.knot, knot)

    def read_of(self, want: Want, base: str, *, maybe: bool = False) -> frozenset[str]:
        """The constant keys by which the function around a want reads a dict, by `.get` too if it need not have them."""
        names = self.program.names
        function = names.function_of(want.node)
        inside = names.inside(function) if function is not None else ()
        read = (looked_up(one) for one in inside if maybe or isinstance(one, tree.Subscript))
        return frozenset(
            key
            for of, by in filter(None, read)
            if not isinstance(of, tree.Subscript) and last_name(of) == base
            if (key := tree.text(by)) is not None
        )

    # --- which dicts ---

    def written_out(self) -> Iterator[Display | tree.Subscript]:
        """The dicts of the program with the value of a scope under its name, written out or put there later."""
        yield from self.displays(tests=False)
        yield from self._assigned()

    def displays(self, *, tests: bool) -> Iterator[Display]:
        """The dicts that are written out with the value of a scope under its name."""
        names = self.program.names
        for module in names.editable() if tests else names.production():
            for display in module.each(tree.DictDisplay):
                if self._scoped(display):
                    yield display
            for call in module.each(tree.Call):
                named = any(a.keyword is not None for a in call.args)
                if named and self._scoped(call) and self._makes_dict(call):
                    yield call

    def _assigned(self) -> Iterator[tree.Subscript]:
        """The `item["tenant_id"]` of assignments that give a dict the value of a scope under its name."""
        program = self.program
        scopes, is_value = program.policy.scopes, program.domain.held.is_value
        for module in program.names.production():
            for node in module.each(tree.Subscript):
                key = tree.text(node.index)
                scope = next((s for s in scopes if key and names_scope(key, s)), None)
                statement = program.names.parent(node) if scope is not None else None
                if scope is None or not isinstance(statement, tree.Assign):
                    continue
                value = statement.value if statement.targets == (node,) else None
                if value is None or statement.op:
                    continue
                if is_value(self._inner(value), scope):
                    yield node

    def _scoped(self, display: Display) -> list[Scope]:
        """The scopes that a dict says."""
        is_value = self.program.domain.held.is_value
        found = []
        for scope in self.program.policy.scopes:
            entry = entry_of(display, scope)
            if entry is not None and is_value(self._inner(entry[1]), scope):
                found.append(scope)
        return found

    def _inner(self, value: tree.Node) -> tree.Node:
        """`tenant_id` of `{"S": tenant_id}`, and of `s(tenant_id)` where `s` returns such a dict."""
        typed = typed_value(value)
        if typed is None and isinstance(value, tree.Call):
            typed = self.program.templates.wrapped(value)
        return typed or value

    def _makes_dict(self, call: tree.Call) -> bool:
        if isinstance(call.func, tree.Name) and call.func.id == "dict":
            return True
        callees = self.program.calls.callees(call)
        made = any(c.cls is not None and self._is_typed(c.cls) for c in callees)
        return made or self._is_spread_out(call) or self._steps.updates(call)

    def _is_spread_out(self, node: tree.Node) -> bool:
        """Whether the scopes that a call gives by keyword are entries of an item where they arrive."""
        return self.planner.spreaders.takes_any(node, self.program.policy.scopes)

    def _is_typed(self, cls: Class) -> bool:
        return self.program.classes.is_typed_dict(cls)

    def is_written(self, display: Display | tree.Subscript) -> bool:
        """Whether a dict is an item, and no message or key to look something up by."""
        keys, policy = self.program.keys, self.program.policy
        if self._is_spread_out(display):
            return True
        parts = self._steps.of(display)
        names = [name for name, _ in parts.entries]
        if not any(policy.is_key_name(n) and not n.startswith((":", "#")) for n in names):
            put = self._keys_put(parts)
            made = not keys.functions.isdisjoint(self._makers(parts, put))
            made = made or any(keys.at(key) is not None for key in put)
            made = made or any(True for one in parts.wholes for _ in self._copied.of_row(one))
            if not made:
                return any(True for _ in self.planner.spreaders.put_beside(display))
        elif any(map(policy.is_sort_key_name, names)) or self._typed.of(display):
            return True
        whole = not isinstance(display, tree.Subscript)
        if whole and keys.positions.dict_role(display) is Role.WRITTEN:
            return True
        return any(map(self.planner.spreaders.is_put, parts.uses))

    def is_loaded_whole(self, display: Display | tree.Subscript) -> bool:
        """Whether objects of a class that is no entity are made from all that such an item has: they
        would be given more than they take."""
        names = {name for name, _ in self._steps.of(display).entries}
        return any(len(fields & names) > 1 for fields in self._whole)

    @cached_property
    def _whole(self) -> list[set[str]]:
        """The fields of the classes with a scope, no entities, of which objects are made as `Note(**item)`."""
        program, found = self.program, list[set[str]]()
        scopes = program.policy.scopes
        for cls in program.classes.having(lambda name: names_any_of(name, scopes)):
            if cls in program.domain.entities or cls.module.is_test or self._is_typed(cls):
                continue
            for call, _ in program.calls.constructors_of(cls):
                spread = call.spread
                if any(named_read(program, one) is None for one in spread):
                    found.append({p.name for p in program.classes.constructor(cls) or ()})
        return found

    # --- whose key changes ---

    def _defects_of(self, display: Display | tree.Subscript) -> Iterator[KeyDefect]:
        """The defects of the keys that an item has."""
        program, parts = self.program, self._steps.of(display)
        keys = self.keys_of(display)
        keys += [k for key in keys for k in self._copied.behind(key)]
        keys += [key for whole in parts.wholes for key in self._copied.of_row(whole)]
        given = self.planner.spreaders.keys_given(display, program.policy.scopes)
        put = self._keys_put(parts)
        keys += put
        beside = self.planner.spreaders.put_beside(display) if not keys else ()
        for node in (*keys, *given, *beside):
            yield from self.changing(node)
        makers = self._makers(parts, put)
        yield from (d for d in self.planner.defects if d.function in makers)

    def keys_of(self, display: Display | tree.Subscript) -> list[tree.Node]:
        """The values of the keys that an item says itself."""
        is_key = self.program.policy.is_key_name
        return [typed_value(v) or v for n, v in self._steps.of(display).entries if is_key(n)]

    def changing(self, key: tree.Node) -> Iterator[KeyDefect]:
        """The defects of what an expression is as a key."""
        program = self.program
        hosts = {id(p.host) for t in program.templates.resolve(key) for p in t.pieces}
        makers = returning(program, key)
        for defect in self.planner.defects:
            if id(defect.template.host) in hosts or defect.function in makers:
                yield defect

    def _makers(self, parts: Parts, put: Sequence[tree.Node]) -> set[Function]:
        """The functions that make the keys of what is put into a dict whole: those that are known, and others."""
        program, is_key = self.program, self.program.policy.is_key_name
        makers = returning(program, *parts.wholes)
        made = [v for f in makers for v in f.returns if isinstance(v, tree.DictDisplay)]
        keys = [value for one in made for name, value in entries_of(one) if is_key(name)]
        return makers | returning(program, *keys, *put)

    def _keys_put(self, parts: Parts) -> list[tree.Node]:
        """The keys of what calls put into a dict whole."""
        return [key for whole in parts.wholes for key in self._keys_of(whole)]

    def _keys_of(self, whole: tree.Node, depth: int = 0) -> Iterator[tree.Node]:
        """The keys in the dict that a call gives, as they are written there or given to it: `make_key(pk, "META")`."""
        program = self.program
        call = behind(program.names, whole)
        for callee in program.calls.callees(call) if isinstance(call, tree.Call) else ():
            function = callee.function if callee.cls is None else None
            for value in function.returns if function is not None else ():
                if isinstance(value, tree.Call) and depth < _MAX_DEPTH:
                    yield from self._keys_of(value, depth + 1)
                elif isinstance(value, tree.DictDisplay) and isinstance(call, tree.Call):
                    assert function is not None
                    told = callee.arguments(call)
                    for name, key in entries_of(value):
                        if program.policy.is_key_name(name):
                            local = key.id if isinstance(key, tree.Name) else ""
                            given = told.get(local)
                            yield key if given is None else given.value

    # --- entries ---

    def _extend(self, display: Display, scope: Scope, defect: KeyDefect) -> None:
        want = self.add(display, scope, defect.knot)
        old = self.planner.loads.present(display, scope) if want is not None else None
        entry = entry_of(display, old) if old is not None else None
        if old is not None and entry is not None:
            self.written.append(Written(display, defect, scope, rename(entry[0], old, scope)))
        for cls in self._typed.of(display):
            if scope in self.program.policy.scopes_of(cls.name):
                self.planner.loads.keep(cls, scope, defect.knot)

    def add(self, display: Display, scope: Scope, knot: Knot) -> Want | None:
        """Demand an entry, unless the item is that of an entity, which has its own way to get it, or the
        constructor of its class is going to be given it."""
        if isinstance(display, tree.Call) and self._typed.of(display):
            return None
        if self.says(display, scope):
            return None
        old = self.planner.loads.present(display, scope)
        entry = entry_of(display, old) if old is not None else None
        if old is None or entry is None or self._is_of_entity(entry[1], scope):
            return None
        return self.planner.local.notes.extend(display, old, scope, knot)

    def step(self, node: tree.Subscript, scope: Scope, knot: Knot) -> tuple[str, Want] | None:
        """Demand `item["capsule_id"] = …` beside `item["tenant_id"] = …`, unless there is a way to get it; and its key."""
        key, statement = tree.text(node.index), self.program.names.parent(node)
        assert key is not None
        assert isinstance(statement, tree.Assign)
        assert statement.value is not None
        names = [name for name, _ in self._steps.of(node).entries]
        old = self.planner.loads.nearest(names, scope)
        if old is None or not names_scope(key, old) or self.says(node, scope):
            return None
        new, notes = rename(key, old, scope), self.planner.local.notes
        if new in names or self._is_of_entity(statement.value, scope):
            return None
        want = notes.step(node, statement.value, scope, new, knot)
        return (new, want) if want is not None else None

    def says(self, display: Display | tree.Subscript, scope: Scope) -> bool:
        """Whether an item has a scope's value already, also under another name: `"env": self.env`."""
        is_key, held = self.program.policy.is_key_name, self.program.domain.held
        return any(
            isinstance(value, tree.Attr | tree.Name) and held.is_value(value, scope)
            for name, value in self._steps.of(display).entries
            if not is_key(name)
        )

    def _is_of_entity(self, value: tree.Node, scope: Scope) -> bool:
        """Whether a value is that of an entity which is going to have the scope: what lists its fields
        gets the new one besides."""
        path, domain = attribute_in(value), self.program.domain
        if path is None:
            return False
        holders = self.planner.sources.holders
        return any(
            isinstance(one, Instance)
            and one.cls in domain.entities
            and (
                holders.attribute_of(one.cls, scope) is None
                or holders.field_knot(one.cls, scope) is not None
            )
            for one in self.program.inference.of(path.base)
        )
