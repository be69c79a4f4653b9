"""Keys of caches that a function goes on making of one scope, though it is told another one as well: what
they find may be the other's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.foreign_caches import is_cache
from capsule_lint.plan.memory.key_hosts import ask_around
from capsule_lint.plan.memory.keyed_methods import KEYLESS, is_keyed
from capsule_lint.plan.memory.local_notes import left_out_of_key
from capsule_lint.plan.memory.wrapped_keys import inner_of
from capsule_lint.program.local_names import behind, given
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import hole_name, names_any_of, names_scope, words
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.plan.state import Knot
    from capsule_lint.plan.taken_apart.reads import Reader
    from capsule_lint.plan.taken_apart.scope_parts import ScopeParts
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function

_KEYS: Final = ("key", "cache_key", "name")
"""What arguments are called that are keys."""
_MADE: Final = (tree.Sequence, tree.FString, tree.Binary, tree.Call, tree.DictDisplay)
"""What a key may be made by."""
_ADDRESSES: Final = frozenset(("url", "uri", "host", "endpoint"))
_WRITING: Final = frozenset(("write_text", "write_bytes", "mkdir", "touch"))
_MAX_DEPTH: Final = 3


class Leaks(Struct, frozen=True):
    """Finds such keys once it is settled which functions gain parameters."""

    local: LocalKeys

    def note(self) -> None:
        """Make the changes unsafe that would leave such a key behind."""
        program = self.local.program
        gaining = {
            function: gained
            for function, gained in self.local.state.params.items()
            if not function.module.is_test and function.owner not in program.domain.apart
        }
        for function in gaining:
            for scope in gaining[function].values():
                others = program.policy.others(scope)
                found = [program.domain.scope_parameter(function, s) for s in others]
                told = {p.name for p in found if p is not None}
                if told:
                    self._note_in(("function", function), self._made_in(function), scope, told)
        for number, gains in self.local.state.lambdas.items():
            body = self.local.state.lambda_nodes[number].body
            if not program.names.module_of(body).is_test:
                for scope in program.policy.scopes:
                    gain = gains.get(scope.parameter)
                    if gain is not None:
                        made = (n for n in within(body) if isinstance(n, _MADE))
                        self._note_in(("lambda", number), made, scope, {gain.beside})

    def _note_in(
        self, knot: Knot, made: Iterable[tree.Node], scope: Scope, told: set[str]
    ) -> None:
        for node in made:
            if self._is_left(node, scope, told) and self._is_key(node, 0):
                self._note(knot, node, scope)

    def parsed(self, readers: Iterable[Reader], parts: ScopeParts) -> None:
        """The same where the other scope comes out of a key, by a function that goes on yielding no more
        than that: `counts[parse_pk(pk)] += 1`, `counts[tenant_of(pk), day] += 1`."""
        program = self.local.program
        readers = [r for r in readers if not r.module.is_test]
        for reader in readers:
            self._unpacked(reader)
            self._handed(reader, parts)
        for function, scope, knot in (*self._parsers(readers), *self._of_one(parts)):
            callers = [program.names.function_of(c) for c, _ in program.calls.callers(function)]
            judged = dict.fromkeys(c for c in callers if c is not None and not c.module.is_test)
            for caller in judged:
                for node in self._made_in(caller):
                    told = self._told_by(node, function)
                    if self._is_left_of(node, function, scope, told):
                        self._note_left(knot, node, scope, told)

    def _of_one(self, parts: ScopeParts) -> Iterator[tuple[Function, Scope, Knot]]:
        """The functions that yield the other scope's part of a key which gains one, and nothing else:
        `return pk.split("#")[1]`."""
        program = self.local.program
        scopes, seen = program.policy.scopes, set[int]()
        for call in program.calls.uses.calls_beside("split"):
            function = program.names.function_of(call)
            if function is None or id(function) in seen or function.module.is_test:
                continue
            seen.add(id(function))
            for value in function.returns:
                for scope in scopes if isinstance(value, tree.Subscript) else ():
                    for old in program.policy.others(scope):
                        part = parts.beside(value, old, scope)
                        if part is not None and part.knot is not None:
                            yield function, scope, part.knot

    def _unpacked(self, reader: Reader) -> None:
        """The same where the key is taken apart in the function itself."""
        function = self.local.program.names.function_of(reader.node)
        if function is None or not isinstance(reader.node, tree.Sequence):
            return
        names = {one.id for one in reader.node.items if isinstance(one, tree.Name)}
        others = [s for s in self.local.program.policy.scopes if s not in reader.scopes]
        told = {name for name in names if names_any_of(name, others)}
        for scope in reader.scopes:
            for node in self._made_in(function) if told else ():
                if self._is_left(node, scope, told):
                    self._note_left(reader.knot, node, scope, told)
            for node in self._nested_in(function, told, names - told):
                self._note(reader.knot, node, scope)

    def _handed(self, reader: Reader, parts: ScopeParts) -> None:
        """The same where parts of the key are given to a function: `bump(pk.split("#")[1], pk.split("#")[3])`."""
        program = self.local.program
        function = program.names.function_of(reader.node)
        inside = list(program.names.inside(function)) if function is not None else []
        for scope in reader.scopes:
            told = {
                id(one)
                for one in inside
                if isinstance(one, tree.Subscript)
                and any(parts.beside(one, s, scope) for s in program.policy.others(scope))
            }
            for node in inside if told else ():
                if isinstance(node, tree.Call) and self._is_left(node, scope, told):
                    self._note_left(reader.knot, node, scope, told)

    def _nested_in(
        self, function: Function, told: set[str], names: set[str]
    ) -> Iterator[tree.Node]:
        """The names by which something is found that goes by another name in its turn:
        `counts[tenant_id][meter_id]`, `meters.setdefault(tenant_id, set()).add(meter_id)`."""
        parent = self.local.program.names.parent
        inside = self.local.program.names.inside(function) if told else ()
        for node in inside:
            if not isinstance(node, tree.Name) or node.id not in told:
                continue
            outer = parent(node)
            if not isinstance(outer, tree.Subscript | tree.Call) or not self._is_key(node, 0):
                continue
            if isinstance(outer, tree.Call) and self.local.program.calls.callees(outer):
                continue
            around = parent(outer)
            used = parent(around) if isinstance(around, tree.Attr) else around
            match used:
                case tree.Subscript(base=base, index=index) if base is outer:
                    inner = [index]
                case tree.Call(func=tree.Attr(base=base), args=args) if base is outer:
                    inner = [a.value for a in args]
                case _:
                    inner = []
            if any(isinstance(n, tree.Name) and n.id in names for i in inner for n in within(i)):
                yield node

    def _note_left(
        self, knot: Knot, node: tree.Node, scope: Scope, told: Container[str | int]
    ) -> None:
        """Note what is such a key, or what makes one of such values in a function that they are given to."""
        if self._is_key(node, 0):
            self._note(knot, node, scope)
        if not isinstance(node, tree.Call):
            return
        for callee in self.local.program.calls.callees(node):
            function = callee.function
            if function is None or function in self.local.state.params:
                continue
            named = {name for name, a in callee.arguments(node).items() if _is_told(a.value, told)}
            for inner in self._made_in(function) if named else ():
                if self._is_left(inner, scope, named) and self._is_key(inner, 0):
                    self._note(knot, inner, scope)

    def _note(self, knot: Knot, node: tree.Node, scope: Scope) -> None:
        reason = left_out_of_key(scope)
        ask_around(self.local.program, node)
        names = self.local.program.names
        for home, keys in self.local.asked.items():
            if any(behind(names, key) is node for key in keys):
                self.local.table.tie(home, knot)
        self.local.notes.obstacle(knot, node, reason)

    def _made_in(self, function: Function) -> Iterator[tree.Node]:
        """What keys may be made by in a function."""
        return (n for n in self.local.program.names.inside(function) if isinstance(n, _MADE))

    def _parsers(self, readers: Iterable[Reader]) -> Iterator[tuple[Function, Scope, Knot]]:
        """The functions that yield one scope's value out of a key, and not those of the other scopes."""
        program = self.local.program
        for reader in readers:
            function = program.names.function_of(reader.node)
            if function is None:
                continue
            said = [hole_name(one) for value in function.returns for one in within(value)]
            for scope in reader.scopes:
                others = program.policy.others(scope)
                has = any(names_scope(name, s) for s in others for name in said)
                if has and not any(names_scope(name, scope) for name in said):
                    yield function, scope, reader.knot

    def _told_by(self, node: tree.Node, function: Function) -> set[str | int]:
        """What in an expression has what a function yields: names, and calls of it."""
        names, told = self.local.program.names, set[str | int]()
        for one in within(node):
            if isinstance(one, tree.Name):
                bound = names.bindings_of(one)
                values = [v for b in bound for v in (b.value, given(b)) if v is not None]
                if any(self._calls(value, function) for value in values):
                    told.add(one.id)
            elif one is not node and self._calls(one, function):
                told.add(id(one))
        return told

    def _is_left_of(
        self, node: tree.Node, function: Function, scope: Scope, told: set[str | int]
    ) -> bool:
        """Whether something is made of what a function yields out of a key, or is that itself."""
        if isinstance(node, tree.Call) and self._calls(node, function):
            return any(isinstance(value, tree.Sequence) for value in function.returns)
        scopes = self.local.program.policy.others(scope)
        said = [hole_name(one) for one in within(node)]
        direct = any(isinstance(one, int) for one in told)
        has = direct or any(names_scope(name, s) for name in said for s in scopes)
        return bool(told) and has and self._is_left(node, scope, told)

    def _calls(self, node: tree.Node, function: Function) -> bool:
        callees = self.local.program.calls.callees(node) if isinstance(node, tree.Call) else ()
        return any(callee.function is function for callee in callees)

    def _is_left(self, node: tree.Node, scope: Scope, told: Container[str | int]) -> bool:
        """Whether something is made of another scope's value and of more, and not of this one's."""
        program = self.local.program
        if self.local.notes.is_settled(node) or program.keys.at(node) is not None:
            return False
        match node:
            case tree.Sequence(kind="tuple", items=items):
                parts = list(items)
                if any(self._is_changing_key(one) for one in parts):
                    return False
            case tree.DictDisplay() if not any(map(program.keys.key_name, node.keys)):
                parts = [] if self.local.notes.says(node, scope) else list(node.values)
            case tree.Call(func=tree.Attr(name="join"), args=(argument,)):
                parts = [one for one in within(argument.value) if isinstance(one, tree.Name)]
            case _ if tree.makes_text(node):
                said = list(tree.said_in(node))
                parts = [] if _is_address(said) else [p for p in said if not isinstance(p, str)]
            case tree.Call():
                callees = program.calls.callees(node)
                functions = [c.function for c in callees if c.function is not None]
                settled = any(f in self.local.state.params for f in functions)
                settled |= any(self._gains(c.cls, scope) for c in callees if c.cls is not None)
                settled |= any(map(self._makes_address, functions))
                told_of = node.args if functions and not settled else ()
                parts = [part for argument in told_of for part in self._given(argument)]
            case _:
                return False
        values = [one for part in parts for one in within(part)]
        return (
            len(parts) > 1
            and any(_is_told(one, told) for one in values)
            and not any(names_scope(hole_name(one), scope) for one in values)
        )

    def _given(self, argument: tree.Argument) -> tuple[tree.Node, ...]:
        """What an argument gives: itself, or what it spreads, also by way of a local."""
        value = argument.value
        if not argument.star:
            return (value,)
        return tree.items(behind(self.local.program.names, value) or value)

    def _makes_address(self, function: Function) -> bool:
        """Whether what a function gives back is an address, and no key."""
        made = [behind(self.local.program.names, value) for value in function.returns]
        texts = [one for one in made if one is not None and tree.makes_text(one)]
        return bool(texts) and all(_is_address(list(tree.said_in(one))) for one in texts)

    def _is_changing_key(self, node: tree.Node) -> bool:
        """Whether an expression is a key of the table's, which is going to have all scopes."""
        program = self.local.program
        if program.keys.at(behind(program.names, node) or node) is not None:
            return True
        return any(
            helper in self.local.state.params for helper in program.keys.results.helpers_in(node)
        )

    def _gains(self, cls: Class, scope: Scope) -> bool:
        """Whether objects of a class are going to have a scope."""
        mro = self.local.program.classes.mro(cls)
        return any(self.local.state.gains(home, scope) for home in mro)

    def _changes(self, call: tree.Call) -> bool:
        """Whether all that a call may call gains a scope, or has every one: whatever else takes `**key` keeps by that."""
        domain, scopes = self.local.program.domain, self.local.program.policy.scopes
        called = [one.function for one in self.local.program.calls.callees(call)]
        return bool(called) and all(
            one is not None
            and (
                self.local.state.params.get(one)
                or all(domain.scope_parameter(one, s) for s in scopes)
            )
            for one in called
        )

    def _is_key(self, node: tree.Node, depth: int) -> bool:
        """Whether something is looked up by a value, here or under a local name."""
        program = self.local.program
        outer = self._around(node)
        if outer is not None:
            return self._is_key(outer, depth)
        parent = program.names.parent(node)
        match parent:
            case tree.Subscript():
                return parent.index is node
            case tree.Compare(ops=("in" | "not in",)):
                return parent.left is node
            case tree.Call(func=tree.Attr() as func):
                told = next((a for a in parent.args if a.value is node), None)
                if told is not None and told.star and self._changes(parent):
                    return False  # these are its arguments, and change with what it takes
                keyword = told.keyword if told is not None else None
                first = bool(parent.args) and parent.args[0].value is node
                cached = is_cache(last_name(func.base)) and func.name not in KEYLESS
                keyed = cached or is_keyed(func.name)
                return keyed and (first or keyword in _KEYS)
            case tree.Assign(targets=(tree.Name(),)) if depth < _MAX_DEPTH:
                return any(self._is_key(use, depth + 1) for use in program.records.uses(parent))
            case tree.Binary(op="/") if parent.right is node:  # the name of a file
                return tree.makes_text(node) and not self._is_only_written(parent, depth)
            case tree.Boolean() | tree.Conditional():
                return self._is_key(parent, depth)
            case _:
                return False

    def _is_only_written(self, node: tree.Node, depth: int) -> bool:
        """Whether nothing is done with the path of a file but write it: nobody finds anything by it."""
        parent = self.local.program.names.parent(node)
        used = self.local.program.names.parent(parent)
        match parent:
            case tree.Attr(name=name) if isinstance(used, tree.Call) and used.func is parent:
                return name in _WRITING or (name == "open" and _is_for_writing(used.args[:1]))
            case tree.Attr(name="parent" | "name"):
                return True
            case tree.Call(func=tree.Name(id="open")):
                return _is_for_writing(parent.args[1:2])
            case tree.Assign(targets=(tree.Name(),)) if depth < _MAX_DEPTH:
                uses = self.local.program.records.uses(parent)
                return all(self._is_only_written(one, depth + 1) for one in uses)
            case tree.FString():
                return True
            case _:
                return False

    def _around(self, node: tree.Node) -> tree.Node | None:
        """What makes another key of one, or of what it is made of."""
        parent_of = self.local.program.names.parent
        parent = parent_of(node)
        outer = parent_of(parent) if isinstance(parent, tree.Attr) else parent
        if isinstance(outer, tree.Call | tree.Subscript) and inner_of(outer) is node:
            return outer
        return None


def _is_for_writing(args: Sequence[tree.Argument]) -> bool:
    """Whether the mode in which a file is opened is one for writing it."""
    mode = tree.text(args[0].value) if args and args[0].keyword in (None, "mode") else None
    return mode is not None and mode[:1] in ("w", "a", "x") and "+" not in mode


def _is_told(node: tree.Node, told: Container[str | int]) -> bool:
    """Whether an expression has a value that is told by its name, or by itself."""
    return id(node) in told or (isinstance(node, tree.Name) and node.id in told)


def _is_address(said: Sequence[str | tree.Node]) -> bool:
    """Whether a text is that of a page, or of something on a server: no cache goes by that."""
    first = said[0] if said else ""
    if not isinstance(first, str):
        return not _ADDRESSES.isdisjoint(words(hole_name(first)))
    return first.startswith("/") or "://" in first
