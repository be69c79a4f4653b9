"""The part of a split key that is a scope's value, beside one that is another scope's."""

from __future__ import annotations

import re
from itertools import permutations
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.repeats import unpacked
from capsule_lint.plan.taken_apart.matched import room_in
from capsule_lint.program.texts.pieces import names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.plan.taken_apart.shifts import Shift, Split
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Function


class Part(Struct, frozen=True):
    """What reads the part, and the change of the key that brings it, unless the key has had it all along."""

    code: str
    knot: Knot | None


class ScopeParts(Room, Struct, frozen=True):
    """Finds such parts."""

    planner: Planner

    def beside(self, node: tree.Node, old: Scope, new: Scope) -> Part | None:
        """Beside `pk.split("#")[1]` comes `pk.split("#")[3]`, beside `pk.removeprefix("TENANT#")` what comes behind
        that; beside an unpacked name the new one."""
        rest = self._remainder(node, old, new)
        if rest is not None:
            return rest
        if isinstance(node, tree.Call) and (read := self._read_by(node, old, new)) is not None:
            return read
        match node:
            case tree.Call(args=(only,)) if not isinstance(node.func, tree.Attr):
                inner, func = self.beside(only.value, old, new), text_of(node.func)
                if inner is None or func is None:
                    return None
                if old.type is not None and new.type is not None and func == old.type.name:
                    func = new.type.name
                return Part(f"{func}({inner.code})", inner.knot)
            case tree.Subscript(index=index):
                at = tree.integer(index)
                found = self._places(node.base, old, new, at) if at is not None else []
                if not found and at is not None:
                    standing = self.planner.readers.splits.place(node.base, at, old, new)
                    code = text_of(node.base) if standing is not None else None
                    return Part(f"{code}[{standing}]", None) if code is not None else None
                if len({place for place, _ in found}) != 1:
                    return None
                place, shift = found[0]
                base = self._parts(node.base, shift)
                return Part(f"{base}[{place}]", shift.knot) if base is not None else None
            case tree.Name():
                bindings = self.program.names.bindings_of(node)
                return self._bound(bindings[0], old, new) if len(bindings) == 1 else None
            case _:
                return None

    def is_read_in(self, function: Function, scope: Scope) -> bool:
        """Whether a function that is told no scope takes a scope out of a key, and hands it on as it is."""
        names, scopes = self.program.names, self.program.policy.scopes
        if self.program.domain.takes_scope(function):
            return False
        return any(
            scope in (old, new) and self.beside(argument.value, old, new) is not None
            for call in names.inside(function)
            if isinstance(call, tree.Call)
            for argument in call.args
            if isinstance(argument.value, tree.Subscript | tree.Call)
            for old, new in permutations(scopes, 2)
        )

    def _read_by(self, call: tree.Call, old: Scope, new: Scope) -> Part | None:
        """Beside `tenant_of(pk)`, which gives `key.split("#")[1]` of its only parameter, comes `pk.split("#")[3]`."""
        function = reader(self.program, call)
        argument = call.args[0].value if function is not None else None
        if function is None or not isinstance(argument, tree.Name | tree.Attr | tree.Subscript):
            return None
        own, returned = function.own_params[0].name, within(function.returns[0])
        if any(isinstance(one, tree.Name) and one.id != own for one in returned):
            return None  # it may mean something else where the function is called
        inner = self.beside(function.returns[0], old, new)
        code, name = text_of(argument), re.compile(rf"\b{own}\b")
        if inner is None or code is None or len(name.findall(inner.code)) != 1:
            return None
        return Part(name.sub(lambda _: code, inner.code), inner.knot)

    def _parts(self, base: tree.Node, shift: Shift) -> str | None:
        """What takes the key apart, as it will read: `pk.split("#", 3)` for `pk.split("#", 1)`."""
        code = text_of(base)
        limits = {
            split.limit for split in self.planner.readers.splits.of(base) if split.call is base
        }
        if code is None or not limits or limits == {-1}:
            return code
        if not isinstance(base, tree.Call) or len(limits) > 1:
            return None
        func, *given = map(text_of, (base.func, *(a.value for a in base.args[:-1])))
        last = base.args[-1]
        if func is None or None in given or tree.integer(last.value) is None:
            return None
        named = f"{last.keyword}=" if last.keyword is not None else ""
        arguments = ", ".join((*filter(None, given), f"{named}{limits.pop() + shift.by}"))
        return f"{func}({arguments})"

    def _remainder(self, node: tree.Node, old: Scope, new: Scope) -> Part | None:
        """What the segment is that comes behind the last value of a key."""
        known = self.planner.readers.remainders.of(node, self.planner.defects)
        key, shift = known if known is not None else (None, None)
        code = text_of(key) if key is not None else None
        name = shift.parts[-1] if shift is not None else None
        if shift is None or code is None or name is None or not names_scope(name, old):
            return None
        alone = shift.scopes == (new,)
        return Part(f'{code}.partition("{shift.behind}")[2]', shift.knot) if alone else None

    def is_part(self, node: tree.Node) -> bool:
        """Whether an expression is one of the parts of a key: `parts[1]`, `pk.split("#")[1]`."""
        match node:
            case tree.Subscript() if tree.integer(node.index) is not None:
                return any(True for _ in self.planner.readers.splits.of(node.base))
            case _:
                return False

    def is_taken(self, node: tree.Node) -> bool:
        """Whether a value has been taken out of a key: `tenant_id = pk.split("#")[1]`, or by a function of the
        program, `tenant_id = tenant_of(pk)`, and `tenant_id, order_id = ids_of(pk)`."""
        value, path = node, tuple[int, ...]()
        if isinstance(node, tree.Name):
            bindings = self.program.names.bindings_of(node)
            if len(bindings) != 1 or bindings[0].kind != "assign":
                return self.may_be(node)
            value, path = bindings[0].value or node, bindings[0].path
        if isinstance(value, tree.Sequence) and path:
            value, path = unpacked(value, path[0]) or value, path[1:]
        function = reader(self.program, value) if isinstance(value, tree.Call) else None
        given = function.returns[0] if function is not None else value
        for step in path if function is not None else ():
            given = unpacked(given, step) or value
        return self.is_part(given) or self.may_be(node)

    def may_be(self, node: tree.Node) -> bool:
        """Whether an expression is one of the parts of a key, or a name that is unpacked from these."""
        bindings = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else []
        if len(bindings) == 1 and bindings[0].kind == "case":
            return any(True for _ in self._asked_for(bindings[0]))
        given = bindings[0].value if len(bindings) == 1 and bindings[0].path else None
        if given is not None:
            return any(True for _ in self.planner.readers.splits.of(given))
        return self.is_part(node)

    def in_local(self, binding: Binding, old: Scope, new: Scope) -> Part | None:
        """Beside a local that is the old scope's part of a key, by whatever name, what the new one's is."""
        if not binding.path and binding.kind != "case":
            return self.beside(binding.value, old, new) if binding.value is not None else None
        return self._bound(binding, old, new)

    def _bound(self, binding: Binding, old: Scope, new: Scope) -> Part | None:
        """What stands beside a name that is bound to a part."""
        if binding.kind == "case":
            return self._matched(binding, old, new)
        return self._unpacked(binding, old, new)

    def _asked_for(self, binding: Binding) -> Iterator[tuple[Split, list[tree.Node], int]]:
        """The splits that a pattern asks which binds a name, what is in it, and the place of the name."""
        statement = binding.place.statement
        if not isinstance(statement, tree.Block) or statement.kind != "match":
            return
        for pattern in statement.heads[1:]:
            match pattern:
                case tree.Other(children=(tree.Const(kind="pattern"), *items)):
                    found = (n for n, item in enumerate(items) if item.at[:2] == binding.at[:2])
                    at = next(found, None)
                    for split in self.planner.readers.splits.of(statement.heads[0]):
                        if at is not None:
                            yield split, items, at

    def _matched(self, binding: Binding, old: Scope, new: Scope) -> Part | None:
        """What `case ["TENANT", tenant_id, "ORDER", order_id]` is going to bind as well."""
        readers, defects = self.planner.readers, self.planner.defects
        for split, items, at in self._asked_for(binding):
            module = self.program.names.module_of(split.call)
            for shift in () if split.shared else readers.shifts(split, module, defects, at):
                fits = room_in(items, shift, split.separator) > 0
                if fits and any(True for _ in _place(shift, split, old, new, at)):
                    return Part(new.parameter, shift.knot)
        return None

    def _unpacked(self, binding: Binding, old: Scope, new: Scope) -> Part | None:
        """What `_, tenant_id, _, order_id = pk.split("#")` is going to unpack as well."""
        statement = binding.place.statement
        if len(binding.path) != 1 or binding.value is None:
            return None
        for target in statement.targets if isinstance(statement, tree.Assign) else ():
            if isinstance(target, tree.Sequence):
                found = self._places(binding.value, old, new, binding.path[0], target)
                if found:
                    return Part(new.parameter, found[0][1].knot)
        return None

    def _places(
        self,
        base: tree.Node,
        old: Scope,
        new: Scope,
        at: int,
        target: tree.Sequence | None = None,
    ) -> list[tuple[int, Shift]]:
        """At which index the new scope's part stands in the keys that a split could be of, and whose part
        at the given index is the old scope's; of those that a target can unpack."""
        found: list[tuple[int, Shift]] = []
        for split in self.planner.readers.splits.of(base):
            if split.shared:
                continue
            module = self.program.names.module_of(split.call)
            readers, defects = self.planner.readers, self.planner.defects
            shifts = readers.shifts(split, module, defects, at if target is None else target)
            if target is not None:
                shifts = readers.fitting(target, split, shifts)
            for shift in shifts:
                found += ((place, shift) for place in _place(shift, split, old, new, at))
        return found


def reader(program: Program, call: tree.Call) -> Function | None:
    """The function of the program that a call calls, if that gives one thing of the one argument that it is given."""
    functions = [callee.function for callee in program.calls.callees(call)]
    function = functions[0] if len(functions) == 1 else None
    if function is None or len(function.returns) != 1 or len(function.own_params) != 1:
        return None
    plain = [a for a in call.args if not a.star and not a.keyword]
    return function if len(plain) == len(call.args) == 1 else None


def _place(shift: Shift, split: Split, old: Scope, new: Scope, at: int) -> Iterator[int]:
    """The index of the new scope's part in one form of key, if the part at the given one is the old scope's."""
    if new not in shift.scopes or shift.by % len(shift.scopes) or not shift.by:
        return
    length = len(shift.parts)
    number = at + length if at < 0 else at + split.taken
    name = shift.parts[number] if 0 <= number < length else None
    if name is None or not names_scope(name, old):
        return
    step = shift.by // len(shift.scopes)
    place = shift.start + step * (shift.scopes.index(new) + 1) - 1
    yield place - split.taken if at >= 0 else place - length - shift.by
