"""Constants that stand for tags get one more: `Kind.CAPSULE` beside `Kind.TENANT`, `CAPSULE_PREFIX` beside
`TENANT_PREFIX`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddStatement
from capsule_lint.plan.code import rename
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.uses.naming import naming
from capsule_lint.program.model import Class, Module, last_name
from capsule_lint.program.texts.pieces import word_of

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

_BASES: Final = frozenset(("str", "Enum", "StrEnum", "ReprEnum"))
_OWN: Final = frozenset(("name", "value"))
"""What a method asks a member of an enum for that says nothing of the other ones."""


class NewTags(MendRoom, Struct, frozen=True):
    """Gives enums, classes of constants and modules the tags that they lack."""

    mends: Mends

    def added(self, knot: Knot, owner: Class | Module, name: str, wanted: str) -> str | None:
        """What the constant is called that comes beside another one and says a tag; `None` where that is not the tag of
        a scope, or something may go by what constants there are."""
        said = _assigned(owner, name)
        if said is None or not isinstance(said.value, tree.Const) or not self._may_grow(owner):
            return None
        text, module = tree.text(said.value) or "", _module(owner)
        old, new = self._scope(text), self._scope(wanted)
        if old is None or new is None or old is new:
            return None
        own = rename(name, old, new).replace(old.name.upper(), new.name.upper())
        source, value = (self.mends.source(module, one) for one in (said.span, said.value.span))
        head = source[: len(source) - len(value)]
        whole = head.startswith(name) and source.endswith(value) and value.count(text) == 1
        if own == name or own in owner.scope.bindings or not whole:
            return None
        before = self.mends.policy_order([old, new])[0] is new
        line = own + head.removeprefix(name) + value.replace(text, wanted)
        self.mends.add(knot, AddStatement(module.filename, said.span, "CAP101", line, before))
        return own

    def _scope(self, text: str) -> Scope | None:
        """The scope whose tag a text is, or says."""
        scopes = self.program.policy.scopes
        return next((s for s in scopes if text in (s.tag, word_of(s.tag))), None)

    def _may_grow(self, owner: Class | Module) -> bool:
        """Whether nothing asks what constants stand in a class or module of the program's, which stands in one file."""
        names, module = self.program.names, _module(owner)
        if module.generated or module.is_test:
            return False
        if isinstance(owner, Module):
            return True
        if names.declared_class(owner) is not None or not _is_of_constants(owner):
            return False
        if not all(self._asks_itself(method) for method in owner.methods.values()):
            return False
        holders = [names.parent(node) for node in naming(self.program, owner)]
        return all(isinstance(one, tree.Attr) and owner.has(one.name) for one in holders)

    def _asks_itself(self, method: Function) -> bool:
        """Whether a method asks for nothing but what its own member says."""
        names = self.program.names
        own = method.params[0].name if method.takes_self and not method.decorators else None
        uses = [n for n in names.inside(method) if isinstance(n, tree.Name) and n.id == own]
        holders = [names.parent(node) for node in uses]
        return own is not None and all(
            isinstance(one, tree.FString) or (isinstance(one, tree.Attr) and one.name in _OWN)
            for one in holders
        )


def _module(owner: Class | Module) -> Module:
    return owner if isinstance(owner, Module) else owner.module


def _assigned(owner: Class | Module, name: str) -> tree.Assign | None:
    """The one statement that gives a constant its text."""
    body = owner.facts.body if isinstance(owner, Module) else owner.fact.body
    found = [one for one in body if isinstance(one, tree.Assign) and _is_named(one, name)]
    return found[0] if len(found) == len(owner.scope.bindings.get(name, ())) == 1 else None


def _is_named(statement: tree.Assign, name: str | None = None) -> bool:
    match statement:
        case tree.Assign(targets=(tree.Name(id=target),), op=""):
            return name in (None, target)
        case _:
            return False


def _is_of_constants(cls: Class) -> bool:
    """Whether a class is an enum, or has no bases, and has nothing but texts and methods."""
    decorated = any(last_name(one) != "unique" for one in cls.fact.decorators)
    if decorated or any(a.keyword or last_name(a.value) not in _BASES for a in cls.fact.bases):
        return False
    for statement in cls.fact.body[int(cls.fact.doc) :]:
        match statement:
            case tree.Assign() if _is_named(statement) and tree.text(statement.value):
                continue
            case tree.FunctionDef():
                continue
            case _:
                return False
    return True
