"""Comparisons that tell rows apart by one scope, where another one tells them apart too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, rename, renamed_item_access, text_of
from capsule_lint.plan.entities.displays import entry_of
from capsule_lint.plan.memory.narrowed import Narrowed
from capsule_lint.plan.memory.row_predicates import RowPredicates
from capsule_lint.plan.memory.tuple_sides import shorter_of, sides_of
from capsule_lint.plan.state import Want
from capsule_lint.program.containers import LISTED
from capsule_lint.program.inference.types import Instance, classes_of, ordered
from capsule_lint.program.model import Class, Function, enclosing, owner_of
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.entities.rows import Rows
    from capsule_lint.plan.memory.key_classes import KeyClasses
    from capsule_lint.plan.memory.key_needs import KeyNeeds
    from capsule_lint.plan.memory.local_notes import LocalDefect, LocalNotes
    from capsule_lint.plan.memory.told_by_calls import ToldByCalls
    from capsule_lint.plan.memory.tuple_sides import Shorter
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.names import Names


class Filter(Struct, frozen=True):
    """A comparison of a scope's value of a row (`left`) with the one that is asked for (`right`)."""

    node: tree.Compare
    left: tree.Node
    right: tree.Node
    scope: Scope
    inside: tuple[tree.Sequence, ...] = ()
    """The two tuples that are compared, where both sides are one."""


@dataclass(eq=False, slots=True)
class LocalFilters:
    """Finds the filters of repositories and the comparisons of `__eq__`."""

    program: Program
    notes: LocalNotes
    needs: KeyNeeds
    classes: KeyClasses
    rows: Rows
    told: ToldByCalls
    _asking: dict[tuple[object, ...], tree.Compare] = field(default_factory=dict)
    """Which comparison of a condition is the one beside which a scope is asked for, by row and scope."""

    @property
    def predicates(self) -> RowPredicates:
        """Who asks functions that say whose a row is."""
        return RowPredicates(self.program)

    def judge(self, node: tree.Compare) -> None:
        """Note what a comparison lacks that stands in a method of a repository, or of what tells its rows apart."""
        if node.ops[0] not in ("==", "!="):
            return
        function = self.program.names.function_of(node)
        owner = owner_of(function)
        if function is None:
            return
        own = owner is not None and (
            owner in self.program.domain.repositories or self._is_specification(owner, function)
        )
        if owner is not None and not own and not self.predicates.may_be(function):
            return
        found = list(self._filters(node))
        if not found:
            return
        of = owner if own else self._asked_for(found[0], owner, function)
        if of is not None:
            self._add(found, of, function)

    def _asked_for(
        self, found: Filter, owner: Class | None, function: Function
    ) -> Class | Home | None:
        """For whom a comparison outside of repositories filters rows."""
        home = self._kept_at(found.left) if owner is None else None
        asking = self.predicates.asked_by(function, found.right) if home is None else []
        asking.sort(key=lambda cls: len(self.needs.required(cls, function, cls.module)))
        return home or (asking[-1] if asking else None)

    def _kept_at(self, node: tree.Node) -> Home | None:
        """Where a module, or a function for those that it makes, keeps the rows of which one is told by a scope."""
        row = _row(node)
        bound = self.program.names.bindings_of(row) if isinstance(row, tree.Name) else ()
        rows = Narrowed(self.program.names).gone_through(bound[0]) if len(bound) == 1 else None
        home = self.needs.collections.of(listed(rows)) if rows is not None else None
        return home if home is not None and not isinstance(home[0], Class) else None

    def _is_specification(self, cls: Class, function: Function) -> bool:
        """Whether a method only says if an entity is one that its object asks for, `OfTenant(tenant_id).holds(order)`,
        and the object is none of these itself."""
        domain, own = self.program.domain, function.own_params
        keeps = cls in domain.entities or self.program.classes.is_data(cls)
        if not keeps or len(own) != 1:
            return False
        given = classes_of(domain.parameter_types(function, own[0]))
        asked = bool(given & domain.entities) and cls not in given
        body = function.fact.body[function.fact.doc :]
        return asked and len(body) == len(function.returns) == 1

    def judge_kept(self, node: tree.Compare, owner: Class, function: Function) -> None:
        """The same of a comparison in a class that keeps such objects, and is no repository."""
        found = list(self._filters(node))
        if found:
            self._add(found, owner, function)

    def _filters(self, node: tree.Compare) -> Iterator[Filter]:
        """The scopes of a row that a comparison asks for."""
        for one, other, inside in sides_of(node, self.program.policy.scopes):
            for left, right in ((one, other), (other, one)):
                for scope in self.program.policy.scopes:
                    if self._reads(left, scope, right) and self._is_asked(right, scope):
                        yield Filter(node, left, right, scope, inside)

    def otherwise(self, node: tree.Compare) -> Iterator[Filter]:
        """The scopes of a row that a comparison in a repository asks for by something else, by another scope's value, and
        that are not asked for by their own besides."""
        owner = owner_of(self.program.names.function_of(node))
        if node.ops not in (("==",), ("!=",)) or owner not in self.program.domain.repositories:
            return
        for one, other, inside in sides_of(node, self.program.policy.scopes):
            for left, right in ((one, other), (other, one)):
                for scope in self.program.policy.scopes:
                    if self._reads(left, scope, right) and not self._is_asked(right, scope):
                        found = Filter(node, left, right, scope, inside)
                        if _row_of(right) != _row_of(left) and scope not in self.beside(found):
                            yield found

    def beside(self, found: Filter) -> list[Scope]:
        """The scopes of the row that the same condition asks for by their values."""
        beside = _compared_beside(self.program.names, found.node)
        every = (one for node in beside for one in self._filters(node))
        return [one.scope for one in every if _row_of(one.left) == _row_of(found.left)]

    def _is_asked(self, node: tree.Node, scope: Scope) -> bool:
        """Whether an expression is a scope's value, and no row's: its name says so, or all who call its function do."""
        is_value = self.program.domain.held.is_value
        function = self.program.names.function_of(node)
        if not is_value(node, scope) and isinstance(node, tree.Name) and function is not None:
            self.told.parameters((node,), function)
        return is_value(node, scope) and not self._is_of_key(node)

    def _is_of_key(self, node: tree.Node) -> bool:
        """Whether a name is a part of the keys that a loop goes through: what that is compared with asks for rows, and is
        none, `tenant_id == scope.tenant_id`."""
        bound = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        if len(bound) != 1 or bound[0].kind != "for" or bound[0].path[:1] != (0,):
            return False
        value = bound[0].value
        return value is not None and self.needs.collections.of(listed(value)) is not None

    def judge_identity(self, node: tree.Compare, cls: Class, method: Function) -> None:
        """`self.tenant_id == other.tenant_id`."""
        left, right = node.left, node.rights[0]
        if not isinstance(left, tree.Attr) or not isinstance(right, tree.Attr):
            return
        for scope in self.program.policy.scopes:
            is_value = self.program.domain.held.is_value
            if node.ops[0] == "==" and is_value(left, scope) and is_value(right, scope):
                self._add([Filter(node, left, right, scope)], cls, method)
                return

    def _reads(self, node: tree.Node, scope: Scope, asked: tree.Node) -> bool:
        """Whether an expression is a scope's value of an entity, or of a dict that stands for one: of `self` as well, in
        a method of the entity that is told what is `asked` for."""
        if isinstance(node, tree.Attr):
            if not names_scope(hole_name(node), scope):
                return False
            own = _is_self(node.base) and not isinstance(asked, tree.Name)
            return not own and self._entity_of(node.base) is not None
        return item_key(node, scope) is not None and dict_in(node) is not None

    def _entity_of(self, node: tree.Node) -> Class | None:
        for one in ordered(self.program.inference.of(node)):
            if isinstance(one, Instance) and (
                one.cls in self.program.domain.entities or self.classes.changes(one.cls)
            ):
                return one.cls
        return None

    def _add(self, every: list[Filter], of: Class | Home, function: Function) -> None:
        owner = of if isinstance(of, Class) else of[0]
        required = self.needs.required(owner, function, function.module)
        beside = names_beside(self.program.names, every[0].node)
        said = [one.scope for one in every]
        missing = [
            s for s in required if s not in said and not any(names_scope(h, s) for h in beside)
        ]
        shorter = shorter_of(every[0].inside, required)
        missing = [shorter.scope] if shorter is not None else missing
        found = every[self._nearest(said, missing[0]) if missing else 0]
        rows = self._rows_of(found.left)
        needed = self._needed(missing, rows)
        lacking = [s for s in needed if self._asks(found, s, function)]
        if missing and not lacking:
            self.notes.settle(found.node)
        missing = lacking
        details = {s.name: self._beside(found, s) for s in missing}
        if not missing or None in details.values():
            return
        if isinstance(of, Class):
            knot = self.notes.knot_in(of, found.node)
        else:
            knot = self.notes.knot_of(of, found.node)
        if self._is_meant(found.node):
            return
        for cls in rows:
            if self._needed(missing, [cls]) != missing:
                reason = f"filters rows of `{cls.name}` too, which needs less"
                self.notes.obstacle(knot, found.node, reason)
        row = dict_in(found.left)
        if row is not None and not self._extend_rows(row, found, missing, knot):
            return
        self._join_entity(found.left, knot)
        read, asked = self._sides(found, missing, knot, shorter)
        mirror = found.right if isinstance(found.right, tree.Attr | tree.Name) else None
        for one in missing:
            if read is not None:
                read.detail[one.name] = details[one.name] or ""
            if asked is not None:
                self.notes.ask(asked, Want(one, asked.node, knot, "filter", mirror=mirror))
        self.notes.settle(found.node)
        self.notes.filtering.add(function)

    def _rows_of(self, node: tree.Node) -> list[Class]:
        """The entities that an attribute may be read of."""
        if not isinstance(node, tree.Attr):
            return []
        types = self.program.inference.of(node.base)
        found = (one.cls for one in ordered(types) if isinstance(one, Instance))
        return [cls for cls in found if cls in self.program.domain.entities]

    def _needed(self, scopes: list[Scope], rows: list[Class]) -> list[Scope]:
        """The scopes that policy demands of any of some entities; all of them where nothing is known of the rows."""
        demanded = {s for cls in rows for s in self.program.policy.scopes_of(cls.name)}
        return [scope for scope in scopes if not rows or scope in demanded]

    def _asks(self, found: Filter, scope: Scope, function: Function) -> bool:
        """Whether no other comparison of the same row asks for a scope already, in the same condition or in a step
        of its own."""
        row = _row(found.left)
        if row is None:
            return True
        if self._is_a_step(found, row, scope, function) or self._is_nearer(found, row, scope):
            return False
        where = id(condition_of(self.program.names, found.node)), text_of(row), scope.name
        return self._asking.setdefault(where, found.node) is found.node

    def _nearest(self, said: list[Scope], scope: Scope) -> int:
        """Beside which of some scopes another one belongs."""
        order = [one for one, _ in self.program.policy.beside(scope)]
        return min(range(len(said)), key=lambda number: order.index(said[number]))

    def _is_nearer(self, found: Filter, row: tree.Node, scope: Scope) -> bool:
        """Whether another comparison of the row, in the same condition, is the one beside which a scope belongs."""
        for node in _compared_beside(self.program.names, found.node):
            for other in self._filters(node) if node is not found.node else ():
                of = _row(other.left)
                same = of is not None and text_of(of) == text_of(row)
                if same and self._nearest([found.scope, other.scope], scope):
                    return True
        return False

    def _is_a_step(self, found: Filter, row: tree.Node, scope: Scope, function: Function) -> bool:
        """Whether what a comparison lets through is told apart by another scope, or was before."""
        names, is_value = self.program.names, self.program.domain.held.is_value
        narrowed = Narrowed(names)
        for node in names.inside(function):
            if not isinstance(node, tree.Compare) or node is found.node or len(node.ops) > 1:
                continue
            for left, right, _ in sides_of(node, self.program.policy.scopes):
                of = _row(left)
                if of is None or not self._reads(left, scope, right) or not is_value(right, scope):
                    continue
                if narrowed.are_steps(found.node, row, node, of):
                    return True
        return False

    def _join_entity(self, left: tree.Node, knot: Knot) -> None:
        """A filter changes together with the class whose attribute it reads."""
        cls = self._entity_of(left.base) if isinstance(left, tree.Attr) else None
        if cls is not None:
            is_key = self.classes.changes(cls)
            kind: Knot = ("class", cls) if is_key else ("entity", cls.name)
            self.notes.state.groups.join(knot, kind)

    def _sides(
        self, found: Filter, missing: list[Scope], knot: Knot, shorter: Shorter | None
    ) -> tuple[LocalDefect | None, LocalDefect | None]:
        """What reads a row and what asks for it: one condition, or the two tuples that it compares; of these the `shorter`
        one alone, where the other one has the scope."""
        if not found.inside:
            defect = self.notes.defect(found.node, "filter", missing, knot)
            defect.anchors.update({s.name: found.node for s in missing})
            return defect, defect
        sides: list[LocalDefect | None] = []
        for value, shape in ((found.left, "pattern"), (found.right, "tuple")):
            display = next(d for d in found.inside if any(i is value for i in d.items))
            if shorter is not None and display is not shorter.display:
                sides.append(None)
                continue
            shape, anchor = (shape, value) if shorter is None else ("tuple", shorter.anchor)
            defect = self.notes.defect(display, shape, missing, knot)
            defect.anchors.update({s.name: anchor for s in missing})
            sides.append(defect)
        return sides[0], sides[1]

    def _is_meant(self, node: tree.Node) -> bool:
        draft = self.notes.draft(node, "filter", [], ("local", id(node)))
        return self.notes.is_silenced(draft)

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
                self.notes.extend(display, found.scope, scope, knot)
            return True
        if function is None or self.program.keys.made_by(function):
            return False  # the key that it reads by has narrowed the rows already
        has = self.program.domain.scope_parameter
        if any(has(f, s) is None for f in enclosing(place) for s in missing):
            self.notes.unsure.append((knot, found.node, row, missing))
        return False


def condition_of(names: Names, node: tree.Compare) -> object:
    """The condition, or the comprehension, that a comparison is a part of."""
    current: object = node
    while isinstance(names.parent(current), tree.Boolean | tree.Wrapped | tree.Comprehension):
        current = names.parent(current)
    return current


def names_beside(names: Names, node: tree.Compare) -> set[str]:
    """The names that are compared in the same condition."""
    comparisons = _compared_beside(names, node)
    sides = [side for one in comparisons for side in (one.left, *one.rights)]
    return {hole_name(item) for side in sides for item in tree.items(side)}


def _compared_beside(names: Names, node: tree.Compare) -> Iterator[tree.Compare]:
    """The comparisons in the same condition, this one among them."""
    queue = [condition_of(names, node)]
    while queue:
        one = queue.pop()
        if isinstance(one, tree.Compare):
            yield one
        if isinstance(one, tree.Comprehension):
            queue += [*one.results, *(n for g in one.generators for n in (g.iter, *g.ifs))]
        elif isinstance(one, tree.Boolean | tree.Wrapped):
            queue += one.below()


def _row(node: tree.Node) -> tree.Node | None:
    """What a scope's value is read of."""
    return node.base if isinstance(node, tree.Attr) else dict_in(node)


def _row_of(node: tree.Node) -> str | None:
    return text_of(_row(node) or node)


def listed(node: tree.Node) -> tree.Node:
    """`rows` of `rows.values()`, `list(rows)` and `sorted(rows.values(), key=…)`."""
    match node:
        case tree.Call(func=tree.Attr(name="values" | "items" | "copy") as func, args=()):
            return listed(func.base)
        case tree.Call(func=tree.Name(id=name), args=(tree.Argument(only), *_)) if name in LISTED:
            return listed(only)
        case _:
            return node


def _is_self(node: tree.Node) -> bool:
    return isinstance(node, tree.Name) and node.id == "self"


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
