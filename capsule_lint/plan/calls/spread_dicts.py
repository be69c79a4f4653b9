"""Dicts that calls spread: `C(**fields)`. They get the entries that the calls need, where they are written out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddEntry, AddStatement
from capsule_lint.plan.code import rename
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.kept_kwargs import behind, kept
from capsule_lint.program.containers import COPIED
from capsule_lint.program.model import Class, last_name
from capsule_lint.program.reaching import history
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.calls.spread_values import SpreadValues
    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding


class SpreadDicts(MendRoom, Struct, frozen=True):
    """Gives dicts the entries of scopes."""

    mends: Mends
    values: SpreadValues

    def give(self, node: tree.Node, want: Want) -> bool:
        """Give a dict that is written out nearby the entry beside that of another scope."""
        match node:
            case tree.Name():
                return self._name(node, want)
            case tree.Binary(op="|"):
                return self.give(node.left, want) or self.give(node.right, want)
            case tree.DictDisplay():
                return self._display(node, want)
            case tree.Call(func=tree.Name(id="dict")):
                return self._call(node, want)
            case tree.Attr() if want.call is not None and self._is_everywhere(want):
                started = kept(self.program, node, partial(self._takes, want))
                given = started is not None and self.give(started, want)
                return given or self._shared(node, want, want.call)
            case tree.Call(func=tree.Attr(name="copy") as func, args=()):
                return self.give(func.base, want)
            case tree.Call(args=(only,)) if last_name(node.func) in COPIED:
                return self.give(only.value, want)
            case tree.Call():
                return self._behind(node, want)
        return False

    def _shared(self, node: tree.Attr, want: Want, call: tree.Call) -> bool:
        """Give the dicts of classes the entry which one that they inherit from spreads, `cls.defaults`, where
        all that it makes of them takes the scope."""
        planner = self.planner
        made = [callee.cls for callee in self.program.calls.callees(call)]
        takes = [
            cls is not None and planner.gains.gaining(cls, want.scope) is not None for cls in made
        ]
        found = planner.local.rows.origins(node)
        if not all(takes) or not found.complete or not found.displays:
            return False
        return all(self.give(display, want) for display in found.displays)

    def spelled(self, want: Want, beside: Sequence[str]) -> str:
        """The keyword for a scope among others: an alias (`tenantId=`) beside aliases."""
        cls, classes = want.callee, self.program.classes
        if isinstance(cls, Class) and classes.is_typed_dict(cls):
            for home in classes.mro(cls):
                key = self.state.attributes.get((home, want.scope.parameter))
                if key is not None:
                    return key
        if isinstance(cls, Class) and (aliases := classes.aliases(cls)):
            for other, _ in self.program.policy.beside(want.scope):
                for name in beside:
                    if name in aliases.values() and names_scope(name, other):
                        return rename(name, other, want.scope)
        return want.scope.parameter

    def _behind(self, node: tree.Node, want: Want) -> bool:
        """Give the dicts the entry that stand behind what a test spreads: in a fixture, in `parametrize`."""
        if want.call is None or not self._is_everywhere(want):
            return False
        found = behind(self.program, node, partial(self._takes, want))
        return bool(found) and all(self.give(one, want) for one in found)

    def _takes(self, want: Want, call: tree.Call) -> bool:
        """Whether a call takes the scope as that of a want does: it calls the same, or what gains it as well."""
        assert want.call is not None
        if last_name(call.func) == last_name(want.call.func):
            return True
        planner = self.planner
        classes = [c.cls for c in self.program.calls.callees(call) if c.cls is not None]
        gaining = [planner.gains.gaining(cls, want.scope) for cls in classes]
        for home in gaining:
            if home is not None:
                self.state.groups.join(want.knot, ("class", home))
        return bool(gaining) and None not in gaining

    def _is_everywhere(self, want: Want) -> bool:
        """Whether the code of a value means the same wherever it stands in a test."""
        value = self.mends.value(want)
        return value is not None and (value.kind == "test" or value.code == f'"{value.literal}"')

    def _code_at(self, node: tree.Node, want: Want) -> str | None:
        """The code of a want's value in a dict that is spread; in another file it is what tests there have."""
        module, value = self.program.names.module_of(node), self.mends.value(want)
        if value is None or module is self.program.names.module_of(want.node):
            return self.values.code(want, node)
        alike = value.kind == "test"
        return self.mends.code_for(want.scope, node, want.knot) if alike else None

    def _call(self, node: tree.Call, want: Want) -> bool:
        filename, code = self.program.names.module_of(node).filename, self._code_at(node, want)
        keywords = [argument.keyword or "" for argument in node.args]
        found = self._best(keywords, want.scope) if code is not None else None
        if found is not None:
            number, behind = found
            name = self.spelled(want, (keywords[number],))
            at = number + behind
            mend = AddArgument(filename, node.span, "CAP401", code or "", name, at)
            return self._add(node, want, name, mend)
        whole = (a.value for a in node.args if a.keyword is None and a.star != "*")
        if any(self.give(one, want) for one in whole):
            return True
        first = self._first_field(keywords, want)
        code = self._code_at(node, want) if first is not None else None
        if first is None or code is None:
            return False
        name = self.spelled(want, ())
        mend = AddArgument(filename, node.span, "CAP401", code, name, first)
        return self._add(node, want, name, mend)

    def _display(self, node: tree.DictDisplay, want: Want) -> bool:
        filename = self.program.names.module_of(node).filename
        pairs = list(node.pairs)
        said = ["" if key is None else tree.text(key) or "" for key, _ in pairs]
        found = self._best(said, want.scope)
        first = next((n for n, one in enumerate(said) if self._is_other_scope(one, want.scope)), 0)
        for key, value in pairs if found is None else pairs[:first]:
            if key is None and self.give(value, want):
                return True
        if found is None and (field := self._first_field(said, want)) is not None:
            found = field, 0
        code = self._code_at(node, want) if found is not None else None
        if found is None or code is None:
            return False
        number, behind = found
        name, span = self.spelled(want, (said[number],)), pairs[number][1].span
        self.planner.local.notes.note_entry(node, name)
        entry = f'"{name}"', code, span
        mend = AddEntry(filename, node.span, "CAP401", *entry, before=not behind)
        return self._add(node, want, name, mend)

    def _add(self, node: Display, want: Want, name: str, mend: AddArgument | AddEntry) -> bool:
        """Give a dict its entry: whatever else takes all of that dict needs a place for it as well."""
        added = self.mends.add_once(want.knot, mend)
        if added:
            self.mends.expected.grown.append((node, want.knot, want.scope, name))
        return added

    def _first_field(self, keys: Sequence[str], want: Want) -> int | None:
        """Which of some keys is the first that a class is made of which has had no scope yet."""
        if not isinstance(want.callee, Class):
            return None
        scopes = self.program.policy.scopes
        fields = [one.name for one in self.program.classes.constructor(want.callee) or ()]
        if any(names_scope(name, scope) for name in fields for scope in scopes):
            return None
        return next((number for number, key in enumerate(keys) if key in fields), None)

    def _best(self, keys: Sequence[str], scope: Scope) -> tuple[int, int] | None:
        """Which of some keys the scope's stands beside, and whether behind it, or in front of it."""
        for other, after in self.program.policy.beside(scope):
            for number, key in enumerate(keys):
                if names_scope(key, other):
                    return number, after
        return None

    def _name(self, node: tree.Name, want: Want) -> bool:
        """A local dict: its display, or the statement that sets another scope's key, among others or alone."""
        place, scope = self.program.names.place(node), want.scope
        setting = [
            statement
            for statement, at in place.scope.statements
            if at.order < place.order
            if self._updated(statement, node.id, scope) or self._key_set(statement, node.id, scope)
        ]
        if len(setting) > 1:
            return False  # which of them has run is not known
        for statement in setting:
            if (update := self._updated(statement, node.id, scope)) is not None:
                return self._call(update, want)
            step = self._key_set(statement, node.id, scope)
            code = self.values.code(want, step[0]) if step is not None else None
            if step is not None and code is not None:
                filename, text = self.program.names.module_of(node).filename, step[1].format(code)
                return self.mends.add_once(
                    want.knot, AddStatement(filename, statement.span, "CAP401", text)
                )
        values = self._merged(self.program.names.bindings(node.id, place))
        return any(self.give(one, want) for one in values) or (
            not values and self._behind(node, want)
        )

    def _merged(self, bindings: Sequence[Binding]) -> list[tree.Node]:
        """What a local dict starts as, and the dicts that are merged into it: `fields |= more`."""
        first, *steps = history(bindings[0]) if bindings else (None,)
        if first is None or first.kind != "assign" or not {first, *steps}.issuperset(bindings):
            return []
        known = first.value is not None and all(one.operator == "|" for one in steps)
        return [one.value for one in (first, *steps) if one.value is not None] if known else []

    def _updated(self, statement: tree.Statement, name: str, scope: Scope) -> tree.Call | None:
        """The call of `kw.update(tenant_id=…)` and `kw.update({"tenant_id": …})`."""
        match statement:
            case tree.Eval(
                values=(
                    tree.Call(func=tree.Attr(base=tree.Name() as base, name="update")) as call,
                )
            ) if base.id == name:
                said = [argument.keyword or "" for argument in call.args]
                for given in call.plain:
                    keys = given.keys if isinstance(given, tree.DictDisplay) else ()
                    said += [tree.text(key) or "" for key in keys if key is not None]
                return call if any(self._is_other_scope(one, scope) for one in said) else None
        return None

    def _key_set(
        self, statement: tree.Statement, name: str, scope: Scope
    ) -> tuple[tree.Node, str] | None:
        """`kw.setdefault("tenant_id", …)` and `kw["tenant_id"] = …`: where, and as the line for another scope."""
        match statement:
            case tree.Eval(
                values=(
                    tree.Call(func=tree.Attr(base=tree.Name() as base, name="setdefault")) as call,
                )
            ) if base.id == name and len(call.args) == 2:
                if self._names_other(call.args[0].value, scope):
                    return call, f'{name}.setdefault("{scope.parameter}", {{}})'
            case tree.Assign(targets=(tree.Subscript(base=tree.Name() as base) as target,)):
                if base.id == name and self._names_other(target.index, scope):
                    return target, f'{name}["{scope.parameter}"] = {{}}'
        return None

    def _names_other(self, key: tree.Node, scope: Scope) -> bool:
        text = key.value if isinstance(key, tree.Const) else None
        return isinstance(text, str) and self._is_other_scope(text, scope)

    def _is_other_scope(self, name: str, scope: Scope) -> bool:
        return any(s is not scope and names_scope(name, s) for s in self.program.policy.scopes)
