"""Whether anything asks an object that is saved whose it is: `f"TENANT#{order.tenant_id}"`, `self._rows[order.pk]`. Where keys
are made of what is given beside it alone, it is found whatever it says itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.local_names import bound_whole, only_assigned, reads_of
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class

_MAX_DEPTH: Final = 3
_PLAIN: Final = frozenset(("asdict", "_asdict", "vars", "model_dump", "dict"))
"""What gives all fields of an object, and none of its keys."""


@dataclass(frozen=True)
class LookedAt:
    """Finds out; what cannot be followed looks."""

    program: Program
    cls: Class
    """What the object is."""

    def by(self, call: tree.Call, made: tree.Node, depth: int = 0) -> bool:
        """Whether what a call runs may ask an object that it is given, by itself or by a local, or whatever else has it."""
        names = self.program.names
        argument = next(
            a for a in call.args if a.value is made or only_assigned(names, a.value) is made
        )
        binding = bound_whole(names, argument.value) if argument.value is not made else None
        if binding is not None and isinstance(argument.value, tree.Name):
            reads = reads_of(names, argument.value, (binding.at,))
            if any(one is not argument.value and self._asks(one, None, depth) for one in reads):
                return True
        parameter = self.program.calls.parameter_of(call, argument)
        called = [one.function for one in self.program.calls.callees(call)]
        return (
            parameter is None
            or not called
            or any(one is None or self._in(one, parameter, depth) for one in called)
        )

    def _in(self, function: Function, parameter: str, depth: int) -> bool:
        family = self.program.calls.families.of(function) if depth < _MAX_DEPTH else ()
        return not family or any(
            all(one.name != parameter for one in kin.params)
            or any(
                self._asks(one, kin, depth) for one in self.program.names.called(kin, parameter)
            )
            for kin in family
        )

    def _asks(self, name: tree.Name, function: Function | None, depth: int) -> bool:
        """Whether an expression that begins with the object reads more than what it is told of other things."""
        parent = self.program.names.parent(name)
        if isinstance(parent, tree.Attr):
            around = self.program.names.parent(parent)
            if isinstance(around, tree.Call) and around.func is parent:
                return parent.name not in _PLAIN or not self._is_kept(function)
            if any(parent.name == scope.parameter for scope in self.program.policy.scopes):
                return not self._is_listed(parent, around) or not self._is_kept(function)
            made = self.program.classes.method(self.cls, parent.name) is not None
            return made or parent.name.startswith("__")
        if isinstance(parent, tree.Assign) and isinstance(parent.targets[0], tree.Subscript):
            return self._is_picked()  # it is kept in memory
        if not isinstance(parent, tree.Call) or function is None:
            return True
        if last_name(parent.func) in _PLAIN:
            return not self._is_kept(function)
        return self.by(parent, name, depth + 1)

    def _is_listed(self, node: tree.Node, around: object) -> bool:
        """Whether a value is an entry of an item, and no key of that."""
        if not isinstance(around, tree.DictDisplay):
            return False
        keys = [key for key, value in around.pairs if value is node]
        return all(
            isinstance(key, tree.Const)
            and isinstance(key.value, str)
            and not self.program.policy.is_key_name(key.value)
            for key in keys
        )

    def _is_kept(self, function: Function | None) -> bool:
        """Whether a function puts what it has into a table, out of which nothing is picked by what the rows say."""
        if function is None:
            return False
        beside = function.owner.methods.values() if function.owner is not None else (function,)
        return any(map(self.program.domain.touches_table, beside)) and not self._is_picked()

    def _is_picked(self) -> bool:
        """Whether the program may ask rows whose they are: a comparison does, or a condition."""
        modules = [one for one in self.program.names.modules.values() if not one.is_test]
        return any(
            self._picks(node) for one in modules for node in one.every(tree.Compare, tree.Call)
        )

    def _picks(self, node: tree.Node) -> bool:
        names = {scope.parameter for scope in self.program.policy.scopes}
        match node:
            case tree.Compare():
                return any(self._reads(one, names) for one in within(node))
            case tree.Call() if last_name(node.func) != "get":
                texts = [a.value.value for a in node.args if isinstance(a.value, tree.Const)]
                told = any(n in text for text in texts if isinstance(text, str) for n in names)
                return told or any(self._reads(one, names) for one in within(node.func))
            case _:
                return False

    def _reads(self, node: tree.Node, names: set[str]) -> bool:
        """Whether an expression is a scope, or a key, of what it is read of."""
        match node:
            case tree.Attr(name=name) | tree.Subscript(index=tree.Const(value=str() as name)):
                return name in names or self.program.policy.is_key_name(name)
            case _:
                return False
