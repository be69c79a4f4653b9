"""Mends of calls: where an argument goes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import (
    AddArgument,
    AddElements,
    AddEntry,
    AddStatement,
    Mend,
)
from capsule_lint.plan.code import rename
from capsule_lint.plan.supply.rebuilds import update_of
from capsule_lint.plan.testing.kept_kwargs import behind, kept
from capsule_lint.program.calling.fixtures import parametrized
from capsule_lint.program.containers import COPIED
from capsule_lint.program.model import Class, Function, last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.calling.deferred import Boxed


@dataclass(eq=False, slots=True)
class CallMends:
    """Builds the mends of calls, of copies, and of what is spread into them."""

    mends: Mends
    _shared: dict[tuple[int, str], str | None] = field(default_factory=dict)
    """What tuples that calls spread get for a scope."""

    def arguments(self, wants: list[Want]) -> None:
        """Give a call the arguments that its wants ask for."""
        call = wants[0].call
        assert call is not None
        wants = sorted(
            wants, key=lambda w: self.mends.planner.program.policy.scopes.index(w.scope)
        )
        for want in wants:
            self.mends.planner.state.groups.join(
                wants[0].knot, want.knot
            )  # for they share the order
            value = self.mends.value(want)
            if value is not None and value.kind == "spread":
                continue
            if not self.mends.planner.values.takes(call, want.scope):
                reason = f"this also calls what does not take `{want.scope.parameter}`"
                self.mends.obstacle(want.knot, call, reason)
                continue
            code = self.mends.code_of(want, want.knot)
            if code is None:
                continue
            where = self._argument_place(call, want)
            box = self.mends.planner.program.calls.uses.boxes.get(id(call))
            if box is not None:
                where = () if where and self._boxed(box, want, where, code) else None
            if where is None:
                self.mends.obstacle(
                    want.knot,
                    call,
                    f"`{want.scope.parameter}` cannot be placed among the arguments",
                )
                continue
            if not where:
                continue
            keyword, index = where
            if keyword == want.scope.parameter:
                keyword = self._spelled(want, [a.keyword for a in call.args if a.keyword])
                if any(a.keyword == keyword for a in call.args):
                    continue
            self.mends.add(
                want.knot,
                AddArgument(
                    self.mends.module_of(call).filename, call.span, "CAP401", code, keyword, index
                ),
            )

    def _boxed(self, box: Boxed, want: Want, where: tuple[str | None, int], code: str) -> bool:
        """Put an argument among those that are given as a display: `args=(tenant_id,)`."""
        filename, (keyword, at) = self.mends.module_of(box.holder).filename, where
        if keyword is not None:
            return box.kwargs is not None and self._spread_entry(box.kwargs, want)
        if box.args is None or not box.args.items:
            return False
        before, after = ((), (code,)) if at else ((code,), ())
        beside = box.args.items[max(at - 1, 0)].span
        mend = AddElements(filename, box.args.span, "CAP401", before, after, beside)
        return self._once(want, mend)

    def _spelled(self, want: Want, beside: Sequence[str]) -> str:
        """The keyword for a scope among others: an alias (`tenantId=`) beside aliases."""
        cls, classes = want.callee, self.mends.planner.program.classes
        if isinstance(cls, Class) and classes.is_typed_dict(cls):
            for home in classes.mro(cls):
                key = self.mends.planner.state.attributes.get((home, want.scope.parameter))
                if key is not None:
                    return key
        if isinstance(cls, Class) and (aliases := classes.aliases(cls)):
            for other in self.mends.planner.program.policy.scopes:
                for name in beside if other is not want.scope else ():
                    if name in aliases.values() and names_scope(name, other):
                        return rename(name, other, want.scope)
        return want.scope.parameter

    def rebuild(self, want: Want) -> None:
        """`replace(doc, tenant_id=…)` and `model_copy(update={…})` name the other scope as well."""
        call, name = want.call, want.scope.parameter
        assert call is not None
        value = self.mends.value(want)
        if value is None or value.kind == "spread":
            return  # what has no value is reported as that
        update = update_of(call)
        if update is not None:
            placed = self._spread_entry(update, want)
        else:
            code = self.mends.code_of(want, want.knot)
            placed = code is not None
            index = self._keyword_index(call.args, want)
            filename = self.mends.module_of(call).filename
            if code is not None:
                self.mends.add(
                    want.knot, AddArgument(filename, call.span, "CAP401", code, name, index)
                )
        if not placed:
            self.mends.obstacle(want.knot, call, f"`{name}` cannot be placed in this copy")

    def _signature(self, want: Want) -> list[tuple[str, str, bool]]:
        """The callee's parameters after the change, without those that are given."""
        callee = want.callee
        if isinstance(callee, Function):
            if callee not in self.mends.planner.state.params:
                names = {
                    s.parameter
                    for _, _, scopes in self.mends.planner.partial_calls.values()
                    for s in scopes
                }
                own = self.mends.planner.partial_calls.get(id(want.call))
                fresh = {s.parameter for s in own[2]} if own else names
                return [(p.name, p.kind, p.name in fresh) for p in callee.params][want.given :]
            return self.mends.signatures.final_params(callee)[want.given :]
        assert callee is not None
        params = self.mends.planner.program.classes.constructor(callee) or ()
        own = self.mends.planner.partial_calls.get(id(want.call))
        fresh = {s.parameter for s in own[2]} if own else set()
        found = [(p.name, p.kind, p.name in fresh) for p in params]
        for cls in self.mends.planner.program.classes.mro(callee):
            for scope in self.mends.policy_order(
                list(self.mends.planner.state.fields.get(cls, {}).values())
            ):
                if any(name == scope.parameter for name, _, _ in found):
                    continue
                found.insert(*self._field_place(cls, scope, found, params))
        return found

    def _field_place(
        self,
        cls: Class,
        scope: Scope,
        found: list[tuple[str, str, bool]],
        params: Sequence[tree.Parameter],
    ) -> tuple[int, tuple[str, str, bool]]:
        order = self.mends.planner.program.policy.scopes
        kind = params[0].kind if params else "plain"
        at = order.index(scope)
        for other, step in [
            *((o, 1) for o in reversed(order[:at])),
            *((o, 0) for o in order[at + 1 :]),
        ]:
            for number, (name, _, _) in enumerate(found):
                held = self.mends.planner.program.domain.held.is_attribute
                if held(cls, name, other) and (name == other.parameter or step):
                    return number + step, (scope.parameter, found[number][1], True)
        named = any(one.kind == "**" for one in params)
        return 0, (scope.parameter, "kwonly" if named else kind, True)

    def _argument_place(
        self, call: tree.Call, want: Want
    ) -> tuple[str | None, int] | tuple[()] | None:
        """Keyword (or `None`) and index of the new argument; `()` when `**` passes it on; `None` when unsure."""
        name = want.scope.parameter
        signature = self._signature(want)
        entry = next((e for e in signature if e[0] == name), None)
        if entry is None:
            takes = any(kind == "**" for _, kind, _ in signature)
            return (name, self._keyword_index(call.args, want)) if takes else None
        args = call.args[want.offset :]
        if any(a.keyword == name for a in args):
            return ()
        positional = [n for n, a in enumerate(args) if a.keyword is None and a.star != "**"]
        stars = [n for n in positional if args[n].star]
        count = len(positional)
        plain = [e for e in signature if e[1] in ("posonly", "plain")]
        old_before = (
            sum(1 for e in plain[: plain.index(entry)] if not e[2]) if entry in plain else 0
        )
        neighbour = self._neighbour_argument(args, want, signature)
        if any(a.star == "**" for a in args) and neighbour is None and old_before >= count:
            return self._spread(args, want)
        if entry[1] == "kwonly":
            return name, self._keyword_index(args, want) + want.offset
        if (
            stars
            and neighbour is None
            and self._starred(args[stars[0]], want, old_before - stars[0])
        ):
            return ()
        if stars and (
            stars[0] < old_before or (neighbour is None and self._is_variadic(args[stars[0]]))
        ):
            return (
                None
                if neighbour is None or args[neighbour].keyword is None
                else (name, neighbour + 1 + want.offset)
            )
        if old_before < count or (
            old_before == count and (count > 0 or not any(a.keyword for a in args))
        ):
            at = (
                positional[old_before]
                if old_before < count
                else (positional[-1] + 1 if positional else 0)
            )
            return None, at + want.offset
        if (
            want.offset
            and last_name(call.func) == "partial"
            and (neighbour is None or args[neighbour].keyword is None)
        ):
            return None  # its own calls may fill the place
        if entry[1] == "posonly":
            return None
        return name, self._keyword_index(args, want) + want.offset

    def _is_variadic(self, argument: tree.Argument) -> bool:
        """`*args` of the enclosing function: what its callers pass may have the value already."""
        names, node = self.mends.planner.program.names, argument.value
        return isinstance(node, tree.Name) and any(
            b.parameter is not None and b.parameter.kind == "*"
            for b in names.bindings(node.id, names.place(node))
        )

    def _starred(self, argument: tree.Argument, want: Want, index: int) -> bool:
        """`get(*key)`, where `key` is a local tuple that is used for nothing else, or one of the rows
        that a test is given."""
        node = argument.value
        displays = self._rows_of(node, want) if isinstance(node, tree.Name) else [node]
        found: list[Mend] = []
        for display in displays:
            if not isinstance(display, tree.Sequence) or not 0 <= index <= len(display.items):
                return False
            local = self.mends.planner.program.names.place(display).scope is (
                self.mends.planner.program.names.place(node).scope
            )
            code = (
                self._shared_code(display, want)
                if local
                else self.mends.code_for(want.scope, display, want.knot)
            )
            if code is None or not display.items:
                return False
            before, after = ((), (code,)) if index else ((code,), ())
            at = display.items[max(index - 1, 0)].span
            filename = self.mends.module_of(display).filename
            found.append(AddElements(filename, display.span, "CAP401", before, after, at))
        return bool(found) and all(self._once(want, mend) for mend in found)

    def _rows_of(self, node: tree.Name, want: Want) -> list[tree.Node]:
        """The displays that a local may be, where it is used for nothing else; none where that is unsure."""
        names = self.mends.planner.program.names
        place = names.place(node)
        bindings = names.bindings(node.id, place)
        uses = [
            n
            for n in place.scope.module.each(tree.Name)
            if n.id == node.id and names.bindings(n.id, names.place(n)) == bindings
        ]
        if len(bindings) != 1:
            return []
        value, function = bindings[0].value, place.scope.function
        if bindings[0].kind == "assign" and bindings[0].place.scope is place.scope:
            others = [n for n in uses if n is not node and n.at != bindings[0].at]
            shared = all(self._is_spread_alike(n, node, want) for n in others)
            return [value] if shared and value is not None else []
        if function is None or len(uses) != 1 or not self._takes_alike(want):
            return []
        rows = (parametrized(d, node.id) for d in function.fact.decorators)
        return next((found for found in rows if found is not None), [])

    def _is_spread_alike(self, other: tree.Node, node: tree.Node, want: Want) -> bool:
        """Whether a tuple is also spread into a call that gets the new argument at the same place of it."""
        at, wants = self._place_in(node, want), self.mends.planner.state.wants
        for one in wants if at is not None else ():
            if one.scope is want.scope and one.callee and self._place_in(other, one) == at:
                self.mends.planner.state.groups.join(want.knot, one.knot)
                return True
        return False

    def _place_in(self, node: tree.Node, want: Want) -> int | None:
        """How many items of a tuple, which a call spreads, come before its new argument."""
        args = want.call.args[want.offset :] if want.call is not None else ()
        at = next((n for n, a in enumerate(args) if a.value is node and a.star == "*"), None)
        if at is None or any(a.star or a.keyword is not None for a in args[:at]):
            return None
        plain = [e for e in self._signature(want) if e[1] in ("posonly", "plain")]
        names = [name for name, _, _ in plain]
        if want.scope.parameter not in names or not self._takes_alike(want):
            return None
        return sum(not new for _, _, new in plain[: names.index(want.scope.parameter)]) - at

    def _shared_code(self, display: tree.Node, want: Want) -> str | None:
        """The value for a tuple that several calls may get; `None` where they do not get the same."""
        code = self.mends.code_of(want, want.knot)
        given = self._shared.setdefault((id(display), want.scope.name), code)
        return code if code == given else None

    def _takes_alike(self, want: Want) -> bool:
        """Whether everything that a call may call takes the new argument at the same place."""
        assert want.call is not None
        callees = self.mends.planner.program.calls.callees(want.call)
        taken = [(c.cls or c.function, c.given) for c in callees]
        places = {
            [name for name, _, _ in self._signature(replace(want, callee=one, given=given))].index(
                want.scope.parameter
            )
            for one, given in taken
        }
        return len(places) == 1

    def _neighbour_argument(
        self, args: Sequence[tree.Argument], want: Want, signature: list[tuple[str, str, bool]]
    ) -> int | None:
        """Where the call passes the neighbouring scope's value."""
        others = [s for s in self.mends.planner.program.policy.scopes if s is not want.scope]
        takes = self.mends.planner.program.domain.held.takes
        for number, argument in enumerate(args):
            if argument.keyword is not None and any(
                takes(want.callee, argument.keyword, s) for s in others
            ):
                return number
        plain = [e for e in signature if e[1] in ("posonly", "plain") and not e[2]]
        for number, argument in enumerate(args):
            if (
                argument.keyword is None
                and not argument.star
                and number < len(plain)
                and any(takes(want.callee, plain[number][0], s) for s in others)
            ):
                return number
        return None

    def _keyword_index(self, args: Sequence[tree.Argument], want: Want) -> int:
        order = self.mends.planner.program.policy.scopes
        at = order.index(want.scope)
        takes = self.mends.planner.program.domain.held.takes
        for other in reversed(order[:at]):
            for number, argument in enumerate(args):
                if argument.keyword is not None and takes(want.callee, argument.keyword, other):
                    return number + 1
        for other in order[at + 1 :]:
            for number, argument in enumerate(args):
                if argument.keyword is not None and takes(want.callee, argument.keyword, other):
                    return number
        return sum(1 for a in args if a.keyword is None and a.star != "**")

    def _spread(self, args: Sequence[tree.Argument], want: Want) -> tuple[()] | None:
        """`C(**fields)`: the dict that is spread gets the entry, where it is written out nearby."""
        for argument in args:
            if argument.star != "**":
                continue
            if self._spread_entry(argument.value, want):
                return ()
        return None

    def _spread_entry(self, node: tree.Node, want: Want) -> bool:
        """Give a dict that is written out nearby the entry beside that of another scope."""
        match node:
            case tree.Name():
                return self._spread_name(node, want)
            case tree.Binary(op="|"):
                return self._spread_entry(node.left, want) or self._spread_entry(node.right, want)
            case tree.DictDisplay():
                return self._spread_display(node, want)
            case tree.Call(func=tree.Name(id="dict")):
                return self._spread_call(node, want)
            case tree.Attr() if want.call is not None and self._is_everywhere(want):
                started = kept(self.mends.planner.program, node, want.call)
                return started is not None and self._spread_entry(started, want)
            case tree.Call(func=tree.Attr(name="copy") as func, args=()):
                return self._spread_entry(func.base, want)
            case tree.Call(args=(only,)) if last_name(node.func) in COPIED:
                return self._spread_entry(only.value, want)
            case tree.Call():
                return self._spread_behind(node, want)
        return False

    def _spread_behind(self, node: tree.Node, want: Want) -> bool:
        """Give the dicts the entry that stand behind what a test spreads: in a fixture, in `parametrize`."""
        if want.call is None or not self._is_everywhere(want):
            return False
        found = behind(self.mends.planner.program, node, want.call)
        return bool(found) and all(self._spread_entry(one, want) for one in found)

    def _is_everywhere(self, want: Want) -> bool:
        """Whether the code of a value means the same wherever it stands in a test."""
        value = self.mends.value(want)
        return value is not None and (value.kind == "test" or value.code == f'"{value.literal}"')

    def _code_at(self, node: tree.Node, want: Want) -> str | None:
        """The code of a want's value in a dict that is spread; in another file it is what tests there have."""
        module, value = self.mends.module_of(node), self.mends.value(want)
        if value is None or module is self.mends.module_of(want.node):
            return self.mends.code_of(want, want.knot)
        alike = value.kind == "test"
        return self.mends.code_for(want.scope, node, want.knot) if alike else None

    def _spread_call(self, node: tree.Call, want: Want) -> bool:
        filename, code = self.mends.module_of(node).filename, self._code_at(node, want)
        for number, argument in enumerate(node.args if code is not None else ()):
            if argument.keyword and self._is_other_scope(argument.keyword, want.scope):
                name = self._spelled(want, (argument.keyword,))
                mend = AddArgument(filename, node.span, "CAP401", code or "", name, number + 1)
                return self._once(want, mend)
        whole = (a.value for a in node.args if a.keyword is None and a.star != "*")
        return any(self._spread_entry(one, want) for one in whole)

    def _spread_display(self, node: tree.DictDisplay, want: Want) -> bool:
        filename = self.mends.module_of(node).filename
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                if self._spread_entry(value, want):
                    return True
            elif self._names_other(key, want.scope):
                code = self._code_at(node, want)
                if code is None:
                    return False
                said = key.value if isinstance(key, tree.Const) else None
                name = self._spelled(want, (str(said),))
                self.mends.planner.local.notes.note_entry(node, name)
                mend = AddEntry(filename, node.span, "CAP401", f'"{name}"', code, value.span)
                return self._once(want, mend)
        return False

    def _spread_name(self, node: tree.Name, want: Want) -> bool:
        """A local dict: its display, or the statement that sets another scope's key."""
        place = self.mends.planner.program.names.place(node)
        for statement, at in place.scope.module.statements:
            if at.scope is not place.scope or at.order >= place.order:
                continue
            line = self._key_set(statement, node.id, want.scope)
            code = self.mends.code_of(want, want.knot) if line is not None else None
            if line is not None and code is not None:
                filename, text = self.mends.module_of(node).filename, line.format(code)
                return self._once(want, AddStatement(filename, statement.span, "CAP401", text))
        bindings = self.mends.planner.program.names.bindings(node.id, place)
        value = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assign" else None
        if value is None:
            return self._spread_behind(node, want)
        return self._spread_entry(value, want)

    def _key_set(self, statement: tree.Statement, name: str, scope: Scope) -> str | None:
        """`kw.setdefault("tenant_id", …)` and `kw["tenant_id"] = …`, as the line for another scope."""
        match statement:
            case tree.Eval(
                values=(
                    tree.Call(func=tree.Attr(base=tree.Name() as base, name="setdefault")) as call,
                )
            ) if base.id == name and len(call.args) == 2:
                if self._names_other(call.args[0].value, scope):
                    return f'{name}.setdefault("{scope.parameter}", {{}})'
            case tree.Assign(targets=(tree.Subscript(base=tree.Name() as base) as target,)):
                if base.id == name and self._names_other(target.index, scope):
                    return f'{name}["{scope.parameter}"] = {{}}'
        return None

    def _names_other(self, key: tree.Node, scope: Scope) -> bool:
        text = key.value if isinstance(key, tree.Const) else None
        return isinstance(text, str) and self._is_other_scope(text, scope)

    def _once(self, want: Want, mend: Mend) -> bool:
        """Add a mend that several calls may ask for; whether all ask for the same."""
        if isinstance(mend, AddEntry) and any(
            isinstance(m, AddEntry)
            and (m.filename, m.at, m.key) == (mend.filename, mend.at, mend.key)
            and m.value != mend.value
            for _, m in self.mends.found
        ):
            return False
        if not any(m == mend for _, m in self.mends.found):
            self.mends.add(want.knot, mend)
        return True

    def _is_other_scope(self, name: str, scope: Scope) -> bool:
        return any(
            s is not scope and names_scope(name, s)
            for s in self.mends.planner.program.policy.scopes
        )
