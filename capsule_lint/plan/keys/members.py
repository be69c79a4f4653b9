"""Members of `class Stage(str, Enum)` in texts: `{stage.value}`, for what they say of themselves is `Stage.PROD`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.stored import READ
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.inference.types import ClassObject, Instance, classes_of, join
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.texts.pieces import Filled, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot, Value, Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class

_VALUE: Final = "value"
_NO_TEXT: Final = (
    "`{0}` does not say its value in a text: make it a `StrEnum`, or give it a `__str__`"
)
_NO_TYPE: Final = (
    "`{0}` does not say its value in a text, and policy does not name it as the scope's `type`"
)
_AS_TEXTS: Final = "use_enum_values"
_MAX_DEPTH: Final = 4


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

    def text_in_policy(self, scope: Scope) -> str | None:
        """What keys say of the member that policy gives the tests: the text that it is, or its name."""
        member = self.planner.sources.given.literals.member_in_policy(scope)
        if member is None:
            return None
        return {"name": member[0], _VALUE: member[1]}.get(self._attribute(scope))

    def say_names(self, scope: Scope) -> bool:
        """Whether keys say the names of members, and not what these are."""
        return self.planner.stored.is_text_too(scope) and self._attribute(scope) == "name"

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
        first, *path = code.removesuffix("()").split(".")
        bound = names.bindings(first, names.place(want.node))
        if not path:
            return value.bind or all(self._holds_member(one, name) for one in bound)
        if code.endswith("()"):
            return True
        owners = classes_of(join(*map(self.program.inference.bound, bound)))
        kept = len(path) == 1 and all(self._keeps_member(one, path[0], name) for one in owners)
        return kept and bool(owners)

    def _keeps_member(self, cls: Class, attribute: str, name: str, depth: int = 0) -> bool:
        """Whether all that objects of a class are made with for an attribute is a member, as far as they are given it."""
        said = [arguments for _, arguments in self.program.calls.given_to(cls)]
        return all(arguments for arguments in said) and all(
            self._is_made(arguments[attribute].value, name, depth)
            for arguments in said
            if attribute in arguments
        )

    def _is_made(self, node: tree.Node, name: str, depth: int) -> bool:
        """Whether an expression is a member by what makes it, and not by what is declared alone."""
        inference = self.program.inference
        match node:
            case tree.Call():
                return last_name(node.func) == name
            case tree.Attr() if any(isinstance(t, ClassObject) for t in inference.of(node.base)):
                return True
            case tree.Attr() if depth < _MAX_DEPTH:
                owners = classes_of(inference.of(node.base))
                return bool(owners) and all(
                    self._keeps_member(cls, node.name, name, depth + 1) for cls in owners
                )
            case tree.Name() if depth < _MAX_DEPTH:
                bound = self.program.names.bindings_of(node)
                values = [b.assigned for b in bound if b.kind == "assign"]
                given = [v for b in bound for v in self.program.calls.passed_to(b)]
                known = all(last_name(b.annotation) == name for b in bound if b.kind == "param")
                made = [v for v in (*values, *given) if v is not None]
                return (
                    bool(bound)
                    and known
                    and all(b.kind in ("assign", "param") for b in bound)
                    and len(made) == len(values) + len(given)
                    and all(self._is_made(one, name, depth + 1) for one in made)
                )
            case _:
                return False

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
