"""Items that are put together step by step: the entries that one local dict gets where it is made, by
assignments, by `update` and by `|`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.program.local_names import assigned
from capsule_lint.program.reaching import history

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Function

    _Local: TypeAlias = tuple[str, frozenset[tree.At]]
    """The name of a local, and where it is bound."""


class Parts(Struct, frozen=True):
    """What one dict is put together of."""

    entries: tuple[tuple[str, tree.Node], ...] = ()
    wholes: tuple[tree.Node, ...] = ()
    """What it gets whole: `note_key(note_id)` of `item.update(note_key(note_id))`."""
    uses: tuple[tree.Name, ...] = ()
    """Where the local is read."""

    def __add__(self, other: Parts) -> Parts:
        return Parts(
            self.entries + other.entries, self.wholes + other.wholes, self.uses + other.uses
        )


@dataclass(eq=False, slots=True)
class Steps:
    """Finds them."""

    program: Program
    _known: dict[_Local, Parts] = field(default_factory=dict)

    def of(self, node: tree.Node) -> Parts:
        """What the dict is put together of that an expression is, or is a part of: a dict that is written
        out, or the `item["tenant_id"]` of an assignment."""
        own = _shown(node) if isinstance(node, tree.DictDisplay | tree.Call) else Parts()
        name = self._name(node)
        found = self._with_locals(own + self._joined(node))
        return found + (self._steps(name) if name is not None else Parts())

    def given(self, node: tree.Node) -> Parts:
        """What the dict has that is written out, or a local, and that is handed on."""
        return self._with_locals(_written(node))

    def keys_given(self, node: tree.Node) -> Iterator[tree.Node]:
        """What such a dict has under names of keys."""
        is_key = self.program.policy.is_key_name
        return (value for name, value in self.given(node).entries if is_key(name))

    def _with_locals(self, parts: Parts) -> Parts:
        """The same, with the entries of the locals that are put into it whole."""
        locals_in = (one for one in parts.wholes if isinstance(one, tree.Name))
        entries = (entry for one in locals_in for entry in self._steps(one).entries)
        return parts + Parts(tuple(entries))

    def updates(self, call: tree.Call) -> bool:
        """Whether a call gives entries by keyword to a local dict: `item.update(tenant_id=tenant_id)`."""
        name = self._name(call)
        if name is None:
            return False
        values = assigned(self.program.names, name)
        if any(isinstance(v, tree.DictDisplay) or _is_dict(v) for v in values):
            return True
        return any(self._of_callers(b).entries for b in self.program.names.bindings_of(name))

    def _joined(self, node: tree.Node) -> Parts:
        """`key | {"tenant_id": tenant_id}`: what stands on the other side."""
        found, parent = Parts(), self.program.names.parent(node)
        while isinstance(parent, tree.Binary) and parent.op == "|":
            found += _written(parent.left if parent.right is node else parent.right)
            node, parent = parent, self.program.names.parent(parent)
        return found

    def _name(self, node: tree.Node) -> tree.Name | None:
        """The local that a dict is, or that it becomes a part of."""
        if isinstance(node, tree.Subscript):
            return node.base if isinstance(node.base, tree.Name) else None
        if isinstance(node, tree.Call) and isinstance(node.func, tree.Attr):
            base = node.func.base
            return base if node.func.name == "update" and isinstance(base, tree.Name) else None
        parent = self.program.names.parent(node)
        while isinstance(parent, tree.Binary) and parent.op == "|":
            node, parent = parent, self.program.names.parent(parent)
        match parent:
            case tree.Assign(targets=(tree.Name() as target,), op="" | "|") if (
                parent.value is node
            ):
                return target
            case tree.Call(func=tree.Attr(name="update", base=tree.Name() as base)) if any(
                a.value is node and a.keyword is None and not a.star for a in parent.args
            ):
                return base
            case _:
                return None

    def _steps(self, name: tree.Name) -> Parts:
        key = name.id, self._starts(name)
        if key[1] and key not in self._known:
            alike = self._alike(name)
            self._known |= dict.fromkeys(alike, Parts())  # what a function sees that calls itself
            found = Parts()
            for one, (_, starts) in ((one, key) for key, one in alike.items()):
                found += self._given_at(one, starts)
                self._known |= dict.fromkeys(alike, found)
                for use in self._uses(one, starts):
                    found += Parts(uses=(use,)) + self._with_locals(self._step(use))
            self._known |= dict.fromkeys(alike, found)
        return self._known.get(key, Parts())

    def _alike(self, name: tree.Name) -> dict[_Local, tree.Name]:
        """A local, and those that are other names of the same dict: `item = made`."""
        found: dict[_Local, tree.Name] = {}
        queue = [name]
        while queue:
            one = queue.pop()
            key = one.id, self._starts(one)
            if not key[1] or key in found:
                continue
            found[key] = one
            queue += [v for v in assigned(self.program.names, one) if isinstance(v, tree.Name)]
            for use in self._uses(one, key[1]):
                match self.program.names.parent(use):
                    case tree.Assign(targets=(tree.Name() as target,), op="") as statement if (
                        statement.value is use
                    ):
                        queue.append(target)
        return found

    def _given_at(self, name: tree.Name, starts: frozenset[tree.At]) -> Parts:
        """What a local has from where it is bound."""
        found = Parts()
        for binding in self.program.names.place(name).scope.bindings.get(name.id, ()):
            if binding.value is not None and history(binding)[0].at in starts:
                found += self._with_locals(_written(binding.value))
            elif binding.at in starts:
                found += self._of_callers(binding)
        return found

    def _uses(self, name: tree.Name, starts: frozenset[tree.At]) -> Iterator[tree.Name]:
        """Where a local is named that is bound at some places."""
        for use in self.program.names.module_of(name).each(tree.Name):
            if use.id == name.id and self._starts(use) & starts:
                yield use

    def _of_callers(self, binding: Binding) -> Parts:
        """The entries that a parameter has whoever calls the function: `own(item, tenant_id)`."""
        each = [self.given(one).entries for one in list(self.program.calls.passed_to(binding))]
        common = set.intersection(*({key for key, _ in one} for one in each)) if each else set()
        return Parts(tuple(entry for one in each for entry in one if entry[0] in common))

    def _starts(self, name: tree.Name) -> frozenset[tree.At]:
        """Where a local is bound that a name is, steps aside."""
        names = self.program.names
        known = names.place(name).scope.bindings.get(name.id, ())
        own = [b for b in known if b.at == name.at and not b.is_step]
        found = own or names.bindings_of(name)
        kinds = ("assign",) if len(found) > 1 else ("assign", "param")
        if any(b.kind not in kinds or b.path or b.place.scope.kind != "function" for b in found):
            return frozenset()
        return frozenset(history(b)[0].at for b in found)

    def _step(self, use: tree.Name) -> Parts:
        """What a dict gets where its name stands."""
        names = self.program.names
        parent = names.parent(use)
        if (copy := self._copy_of(use)) is not None:
            return Parts(self._steps(copy).entries)
        match parent:
            case tree.Subscript(base=base, index=tree.Const(value=str() as key)) if base is use:
                statement = names.parent(parent)
                if isinstance(statement, tree.Assign) and statement.value is not None:
                    put = any(t is parent for t in statement.targets) and not statement.op
                    return Parts(((key, statement.value),)) if put else Parts()
            case tree.Attr(name="update" | "setdefault"):
                call = names.parent(parent)
                return _given(call) if isinstance(call, tree.Call) else Parts()
            case tree.DictDisplay():
                return _written(parent)
            case tree.Binary(op="|"):
                return _written(parent.left if parent.right is use else parent.right)
            case tree.Call() if parent.func is not use:
                return self._filled(parent, use)
        return Parts()

    def _filled(self, call: tree.Call, given: tree.Name) -> Parts:
        """What a dict gets in the functions that it is given to: `stamp(item, tenant_id)`."""
        found = Parts()
        for callee in self.program.calls.callees(call):
            function = callee.function if callee.cls is None else None
            for name, argument in callee.arguments(call).items():
                if function is not None and argument.value is given and not argument.star:
                    found += self._put_into(function, name)
        return found

    def _put_into(self, function: Function, name: str) -> Parts:
        """What a function puts into one of its parameters, or a copy of that, under names that are written out."""
        for node in self.program.names.called(function, name):
            if self._is_filled(node) or self._copy_of(node) is not None:
                with self.program.names.aside():  # what others give does not matter here
                    return Parts(self._steps(node).entries)
        return Parts()

    def _copy_of(self, name: tree.Name) -> tree.Name | None:
        """The local that is a copy of a dict where that is named: `item = dict(inv)`, `item = inv.copy()`."""
        names = self.program.names
        copied = names.parent(name)
        match copied:
            case tree.Call(func=tree.Name(id="dict"), args=(tree.Argument(value=value),)) if (
                value is name
            ):
                pass
            case tree.Attr(name="copy"):
                copied = names.parent(copied)
            case _:
                return None
        around = names.parent(copied) if isinstance(copied, tree.Call) else None
        match around:
            case tree.Assign(targets=(tree.Name() as target,), op=""):
                return target if around.value is copied else None
            case _:
                return None

    def _is_filled(self, name: tree.Name) -> bool:
        """Whether a dict may get something where its name stands, or something that is made of it."""
        parent = self.program.names.parent(name)
        match parent:
            case tree.Attr():
                return parent.name in ("update", "setdefault")
            case tree.Call():
                return any(a.value is name and not a.star for a in parent.args)
            case _:
                return isinstance(parent, tree.Subscript)


def _given(call: tree.Call) -> Parts:
    """What `update` and `setdefault` give a dict."""
    plain = call.plain
    if call.last_name() == "setdefault":
        key = tree.text(plain[0]) if len(plain) == 2 else None
        return Parts(((key, plain[1]),)) if key is not None else Parts()
    found = Parts(tuple(entries_of(call)), tuple(call.spread))
    for one in plain:
        found += _written(one)
    return found


def _written(node: tree.Node) -> Parts:
    """The entries of a dict that is written out, and what is spread there; anything else is a whole."""
    match node:
        case tree.DictDisplay() | tree.Call(func=tree.Name(id="dict")):
            return _shown(node)
        case tree.Binary(op="|"):
            return _written(node.left) + _written(node.right)
        case _:
            return Parts((), (node,))


def _shown(node: Display) -> Parts:
    """The entries that a dict, or a call, says, and what it is given whole."""
    if isinstance(node, tree.Call):
        wholes = [a.value for a in node.args if a.keyword is None and a.star != "*"]
    else:
        wholes = node.spread
    return Parts(tuple(entries_of(node)), tuple(wholes))


def _is_dict(node: tree.Node) -> bool:
    return (
        isinstance(node, tree.Call) and isinstance(node.func, tree.Name) and node.func.id == "dict"
    )
