"""Scopes whose value is no text, beside one that is: an item has `str(self.stage)`, and what is read from it
is `UUID(item["stage"])`."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import rename, text_of
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.plan.imports import through_module
from capsule_lint.plan.room import Room
from capsule_lint.policy import SourceKind
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Class, last_name
from capsule_lint.program.names import External
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value, Want
    from capsule_lint.policy import Reference, Scope

_TEXTS: Final = frozenset(("builtins.str", "builtins.int", "enum.StrEnum", "enum.IntEnum"))
_COERCING: Final = ("pydantic.", "sqlmodel.")
"""Whose classes make of a text what a field is annotated with."""

OF_MEMBERS: Final = ("value", "name")
"""What says a member of an enum as a text."""
READ: Final = ("loaded", "spread")
"""The kinds of values that are texts of an item."""
_VALIDATING: Final = ("__get_pydantic_core_schema__", "__get_validators__")


class Form(Enum):
    """What the value of a scope is."""

    TEXT = auto()
    UUID = auto()
    ENUM = auto()
    OBJECT = auto()


class Stored(Room, Struct, frozen=True):
    """Says how such values are written into items, and read from them."""

    planner: Planner

    def form(self, scope: Scope) -> Form:
        """What the type of a scope is; a text where policy says none, or one that nobody can look into."""
        own, program = scope.type, self.program
        if own is None or own.module == "builtins":
            return Form.TEXT
        target = program.names.follow(program.names.member(own.module, own.root))
        if isinstance(target, External):
            return Form.UUID if target.name == "uuid.UUID" else Form.TEXT
        cls = program.names.definition(own.dotted)
        if not isinstance(cls, Class):
            return Form.TEXT
        bases = set(program.classes.foreign_bases(cls))
        if bases & {*_TEXTS, "int"} or ("str" in bases and self._shows_itself(cls)):
            return Form.TEXT
        if "uuid.UUID" in bases:
            return Form.UUID
        return Form.ENUM if program.classes.is_enum(cls) else Form.OBJECT

    def is_text_too(self, scope: Scope) -> bool:
        """Whether the values of a scope are members of an enum, and texts as well."""
        cls = self._class_of(scope) if self.form(scope) is Form.ENUM else None
        return cls is not None and "str" in self.program.classes.foreign_bases(cls)

    def as_text(self, scope: Scope, code: str, beside: tree.Node | None = None) -> str:
        """The code of a scope's value where nothing but a text fits; empty where it is one, and where its neighbour
        is an object as well, of which something else makes a text."""
        if beside is not None and self._is_object(beside, scope):
            return ""
        own = scope.type
        number = own is not None and (own.module, own.name) == ("builtins", "int")
        taken = code.rpartition(".")[2] in OF_MEMBERS
        is_text = taken or (self.form(scope) is Form.TEXT and not number)
        return "" if is_text or code.startswith("str(") else f"str({code})"

    def _is_object(self, node: tree.Node, scope: Scope) -> bool:
        """Whether an expression is known to be the value of another scope, and no text."""
        others = [o for o in self.program.policy.others(scope) if self.form(o) is not Form.TEXT]
        known = {self._class_of(other) for other in others} - {None}
        found = self.program.inference.of(node) if known else ()
        return bool(found) and all(isinstance(one, Instance) and one.cls in known for one in found)

    def is_refused(self, cls: Class, scope: Scope) -> bool:
        """Whether a class lets no field be annotated with the type of a scope: pydantic knows no heir of `str`
        that does not say how it is validated."""
        own, classes = scope.type, self.program.classes
        if own is None or not any(b.startswith(_COERCING) for b in classes.foreign_bases(cls)):
            return False
        said = self.program.names.definition(own.dotted)
        if not isinstance(said, Class) or classes.is_enum(said):
            return False
        told = any(classes.method(said, name) is not None for name in _VALIDATING)
        return "str" in classes.base_names(said) and not told

    def differs(self, old: Scope, new: Scope) -> bool:
        """Whether the value of a scope has to be made a text, or of one, where that of another is one."""
        return self.form(old) is Form.TEXT and self.form(new) is not Form.TEXT

    def beside(self, value: Value, scope: Scope, neighbours: Iterable[tree.Node]) -> Value:
        """What a value's text is taken of, as that of its neighbour is: `capsule_id.value` beside `tenant_id.value`."""
        objects = self.form(scope) in (Form.ENUM, Form.OBJECT) and value.kind not in READ
        cls = self._class_of(scope) if objects else None
        for node in neighbours if cls is not None else ():
            match node:
                case tree.Attr(name=name, base=base):
                    has = self.program.classes.has_attribute
                    held = any(
                        names_scope(hole_name(base), other) and has(own, name)
                        for other in self.program.policy.others(scope)
                        if (own := self._class_of(other)) is not None
                    )
                    if held and cls is not None and has(cls, name):
                        told = value.code.endswith(f".{name}")
                        return value if told else replace(value, code=f"{value.code}.{name}")
        return value

    def says_itself(self, scope: Scope, code: str) -> bool:
        """Whether the code of a scope's value gives the text that is meant, where it stands in one: objects that do
        not say how they look would show how they are made."""
        cls, classes = self._class_of(scope), self.program.classes
        if cls is None or self._shows_itself(cls):
            return True
        bases, taken = set(classes.foreign_bases(cls)), code.rpartition(".")[2]
        if classes.is_enum(cls):
            return taken in OF_MEMBERS
        if self.form(scope) is not Form.OBJECT or not bases <= {"abc.ABC"}:
            return True
        return taken != scope.parameter and classes.has_attribute(cls, taken)

    def _shows_itself(self, cls: Class) -> bool:
        """Whether the text of an object is what its class says, or that of what else it is; the text of a member of an
        enum is how it is called."""
        classes = self.program.classes
        if any(classes.method(cls, name) for name in ("__str__", "__format__")):
            return True
        bases = set(classes.foreign_bases(cls))
        return "enum.StrEnum" in bases or ("str" in bases and not classes.is_enum(cls))

    def type_of(self, scope: Scope) -> Reference | None:
        """The type of a scope's values: policy's, or else what the program says most often."""
        return scope.type or self.planner.types.said(scope)

    def _class_of(self, scope: Scope) -> Class | None:
        """The class of the program whose instances a scope's values are."""
        own = self.type_of(scope)
        cls = self.program.names.definition(own.dotted) if own is not None else None
        return cls if isinstance(cls, Class) else None

    def written(self, code: str, beside: tree.Node, old: Scope, new: Scope) -> str | None:
        """The code of an entry beside one that is written as it is; `None` where no item can hold it."""
        if not isinstance(beside, tree.Name | tree.Attr) or not self.differs(old, new):
            return code
        return self.made_text(code, new)

    def made_text(self, code: str, scope: Scope) -> str | None:
        """The text of a scope's value; `None` where nobody knows it."""
        match self.form(scope):
            case Form.UUID:
                return f"str({code})"
            case Form.ENUM:
                return f"{code}.value"
            case _:
                return None

    def read(self, value: Value | None, want: Want, old: Scope) -> Value | None:
        """What is read from an item, made what the scope's type says."""
        own = want.scope.type
        if value is None or own is None or not self._is_raw(value, want, old):
            return value
        return value if self.form(want.scope) is Form.OBJECT else self._made(value, want, own)

    def made(self, value: Value, want: Want, neighbours: Iterable[tree.Node]) -> Value:
        """What policy's expression yields, made what the scope's type says where that of a neighbour is:
        `CapsuleId(args.capsule)` beside `TenantId(args.tenant)`."""
        own = want.scope.type
        if own is None or value.code not in _expressions(want.scope):
            return value
        if self.form(want.scope) is Form.ENUM and want.callee is not None:
            return self._made(value, want, own)
        others = self.program.policy.others(want.scope)
        for node in neighbours:
            match behind(self.program.names, node):
                case tree.Call(func=func, args=(tree.Argument(star="", value=given),)):
                    code, name = text_of(given), last_name(func)
                    if any(
                        other.type is not None
                        and other.type.name.rpartition(".")[2] == name
                        and code in _expressions(other)
                        for other in others
                    ):
                        return replace(self._made(value, want, own), bind=False)
        return value

    def _made(self, value: Value, want: Want, own: Reference) -> Value:
        """A value in a call of the scope's type."""
        program = self.program
        module = program.names.module_of(want.node)
        whole = through_module(program, module, own.module, own.name)
        if whole is not None:
            return replace(value, code=f"{whole}({value.code})")
        code = f"{own.name}({value.code})"
        return replace(value, code=code, imports=((own.module, own.root),))

    def doubt(self, value: Value, want: Want, old: Scope) -> str:
        """Why what is read from an item would not be what the scope's type says; empty where it is."""
        if not self._is_raw(value, want, old):
            return ""
        own = want.scope.type
        assert own is not None
        return f"reads a text, and `{want.scope.parameter}` is a `{own.name}`"

    def _is_raw(self, value: Value, want: Want, old: Scope) -> bool:
        """Whether a callee that takes what the scope's type says would be given a text."""
        own = want.scope.type
        if own is None or not self.differs(old, want.scope) or f"{own.name}(" in value.code:
            return False
        again = self.form(want.scope) is Form.ENUM  # a member of a member is the same one
        return self._takes_it(want) and (again or not self._is_kept_whole(want.scope, old))

    def _takes_it(self, want: Want) -> bool:
        """Whether what is called takes the type, or is going to, and does not make it by itself."""
        classes, own, callee = self.program.classes, want.scope.type, want.callee
        cls = callee if isinstance(callee, Class) else None
        if cls is not None and any(b.startswith(_COERCING) for b in classes.foreign_bases(cls)):
            return False
        params = classes.constructor(cls) or () if cls is not None else ()
        if callee is not None and not isinstance(callee, Class):
            params = callee.params
        has = next((p for p in params if names_scope(p.name, want.scope)), None)
        if has is None:
            return True
        return own is not None and last_name(has.annotation) == own.name.rpartition(".")[2]

    def _is_kept_whole(self, scope: Scope, old: Scope) -> bool:
        """Whether the program writes the value into dicts as it is."""
        key = rename(old.parameter, old, scope)
        for module in self.program.names.judged():
            for display in module.each(tree.DictDisplay) if not module.is_test else ():
                kept = dict(entries_of(display)).get(key)
                if isinstance(kept, tree.Name | tree.Attr):
                    return True
        return False


def _expressions(scope: Scope) -> set[str]:
    """The sources of a scope that are expressions, of whose values nothing is known."""
    return {spec.code for spec in scope.sources if spec.kind is SourceKind.EXPRESSION}
