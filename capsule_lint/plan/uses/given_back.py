"""What functions define and give back: as good as the calls of what they make, where all of these are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Verdict
from capsule_lint.plan.uses.wrapped import handing, will_take
from capsule_lint.program.calling.fixtures import asked_as, fixture_giving
from capsule_lint.program.calling.wrapping import decorated_by
from capsule_lint.program.inference.types import FunctionObject, function_of
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import Function
from capsule_lint.program.walk import targets_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capsule_lint.plan.uses.asked import Asked
    from capsule_lint.plan.uses.followed import Following
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class

_MAX_DEPTH: Final = 4


class _Known(Struct, frozen=True):
    """A function that is given back, and the calls of it that are found by names."""

    symbol: Function
    calls: frozenset[int]


class GivenBack(Struct, frozen=True):
    """Follows what calls of such functions give."""

    program: Program
    asked: Asked
    gained: Mapping[Function, Mapping[str, Scope]]
    following: Following

    def judge(self, node: tree.Node, symbol: Function) -> tuple[Verdict, str] | None:
        """What becomes of a function that another one gives back, alone or in a display; `None` where it does
        not."""
        fixture = fixture_giving(self.program.names, node)
        maker = fixture or self._maker(node)
        if maker is None or not self.program.calls.uses.makes(maker.name):
            return None
        if (around := self._around(maker, symbol)) is not None:
            return around
        calls = self.program.calls.callers(symbol)
        known = _Known(symbol, frozenset(id(call) for call, _ in calls))
        if self._is_asked(maker, known, 0) if fixture else self._is_followed(maker, known, 0):
            return Verdict.ALREADY_CORRECT, f"what `{maker.name}` gives back is followed"
        return Verdict.ESCAPE, f"not all is known that is done with what `{maker.name}` gives back"

    def _around(self, maker: Function, wrapper: Function) -> tuple[Verdict, str] | None:
        """What becomes of a wrapper that a function puts around what it decorates, where it does nothing else: that has to
        take what the wrapper gains, at the same place."""
        program, gained = self.program, self.gained.get(wrapper, {})
        decorated = list(decorated_by(program.inference, maker))
        if not decorated or not self._only_decorates(maker, decorated):
            return None
        told = " and ".join(f"`{name}`" for name in gained)
        for one in decorated:
            for scope in gained.values():
                if not isinstance(one, Function) or not will_take(
                    program, self.gained, one, scope
                ):
                    reason = f"`{maker.name}` puts it around `{one.name}` as well, which does not get {told}"
                    return Verdict.ESCAPE, reason
                if not any(
                    around is wrapper and scope in (self.asked.of(call) or ())
                    for around, call in handing(program, one, scope, self.gained)
                ):
                    reason = f"it has to take {told} where `{one.name}` does, and hand it on"
                    return Verdict.ESCAPE, reason
        return Verdict.ALREADY_CORRECT, f"`{maker.name}` puts it around what changes alike"

    def _only_decorates(self, maker: Function, decorated: Sequence[Function | Class]) -> bool:
        """Whether a function is named, and the one that gives it back is called, where something is decorated, and nowhere
        else."""
        program = self.program
        heads = [node for one in decorated for node in one.fact.decorators]
        known = {id(node) for node in heads} | {id(tree.uncalled(node)) for node in heads}
        makers = [one for one in (maker, maker.parent) if one is not None]
        aliases = [alias for one in makers for alias in program.calls.uses.aliases(one.name)]
        return all(
            id(node) in known or self._maker(node) is maker.parent
            for node in program.names.named(*dict.fromkeys(aliases))
            for one in program.inference.of(node)
            if isinstance(one, FunctionObject) and one.function in makers
        )

    def is_followed(self, node: tree.Node, symbol: Function) -> bool:
        """Whether what calls a function, or a partial of it, is only called where another function gives it back."""
        maker, calls = self._maker(node), self.program.calls.callers(symbol)
        known = _Known(symbol, frozenset(id(call) for call, _ in calls))
        return maker is not None and self._is_followed(maker, known, 0)

    def _maker(self, node: tree.Node) -> Function | None:
        """The function that gives an expression back."""
        names = self.program.names
        above = names.parent(node)
        while isinstance(
            above, tree.Sequence | tree.DictDisplay | tree.Conditional | tree.Boolean
        ):
            above = names.parent(above)
        returned = isinstance(above, tree.Eval) and above.kind == "return"
        return names.place(node).scope.function if returned else None

    def _is_asked(self, fixture: Function, known: _Known, depth: int) -> bool:
        """Whether what a fixture gives is only called where tests ask for it."""
        program, name = self.program, asked_as(fixture)
        if any(
            tree.text(argument.value) == name
            for call in program.calls.uses.calls_beside("getfixturevalue")
            for argument in call.args
        ):
            return False
        given = [
            node
            for node in program.names.named(name)
            if any(
                isinstance(one, FunctionObject) and one.function is known.symbol
                for one in program.inference.of(node)
            )
        ]
        return depth < _MAX_DEPTH and all(self._is_used(node, known, depth) for node in given)

    def _is_followed(self, maker: Function, known: _Known, depth: int) -> bool:
        """Whether a function is only called, and whatever its calls give is called or gets a name."""
        if maker.fact.decorators or depth > _MAX_DEPTH:
            return False
        program = self.program
        calls = [call for call, _ in program.calls.callers(maker)]
        called = {id(call.func) for call in calls}
        for node in program.names.named(*program.calls.uses.aliases(maker.name)):
            if id(node) not in called and any(
                isinstance(one, FunctionObject) and one.function is maker
                for one in program.inference.of(node)
            ):
                return False
        return bool(calls) and all(self._is_used(call, known, depth) for call in calls)

    def _is_used(self, node: tree.Node, known: _Known, depth: int) -> bool:
        """Whether what an expression gives is only called, or gets a name by which calls of it are found."""
        names = self.program.names
        parent = names.parent(node)
        match parent:
            case tree.Call() if parent.func is node:
                functions = [callee.function for callee in self.program.calls.callees(parent)]
                functions += map(function_of, self.program.inference.of(node))
                settled = id(parent) in known.calls or bool(self.asked.of(parent))
                return settled or known.symbol not in functions
            case tree.Call():
                given = self.following.given(parent, node, known.symbol)
                return self.asked.hands_on(parent) or given[0] is not Verdict.ESCAPE
            case tree.Assign() if parent.value is node and not parent.op:
                return all(self._is_read(one, known, depth) for one in parent.targets)
            case tree.Subscript(index=tree.Const()) if parent.base is node:
                return self._is_used(parent, known, depth)
            case tree.Eval(kind="expr"):
                return True
            case tree.Sequence() if isinstance(statement := names.parent(parent), tree.Assign):
                return all(self._is_read(one, known, depth) for one in statement.targets)
            case _ if (asked := fixture_giving(self.program.names, node)) is not None:
                return self._is_asked(asked, known, depth + 1)
            case tree.Eval(kind="return") | tree.Sequence() | tree.DictDisplay():
                outer = self._maker(node)
                return outer is not None and self._is_followed(outer, known, depth + 1)
            case _:
                return False

    def _is_read(self, target: tree.Node, known: _Known, depth: int) -> bool:
        """The same of what gets a name: an attribute's uses are looked at by themselves."""
        names = self.program.names
        if isinstance(target, tree.Attr):
            return True
        leaves = [leaf for leaf, _ in targets_of(target)]
        return depth < _MAX_DEPTH and all(
            isinstance(leaf, tree.Name)
            and all(self._is_used(r, known, depth + 1) for r in reads_of(names, leaf, (leaf.at,)))
            for leaf in leaves
        )
