"""Sources that can be asked anywhere: `current_tenant()`, or the `get()` of a `ContextVar`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.state import Value
from capsule_lint.plan.supply.readings import counterparts
from capsule_lint.policy import SourceKind, SourceSpec
from capsule_lint.program.inference.types import Instance, classes_of, ordered
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Class
from capsule_lint.program.texts.pieces import Filled, names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.supply.attached import Attached
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function


class Ambient(Struct, frozen=True, dict=True):
    """Finds them among the sources of policy: code that asks for one scope can ask for the other."""

    program: Program
    attached: Attached

    def beside(self, node: tree.Node, scope: Scope) -> Value | None:
        """`current.capsule_id.get()` beside `current.tenant_id.get()`."""
        text = text_of(node) if self._codes or self._expressions else None
        for name, spec, asked in self._codes if text is not None else ():
            if text is None or name == scope.name or not f".{text}".endswith(f".{asked}"):
                continue
            for other, new, code in self._codes:
                if other == scope.name and new.module == spec.module:
                    prefix = text[: len(text) - len(asked)]
                    root = new.name.partition(".")[0]
                    return Value(prefix + code, () if prefix else ((new.module, root),))
        said = self._expressed(text, scope) if text is not None else None
        if said is not None:
            return said
        asked_by, own = self._returned(node) if self._codes or self._expressions else (None, False)
        found = self.beside(asked_by, scope) if asked_by is not None else None
        usable = found is not None and (own or found.imports)
        return found if usable else self._attached(node, scope)

    def _expressed(self, text: str, scope: Scope) -> Value | None:
        """`self.request.state.capsule_id` beside `self.request.state.tenant_id`, where policy says
        `request.state.capsule_id` and `request.state.tenant_id`."""
        for name, spec, asked in self._expressions:
            prefix = text.removesuffix(asked)
            if name == scope.name or prefix == text or not prefix.endswith("."):
                continue
            of_scope = [new for other, new, _ in self._expressions if other == scope.name]
            for new in counterparts(spec, of_scope)[:1]:
                return Value(prefix + new.code.replace("'", '"'), kind="configured")
        return None

    def _attached(self, node: tree.Node, scope: Scope) -> Value | None:
        """`request.capsule` beside `request.tenant`."""
        code = self.attached.beside(node, scope)
        return Value(code, kind="attached") if code is not None else None

    def _returned(self, node: tree.Node) -> tuple[tree.Node | None, bool]:
        """What the property returns that an expression reads, `self.tenant`, and whether that is of the same
        `self`."""
        if not isinstance(node, tree.Attr):
            return None, False
        for one in ordered(self.program.inference.of(node.base)):
            cls = one.cls if isinstance(one, Instance) else None
            method = self.program.classes.method(cls, node.name) if cls is not None else None
            if method is not None and method.is_property and len(method.returns) == 1:
                own = isinstance(node.base, tree.Name) and node.base.id == method.self_name
                return method.returns[0], own
        return None, False

    def asks(self, node: tree.Node) -> bool:
        """Whether a value is asked of something that all of the module knows, `tenant()`, `current().tenant_id`
        or `ctx.tenant_id` after `ctx = current()`: no parameter says it."""
        called, seen = False, set[int]()
        while id(node) not in seen:
            seen.add(id(node))
            match node:
                case tree.Call(args=()):
                    called, node = True, node.func
                case tree.Attr():
                    node = node.base
                case tree.Name():
                    names = self.program.names
                    bindings = names.bindings_of(node)
                    if any(b.is_global for b in bindings):
                        return called
                    given = only_assigned(names, node)
                    if given is None:
                        return False
                    node = given
        return False

    def fills_keys(self) -> bool:
        """Whether keys of the program ask so for a scope, instead of being given it, where they are made or where
        what makes them is called."""
        return any(map(self._is_asked, self._values_in_keys()))

    def _values_in_keys(self) -> Iterator[tree.Node]:
        """The values of scopes in keys, and those that key helpers are given, or what makes these."""
        scopes, keys, calls = self.program.policy.scopes, self.program.keys, self.program.calls
        for site in (one for one in keys.sites if not one.module.is_test):
            for piece in site.template.pieces:
                if isinstance(piece, Filled):
                    yield piece.value
                    yield from self._given_around(piece.value, site.function)
        for helper in sorted(keys.helpers, key=lambda f: f.symbol):
            told = [p.name for p in helper.own_params if names_any_of(p.name, scopes)]
            for parameter in told:
                for call, argument in calls.arguments_for(helper, parameter):
                    if not self.program.names.module_of(call).is_test:
                        yield argument.value

    def _given_around(self, node: tree.Node, function: Function | None) -> Iterator[tree.Node]:
        """What a function is given for a parameter that one inside of it makes a key of."""
        names = self.program.names
        for binding in names.bindings_of(node) if isinstance(node, tree.Name) else ():
            around = binding.function if binding.parameter is not None else None
            if around is not None and around is not function:
                for _, argument in self.program.calls.arguments_for(around, binding.name):
                    if not names.module_of(argument.value).is_test:
                        yield argument.value

    def _is_asked(self, node: tree.Node) -> bool:
        """Whether a value is that of such a source, or of a source that is read of what is asked for so."""
        if any(f".{text_of(node)}".endswith(f".{code}") for _, _, code in self._codes):
            return True
        if not isinstance(node, tree.Attr) or not self.asks(node):
            return False
        return any(
            (one, node.name) in self._attributes
            for cls in classes_of(self.program.inference.of(node.base))
            for one in self.program.classes.mro(cls)
        )

    @cached_property
    def _attributes(self) -> set[tuple[Class, str]]:
        """The classes of which a source of policy is read, and the attributes that it is."""
        sources = (spec for scope in self.program.policy.scopes for spec in scope.sources)
        return {
            (known, spec.access)
            for spec in sources
            if spec.kind is SourceKind.ATTRIBUTE
            and isinstance(known := self.program.names.definition(spec.dotted), Class)
        }

    @cached_property
    def _codes(self) -> list[tuple[str, SourceSpec, str]]:
        """The scopes' names, such sources of theirs, and how they are asked."""
        return [
            (scope.name, spec, code)
            for scope in self.program.policy.scopes
            for spec in scope.sources
            if (code := self._code(spec)) is not None
        ]

    @cached_property
    def _expressions(self) -> list[tuple[str, SourceSpec, str]]:
        """The scopes' names, the expressions that policy has for them, and how they are written."""
        return [
            (scope.name, spec, spec.code.replace("'", '"'))
            for scope in self.program.policy.scopes
            for spec in scope.sources
            if spec.kind is SourceKind.EXPRESSION and len(spec.roots) == 1
        ]

    def _code(self, spec: SourceSpec) -> str | None:
        if spec.roots:
            return None
        if spec.kind is SourceKind.CALL:
            return spec.code
        known = self.program.names.definition(spec.dotted)
        if spec.kind is SourceKind.ATTRIBUTE and not isinstance(known, Class):
            return f"{spec.name}.{spec.access}"
        return None
