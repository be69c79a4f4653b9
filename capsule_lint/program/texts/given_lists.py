"""Lists that functions of the program give, and of which keys are joined elsewhere: `"#".join(self.parts)`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import IN_PLACE
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.texts.folds import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Function
    from capsule_lint.program.texts.templates import Templates


class Listing(Struct, frozen=True):
    """A list of the parts of a key that a function returns, and what joins it."""

    function: Function
    value: tree.Node
    separator: str


@dataclass(eq=False, slots=True)
class GivenLists:
    """Finds the lists."""

    templates: Templates
    joined_of: dict[int, Listing] = field(default_factory=dict)
    """Those of which something is joined, by the displays that they begin with."""

    def joined_by(self, node: tree.Call) -> list[tree.Sequence]:
        """The displays with which the lists begin of which a call joins one."""
        source = joined(node)
        lists = self.of(source) if isinstance(source, tree.Attr | tree.Call) else []
        separator = self.templates.joins.separator(node)
        for written, maker in lists if separator else ():
            self.joined_of[id(written)] = Listing(maker, maker.returns[0], str(separator))
        return [written for written, _ in lists]

    def of(self, source: tree.Attr | tree.Call) -> list[tuple[tree.Sequence, Function]]:
        """The lists that an expression may be, with the functions that return them: those of the property of
        `self.parts`, in all classes that it may be of; empty if one of them is not known."""
        found: list[tuple[tree.Sequence, Function]] = []
        for maker in self._makers(source):
            if not maker.returns and any("abstract" in name for name in maker.decorators):
                continue
            if len(maker.returns) != 1:
                return []
            value = maker.returns[0]
            elements, written = self.templates.joins.elements(value, value)
            if elements is None or not isinstance(written, tree.Sequence):
                return []
            found.append((written, maker))
        return found

    def items(self, source: tree.Attr | tree.Call) -> list[tree.Node]:
        """What functions yield one after the other, or have in the lists that they return, where an expression is
        that: `self.index_keys()`."""
        if isinstance(source, tree.Call) and last_name(source.func) in IN_PLACE and source.plain:
            inner = source.plain[0]
            return self.items(inner) if isinstance(inner, tree.Attr | tree.Call) else []
        found: list[tree.Node] = []
        for maker in self._makers(source):
            found += (one.value for one in maker.yields if one.kind == "yield")
            for value in maker.returns:
                listed = self.templates.formatted.written_out(value)
                if isinstance(listed, tree.Call) and last_name(listed.func) in IN_PLACE:
                    listed = listed.plain[0] if listed.plain else listed
                found += tree.items(listed) if isinstance(listed, tree.Sequence) else each(listed)
        return found

    def comprehended(self, made: tree.Comprehension) -> Iterator[tuple[tree.Node, tree.Node]]:
        """The values, each with what spells its key, that a comprehension puts into a dict one after another:
        `{f"GSI{number}PK": key for number, key in keys.items()}`."""
        match made.results:
            case index, tree.Name() as value:
                for one in self.templates.names.bindings_of(value):
                    if one.kind == "for" and one.value is not None:
                        yield from ((index, given) for given in self.iterated(one.value, one.path))

    def iterated(self, node: tree.Node, path: tuple[int, ...]) -> list[tree.Node]:
        """What a loop gives its target, or the part `path` of it, that goes over a list that is written out, or over
        what a function yields; also where `enumerate` counts or `zip` joins several, and over the items of a dict."""
        source = self.templates.formatted.written_out(node)
        match source, path:
            case tree.Call(func=tree.Name(id="enumerate"), args=(first, *_)), (1, *rest):
                return self.iterated(first.value, tuple(rest))
            case tree.Call(func=tree.Name(id="zip"), args=lists), (at, *rest) if at < len(lists):
                spread = any(one.star or one.keyword for one in lists)
                return [] if spread else self.iterated(self._names(lists[at].value), tuple(rest))
            case tree.Call(func=tree.Attr(name="items", base=base), args=()), (at,):
                written = self.templates.formatted.written_out(base)
                pairs = written.pairs if isinstance(written, tree.DictDisplay) else ()
                return [(key, one)[at == 1] for key, one in pairs if key is not None]
            case _:
                items = list(source.items) if isinstance(source, tree.Sequence) else each(source)
        if isinstance(source, tree.Attr | tree.Call):
            items = self.items(source)
        for step in path:
            rows = [item.items for item in items if isinstance(item, tree.Sequence)]
            items = [row[step] for row in rows if 0 <= step < len(row)]
        return items

    def _names(self, node: tree.Node) -> tree.Node:
        """The display behind a name that a module gives a list of plain texts: what goes with each of a few values."""
        found = self.templates.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        target = self.templates.names.follow(found[0]) if len(found) == 1 else None
        value = target.assigned if isinstance(target, Binding) else None
        items = value.items if isinstance(value, tree.Sequence) else ()
        plain = value is not None and items and all(tree.text(one) is not None for one in items)
        return value if value is not None and plain else node

    def _makers(self, source: tree.Attr | tree.Call) -> Iterator[Function]:
        """The functions that give an expression's value, with what takes their place in heirs."""
        templates, families = self.templates, self.templates.calls.families
        found: list[Function | None] = []
        if isinstance(source, tree.Call):
            callees = templates.calls.callees(source)
            found += (c.function if c.cls is None else None for c in callees)
        else:
            for one in ordered(templates.inference.of(source.base)):
                cls = one.cls if isinstance(one, Instance) else None
                method = templates.classes.method(cls, source.name) if cls is not None else None
                found.append(method if method is not None and method.is_property else None)
        known = [one for one in found if one is not None]
        if len(known) == len(found):
            every = {one for maker in known for one in families.nominal(maker)}
            yield from sorted(every, key=lambda function: function.symbol)


def each(node: tree.Node) -> list[tree.Node]:
    """What each of the values is that a comprehension makes; nothing for a dict, and for anything else."""
    if isinstance(node, tree.Comprehension) and node.kind != "DictComp":
        return list(node.results)
    return []


def joined(node: tree.Node) -> tree.Node | None:
    """What `"#".join(str(p) for p in parts)` joins."""
    match node:
        case tree.Call(func=tree.Attr(name="join"), args=(joined, *_)):
            return passed(joined.value)
        case _:
            fold = folded(node)
            return passed(fold.parts) if fold is not None else None


def passed(node: tree.Node) -> tree.Node:
    """What the items of a comprehension or a `map` are made of."""
    while isinstance(node, tree.Comprehension) and len(node.generators) == 1:
        node = node.generators[0].iter
    match node:
        case tree.Call(func=func, args=(_, items)) if last_name(func) in ("map", "filter"):
            return items.value
        case _:
            return node
