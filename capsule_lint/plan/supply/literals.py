"""The texts that values of scopes are known to be: `"a"` of `TenantId("a")`, but nothing of `TenantId.parse("a")`."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import Binding, Class, last_name
from capsule_lint.program.texts.text_objects import VALUE

if TYPE_CHECKING:
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_WRITTEN: Final = re.compile(
    r"""(?:(?P<made>[\w.]+)\()?(?P<quote>["'])(?P<text>[^"'\\]*)(?P=quote)\)?"""
)


class Literals(Struct, frozen=True):
    """Finds them."""

    program: Program

    def of(self, node: tree.Node | None) -> str | None:
        """The text that an expression always is, in the type of a scope or not."""
        if node is None:
            return None
        inner = node
        while isinstance(inner, tree.Call) and len(inner.args) == 1:
            inner = inner.args[0].value
        found = inner.value if isinstance(inner, tree.Const) else None
        if not isinstance(found, str):
            found = self.program.templates.constant(inner)
        if found is None and isinstance(inner, tree.Name | tree.Attr):
            target = self.program.classes.dotted(inner)
            value = target.value if isinstance(target, Binding) else None
            if (
                isinstance(value, tree.Call)
                and self.program.names.place(value).scope.kind == "module"
            ):
                found = self.of(value)
        if found is None or not self._keeps(node, found) or not self._is_said(inner):
            return None
        return found

    def in_policy(self, scope: Scope) -> str | None:
        """The text of `test-value`, where nothing makes another one of it."""
        found = _WRITTEN.fullmatch(scope.test_value or "")
        made, own = found["made"] if found is not None else None, scope.type
        if found is None or (made and own is not None and made not in (own.name, "str")):
            return None
        if made and own is not None and not self._is_plain(own.dotted, found["text"]):
            return None
        return None if made and own is None and "." in made else found["text"]

    def member_in_policy(self, scope: Scope) -> tuple[str, str] | None:
        """The name and the text of `test-value`, where that is a member of an enum of the program: `Stage.PROD`."""
        own, value = scope.type, scope.test_value or ""
        name = value.removeprefix(f"{own.name}.") if own is not None else value
        cls = self.program.names.definition(own.dotted) if own is not None else None
        if not isinstance(cls, Class) or name == value or not self._say_values([cls]):
            return None
        bindings = list(cls.scope.bindings.get(name, ()))
        is_member = len(bindings) == 1 and self.program.classes.is_enum(cls)
        text = self.of(bindings[0].assigned) if is_member else None
        return (name, text) if text is not None else None

    def _is_plain(self, name: str, text: str) -> bool:
        """Whether what is made of a text by the class or type of a dotted name says that text."""
        if name == "uuid.UUID":
            return _canonical(text)
        cls = self.program.names.definition(name)
        return not isinstance(cls, Class) or self._says(cls)

    def _keeps(self, node: tree.Node, text: str) -> bool:
        """Whether each call around a text gives something that says it."""
        while isinstance(node, tree.Call) and len(node.args) == 1:
            if not self._makes(node, text):
                return False
            node = node.args[0].value
        return True

    def _makes(self, call: tree.Call, text: str) -> bool:
        callees = self.program.calls.callees(call)
        if callees:
            return all(one.cls is not None and self._says(one.cls) for one in callees)
        if self.program.classes.dotted(call.func) == "uuid.UUID":
            return _canonical(text)
        name = last_name(call.func)
        return name == "str" or name[:1].isupper()

    def _is_said(self, node: tree.Node) -> bool:
        """Whether a text says the value of what may be a member of an enum."""
        if not isinstance(node, tree.Name | tree.Attr):
            return True
        classes = self.program.classes
        found = [one.cls for one in self.program.inference.of(node) if isinstance(one, Instance)]
        return self._say_values([cls for cls in found if classes.is_enum(cls)])

    def _say_values(self, enums: list[Class]) -> bool:
        """Whether the members of enums say nothing but their values."""
        method = self.program.classes.method
        said = [method(cls, name) for cls in enums for name in ("__str__", "__format__")]
        values = [value for one in said if one is not None for value in one.returns]
        return all(isinstance(one, tree.Attr) and one.name in VALUE for one in values)

    def _says(self, cls: Class) -> bool:
        """Whether instances of a class say the text that they are made of."""
        method = self.program.classes.method
        maker = method(cls, "__new__")
        if maker is not None and not _makes_of_all(maker):
            return False
        said = method(cls, "__str__")
        return said is None or all(_is_own(value) for value in said.returns)


def _makes_of_all(maker: Function) -> bool:
    """Whether a `__new__` gives back what its base makes of the text that it is given, as that is."""
    text = maker.params[1] if len(maker.params) == 2 else None
    if text is None or len(maker.scope.bindings.get(text.name, ())) != 1:
        return False
    for value in maker.returns:
        match value:
            case tree.Call(func=tree.Attr(name="__new__"), args=(_, argument)):
                if not isinstance(argument.value, tree.Name) or argument.value.id != text.name:
                    return False
            case _:
                return False
    return bool(maker.returns)


def _is_own(node: tree.Node) -> bool:
    """Whether an expression is an attribute, or the text of one."""
    match node:
        case tree.Call(func=tree.Name(id="str"), args=(argument,)):
            return _is_own(argument.value)
        case tree.FString(parts=(part,)) if not isinstance(part, str):
            return _is_own(part.value)
        case _:
            return isinstance(node, tree.Attr)


def _canonical(text: str) -> bool:
    """Whether a UUID says the text that it is made of."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
