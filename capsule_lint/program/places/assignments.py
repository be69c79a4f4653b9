"""Keys that are assigned: to entries of items, to attributes, to variables that are called like keys."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import last_name
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.steps import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.places.dict_roles import DictRoles
    from capsule_lint.program.places.hashes import Hashes
    from capsule_lint.program.places.keys import Keys

_OPEN: Final = re.compile(r"\{\w*\}|%s|%\(|[#|/:]$")
"""What is in texts that `.format` or `%` fills elsewhere, and at the end of those that something is added to."""
_INDEX: Final = re.compile(r"_*[gl]si_?\w*", re.IGNORECASE)
"""What secondary indexes are called."""


class Assignments(Struct, frozen=True):
    """Finds the keys, and gives them to `keys`."""

    keys: Keys
    hashes: Hashes
    roles: DictRoles

    def of(self, target: tree.Node, value: tree.Node, *, in_class: bool) -> None:
        """What one target of an assignment is given, in the body of a class or elsewhere."""
        policy = self.keys.policy
        match target:
            case tree.Subscript():
                if name := self.keys.key_name(target.index):
                    function = self.keys.names.function_of(target)
                    role = self.roles.of_local(target.base, function) or Role.WRITTEN
                    self.entry(target, value, name, role)
                for name, given in self._given_in_loop(target.index, value):
                    self.keys.named(given, Role.WRITTEN, name)
                    self.keys.bare(given, Role.WRITTEN, name)
            case tree.Attr():
                if not policy.is_key_name(target.name) or not self._stepwise(
                    target, Role.WRITTEN, target.name
                ):
                    self.attribute(target.base, target.name, value)
            case tree.Name(id=name) if policy.is_key_name(name):
                role = Role.WRITTEN if in_class else Role.LOOKUP
                if not self._stepwise(target, role, name) and not self._is_only_text(
                    value, target
                ):
                    self.keys.named(value, role, name)
                if in_class and isinstance(value, tree.Call):
                    self._described(value, name)
            case tree.Sequence() if isinstance(value, tree.Sequence):
                for one, part in zip(target.items, value.items, strict=False):
                    if isinstance(one, tree.Subscript | tree.Attr):
                        self.of(one, part, in_class=in_class)
                    elif isinstance(one, tree.Name) and policy.is_key_name(one.id):
                        self.keys.named(part, Role.LOOKUP, one.id)

    def comprehended(self, made: tree.Comprehension) -> None:
        """The keys of indexes that a comprehension puts into a dict: `{f"GSI{number}PK": key for number, key in keys.items()}`."""
        said = self.keys.spelled(made.results[0])[:1] if len(made.results) == 2 else ()
        for name in filter(self.keys.policy.is_index_key_name, said):
            for _, given in self.keys.templates.joins.given.comprehended(made):
                self.keys.named(given, Role.WRITTEN, name)

    def _given_in_loop(
        self, index: tree.Node, value: tree.Node
    ) -> Iterator[tuple[str, tree.Node]]:
        """The keys, with their names, that a loop over both puts into a dict one after the other: `for name, key in
        zip(NAMES, keys): item[name] = key`."""
        names, iterated = self.keys.names, self.keys.templates.joins.given.iterated
        if not isinstance(index, tree.Name) or not isinstance(value, tree.Name):
            return
        for one, other in product(names.bindings_of(index), names.bindings_of(value)):
            loop = one.value if one.kind == "for" and one.path else None
            if loop is None or other.value is not loop:
                continue
            for said, given in zip(
                iterated(loop, one.path), iterated(loop, other.path), strict=False
            ):
                if name := self.keys.key_name(said):
                    yield name, given

    def _described(self, made: tree.Call, name: str) -> None:
        """A text that a descriptor is made with, which fills it where it is read: `pk = KeyOf("TENANT#{tenant_id}")`."""
        templates = self.keys.templates
        getters = [
            templates.classes.method(callee.cls, "__get__")
            for callee in templates.calls.callees(made)
            if callee.cls is not None
        ]
        if len(getters) == 1 and getters[0] is not None:
            for value in getters[0].returns:
                templates.resolve(value)  # which notes that it fills the text
            for argument in made.args:
                if isinstance(argument.value, tree.Const) and self.keys.starts.at(argument.value):
                    self.keys.named(argument.value, Role.WRITTEN, name)

    def entry(self, target: tree.Subscript, value: tree.Node, name: str, role: Role) -> None:
        """A key that a dict gets: an item's, unless the table is asked by the dict."""
        if not self._stepwise(target, role, name):
            self.keys.named(value, role, name)
            self.keys.bare(value, role, name)

    def _stepwise(self, target: tree.Node, role: Role, name: str) -> bool:
        """Whether a key is put together in several steps: then only what they make is a key."""
        templates = self.keys.templates
        if not templates.steps.is_one(target):
            return False
        whole = templates.steps.whole(templates.names.place(target), path_of(target))
        known = self.keys.at(whole.host) if whole is not None else None
        if known is not None and whole is not None and isinstance(target, tree.Subscript):
            self.keys.lengthen(known, whole)  # the dict that is written out has only the beginning
        elif whole is not None:
            index = self.keys.policy.is_index_key_name(name)
            self.keys.note(whole, role, index, prefix=False)
        return True

    def attribute(self, base: tree.Node, name: str, value: tree.Node) -> None:
        """What an attribute is set to."""
        policy = self.keys.policy
        if policy.is_key_name(name):
            self.keys.named(value, Role.WRITTEN, name)
        elif name in ("value", "builder") and policy.is_key_name(last_name(base)):
            self.keys.sink(value, Role.WRITTEN, self._is_of_index(base))
        elif name in self.hashes.declared:
            for made in self.keys.templates.inference.of(base):
                names = dict(self.hashes.of(made.cls)) if isinstance(made, Instance) else {}
                if name in names:
                    self.keys.sink(value, Role.WRITTEN, names[name])

    def _is_of_index(self, node: tree.Node) -> bool:
        """Whether `gsi1_pk`, or `gsi.partition_key`, is the key of a secondary index."""
        if self.keys.policy.is_index_key_name(last_name(node)):
            return True
        base = last_name(node.base) if isinstance(node, tree.Attr) else ""
        return _INDEX.fullmatch(base) is not None

    def _is_only_text(self, value: tree.Node, target: tree.Node) -> bool:
        """Whether what a name that sounds like a key's is given is a text to make keys of: a format, a prefix,
        the name of an attribute, a constant of a module, which is a key only where it is used as one."""
        if not isinstance(value, tree.Const) or not isinstance(value.value, str):
            return False
        policy, text = self.keys.policy, value.value
        if self.keys.names.place(target).scope.kind == "module" or _OPEN.search(text):
            return True
        return policy.is_key_name(text) or policy.is_sort_key_name(text)
