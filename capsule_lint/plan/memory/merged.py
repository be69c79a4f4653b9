"""Local dicts and sets all of whose keys a collection takes in: `taken[key] = row`, `self._rows.update(taken)`. They are
as good as that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.making import makes_collection
from capsule_lint.plan.memory.rekeyed import keys_of
from capsule_lint.plan.uses.choices import is_empty
from capsule_lint.program.containers import LISTED
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.key_readers import KeyReaders
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding
    from capsule_lint.program.names import Names


@dataclass(eq=False, slots=True)
class Merged:
    """Finds what takes them in."""

    program: Program
    taken: dict[Home, list[tree.Name]] = field(default_factory=dict)
    """The locals that have been found to go into collections whose keys change."""
    _known: dict[int, tuple[tree.Node, ...]] = field(default_factory=dict)

    def into(self, name: tree.Name, bindings: Sequence[Binding]) -> tuple[tree.Node, ...]:
        """What takes in the local that a name stands for, where all its keys are written in its function."""
        binding = bindings[0] if len(bindings) == 1 else None
        if binding is None or not _is_local(binding):
            return ()
        if id(binding) not in self._known:
            names = self.program.names
            uses = reads_of(names, name, (binding.at,))
            taking = (one for use in uses for one in _taking(names, use))
            self._known[id(binding)] = tuple(filter(self._lasts, taking))
        return self._known[id(binding)]

    def _lasts(self, node: tree.Node) -> bool:
        """Whether something is an attribute, or of a module."""
        if isinstance(node, tree.Name):
            return any(binding.is_global for binding in self.program.names.bindings_of(node))
        return isinstance(node, tree.Attr)


class Taking(Struct, frozen=True):
    """Follows what collections whose keys change take in, or makes the change unsafe where its keys are not seen."""

    readers: KeyReaders

    def updated(self, call: tree.Call, home: Home) -> None:
        """`rows.update({key: row})`, `seen.update(key for …)`."""
        self.all([argument.value for argument in call.args], home)

    def assigned(self, statement: tree.Assign, home: Home) -> None:
        """`self._rows |= taken`, `self._rows -= gone`, and `self._rows = taken`, which may be anything else."""
        value = statement.value
        if value is not None and statement.op in ("-", "&") and self._comes_out(value, home):
            return
        same = isinstance(value, tree.Name) and self.readers.keys.has_such_keys(value, home)
        if value is not None and (statement.op or same):
            self.all([value], home)

    def beside(self, whole: tree.Node, node: tree.Node, home: Home) -> None:
        """What comes to the keys of a collection in another one: `{**self._rows, **taken}`, `self._rows | taken`."""
        match whole:
            case tree.DictDisplay():
                parts = whole.spread
            case tree.Binary():
                parts = [whole.left, whole.right]
            case _:
                parts = []
        self.all([one for one in parts if one is not node], home)

    def all(self, given: Iterable[tree.Node], home: Home) -> None:
        """Whatever is given to a collection."""
        readers, local = self.readers, self.readers.local
        for one in given:
            keys = local.collections.taken_in(home)(one) or keys_of(one)
            if readers.keys.has_such_keys(one, home):
                if isinstance(one, tree.Name):
                    local.collections.merged.taken.setdefault(home, []).append(one)
                    for use in self._uses(one):
                        readers.collection(use, home)
            elif not (keys and local.settles(home, *keys)):
                readers.keys.unsure(one, home)

    def _comes_out(self, node: tree.Node, home: Home) -> bool:
        """Whether all that is taken out of a set, or is left in it, has been found in it: that is judged where it is
        gone through."""
        is_key = self.readers.local.parted.is_key
        match node:
            case tree.Call(args=(tree.Argument(star="", value=inner),)) if (
                last_name(node.func) in LISTED
            ):
                return self._comes_out(inner, home)
            case tree.Comprehension(results=(key,)):
                return is_key(key, home)
            case tree.Name():
                found = self.readers.local.program.names.bindings_of(node)
                added = [self._added(use) for use in self._uses(node) if use is not node]
                begun = [b.value is not None and is_empty(b.value) for b in found]
                filled = (one is not None and is_key(one, home) for one in added)
                return any(begun) and all(begun) and all(filled)
            case _:
                return False

    def _added(self, use: tree.Name) -> tree.Node | None:
        """What is added to a local where it is used: `gone.add(key)`."""
        parent = self.readers.local.program.names.parent
        match parent(parent(use)):
            case tree.Call(
                func=tree.Attr(name="add" | "append"), args=(tree.Argument(value=value),)
            ):
                return value
            case _:
                return None

    def _uses(self, name: tree.Name) -> Iterator[tree.Name]:
        """Where else a local is read."""
        names = self.readers.local.program.names
        bound_at = {binding.at for binding in names.bindings_of(name)}
        return reads_of(names, name, bound_at)


def _is_local(binding: Binding) -> bool:
    """Whether a name is that of a collection which a function makes, with no keys but those that stand there."""
    value = binding.value
    if binding.kind != "assign" or binding.path or binding.place.scope.kind != "function":
        return False
    if value is None or not makes_collection(value):
        return False
    whole = isinstance(value, tree.DictDisplay) and bool(value.spread)
    return is_empty(value) or (bool(keys_of(value)) and not whole)


def _taking(names: Names, use: tree.Name) -> Iterator[tree.Node]:
    """What takes in the collection that a name is, where it is used."""
    parent = names.parent(use)
    match parent:
        case tree.Call(func=tree.Attr(name="update", base=base)):
            if any(a.value is use and a.keyword is None and not a.star for a in parent.args):
                yield base
        case tree.Assign(op="" | "|", targets=(target,)) if parent.value is use:
            yield target
        case tree.DictDisplay() | tree.Binary(op="|"):
            around = names.parent(parent)
            while isinstance(around, tree.Binary):
                around = names.parent(around)
            if isinstance(around, tree.Assign) and len(around.targets) == 1:
                yield around.targets[0]
