"""Sort keys with the text of a partition key, `{"PK": pk, "SK": pk}` or an edge from node to node: what changes for the
one changes for the other, and so does whatever finds items by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.places.sites import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Module
    from capsule_lint.program.places.keys import Keys
    from capsule_lint.program.texts.pieces import Template

_ASKING: Final = frozenset(("eq", "begins_with", "between"))
_MARK: Final = "#"
_HOLE: Final = "{}"
_MAX_DEPTH: Final = 3


class _Named(Struct, frozen=True):
    """What a sort key is, or is asked for; the `prefix` of several is what they begin with."""

    value: tree.Node
    role: Role
    prefix: bool = False


@dataclass(eq=False, slots=True)
class SharedTexts:
    """Finds those sort keys."""

    keys: Keys

    def find(self) -> None:
        """Note as keys what is written or looked up as a sort key with a text that is shared."""
        modules = [m for m in self.keys.names.editable() if not m.is_test]
        named = [one for module in modules for one in self._named(module)]
        shared = {self._outer(text) for one in named for text in self._shared(one.value, 0)}
        if shared:
            bound = self.keys.positions.strays.sort_keys.bound
            asked = (value for module in modules for value in bound(module))
            named += [_Named(value, Role.LOOKUP, prefix=True) for value in asked]
        for one in named if shared else ():
            if any(self._is_same(t, one, shared) for t in self._yielded(one.value)):
                self.keys.sink(one.value, one.role, index=False, prefix=one.prefix)

    def _yielded(self, value: tree.Node, depth: int = 0) -> Iterator[Template]:
        """The templates that an expression yields, itself or by a helper that it calls."""
        yield from self.keys.templates.resolve(value)
        for helper in self.keys.results.helpers_in(value) if depth < _MAX_DEPTH else ():
            for returned in helper.returns:
                yield from self._yielded(returned, depth + 1)

    def _shared(self, value: tree.Node, depth: int) -> Iterator[str]:
        """The texts of a sort key that make a partition key of the table as well."""
        if depth and self.keys.at(value) is not None:
            yield from self._of_table(value)
        if depth > _MAX_DEPTH or not isinstance(value, tree.Name | tree.Attr | tree.Call):
            return
        for template in self.keys.templates.resolve(value):
            if any(True for piece in template.pieces for _ in self._of_table(piece.host)):
                yield template.text
        for helper in self.keys.results.helpers_in(value):
            for returned in helper.returns if helper in self.keys.helpers else ():
                yield from self._shared(returned, depth + 1)

    def _of_table(self, host: tree.Node) -> Iterator[str]:
        """The text that is written at an expression, where it makes a partition key of the table."""
        site = self.keys.at(host)
        if site is not None and not site.index:
            yield site.template.text

    def _is_same(self, template: Template, one: _Named, shared: set[str]) -> bool:
        """Whether a text may be one of those that are shared: its scopes tell it from others, or its function makes
        a partition key that is the same."""
        text, outer = template.text, self._outer(template.text)
        if not any(_agrees(other, outer, prefix=one.prefix) for other in shared):
            return False
        function = self.keys.names.function_of(one.value)
        beside = self.keys.inside(function) if function is not None else ()
        scoped = self.keys.templates.segments(template.pieces)
        return bool(scoped) or any(site.template.text == text for site in beside)

    def _outer(self, text: str) -> str:
        """A text without the segments of all scopes but the outermost, which only some of those have that are meant
        to be the same."""
        for scope in self.keys.policy.scopes[1:]:
            text = text.replace(f"{scope.tag}{_HOLE}{_MARK}", "")
        return text

    # --- sort keys by their names ---

    def _named(self, module: Module) -> Iterator[_Named]:
        """What stands under the name of a sort key, or is asked for by it."""
        is_sort, role_of = self.keys.policy.is_sort_key_name, self.keys.positions.dict_role
        for display in module.each(tree.DictDisplay):
            for key, value in display.pairs:
                if not isinstance(value, tree.Const) and is_sort(self._name(key)):
                    yield _Named(value, role_of(display))
        for call in module.each(tree.Call):
            for name, value in call.keywords:
                if not isinstance(value, tree.Const) and is_sort(name):
                    yield _Named(value, role_of(call) if tree.makes_dict(call) else Role.LOOKUP)
            asked = call.receiver if last_name(call.func) in _ASKING else None
            if (
                isinstance(asked, tree.Call)
                and asked.plain
                and is_sort(self._name(asked.plain[0]))
            ):
                begins = last_name(call.func) != "eq"
                yield from (_Named(value, Role.LOOKUP, begins) for value in call.plain)
        for target, value in module.assigned:
            index = target.index if isinstance(target, tree.Subscript) else None
            if is_sort(self._name(index) or last_name(target)):
                role = Role.LOOKUP if isinstance(target, tree.Name) else Role.WRITTEN
                yield _Named(value, role)
        for function in module.functions:
            if is_sort(function.name):
                yield from (_Named(value, Role.HELPER) for value in function.returns)

    def _name(self, node: tree.Node | None) -> str:
        """The name of an attribute that a key of a dict, or an argument, spells."""
        return (self.keys.templates.constant(node) or "") if node is not None else ""


def _agrees(shared: str, text: str, *, prefix: bool) -> bool:
    """Whether a text may be the same as a shared one, or what that begins with."""
    parts, others = text.split(_MARK), shared.split(_MARK)
    if len(parts) > len(others) or (len(parts) < len(others) and not prefix):
        return False
    return parts[0] == others[0] and all(
        _HOLE in (part, other) or part == other or (prefix and number == len(parts) and not part)
        for number, (part, other) in enumerate(zip(parts, others, strict=False), start=1)
    )
