"""Collections that tests put in the place of those that the program keeps: `monkeypatch.setattr(items, "_cache", {…})`,
`patch("app.items._cache", new={…})`, `patch.dict("app.items._cache", {…})`, `items._cache = cache`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.mocks import replacement
from capsule_lint.program.inference.types import (
    NOTHING,
    ClassObject,
    Instance,
    Mocked,
    ModuleObject,
    Type,
    Types,
)
from capsule_lint.program.local_names import written_text
from capsule_lint.program.model import Binding, Class

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.program import Program

PUTTING: Final = ("patch", "object", "setattr", "setitem", "patch_object", "dict")
"""The last names of functions that put something in the place of what is named for them by a text, or into it:
`dict` of `patch.dict`."""


@dataclass(eq=False)
class PutInPlace:
    """Finds what comes there."""

    program: Program

    def of(self, home: Home) -> Iterator[tree.Node]:
        """What tests put in the place of a collection, or what `patch.dict` puts into it."""
        uses, name = self.program.calls.uses, home[1]
        for target, value in uses.assigned(name):
            if self._is_in_test(target) and self._have(target.base, home):
                yield value
        for call, put in self._put.get(name, ()):
            if self._replaces(call, home):
                yield put
        for call in uses.calls_beside("multiple"):
            several = call.keyword(name)
            if several is not None and call.plain and self._is_in_test(call):
                yield from (several,) if self._have(call.plain[0], home) else ()

    @cached_property
    def _put(self) -> dict[str, list[tuple[tree.Call, tree.Node]]]:
        """The calls of tests that put something in the place of what they name, and that, by the last name."""
        found: dict[str, list[tuple[tree.Call, tree.Node]]] = defaultdict(list)
        for word in PUTTING:
            for call in self.program.calls.uses.calls_beside(word):
                put = call.keyword("values") or replacement(call)
                made = word == "dict" and not isinstance(call.func, tree.Attr)
                if put is not None and not made and self._is_in_test(call):
                    named = next(filter(None, map(self._text, call.unnamed[:2])), "")
                    found[named.rpartition(".")[2]].append((call, put))
        return found

    def _is_in_test(self, node: tree.Node) -> bool:
        return self.program.names.module_of(node).is_test

    def _replaces(self, call: tree.Call, home: Home) -> bool:
        """Whether a call names a collection: by a path to it, or by what has it and its name."""
        path = self._text(call.unnamed[0]) if call.unnamed else None
        if path is not None and path.endswith(f".{home[1]}"):
            return any(self._has(one, home) for one in self._named(path.rpartition(".")[0]))
        match call.unnamed:
            case [
                tree.Call(func=tree.Name(id="vars"), args=(tree.Argument(value=holder),))
                | tree.Attr(name="__dict__", base=holder)
                | holder,
                named,
                *_,
            ]:
                return self._text(named) == home[1] and self._have(holder, home)
            case _:
                return False

    def _text(self, node: tree.Node) -> str | None:
        return written_text(self.program.names, node)

    def _have(self, node: tree.Node, home: Home) -> bool:
        text = self._text(node)
        types = self.program.inference.of(node) if text is None else self._named(text)
        return any(self._has(one, home) for one in types)

    def _named(self, path: str) -> Types:
        """What a path names, which may be that of a module."""
        inference = self.program.inference
        module = self.program.names.exact(path)
        if module is not None:
            return frozenset((ModuleObject(module),))
        return inference.mocks.dotted(path) if "." in path else NOTHING

    def _has(self, holder: Type, home: Home) -> bool:
        """Whether a module, which may have it from another one, or an object has a collection."""
        owner, name = home
        match holder:
            case ModuleObject(module=module):
                found = map(self.program.names.follow, module.scope.bindings.get(name, ()))
                return any(isinstance(b, Binding) and (b.module, b.name) == home for b in found)
            case Instance(cls=cls) | ClassObject(cls=cls) | Mocked(spec=Class() as cls):
                return owner in self.program.classes.mro(cls)
            case _:
                return False
