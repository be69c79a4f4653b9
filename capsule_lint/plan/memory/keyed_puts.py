"""What a program puts somewhere under keys, whatever it puts it into, and on what way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.delivered import Delivered
from capsule_lint.plan.memory.foreign_caches import is_cache
from capsule_lint.plan.memory.keyed_methods import HASHES, KEYLESS, PUTTING, key_of
from capsule_lint.plan.memory.puts import Put
from capsule_lint.plan.memory.rekeyed import keys_of
from capsule_lint.program.containers import ADDING
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.program.model import Module

_MAX_DEPTH: Final = 3


class KeyedPuts(Struct, frozen=True):
    """Finds it."""

    local: LocalKeys

    def way(self, node: tree.Node) -> tuple[tree.Node, list[tree.Node]]:
        """`self._rows` of `self._rows[tenant_id]` and of `self._rows.setdefault(tenant_id, {})`, and the
        keys on the way to it. What a local name stands for, or a call of the program's returns, is
        followed if it is found in a collection: a row of something else is no collection."""
        root, keys = inward(node)
        for one in self._meant(root):
            further, before = inward(one)
            if before and self.local.collections.any(further) is not None:
                return further, [*keys, *before]
        return root, keys

    def _meant(self, node: tree.Node, depth: int = 0) -> Iterator[tree.Node]:
        """What a local name stands for, or what a call of the program's returns."""
        program = self.local.program
        if depth == _MAX_DEPTH:
            return
        match node:
            case tree.Name():
                for binding in program.names.bindings_of(node):
                    local = binding.function is not None and not binding.path
                    if local and binding.kind == "assign" and binding.value is not None:
                        yield binding.value
                        if isinstance(binding.value, tree.Call):
                            yield from self._meant(binding.value, depth + 1)
            case tree.Call():
                for callee in program.calls.callees(node):
                    function = callee.function if callee.cls is None else None
                    for value in function.returns if function is not None else ():
                        yield value
                        if isinstance(value, tree.Name):
                            yield from self._meant(value, depth + 1)

    def of(self, module: Module) -> Iterator[Put]:
        """What a module puts somewhere under a key."""
        yield from self.local.collections.puts.of(module)
        yield from self._made(module)
        yield from _sought(module)
        yield from Delivered(self.local.program).puts(module)
        collections = self.local.collections
        for call in module.each(tree.Call):
            if not isinstance(call.func, tree.Attr) or not call.args:
                continue
            base, method = call.func.base, call.func.name
            if method in ADDING:
                yield from self._added(base, call.args[-1].value)
            if len(call.args) == 1:
                if method == "add" and collections.any(base) is not None:
                    yield Put(base, last_name(base), call.args[0].value, call.args[0].value)
                continue
            own = collections.keepers.key_of(call)
            cached = own is not None or (is_cache(last_name(base)) and method not in KEYLESS)
            if method in PUTTING or cached or self._is_heir(call):
                key = own or self._scope_in(call) or key_of(call)
                keys = [a.value for a in call.args[:2]] if method in HASHES else [key]
                for value in (a.value for a in call.args):
                    if value not in keys:
                        yield from (Put(base, last_name(base), value, key) for key in keys)

    def _made(self, module: Module) -> Iterator[Put]:
        """What collections are made of: `{row.id: row for row in rows}`."""
        for statement, _ in module.statements:
            match statement:
                case tree.Assign(targets=targets, value=tree.Comprehension() as made):
                    put = made.results[-1]
                case tree.Assign(targets=targets, value=tree.Call() as made):
                    put = next(iter(keys_of(made)), made)
                case _:
                    continue
            for key in keys_of(made)[:1]:
                yield from (Put(target, last_name(target), put, key) for target in targets)
        for made in module.each(tree.Comprehension):
            if made.kind == "DictComp" and self._is_unnamed(made):
                yield from (Put(made, "", made.results[-1], key) for key in keys_of(made)[:1])

    def _is_unnamed(self, made: tree.Node) -> bool:
        """Whether a collection goes to others as it is made, without a name."""
        parent = self.local.program.names.parent(made)
        return isinstance(parent, tree.Eval | tree.Call | tree.Attr)

    def _added(self, node: tree.Node, value: tree.Node) -> Iterator[Put]:
        """What is added to something that stands in a collection under keys:
        `self._rows[tenant_id].append(row)`."""
        root, keys = self.way(node)
        if keys and self.local.collections.any(root) is not None:
            yield from (Put(root, last_name(root), value, key) for key in keys)

    def _scope_in(self, call: tree.Call) -> tree.Node | None:
        """What a method is given as a scope by its name, beside another key: `put(tenant_id=…, key=…, value=…)`."""
        scopes = self.local.program.policy.scopes
        named = (a.value for a in call.args if a.keyword and names_any_of(a.keyword, scopes))
        return next(named, None)

    def _is_heir(self, call: tree.Call) -> bool:
        """Whether a method of a dict is called that the program has added to it."""
        collections = self.local.collections
        home = collections.any(call.func.base) if isinstance(call.func, tree.Attr) else None
        return home is not None and collections.is_named(call, home)


def _sought(module: Module) -> Iterator[Put]:
    """The objects whose parts are looked for among keys: `(row.tenant_id, row.part) not in gone`."""
    for node in module.each(tree.Compare):
        if node.ops in (("in",), ("not in",)) and isinstance(node.left, tree.Sequence):
            for item in node.left.items:
                if isinstance(item, tree.Attr):
                    yield Put(node.rights[0], last_name(node.rights[0]), item.base, node.left)


def taken_from(node: tree.Node) -> tree.Node:
    """What an element is taken out of, `rows` of `rows.pop(key)`; any other expression itself."""
    match node:
        case tree.Call(func=tree.Attr(name="pop", base=base), args=(_, *_)):
            return base
        case _:
            return node


def inward(node: tree.Node) -> tuple[tree.Node, list[tree.Node]]:
    """What an expression is an element of, of however many collections, and the keys that it has there."""
    keys = []
    while True:
        match node:
            case tree.Subscript():
                keys.append(node.index)
                node = node.base
            case tree.Call(func=tree.Attr(name="setdefault" | "get") as func, args=(key, *_)):
                keys.append(key.value)
                node = func.base
            case _:
                return node, keys
