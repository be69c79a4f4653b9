"""Constants that format strings are kept in: they change for all that fill them, or for none."""

from __future__ import annotations

from ast import literal_eval
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.refilled import refilled
from capsule_lint.plan.uses.naming import naming
from capsule_lint.program.inference.types import UNKNOWN
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.texts.text_objects import member_of, parts_of
from capsule_lint.program.walk import asks_presence, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.program.model import Class, Module

_BY_NAME: Final = frozenset(("getattr", "setattr", "delattr", "attrgetter", "object"))
"""What finds attributes by their names, `patch.object` among it."""


@dataclass(eq=False, slots=True)
class FormatConstants(MendRoom):
    """Finds them, and looks at whatever else uses those that change."""

    mends: Mends
    _texts: dict[int, str] = field(default_factory=dict)
    """The new code of the constants that are changed already."""
    _changed: list[tree.Const] = field(default_factory=list)

    def becomes(self, constant: tree.Const, text: str) -> bool:
        """Note the new code of a constant; whether everybody wants that code."""
        if id(constant) not in self._texts:
            self._changed.append(constant)
        return self._texts.setdefault(id(constant), text) == text

    def changes(self, constant: tree.Const) -> bool:
        """Whether a constant gets new code."""
        return id(constant) in self._texts

    def of(self, base: tree.Node) -> tree.Const | None:
        """The constant that a format string is kept in."""
        program = self.program
        method = program.templates.formatted.method(base)
        if method is not None and method is not base:
            base = method.base
            if isinstance(base, tree.Const):
                return base
        if isinstance(base, tree.Subscript):
            entry = program.templates.constants.entry(base)
            return entry if isinstance(entry, tree.Const) else None
        base = member_of(base)
        dotted = program.classes.dotted(base)
        if isinstance(dotted, Binding) and isinstance(dotted.value, tree.Const):
            return dotted.value
        own = (binding.value for binding in self._attributes(base))
        return next((value for value in own if isinstance(value, tree.Const)), None)

    def _attributes(self, node: tree.Node) -> Iterator[Binding]:
        """What classes have under a name that is asked of an object of theirs: `self.pk_template`."""
        if isinstance(node, tree.Attr):
            for owner in self.program.inference.homes(node.base, classes=True):
                yield from owner.scope.bindings.get(node.name, ())

    def uses(self) -> None:
        """What uses a changed constant in any other way needs a person."""
        if not self._texts:
            return
        program = self.program
        bases: set[int] = set()
        formatted = program.templates.formatted
        for defect in self.planner.defects:
            host = defect.template.host
            base = formatted.base(host)
            if base is not None:
                bases |= {id(base), id(member_of(base))}
            if isinstance(host, tree.Call):
                bases.add(id(host.func))
                kept = program.templates.text_objects.kept(host.func)
                bases |= (
                    {id(kept.holder), id(member_of(kept.holder))} if kept is not None else set()
                )
        bases |= {id(base) for base in self.mends.planner.fillings.bases}
        names = self._names()
        for module in program.names.modules.values():
            for node in module.either(tree.Name, tree.Attr):
                called = map(last_name, (node, member_of(node)))
                if id(node) not in bases and not names.isdisjoint(called):
                    self._use(node, module, bases)
            for use in module.either(tree.Attr, tree.Const) if self._held else ():
                if id(use) not in bases and not self._is_stored(use):
                    self._held_use(use)
        for cls, constants in self._members().items():
            self._members_use(cls, constants)

    def _members(self) -> dict[Class, list[tree.Const]]:
        """The changed constants that are members of enums."""
        found: dict[Class, list[tree.Const]] = {}
        for constant in self._changed:
            cls = self.program.names.place(constant).scope.cls
            if cls is not None and self.program.classes.is_enum(cls):
                found.setdefault(cls, []).append(constant)
        return found

    def _members_use(self, cls: Class, constants: Sequence[tree.Const]) -> None:
        """What finds members of an enum otherwise than by their names is one of those that fill them."""
        program = self.program
        for node in naming(program, cls):
            match program.names.parent(node):
                case tree.Attr(name=name) if name in cls.scope.bindings:
                    continue
                case tree.Call(func=tree.Name(id="isinstance" | "issubclass")):
                    continue
            if not program.names.annotates(node):
                for constant in constants:
                    reason = f"finds members of `{cls.name}`, whose texts change, in its own way"
                    self.mends.obstacle(("constant", id(constant)), node, reason)

    @property
    def _held(self) -> dict[str, list[tree.Node]]:
        return self.mends.planner.fillings.held

    def _is_stored(self, node: tree.Attr | tree.Const) -> bool:
        """Whether an attribute is only given a value there: `self.hash_key = hash_key`."""
        statement = self.program.names.parent(node)
        return isinstance(statement, tree.Assign) and any(t is node for t in statement.targets)

    def _held_use(self, node: tree.Attr | tree.Const) -> None:
        """A use of what each class of several has under a name: of an object that is not known, or by that name
        as a text."""
        program = self.program
        texts: Sequence[tree.Node]
        if isinstance(node, tree.Const):
            call = program.names.parent(node) if node.value in self._held else None
            by_name = isinstance(call, tree.Call) and last_name(call.func) in _BY_NAME
            texts = self._held.get(str(node.value), ()) if by_name else ()
        elif node.name not in self._held or asks_presence(program.names.parent(node)):
            return
        elif UNKNOWN in (types := program.inference.of(node.base)) or not types:
            inner, of = self.mends.planner.fillings.within, last_name(node.base)
            texts = [t for t in self._held[node.name] if inner[id(t)] in ("", of)]
        else:
            texts = program.templates.choices.of(node).texts
        for text in texts:
            if id(text) in self._texts and not (
                self._is_refilled(node, text) or self._finds_as_before(node, text)
            ):
                knot: Knot = ("constant", id(text))
                reason = "uses a text that changes in its own way"
                self.mends.obstacle(knot, node, reason)
                return

    def _is_refilled(self, node: tree.Attr | tree.Const, text: tree.Node) -> bool:
        """Whether a test fills what its class has, `NoteRepo.pk_template.format(tenant_id="t")`: then that is
        looked at already."""
        return isinstance(node, tree.Attr) and self.of(node) is text

    def _finds_as_before(self, node: tree.Node, text: tree.Node) -> bool:
        """Whether code only asks for something in a text that has it, or lacks it, before and after:
        `"{tenant_id}" in cls.pk_template`."""
        match text, self.program.names.parent(node):
            case (
                tree.Const(value=str() as old),
                tree.Compare(left=tree.Const(value=str() as asked), ops=("in" | "not in",)),
            ):
                return (asked in old) == (asked in literal_eval(f"({self._texts[id(text)]})"))
            case _:
                return False

    def _names(self) -> set[str]:
        """What the changed constants may be called, and their `format` where a name is kept for it."""
        program = self.program
        found = {"format", "format_map"}
        for module in program.names.modules.values():
            for statement, _ in module.statements:
                if isinstance(statement, tree.Assign) and self._holds(statement.value):
                    found.update(map(last_name, statement.targets))
        return {alias for name in found for alias in program.calls.uses.known_as(name)}

    def _holds(self, value: tree.Node | None) -> bool:
        """Whether something is a changed constant, a table of some, or an object that is given one."""
        kept = within(value) if isinstance(value, tree.DictDisplay) else parts_of(value)
        return any(id(one) in self._texts for one in kept)

    def _object_use(self, node: tree.Name | tree.Attr, module: Module) -> None:
        """A use of an object that fills a changed constant: what is made of it must be known."""
        target = self.program.classes.dotted(node)
        said = [target.value] if isinstance(target, Binding) else self._library(node)
        made = [one for one in said if not isinstance(one, tree.Const)]
        if any(one.at == node.at for one in _targets(module)):
            return
        for constant in chain.from_iterable(map(parts_of, made)):
            if id(constant) in self._texts:
                reason = f"uses `{text_of(node)}`, whose text changes, in its own way"
                self._refill(node, constant, reason)

    def _refill(self, node: tree.Node, constant: tree.Node, reason: str) -> None:
        """Have a test fill the new fields of a constant, or say why it is left."""
        knot: Knot = ("constant", id(constant))
        mends = refilled(self.mends, node, constant, self._texts[id(constant)], knot)
        for mend in mends:
            self.mends.add_once(knot, mend)
        if not mends:
            self.mends.obstacle(knot, node, reason)

    def _library(self, node: tree.Name | tree.Attr) -> Iterator[tree.Node]:
        """What a class has under a name that an object of it is asked for, where that is made by the standard library:
        a class of the program may say what is got there, as descriptors do."""
        for value in (binding.value for binding in self._attributes(node)):
            if isinstance(value, tree.Call) and isinstance(
                self.program.classes.dotted(value.func), str
            ):
                yield value

    def _table_use(
        self, node: tree.Name | tree.Attr, table: tree.DictDisplay, known: set[int]
    ) -> None:
        """A use of a table with changed constants: what is looked up in it must be known."""
        program = self.program
        lookup = program.names.parent(node)
        if id(lookup) in known or _asks_keys(lookup, node):
            return
        entry = None
        if isinstance(lookup, tree.Subscript) and lookup.base is node:
            entry = program.templates.constants.entry(lookup)
            if entry is not None and id(entry) in self._texts:
                own: Knot = ("constant", id(entry))
                filled = refilled(self.mends, lookup, entry, self._texts[id(entry)], own)
                for mend in filled:
                    self.mends.add(own, mend)
                if filled:
                    return
        for constant in within(table if entry is None else entry):
            if id(constant) in self._texts:
                knot: Knot = ("constant", id(constant))
                reason = f"uses `{text_of(node)}`, whose texts change, in its own way"
                self.mends.obstacle(knot, node, reason)

    def _use(self, node: tree.Name | tree.Attr, module: Module, known: set[int]) -> None:
        table = self.program.templates.constants.table(node)
        if table is not None and all(target is not node for target in _targets(module)):
            self._table_use(node, table, known)
            return
        self._object_use(node, module)
        constant = self.of(node)
        if constant is None or id(constant) not in self._texts:
            return
        if any(s.at == node.at for s in _targets(module)):
            return
        if self._finds_as_before(node, constant):
            return
        reason = f"fills `{text_of(node)}`, which changes, in its own way"
        self._refill(node, constant, reason)


def _asks_keys(use: object, table: tree.Node) -> bool:
    """Whether a use of a dict asks for its keys alone, or for one: `list(TABLE)`, `for kind in TABLE`, `TABLE.keys()`,
    `kind in TABLE`."""
    match use:
        case tree.Call(func=tree.Name(id="list" | "tuple" | "set" | "sorted" | "len")):
            return True
        case tree.Compare(ops=("in" | "not in",)) | tree.Block(kind="for"):
            return True
        case tree.Comprehension():
            return any(one.iter is table for one in use.generators)
        case _:
            return isinstance(use, tree.Attr) and use.name == "keys"


def _targets(module: Module) -> Iterator[tree.Node]:
    for statement, _ in module.statements:
        if isinstance(statement, tree.Assign):
            yield from statement.targets
