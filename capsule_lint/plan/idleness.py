"""Methods of a repository that have nothing to do with its items."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import does_nothing
from capsule_lint.plan.entities.wholes import Wholes
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Foreign
from capsule_lint.program.model import Function, last_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from capsule_lint.plan.planner import Planner
    from capsule_lint.program.model import Class

_OF_TABLES: Final = frozenset(
    ("create_table", "delete_table", "update_table", "describe_table", "update_time_to_live")
)
"""Operations on a table itself, whatever is in it."""
_CONVERSIONS: Final = frozenset(("serialize", "deserialize"))
"""What boto3's converters of values do."""
_VALUES: Final = frozenset(f"builtins.{name}" for name in ("str", "bytes", "int", "float", "bool"))
_DEPTH: Final = 3


@dataclass(eq=False)
class Idleness(Room):
    """Finds such methods."""

    planner: Planner
    _for_tests: dict[str, bool] = field(default_factory=dict)

    def of(self, method: Function, family: Collection[Function]) -> bool:
        """Whether neither a method nor those that can stand in for it are about items: they make the table,
        do what another service is asked for, or nothing at all for a base from outside."""
        if len(family) == 1 and self._is_idle(method):
            return True
        if all(map(does_nothing, family)):
            return any(True for _ in self.planner.entries.foreign_bases(method))
        if any(map(self.program.domain.touches_table, family)):
            return False
        return any(map(self._is_of_table, family))

    def _is_of_table(self, method: Function) -> bool:
        """Whether a method makes, changes or drops the table, and no key."""
        return method not in self.program.keys.functions and any(
            isinstance(node, tree.Call)
            and isinstance(node.func, tree.Attr)
            and node.func.name in _OF_TABLES
            for node in self.program.names.inside(method)
        )

    def _is_idle(self, method: Function, depth: int = 0) -> bool:
        """Whether a method does something, and nothing of it with its object: it cannot reach a table."""
        domain = self.program.domain
        if domain.touches_table(method) or method in self.program.keys.functions:
            return False
        if not method.takes_self or self.planner.local.notes.touches(method):
            return False
        if not method.returns and not self._only_notes(method):
            return False
        if method.owner is None or self.program.classes.is_abstract(method.owner):
            return False
        names = {method.params[0].name, "super"}
        program = self.program
        inside = [n for n in program.names.inside(method) if isinstance(n, tree.Name | tree.Call)]
        for node in inside:
            if isinstance(node, tree.Name) and node.id in names:
                if not (self._is_harmless(node) or self._is_plain(node, method, depth)):
                    return False
                continue
            called = self._called(node) if isinstance(node, tree.Call) else []
            if any(map(self._may_reach, called)) and not self._is_own(node, method):
                return False
        return bool(inside)

    def _is_plain(self, name: tree.Name, method: Function, depth: int) -> bool:
        """Whether of an object only a text or a number is read, or a method called that is idle as well:
        `self.secret`, `self._sign(text)`."""
        attribute = self.program.names.parent(name)
        if not isinstance(attribute, tree.Attr):
            return False
        call = self.program.names.parent(attribute)
        if isinstance(call, tree.Call) and call.func is attribute:
            return self._is_own(call, method) and all(
                depth < _DEPTH and isinstance(one, Function) and self._is_idle(one, depth + 1)
                for one in self._called(call)
            )
        types = self.program.inference.of(attribute)
        return bool(types) and all(isinstance(t, Foreign) and t.name in _VALUES for t in types)

    def _is_own(self, call: tree.Node, method: Function) -> bool:
        """Whether a call calls a method of its object and nothing else."""
        match call:
            case tree.Call(func=tree.Attr(base=tree.Name(id=name))) if (
                name == method.params[0].name
            ):
                called = self._called(call)
                return bool(called) and all(
                    isinstance(one, Function) and one.owner is method.owner for one in called
                )
            case _:
                return False

    def _is_harmless(self, name: tree.Name) -> bool:
        """Whether what is done with an object leaves the table alone: it is told something, given back, asked to
        convert a value, or for another object of the program's."""
        attribute = self.program.names.parent(name)
        if isinstance(attribute, tree.Eval):
            return attribute.kind == "return"
        used = self.program.names.parent(attribute)
        if isinstance(used, tree.Assign) and isinstance(attribute, tree.Attr):
            return any(target is attribute for target in used.targets)
        converts = isinstance(used, tree.Attr) and used.name in _CONVERSIONS
        return converts or self._asks_other(name) or self._is_noted(name)

    def _only_notes(self, method: Function) -> bool:
        """Whether a method does nothing but note texts for tests."""
        done = method.fact.body[method.fact.doc :]
        return bool(done) and all(
            isinstance(one, tree.Eval)
            and one.kind == "expr"
            and self._is_note(one.values[0], method)
            for one in done
        )

    def _is_noted(self, name: tree.Name) -> bool:
        """Whether of an object only a list is filled that tests alone read."""
        parent, method = self.program.names.parent, self.program.names.function_of(name)
        return method is not None and self._is_note(parent(parent(parent(name))), method)

    def _is_note(self, node: object, method: Function) -> bool:
        """Whether an expression keeps a text, and no key, for tests alone: `self.deleted.append(name)`."""
        match node:
            case tree.Call(
                func=tree.Attr(base=tree.Attr(base=tree.Name(id=name), name=kept), name="append"),
                args=(tree.Argument(value=value),),
            ) if name == method.self_name:
                pass
            case _:
                return False
        if method.owner is None or self.program.classes.is_data(method.owner):
            return False
        types = self.program.inference.of(value)
        said = bool(types) and all(isinstance(t, Foreign) and t.name in _VALUES for t in types)
        if not said or self.program.keys.made_by(method) or method.owner in self._read_whole:
            return False
        return self._is_for_tests(kept)

    @cached_property
    def _read_whole(self) -> set[Class]:
        """The classes all of whose attributes the program reads together, or by names that it makes: `vars(self)`,
        `pickle.dumps(repo)`, `getattr(repo, kind)`."""
        wholes, module_of = Wholes(self.program), self.program.names.module_of
        named = (
            (cls, call)
            for cls, call in wholes.given_to(("dump", "dumps", "getattr"))
            if last_name(call.func) != "getattr" or not any(tree.text(a.value) for a in call.args)
        )
        every = (*wholes.every, *named)
        return {cls for cls, node in every if not module_of(node).is_test}

    @cached_property
    def _texts(self) -> set[str]:
        """The texts in the program's own modules."""
        modules = (one for one in self.program.names.modules.values() if not one.is_test)
        return {
            one.value for m in modules for one in m.each(tree.Const) if isinstance(one.value, str)
        }

    def _is_for_tests(self, attribute: str) -> bool:
        """Whether nothing but tests reads the list that is kept under a name: the program only makes and fills it."""
        if attribute not in self._for_tests:
            self.program.names.ask(attribute)
            self._for_tests[attribute] = attribute not in self._texts and self._is_filled(
                attribute
            )
        return self._for_tests[attribute]

    def _is_filled(self, attribute: str) -> bool:
        """Whether the program does nothing with what has that name but to make and to fill it."""
        names = self.program.names
        for module in (one for one in names.modules.values() if not one.is_test):
            for node in module.named.get(attribute, ()):
                match names.parent(node) if isinstance(node, tree.Attr) else None:
                    case None | tree.Attr(name="append"):
                        pass
                    case tree.Assign(targets=(target,), value=tree.Sequence(items=())) if (
                        target is node
                    ):
                        pass
                    case _:
                        return False
        return True

    def _asks_other(self, name: tree.Name) -> bool:
        """Whether an object is only asked for another of the program's, which is asked in turn:
        `self.mail.status(ticket_id)`."""
        parent = self.program.names.parent
        attribute = parent(name)
        method = parent(attribute)
        call = parent(method)
        if not isinstance(attribute, tree.Attr) or not isinstance(method, tree.Attr):
            return False
        return isinstance(call, tree.Call) and call.func is method and bool(self._called(call))

    def _called(self, call: tree.Call) -> list[Function | Class]:
        found = self.program.calls.callees(call)
        return [one for c in found if (one := c.function or c.cls) is not None]

    def _may_reach(self, one: Function | Class) -> bool:
        """Whether a function, or an object of a class, may be one that reaches the table."""
        domain = self.program.domain
        owner = one.owner if isinstance(one, Function) else one
        if owner is None or (isinstance(one, Function) and domain.touches_table(one)):
            return True
        return owner in domain.repositories or owner in domain.layers
