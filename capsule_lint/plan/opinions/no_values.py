"""Nothing in the place of a scope's value: `order_pk(tenant_id, None, "1")`, where what is called makes a key of it as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.supply.absent import absent_at
from capsule_lint.program.calling.binding import surplus
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.logs import is_for_people
from capsule_lint.program.model import Class, Function, last_name
from capsule_lint.program.optional import how_optional

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.plan.opinions.base import Ground, Passed
    from capsule_lint.program.names import Names

_MAKING: Final = frozenset(("str", "format", "join", "quote", "append", "add", "eq"))
"""Foreign functions that make something of what they are given, whatever it is."""
_LOOKING: Final = frozenset(("get", "pop", "setdefault"))
"""Those that look a key up, which has other parts besides."""
_PLAIN: Final = frozenset(
    ("staticmethod", "classmethod", "property", "cached_property", "abstractmethod", "override")
)
"""Decorators that ask nothing."""
_PREFIXES: Final = frozenset(("begins_with", "startswith", "removeprefix"))


def no_value(names: Names, node: tree.Node) -> str:
    """The code of `None` or an empty text, where an expression, or the local that it names, is that; else nothing."""
    binding = bound_whole(names, node)
    given = binding.assigned if binding is not None and binding.function is not None else node
    match given:
        case tree.Const(value=None, kind=""):
            return "None"
        case tree.Const(value=""):
            return '""'
        case _:
            return ""


@dataclass(eq=False, slots=True)
class NoValues:
    """Finds out whether a call that gives no value makes a key of that."""

    ground: Ground
    _asked: dict[tuple[Function | Class, str], bool] = field(default_factory=dict)

    def given(self, passed: Passed, every: Iterable[Passed]) -> str:
        """The code of what an argument gives in the place of a value, where that surely comes into a key; `every` are the
        scopes that the call gives. What is given for none of them stands for nothing in particular."""
        names, value = self.ground.program.names, self.ground.uncast(passed.argument.value)
        code = no_value(names, value)
        if not code or absent_at(names, passed.call, passed.scope):
            return ""
        others = [p.argument.value for p in every if p.scope is not passed.scope]
        if others and all(no_value(names, self.ground.uncast(other)) for other in others):
            return ""
        if code == '""' and self._begins(passed):
            return ""
        alike = [p for p in every if p.argument is passed.argument]
        callees = self.ground.callees(passed.call)
        return code if len(alike) == len(callees) and all(map(self._is_used, alike)) else ""

    def _begins(self, passed: Passed) -> bool:
        """Whether a call makes what keys begin with, and none: nothing follows, or that is what is asked for."""
        names, call = self.ground.program.names, passed.call
        at = call.args.index(passed.argument)
        holder: object = call
        while isinstance(holder, tree.Expr):
            if isinstance(holder, tree.Call) and last_name(holder.func) in _PREFIXES:
                return True
            holder = names.parent(holder)
        named = isinstance(holder, tree.Assign) and "prefix" in last_name(holder.targets[0])
        return named or any(no_value(names, a.value) for a in call.args[at + 1 :])

    def _is_used(self, passed: Passed) -> bool:
        """Whether what is called needs the scope, and uses what it is given without a look at it."""
        ground, scope = self.ground, passed.scope
        target = passed.callee.function or passed.callee.cls
        cls = passed.callee.cls
        if target is None or ground.planner.defaulted.needs_less(passed.call, scope):
            return False
        if cls is not None and scope not in ground.program.policy.scopes_of(cls.name):
            return False
        if isinstance(target, Function) and cls is None and scope not in ground.required(target):
            return False
        return not self._asks(target, passed.parameter)

    def _asks(self, target: Function | Class, name: str) -> bool:
        """Whether a function, or a class that is made of its fields, may ask whether a parameter has a value, or may do
        without one."""
        key = target, name
        if key not in self._asked:
            self._asked[key] = False  # what calls itself asks nothing by that
            self._asked[key] = any(self._asks_itself(one, name) for one in self._kin(target))
        return self._asked[key]

    def _kin(self, target: Function | Class) -> Iterable[Function | Class]:
        calls = self.ground.program.calls
        return calls.families.of(target) if isinstance(target, Function) else (target,)

    def _asks_itself(self, target: Function | Class, name: str) -> bool:
        program = self.ground.program
        params = target.params if isinstance(target, Function) else ()
        if isinstance(target, Class):
            params = program.classes.constructor(target) or ()
        own = next((p for p in params if p.name == name), None)
        if own is None or how_optional(own.annotation, own.default is not None):
            return True
        if isinstance(target, Class):
            return self._is_looked_at(target, name) or self._attribute_asked(target, name)
        if target.module.is_test:
            return False
        if not _PLAIN.issuperset(target.decorators):
            return True
        return any(map(self._is_asked, program.names.called(target, name)))

    def _is_looked_at(self, cls: Class, name: str) -> bool:
        """Whether what objects of a class are made with may be looked at, or set, in other ways than by its name."""
        program = self.ground.program
        methods = [method for one in program.classes.mro(cls) for method in one.methods.values()]
        if any(m.name == "__post_init__" or not _PLAIN.issuperset(m.decorators) for m in methods):
            return True
        return any(
            not isinstance(told, tree.Const) or told.value == name
            for call in program.calls.uses.calls_beside("setattr")
            for told in call.plain[1:2]
        )

    def _attribute_asked(self, cls: Class, name: str) -> bool:
        """Whether anything asks whether an attribute has a value, or gives it one later."""
        program, key = self.ground.program, (cls, f".{name}")
        if key not in self._asked:
            self._asked[key] = False
            self._asked[key] = any(True for _ in program.calls.changed_in(cls, name)) or any(
                not self._is_first(node) and self._is_asked(node) and self._may_be_of(node, cls)
                for node in list(program.names.named(name))
                if isinstance(node, tree.Attr) and not program.names.module_of(node).is_test
            )
        return self._asked[key]

    def _is_first(self, node: tree.Attr) -> bool:
        """Whether an attribute stands where its object is made, and gets what that is given."""
        names = self.ground.program.names
        holder, around = names.parent(node), names.function_of(node)
        is_target = isinstance(holder, tree.Assign) and any(one is node for one in holder.targets)
        return is_target and around is not None and around.name == "__init__"

    def _may_be_of(self, node: tree.Attr, cls: Class) -> bool:
        found = classes_of(self.ground.program.inference.of(node.base))
        mro = self.ground.program.classes.mro
        return not found or any(cls in mro(one) or one in mro(cls) for one in found)

    def _is_asked(self, node: tree.Node) -> bool:
        """Whether something may be asked, where a value is read, that another answer follows from than the value."""
        names, inner = self.ground.program.names, node
        while isinstance(holder := names.parent(inner), tree.Sequence):
            inner = holder
        match holder:
            case tree.FString() | tree.Attr():
                return False
            case tree.DictDisplay():
                is_key = self.ground.program.policy.is_key_name
                return not any(is_key(key) for key, _ in holder.entries)
            case tree.Subscript():
                return holder.index is node  # a table may have an entry for nothing
            case tree.Binary():
                return False
            case tree.Compare(ops=ops):
                sides = [one for side in (holder.left, *holder.rights) for one in _parts(side)]
                constant = any(isinstance(one, tree.Const) for one in sides)
                return constant or not all(op in ("==", "!=") for op in ops)
            case tree.Call():
                return not is_for_people(names, inner) and self._is_asked_by(holder, inner)
            case tree.Assign() if holder.value is inner:
                return any(map(self._is_kept_otherwise, holder.targets))
            case tree.Eval(kind=kind):
                return kind != "expr"
            case _:
                return True

    def _is_kept_otherwise(self, target: tree.Node) -> bool:
        """Whether what a target keeps may be asked."""
        around = self.ground.program.names.function_of(target)
        match target:
            case tree.Attr(base=tree.Name(id="self"), name=name) if around and around.owner:
                return self._attribute_asked(around.owner, name)
            case _:
                return not isinstance(target, tree.Subscript)

    def _is_asked_by(self, call: tree.Call, value: tree.Node) -> bool:
        """Whether what gets a value as an argument may ask."""
        calls = self.ground.program.calls
        callees = calls.callees(call)
        if not callees:
            cast, called = self.ground.uncast(call) is not call, last_name(call.func)
            is_key = called in _LOOKING and isinstance(value, tree.Sequence)
            return not cast and not is_key and called not in _MAKING
        argument = next((a for a in call.args if a.value is value), None)
        name = argument and (calls.parameter_of(call, argument) or self._rest(call, argument))
        targets = [callee.function or callee.cls for callee in callees]
        return not name or any(one is None or self._asks(one, name) for one in targets)

    def _rest(self, call: tree.Call, argument: tree.Argument) -> str:
        """The name of the `*parts` that an argument is one of; nothing where that is not so of all that is called."""
        calls, found = self.ground.program.calls, set[str]()
        for params, given in map(calls.parameters, calls.callees(call)):
            rest = next((p.name for p in params if p.kind == "*"), "")
            found.add(rest if argument in surplus(call.args, params, given) else "")
        return found.pop() if len(found) == 1 else ""


def _parts(node: tree.Node) -> tuple[tree.Node, ...]:
    """What a tuple or list has in it; any other expression itself."""
    return node.items if isinstance(node, tree.Sequence) else (node,)
