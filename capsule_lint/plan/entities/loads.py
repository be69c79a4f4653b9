"""Entities that are made from dicts: who reads a new key, and the dicts that must have it then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, rename, renamed_item_access, text_of
from capsule_lint.plan.entities.adapted import Adapted
from capsule_lint.plan.entities.displays import entries_of, entry_of
from capsule_lint.plan.entities.file_rows import FileRows
from capsule_lint.plan.entities.named import named_read
from capsule_lint.plan.entities.wholes import Wholes
from capsule_lint.plan.memory.local_filters import dict_in
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Value
from capsule_lint.plan.supply.repeats import kept, read_of, repeatable
from capsule_lint.plan.testing.answers import Answers
from capsule_lint.program.inference.types import ClassObject, Instance, ordered
from capsule_lint.program.model import Class, enclosing
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Collection as Several
    from collections.abc import Iterator

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot, Want
    from capsule_lint.policy import Scope

_OF_FILE: Final = "this is the row of a file, or of SQL, which may have no column `{}`"
_OF_OBJECT: Final = "this is made of all that a `{}` has, which has no `{}`"
_VALIDATES: Final = frozenset(
    ("model_validate", "parse_obj", "validate", "structure", "from_dict", "convert", "load")
)
"""What libraries call the functions that make an instance of a class from a dict."""
_ANY_OF: Final = "this may become a `{}`, which has no `{}`"
_PREPARING: Final = frozenset(("model_validator", "root_validator"))
"""What makes a method of a model one that is given the dict first."""


@dataclass(eq=False, slots=True)
class Loads(Room):
    """Demands entries of the dicts that are read as items."""

    planner: Planner
    _spread: set[int] = field(default_factory=set)
    """The dicts that are written out from which constructors of entities get their arguments."""
    _answers: Answers = field(init=False)
    _adapted: Adapted = field(init=False)

    def __post_init__(self) -> None:
        self._adapted = Adapted(self.planner)
        self._answers = Answers(self.program)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        new = [w for node, scope, knot in self.reads() for w in self._demands(node, scope, knot)]
        for want in new:
            self.planner.want(want)
        return bool(new)

    def reads(self) -> Iterator[tuple[tree.Node, Scope, Knot]]:
        """The dicts that a scope's new entry is going to be read from."""
        for want in list(self.state.wants):
            read = self._read_for(want) if want.purpose == "entry" else None
            if read is not None and (row := dict_in(read[0])) is not None:
                yield row, want.scope, want.knot
            of = self.planner.bypassed.read_for(want)
            if of is not None and (row := dict_in(of[0])) is not None:
                yield row, want.scope, want.knot
            if want.purpose != "argument" or want.call is None:
                continue
            spread, rows = self._spread_by(want.call), self._rows(want, want.call)
            value = self.planner.values.value(want) if spread or rows else None
            if value is not None and value.kind == "spread":
                for node in spread:
                    displays = self.planner.local.rows.origins(node).displays
                    self._spread.update(map(id, displays))
                    yield node, want.scope, want.knot
            elif value is not None and value.kind == "loaded":
                for row in rows:
                    yield row, want.scope, want.knot
        yield from self._validated()
        yield from self._prepared()
        for display, cls, others in self._adapted.gaining():
            for home in () if others else self.program.classes.mro(cls):
                for scope in self.state.fields.get(home, {}).values():
                    yield display, scope, ("class", home)

    def _prepared(self) -> Iterator[tuple[tree.Node, Scope, Knot]]:
        """What a model makes of what it is given, before it looks at it."""
        for home, gained in list(self.state.fields.items()):
            for function in home.methods.values():
                if function.decorators.isdisjoint(_PREPARING):
                    continue
                for node in self.program.names.inside(function):
                    if isinstance(node, tree.DictDisplay):
                        for scope in gained.values():
                            yield node, scope, ("class", home)

    def _spread_by(self, call: tree.Call) -> list[tree.Node]:
        """`row` of `f(**row)`, or what makes it."""
        starred = call.spread
        reads = ((node, named_read(self.program, node)) for node in starred)
        return [(read.source if read is not None else None) or node for node, read in reads]

    def _rows(self, want: Want, call: tree.Call) -> list[tree.Node]:
        """The dicts of which a call is given parts for other scopes."""
        others = self.program.policy.others(want.scope)
        rows = (self._row(want, call, scope) for scope in others)
        return [row for row in rows if row is not None]

    def _row(self, want: Want, call: tree.Call, scope: Scope) -> tree.Node | None:
        """`row` of `f(row["tenant_id"])`."""
        argument = self.planner.values.argument_of(call, want, scope)
        read = read_of(argument.value, self.program, scope) if argument is not None else None
        return dict_in(read) if read is not None and item_key(read, scope) is not None else None

    def _validated(self) -> Iterator[tuple[tree.Node, Scope, Knot]]:
        """`Order.model_validate(data)`, `structure(data, Order)`."""
        gained = self.state.fields
        uses = self.program.calls.uses
        for name in sorted(_VALIDATES):
            for call in uses.calls_beside(name):
                if any(c.function is not None for c in self.program.calls.callees(call)):
                    continue
                parts = [call.func.base] if isinstance(call.func, tree.Attr) else []
                plain = call.unnamed
                classes = [c for part in (*parts, *plain) if (c := self._class(part)) is not None]
                homes = [h for c in classes for h in self.program.classes.mro(c)]
                for home in homes:
                    for scope in gained[home].values() if home in gained else ():
                        for node in plain:
                            if self._class(node) is None:
                                yield node, scope, ("class", home)

    def _class(self, node: tree.Node) -> Class | None:
        types = self.program.inference.of(node)
        return next((t.cls for t in types if isinstance(t, ClassObject)), None)

    # --- entries ---

    def _demands(self, node: tree.Node, scope: Scope, knot: Knot) -> Iterator[Want]:
        self._typed(node, scope, knot)
        origins, program = self.planner.local.rows.origins(node), self.program
        function = program.names.function_of(node)
        fields = program.classes.fields(knot[1]) if isinstance(knot[1], Class) else ()
        answers = self._answers.of(function, {one.name for one in fields}) if function else ()
        messages = () if origins.complete else self.planner.bodies.messages(node)
        for display in dict.fromkeys((*origins.displays, *answers, *messages)):
            old = self.present(display, scope) if not self._is_narrowed(display, scope) else None
            want = (
                None if old is None else self.planner.local.notes.extend(display, old, scope, knot)
            )
            if want is not None:
                yield want
        if not origins.complete:
            yield from self.planner.bodies.sent_in_steps(node, scope, knot)

    def _is_narrowed(self, display: Display, scope: Scope) -> bool:
        """Whether a dict is an item of an entity that policy does not keep apart by a scope."""
        place = self.program.names.place(display)
        function = place.scope.function
        entity = self.program.domain.narrowed_names(
            function.owner if function is not None else None, function, place.scope.module.name
        )
        policy = self.program.policy
        return scope not in policy.scopes_of(entity)

    def present(self, display: Display, scope: Scope) -> Scope | None:
        """The scope beside whose entry a new one belongs."""
        return self.nearest([name for name, _ in entries_of(display)], scope)

    def nearest(self, names: Several[str], scope: Scope) -> Scope | None:
        """The scope beside which another one belongs, of those that are named."""
        near = self.program.policy.beside(scope)
        return next((s for s, _ in near if any(names_scope(name, s) for name in names)), None)

    def _typed(self, node: tree.Node, scope: Scope, knot: Knot) -> None:
        """The `TypedDict` that an item is annotated with gets the key."""
        for one in ordered(self.program.inference.of(node)):
            if isinstance(one, Instance) and self.program.classes.is_typed_dict(one.cls):
                self.keep(one.cls, scope, knot)

    def keep(self, cls: Class, scope: Scope, knot: Knot) -> None:
        """Give a `TypedDict` the key of a scope, beside that of another one."""
        classes = self.program.classes
        fields = [f.name for f in classes.fields(cls)]
        for old, _ in self.program.policy.beside(scope):
            like = next((n for n in fields if names_scope(n, old)), None)
            if like is not None and rename(like, old, scope) not in fields:
                self.planner.gains.gain_field(cls, scope, knot, like=like)
                for home in classes.mro(cls):
                    if self.state.gains(home, scope):
                        name = rename(like, old, scope)
                        self.state.attributes[home, scope.parameter] = name
                return

    # --- what is taken beside ---

    def entry(self, want: Want) -> Value | None:
        """Beside `"tenant_id": item["tenant_id"]`, in a dict of which an entity is made, comes
        `item["capsule_id"]`."""
        read = self._read_for(want)
        if read is None:
            return None
        node, scope = read
        code = renamed_item_access(text_of(node) or "", node, scope, want.scope)
        return Value(code, kind="loaded") if code is not None else None

    def _read_for(self, want: Want) -> tuple[tree.Node, Scope] | None:
        """What reads the neighbour of an entry from an item, and whose value that is."""
        display = want.node
        known = self._spread, self.planner.local.notes.of_rows
        if not any(id(display) in one for one in known) or not isinstance(
            display, tree.DictDisplay | tree.Call
        ):
            return None
        for scope in self.program.policy.scopes:
            entry = entry_of(display, scope) if scope is not want.scope else None
            read = kept(entry[1], self.program) if entry is not None else None
            if read is not None and item_key(read, scope) is not None and repeatable(read):
                return read, scope
        return None

    def beside(self, want: Want) -> Value | None:
        """Beside `doc["tenant_id"]` comes `doc["capsule_id"]`, where all that `doc` can be is written
        out in the program."""
        for scope in self.program.policy.scopes if want.call is not None else ():
            assert want.call is not None
            row = self._row(want, want.call, scope) if scope is not want.scope else None
            if row is None:
                continue
            origins = self.planner.local.rows.origins(row)
            if not origins.displays or not origins.complete:
                continue
            if not all(entry_of(d, scope) is not None for d in origins.displays):
                continue
            argument = self.planner.values.argument_of(want.call, want, scope)
            assert argument is not None
            read = read_of(argument.value, self.program, scope)
            code = renamed_item_access(text_of(read) or "", read, scope, want.scope)
            if code is not None and (read is argument.value or repeatable(read)):
                return self.planner.stored.read(Value(code, kind="loaded"), want, scope)
        return None

    def check(self) -> None:
        """What a person must look at of what is read from dicts."""
        self._check_types()
        self._check_keys()
        self._check_files()
        for display, cls, others in self._adapted.gaining():
            for home in self.program.classes.mro(cls) if others else ():
                for scope in self.state.fields.get(home, {}).values():
                    reason = _ANY_OF.format(others[0].name, scope.parameter)
                    self.planner.local.notes.obstacle(("class", home), display, reason)

    def _check_types(self) -> None:
        """A text that is read from an item where the type of its scope says something else."""
        for want in [w for w in self.state.wants if w.purpose == "argument"]:
            value = self.planner.values.value(want)
            if want.call is not None and value is not None and value.kind in ("loaded", "spread"):
                old = self.planner.gains.neighbour(want.scope)
                doubt = self.planner.stored.doubt(value, want, old)
                if doubt:
                    self.planner.local.notes.obstacle(want.knot, want.call, doubt)

    def _check_keys(self) -> None:
        """A key that takes one scope from a dict and the other one from the caller needs a person: the
        dict would be kept without it."""
        domain, scopes = self.program.domain, self.program.policy.scopes
        for want in list(self.state.wants):
            place = self.program.names.place(want.node)
            functions = [f for f in enclosing(place) if f in self.state.params]
            if want.purpose != "argument" or want.call is None or place.scope.module.is_test:
                continue
            if want.callee not in self.program.keys.helpers or not functions:
                continue
            value = self.planner.values.value(want)
            if value is None or value.code != want.scope.parameter:
                continue
            for scope in scopes:
                row = self._row(want, want.call, scope) if scope is not want.scope else None
                has = any(domain.scope_parameter(f, scope) is not None for f in functions)
                if row is not None and not has:
                    reason = f"has `{scope.parameter}` from a dict that may lack `{want.scope.parameter}`"
                    self.planner.local.notes.obstacle(want.knot, want.call, reason)

    def _check_files(self) -> None:
        """What is made of the rows of a file or of SQL, which have the columns that they had."""
        files, obstacle = FileRows(self.program), self.planner.local.notes.obstacle
        for node, scope, knot in list(self.reads()):
            for row in files.of(node):
                obstacle(knot, row, _OF_FILE.format(scope.parameter))
            for cls in sorted(Wholes(self.program).gives(node), key=lambda c: c.symbol):
                if not self._has(cls, scope):
                    obstacle(knot, node, _OF_OBJECT.format(cls.name, scope.parameter))

    def _has(self, cls: Class, scope: Scope) -> bool:
        """Whether objects of a class have the scope's value, or are going to."""
        domain, classes = self.program.domain, self.program.classes
        return (
            domain.held.attribute(cls, scope) is not None
            or classes.has_attribute(cls, scope.parameter)
            or any(self.state.gains(home, scope) for home in classes.mro(cls))
        )
