"""What the expressions and names that operations of the table are told are made of: texts, lists and dicts that are written
out, by whatever names they come there: `"SET " + ", ".join(sets)`, `self.COLUMNS`, `{f"#{n}": c for n, c in enumerate(FIELDS)}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import LISTED
from capsule_lint.program.inference.types import ClassObject, Instance, ordered
from capsule_lint.program.local_names import filled_with, given, put_into
from capsule_lint.program.model import Binding, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program

_NUMBERED: Final = LISTED | {"enumerate"}
_VIEWS: Final = ("items", "keys", "values", "copy")
_MAX_DEPTH: Final = 8


class Part(Struct, frozen=True):
    """A part that is written out, or that nothing is known of; the bindings by which it comes there, and what goes through
    it, if anything does, and makes something of each element."""

    node: tree.Node
    names: tuple[Binding, ...] = ()
    each: tree.Node | None = None

    @property
    def is_known(self) -> bool:
        """Whether all that it says is written out in it."""
        match self.node:
            case tree.Const() | tree.FString() | tree.DictDisplay():
                return True  # what fills such a text is a part by itself
            case tree.Sequence(items=items):
                return all(isinstance(item, tree.Const | tree.Wrapped) for item in items)
            case _:
                return False

    @property
    def texts(self) -> list[str]:
        """The texts that it says, of a dict its keys."""
        match self.node:
            case tree.Const(value=str() as said):
                return [said]
            case tree.FString(parts=parts):
                return [part for part in parts if isinstance(part, str)]
            case tree.Sequence(items=nodes):
                return [name for one in nodes if (name := tree.text(one)) is not None]
            case tree.DictDisplay() as display:
                return [key for key, _ in display.entries]
            case _:
                return []


class Spelled(Struct, frozen=True):
    """Finds the parts; the names that were read on the way to any are known by their ids."""

    program: Program
    read: set[int]

    def parts(self, node: tree.Node) -> Iterator[Part]:
        """The parts of an expression."""
        return self._parts(node, (), None, set())

    def _parts(
        self,
        node: tree.Node,
        by: tuple[Binding, ...],
        each: tree.Node | None,
        known: set[tuple[int, int]],
    ) -> Iterator[Part]:
        """The parts of what comes there by bindings, and goes through something; what is known is not followed again."""
        match node if len(by) < _MAX_DEPTH else None:
            case tree.Wrapped(value=inner) | tree.Walrus(value=inner):
                yield from self._parts(inner, by, each, known)
            case tree.Call(func=tree.Attr(name="join"), args=(only,)):
                yield from self._parts(only.value, by, each, known)
            case tree.Call(func=tree.Attr(name=view, base=base), args=()) if view in _VIEWS:
                yield from self._parts(base, by, each, known)
            case tree.Call(args=(first, *_)) if last_name(node) in _NUMBERED:
                yield from self._parts(first.value, by, each, known)
            case tree.Comprehension(generators=(one,)) as comprehension:
                yield from self._parts(one.iter, by, comprehension, known)
            case tree.Binary(op="+" | "|", left=left, right=right):
                yield from self._parts(left, by, each, known)
                yield from self._parts(right, by, each, known)
            case tree.Conditional(then=left, otherwise=right):
                yield from self._parts(left, by, each, known)
                yield from self._parts(right, by, each, known)
            case tree.FString() | tree.DictDisplay() | tree.Sequence():
                yield Part(node, by, each)
                for inner in _inside(node):
                    yield from self._parts(inner, by, each, known)
            case (tree.Name() | tree.Attr()) as name:
                self.read.add(id(name))
                found = False
                for binding, value in self._values(name):
                    found = True
                    through = value if binding.kind == "for" else each
                    asked = id(value), id(through)
                    if binding not in by and asked not in known:
                        if len(by) + 1 < _MAX_DEPTH:  # where it is followed
                            known.add(asked)
                        yield from self._parts(value, (*by, binding), through, known)
                if not found:
                    yield Part(name, by, each)
            case _:
                yield Part(node, by, each)

    def _values(self, node: tree.Name | tree.Attr) -> Iterator[tuple[Binding, tree.Node]]:
        """What a name is given, wherever that is, and what a local list or dict is given later."""
        names, calls = self.program.names, self.program.calls
        found = [self.program.classes.dotted(node)]
        if isinstance(node, tree.Name):
            found = [
                t for b in names.bindings_of(node) if isinstance(t := names.follow(b), Binding)
            ]
        elif not isinstance(found[0], Binding):
            yield from self._of_object(node)
        for binding in found:
            if not isinstance(binding, Binding):
                continue
            own = binding.parameter.default if binding.parameter is not None else None
            own = given(binding) if binding.kind == "assign" else own
            looped = binding.value if binding.kind == "for" else None
            later = (one for key, one in put_into(names, binding) if key is None)
            for value in (
                own,
                looped,
                *calls.passed_to(binding),
                *filled_with(names, binding),
                *later,
            ):
                if value is not None:
                    yield binding, value

    def _of_object(self, node: tree.Attr) -> Iterator[tuple[Binding, tree.Node]]:
        """What an attribute is by the class of an object, and by its heirs."""
        classes = self.program.classes
        for one in ordered(self.program.inference.of(node.base)):
            if not isinstance(one, Instance | ClassObject):
                continue
            line = classes.mro(one.cls)
            own = [owner for owner in line if node.name in owner.scope.bindings][:1]
            heirs = [heir for heir in classes.subclasses(one.cls) if heir is not one.cls]
            if any(node.name in owner.stores for owner in (*line, *heirs)):
                return
            for owner in (*own, *heirs):
                for binding in owner.scope.bindings.get(node.name, ()):
                    if binding.assigned is not None:
                        yield binding, binding.assigned


def _inside(node: tree.Node) -> Iterator[tree.Node]:
    """What fills a text, or is spread into a list or a dict."""
    match node:
        case tree.FString():
            yield from node.below()
        case tree.DictDisplay():
            yield from node.spread
        case tree.Sequence():
            yield from (inner for one in node.items if (inner := tree.spread(one)) is not None)
        case _:
            return
