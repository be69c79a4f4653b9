"""Members of `class Stage(str, Enum)` in texts: `{stage.value}`, for what they say of themselves is `Stage.PROD`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.stored import READ
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.texts.pieces import Filled, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot, Value, Want
    from capsule_lint.policy import Scope

_VALUE: Final = "value"
_NO_TEXT: Final = (
    "`{0}` does not say its value in a text: make it a `StrEnum`, or give it a `__str__`"
)
_NO_TYPE: Final = (
    "`{0}` does not say its value in a text, and policy does not name it as the scope's `type`"
)
_AS_TEXTS: Final = "use_enum_values"


@dataclass(eq=False, slots=True)
class Members(MendRoom):
    """Says how such a scope stands in a key: as it does in the keys that have it."""

    mends: Mends
    _written: dict[str, frozenset[str]] = field(default_factory=dict)
    _told: dict[str, bool] = field(default_factory=dict)

    def hole(self, want: Want, knot: Knot) -> str | None:
        """The code of a want's value as it stands in a text; `None` if there is none."""
        code, value = self.mends.code_of(want, knot), self.planner.values.value(want)
        return code if code is None or value is None else self.in_text(code, value, want)

    def in_text(self, code: str, value: Value, want: Want) -> str:
        """The code of a value as it stands in a text."""
        scope, stored = want.scope, self.planner.stored
        if want.purpose == "text" or not stored.is_text_too(scope):
            return code
        written = self._attribute(scope)
        if (
            not written
            or stored.says_itself(scope, code)
            or not self._is_member(code, value, want)
        ):
            return code
        return f"{code}.{written}"

    def _attribute(self, scope: Scope) -> str:
        """What the keys of the program say of a member, its value where none says any; empty where they differ."""
        said = self._said(scope) or {_VALUE}
        return next(iter(said)) if len(said) == 1 else ""

    def doubt(self, scope: Scope, code: str) -> str:
        """Why the code of a scope's value would not say it in a text; empty where it does, or where the keys of a
        program whose policy names no type say such members already as they are."""
        stored = self.planner.stored
        if stored.says_itself(scope, code):
            return ""
        own = stored.type_of(scope)
        assert own is not None
        if scope.type is not None:
            return _NO_TEXT.format(own.name)
        return "" if self._said(scope) == {""} else _NO_TYPE.format(own.name)

    def _said(self, scope: Scope) -> frozenset[str]:
        """What keys say of members: an attribute, or, an empty name, themselves."""
        if scope.name not in self._written:
            self._written[scope.name] = frozenset(self._in_keys(scope))
        return self._written[scope.name]

    def _in_keys(self, scope: Scope) -> Iterator[str]:
        templates = self.program.templates
        for site in self.program.keys.sites:
            pieces = site.template.pieces
            for segment in templates.segments(pieces):
                piece = pieces[segment.piece]
                if segment.scope == scope.name and isinstance(piece, Filled):
                    match piece.value:
                        case tree.Attr(name="value" | "name" as name):
                            yield name
                        case tree.Name() | tree.Attr():
                            yield ""

    def _is_member(self, code: str, value: Value, want: Want) -> bool:
        """Whether a scope's value is known to be a member, and no text that is read from somewhere."""
        scope = want.scope
        if scope.name not in self._told:
            given = (w for w in self.state.wants if w.purpose == "argument" and w.scope is scope)
            self._told[scope.name] = not self._keeps_texts(scope) and all(
                found is None or self._is_one(found.code, found, one)
                for one in given
                for found in (self.planner.values.value(one),)
            )
        return self._told[scope.name] and self._is_one(code, value, want)

    def _is_one(self, code: str, value: Value, want: Want) -> bool:
        own = want.scope.type
        assert own is not None
        name = own.name.rpartition(".")[2]
        if re.match(rf"(\w+\.)*{name}[.(]", value.code):
            return True
        if value.kind in READ or not re.fullmatch(r"[\w.]+(\(\))?", value.code):
            return False
        names = self.program.names
        bound = names.bindings(code, names.place(want.node)) if code.isidentifier() else ()
        return value.bind or all(self._holds_member(b, name) for b in bound)

    def _holds_member(self, binding: Binding, name: str) -> bool:
        """Whether a parameter says of itself that it is one, or all that a name is given is one."""
        found = self.program.names.follow(binding)
        if not isinstance(found, Binding):
            return False
        if found.annotation is not None or found.kind == "param":
            return last_name(found.annotation) == name
        types = self.program.inference.of(found.value) if found.value is not None else ()
        return bool(types) and all(isinstance(t, Instance) and t.cls.name == name for t in types)

    def _keeps_texts(self, scope: Scope) -> bool:
        """Whether an object may have the value of a member in the place of that: a field is annotated with another
        type, or its class says `ConfigDict(use_enum_values=True)`."""
        assert scope.type is not None
        name = scope.type.name.rpartition(".")[2]
        for cls in self.program.classes.all:
            for one in self.program.classes.fields(cls) if not cls.module.is_test else ():
                is_it = one.annotation is not None and names_scope(one.name, scope)
                if is_it and last_name(one.annotation) != name:
                    return True
            for binding in cls.scope.bindings.get("model_config", ()):
                if any(name == _AS_TEXTS for name in _options(binding.value)):
                    return True
            for inner in cls.scope.bindings.get("Config", ()):
                if inner.definition is not None and _AS_TEXTS in inner.definition.scope.bindings:
                    return True
        return False


def _options(node: tree.Node | None) -> list[str | None]:
    """What the configuration of a model names."""
    match node:
        case tree.Call():
            return [name for name, _ in node.keywords]
        case tree.DictDisplay():
            return [name for name, _ in node.entries]
        case _:
            return []
