"""Scopes that the program puts on an object of a framework side by side: `request.tenant = …`, `g.capsule_id = …`,
or into a dict that such an object has: `ctx.obj["tenant"] = …`, `app.append_context(tenant=…)`."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of, names_scope
from capsule_lint.program.walk import singles, targets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module

_FILLS: Final = {"update": "", "append_context": "context"}
"""Methods that put what they are given into their object, or into what it has under that name."""
_GIVES: Final = {"pass_obj": "obj"}
"""Decorators that give a function what an object has under that name."""


class _Put(Struct, frozen=True):
    """Something named like a scope that is put somewhere: where that stands, what has it, and by what name."""

    node: tree.Node
    base: tree.Node
    called: str
    name: str
    entry: bool = False


class Attached(Struct, frozen=True, dict=True):
    """Finds what has one scope of such an object, and so the other one too."""

    program: Program

    def beside(self, node: tree.Node, scope: Scope) -> str | None:
        """What has a scope in the object, or the dict that it has, of which `node` reads another one: each function
        that puts that there puts both. `None` where there is none, or the class of the object is known."""
        read = self._read(node)
        if read is None or text_of(read.base) is None or self._is_known(read.base):
            return None
        every = self._put.get((read.called, read.name, read.entry), ())
        found = {next((p.name for p in put if names_scope(p.name, scope)), None) for put in every}
        name = found.pop() if len(found) == 1 else None
        if name is None or name == read.name or self._comes_later(node, name, every):
            return None
        code = text_of(node) or ""
        return (
            code.replace(f'"{read.name}"', f'"{name}"')
            if read.entry
            else f"{text_of(read.base)}.{name}"
        )

    def _comes_later(self, node: tree.Node, name: str, every: Iterable[tuple[_Put, ...]]) -> bool:
        """Whether the function around puts something there itself, and not before."""
        here, place = self.program.names.place(node), self.program.names.place
        return any(
            at.scope is here.scope and at.order >= here.order
            for put in every
            for at in (place(one.node) for one in put if one.name == name)
        )

    def _read(self, node: tree.Node) -> _Put | None:
        """What an expression reads of an object or of a dict that it has: `request.tenant`, `ctx.obj["tenant"]`."""
        match node:
            case tree.Attr():
                return _Put(node, node.base, last_name(node.base), node.name)
            case tree.Subscript(base=base, index=index):
                key = tree.text(index)
            case tree.Call(func=tree.Attr(name="get", base=base), args=(first,)):
                key = tree.text(first.value)
            case _:
                return None
        called = self._called(base) if key is not None else None
        return _Put(node, base, called, key, entry=True) if called and key else None

    def _called(self, base: tree.Node) -> str | None:
        """How a dict is called by the object that has it, where it is an object's: `obj` of `ctx.obj`."""
        match base:
            case tree.Attr(base=tree.Name(id=root)):
                function = self.program.names.place(base).scope.function
                return None if function is not None and root == function.self_name else base.name
            case tree.Attr():
                return base.name
            case tree.Name():
                given = only_assigned(self.program.names, base)
                if given is not None:
                    return self._called(given)
                function = self.program.names.place(base).scope.function
                marks = map(last_name, function.fact.decorators) if function is not None else ()
                first = function.params[0].name if function is not None and function.params else ""
                return next((_GIVES[m] for m in marks if m in _GIVES and first == base.id), None)
            case _:
                return None

    @property
    def is_used(self) -> bool:
        """Whether the program puts scopes on such objects at all."""
        return bool(self._put)

    @property
    def is_told(self) -> bool:
        """Whether tests put scopes on such objects."""
        return bool(self._put_by_tests)

    def without(
        self, name: str, new: str
    ) -> Iterator[tuple[str, tree.Attr | tree.Subscript, tree.Node]]:
        """Where tests put a scope on an object, and not the one that belongs beside it: how that object is
        called, and what they put there."""
        names = self.program.names
        for put, said in self._put_by_tests.get(name, ()):
            target = put.node
            if not isinstance(target, tree.Attr | tree.Subscript):
                continue
            if any(one.name == new for one in said):
                continue
            statement = names.place(target).statement
            each = singles(statement) if isinstance(statement, tree.Assign) else ()
            given = next((one.value for one in each if _sets(one, target)), None)
            if given is not None and not self._is_said(target, new):
                yield put.called, target, given

    def _is_said(self, node: tree.Node, name: str) -> bool:
        """Whether the function around says what an object has under a name: `Request(capsule_id="c")`."""
        names = self.program.names
        function = names.place(node).scope.function
        for one in names.inside(function) if function is not None else ():
            if isinstance(one, tree.Call) and any(a.keyword == name for a in one.args):
                return True
        return False

    @cached_property
    def _put(self) -> dict[tuple[str, str, bool], list[tuple[_Put, ...]]]:
        """What functions, tests aside, put together on an object or into its dict, by how that is called and by
        each name."""
        found: dict[tuple[str, str, bool], list[tuple[_Put, ...]]] = defaultdict(list)
        for put, together in self._every(tests=False):
            found[put.called, put.name, put.entry].append(together)
        return found

    @cached_property
    def _put_by_tests(self) -> dict[str, list[tuple[_Put, tuple[_Put, ...]]]]:
        found = defaultdict(list)
        for put, together in self._every(tests=True):
            found[put.name].append((put, together))
        return found

    def _every(self, *, tests: bool) -> Iterator[tuple[_Put, tuple[_Put, ...]]]:
        """What puts a scope somewhere, and all that the function around puts there."""
        for module in self.program.names.modules.values():
            puts: dict[tuple[int, str, str], list[_Put]] = defaultdict(list)
            for scope, put in self._puts(module) if module.is_test is tests else ():
                base = text_of(put.base)
                inside = put.called != last_name(put.base)  # of the object, whatever that is
                known = self._has_itself(put) if tests else self._is_own(put)
                if base is not None and (inside or not known):
                    puts[scope, base, put.called].append(put)
            for several in puts.values():
                yield from ((put, tuple(several)) for put in several)

    def _puts(self, module: Module) -> Iterator[tuple[int, _Put]]:
        """What is named like scopes that a module puts on objects, and where."""
        scopes = self.program.policy.scopes
        for statement, place in module.statements:
            for put in self._put_by(statement):
                if names_any_of(put.name, scopes):
                    yield id(place.scope), put

    def _put_by(self, statement: tree.Statement) -> Iterator[_Put]:
        """What a statement puts on objects, or into the dicts that they have."""
        match statement:
            case tree.Assign(targets=targets):
                for target, path in (leaf for one in targets for leaf in targets_of(one)):
                    if isinstance(target, tree.Attr):
                        yield _Put(target, target.base, last_name(target.base), target.name)
                        yield from self._entries(target, None if path else statement.value)
                    elif isinstance(target, tree.Subscript):
                        read = self._read(target)
                        yield from () if read is None else (read,)
            case tree.Eval(
                kind="expr", values=(tree.Call(func=tree.Attr(name=name) as func) as call,)
            ):
                if name in _FILLS and (called := _FILLS[name] or self._called(func.base)):
                    yield from (
                        _Put(call, func.base, called, key, entry=True) for key, _ in call.keywords
                    )
                    for one in call.plain if not _FILLS[name] else ():
                        yield from self._entries(func.base, one)

    def _entries(self, base: tree.Node, value: tree.Node | None) -> Iterator[_Put]:
        """The entries of a dict that is written out, and becomes that of an object."""
        match value:
            case tree.DictDisplay():
                entries = value.entries
            case tree.Call(func=tree.Name(id="dict")):
                entries = value.keywords
            case _:
                return
        called = self._called(base)
        yield from (_Put(value, base, called, key, entry=True) for key, _ in entries if called)

    def _is_known(self, node: tree.Node) -> bool:
        """Whether an object is one of a class of the program's."""
        return self._is_self(node) or any(
            isinstance(one, Instance) for one in self.program.inference.of(node)
        )

    def _is_self(self, node: tree.Node) -> bool:
        function = self.program.names.function_of(node)
        own = function.self_name if function is not None else None
        return isinstance(node, tree.Name) and node.id == own

    def _is_own(self, put: _Put) -> bool:
        """Whether an object is one of a class of the program's, and not what the function is handed and has nothing
        of its class there: of that some code knows the class, and other code knows it by its name only."""
        node = put.base
        bound = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        handed = bool(bound) and all(b.kind == "param" for b in bound)
        is_own = self._is_self(node) or not handed
        return self._is_known(node) and (is_own or self._has_itself(put))

    def _has_itself(self, put: _Put) -> bool:
        """Whether an object has something of its class, and not only of those who put it there."""
        classes = self.program.classes
        made = [t.cls for t in self.program.inference.of(put.base) if isinstance(t, Instance)]
        for owner in (one for cls in made for one in classes.mro(cls)):
            bound = owner.scope.bindings.get(put.name, ())
            values = [store.value for store in owner.stores.get(put.name, ())]
            values += [b.value for b in bound if b.value is not None]
            if any(b.definition for b in bound) or not all(map(_is_none, values)):
                return True
        return any(map(classes.is_data, made))


def _is_none(node: tree.Node | None) -> bool:
    return isinstance(node, tree.Const) and node.value is None


def _sets(statement: tree.Assign, target: tree.Node) -> bool:
    """Whether an assignment sets something, alone or among others."""
    return any(leaf is target for one in statement.targets for leaf, _ in targets_of(one))
