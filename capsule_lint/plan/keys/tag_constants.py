"""Constants that stand for tags: `f"{P.TENANT}#{tenant_id}"` gets `{P.CAPSULE}`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.imports import Refused
from capsule_lint.plan.keys.new_tags import NewTags
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.model import Binding, Class, Module
from capsule_lint.program.texts.pieces import marks_of, word_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot


_MARKS: Final = re.compile(r"[\W_]*")


class Prefix(Struct, frozen=True):
    """The constant that stands for a scope's tag, and the text between it and the scope's value."""

    node: tree.Node
    joint: str


class Spelled(Struct, frozen=True):
    """How a tag is written: the code of a constant for it, the text between that and the value, and the code of a constant
    for what the tag ends with. Each may be empty."""

    constant: str = ""
    joint: str = ""
    mark: str = ""


@dataclass(eq=False, slots=True)
class TagConstants(MendRoom):
    """Finds the constants for a tag, and for what sets it off, beside those of its neighbour."""

    mends: Mends
    _new: NewTags = field(init=False)

    def __post_init__(self) -> None:
        self._new = NewTags(self.mends)

    def beside(self, knot: Knot, host: tree.Node, anchor: tree.Node | None, tag: str) -> Spelled:
        """`P.CAPSULE` beside `P.TENANT`, and what stands between it and the value: a text, or `SEP`."""
        before = _next_to(host, anchor, -1)
        mark = self._mark(before, marks_of(tag))
        prefix = _prefix_of(host, before if mark and isinstance(before, tree.Node) else anchor)
        value = self.program.templates.constant(prefix.node) if prefix is not None else None
        if prefix is None or value is None or not word_of(value):
            return Spelled(mark=mark)
        wanted = tag if marks_of(value) else word_of(tag)
        code = self.sibling(knot, prefix.node, wanted)
        return Spelled(mark=mark) if code is None else Spelled(code, prefix.joint, mark)

    def mark_behind(self, host: tree.Node, anchor: tree.Node | None, mark: str) -> str:
        """`SEP`, where that sets off what comes behind the anchor in an f-string or a sum, or, where nothing comes, the
        anchor itself; empty where that is written out."""
        if not isinstance(host, tree.FString | tree.Binary):
            return ""
        behind = _next_to(host, anchor, 1)
        return self._mark(_next_to(host, anchor, -1) if behind is None else behind, mark)

    def _mark(self, part: tree.Node | str | None, mark: str) -> str:
        """The code of a constant that is a mark, if a part of a key is one."""
        if not isinstance(part, tree.Name | tree.Attr) or not mark:
            return ""
        return (text_of(part) or "") if self.program.templates.constant(part) == mark else ""

    def sibling(self, knot: Knot, node: tree.Node, wanted: str) -> str | None:
        """The code of the constant of that value which stands beside another one."""
        program = self.program
        module = self.program.names.module_of(node)
        match node:
            case tree.Attr(name="value", base=tree.Attr() as member):
                found = self.sibling(knot, member, wanted)
                return f"{found}.value" if found is not None else None
            case tree.Attr():
                base, owners = text_of(node.base), list(self._owners(node))
                known = (self._named(owner, wanted) for owner in owners)
                new = (self._new.added(knot, owner, node.name, wanted) for owner in owners)
                name = next((one for one in chain(known, new) if one is not None), None)
                if name is not None and base is not None:
                    return f"{base}.{name}"
            case tree.Name():
                for binding in program.names.bindings_of(node)[-1:]:
                    target = program.names.follow(binding)
                    if not isinstance(target, Binding) or not target.is_global:
                        continue
                    home = target.module
                    if home is not module and node.id != target.name:
                        continue
                    name = self._named(home, wanted) or self._new.added(
                        knot, home, target.name, wanted, usable=partial(self._is_free, node, home)
                    )
                    if name is None:
                        continue
                    self.mends.import_(knot, module, home.name, name)
                    return name
        return None

    def _is_free(self, node: tree.Node, home: Module, name: str) -> bool:
        """Whether a name of a module can be had where another one of that is used."""
        place = self.program.names.place(node)
        module = place.scope.module
        needed = self.mends.imports.find(module, home.name, name, annotation=False)
        taken = any(name in scope.bindings for scope in place.scope.ancestors())
        return not taken and not isinstance(needed, Refused)

    def _owners(self, node: tree.Attr) -> Iterator[Class | Module]:
        """The classes, or the module, that an attribute is looked up in."""
        program = self.program
        dotted = program.classes.dotted(node.base)
        if isinstance(dotted, Binding) and isinstance(dotted.definition, Class):
            yield from program.classes.mro(dotted.definition)
            return
        yield from program.inference.homes(node.base, classes=True)
        target = program.classes.dotted(node)
        if isinstance(target, Binding) and target.is_global:
            yield target.module

    def _named(self, owner: Class | Module, wanted: str) -> str | None:
        constant = self.program.templates.constant
        for name, bindings in owner.scope.bindings.items():
            value = bindings[0].value
            if len(bindings) == 1 and bindings[0].kind == "assign" and value is not None:
                said = constant(value)
                if said is not None and said == wanted:
                    return name
        return None


def _prefix_of(host: tree.Node, anchor: tree.Node | None) -> Prefix | None:
    """The constant before the anchor (or at the very front) of an f-string, a sum or a list."""
    for parts in _parts_of(host):
        if anchor is None:
            return _prefix_of_front(parts)
        places = [n for n, p in enumerate(parts) if p is anchor]
        if places:
            return _prefix_at(parts, places[0] - 1)
    return None


def _next_to(host: tree.Node, anchor: tree.Node | None, step: int) -> tree.Node | str | None:
    """What stands so many parts behind an anchor in an f-string, a sum or a list."""
    for parts in _parts_of(host):
        for number, part in enumerate(parts):
            if part is anchor:
                at = number + step
                return parts[at] if 0 <= at < len(parts) else None
    return None


def _prefix_of_front(parts: Sequence[tree.Node | str]) -> Prefix | None:
    """The constant that a key begins with, and what stands between it and what comes then."""
    node = parts[0] if parts else None
    text = parts[1] if len(parts) > 1 else ""
    found = _MARKS.match(text) if isinstance(text, str) else None
    joint = found[0] if found is not None else ""
    return Prefix(node, joint) if isinstance(node, tree.Name | tree.Attr) else None


def _prefix_at(parts: Sequence[tree.Node | str], at: int) -> Prefix | None:
    joint = ""
    if at >= 1 and isinstance(text := parts[at], str) and text and not word_of(text):
        at, joint = at - 1, text
    node = parts[at] if 0 <= at < len(parts) else None
    return Prefix(node, joint) if isinstance(node, tree.Name | tree.Attr) else None


def _parts_of(node: tree.Node) -> Iterator[list[tree.Node | str]]:
    """The parts, in order, of each f-string, sum, list or call that an expression contains."""
    for one in within(node):
        match one:
            case tree.FString():
                yield [p if isinstance(p, str) else p.value for p in one.parts]
            case tree.Binary(op="+"):
                yield [
                    o.value if isinstance(o, tree.Const) and isinstance(o.value, str) else o
                    for o in operands_of(one)
                ]
            case tree.Sequence():
                yield list(one.items)
            case tree.Call():
                yield [a.value for a in one.args]


def operands_of(node: tree.Node) -> list[tree.Node]:
    """The terms of a sum, in order; of anything else itself."""
    if isinstance(node, tree.Binary) and node.op == "+":
        return [*operands_of(node.left), *operands_of(node.right)]
    return [node]
