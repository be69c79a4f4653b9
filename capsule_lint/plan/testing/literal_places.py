"""Where tests write texts out: what a text is the value of, what it is compared with, and what makes that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.reach import PLAIN, Reach, returning
from capsule_lint.plan.testing.elements import elements, position, yielding
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from capsule_lint.plan.testing.elements import Position
    from capsule_lint.plan.testing.row_keys import RowKeys
    from capsule_lint.plan.testing.shared import Shared
    from capsule_lint.program import Program

_EXPECTING: Final = ("raises", "match", "search", "fullmatch", "warns")
"""Functions by which a test says what text it expects."""
_ALIKE: Final = ("==", "!=", "in", "not in")
_MAX_DEPTH: Final = 4


class LiteralPlaces(Struct, frozen=True):
    """Answers questions about what stands around a literal."""

    program: Program
    reach: Reach
    shared: Shared
    rows: RowKeys

    def is_key(self, node: tree.Node, made_by: set[Function] | None = None) -> bool:
        """Whether a literal stands where a key does: `{"PK": "t#1"}`, `get(pk="t#1")`, `row["PK"] == "t#1"`,
        or first in a tuple, in a test that runs one of `made_by`, if that is asked for."""
        return any(self._is_key(place, made_by) for place in self.shared.stands(node))

    def _is_key(self, node: tree.Node, made_by: set[Function] | None) -> bool:
        program = self.program
        parent, test = program.names.parent(node), program.names.function_of(node)
        if isinstance(parent, tree.Sequence) and parent.kind == "tuple":
            runs = self.reach.of(test) if made_by is not None and test is not None else set()
            return parent.items[0] is node and (made_by is None or bool(made_by & runs))
        if program.policy.is_key_name(self._keyword_of(node)):
            return True
        named = any(program.keys.key_name(name) for name in self._names_of(node))
        return named or self._is_in_rows(node, program.policy.is_key_name)

    def is_sort_key(self, node: tree.Node) -> bool:
        """Whether a literal stands where a sort key does: `{"SK": "t#1"}`, `table.rows["TENANT#t", "t#1"]`."""
        return any(map(self._is_sort_key, self.shared.stands(node)))

    def _is_sort_key(self, node: tree.Node) -> bool:
        constant, is_sort = self.program.templates.constant, self.program.policy.is_sort_key_name
        names = (constant(name) or "" for name in self._names_of(node))
        given = [constant(name) or "" for name in self._given_names(node)]
        known = self._is_given_as_sort_key(node) or any(map(is_sort, names))
        known = known or (bool(given) and all(map(is_sort, given)))
        return known or self._is_in_rows(node, is_sort)

    def _is_in_rows(self, node: tree.Node, is_so: Callable[[str], bool]) -> bool:
        """Whether a literal stands where a table of the tests has an attribute that is called so."""
        pair = self.program.names.parent(node)
        whole = self.shared.stands(pair) if isinstance(pair, tree.Sequence) else [node]
        return self.rows.is_called(node, ((place, self.sides(place)) for place in whole), is_so)

    def is_both(self, node: tree.Node) -> bool:
        """Whether a helper of tests puts one literal both where a key stands and where a sort key does, or compares it
        with both."""
        program, names = self.program, self._taken_as(node)
        texts = (program.templates.constant(name) or "" for name in names)
        is_sort_key = any(map(program.policy.is_sort_key_name, texts))
        return is_sort_key and any(map(program.keys.key_name, names))

    def _is_given_as_sort_key(self, node: tree.Node) -> bool:
        """Whether a literal is given to what takes a sort key there."""
        call, takes = (
            self.program.names.parent(node),
            self.program.keys.positions.strays.sort_keys.takes,
        )
        given = call.args if isinstance(call, tree.Call) else ()
        return isinstance(call, tree.Call) and any(
            takes(call, argument) for argument in given if argument.value is node
        )

    def _given_names(self, node: tree.Node) -> list[tree.Node]:
        """The expressions that say which attributes of items functions give, which a literal is compared with."""
        at = position(self.program, node)
        makers = yielding(self.program, self.sides(node), at)
        return self._attributes([v for maker in makers for v in maker.returns], at)

    def _keyword_of(self, node: tree.Node) -> str:
        """The name of the parameter that a literal is passed to."""
        parent, calls = self.program.names.parent(node), self.program.calls
        if not isinstance(parent, tree.Call) or parent.func is node:
            return ""
        given = [argument for argument in parent.args if argument.value is node]
        return next((a.keyword or calls.parameter_of(parent, a) or "" for a in given), "")

    def _names_of(self, node: tree.Node, depth: int = 0) -> list[tree.Node]:
        """The expressions that say which attribute of an item a literal is the value of."""
        parent = self.program.names.parent(node)
        if isinstance(parent, tree.DictDisplay):
            if [tree.text(key) for key in parent.keys if key is not None] == ["S"]:
                return self._names_of(parent, depth)
            return [key for key in parent.keys_for(node) if key is not None]
        at = position(self.program, node)
        return [*self._attributes(self.sides(node), at), *self._taken_as(node, depth)]

    def _taken_as(self, node: tree.Node, depth: int = 0) -> list[tree.Node]:
        """The expressions that say it of the parameter of a helper of tests that a literal is given for."""
        call, name = self.program.names.parent(node), self._keyword_of(node)
        callees = self.program.calls.callees(call) if name and isinstance(call, tree.Call) else ()
        helpers = [c.function for c in callees if c.function and c.function.module.is_test]
        reads = [r for helper in helpers for r in self.program.names.called(helper, name)]
        return [v for r in reads if depth < _MAX_DEPTH for v in self._names_of(r, depth + 1)]

    def _attributes(self, nodes: Iterable[tree.Node], at: Position | None) -> list[tree.Node]:
        """The expressions that say which attributes of items others are, or have in them."""
        each = (one for node in nodes for one in elements(self.program, node, at))
        whole = (behind(self.program.names, one) for one in each)
        return [one.index for one in whole if isinstance(one, tree.Subscript)]

    def is_named(self, node: tree.Node) -> bool:
        """Whether the name of an entry or an attribute says what a literal is, or what it is compared with:
        `{"path": "t/x"}`, `row["path"]`, `order.slug`."""
        if any(map(self._is_entry, self.shared.stands(node))):
            return True
        at = position(self.program, node)
        sides = (side for place in self.shared.stands(node) for side in self.sides(place))
        each = (
            behind(self.program.names, one) for s in sides for one in elements(self.program, s, at)
        )
        return any(isinstance(one, tree.Attr | tree.Subscript) for one in each)

    def _is_entry(self, node: tree.Node) -> bool:
        display = self.program.names.parent(node)
        keys = display.keys_for(node) if isinstance(display, tree.DictDisplay) else ()
        return any(tree.text(key) is not None for key in keys)

    def is_part(self, node: tree.Node) -> bool:
        """Whether an expression is no text of its own: it is part of an f-string or of a sum."""
        parent = self.program.names.parent(node)
        return isinstance(parent, tree.FString) or (
            isinstance(parent, tree.Binary) and parent.op == "+"
        )

    def is_expected(self, node: tree.Node) -> bool:
        """Whether a literal stands in a comparison or in an assertion's call."""
        return any(map(self._is_expected, self.shared.stands(node)))

    def _is_expected(self, node: tree.Node) -> bool:
        return any(
            isinstance(around, tree.Compare)
            or (isinstance(around, tree.Call) and last_name(around.func) in _EXPECTING)
            or (isinstance(around, tree.Call) and last_name(around.func).startswith("assert"))
            for around in self.around(node)
        )

    def is_said(self, node: tree.Node) -> bool:
        """Whether a text is compared as it is, or as it is looked for: `match=re.escape(text)`."""
        parent = self.program.names.parent(node)
        is_told = isinstance(parent, tree.Call) and last_name(parent.func) in (
            *_EXPECTING,
            "escape",
        )
        return is_told or isinstance(parent, tree.Compare)

    def is_looped(self, node: tree.Node) -> bool:
        """Whether a literal stands in one of several rows that are gone through together: `zip(made(), ["t#1"])`."""
        return any(
            isinstance(around, tree.Call) and last_name(around.func) in ("zip", "zip_longest")
            for place in self.shared.stands(node)
            for around in self.around(place)
        )

    def expecting(self, node: tree.Node) -> Iterator[tree.Node]:
        """Where a literal, or what a name stands for that has it in it, is compared or asserted."""
        if self._is_expected(node):
            yield node
            return
        *_, outer = node, *self.around(node)
        kept = self.program.names.parent(outer)
        if isinstance(kept, tree.Assign):
            yield from filter(self._is_whole, self.program.records.uses(kept))

    def _is_whole(self, node: tree.Node) -> bool:
        """Whether something is compared as it is, or what its own methods make of it."""
        inner = node
        for around in self.around(node):
            match around:
                case tree.Compare(ops=(op,)):
                    return op in _ALIKE
                case tree.Call() if around.func is not inner:
                    name = last_name(around.func)
                    return name.startswith("assert") or name in _EXPECTING
            inner = around
        return False

    def around(self, node: tree.Node) -> Iterator[tree.Node]:
        """What an expression is part of, innermost first."""
        names = self.program.names
        current = names.parent(node)
        while isinstance(current, tree.Expr):
            yield current
            current = names.parent(current)

    def running(self, node: tree.Node) -> set[Function]:
        """The functions that may make what a literal is compared with: those of the other side, or,
        where that comes from elsewhere, those that the test runs."""
        places = self.shared.stands(node)
        made = {f for place in places for side in self.sides(place) for f in self.makers(side)}
        reached = self.reach.of(*made)
        if any(not function.module.is_test for function in reached):
            return reached
        return self.reach.of(*self.readers(node))

    def run_beside(self, node: tree.Node) -> set[Function]:
        """The functions that run in the tests that read a literal."""
        return self.reach.of(*self.readers(node))

    def readers(self, node: tree.Node) -> list[Function]:
        """The functions in which a literal is read, and the tests that use what it is part of."""
        places = self.shared.stands(node)
        own = map(self.program.names.function_of, places)
        users = (test for place in places for test in self.shared.users(place))
        return list(dict.fromkeys(f for f in (*own, *users) if f is not None))

    def only_by(self, node: tree.Node) -> set[Function] | None:
        """All functions that may make what a literal is compared with; `None` where they are not all known."""
        sides = [self.sides(place) for place in self.shared.stands(node)]
        if not all(sides):
            return None
        return self.only_in(side for beside in sides for side in beside)

    def only_in(self, nodes: Iterable[tree.Node]) -> set[Function] | None:
        """All functions that may make what some expressions give; `None` where they are not all known."""
        found: set[Function] = set()
        for node in nodes:
            made = behind(self.program.names, node) or node
            known = self.program.templates.template(made)
            # a key that has a name changes, or stays, with all that is asked of it
            for one in within(node if known is not None else made):
                run = self._made_by(one)
                if run is None:
                    return None
                found |= run
        return self.reach.all_of(*found) or None

    def _made_by(self, node: tree.Node) -> set[Function] | None:
        """The functions that an expression runs by itself, if it is known what it gives."""
        parent = self.program.names.parent(node)
        is_called = isinstance(parent, tree.Call) and parent.func is node
        is_argument = isinstance(parent, tree.Call) and not is_called
        match node:
            case tree.Const():
                return set()
            case tree.FString():
                return set(self.reach.by(node))
            case tree.Name() if isinstance(parent, tree.FString):
                said = behind(self.program.names, node)
                return set() if said is not None and tree.text(said) is not None else None
            case tree.Name() if is_argument and self._given_by(node):
                return None
            case tree.Name() if self._is_looked_into(node):
                return self._given_by(node)
            case tree.Name():
                return set() if is_called or is_argument else None
            case tree.Call():
                known = self.program.calls.callees(node)
                helpers = [c.function for c in known if c.function and c.function.module.is_test]
                if any(node.args or self._looks_around(helper) for helper in helpers):
                    return None  # it looks at what it is given, or at what there is
                plain = isinstance(node.func, tree.Name) and node.func.id in PLAIN
                return set(self.reach.by(node)) if known or plain else None
            case tree.Attr():
                run = set(self.reach.by(node)) if not is_called else set()
                seen = any(one.module.is_test and self._looks_around(one) for one in run)
                return run if (run and not seen) or is_called else None
            case _:
                return None

    def _looks_around(self, helper: Function) -> bool:
        """Whether a helper of tests looks at what its object has, or at what its module keeps: a table of theirs."""
        names = self.program.names
        return any(
            node.id == helper.self_name
            or any(
                b.is_global and b.kind == "assign" and not isinstance(b.value, tree.Const)
                for b in names.bindings_of(node)
            )
            for node in names.inside(helper)
            if isinstance(node, tree.Name)
        )

    def _given_by(self, name: tree.Name) -> set[Function]:
        """The functions of the program that give what a name is, which may have a key in it: a cursor, a pair; also
        by way of what is not known, `run(repo.page())`, and of what pytest gives a parameter."""
        queue = [binding.value for binding in self.program.names.bindings_of(name)]
        queue += self.shared.spelled(name)
        found: set[Function] = set()
        while queue:
            value = queue.pop()
            if isinstance(value, tree.Wrapped):
                queue.append(value.value)
            elif isinstance(value, tree.Call):
                callees = self.program.calls.callees(value)
                found |= {c.function for c in callees if c.function is not None and c.cls is None}
                if all(c.function is None and c.cls is None for c in callees):
                    queue += [argument.value for argument in value.args]
        return found

    def _is_looked_into(self, name: tree.Name) -> bool:
        parent = self.program.names.parent(name)
        return isinstance(parent, tree.Attr) and parent.base is name

    def makers(self, side: tree.Node, depth: int = 0) -> Iterator[Function]:
        """The functions of the program that an expression runs, through locals."""
        names = self.program.names
        queue = [side]
        while queue:
            node = queue.pop()
            queue += node.below()
            yield from self.reach.by(node)
            if isinstance(node, tree.Name) and depth < _MAX_DEPTH:
                for binding in names.bindings_of(node):
                    if binding.kind == "assign" and binding.value is not None:
                        yield from self.makers(binding.value, depth + 1)

    def sides(self, node: tree.Node) -> list[tree.Node]:
        """What a literal, or the display that it stands in, is compared with."""
        inner = node
        for around in self.around(node):
            match around:
                case tree.Compare():
                    return [s for s in (around.left, *around.rights) if s is not inner]
                case tree.Call() if last_name(around.func).startswith("assert"):
                    return [a.value for a in around.args if a.value is not inner]
                case tree.Call():
                    return []
                case tree.Subscript() if around.index is inner:
                    return []  # it says where to look
            inner = around
        return []

    def beside(self, node: tree.Node) -> list[tree.Node]:
        """What says whose key a literal is: what it is compared with, or what stands in the same row of a
        table that is no function's, as that of `parametrize`."""
        sides, names = self.sides(node), self.program.names
        parent = names.parent(node)
        if sides or names.function_of(node) is not None:
            return sides
        match parent:
            case tree.Sequence(kind="tuple" | "list", items=items):
                row = items
            case tree.Call() if last_name(parent.func) == "param":
                row = tuple(parent.plain)
            case _:
                return []
        return [one for one in row if isinstance(one, tree.Call)]

    def compared_with(self, node: tree.Node) -> set[Function]:
        """The functions whose result a literal, or a name for it, is compared with, and those that they return."""
        places = self.shared.stands(node)
        return returning(self.program, *(side for place in places for side in self.sides(place)))

    def taken_out_of(self, node: tree.Node) -> set[Function]:
        """The functions that give what a literal is compared with, also as one of several: `first, *_ = made()`."""
        found: set[Function] = set()
        at = position(self.program, node)
        for place in (*self.shared.stands(node), *self.expecting(node)):
            found |= yielding(self.program, self.sides(place), at)
        return found
