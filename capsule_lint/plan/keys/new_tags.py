"""Constants that stand for tags get one more: `Kind.CAPSULE` beside `Kind.TENANT`, `CAPSULE_PREFIX` beside
`TENANT_PREFIX`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddStatement
from capsule_lint.plan.docstrings import with_text
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.uses.naming import naming
from capsule_lint.program.inference.types import ModuleObject
from capsule_lint.program.model import Class, Module, last_name
from capsule_lint.program.texts.pieces import word_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

_BASES: Final = frozenset(("str", "Enum", "StrEnum", "ReprEnum"))
_LISTING: Final = ("vars", "dir", "globals", "locals", "getmembers", "__dict__")
_OWN: Final = frozenset(("name", "value"))
"""What a method asks a member of an enum for that says nothing of the other ones."""


@dataclass(eq=False, slots=True)
class NewTags(MendRoom):
    """Gives enums, classes of constants and modules the tags that they lack."""

    mends: Mends
    _known: dict[tuple[int, str], tuple[str, AddStatement] | None] = field(default_factory=dict)
    """The names of new constants and what adds them, by the class or module, and by what they say."""

    def added(
        self,
        knot: Knot,
        owner: Class | Module,
        name: str,
        wanted: str,
        *,
        usable: Callable[[str], bool] = lambda _: True,
    ) -> str | None:
        """What the constant is called that comes beside another one and says a tag; `None` where that is not the tag of
        a scope, its name is not `usable`, or something may go by what constants there are."""
        asked = id(owner), wanted
        if asked not in self._known:
            self._known[asked] = self._beside(owner, name, wanted)
        found = self._known[asked]
        if found is None or not usable(found[0]):
            return None
        self.mends.add(knot, found[1])
        return found[0]

    def _beside(
        self, owner: Class | Module, name: str, wanted: str
    ) -> tuple[str, AddStatement] | None:
        said = _assigned(owner, name)
        if said is None or not isinstance(said.value, tree.Const) or not self._may_grow(owner):
            return None
        text, module = tree.text(said.value) or "", _module(owner)
        old, new = self._scope(text), self._scope(wanted)
        if old is None or new is None or old is new:
            return None
        own = _named(name, old.name, new.name)
        source, value = (self.mends.source(module, one) for one in (said.span, said.value.span))
        head = source[: len(source) - len(value)].removeprefix(name)
        whole = source == name + head + value and value.count(text) == 1 and text not in head
        if own is None or own in owner.scope.bindings or not whole:
            return None
        before = self.mends.policy_order([old, new])[0] is new
        at = said if before else with_text(_body(owner), said)
        line = own + head + value.replace(text, wanted)
        return own, AddStatement(module.filename, at.span, "CAP101", line, before)

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
            return not self._is_listed(owner)
        if names.declared_class(owner) is not None or not _is_of_constants(owner):
            return False
        if not all(self._asks_itself(method) for method in owner.methods.values()):
            return False
        holders = [names.parent(node) for node in naming(self.program, owner)]
        return not self._is_spoken_of(owner) and all(
            isinstance(one, tree.Attr) and owner.has(one.name) and not self._is_asked(one)
            for one in holders
        )

    def _is_asked(self, member: tree.Attr) -> bool:
        """Whether a member is asked for its class: `type(Kind.ORDER)`."""
        match self.program.names.parent(member):
            case tree.Call(func=func) as call:
                return last_name(func) == "type" and call.func is not member
            case tree.Attr(name=name):
                return name == "__class__"
            case _:
                return False

    def _is_spoken_of(self, cls: Class) -> bool:
        """Whether a text may name a class, for somebody to find it by: `"app.kinds:Kind"`."""
        called = re.compile(rf"[.:]{re.escape(cls.name)}\b")
        return any(
            called.search(text)
            for module in self.program.names.modules.values()
            for node in module.each(tree.Const)
            if (text := tree.text(node))
        )

    def _is_listed(self, module: Module) -> bool:
        """Whether something asks for all names of a module: `vars(constants)`."""
        program = self.program
        for node in program.names.named(*_LISTING):
            call = program.names.parent(node)
            given = call.args[:1] if isinstance(call, tree.Call) else ()
            types = program.inference.of(given[0].value) if given else ()
            own = not given and program.names.module_of(node) is module
            if own or ModuleObject(module) in types:
                return True
        return False

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


def _named(name: str, old: str, new: str) -> str | None:
    """`CAPSULE_PREFIX` of `TENANT_PREFIX`, `CapsulePrefix`; `None` where the scope's name is no word of it."""
    for before, after in ((old, new), (old.upper(), new.upper())):
        found = re.sub(rf"(?<![^_]){before}(?![^_])", after, name)
        if found != name:
            return found
    found = re.sub(rf"{old.capitalize()}(?![a-z])", new.capitalize(), name)
    return found if found != name else None


def _body(owner: Class | Module) -> tuple[tree.Statement, ...]:
    return owner.facts.body if isinstance(owner, Module) else owner.fact.body


def _module(owner: Class | Module) -> Module:
    return owner if isinstance(owner, Module) else owner.module


def _assigned(owner: Class | Module, name: str) -> tree.Assign | None:
    """The one statement that gives a constant its text."""
    found = [one for one in _body(owner) if isinstance(one, tree.Assign) and _is_named(one, name)]
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
            case tree.FunctionDef() | tree.Eval(values=(tree.Const(),)):
                continue
            case _:
                return False
    return True
