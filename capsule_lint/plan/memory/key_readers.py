"""Code that reads the keys of a collection: loops, comparisons, look-ups. It changes when the keys do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.collections import copied, looks_up
from capsule_lint.plan.memory.key_pieces import neighbour_in
from capsule_lint.plan.memory.rekeyed import Rekeyed, keys_of
from capsule_lint.plan.memory.several_keys import METHODS, SeveralKeys
from capsule_lint.plan.uses.choices import TRUTHS, gives, is_empty
from capsule_lint.program.containers import ADDING_ONE, LISTED
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.uses import LOGGING
from capsule_lint.program.walk import singles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.entities.rows import Home
    from capsule_lint.plan.memory.key_pieces import KeyPieces
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.program.model import Module

_SAME: Final = LISTED | {"copy"}
"""What gives the keys that it is given, one after the other."""
_FIRST: Final = frozenset(("next", "min", "max"))
_SAFE_METHODS: Final = frozenset(
    ("values", "clear", "move_to_end", "expire", "maxsize", "currsize")
)
_FILLED: Final = frozenset(("set", "frozenset", "dict", "OrderedDict", "Counter"))


@dataclass(eq=False, slots=True)
class KeyReaders:
    """Follows the keys of collections that change to whatever reads them."""

    local: LocalKeys
    pieces: KeyPieces
    _seen: set[int] = field(default_factory=set)
    _followed: set[int] = field(default_factory=set)
    """The places that read a whole key."""

    def find(self, homes: set[Home]) -> None:
        """Mend every reader of these, or make the change unsafe where one is not understood."""
        names = {name for _, name in homes}
        own = {owner.module for owner, _ in homes if isinstance(owner, Function)}
        local = all(isinstance(owner, Function) for owner, _ in homes)
        for module in own if local else list(self.local.program.names.modules.values()):
            if module.generated or not names:
                continue
            for node in module.nodes:
                if isinstance(node, tree.Attr | tree.Name) and last_name(node) in names:
                    home = self.local.collections.of(node)
                    if home is not None and home in homes:
                        self._collection(node, home)
        for owner, name in homes:
            if isinstance(owner, Function):
                self._begun(owner, name)
        self._looped(homes, names, own if local else self.local.program.names.judged())

    def _begun(self, function: Function, name: str) -> None:
        """What a local collection is made of, where that is not written out: `set(keys)`."""
        for binding in function.scope.bindings.get(name, ()):
            match binding.value:
                case tree.Call(args=(_, *_)) as made if last_name(made.func) in _FILLED:
                    if not keys_of(made) and not is_empty(made.args[0].value):
                        self._unsure(made, (function, name))

    def _looped(self, homes: set[Home], names: set[str], modules: Iterable[Module]) -> None:
        """What is looked up by a scope's value that a loop over something else gives."""
        for module in modules if names else ():
            for node in module.nodes if not module.is_test and not module.generated else ():
                if not any(looks_up(node, name) for name in names):
                    continue
                for owner, name, key in self.local.collections.sinks(node):
                    home = (owner, name)
                    if home not in homes or id(key) in self._followed or not self._is_looped(key):
                        continue
                    if not self.local.settles(home, key):
                        self._unsure(key, home)

    def _is_looped(self, key: tree.Node) -> bool:
        """Whether a key is a scope's value that a loop gives."""
        program = self.local.program
        if not isinstance(key, tree.Name):
            return False
        bound = program.names.bindings(key.id, program.names.place(key))
        is_value = program.domain.held.is_value
        return (
            bool(bound)
            and all(one.kind == "for" for one in bound)
            and any(is_value(key, scope) for scope in program.policy.scopes)
        )

    def _parent(self, node: object) -> object:
        return self.local.program.names.parent(node)

    def _module(self, node: tree.Node) -> Module:
        return self.local.program.names.place(node).scope.module

    def _unsure(self, node: tree.Node, home: Home) -> None:
        """A reader that is not understood. What tests look into is judged with the literals of tests."""
        change = self.local.rekeyed[home]
        if change.made is not None and not change.width:
            return  # no part of an object has a position
        if not self._module(node).is_test:
            reason = f"reads keys of `{home[1]}`, which change, in a way that is not understood"
            self.local.notes.obstacle(self.local.notes.knot_of(home, node), node, reason)

    # --- the collection itself ---

    def _collection(self, node: tree.Node, home: Home) -> None:
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        parent = self._parent(node)
        match parent:
            case tree.Subscript() if parent.base is node:
                return
            case tree.Attr():
                self._method(parent, home)
            case tree.Compare():
                self._compared_whole(parent, node, home)
            case tree.Assign() if parent.value is node and len(parent.targets) == 1:
                for use in self._alias(parent.targets[0], home):
                    self._collection(use, home)
            case tree.Call() | tree.DictDisplay() if copied(parent) is node:
                self._collection(parent, home)
            case tree.Sequence() if self._is_swapped(parent, node, home):
                return
            case tree.DictDisplay() | tree.Binary(op="|") if self._is_kept(parent, home):
                return
            case tree.Boolean() if gives(self._parent, parent, node):
                if self._alone(parent, node, home):
                    self._collection(parent, home)
            case _ if self._is_truth(node, parent):
                return
            case _:
                self._iterated(node, home, pairs=False)

    def _method(self, access: tree.Attr, home: Home) -> None:
        """`rows.items()`, `rows.get(key)` and whatever else a collection can do."""
        call = self._parent(access)
        name = access.name
        if not isinstance(call, tree.Call) or call.func is not access:
            self._unsure(access, home)
        elif name == "copy":
            self._collection(call, home)
        elif name in ("items", "keys"):
            self._iterated(call, home, pairs=name == "items")
        elif name == "update":
            self._updated(call, home)
        elif name == "popitem":
            self._pair(call, home)
        elif name not in _SAFE_METHODS and not (
            self._is_looked_into(call, home) or self._is_given_several(call, home)
        ):
            self._unsure(access, home)

    def _is_looked_into(self, call: tree.Call, home: Home) -> bool:
        """Whether a method is given a key, or makes one as the collection's own methods do that change."""
        collections = self.local.collections
        keyed = collections.is_keyed(last_name(call.func)) or collections.is_named(call, home)
        return keyed and self.local.notes.touched.issuperset(collections.key_makers(call))

    def _is_given_several(self, call: tree.Call, home: Home) -> bool:
        """Whether a method is given several keys that change: `cache.mget(keys)`."""
        several = SeveralKeys(self.local.program)
        keys = list(several.of(call)) if last_name(call.func) in METHODS else []
        return bool(keys) and self.local.settles(home, *keys)

    def _updated(self, call: tree.Call, home: Home) -> None:
        """`rows.update({key: row})`."""
        for argument in call.args:
            keys = keys_of(argument.value)
            same = self.local.collections.of(argument.value) == home
            if not same and not (keys and self.local.settles(home, *keys)):
                self._unsure(call, home)

    def _compared_whole(self, compare: tree.Compare, node: tree.Node, home: Home) -> None:
        if compare.ops[0] in ("in", "not in") and compare.rights[0] is node:
            return
        other = compare.rights[0] if compare.left is node else compare.left
        if not isinstance(other, tree.DictDisplay | tree.Sequence) or keys_of(other):
            self._unsure(compare, home)

    def _is_truth(self, node: tree.Node, parent: object) -> bool:
        """Whether only the number of elements is asked for, or the collection is replaced."""
        match parent:
            case tree.Assign():
                return parent.value is not node
            case tree.Block():
                return all(bind.value is not node for bind in parent.binds)
            case tree.Boolean() | tree.FString() | tree.Wrapped(kind="not"):
                return True
            case tree.Conditional():
                return parent.test is node
            case tree.Call():
                return last_name(parent.func) in TRUTHS and parent.func is not node
            case tree.Eval():
                return parent.kind == "assert"
            case _:
                return False

    def _alone(self, choice: tree.Boolean, node: tree.Node, home: Home) -> bool:
        """Whether the other operands have no keys; where they may, nobody knows which keys come out."""
        others = [one for one in choice.values if one is not node]
        if choice.op == "and" or all(map(is_empty, others)):
            return True
        if all(self.local.collections.of(one) == home for one in others):
            return True
        self._unsure(node, home)
        return False

    def _alias(self, target: tree.Node, home: Home) -> Iterator[tree.Name]:
        """The uses of a local name that stands for something."""
        if isinstance(target, tree.Name):
            yield from self._uses(target)
        elif self.local.collections.of(target) != home:
            self._unsure(target, home)

    def _is_swapped(self, display: tree.Sequence, node: tree.Node, home: Home) -> bool:
        """Whether a local gets the collection, or another one comes in its place: `pending, self._pending =
        self._pending, {}`."""
        statement = self._parent(display)
        for one in singles(statement) if isinstance(statement, tree.Assign) else ():
            if one.value is node:
                for use in self._alias(one.targets[0], home):
                    self._collection(use, home)
                return True
            if one.targets[0] is node and one.value is not None:
                return is_empty(one.value) or self.local.collections.of(one.value) == home
        return False

    def _uses(self, target: tree.Name) -> list[tree.Name]:
        """Where a name is read that this target binds."""
        return list(reads_of(self.local.program.names, target, (target.at,)))

    # --- what goes through keys ---

    def _iterated(self, node: tree.Node, home: Home, *, pairs: bool) -> None:
        """`node` gives the keys one after the other, or pairs of keys and values."""
        parent = self._parent(node)
        match parent:
            case tree.Comprehension():
                self._generated(parent, node, home, pairs=pairs)
            case tree.Block():
                for bind in parent.binds:
                    if bind.value is node:
                        self._target(bind.target, home, pairs=pairs)
            case tree.Call():
                self._passed(parent, node, home, pairs=pairs)
            case tree.Attr(name="copy" | "items" | "keys" | "values") if not pairs:
                self._method(parent, home)
            case tree.Compare(ops=("in" | "not in",)) if not pairs:
                if not self.local.settles(home, parent.left):
                    self._unsure(parent, home)
            case tree.Assign() if parent.value is node and len(parent.targets) == 1:
                for use in self._alias(parent.targets[0], home):
                    self._iterated(use, home, pairs=pairs)
            case tree.Boolean() if gives(self._parent, parent, node):
                if self._alone(parent, node, home):
                    self._iterated(parent, home, pairs=pairs)
            case _ if self._is_truth(node, parent):
                return
            case _:
                self._unsure(node, home)

    def _generated(
        self, parent: tree.Comprehension, node: tree.Node, home: Home, *, pairs: bool
    ) -> None:
        for part in parent.generators:
            if part.iter is node:
                self._target(part.target, home, pairs=pairs)
                return
        self._unsure(node, home)

    def _passed(self, call: tree.Call, node: tree.Node, home: Home, *, pairs: bool) -> None:
        name = last_name(call.func)
        if name in _SAME and len(call.args) == 1 and not pairs:
            self._iterated(call, home, pairs=False)
        elif name in _SAME and len([a for a in call.args if a.keyword != "reverse"]) == 1:
            self._iterated(call, home, pairs=pairs)
        elif name in _FIRST and len(call.args) == 1 and not pairs:
            self._key(call, home)
        elif name not in TRUTHS:
            self._unsure(node, home)

    def _target(self, target: tree.Node, home: Home, *, pairs: bool) -> None:
        """What a loop over keys (or pairs) binds."""
        if pairs:
            if isinstance(target, tree.Name):
                for use in self._uses(target):
                    self._pair(use, home)
                return
            if not isinstance(target, tree.Sequence) or len(target.items) != 2:
                self._unsure(target, home)
                return
            target = target.items[0]
        self._key_target(target, home)

    def _pair(self, node: tree.Node, home: Home) -> None:
        """`pair[0]` is the key, `pair[1]` what stands under it."""
        parent = self._parent(node)
        match parent:
            case tree.Subscript(index=tree.Const(value=0)):
                self._key(parent, home)
            case tree.Subscript(index=tree.Const(value=1)):
                return
            case tree.Eval(kind="expr"):
                return
            case tree.Assign(targets=(tree.Sequence() as target,)) if len(target.items) == 2:
                self._key_target(target.items[0], home)
            case _:
                self._unsure(node, home)

    # --- one key ---

    def _key_target(self, target: tree.Node, home: Home) -> None:
        change = self.local.rekeyed[home]
        if isinstance(target, tree.Name):
            for use in self._uses(target):
                self._key(use, home)
        elif home in self.local.mixed:
            self._unsure(target, home)
        elif isinstance(target, tree.Sequence) and len(target.items) == change.width > 1:
            neighbour = neighbour_in(target, change)
            uses = self._uses(neighbour) if isinstance(neighbour, tree.Name) else []
            self.pieces.unpacked(target, uses, home)
        elif isinstance(target, tree.Sequence) and self._rest_takes(target, change):
            self.local.notes.settle(target)
        else:
            self._unsure(target, home)

    def _rest_takes(self, target: tree.Sequence, change: Rekeyed) -> bool:
        """Whether the new elements of a key go where nothing reads them: `(kind, *_)`."""
        stars = [n for n, item in enumerate(target.items) if isinstance(item, tree.Wrapped)]
        if len(stars) != 1 or change.width < 2:
            return False
        star = target.items[stars[0]]
        rest = star.value if isinstance(star, tree.Wrapped) else star
        behind = len(target.items) - stars[0] - 1
        fits = stars[0] <= change.index <= change.width - behind
        return fits and isinstance(rest, tree.Name) and not self._uses(rest)

    def _key(self, node: tree.Node, home: Home) -> None:
        """A place that reads a whole key."""
        self._followed.add(id(node))
        parent = self._parent(node)
        match parent:
            case tree.Compare():
                self._compared(parent, node, home)
            case tree.Subscript() if parent.base is node:
                self._indexed(parent, home)
            case tree.Subscript():
                if self.local.collections.of(parent.base) != home:
                    self._unsure(node, home)
            case tree.Attr() if self.local.rekeyed[home].made is not None:
                self.pieces.attribute(parent, home)
            case tree.Attr():
                self._text_method(parent, home)
            case tree.Call():
                self._key_passed(parent, node, home)
            case tree.Comprehension():
                self._collected(parent, node, home)
            case tree.Assign() if parent.value is node and len(parent.targets) == 1:
                self._key_target(parent.targets[0], home)
            case tree.Boolean() | tree.Block():
                return
            case tree.Eval(kind="expr"):
                return
            case _:
                self._unsure(node, home)

    def _compared(self, compare: tree.Compare, node: tree.Node, home: Home) -> None:
        op, other = compare.ops[0], compare.rights[0] if compare.left is node else compare.left
        values: tuple[tree.Node, ...] = (other,)
        if op in ("in", "not in"):
            if compare.left is node and self.local.collections.of(other) == home:
                return
            if compare.left is not node or not isinstance(other, tree.Sequence):
                self._unsure(compare, home)
                return
            values = other.items
        if len(compare.ops) > 1 or not self.local.settles(home, *values):
            self._unsure(compare, home)

    def _indexed(self, node: tree.Subscript, home: Home) -> None:
        change, number = self.local.rekeyed[home], None
        if isinstance(node.index, tree.Const) and isinstance(node.index.value, int):
            number = node.index.value
        if number is None or change.width < 2 or home in self.local.mixed:
            self._unsure(node, home)
        else:
            self.pieces.indexed(node, node.index, number, home)

    def _text_method(self, access: tree.Attr, home: Home) -> None:
        """`key.startswith(f"{tenant_id}:")` of a text."""
        call = self._parent(access)
        if (
            access.name == "startswith"
            and not self.local.rekeyed[home].width
            and isinstance(call, tree.Call)
            and len(call.args) == 1
            and not isinstance(call.args[0].value, tree.Name | tree.Attr)
            and self.local.settles(home, call.args[0].value)
        ):
            return
        self._unsure(access, home)

    def _key_passed(self, call: tree.Call, node: tree.Node, home: Home) -> None:
        func = call.func
        if not isinstance(func, tree.Attr):
            if last_name(func) not in LOGGING | TRUTHS:
                self._unsure(node, home)
        elif func.name in ADDING_ONE and isinstance(func.base, tree.Name):
            for use in self._kept_in(func.base):
                self._iterated(use, home, pairs=False)
        elif self.local.collections.of(func.base) != home and func.name not in LOGGING:
            self._unsure(node, home)

    def _kept_in(self, name: tree.Name) -> list[tree.Name]:
        """The other uses of a local list that keys are added to."""
        names = self.local.program.names
        bound_at = {b.at for b in names.bindings(name.id, names.place(name))}
        return [use for use in reads_of(names, name, bound_at) if not self._is_addition(use)]

    def _is_addition(self, node: tree.Name) -> bool:
        access = self._parent(node)
        return isinstance(access, tree.Attr) and access.name in ADDING_ONE

    def _collected(self, parent: tree.Comprehension, node: tree.Node, home: Home) -> None:
        """`[key for key in rows]` gives keys again; `{key: … for …}` keeps them."""
        if parent.kind == "DictComp" and parent.results[0] is node:
            self._iterated_again(parent, home)
        elif parent.kind != "DictComp" and parent.results == (node,):
            self._iterated(parent, home, pairs=False)
        elif not any(node is one for part in parent.generators for one in part.ifs):
            self._unsure(node, home)

    def _iterated_again(self, node: tree.Comprehension, home: Home) -> None:
        if not self._is_kept(node, home):
            self._collection(node, home)

    def _is_kept(self, node: tree.Node, home: Home) -> bool:
        """Whether a new dict comes in the place of the collection: `self._rows = {**self._rows, …}`."""
        holder = self._parent(node)
        return isinstance(holder, tree.Assign) and all(
            self.local.collections.of(target) == home for target in holder.targets
        )
