"""Objects that a helper makes for tests, `repo.save(test_tenant(), "DEVUS", make_order())`, or a constant is, which ask for
one of another scope's value than these have: a helper that takes whatever fields it is told is told the value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.looked_at import LookedAt
from capsule_lint.program.local_names import bound_whole, only_assigned
from capsule_lint.program.model import Binding, Class, Function

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Value, Want


class MadeForAnother(MendRoom, Struct, frozen=True):
    """Tells the helpers, or makes the change unsafe."""

    mends: Mends
    makers: dict[tuple[str, Function], list[Want]] = {}
    """What functions have to give the objects that they make, by scope."""

    def build(self) -> None:
        """Add the arguments."""
        for want in self.state.wants:
            function = self.program.names.function_of(want.node)
            if isinstance(want.callee, Class) and function is not None:
                self.makers.setdefault((want.scope.name, function), []).append(want)
        seen = set[tuple[int, str]]()
        for want in self.state.wants:
            value = self._asked(want)
            for argument in want.call.args if value is not None and want.call is not None else ():
                made = self._made(argument.value)
                key = id(made), want.scope.name
                if isinstance(made, tree.Call) and value is not None and key not in seen:
                    seen.add(key)
                    self._tell(made, want, value)
                    self._ask(made, argument.value, want, value)

    def _asked(self, want: Want) -> Value | None:
        """What a call of a test is given for a scope, where that is not what tests use unless they say otherwise."""
        if want.purpose != "argument" or not isinstance(want.callee, Function):
            return None
        if not self.program.names.module_of(want.node).is_test:
            return None
        value = self.mends.value(want)
        given = self.planner.sources.given
        usual = given.value_of_helper(want.scope)
        if value is not None and value.kind == "name":  # a local of the test says it
            named = self.planner.sources.visible.binding(
                value.code, self.program.names.place(want.node)
            )
            said = given.literals.of(named.assigned) if named is not None else None
            return replace(value, literal=said) if said is not None and said != usual else None
        other = value is not None and value.kind == "given" and value.literal != usual
        return value if other else None

    def _made(self, node: tree.Node) -> tree.Node:
        """What makes the object that an expression is, or a local, or a constant of this module or another one."""
        names = self.program.names
        bound = bound_whole(names, node)
        dotted = self.program.classes.dotted(node) if isinstance(node, tree.Attr) else None
        target = names.follow(bound) if bound is not None else dotted
        return (target.assigned if isinstance(target, Binding) else None) or node

    def _ask(self, made: tree.Call, argument: tree.Node, want: Want, value: Value) -> None:
        """Make the change unsafe where a constant that a call is given is made for what tests use otherwise."""
        if self.program.names.place(made).scope.function is not None or want.call is None:
            return
        for one in self.state.wants:
            is_its = one.call is made and one.scope is want.scope
            if not is_its or not isinstance(one.callee, Class):
                continue
            own = self.mends.value(one)
            if own is None or own.kind != "test":
                continue
            looked = LookedAt(self.program, one.callee).by(want.call, argument)
            if looked and self._asks_for_any(want.call):
                self.state.groups.join(want.knot, one.knot)
                self._refuse(made, want, value)

    def _asks_for_any(self, saving: tree.Call) -> bool:
        """Whether a test may ask for what it saves, and find it: it does anything else with what keeps it, or calls
        anything of the program, but to make objects, save others, or look for something in vain."""
        function, keeper = self.program.names.function_of(saving), saving.receiver
        if function is None or not isinstance(keeper, tree.Name):
            return True
        return any(
            (isinstance(node, tree.Call) and self._asks(node, saving))
            or (isinstance(node, tree.Name) and node.id == keeper.id and self._is_used(node))
            for node in self.program.names.inside(function)
        )

    def _asks(self, call: tree.Call, saving: tree.Call) -> bool:
        calls = self.program.calls
        called = {one.function for one in calls.callees(call) if one.cls is None}
        made = any(True for _ in calls.callees(call)) and not called
        saved = called == {one.function for one in calls.callees(saving)}
        return (
            not made and not saved and not self.planner.sources.given.in_vain.finds_nothing(call)
        )

    def _is_used(self, keeper: tree.Name) -> bool:
        """Whether anything is done with what keeps objects but to call its methods, or to make it."""
        parent = self.program.names.parent(keeper)
        if isinstance(parent, tree.Attr):
            around = self.program.names.parent(parent)
            return not isinstance(around, tree.Call) or around.func is not parent
        return not isinstance(parent, tree.Assign) or keeper not in parent.targets

    def _refuse(self, made: tree.Call, want: Want, value: Value) -> None:
        name, said = want.scope.parameter, value.code
        said = f'"{value.literal}"' if value.kind == "name" else said
        reason = f"is made for another `{name}` than `{said}`, which the test asks for"
        self.mends.obstacle(want.knot, made, reason)

    def _tell(self, made: tree.Call, want: Want, value: Value) -> None:
        name, names = want.scope.parameter, self.program.names
        for callee in self.program.calls.callees(made):
            helper = callee.function if callee.cls is None else None
            inner = self._making(helper, want) if helper is not None else []
            if helper is None or not inner or any(a.keyword == name for a in made.args):
                continue
            told = self._takes(helper, inner) and self._can_say(made, want, value)
            if not told and not self._is_looked_at(made, want, inner):
                continue
            for one in inner:
                self.state.groups.join(want.knot, one.knot)
            if told:
                mend = AddArgument(
                    names.module_of(made).filename,
                    made.span,
                    "CAP401",
                    value.code,
                    name,
                    len(made.args),
                )
                self.mends.add(want.knot, mend)
            else:
                self._refuse(made, want, value)

    def _making(self, helper: Function, want: Want) -> list[Want]:
        """What a helper of tests has to give the objects that it makes, where that is the same for all tests."""
        if not helper.module.is_test or self.program.domain.scope_parameter(helper, want.scope):
            return []
        found = self.makers.get((want.scope.name, helper), [])
        values = [self.mends.value(one) for one in found]
        return found if all(v is not None and v.kind == "test" for v in values) else []

    def _is_looked_at(self, made: tree.Call, want: Want, inner: Sequence[Want]) -> bool:
        """Whether an object may be looked for by what it says itself."""
        classes = [one.callee for one in inner if isinstance(one.callee, Class)]
        return any(
            LookedAt(self.program, cls).by(want.call, made)
            for cls in classes
            if want.call is not None
        )

    def _takes(self, helper: Function, inner: Sequence[Want]) -> bool:
        """Whether a helper puts whatever keywords it is told over the fields that it has itself."""
        rest = next((p.name for p in helper.params if p.kind == "**"), None)
        uses = self.program.names.called(helper, rest) if rest is not None else ()
        return bool(uses) and all(self._is_put_over(one, inner) for one in uses)

    def _is_put_over(self, rest: tree.Name, inner: Sequence[Want]) -> bool:
        match parent := self.program.names.parent(rest):
            case tree.DictDisplay(pairs=pairs):
                return list(pairs)[-1][1] is rest and self._are_fields(parent, inner)
            case tree.Binary(op="|", right=right):
                return right is rest and self._are_fields(parent, inner)
            case tree.Call(func=tree.Attr(name="update", base=tree.Name() as fields)):
                made = only_assigned(self.program.names, fields)
                return made is not None and self._are_fields(made, inner)
            case tree.Call() if any(one.call is parent for one in inner):
                return any(
                    isinstance(mend, AddArgument)
                    and mend.at == parent.span
                    and mend.value.startswith(f"{rest.id}.pop(")
                    for _, mend in self.mends.found
                )
            case _:
                return False

    def _are_fields(self, fields: tree.Node, inner: Sequence[Want]) -> bool:
        """Whether a dict is all that an object is made of: not one of its fields, as `tags` of `Note("t", tags)`."""
        spread = [a.value for one in inner if one.call for a in one.call.args if a.star == "**"]
        return any(
            one is fields or only_assigned(self.program.names, one) is fields for one in spread
        )

    def _can_say(self, made: tree.Call, want: Want, value: Value) -> bool:
        """Whether the code of a value means the same where an object is made."""
        if any(a.star for a in made.args):
            return False
        here = want.call is not None and any(a.value is made for a in want.call.args)
        if here or value.code == f'"{value.literal}"':
            return True
        root, place = value.code.partition(".")[0], self.program.names.place(made)
        return self.planner.sources.visible.binding(root, place) is not None
