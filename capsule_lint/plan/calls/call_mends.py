"""Mends of calls: where an argument goes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddElements
from capsule_lint.plan.calls.called import Called
from capsule_lint.plan.calls.spread_dicts import SpreadDicts
from capsule_lint.plan.calls.spread_objects import SpreadObjects
from capsule_lint.plan.calls.spread_tuples import SpreadTuples
from capsule_lint.plan.calls.spread_values import SpreadValues
from capsule_lint.plan.calls.spread_written import SpreadWritten
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.slots import old_before
from capsule_lint.plan.supply.entries import SPECIAL
from capsule_lint.plan.supply.rebuilds import update_of
from capsule_lint.plan.uses.passthrough import is_repeat
from capsule_lint.program.fields import copied_by
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Class, Function, last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.slots import Slot
    from capsule_lint.plan.state import Want
    from capsule_lint.program.calling.deferred import Boxed

_Where: TypeAlias = tuple[str | None, int] | tuple[()]
"""The keyword of an argument, `None` for one by position, and its index; nothing where `**` passes it on."""
_UNPLACED: Final = "`{}` cannot be placed among the arguments"
_SPREAD: Final = "what is spread here may say `{}` as well, or lack it"


@dataclass(eq=False, slots=True)
class CallMends(MendRoom):
    """Builds the mends of calls, of copies, and of what is spread into them."""

    mends: Mends
    called: Called = field(init=False)
    tuples: SpreadTuples = field(init=False)
    dicts: SpreadDicts = field(init=False)
    objects: SpreadObjects = field(init=False)
    written: SpreadWritten = field(init=False)

    def __post_init__(self) -> None:
        self.called, values = Called(self.mends), SpreadValues(self.mends)
        self.tuples = SpreadTuples(self.mends, self.called, values)
        self.dicts = SpreadDicts(self.mends, values)
        self.objects = SpreadObjects(self.mends)
        self.written = SpreadWritten(self.mends)

    def arguments(self, wants: list[Want]) -> None:
        """Give a call the arguments that its wants ask for."""
        call = wants[0].call
        assert call is not None
        wants = sorted(wants, key=lambda w: self.program.policy.scopes.index(w.scope))
        for want in wants:
            self.state.groups.join(wants[0].knot, want.knot)  # for they share the order
            value = self.mends.value(want)
            if value is None or value.kind != "spread":
                self._argument(call, want)

    def _argument(self, call: tree.Call, want: Want) -> None:
        """Give a call the argument that a want asks for, or make the change unsafe."""
        name = want.scope.parameter
        by_rows = self.tuples.give_rows(call, want, self.dicts)
        if by_rows is not None:
            if not by_rows:
                self.mends.obstacle(
                    want.knot, call, f"a row of the table has no place for `{name}`"
                )
            return
        if lacking := self.planner.values.lacking(call, want.scope):
            reason = f"this also calls {lacking}, which does not take `{name}`"
            self.mends.obstacle(want.knot, call, reason)
            return
        if self.tuples.grow(call, want):
            return
        code = self.mends.code_of(want, want.knot)
        if code is None:
            return
        where = self._argument_place(call, want)
        if want.offset and last_name(call.func) == "map":
            like = self._neighbour_argument(call.args[1:], want, self.called.of(want))
            beside = call.args[like + 1].value if like is not None else call.func
            repeated = isinstance(beside, tree.Call) and is_repeat(beside)
            where = where if repeated else None
            code = f"{text_of(beside.func)}({code})" if isinstance(beside, tree.Call) else code
        if want.offset and last_name(call.func) == "builds":
            code = self._always(call, want, code)
        box = self.program.calls.uses.boxes.get(id(call))
        if box is not None:
            where = () if where and self._boxed(box, want, where, code) else None
        if where is None:
            spread = any(a.star == "**" for a in call.args)
            reason = (_SPREAD if spread else _UNPLACED).format(name)
            self.mends.obstacle(want.knot, call, reason)
            return
        if not where:
            return
        keyword, index = where
        if keyword == name:
            keyword = self.dicts.spelled(want, [a.keyword for a in call.args if a.keyword])
            if any(a.keyword == keyword for a in call.args):
                return
            code = self._or_said(call, want, code, index)
        filename = self.program.names.module_of(call).filename
        mend = AddArgument(filename, call.span, "CAP401", code, keyword, index)
        self.mends.add(want.knot, mend)

    def _always(self, call: tree.Call, want: Want, code: str) -> str:
        """A strategy of Hypothesis that always yields a value, for `st.builds(Note, …)`: `st.just(value)`."""
        func = call.func
        if isinstance(func, tree.Attr):
            return f"{text_of(func.base)}.just({code})"
        module = self.program.names.module_of(call)
        self.mends.import_(want.knot, module, "hypothesis.strategies", "just")
        return f"just({code})"

    def _or_said(self, call: tree.Call, want: Want, code: str, index: int) -> str:
        """What a factory of the tests gives, `def make(tenant_id="t", **more)`, where its callers may say the
        other scopes, and whatever else it hands on: what they say, or else that value."""
        value, function = self.mends.value(want), self.program.names.function_of(call)
        if value is None or value.kind != "test" or function is None:
            return code
        usual = {p.name for p in function.params if p.default is not None}
        said = [given for _, given in self.planner.values.beside(want)]
        if not any(isinstance(given, tree.Name) and given.id in usual for given in said):
            return code
        rest = next((p.name for p in function.params if p.kind == "**"), None)
        handed = any(
            a.star == "**" and isinstance(a.value, tree.Name) and a.value.id == rest
            for a in call.args[index:]
        )
        return f'{rest}.pop("{want.scope.parameter}", {code})' if handed else code

    def _boxed(self, box: Boxed, want: Want, where: tuple[str | None, int], code: str) -> bool:
        """Put an argument among those that are given as a display: `args=(tenant_id,)`."""
        filename, (keyword, at) = self.program.names.module_of(box.holder).filename, where
        if keyword is not None:
            return box.kwargs is not None and self.dicts.give(box.kwargs, want)
        if box.args is None or not box.args.items:
            return False
        before, after = ((), (code,)) if at else ((code,), ())
        beside = box.args.items[max(at - 1, 0)].span
        mend = AddElements(filename, box.args.span, "CAP401", before, after, beside)
        return self.mends.add_once(want.knot, mend)

    def rebuild(self, want: Want) -> None:
        """`replace(doc, tenant_id=…)` and `model_copy(update={…})` name the other scope as well, if they change it."""
        call, name = want.call, want.scope.parameter
        assert call is not None
        value = self.mends.value(want)
        if value is None or value.kind == "spread":
            return  # what has no value is reported as that
        copied = copied_by(call)
        if copied is not None and value.code == f"{text_of(copied)}.{name}":
            return  # a copy keeps by itself what the object has
        update = update_of(call)
        if update is not None:
            placed = self.dicts.give(update, want)
        else:
            code = self.mends.code_of(want, want.knot)
            placed = code is not None
            index = self._keyword_index(call.args, want)
            filename = self.program.names.module_of(call).filename
            if code is not None:
                self.mends.add(
                    want.knot, AddArgument(filename, call.span, "CAP401", code, name, index)
                )
        if not placed:
            self.mends.obstacle(want.knot, call, f"`{name}` cannot be placed in this copy")

    def _argument_place(self, call: tree.Call, want: Want) -> _Where | None:
        """Where the new argument comes; `None` when unsure."""
        name, offset = want.scope.parameter, want.offset
        signature = self.called.of(want)
        if isinstance(want.callee, Class) and _exceeds(call.args[offset:], signature):
            heirs = self._heirs(want.callee)
            if heirs:
                return self._place_of_heirs(call, want, heirs)
            classes = self.program.classes
            decorated = any(cls.fact.decorators for cls in classes.mro(want.callee))
            if decorated and not classes.constructor(want.callee):
                return None  # a decorator makes it in a way that is not known
        slot = next((one for one in signature if one.name == name), None)
        if slot is None:
            return self._place_in_rest(call, want, signature)
        args = call.args[offset:]
        if any(a.keyword == name for a in args):
            return ()
        positional = [n for n, a in enumerate(args) if a.keyword is None and a.star != "**"]
        count, before = len(positional), old_before(slot, signature)
        neighbour = self._neighbour_argument(args, want, signature)
        named = neighbour is not None and args[neighbour].keyword is not None
        by_keyword = name, self._keyword_index(args, want) + offset
        is_named, is_last = slot.kind == "kwonly", before >= count
        if any(a.star == "**" for a in args) and neighbour is None and (is_named or is_last):
            spread = self._spread(args, want)
            if spread is not None:
                return spread
            may_name = slot.kind != "posonly" and (
                self._is_new_to(want, signature) or self.written.lack(args, want, signature)
            )
            return by_keyword if may_name or not is_last else None
        if is_named:
            return by_keyword
        star = next((n for n in positional if args[n].star), None)
        if star is not None:
            if neighbour is None and self.tuples.give(args[star], want, before - star):
                return ()
            fills = star < sum(1 for one in signature if one.by_position and not one.new)
            unknown = fills and neighbour is None and self._is_variadic(args[star])
            if star < before or unknown:
                return (name, neighbour + 1 + offset) if neighbour is not None and named else None
        if before < count:
            return None, positional[before] + offset
        if before == count and not named and (count or not any(a.keyword for a in args)):
            return None, (positional[-1] + 1 if positional else 0) + offset
        if offset and last_name(call.func) == "partial" and not named:
            return None  # its own calls may fill the place
        return by_keyword if slot.kind != "posonly" else None

    def _place_in_rest(
        self, call: tree.Call, want: Want, signature: Sequence[Slot]
    ) -> _Where | None:
        """The same of a function that has no parameter of its own for it, and may take any keyword."""
        name, args = want.scope.parameter, call.args[want.offset :]
        takes = any(one.kind == "**" for one in signature)
        dicts = [a.value for a in args if a.star == "**"]
        if dicts and self._neighbour_argument(args, want, signature) is None:
            if any(self._is_extended(node, name) or self.dicts.give(node, want) for node in dicts):
                return ()
            return None  # what says the other scope may say this one as well
        return (name, self._keyword_index(call.args, want)) if takes else None

    def _is_extended(self, node: tree.Node, key: str) -> bool:
        """Whether a dict that is spread is written out nearby, and gets the entry as an item."""
        made = only_assigned(self.program.names, node) or node
        return self.mends.planner.local.notes.is_extended(made, key)

    def _heirs(self, cls: Class) -> list[Class]:
        """The classes that a call may mean that gives more than a class takes; a model of PynamoDB's takes its
        keys by position, whatever its fields are."""
        classes = self.program.classes
        pynamo = classes.is_pynamo(cls)
        return [] if pynamo else [one for one in classes.subclasses(cls) if one is not cls]

    def _place_of_heirs(
        self, call: tree.Call, want: Want, heirs: Sequence[Class]
    ) -> _Where | None:
        """The same of a call that makes something of an heir, `self.model(tenant_id, note_id)` of a `type[T]`: where
        all of them take the argument at one place."""
        places = {self._argument_place(call, replace(want, callee=one)) for one in heirs}
        return places.pop() if len(places) == 1 else None

    def _is_variadic(self, argument: tree.Argument) -> bool:
        """`*args` of the enclosing function: what its callers pass may have the value already."""
        names, node = self.program.names, argument.value
        return isinstance(node, tree.Name) and any(
            b.parameter is not None and b.parameter.kind == "*" for b in names.bindings_of(node)
        )

    def _neighbour_argument(
        self, args: Sequence[tree.Argument], want: Want, signature: Sequence[Slot]
    ) -> int | None:
        """Where the call passes the neighbouring scope's value."""
        others = self.program.policy.others(want.scope)
        takes = self.program.domain.held.takes
        for number, argument in enumerate(args):
            if argument.keyword is not None and any(
                takes(want.callee, argument.keyword, s) for s in others
            ):
                return number
        plain = [one for one in signature if one.by_position and not one.new]
        for number, argument in enumerate(args):
            if (
                argument.keyword is None
                and not argument.star
                and number < len(plain)
                and any(takes(want.callee, plain[number].name, s) for s in others)
            ):
                return number
        return None

    def _keyword_index(self, args: Sequence[tree.Argument], want: Want) -> int:
        takes = self.program.domain.held.takes
        for other, step in self.program.policy.beside(want.scope):
            for number, argument in enumerate(args):
                if argument.keyword is not None and takes(want.callee, argument.keyword, other):
                    return number + step
        return sum(1 for a in args if a.keyword is None and a.star != "**")

    def _is_new_to(self, want: Want, signature: Sequence[Slot]) -> bool:
        """Whether nothing that is spread into a call can have the value: a function takes no scope yet, and
        either refuses what it does not know, or nobody spells the name of this one."""
        scopes, name = self.program.policy.scopes, want.scope.parameter
        if not isinstance(want.callee, Function) or want.callee.name in SPECIAL:
            return False
        if any(names_scope(one.name, s) for one in signature if not one.new for s in scopes):
            return False
        modules = self.program.names.modules.values()
        return not any(one.kind == "**" for one in signature) or not any(
            tree.text(node) == name if isinstance(node, tree.Const) else _has_keyword(node, name)
            for module in modules
            for node in module.either(tree.Const, tree.Call)
        )

    def _spread(self, args: Sequence[tree.Argument], want: Want) -> tuple[()] | None:
        """`C(**fields)`: the dict that is spread gets the entry, where it is written out nearby."""
        for argument in args:
            if argument.star != "**":
                continue
            if any(spread.give(argument.value, want) for spread in (self.dicts, self.objects)):
                return ()
        return None


def _has_keyword(call: tree.Call, name: str) -> bool:
    return any(argument.keyword == name for argument in call.args)


def _exceeds(args: Sequence[tree.Argument], signature: Sequence[Slot]) -> bool:
    """Whether a call gives more by position than what is called takes now."""
    given = sum(1 for one in args if one.keyword is None and not one.star)
    if any(one.kind == "*" for one in signature):
        return False
    return given > sum(1 for one in signature if one.by_position and not one.new)
