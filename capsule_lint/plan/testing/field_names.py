"""Names of all fields that a test expects of a class: `[f.name for f in fields(Note)] == ["tenant_id", "note_id"]`. The new
one comes where its field does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements
from capsule_lint.plan.entities.wholes import NAMING_ALL, named_by
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.comparisons import is_compared
from capsule_lint.program.model import Binding, Class

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.model import Span
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_SHOWN: Final = "this may be a list of names that gets `{}`"
_NAMES: Final = (*NAMING_ALL, "__annotations__", "model_fields")
"""Attributes that have the names of all fields in them, in their order."""
MAKING: Final = ("list", "tuple", "set", "frozenset")
"""What makes a list or a set of names, and of the keys of a dict."""


class FieldNames(MendRoom, Struct, frozen=True):
    """Extends such lists and sets, or notes that a person must."""

    mends: Mends

    def expect(self, module: Module, node: tree.Sequence, other: tree.Node) -> None:
        """Extend what is compared with the names of all fields."""
        of, names = _named_whole(other), [tree.text(item) for item in node.items]
        expected = self.mends.expected
        for knot, scope in expected.fields(of, classes=True) if of is not None else ():
            cls = knot[1]
            if isinstance(cls, Class) and (node.kind == "set" or self._is_beside(cls, scope)):
                expected.element(module, node, names, (knot, scope), values=False)

    def _is_beside(self, cls: Class, scope: Scope) -> bool:
        """Whether a field comes directly beside that of another scope, as its name does."""
        held, others = self.program.domain.held.is_attribute, self.program.policy.others(scope)
        own = (f.name for f in self.program.classes.fields(cls) if f.owner is cls)
        return any(held(cls, name, old) for name in own for old in others)

    def note(self) -> None:
        """A test that spells out a list of the program's which gets a name more, as a list or as a line of columns,
        expects the old one: a person must look."""
        gains: dict[tuple[str, Span], list[tuple[Knot, str]]] = {}
        for knot, mend in self.mends.found:
            for code in (*mend.before, *mend.after) if isinstance(mend, AddElements) else ():
                gains.setdefault((mend.filename, mend.at), []).append((knot, code.strip("\"'")))
        changed: dict[tuple[str, ...], list[tuple[Knot, str, tree.Sequence]]] = {}
        modules = self.program.names.editable() if gains else ()
        for module in modules:
            for listed in module.each(tree.Sequence) if not module.is_test else ():
                gained = gains.get((module.filename, listed.span))
                if gained and len(names := _texts(listed)) > 1:
                    changed.setdefault(names, []).extend((*one, listed) for one in gained)
        for module in modules if changed else ():
            nodes = module.every(tree.Sequence, tree.Const) if module.is_test else ()
            for node in nodes:
                known = [one for line in _lines(node) for one in changed.get(line, ())]
                told = known and (module.filename, node.span) not in gains
                for knot, new, listed in known if told and is_compared(self.program, node) else ():
                    if not self._is_apart(node, listed):
                        self.mends.obstacle(knot, node, _SHOWN.format(new))

    def _is_apart(self, node: tree.Node, listed: tree.Sequence) -> bool:
        """Whether the test around an expression runs nothing that reads a list, nor anything that is kept elsewhere and may
        be made of it."""
        names = self.program.names
        test, parent = names.function_of(node), names.parent(listed)
        target = parent.targets[0] if isinstance(parent, tree.Assign) else None
        if test is None or test.own_params or not isinstance(target, tree.Name):
            return False
        names.ask(target.id)
        running = self.mends.testing.reach.all_of(test)
        reading = {names.function_of(one) for one in names.named(target.id) if one.at != target.at}
        if running is None or None in reading or not running.isdisjoint(reading):
            return False
        return not any(
            one.fact.decorators
            or any(not isinstance(p.default, tree.Const | None) for p in one.own_params)
            or any(map(self._is_kept, names.inside(one)))
            for one in running
        )

    def _is_kept(self, node: tree.Node) -> bool:
        """Whether an expression reads what was given a name outside of functions, or an attribute."""
        match node:
            case tree.Name():
                bound = map(self.program.names.follow, self.program.names.bindings_of(node))
                given = [one for one in bound if isinstance(one, Binding) and one.is_variable]
                return any(one.function is None for one in given)
            case tree.Attr():
                call = self.program.names.parent(node)
                return not (isinstance(call, tree.Call) and call.func is node)
            case _:
                return False


def _texts(node: tree.Sequence) -> tuple[str, ...]:
    """The texts that a list is made of; none where it is made of anything else."""
    names = [tree.text(item) for item in node.items]
    return tuple(name for name in names if name is not None) if None not in names else ()


def _lines(node: tree.Node) -> Iterator[tuple[str, ...]]:
    """The names that are listed by a list, or by a line of a text."""
    if isinstance(node, tree.Sequence):
        yield _texts(node)
    for line in (tree.text(node) or "").splitlines():
        yield tuple(name.strip() for name in re.split(r"[,;|\t]", line))


def _named_whole(node: tree.Node) -> tree.Node | None:
    """The class, or the object, of which something gives the names of all fields: `Note` of `[f.name for f in fields(Note)]`,
    `list(Note.model_fields)`, `Note.__match_args__`; `None` where it does not."""
    match node:
        case tree.Call(func=tree.Name(id=made), args=(tree.Argument(value=inner),)):
            return _named_whole(inner) if made in MAKING else None
        case tree.Call(func=tree.Attr(name="keys", base=tree.Attr() as fields), args=()):
            return _named_whole(fields)
        case tree.Comprehension(
            results=(name,), generators=(tree.Generator(target=one, iter=each, ifs=()),)
        ):
            return named_by(name, one, each)
        case tree.Attr(name=name, base=of):
            return of if name in _NAMES else None
        case _:
            return None
