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
from capsule_lint.plan.code import rename, text_of
from capsule_lint.plan.entities.displays import entries_of, names_any
from capsule_lint.plan.supply.fake_owners import FakeOwners
from capsule_lint.policy import SourceKind
from capsule_lint.program.inference.mocks import MOCKS
from capsule_lint.program.local_names import only_assigned, reads_of
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value, Want
    from capsule_lint.policy import Scope, SourceSpec
    from capsule_lint.program.model import Class
    from capsule_lint.program.names import Names

_STEP: Final = re.compile(r"""(?:\.get\(|\[)\s*["']([^"']+)["'][^\])]*[\])]|\.(\w+)""")
_ATTRIBUTE: Final = re.compile(r"(\w+)\.(\w+)\Z")
_MAX_DEPTH: Final = 6
_DUMPS: Final = "dumps"
_LOADS: Final = "loads"


class _Read(Struct, frozen=True):
    """`event["detail"]["tenantId"]`: what is read, of what, and whether that is a policy's source."""

    key: str
    under: str
    configured: bool = False


@dataclass(eq=False, slots=True)
class Written:
    """Finds the dicts that are written out with a scope, and become what somebody reads."""

    planner: Planner
    _homes: dict[int, frozenset[str]] = field(default_factory=dict)

    def by_key(self) -> dict[str, list[tree.DictDisplay]]:
        """Those of tests, those that are made JSON of, and those that handlers give back, by each of their
        keys."""
        found: dict[str, list[tree.DictDisplay]] = defaultdict(list)
        program = self.planner.program
        for module in program.names.judged():
            if module.generated:
                continue
            for display in module.each(tree.DictDisplay):
                if names_any(display, program) and (
                    module.is_test or self.is_dumped(display) or self.is_given_back(display)
                ):
                    for key, _ in entries_of(display):
                        found[key].append(display)
        return found

    def is_given_back(self, display: tree.Node) -> bool:
        """Whether a handler returns a dict, by a name or not: a state machine gives it to the next one."""
        names = self.planner.program.names
        parent = names.parent(display)
        if isinstance(parent, tree.Assign) and isinstance(parent.targets[0], tree.Name):
            target = parent.targets[0]
            reads = reads_of(names, target, (target.at,))
            return any(self.is_given_back(read) for read in reads)
        function = names.place(display).scope.function
        returned = isinstance(parent, tree.Eval) and parent.kind == "return"
        return returned and function is not None and self.planner.program.domain.enters(function)

    def is_dumped(self, display: tree.Node) -> bool:
        """Whether a dict becomes JSON where it stands, by the name that it gets, inside of another one, or
        by what it is given to."""
        return self._becomes_json(display, 0)

    def _becomes_json(self, node: tree.Node, depth: int) -> bool:
        names = self.planner.program.names
        parent = names.parent(node) if depth < _MAX_DEPTH else None
        match parent:
            case tree.Assign(targets=(tree.Name() as target, *_)):
                reads = reads_of(names, target, (target.at,))
                return any(self._becomes_json(read, depth + 1) for read in reads)
            case tree.DictDisplay():
                return self._becomes_json(parent, depth + 1)
            case tree.Call() if last_name(parent.func) == _DUMPS:
                return True
            case tree.Call():
                return any(
                    self._becomes_json(read, depth + 1) for read in self._reads(parent, node)
                )
            case _:
                return False

    def _reads(self, call: tree.Call, node: tree.Node) -> Iterator[tree.Name]:
        """Where what is called reads what it is given as a parameter."""
        names, calls = self.planner.program.names, self.planner.program.calls
        given = next((a for a in call.args if a.value is node and not a.star), None)
        name = calls.parameter_of(call, given) if given is not None else None
        for callee in calls.callees(call) if name is not None else ():
            function = callee.function
            for one in names.inside(function) if function is not None else ():
                if isinstance(one, tree.Name) and one.id == name and _is_parameter(names, one):
                    yield one

    def homes(self, display: tree.Node) -> frozenset[str]:
        """The names under which a dict is kept: of keys, keywords, locals and functions."""
        if id(display) not in self._homes:
            self._homes[id(display)] = frozenset(self._homes_of(display, 0))
        return self._homes[id(display)]

    def _homes_of(self, node: tree.Node, depth: int) -> Iterator[str]:
        names = self.planner.program.names
        parent = names.parent(node) if depth < _MAX_DEPTH else None
        match parent:
            case tree.DictDisplay():
                for key, value in zip(parent.keys, parent.values, strict=True):
                    if value is node and key is None:
                        yield from self._homes_of(parent, depth + 1)
                    elif value is node and (text := tree.text(key)) is not None:
                        yield text.lower()
            case tree.Call(args=args) if (
                last_name(parent.func) == _DUMPS and args[0].value is node
            ):
                yield from self._homes_of(parent, depth + 1)
            case tree.Call():
                given = next((a for a in parent.args if a.value is node), None)
                to = given and (
                    given.keyword or self.planner.program.calls.parameter_of(parent, given)
                )
                yield from (to.lower(),) if to else ()
            case tree.Assign(targets=(tree.Name() as target,)):
                yield target.id.lower()
                for read in reads_of(names, target, (target.at,)):
                    yield from self._homes_of(read, depth + 1)
            case tree.Assign(targets=(tree.Subscript(index=index),)):
                text = tree.text(index)
                yield from () if text is None else (text.lower(),)
            case tree.Eval(kind="return"):
                function = names.place(node).scope.function
                for call, _ in self.planner.program.calls.callers(function) if function else ():
                    yield from self._homes_of(call, depth + 1)


@dataclass(eq=False)
class Bodies:
    """Demands the entries."""

    planner: Planner
    _read: dict[Function, tuple[_Read, ...]] = field(default_factory=dict)
    _written: Written = field(init=False)
    _fakes: FakeOwners = field(init=False)

    def __post_init__(self) -> None:
        self._written = Written(self.planner)
        self._fakes = FakeOwners(self.planner)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        new = [w for want in tuple(self.planner.state.wants) for w in self._demands(want)]
        for want in new:
            self.planner.want(want)
        return bool(new)

    def is_sent(self, want: Want) -> bool:
        """Whether the neighbour of a want's value is read of a message that the program itself sends, from where
        requests say which value it is: a constant would be another's."""
        sources, displays = self.planner.sources, self._displays
        if all(map(sources.is_constant, want.scope.sources)) or not displays:
            return False
        names = self.planner.program.names
        for _, given in self.planner.values.beside(want):
            path = self._path(given, 0)
            sent = displays.get(path[-1], ()) if path else ()
            if any(
                not names.place(display).scope.module.is_test and self._written.is_dumped(display)
                for display in sent
            ):
                return True
        return False

    @cached_property
    def _displays(self) -> dict[str, list[tree.DictDisplay]]:
        return self._written.by_key()

    def _demands(self, want: Want) -> Iterator[Want]:
        place = self.planner.program.names.place(want.node)
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
        for read in (*self._read_as(want, value), *known) if self._displays else ():
            for old, key in self._beside(read.key, want.scope):
                for display in self._displays.get(key, ()):
                    if self._is_read_as(display, read, old, function):
                        asked = extend(display, old, want.scope, want.knot, read.key)
                        yield from () if asked is None else (asked,)

    def _may_be(self, scope: Scope) -> bool:
        """Whether values of a scope may be read of requests or messages, or of what is put on an object."""
        kinds = {spec.kind for spec in scope.sources}
        read = bool(kinds & {SourceKind.EXPRESSION, SourceKind.CALL}) and bool(self._displays)
        attached = self.planner.sources.ambient.attached
        told = bool(self._objects) or attached.is_told or self._fakes.are_any
        return read or told or attached.is_used

    # --- objects ---

    def _objects_of(self, want: Want, value: Value) -> Iterator[tuple[tree.Call, Scope, str]]:
        """What tests make to be read as `request.tenant`, where `request.capsule` is read beside it."""
        for under, name in self._attributes(want, value):
            for old in self.planner.program.policy.scopes:
                key = rename(name, want.scope, old)
                for call in self._objects.get(key, ()) if key != name else ():
                    if value.kind == "attached" or under.lower() in self._written.homes(call):
                        yield call, old, name

    def _put_on(self, want: Want, value: Value) -> Iterator[Want]:
        """What tests put on an object that is read so: `request.tenant = "t"`."""
        attached, step = self.planner.sources.ambient.attached, self.planner.local.notes.step
        for under, name in self._attributes(want, value):
            for old in self.planner.program.policy.scopes:
                key = rename(name, want.scope, old)
                for target, given in attached.without(under, key, name) if key != name else ():
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
        """The objects that tests make of keywords, by those that name scopes."""
        found: dict[str, list[tree.Call]] = defaultdict(list)
        program = self.planner.program
        for word in sorted(("SimpleNamespace", *MOCKS)):
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

    def _read_by(self, spec: SourceSpec, want: Want) -> Iterator[_Read]:
        scope = want.scope
        if spec.kind is SourceKind.EXPRESSION:
            steps = [key or name for key, name in _STEP.findall(spec.code)]
            under = steps[-2:-1] or list(self._roots(spec.roots[0], want)) if steps else []
            yield from (_Read(steps[-1], one.lower(), configured=True) for one in under)
        asked = self._asked(spec)
        for read in self._read_in(asked) if isinstance(asked, Function) else ():
            if names_scope(read.key, scope):
                yield _Read(read.key, read.under, configured=True)

    def _roots(self, name: str, want: Want) -> Iterator[str]:
        """What an expression starts from: a parameter, and what a local of that name is read of."""
        yield name
        names = self.planner.program.names
        for binding in names.bindings(name, names.place(want.node)):
            given = binding.value if binding.kind == "assign" and not binding.path else None
            yield from self._path(given, 0)[-1:]

    def _asked(self, spec: SourceSpec) -> Class | Function | None:
        if spec.kind is not SourceKind.CALL:
            return None
        return self.planner.program.names.definition(f"{spec.module}.{spec.name}")

    def _read_in(self, function: Function) -> tuple[_Read, ...]:
        """What a function reads of dicts, by constant keys."""
        if function not in self._read:
            inside = self.planner.program.names.inside(function)
            paths = (self._path(node, 0) for node in inside if _key(node) is not None)
            self._read[function] = tuple(
                dict.fromkeys(_Read(path[-1], "".join(path[-2:-1]).lower()) for path in paths)
            )
        return self._read[function]

    def _path(self, node: tree.Node | None, depth: int) -> tuple[str, ...]:
        """`("detail", "tenantId")` of `event["detail"]["tenantId"]`, also where parts have names."""
        if node is None or depth > _MAX_DEPTH:
            return ()
        key = _key(node)
        match node:
            case tree.Subscript() if key is not None:
                return (*self._path(node.base, depth + 1), key)
            case tree.Call(func=tree.Attr(base=base)) if key is not None:
                return (*self._path(base, depth + 1), key)
            case tree.Call(args=(text, *_)) if last_name(node.func) == _LOADS:
                return self._path(text.value, depth + 1)
            case tree.Attr():
                return (*self._path(node.base, depth + 1), node.name)
            case tree.Name():
                given = only_assigned(self.planner.program.names, node)
                return self._path(given, depth + 1)
            case _:
                return ()

    # --- who writes it ---

    def _beside(self, key: str, scope: Scope) -> Iterator[tuple[Scope, str]]:
        """The other scopes, and how they are called where one is called `key`."""
        for old in self.planner.program.policy.scopes:
            if old is scope:
                continue
            said = [_STEP.findall(s.code) for s in old.sources if s.kind is SourceKind.EXPRESSION]
            names = (key or name for steps in said for key, name in steps[-1:])
            for name in dict.fromkeys((rename(key, scope, old), *names)):
                if name != key and names_scope(name, old):
                    yield old, name

    def _is_read_as(
        self, display: tree.DictDisplay, read: _Read, old: Scope, function: Function
    ) -> bool:
        """Whether a dict becomes what a function reads: in a test it stands where the source looks; in other
        code it says all that the function reads of it."""
        program, homes = self.planner.program, self._written.homes(display)
        has = dict(entries_of(display))
        if program.names.place(display).scope.module.is_test:
            return read.configured and read.under in homes
        under = {read.under}
        if not self._written.is_dumped(display):
            if not read.configured or all(
                p.name.lower() != read.under for p in function.own_params
            ):
                return False  # what is read there is no whole event
            under.add("")
        others = {r.key for r in self._read_in(function) if r.under in under}
        value = next((v for k, v in has.items() if names_scope(k, old)), None)
        return (
            others - {read.key} <= set(has)
            and value is not None
            and program.domain.held.is_value(value, old)
        )


def _is_parameter(names: Names, node: tree.Name) -> bool:
    """Whether a name stands for a parameter."""
    return any(binding.parameter is not None for binding in names.bindings_of(node))


def _key(node: tree.Node) -> str | None:
    """The constant key by which an expression reads a dict."""
    match node:
        case tree.Subscript(index=index):
            return tree.text(index)
        case tree.Call(func=tree.Attr(name="get"), args=(first, *_)):
            return tree.text(first.value)
        case _:
            return None
