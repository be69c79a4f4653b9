"""Signatures and fields without their keys: a method that gains a parameter for the sake of a key changes together with
that key, and neither that nor an entity changes where its key is made in a way that is not known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.reach import Reach
from capsule_lint.plan.room import Room
from capsule_lint.program.logs import LOGGING, is_for_people
from capsule_lint.program.model import enclosing, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function


@dataclass(eq=False)
class Halves(Room):
    """Finds the methods whose own bodies do not use what they gain, and the entities whose keys do not."""

    planner: Planner

    def tie(self) -> None:
        """Join such a method to the keys that it runs into, and keys in memory to those of items that say the same;
        refuse what would use nothing of it."""
        for defect in self.planner.local.notes.defects:
            self._tie_alike(defect.knot, defect.node)
        for function in self.planner.methods:
            for scope in self.state.params.get(function, {}).values():
                if (function, scope.name) not in self._used:
                    self._judge(function, scope)
        for cls, scopes in self.state.fields.items():
            for scope in scopes.values():
                self._judge_keys(cls, scope)

    def _judge_keys(self, cls: Class, scope: Scope) -> None:
        """Refuse a field of an entity whose keys are made in a way that is not known of the one that it has: `return
        KeyBuilder().with_tenant(self.tenant_id).build()`."""
        for function in cls.methods.values():
            made = list(self._of_keys(function))
            reached = self._reach.of(*(f for node in made for f in self._reach.by(node)))
            if function in self._making or not reached.isdisjoint(self._making):
                continue
            if made and not self._is_apart(cls, function, reached):
                for read in self._given(made, function, cls, scope):
                    self.planner.local.notes.obstacle(("class", cls), read, _unknown(scope))
                    break

    def _is_apart(self, cls: Class, function: Function, reached: set[Function]) -> bool:
        """Whether a method is only called as a key is, `def hash_key(self)`: others make the keys of the entity, the
        program reads none of this one, and nothing that it runs writes such a text."""
        names, others = self.program.names, self.program.classes.mro(cls)
        return (
            any(not self._making.isdisjoint(owner.methods.values()) for owner in others)
            and all(names.module_of(one).is_test for one in names.named(function.name))
            and not any(map(self._says_part, {function, *reached}))
        )

    def _says_part(self, function: Function) -> bool:
        """Whether a function writes a part of a key: a scope's tag, or what ends with a separator."""
        tags = [scope.tag.strip("#:/|").lower() for scope in self.program.policy.scopes]
        inside = self.program.names.inside(function)
        made = [n.parts for n in inside if isinstance(n, tree.FString)]
        said = [p for parts in made for p in parts if isinstance(p, str)]
        said += filter(None, map(tree.text, inside))
        return any(
            re.fullmatch(r"[^\s.]*[^\w\s.]", text)
            or any(tag in text.lower() for tag in tags if tag)
            for text in said
        )

    def _of_keys(self, function: Function) -> Iterator[tree.Node]:
        """What a method makes a key of: all in one that is called so, or what stands in an entry that is."""
        program = self.program
        if program.policy.is_key_name(function.name):
            yield from program.names.inside(function)
            return
        for node in program.names.inside(function):
            if isinstance(node, tree.DictDisplay):
                for key, value in zip(node.keys, node.values, strict=True):
                    if key is not None and program.keys.key_name(key):
                        yield from within(value)

    def _given(
        self, made: Sequence[tree.Node], function: Function, cls: Class, scope: Scope
    ) -> Iterator[tree.Attr]:
        """Where another scope of an object is given to what the program makes, a function or a class, or put into a
        text that is no key as far as it is understood: `self.sep.join([f"TENANT{self.sep}{self.tenant_id}", *parts])`."""
        held, others = self.program.domain.held.is_attribute, self.program.policy.others(scope)
        for node in made:
            if not (isinstance(node, tree.Attr) and isinstance(node.base, tree.Name)):
                continue
            own = node.base.id == function.self_name
            if own and any(held(cls, node.name, other) for other in others):
                outer = self.program.names.parent(node)
                if isinstance(outer, tree.Call):
                    goes = node is not outer.func and bool(self.program.calls.callees(outer))
                else:
                    goes = tree.makes_text(outer) and self._says_part(function)
                if goes:
                    yield node

    def _judge(self, function: Function, scope: Scope) -> None:
        own: Knot = ("function", function)
        reached = self._reach.of(function)
        knots = [k for one in reached for k in self._changing.get(one, ())]
        for knot in knots:
            self.state.groups.join(own, knot)
        known = not reached.isdisjoint(self.program.keys.functions)
        below = any(map(self.program.domain.touches_table, reached))
        for read in self._reads(function, scope, below=below) if not known else ():
            self.planner.local.notes.obstacle(own, read, _unknown(scope))
            self._tie_alike(own, self._text_around(read))
            self._tie_tagged(own, read)
            return

    def _tie_tagged(self, own: Knot, read: tree.Name) -> None:
        """Join what makes a key of parts, `query.pk("TENANT", tenant_id, "LOANS")`, to the keys with the same tags."""
        names = self.program.names
        whole: object = read
        while isinstance(outer := names.parent(whole), tree.Expr):
            whole = outer
        texts = map(tree.text, within(whole) if isinstance(whole, tree.Node) else ())
        said = {
            word.lower() for text in texts if text for word in (text, *re.findall(r"\w+", text))
        }
        for defect in self.planner.defects:
            tags = self.program.domain.tags_of(defect.template)
            if tags and said.issuperset(tag.lower() for tag in tags):
                self.state.groups.join(own, defect.knot)

    def _tie_alike(self, own: Knot, text: tree.Node | None) -> None:
        """Join a text to the keys that say the same: what is written under these is not found by another one."""
        template = self.program.templates.template(text) if text is not None else None
        for knot in self._by_text.get(template.text, ()) if template is not None else ():
            self.state.groups.join(own, knot)

    @cached_property
    def _by_text(self) -> dict[str, list[Knot]]:
        """The keys that change, by what they say."""
        found: dict[str, list[Knot]] = {}
        for defect in self.planner.defects:
            found.setdefault(defect.template.text, []).append(defect.knot)
        return found

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self.program)

    @cached_property
    def _used(self) -> set[tuple[Function, str]]:
        """The functions in which a value of a scope is asked for that the parameter gives."""
        return {
            (function, want.scope.name)
            for want in self.state.wants
            for function in enclosing(self.program.names.place(want.node))
            if (value := self.planner.values.value(want)) is None
            or value.code == want.scope.parameter
        }

    @cached_property
    def _making(self) -> frozenset[Function]:
        """The functions in which keys are made."""
        return self.program.keys.functions | self._changing.keys()

    @cached_property
    def _changing(self) -> dict[Function, list[Knot]]:
        """The keys that change, by the functions in which they are made."""
        found: dict[Function, list[Knot]] = {}
        for defect in self.planner.defects:
            for function in {defect.function, *defect.makers}:
                if function is not None:
                    found.setdefault(function, []).append(defect.knot)
        return found

    def _reads(self, function: Function, scope: Scope, *, below: bool) -> Iterator[tree.Name]:
        """Where a method puts the scope that it takes already into what looks like a key, or, where it
        calls the table, or what it calls does, gives it to what is no log."""
        program, scopes = self.program, self.program.policy.scopes
        taken = {
            parameter.name
            for scope in scopes
            if (parameter := program.domain.scope_parameter(function, scope)) is not None
        }
        for node in program.names.inside(function):
            if isinstance(node, tree.Name) and node.id in taken:
                parent = program.names.parent(node)
                while isinstance(parent, tree.Binary | tree.Sequence):
                    parent = program.names.parent(parent)
                if self._lacks(self._text_around(node), scope) or (
                    below
                    and isinstance(parent, tree.Call)
                    and last_name(parent.func) not in LOGGING
                ):
                    yield node

    def _text_around(self, node: tree.Node) -> tree.Node | None:
        """The whole text that something is put into."""
        found, outer = None, self.program.names.parent(node)
        while isinstance(outer, tree.Sequence) or tree.makes_text(outer):
            assert isinstance(outer, tree.Expr)
            found = found if isinstance(outer, tree.Sequence) else outer
            outer = self.program.names.parent(outer)
        return found

    def _lacks(self, node: tree.Node | None, scope: Scope) -> bool:
        """Whether a text has the tags of other scopes in it, and is not only told to a person."""
        template = self.program.templates.template(node) if node is not None else None
        if node is None or template is None or is_for_people(self.program.names, node):
            return False
        others = self.program.policy.others(scope)
        return scope.tag not in template.text and any(o.tag in template.text for o in others)


def _unknown(scope: Scope) -> str:
    return f"makes a key in a way that is not known: `{scope.parameter}` would not be in it"
