"""What a scope's value is at a place: mirrored, loaded beside another one, or from a source."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import added_entry, item_key, rename, renamed_item_access, text_of
from capsule_lint.plan.entities.displays import entry_of
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Value, Want
from capsule_lint.plan.supply.all_fields import goes_through_fields
from capsule_lint.plan.supply.made_of_rows import of_made
from capsule_lint.plan.supply.own_keywords import beside_keyword
from capsule_lint.plan.supply.repeats import kept, read_of, repeatable
from capsule_lint.plan.supply.spread_scopes import spells_scope
from capsule_lint.program.inference.types import Instance, LambdaObject, ordered
from capsule_lint.program.model import Class, Function
from capsule_lint.program.texts.pieces import names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope


@dataclass(eq=False)
class Values(Room):
    """Finds the values of wants."""

    planner: Planner
    _given: dict[tuple[int, int, int, int, str], tuple[tree.Call, tree.Argument | None]] = field(
        default_factory=dict
    )
    """What calls pass for scopes, by call, callee, what is given and put before, scope; with the call, which
    has to live as long as it is known by its id."""
    _final: dict[int, tuple[Want, Value | None]] | None = None

    def settle(self) -> None:
        """No function, class or want gains anything any more: from now on, a value stays as it is."""
        self._final = {}

    def value(self, want: Want) -> Value | None:
        """The value of a want, as things stand."""
        final = self._final
        if final is None:
            return self._value(want)
        if id(want) not in final:
            final[id(want)] = want, self._value(want)
        return final[id(want)][1]

    def _value(self, want: Want) -> Value | None:
        if want.purpose == "text":
            return Value(want.scope.parameter)
        found = self.planner.set_here.standing(self._found(want), want.node)
        found = self.planner.emptied.kept(want, self.planner.outside.kept(want, found))
        if found is None or found.beside is not None or want.scope.type is None:
            return found
        mirror = (want.mirror,) if want.mirror is not None else ()
        beside = [node for _, node in self.beside(want)] if want.callee is not None else mirror
        found = self.planner.stored.made(found, want, beside)
        return self.planner.stored.beside(found, want.scope, beside)

    def _found(self, want: Want) -> Value | None:
        part = self.planner.origins.of_loop(want) or self.planner.queued.beside(want)
        part = part or self.planner.thrown_away.beside(want)
        part = part or self.planner.class_patterns.beside(want)
        if part is not None:
            return part
        others = self.planner.others
        theirs = others.beside(want)
        if theirs is not None:
            return theirs[1]
        if (stated := others.stated(want)) is not None:
            return stated
        if want.mirror is not None:
            found = self._of_item(want)
            found = found or self.planner.gains.mirrored(want.mirror, want.scope, want.knot)
            found = found or self._of_row(want, want.mirror)
            found = found or self.asked_alike(want.mirror, want.scope)
            if found is not None:
                return found
        if want.call is not None and isinstance(want.callee, Class | Function):
            loaded = self.loaded(want) or self._beside_item(want) or self._beside_ambient(want)
            loaded = loaded or self._beside_row(want) or of_made(self, want)
            if loaded is not None:
                return self._from_policy(want, loaded)
        part = self.beside_part(want) or beside_keyword(self.planner, want, self.said(want))
        if part is not None:
            return part
        if want.purpose == "entry" and (read := self.planner.loads.entry(want)) is not None:
            return read
        if want.purpose == "attribute" and (read := self.planner.bypassed.value(want)) is not None:
            return read
        loose = id(want) in self.planner.serving.loose
        beside = (want.mirror,) if want.mirror is not None else tuple(self.entries(want))
        sources = self.planner.sources
        found = (
            sources.for_key(want.scope, want.node, beside)
            if want.purpose == "field" and self.program.names.module_of(want.node).is_test
            else sources.find(want.scope, want.node, want.call, loose=loose, beside=beside)
        )
        found = self.planner.owners.agreed(want, found)
        if found is not None and (
            not self.planner.origins.fits(want, found)
            or _is_of_spread(want, found)
            or self._is_of_row(want, found)
        ):
            found = None
        if found is None and isinstance(want.callee, Class | Function):
            found = self.planner.loads.beside(want)
        return found if found is not None else self.planner.serving.last.get(id(want))

    def _of_item(self, want: Want) -> Value | None:
        """The name that the item in which a key stands has for the scope: `capsule_id` beside `"capsule_id": capsule_id`."""
        item = self.program.names.parent(want.node)
        entry = entry_of(item, want.scope) if isinstance(item, tree.DictDisplay) else None
        if entry is None or not isinstance(entry[1], tree.Name):
            return None
        return Value(entry[1].id, kind="name")

    def _is_of_row(self, want: Want, found: Value) -> bool:
        """Whether a filter would compare the rows that a loop goes through with themselves."""
        names, asked = self.program.names, set(map(id, within(want.mirror)) if want.mirror else ())
        read = within(want.node) if want.purpose == "filter" else ()
        return any(
            isinstance(one, tree.Name)
            and found.code.startswith((f"{one.id}.", f"{one.id}["))
            and id(one) not in asked
            and any(bound.kind == "for" for bound in names.bindings_of(one))
            for one in read
        )

    def entries(self, want: Want) -> Iterator[tree.Node]:
        """What a dict of the program, tests aside, says for other scopes where it gets an entry: `event["tenant_id"]`
        of `{"tenant_id": event["tenant_id"]}` and of `row["tenant_id"] = event["tenant_id"]`."""
        if want.purpose != "entry" or self.program.names.module_of(want.node).is_test:
            return
        statement = self.program.names.place(want.node).statement
        match want.node:
            case tree.DictDisplay() | tree.Call():
                found = (entry_of(want.node, s) for s in self.program.policy.others(want.scope))
                yield from (entry[1] for entry in found if entry is not None)
            case tree.Subscript() if isinstance(statement, tree.Assign) and statement.value:
                yield statement.value

    def _from_policy(self, want: Want, loaded: Value) -> Value:
        """What policy says where it says the same: that is kept in a local once for all who need it."""
        found = self.planner.sources.find(want.scope, want.node, want.call)
        return found if found is not None and found.code == loaded.code else loaded

    def loaded(self, want: Want) -> Value | None:
        """A constructor call that reads an item: beside `item["tenant_id"]` comes `item["capsule_id"]`."""
        call = want.call
        assert call is not None
        cls = (
            want.callee
            if isinstance(want.callee, Class)
            else want.callee.owner
            if isinstance(want.callee, Function) and want.callee.name == "__init__"
            else None
        )
        function = self.program.names.function_of(call)
        if (
            cls is None
            or function is None
            or self.program.domain.enters(function)
            or not (
                self.planner.gains.is_entity(cls) or goes_through_fields(self.program, call, cls)
            )
        ):
            return None
        if function.module.is_test:
            return Value("", kind="spread") if self._spreads_answer(call) else None
        neighbour = self.planner.gains.neighbour(want.scope)
        argument = self.argument_of(call, want, neighbour)
        if argument is None:
            spread = self._spreads_item(call) or goes_through_fields(self.program, call, cls)
            return Value("", kind="spread") if spread else None
        read = read_of(argument.value, self.program, neighbour)
        return self.read_beside(want, read, neighbour) if _is_read_again(read) else None

    def read_beside(self, want: Want, read: tree.Node, old: Scope) -> Value | None:
        """What is read of an item beside what is read of it for another scope."""
        code = renamed_item_access(text_of(read) or "", read, old, want.scope)
        value = Value(code, kind="loaded") if code is not None else self._part(want, read, old)
        return self.planner.stored.read(value, want, old)

    def _part(self, want: Want, read: tree.Node, old: Scope) -> Value | None:
        """What stands in a key that is taken apart beside what is read of it for another scope."""
        part = self.planner.scope_parts.beside(kept(read, self.program), old, want.scope)
        return Value(part.code, knot=part.knot, kind="loaded") if part is not None else None

    def beside_part(self, want: Want) -> Value | None:
        """Beside `parts[1]` of a key comes `parts[3]`, also where the first has a name."""
        for old, given in self.said(want):
            value = self._part(want, given, old)
            if value is not None:
                return self.planner.stored.read(value, want, old)
        return None

    def said(self, want: Want) -> list[tuple[Scope, tree.Node]]:
        """What a call, or a template, says for the other scopes."""
        said = list(self.beside(want)) if want.callee is not None else []
        if want.mirror is not None:
            said += [(s, want.mirror) for s in self.program.policy.others(want.scope)]
        return said

    def _beside_item(self, want: Want) -> Value | None:
        """Beside `item["stage"]` comes `item["org_id"]`, where items are written with both."""
        for scope, given in self.beside(want):
            key = item_key(given, scope)
            if key is None or not _is_read_again(given):
                continue
            new = rename(key, scope, want.scope)
            code = renamed_item_access(text_of(given) or "", given, scope, want.scope)
            if code is not None and any({key, new} <= names for names in self._item_names):
                return self.planner.stored.read(Value(code, kind="loaded"), want, scope)
        return self._beside_read(want)

    def _beside_read(self, want: Want) -> Value | None:
        """Beside `tenant_id = claims["tenant_id"]` comes `claims["capsule_id"]`, where the same function reads
        that as well, whatever happens before."""
        program = self.program
        place = program.names.place(want.node)
        function = place.scope.function
        for scope, given in self.beside(want) if function is not None else ():
            read = kept(given, program) if isinstance(given, tree.Name) else given
            if read is given or item_key(read, scope) is None or not _is_read_again(read):
                continue
            code = renamed_item_access(text_of(read) or "", read, scope, want.scope)
            for node in program.names.inside(function) if code is not None and function else ():
                if isinstance(node, tree.Subscript) and text_of(node) == code:
                    at = program.names.place(node)
                    if code is not None and at.blocks == place.blocks[: len(at.blocks)]:
                        return self.planner.stored.read(Value(code, kind="loaded"), want, scope)
        return None

    def _beside_ambient(self, want: Want) -> Value | None:
        """Beside `current_tenant()` comes `current_capsule()`, also where the first has a name, or what a helper
        of the program's asks."""
        for _, given in self.beside(want):
            found = self.asked_alike(given, want.scope)
            return found or self.planner.helpers.beside(given, want.scope, want.knot)
        return None

    def asked_alike(self, given: tree.Node, scope: Scope) -> Value | None:
        """What is asked for a scope as a value is for another one, also into a local."""
        ambient = self.planner.sources.ambient
        return ambient.beside(given, scope) or ambient.beside(kept(given, self.program), scope)

    def _beside_row(self, want: Want) -> Value | None:
        """An entity made of another one: beside `row.tenant_id` comes `row.capsule_id`."""
        if not isinstance(want.callee, Class) or not self.planner.gains.is_entity(want.callee):
            return None
        return next(
            filter(None, (self._of_row(want, given) for _, given in self.beside(want))), None
        )

    def _of_row(self, want: Want, given: tree.Node) -> Value | None:
        """What an entity has beside what is read of it, also into a local, `tenant = row.tenant_id`; and not what the
        function around is going to be told."""
        program, gains = self.program, self.planner.gains
        function = program.names.function_of(want.node)
        if function is None or program.domain.scope_parameter(function, want.scope) is not None:
            return None
        read = kept(given, program)
        types = program.inference.of(read.base) if isinstance(read, tree.Attr) else ()
        if any(isinstance(one, Instance) and gains.is_entity(one.cls) for one in types):
            return gains.mirrored(read, want.scope, want.knot)
        return None

    @cached_property
    def _item_names(self) -> list[set[str]]:
        """The string keys of each dict that the program, tests aside, spells out, and of each item that it fills entry
        by entry."""
        found, steps = list[set[str]](), defaultdict[object, set[str]](set)
        for module in self.program.names.modules.values():
            if module.is_test:
                continue
            for node in module.each(tree.DictDisplay):
                found.append({said for key in node.keys if key and (said := tree.text(key))})
            for statement, place in module.statements:
                if (added := added_entry(statement)) is not None:
                    steps[place.scope, text_of(added.base)].add(added.key)
        is_key_name = self.program.policy.is_key_name
        return [*found, *(names for names in steps.values() if any(map(is_key_name, names)))]

    def _spreads_answer(self, call: tree.Call) -> bool:
        """`Entity(**table.get_item(…)["Item"])`, in a test that may spread what it spells out as well."""
        starred = call.spread
        found = [self.planner.local.rows.origins(node) for node in starred]
        return any(one.stored and one.complete and not one.displays for one in found)

    def _spreads_item(self, call: tree.Call) -> bool:
        """`Entity(**item)`: what was written with the field is read with it."""
        return not all(spells_scope(self.program, one) for one in call.spread)

    def takes(self, call: tree.Call, scope: Scope) -> bool:
        """Whether everything that a call may call takes the scope once the plan is carried out."""
        return not self.lacking(call, scope)

    def lacking(self, call: tree.Call, scope: Scope) -> str:
        """What does not take it of all that a call may call; empty where everything does."""
        for one in ordered(self.program.inference.of(call.func)):
            if isinstance(one, LambdaObject) and not self._lambda_takes(one.node, scope):
                return f"a lambda in `{self.program.names.symbol_of(one.node)}`"
        for callee in self.program.calls.callees(call):
            function, cls = callee.function, callee.cls
            if function is not None:
                has = self.program.domain.scope_parameter(function, scope) is not None
                takes_any = any(p.kind in ("*", "**") for p in function.params)
                gains = self.state.gains(function, scope)
                if function.name in ("__init__", "__new__"):
                    gains |= cls is None or self.planner.gains.gaining(cls, scope) is not None
                if not has and not takes_any and not gains:
                    return f"`{function.symbol}`"
            elif cls is not None:
                names = {p.name for p in self.program.classes.constructor(cls) or ()}
                if scope.parameter not in names and self.planner.gains.gaining(cls, scope) is None:
                    return f"`{cls.symbol}`"
        return ""

    def _lambda_takes(self, node: tree.Lambda, scope: Scope) -> bool:
        if scope.parameter in self.state.lambdas.get(id(node), ()):
            return True
        return id(node) in self.state.doubles or any(
            p.kind in ("*", "**") or names_scope(p.name, scope) for p in node.params
        )

    def beside(self, want: Want) -> Iterator[tuple[Scope, tree.Node]]:
        """What the call gives for each of the other scopes."""
        for scope in self.program.policy.scopes if want.call is not None else ():
            if want.call is not None and scope is not want.scope:
                argument = self.argument_of(want.call, want, scope)
                if argument is not None:
                    yield scope, argument.value

    def argument_of(self, call: tree.Call, want: Want, scope: Scope) -> tree.Argument | None:
        """What a call passes for another scope."""
        key = id(call), id(want.callee), want.given, want.offset, scope.name
        if key not in self._given:
            self._given[key] = call, self._argument_of(call, want, scope)
        return self._given[key][1]

    def _argument_of(self, call: tree.Call, want: Want, scope: Scope) -> tree.Argument | None:
        callee, held = want.callee, self.program.domain.held
        assert callee is not None
        given = call.args[want.offset :]
        found = held.arguments(given, callee, want.given, scope)
        for heir in self._constructed(call, callee) if found is None else ():
            found = found or held.arguments(given, heir, want.given, scope)
        if found is None:
            named = (a for a in call.args if a.keyword and held.takes(callee, a.keyword, scope))
            return next(named, None)
        return found[0] if found else None

    def _constructed(self, call: tree.Call, cls: Class | Function) -> list[Class]:
        """The heirs of a class that a call makes, which take more than it does; all where any may be meant."""
        program = self.program
        made = [one.cls for one in program.calls.callees(call) if one.cls is not None]
        known = [one for one in made if cls in program.classes.mro(one)[1:]]
        heirs = program.classes.subclasses(cls) if isinstance(cls, Class) and not known else ()
        return known or [one for one in heirs if one is not cls]


def _is_of_spread(want: Want, value: Value) -> bool:
    """Whether a value is that of a dict which is spread beside the entry that wants one: `{"tenantId": tenant_id,
    **detail}` has what `detail` has."""
    spread = want.node.spread if isinstance(want.node, tree.DictDisplay) else ()
    roots = [one.id for one in spread if isinstance(one, tree.Name)]
    return any(value.code.startswith(f"{root}[") for root in roots)


def _is_read_again(node: tree.Node) -> bool:
    """Whether what an item is read from can be read once more, for the other key: `item["tenant_id"]`,
    `kw.pop("tenant_id")`, but not `rows.pop()["tenant_id"]`."""
    match node:
        case tree.Call(func=tree.Attr(name="get" | "pop") as func, args=(first, *_)) if isinstance(
            first.value, tree.Const
        ) and isinstance(first.value.value, str):
            return repeatable(func.base)
        case tree.Call(args=(only,)) if not isinstance(node.func, tree.Attr):
            return _is_read_again(only.value)
        case tree.Call(func=tree.Attr(base=tree.Name()), args=(only,)):
            return _is_read_again(only.value)
        case _:
            return repeatable(node)
