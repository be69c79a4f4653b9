"""Where the fields of an entity are spelled out that gains one, and something goes through all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, AddEntry
from capsule_lint.program.types import ClassObject, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.model import Class, Module

_WHOLE: Final = frozenset(("asdict", "astuple", "fields", "vars", "model_dump", "dict", "attrs"))
"""Functions and methods that go through all fields of an object."""
_REASON: Final = "spells out the fields of `{}`, which gains one, and all of them are gone through"


@dataclass(eq=False, slots=True)
class Enumerated:
    """Finds such places: a person must look at them."""

    mends: Mends
    _mended: set[tuple[str, object]] = field(default_factory=set)

    def build(self) -> None:
        """Note the places that nothing has mended."""
        planner = self.mends.planner
        gaining = list(planner.state.fields)
        if not gaining:
            return
        whole, read = set(self._gone_through()), set(self._made_from_any())
        self._mended = {
            (mend.filename, mend.at)
            for _, mend in self.mends.found
            if isinstance(mend, AddElements | AddEntry)
        }
        for cls in gaining:
            names = {one.name for one in planner.program.classes.fields(cls)}
            if not names and "__init__" in cls.methods:
                names = {p.name for p in cls.methods["__init__"].own_params}
            scoped = {n for n in names if self._is_scope(cls, n)}
            for module in planner.program.names.judged() if scoped else ():
                if module.generated:
                    continue
                if cls in whole:
                    self._listed(module, cls, names, scoped)
                if cls in read and module.is_test:
                    self._given(module, cls, names, scoped)

    def _is_scope(self, cls: Class, name: str) -> bool:
        planner = self.mends.planner
        held = planner.program.domain.held
        return any(held.is_attribute(cls, name, s) for s in planner.program.policy.scopes)

    def _listed(self, module: Module, cls: Class, names: set[str], scoped: set[str]) -> None:
        """`FIELDS = ["tenant_id", "note_id"]`, and in tests `{"tenant_id": "t", "note_id": "n"}`."""
        parent_of = self.mends.planner.program.names.parent
        for node in module.each(tree.Sequence):
            said = _texts_in(node.items)
            told = len(said) > 1 or module is cls.module or node.kind == "set"
            compared = isinstance(parent_of(node), tree.Compare)
            if said and said <= names and said & scoped and (told or compared):
                self._note(module, node, cls)
        for display in module.each(tree.DictDisplay) if module.is_test else ():
            said = _texts_in([key for key in display.keys if key is not None])
            compared = isinstance(parent_of(display), tree.Compare)
            if compared and said & scoped and len(said & names) > 1:
                self._note(module, display, cls)

    def _given(self, module: Module, cls: Class, names: set[str], scoped: set[str]) -> None:
        """`{"tenant_id": "t", "note_id": "n"}`, as a dict or as a text, from which an object is made."""
        for display in module.each(tree.DictDisplay):
            said = _texts_in([key for key in display.keys if key is not None])
            if said & scoped and len(said & names) > 1 and said <= names:
                self._note(module, display, cls)
        for node in module.each(tree.Const):
            if isinstance(node.value, str) and '":' in node.value.replace(" ", ""):
                said = set(re.findall(r'"(\w+)"\s*:', node.value))
                if said & scoped and len(said & names) > 1:
                    self._note(module, node, cls)

    def _note(self, module: Module, node: tree.Node, cls: Class) -> None:
        if (module.filename, node.span) not in self._mended:
            self.mends.obstacle(("class", cls), node, _REASON.format(cls.name))

    # --- what goes through all fields ---

    def _gone_through(self) -> Iterator[Class]:
        """The classes whose objects, or they themselves, are given to what goes through all fields;
        none for what is not known."""
        program = self.mends.planner.program
        for name in sorted(_WHOLE):
            for call in program.calls.uses.calls_beside(name):
                func, args = call.func, call.args
                given = (
                    args[0].value if args else func.base if isinstance(func, tree.Attr) else None
                )
                if given is not None:
                    yield from self._classes(given)
        for module in program.names.judged():
            for node in module.each(tree.Attr):
                if node.name in ("__dict__", "__dataclass_fields__", "_fields", "model_fields"):
                    yield from self._classes(node.base)

    def _made_from_any(self) -> Iterator[Class]:
        """The classes of which objects are made from dicts that come from elsewhere: `Note(**data)`."""
        program = self.mends.planner.program
        for cls in self.mends.planner.state.fields:
            for call, _ in program.calls.constructors_of(cls):
                spread = [a.value for a in call.args if a.star == "**"]
                if spread and not isinstance(spread[0], tree.DictDisplay):
                    yield cls

    def _classes(self, node: tree.Node) -> Iterator[Class]:
        classes = self.mends.planner.program.classes
        for one in self.mends.planner.program.inference.of(node):
            if isinstance(one, Instance | ClassObject):
                yield from classes.mro(one.cls)
                yield from classes.subclasses(one.cls)


def _texts_in(nodes: list[tree.Node] | tuple[tree.Node, ...]) -> set[str]:
    """The texts that a display is made of; none where it is made of anything else."""
    said = [n.value if isinstance(n, tree.Const) else None for n in nodes]
    return (
        {s for s in said if isinstance(s, str)} if all(isinstance(s, str) for s in said) else set()
    )
