"""Objects that are made past their constructor, `note = cls.__new__(cls)`, `other = copy.copy(self)`, or are told later
whose they are: whoever sets the neighbouring field of one sets the new field as well."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddStatement
from capsule_lint.plan.code import text_of
from capsule_lint.plan.entities.told_later import told_later
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want
from capsule_lint.plan.supply.repeats import kept, repeatable
from capsule_lint.plan.supply.restated import CONSTRUCTORS
from capsule_lint.program.inference.types import ClassObject, Instance
from capsule_lint.program.model import last_name, named_setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function

PURPOSE: Final = "attribute"
_MAKING: Final = ("__new__", "copy", "deepcopy")


class Setting(Struct, frozen=True):
    """A statement that sets an attribute of a local, or of what a path says, with its value; `call` where it is one that
    does so."""

    statement: tree.Statement
    local: str
    name: str
    value: tree.Node
    call: tree.Call | None = None


class _Lacking(Struct, frozen=True):
    """A setting beside which another one is missing: of which scope the first is, and of which class."""

    setting: Setting
    old: Scope
    home: Class


@dataclass(eq=False, slots=True)
class Bypassed(Room):
    """Demands the values of fields that such objects lack."""

    planner: Planner
    _seen: set[tuple[int, str]] = field(default_factory=set)
    _lacking: dict[int, tuple[Want, _Lacking]] = field(default_factory=dict)
    """By the want, which is kept beside it."""

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        before = len(self._seen)
        calls_beside = self.program.calls.uses.calls_beside
        for call in (one for name in _MAKING for one in calls_beside(name)):
            function = self.program.names.function_of(call)
            cls = self._made(call)
            local = self._bound_to(call)
            if function is None or function.name in CONSTRUCTORS or cls is None or local is None:
                continue
            for home in self.program.classes.mro(cls):
                for scope in list(self.state.fields.get(home, {}).values()):
                    if (id(call), scope.parameter) not in self._seen:
                        self._seen.add((id(call), scope.parameter))
                        self._demand(function, local, home, scope)
        for home, scopes in list(self.state.fields.items()):
            for scope in list(scopes.values()):
                self._tell_later(home, scope)
        return len(self._seen) > before

    def _tell_later(self, home: Class, scope: Scope) -> None:
        """Demand what such objects are not told beside what they are."""
        names, assigned = self.program.names, self.program.calls.uses.assigned
        new = assigned(self.state.attributes[home, scope.parameter])
        told = {(names.function_of(one), text_of(one.base)) for one, _ in new}
        for old, _ in self.program.policy.beside(scope):
            for target, value in told_later(self.program, home, old):
                base, statement = text_of(target.base), names.place(target).statement
                if base and statement and (names.function_of(target), base) not in told:
                    self._lacks(Setting(statement, base, target.name, value), old, home, scope)

    def _lacks(self, one: Setting, old: Scope, home: Class, scope: Scope) -> None:
        """Demand what belongs beside a setting."""
        if (id(one.value), scope.parameter) not in self._seen:
            self._seen.add((id(one.value), scope.parameter))
            want = Want(scope, one.value, ("class", home), PURPOSE, mirror=one.value)
            self._lacking[id(want)] = want, _Lacking(one, old, home)
            self.planner.want(want)

    def _made(self, call: tree.Call) -> Class | None:
        """The class of what a call makes past the constructor."""
        types = self.program.inference.of(call.plain[0]) if len(call.plain) == 1 else ()
        kind = ClassObject if last_name(call.func) == "__new__" else Instance
        return next((t.cls for t in types if isinstance(t, kind)), None)

    def _bound_to(self, call: tree.Call) -> str | None:
        """`note` of `note = cls.__new__(cls)`."""
        match self.program.names.parent(call):
            case tree.Assign(targets=(tree.Name(id=name),), value=value) if value is call:
                return name
            case _:
                return None

    def _demand(self, function: Function, local: str, home: Class, scope: Scope) -> None:
        found = [s for s in _settings(function) if s.local == local]
        held = self.program.domain.held.is_attribute
        if any(held(home, s.name, scope) for s in found):
            return
        for old, _ in self.program.policy.beside(scope):
            for one in found:
                if held(home, one.name, old):
                    self._lacks(one, old, home, scope)
                    return

    # --- values ---

    def read_for(self, want: Want) -> tuple[tree.Node, Scope] | None:
        """What the neighbour of a new field is read of, and whose value that is."""
        known = self._lacking.get(id(want))
        if known is None:
            return None
        read = kept(known[1].setting.value, self.program)
        return (read, known[1].old) if repeatable(read) else None

    def value(self, want: Want) -> Value | None:
        """Beside `note.tenant_id = item["tenant_id"]` comes `item["capsule_id"]`."""
        read = self.read_for(want)
        return self.planner.values.read_beside(want, *read) if read is not None else None

    # --- mends ---

    def build(self, mends: Mends) -> None:
        """Set the new fields beside the old ones."""
        for want, lacking in self._lacking.values():
            code = mends.code_of(want, want.knot)
            if code is None:
                continue
            one = lacking.setting
            filename = mends.program.names.module_of(one.value).filename
            name = self.state.attributes[lacking.home, want.scope.parameter]
            if one.call is not None and last_name(one.call.func) == "update":
                at = next((n for n, a in enumerate(one.call.args) if a.keyword == one.name), None)
                if at is not None:
                    mends.add(
                        want.knot,
                        AddArgument(filename, one.call.span, "CAP301", code, name, at + 1),
                    )
                    continue
            line = f"{one.local}.{name} = {code}"
            if one.call is not None and named_setting(one.call) is not None:
                line = f'{text_of(one.call.func)}({one.local}, "{name}", {code})'
            span = tree.span_of(one.statement.at)
            mends.add(want.knot, AddStatement(filename, span, "CAP301", line))


def _settings(function: Function) -> Iterator[Setting]:
    """What a function sets of its locals."""
    for statement, _ in function.scope.statements:
        match statement:
            case tree.Assign(op="", value=value) if value is not None:
                for target in statement.targets:
                    yield from _assigned(statement, target, value)
            case tree.Eval(kind="expr", values=(tree.Call() as call,)):
                yield from _called(statement, call)


def _assigned(statement: tree.Statement, target: tree.Node, value: tree.Node) -> Iterator[Setting]:
    """`note.tenant_id = …`, one or several at once, and `note.__dict__ = {…}`."""
    match target, value:
        case tree.Attr(base=tree.Name(id=local), name="__dict__"), tree.DictDisplay():
            yield from _entries(statement, local, value, None)
        case tree.Attr(base=tree.Name(id=local)), _:
            yield Setting(statement, local, target.name, value)
        case tree.Sequence(), tree.Sequence() if len(target.items) == len(value.items):
            for one, given in zip(target.items, value.items, strict=True):
                yield from _assigned(statement, one, given)


def _called(statement: tree.Statement, call: tree.Call) -> Iterator[Setting]:
    """`setattr(note, "tenant_id", …)`, `note.__dict__.update(tenant_id=…)`."""
    match named_setting(call):
        case tree.Name(id=local), name, value:
            yield Setting(statement, local, name, value, call)
    match call:
        case tree.Call(
            func=tree.Attr(
                name="update", base=tree.Attr(name="__dict__", base=tree.Name(id=local))
            )
        ):
            for argument in call.args:
                if argument.keyword is not None:
                    yield Setting(statement, local, argument.keyword, argument.value, call)
                elif not argument.star and isinstance(argument.value, tree.DictDisplay):
                    yield from _entries(statement, local, argument.value, call)


def _entries(
    statement: tree.Statement, local: str, display: tree.DictDisplay, call: tree.Call | None
) -> Iterator[Setting]:
    for name, value in display.entries:
        yield Setting(statement, local, name, value, call)
