"""Code that reads the keys of a collection: loops, comparisons, look-ups. It changes when the keys do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.asked_keys import AskedKeys
from capsule_lint.plan.memory.foreign_caches import is_cache
from capsule_lint.plan.memory.in_order import GIVING, in_order
from capsule_lint.plan.memory.key_pieces import KeyPieces
from capsule_lint.plan.memory.key_uses import SAFE_METHODS, KeyUses
from capsule_lint.plan.memory.keyed_methods import SCANNING, empties, is_keyed, pattern_of
from capsule_lint.plan.memory.making import copied
from capsule_lint.plan.memory.merged import Taking
from capsule_lint.plan.memory.put_back import PutBack
from capsule_lint.plan.memory.rekeyed import keys_of
from capsule_lint.plan.memory.several_keys import METHODS, SeveralKeys
from capsule_lint.plan.memory.shared_keepers import SharedKeepers
from capsule_lint.plan.uses.choices import TRUTHS, gives, is_empty
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.containers import LISTED, PICKING, TAKING
from capsule_lint.program.local_names import reads_of_parameter
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.walk import singles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys

_SAME: Final = LISTED | {"copy"}
"""What gives the keys that it is given, one after the other."""
_ORDERING: Final = ("key", "reverse")
_SAFE_OF_LISTS: Final = frozenset(("clear", "reverse", "sort"))
_FILLED: Final = frozenset(("set", "frozenset", "dict", "OrderedDict", "Counter"))


@dataclass(eq=False, slots=True)
class KeyReaders:
    """Follows the keys of collections that change to whatever reads them."""

    local: LocalKeys
    keys: KeyUses = field(init=False)
    taking: Taking = field(init=False)
    _seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.keys = KeyUses(self.local, KeyPieces(self.local), self)
        self.taking = Taking(self)

    def find(self, homes: set[Home]) -> None:
        """Mend every reader of these, or make the change unsafe where one is not understood."""
        self.local.whole.agree(homes)
        names = {name for _, name in homes}
        own = {owner.module for owner, _ in homes if isinstance(owner, Function)}
        local = all(isinstance(owner, Function) for owner, _ in homes)
        for module in own if local else list(self.local.program.names.modules.values()):
            if module.generated or not names:
                continue
            for node in module.every(tree.Attr, tree.Name):
                if last_name(node) in names:
                    home = self.local.collections.of(node)
                    if home is not None and home in homes:
                        self.collection(node, home)
        for owner, name in homes:
            if isinstance(owner, Function):
                self._begun(owner, name)
        asked = AskedKeys(self.local, self.keys)
        for home in homes:
            self.keys.told(home)
            asked.check(home)
        asked.looped(homes, own if local else self.local.program.names.judged())
        SharedKeepers(self.local).check(homes)

    def _begun(self, function: Function, name: str) -> None:
        """What a local collection is made of, where that is not written out: `set(keys)`."""
        for binding in function.scope.bindings.get(name, ()):
            match binding.value:
                case tree.Call(args=(_, *_)) as made if last_name(made.func) in _FILLED:
                    if not keys_of(made) and not is_empty(made.args[0].value):
                        self.keys.unsure(made, (function, name))

    def _parent(self, node: object) -> object:
        return self.local.program.names.parent(node)

    # --- the collection itself ---

    def collection(self, node: tree.Node, home: Home) -> None:
        """The collection, where it stands: whatever is done with it there."""
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        parent = self._parent(node)
        match parent:
            case tree.Subscript() if parent.base is node:
                if self._is_list(home):
                    self._element(parent, home)
            case tree.Call() if self._is_placed_in(parent, node, home):
                return
            case tree.Attr():
                self._method(parent, home)
            case tree.Compare():
                self._compared_whole(parent, node, home)
            case tree.Assign() if parent.value is node and len(parent.targets) == 1:
                for use in self._alias(parent.targets[0], home):
                    self.collection(use, home)
            case tree.Call() | tree.DictDisplay() if copied(parent) is node:
                self.collection(parent, home)
            case tree.Sequence() if self._is_swapped(parent, node, home):
                return
            case tree.Sequence() if self.keys.are_gone_through(parent, home):
                return
            case tree.DictDisplay() | tree.Binary(op="|") if self._is_kept(parent, home):
                self.taking.beside(parent, node, home)
            case tree.Assign() if parent.value is not node:
                self.taking.assigned(parent, home)
            case tree.Boolean() if gives(self._parent, parent, node):
                if self._alone(parent, node, home):
                    self.collection(parent, home)
            case tree.Conditional() if self.keys.is_looked_into_alone(node, home):
                return
            case _ if self._is_truth(node, parent):
                return
            case tree.Call() if self._is_handed_to_caches(parent, node, home):
                return
            case tree.Eval(kind="return") if PutBack(self.local).only(node, home):
                return
            case _:
                self.iterated(node, home, pairs=False)

    def _is_handed_to_caches(self, call: tree.Call, node: tree.Node, home: Home) -> bool:
        """Whether a cache that is not the program's is given to what calls it so as well, and whose keys are judged
        for themselves: `RateLimiter(redis)`."""
        callees = self.local.program.calls.callees(call)
        if not callees or not self.local.collections.is_text(home):
            return False
        for callee in callees:
            params, given = self.local.program.calls.parameters(callee)
            bound = bind(call.args, params, given)
            taken = [n for n, a in bound.arguments.items() if a.value is node] if bound else []
            if not taken or not all(map(is_cache, taken)):
                return False
        return True

    def _method(self, access: tree.Attr, home: Home) -> None:
        """`rows.items()`, `rows.get(key)` and whatever else a collection can do."""
        call = self._parent(access)
        name = access.name
        if not isinstance(call, tree.Call) or call.func is not access:
            if name not in SAFE_METHODS:
                self.keys.unsure(access, home)
        elif name in GIVING:
            if self.local.settles(home, *(key for _, key in in_order(call))):
                self.iterated(call, home, pairs=False)
            else:
                self.keys.unsure(call, home)
        elif self._is_placed_in(call, access.base, home):
            return
        elif self._is_list(home) and name != "copy":
            self._listed(call, name, home)
        elif self._is_found(call, home):
            if name in SCANNING:
                self.iterated(call, home, pairs=False)
        elif name == "copy":
            self.collection(call, home)
        elif name in ("items", "keys"):
            self.iterated(call, home, pairs=name == "items")
        elif name == "update":
            self.taking.updated(call, home)
        elif name in ("popitem", "peekitem"):
            self._pair(call, home)
        elif name == "pop" and not call.args:
            self.keys.key(call, home)
        elif name not in SAFE_METHODS and not (
            self._is_looked_into(call, home) or self._is_given_several(call, home)
        ):
            self.keys.unsure(access, home)

    def _is_placed_in(self, call: tree.Call, node: tree.Node, home: Home) -> bool:
        """Whether a call tells where a key belongs among those of a collection, and that key changes as they do."""
        keys = [key for base, key in in_order(call) if base is node]
        return bool(keys) and self.local.settles(home, *keys)

    def _is_list(self, home: Home) -> bool:
        return self.local.collections.lists.is_one(home)

    def _element(self, node: tree.Subscript, home: Home) -> None:
        """`order[0]` of a list of keys is one, `order[:3]` are several."""
        if isinstance(node.index, tree.Slice):
            self.iterated(node, home, pairs=False)
        else:
            self.keys.key(node, home)

    def _listed(self, call: tree.Call, method: str, home: Home) -> None:
        """What a method of a list of keys is given, or gives."""
        if method in TAKING:
            self.keys.key(call, home)
            return
        keys = [key for _, key in self.local.collections.lists.looked_up(call)]
        known = bool(keys) and self.local.settles(home, *keys)
        if not known and not (method in _SAFE_OF_LISTS and not call.args):
            self.keys.unsure(call, home)

    def _is_found(self, call: tree.Call, home: Home) -> bool:
        """Whether a method of what is no collection of the program's finds keys by a pattern, which changes as they do
        or says nothing of them but how they begin: `redis.scan_iter(match=f"notes:{tenant_id}:*")`."""
        name, collections = last_name(call.func), self.local.collections
        pattern = pattern_of(call) if name in SCANNING or empties(name) else None
        if pattern is None or not collections.is_text(home) or collections.keepers.at(home):
            return False
        return tree.text(pattern) is not None or self.local.settles(home, pattern, made=True)

    def _is_looked_into(self, call: tree.Call, home: Home) -> bool:
        """Whether a method is given a key, or makes one as the collection's own methods do that change."""
        collections = self.local.collections
        if collections.keepers.at(home) is not None:
            several = any(a.star for a in call.args)
            return not several or collections.keepers.key_of(call) is not None
        keyed = is_keyed(last_name(call.func)) or collections.is_named_at_all(call, home)
        return keyed and all(map(self.local.notes.touches, collections.key_makers(call)))

    def _is_given_several(self, call: tree.Call, home: Home) -> bool:
        """Whether a method is given several keys that change: `cache.mget(keys)`."""
        several = SeveralKeys(self.local.program)
        keys = list(several.of(call)) if last_name(call.func) in METHODS else []
        return bool(keys) and self.local.settles(home, *keys)

    def _compared_whole(self, compare: tree.Compare, node: tree.Node, home: Home) -> None:
        if compare.ops[0] in ("in", "not in") and compare.rights[0] is node:
            return
        other = compare.other(node)
        if not isinstance(other, tree.DictDisplay | tree.Sequence) or keys_of(other):
            self.keys.unsure(compare, home)

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
        if self.local.collections.is_text(home) and self._is_kept(choice, home):
            return True  # another cache comes in its place, with keys of the same kind
        if all(self.local.collections.of(one) == home for one in others):
            return True
        self.keys.unsure(node, home)
        return False

    def _alias(self, target: tree.Node, home: Home) -> Iterator[tree.Name]:
        """The uses of a local name that stands for something."""
        if isinstance(target, tree.Name):
            yield from self.keys.uses(target)
        elif self.local.collections.of(target) != home:
            self.keys.unsure(target, home)

    def _is_swapped(self, display: tree.Sequence, node: tree.Node, home: Home) -> bool:
        """Whether a local gets the collection, or another one comes in its place: `pending, self._pending =
        self._pending, {}`, `self.table, self.redis = table, redis`."""
        statement = self._parent(display)
        for one in singles(statement) if isinstance(statement, tree.Assign) else ():
            if one.value is node:
                for use in self._alias(one.targets[0], home):
                    self.collection(use, home)
                return True
            if one.targets[0] is node and one.value is not None:
                if not (is_empty(one.value) or self._is_given_cache(one.value, home)):
                    self.taking.all([one.value], home)
                return True
        return False

    def _is_given_cache(self, value: tree.Node, home: Home) -> bool:
        """Whether a cache that is not the program's, under texts, is kept as it is given: `self.redis = redis`."""
        is_text = not self.local.rekeyed[home].width and self.local.collections.is_text(home)
        return is_text and is_cache(home[1]) and isinstance(value, tree.Name)

    # --- what goes through keys ---

    def iterated(self, node: tree.Node, home: Home, *, pairs: bool) -> None:
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
                    self.keys.unsure(parent, home)
            case tree.Wrapped(kind="await"):
                self.iterated(parent, home, pairs=pairs)
            case tree.Subscript() if parent.base is node and not pairs:
                self._element(parent, home)
            case tree.Assign() if parent.value is node and len(parent.targets) == 1:
                for use in self._alias(parent.targets[0], home):
                    self.iterated(use, home, pairs=pairs)
            case tree.Boolean() if gives(self._parent, parent, node):
                if self._alone(parent, node, home):
                    self.iterated(parent, home, pairs=pairs)
            case _ if self._is_truth(node, parent):
                return
            case _:
                self.keys.unsure(node, home)

    def _generated(
        self, parent: tree.Comprehension, node: tree.Node, home: Home, *, pairs: bool
    ) -> None:
        for part in parent.generators:
            if part.iter is node:
                self._target(part.target, home, pairs=pairs)
                return
        self.keys.unsure(node, home)

    def _passed(self, call: tree.Call, node: tree.Node, home: Home, *, pairs: bool) -> None:
        name = last_name(call.func)
        own = (
            isinstance(call.func, tree.Attr) and self.local.collections.of(call.func.base) == home
        )
        spread = any(a.value is node and a.star == "*" for a in call.args)
        if own and not pairs and (spread or name == "update"):
            return  # keys are given back: `redis.delete(*keys)`, `self._seen.update(keys)`
        if name in _SAME and len(call.args) == 1 and not pairs:
            self.iterated(call, home, pairs=False)
        elif name in _SAME and len([a for a in call.args if a.keyword not in _ORDERING]) == 1:
            if (order := call.keyword("key")) is not None:
                self._ordered(order, home, pairs=pairs)
            self.iterated(call, home, pairs=pairs)
        elif name in PICKING and len(call.args) == 1 and not pairs:
            self.keys.key(call, home)
        elif name not in TRUTHS and not (not pairs and self._is_placed_in(call, node, home)):
            self.keys.unsure(node, home)

    def _ordered(self, order: tree.Node, home: Home, *, pairs: bool) -> None:
        """What keys, or pairs, are sorted by: `lambda pair: pair[0]`, `itemgetter(0)`."""
        match order:
            case tree.Lambda(params=(only,)):
                names = self.local.program.names
                for use in reads_of_parameter(names, only, names.module_of(order)):
                    if pairs:
                        self._pair(use, home)
                    else:
                        self.keys.key(use, home)
            case tree.Call() if pairs and last_name(order.func) == "itemgetter":
                return  # of a pair that is the whole key, or what stands under it
            case _:
                self.keys.unsure(order, home)

    def _target(self, target: tree.Node, home: Home, *, pairs: bool) -> None:
        """What a loop over keys (or pairs) binds."""
        if pairs:
            if isinstance(target, tree.Name):
                for use in self.keys.uses(target):
                    self._pair(use, home)
                return
            if not isinstance(target, tree.Sequence) or len(target.items) != 2:
                self.keys.unsure(target, home)
                return
            target = target.items[0]
        self.keys.target(target, home)

    def _pair(self, node: tree.Node, home: Home) -> None:
        """`pair[0]` is the key, `pair[1]` what stands under it."""
        parent = self._parent(node)
        match parent:
            case tree.Subscript(index=tree.Const(value=0)):
                self.keys.key(parent, home)
            case tree.Subscript(index=tree.Const(value=1)):
                return
            case tree.Eval(kind="expr"):
                return
            case tree.Assign(targets=(tree.Sequence() as target,)) if len(target.items) == 2:
                self.keys.target(target.items[0], home)
            case _:
                self.keys.unsure(node, home)

    def made_again(self, node: tree.Comprehension, home: Home) -> None:
        """`node` makes a dict under the same keys."""
        if not self._is_kept(node, home):
            self.collection(node, home)

    def _is_kept(self, node: tree.Node, home: Home) -> bool:
        """Whether a new dict comes in the place of the collection: `self._rows = {**self._rows, …}`."""
        holder = self._parent(node)
        return isinstance(holder, tree.Assign) and all(
            self.local.collections.of(target) == home for target in holder.targets
        )
