"""Mappings that fill format strings: `PK.format_map(values)`, `PK % {"tenant_id": tenant_id} | rest`, and what gets a new
entry of these."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddEntry, AddStatement, Mend
from capsule_lint.plan.code import text_of
from capsule_lint.plan.entities.wholes import given_whole
from capsule_lint.plan.keys.format_filling import Unknown
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import bound_whole, only_assigned
from capsule_lint.program.reaching import is_around, same_flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.model import Class

_NAMESPACES: Final = frozenset(("locals", "vars"))
_DISPLAYS: Final = tree.Sequence | tree.DictDisplay | tree.Call
"""What fills a format whole: a tuple, a dict, or a call that makes one."""


@dataclass(eq=False, slots=True)
class Mappings(MendRoom):
    """Finds where a new entry comes."""

    mends: Mends

    def entry(
        self, mapping: tree.Node, name: str, value: str, after: tree.Node | None, code: str
    ) -> Iterator[Mend]:
        """A new entry of the mapping that fills a format."""
        whole = only_assigned(self.program.names, mapping) or mapping
        if is_namespace(mapping) or self.holds_field(whole, value):
            return
        filename = self.program.names.module_of(mapping).filename
        for part in self._parts(mapping):
            match part:
                case tree.DictDisplay() if after is None or any(v is after for v in part.values):
                    anchor = after.span if after is not None else None
                    mend: Mend = AddEntry(filename, part.span, code, f'"{name}"', value, anchor)
                case tree.Call() if (
                    after is None
                    or (part.plain and tree.makes_dict(part))
                    or any(a.value is after for a in part.args)
                ):
                    places = [n for n, a in enumerate(part.args, 1) if a.value is after]
                    at = places[0] if places else len(part.plain)
                    mend = AddArgument(filename, part.span, code, value, name, at)
                case tree.Assign(targets=(tree.Subscript(base=base),)) if part.value is after:
                    line = f'{text_of(base)}["{name}"] = {value}'
                    mend = AddStatement(filename, part.span, code, line)
                case _:
                    continue
            if self._comes_later(value, part):
                raise Unknown(f"`{value}` is not known yet where this is filled in")
            yield mend
            return
        raise Unknown("what is filled in is not written out")

    def _parts(self, mapping: tree.Node) -> Iterator[tree.Node | tree.Assign]:
        """What a mapping is made of that fills nothing but one format: dicts, and what puts entries into a local one."""
        names = self.program.names
        written = self.program.templates.formatted.written_out(mapping)
        match written:
            case tree.Binary(op="|", left=left, right=right):
                yield from (*self._parts(left), *self._parts(right))
                return
            case tree.DictDisplay() | tree.Call(func=tree.Name(id="dict")):
                steps = list(self._steps(mapping)) if written is not mapping else []
                yield written
            case _:
                return
        for step in steps:
            if not self._has_run(step, mapping):
                continue
            match names.parent(step):
                case tree.Assign() as put:
                    yield put
                case tree.Call() as update:
                    yield from (one for one in update.plain if isinstance(one, tree.DictDisplay))
                    yield update

    def _steps(self, mapping: tree.Node) -> Iterator[tree.Node]:
        """What puts entries into a local dict, `values["depot"]` and `values.update`, which is used for nothing else but
        the format that it fills."""
        parent_of = self.program.names.parent
        for other in self._others(mapping):
            match step := parent_of(other):
                case tree.Subscript(base=base) if base is other:
                    put = parent_of(step)
                    if isinstance(put, tree.Assign) and [t is step for t in put.targets] == [True]:
                        yield step
                        continue
                case tree.Attr(name="update"):
                    call = parent_of(step)
                    if isinstance(call, tree.Call) and isinstance(parent_of(call), tree.Eval):
                        yield step
                        continue
            raise Unknown(f"`{other.id}` fills more than this format")

    def _has_run(self, step: tree.Node, mapping: tree.Node) -> bool:
        """Whether a step is done whenever the format is filled: in no branch, and in no function, of its own."""
        at, place = self.program.names.place(step), self.program.names.place(mapping)
        return at.order < place.order and is_around(at, place) and same_flow(at.scope, place)

    def _others(self, node: tree.Node) -> Iterator[tree.Name]:
        """Where a local is named besides, but for where it is made."""
        names, binding = self.program.names, bound_whole(self.program.names, node)
        if binding is None:
            return
        for other in names.module_of(node).named.get(binding.name, ()):
            is_other = other is not node and other.at != binding.at
            if isinstance(other, tree.Name) and is_other and binding in names.bindings_of(other):
                yield other

    def _comes_later(self, code: str, part: tree.Node | tree.Assign) -> bool:
        """Whether the name that some code begins with gets its value behind some place of its function."""
        names, root = self.program.names, re.match(r"\w+", code)
        place = names.place(part.targets[0] if isinstance(part, tree.Assign) else part)
        found = names.bindings(root[0], place) if root is not None else ()
        return any(one.place.scope is place.scope and one.at > part.at for one in found)

    def holds_field(self, mapping: tree.Node, code: str) -> bool:
        """Whether a mapping has all fields of an object, and some code says one of these: `vars(self)` and
        `self.capsule_id`."""
        whole, name = given_whole(mapping), code.rpartition(".")[2]
        if whole is None or code != f"{text_of(whole)}.{name}":
            return False
        types = self.program.inference.of(whole)
        return bool(types) and all(
            isinstance(one, Instance) and name in self._fields(one.cls) for one in types
        )

    def _fields(self, cls: Class) -> set[str]:
        """The fields that a class has, or comes to have."""
        state, classes = self.planner.state, self.program.classes
        return {f.name for f in classes.fields(cls)} | {
            state.attributes.get((home, gained), gained)
            for home in classes.mro(cls)
            for gained in state.fields.get(home, ())
        }

    def own(self, node: tree.Node) -> tree.Node:
        """The display or the call that a local is assigned which fills nothing but this one format; any other
        expression itself."""
        program = self.program
        written = program.templates.formatted.written_out(node)
        if not isinstance(node, tree.Name) or not isinstance(written, _DISPLAYS):
            return node
        if any(True for _ in self._others(node)):
            raise Unknown(f"`{node.id}` fills more than this format")
        return written


def is_namespace(node: tree.Node) -> bool:
    """Whether an expression is all that a function has in locals."""
    return (
        isinstance(node, tree.Call)
        and isinstance(node.func, tree.Name)
        and (node.func.id in _NAMESPACES and not node.args)
    )
