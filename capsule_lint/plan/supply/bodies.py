"""Requests and messages that are written out, as dicts or objects: where code reads a scope of them that it did not read, or
reads beside another one, the tests that make them, and the code that sends them, say it as well."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import rename, renamed, text_of
from capsule_lint.plan.entities.displays import entries_of, entry_of, names_any
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.entries_in_steps import EntriesInSteps
from capsule_lint.plan.supply.fake_owners import FakeOwners
from capsule_lint.plan.supply.read_paths import ReadPaths, key_read, steps_in, untyped
from capsule_lint.plan.supply.replaced_sources import ReplacedSources
from capsule_lint.plan.supply.sent_in_steps import SentInSteps
from capsule_lint.plan.supply.written import Written
from capsule_lint.policy import SourceKind
from capsule_lint.program.inference.mocks import CONFIGURES, MOCKS
from capsule_lint.program.model import Class, Function
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot, Value, Want
    from capsule_lint.policy import Scope, SourceSpec

_ENTRY: Final = re.compile(r"""(\w+)(?:\[|\.get\()"([^"]+)"[\])]\Z""")
_ATTRIBUTE: Final = re.compile(r"(\w+)(?:\([^()]*\))?\.(\w+)\Z")

_OF_OBJECT: Final = re.compile(r"\.\w+(?:\(\))?\Z")
"""The end of code that reads no dict, but an attribute: `g.capsule_id`, `request.capsule()`."""


class _Read(Struct, frozen=True):
    """`event["detail"]["tenantId"]`: what is read, of what, and whether that is a policy's source."""

    key: str
    under: str
    configured: bool = False


@dataclass(eq=False)
class Bodies(Room):
    """Demands the entries."""

    planner: Planner
    _read: dict[Function, tuple[_Read, ...]] = field(default_factory=dict)
    _paths: ReadPaths = field(init=False)
    _written: Written = field(init=False)
    _steps: EntriesInSteps = field(init=False)
    _sent: SentInSteps = field(init=False)
    _fakes: FakeOwners = field(init=False)
    _replaced: ReplacedSources = field(init=False)

    def __post_init__(self) -> None:
        self._paths = ReadPaths(self.program)
        self._written = Written(self.planner)
        self._steps = EntriesInSteps(self.planner, self._written)
        self._sent = SentInSteps(self.planner, self._written)
        self._fakes = FakeOwners(self.planner)
        self._replaced = ReplacedSources(self.planner)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        new = [w for want in tuple(self.state.wants) for w in self._demands(want)]
        for want in new:
            self.planner.want(want)
        return bool(new)

    def is_sent(self, want: Want) -> bool:
        """Whether the neighbour of a want's value is read of a message that the program itself sends, from where
        requests say which value it is: a constant would be another's."""
        sources, displays = self.planner.sources, self._displays
        if all(map(sources.is_constant, want.scope.sources)) or not displays:
            return False
        names = self.program.names
        for _, given in self.planner.values.beside(want):
            path = self._paths.path(given)
            sent = displays.get(path[-1], ()) if path else ()
            if any(
                not names.module_of(display).is_test and self._written.is_dumped(display)
                for display in sent
            ):
                return True
        return False

    @cached_property
    def _displays(self) -> dict[str, list[Display]]:
        keys = {key for keys in self._configured.values() for key in keys}
        return self._written.by_key(keys, self._roots_of_dicts)

    @cached_property
    def _roots_of_dicts(self) -> frozenset[str]:
        """The parameters whose items policy reads: `state` of `state["capsule_id"]`."""
        specs = (spec for scope in self.program.policy.scopes for spec in scope.sources)
        return frozenset(
            spec.roots[0].lower()
            for spec in specs
            if spec.kind is SourceKind.EXPRESSION and len(steps_in(spec.code)) == 1
        )

    @cached_property
    def _configured(self) -> dict[str, tuple[str, ...]]:
        """The keys by which policy, or what it names, reads each scope of a dict."""
        scopes = self.program.policy.scopes
        return {s.name: tuple(self._last_keys(s)) for s in scopes}

    def _last_keys(self, scope: Scope) -> Iterator[str]:
        for spec in scope.sources:
            if spec.kind is SourceKind.EXPRESSION:
                yield from steps_in(spec.code)[-1:]
            asked = self._asked(spec)
            for value in asked.returns if isinstance(asked, Function) else ():
                yield from (
                    untyped(self._paths.path(value))[-1:] if key_read(value) is not None else ()
                )

    def _demands(self, want: Want) -> Iterator[Want]:
        place = self.program.names.place(want.node)
        function = place.scope.function
        if place.scope.module.is_test or function is None:
            return
        known = [read for read in self._read_in(function) if names_scope(read.key, want.scope)]
        value = self.planner.values.value(want) if known or self._may_be(want.scope) else None
        if value is None:
            return
        extend = self.planner.local.notes.extend
        for call, old, name in self._objects_of(want, value):
            asked = extend(call, old, want.scope, want.knot, name)
            yield from () if asked is None else (asked,)
        yield from self._put_on(want, value)
        yield from self._fakes.lacking(want, value)
        self._replaced.check(want, value)
        for read in (*self._read_as(want, value), *known):
            for old, key in self._beside(read.key, want.scope):
                for display in self._displays.get(key, ()):
                    if self._is_read_as(display, read, (old, key), function):
                        asked = extend(display, old, want.scope, want.knot, read.key, key)
                        yield from () if asked is None else (asked,)
                keys = self._read_beside(key, function) if self._sent.are_any else set()
                if keys:
                    pair = key, read.key
                    yield from self._sent.demands(pair, keys - {read.key}, want.scope, want.knot)
                if read.configured:
                    yield from self._steps.demands(want, key, read.key, read.under)

    def _may_be(self, scope: Scope) -> bool:
        """Whether values of a scope may be read of requests or messages, or of what is put on an object."""
        if any(spec.kind is SourceKind.CALL for spec in scope.sources):
            return True
        attached = self.planner.sources.ambient.attached
        if bool(self._objects) or attached.is_told or attached.is_used or self._fakes.are_any:
            return True
        read = any(map(self._is_of_dict, scope.sources))  # where dicts go is only then a question
        return read and (bool(self._displays) or self._steps.are_any or self._sent.are_any)

    def _is_of_dict(self, spec: SourceSpec) -> bool:
        """Whether what a source says may be read of a dict: always, but for an attribute of an object."""
        program = self.program
        cls = program.names.definition(f"{spec.module}.{spec.name}")
        if spec.kind is SourceKind.ATTRIBUTE:
            return isinstance(cls, Class) and program.classes.is_typed_dict(cls)
        return spec.kind in (SourceKind.EXPRESSION, SourceKind.CALL)

    # --- objects ---

    def _objects_of(self, want: Want, value: Value) -> Iterator[tuple[tree.Call, Scope, str]]:
        """What tests make to be read as `request.tenant`, where `request.capsule` is read beside it."""
        owners = list(self._fakes.owners(want, value)) if self._objects else []
        for under, name in self._attributes(want, value):
            for old in self.program.policy.scopes:
                for key in renamed(name, want.scope, old):
                    for call in self._objects.get(key, ()):
                        named = under.lower() in self._written.homes(call)
                        if (
                            value.kind == "attached"
                            or named
                            or self._fakes.stands_in(call, owners)
                        ):
                            yield call, old, name

    def _put_on(self, want: Want, value: Value) -> Iterator[Want]:
        """What tests put on an object that is read so: `request.tenant = "t"`."""
        attached, step = self.planner.sources.ambient.attached, self.planner.local.notes.step
        for under, name in self._attributes(want, value):
            for old in self.program.policy.scopes:
                for key in renamed(name, want.scope, old):
                    for called, target, given in attached.without(key, name):
                        if called == under or under.lower() in self._written.names_of(target.base):
                            asked = step(target, given, want.scope, name, want.knot)
                            yield from () if asked is None else (asked,)

    def _attributes(self, want: Want, value: Value) -> Iterator[tuple[str, str]]:
        """The attribute that a value is, and what has it: `state` and `capsule_id` of
        `request.state.capsule_id`, also where a function returns that which policy names."""
        codes = [value.code]
        for spec in want.scope.sources if value.kind == "configured" else ():
            asked = self._asked(spec) if value.code == spec.code else None
            returned = asked.returns if isinstance(asked, Function) else ()
            codes += [code for one in returned if (code := text_of(one)) is not None]
        for code in codes:
            if (found := _ATTRIBUTE.search(code)) is not None:
                yield found[1], found[2]

    @cached_property
    def _objects(self) -> dict[str, list[tree.Call]]:
        """The objects that tests make of keywords, or mocks that they give attributes by these, by those that name scopes."""
        found: dict[str, list[tree.Call]] = defaultdict(list)
        program = self.program
        for word in sorted(("SimpleNamespace", CONFIGURES, *MOCKS)):
            for call in program.calls.uses.calls_beside(word):
                if program.names.place(call).scope.module.is_test and names_any(call, program):
                    for key, _ in entries_of(call):
                        found[key].append(call)
        return found

    # --- what is read ---

    def _read_as(self, want: Want, value: Value) -> Iterator[_Read]:
        """How the value of a want is read of a request or a message, as policy says."""
        for spec in want.scope.sources if value.kind == "configured" else ():
            if spec.code == value.code:
                yield from self._read_by(spec, want)
            elif spec.kind is SourceKind.ATTRIBUTE and (found := _ENTRY.search(value.code)):
                yield _Read(found[2], found[1].lower(), configured=True)  # of a `TypedDict`
        if value.kind == "attached" and (found := _ENTRY.search(value.code)):
            yield _Read(found[2], found[1].lower(), configured=True)

    def _read_by(self, spec: SourceSpec, want: Want) -> Iterator[_Read]:
        scope = want.scope
        if spec.kind is SourceKind.EXPRESSION and self._may_be_entry(spec, want):
            steps = steps_in(spec.code)
            under = steps[-2:-1] or list(self._roots(spec.roots[0], want)) if steps else []
            yield from (_Read(steps[-1], one.lower(), configured=True) for one in under)
        asked = self._asked(spec)
        for read in self._read_in(asked) if isinstance(asked, Function) else ():
            if names_scope(read.key, scope) or read.key in self._configured[scope.name]:
                yield _Read(read.key, read.under, configured=True)

    def _may_be_entry(self, spec: SourceSpec, want: Want) -> bool:
        """Whether what an expression reads may be an entry of a dict: always, but for an attribute of what is not made of
        JSON."""
        names = self.program.names
        bound = names.bindings(spec.roots[0], names.place(want.node))
        return not _OF_OBJECT.search(spec.code) or any(map(self._paths.is_loaded, bound))

    def _roots(self, name: str, want: Want) -> Iterator[str]:
        """What an expression starts from: a parameter, and what a local of that name, or what callers give for it, is
        read of."""
        yield name
        names = self.program.names
        for binding in names.bindings(name, names.place(want.node)):
            yield from self._paths.bound_homes(binding)

    def _asked(self, spec: SourceSpec) -> Class | Function | None:
        if spec.kind is not SourceKind.CALL:
            return None
        return self.program.names.definition(f"{spec.module}.{spec.name}")

    def _read_in(self, function: Function) -> tuple[_Read, ...]:
        """What a function reads of dicts, by constant keys."""
        if function not in self._read:
            inside = self.program.names.inside(function)
            paths = (self._paths.path(node) for node in inside if key_read(node) is not None)
            self._read[function] = tuple(
                dict.fromkeys(_Read(path[-1], "".join(path[-2:-1]).lower()) for path in paths)
            )
        return self._read[function]

    def _read_beside(self, key: str, function: Function) -> set[str]:
        """The keys by which a function reads what it reads by one of them."""
        reads = (n for n in self.program.names.inside(function) if isinstance(n, tree.Subscript))
        of = {text_of(read.base): read for read in reads if tree.text(read.index) == key}
        return set().union(*(self.read_of(read.base) for read in of.values()))

    def _items_of(self, name: str, function: Function) -> set[str]:
        """The constant keys by which a function reads items of one of its parameters."""
        found = set()
        for node in self.program.names.inside(function):
            key = key_read(node)
            base = node.func if isinstance(node, tree.Call) else node
            base = base.base if isinstance(base, tree.Subscript | tree.Attr) else base
            if key is not None and isinstance(base, tree.Name) and base.id == name:
                found.add(key)
        return found

    # --- who writes it ---

    def messages(self, row: tree.Node) -> Iterator[Display]:
        """The dicts of which is made what a function reads as `row`, and that say all that it surely reads of that:
        `{"body": json.dumps({"tenant_id": "t"})}` in tests, where `row` is `json.loads(event["body"])`, and what other
        code makes JSON of and sends."""
        names, read = self.program.names, self.read_of(row)
        if not read:
            return
        homes = {one.lower() for one in self._paths.homes(row)}
        said = self._scopes_in(read)
        parsed = bool(said) and self._paths.is_parsed(row)
        for display in self._displays.get((*said, min(read))[0], ()):
            if not names.module_of(display).is_test:
                if parsed and self._written.is_sent(display, read):
                    yield display
            elif isinstance(display, tree.DictDisplay):
                has = {key for key, _ in entries_of(display)}
                if read <= has and not homes.isdisjoint(self._written.homes(display)):
                    yield display

    def sent_in_steps(self, row: tree.Node, scope: Scope, knot: Knot) -> Iterator[Want]:
        """What those lack that code puts together in steps and sends."""
        read = self.read_of(row)
        for key in self._scopes_in(read) if self._sent.are_any else ():
            old = next(one for one in self.program.policy.scopes if names_scope(key, one))
            if old is not scope and self._paths.is_parsed(row):
                yield from self._sent.demands((key, rename(key, old, scope)), read, scope, knot)

    def is_said(self, row: tree.Node, scope: Scope) -> bool:
        """Whether the program makes JSON of what says a scope, or is going to, and all else that is read as `row`."""
        read, says = self.read_of(row), self.planner.local.notes.says
        keys = self._scopes_in(read)
        return self._sent.say(keys, read, scope) or any(
            not self.program.names.module_of(one).is_test
            and (entry_of(one, scope) is not None or says(one, scope))
            and self._written.may_say(one, read)
            and self._written.is_dumped(one)
            for key in keys
            for one in self._displays.get(key, ())
        )

    def read_of(self, row: tree.Node) -> set[str]:
        """The keys by which a function, which is no test, reads what it is given, or is made of that, as `row`."""
        names, said = self.program.names, text_of(row)
        function = names.function_of(row)
        if function is None or function.module.is_test or not any(self._paths.homes(row)):
            return set()
        return {
            key
            for node in names.inside(function)
            if isinstance(node, tree.Subscript) and text_of(node.base) == said
            if (key := tree.text(node.index)) is not None
        }

    def _scopes_in(self, keys: Collection[str]) -> list[str]:
        """Those of some keys that are called like scopes."""
        return sorted(key for key in keys if names_any_of(key, self.program.policy.scopes))

    def _beside(self, key: str, scope: Scope) -> Iterator[tuple[Scope, str]]:
        """The other scopes, and how they are called where one is called `key`."""
        for old in self.program.policy.scopes:
            if old is not scope:
                like = [one for one in renamed(key, scope, old) if names_scope(one, old)]
                said = self._configured[old.name] if key in self._configured[scope.name] else ()
                if not said or set(said).isdisjoint(like):
                    like += said
                for name in dict.fromkeys(like):
                    if name != key:
                        yield old, name

    def _is_read_as(
        self, display: Display, read: _Read, beside: tuple[Scope, str], function: Function
    ) -> bool:
        """Whether a dict, which has another scope under a key, becomes what a function reads: in a test it stands where
        the source looks; in other code it says all that the function reads of it."""
        program, (old, key) = self.program, beside
        has = dict(entries_of(display))
        if program.names.module_of(display).is_test and self._written.makes_entries(display):
            return read.configured and read.under in self._written.homes(display)
        others = {r.key for r in self._read_in(function) if r.under == read.under}
        if not self._written.is_dumped(display):
            whole = next((p for p in function.own_params if p.name.lower() == read.under), None)
            if not read.configured or whole is None:
                return False  # what is read there is no whole event
            if self._written.is_given_back(display):
                others |= {r.key for r in self._read_in(function) if not r.under}
            elif self._written.reaches(display, function, whole.name):
                others |= self._items_of(whole.name, function)
            else:
                return False
        return self._written.may_say(
            display, others - {read.key}
        ) and program.domain.held.is_value(has[key], old)
