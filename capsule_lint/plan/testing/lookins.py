"""Tests that look into a repository's dict or cache: the keys that they spell out change as its keys do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Replace
from capsule_lint.plan.keys.spelled import literal_text
from capsule_lint.plan.memory.keyed_methods import is_keyed
from capsule_lint.plan.memory.looking_up import looking_up
from capsule_lint.plan.memory.rekeyed import keys_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.bare_values import BareValues
from capsule_lint.plan.testing.known_as import KnownAs
from capsule_lint.plan.testing.parts_read import PartsRead
from capsule_lint.plan.testing.staying_keys import StayingKeys
from capsule_lint.program.comparisons import HOLDING, equal_to
from capsule_lint.program.containers import COPIED, LISTED, OF_SETS, PICKING, TAKING
from capsule_lint.program.inference.types import FunctionObject
from capsule_lint.program.local_names import only_assigned, reads_of
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.rekeyed import Rekeyed
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.program.model import Function, Module

_LISTS: Final = LISTED | COPIED | {"keys"}
"""What gives the keys of a collection that it is given."""
_EACH: Final = ("map", "filter")
_MAX_DEPTH: Final = 6
_EITHER: Final = "has keys that change, and may be looked into where other keys do not"
_APART: Final = "this key changes, and is taken apart as well"


@dataclass(eq=False, slots=True)
class LookIns(MendRoom):
    """Mends the keys of changed collections that tests spell out."""

    mends: Mends
    _seen: set[int] = field(default_factory=set)
    _staying: StayingKeys = field(init=False)

    def __post_init__(self) -> None:
        self._staying = StayingKeys(self.mends)

    @property
    def _parts(self) -> PartsRead:
        return PartsRead(self.program, self.planner.sources.shared)

    def given(self, keys: tuple[tree.Node, ...], home: Home) -> None:
        """Mend the keys that a collection is made of, or make the change unsafe."""
        local = self.planner.local
        for key in keys:
            module = self.program.names.module_of(key)
            if module.is_test:
                self._key(module, key, home, 0)
            elif not local.notes.is_settled(key):
                knot = local.notes.knot_of(home, key)
                self.mends.obstacle(knot, key, f"is a key of `{home[1]}`, whose keys change")

    def build(self) -> None:
        """Add the mends; a key that cannot be mended makes the change unsafe."""
        local = self.planner.local
        names = {name for _, name in local.rekeyed}
        self._seen = {id(defect.node) for defect in local.notes.defects}
        for module in self.program.names.modules.values() if names else ():
            if module.is_test and not module.generated:
                for node in module.every(tree.Attr, tree.Name):
                    if last_name(node) in names:
                        home = local.collections.of(node)
                        if home is not None and home in local.rekeyed:
                            listed = local.collections.lists.is_one(home)
                            for key in self.keys(node, listed=listed):
                                self._key(module, key, home, 0)
                            self._taken_out(module, node, home)
                            self._shared(node, home, listed=listed)
        self._handed(names)
        self._staying.note()

    def _shared(self, node: tree.Node, home: Home, *, listed: bool) -> None:
        """A person must look at what a test looks up in a collection, or in another one that is in its place:
        `(repo.rows if rows is None else rows)[key]`, and a helper of the tests that is given either."""
        match self._parent(node):
            case tree.Conditional(then=one, otherwise=other) as either if (
                node is one or node is other
            ):
                uses: list[tree.Node] = [either]
            case tree.Call() as call:
                uses = list(self.planner.sources.shared.received(call, node))
            case _:
                return
        if any(key for use in uses for key in self.keys(use, listed=listed)):
            knot = self.planner.local.notes.knot_of(home, node)
            self.mends.obstacle(knot, node, _EITHER)

    def _handed(self, names: set[str]) -> None:
        """The keys of several parts that are written where a repository's functions are called: those of
        tests change as others do, and of the rest a person must look at what says no scope."""
        local, program = self.planner.local, self.program
        for module in program.names.production() if names else ():
            for node in looking_up(module, names):
                for owner, name, key in local.collections.sinks(node):
                    home = (owner, name)
                    change = local.rekeyed.get(home)
                    if change is None or change.width < 2 or not isinstance(key, tree.Name):
                        continue
                    for one in local.handed.written(key):
                        if isinstance(one, tree.Sequence) and id(one) not in self._seen:
                            self._written_out(one, home)

    def _written_out(self, node: tree.Sequence, home: Home) -> None:
        local = self.planner.local
        if local.notes.is_settled(node):
            return
        module = self.program.names.module_of(node)
        if module.is_test:
            self._key(module, node, home, 0)
        elif len(node.items) == local.rekeyed[home].width:
            knot = local.notes.knot_of(home, node)
            self.mends.obstacle(knot, node, "is a key that changes, and says no scope by its name")

    def at_functions(
        self, functions: Collection[Function]
    ) -> Iterator[tuple[tree.Node, Function, tree.Attr]]:
        """Where tests use what decorators have put at some functions, `load.cache`, by whatever name; with the
        function, and that attribute of it."""
        same = KnownAs(self.program, self.planner.sources.shared)
        known_as = self.program.calls.uses.known_as
        names = {alias for function in functions for alias in known_as(function.name)}
        for module in self.program.names.modules.values() if names else ():
            for node in module.each(tree.Attr) if module.is_test and not module.generated else ():
                if isinstance(node.base, tree.Name | tree.Attr) and last_name(node.base) in names:
                    for one in self.program.inference.of(node.base):
                        if isinstance(one, FunctionObject) and one.function in functions:
                            uses = same.uses((node, *self._copies(node)))
                            yield from ((use, one.function, node) for use in uses)

    def _copies(self, node: tree.Node) -> Iterator[tree.Node]:
        """The copy of a dict that is made where it is used: `dict(load.cache)`, `load.cache.copy()`."""
        parent = self._parent(node)
        call = self._parent(parent) if isinstance(parent, tree.Attr) else parent
        if isinstance(call, tree.Call) and last_name(call.func) in COPIED:
            yield call

    # --- where keys are ---

    def _parent(self, node: tree.Node) -> object:
        return self.program.names.parent(node)

    def keys(self, node: tree.Node, *, listed: bool = False) -> Iterator[tree.Node]:
        """The keys that a use of a collection spells out, or of a list of keys."""
        parent = self._parent(node)
        match parent:
            case tree.Subscript() if parent.base is node:
                yield from self._of_key(parent, pairs=False) if listed else (parent.index,)
            case tree.Attr(name="items" | "keys" | "copy"):
                call = self._parent(parent)
                if isinstance(call, tree.Call):
                    yield from self._of_view(call, pairs=parent.name == "items")
            case tree.Attr():
                call = self._parent(parent)
                if isinstance(call, tree.Call) and call.func is parent:
                    yield from self._of_list(call) if listed else self._given(call, parent.name)
            case tree.Call(args=(held, key, *_)) if held.value is node and _puts(parent):
                yield from (key.value,) if _puts(parent) == "key" else keys_of(key.value)
            case tree.Assign() if any(target is node for target in parent.targets):
                if parent.value is not None:
                    yield from keys_of(parent.value)
            case _:
                yield from self._of_view(node, pairs=False)

    def of_pairs(self, node: tree.Node) -> Iterator[tree.Node]:
        """The same of a list of pairs for a dict."""
        yield from self._of_view(node, pairs=True)

    def _of_list(self, call: tree.Call) -> Iterator[tree.Node]:
        """The keys that a method of a list of keys is given, or with which what it takes out is compared."""
        yield from (key for _, key in self.planner.local.collections.lists.looked_up(call))
        if last_name(call.func) in TAKING:
            yield from self._of_key(call, pairs=False)

    def _given(self, call: tree.Call, method: str) -> Iterator[tree.Node]:
        """The keys that a method of a collection is given, or those with which what it gives is compared."""
        if method == "update":
            for argument in call.args:
                yield from keys_of(argument.value) if argument.keyword is None else ()
        elif method in OF_SETS:
            for argument in call.args:
                yield from keys_of(self._written(argument.value))
            yield from self._of_view(call, pairs=False)
        elif is_keyed(method) and call.args:
            yield call.args[0].value

    def _of_view(self, node: tree.Node, *, pairs: bool) -> Iterator[tree.Node]:
        """The keys with which all keys of a collection, or its pairs, are compared."""
        parent = self._parent(node)
        match parent:
            case tree.Call() if last_name(parent.func) in _LISTS:
                yield from self._of_view(parent, pairs=pairs)
            case tree.Call() if last_name(parent.func) in PICKING:
                yield from self._of_key(parent, pairs=pairs)
            case tree.Subscript() if parent.base is node:
                yield from self._of_key(parent, pairs=pairs)
            case tree.Comprehension(results=(each,), generators=(loop,)):
                if isinstance(each, tree.Name) and each.id == last_name(loop.target):
                    yield from self._of_view(parent, pairs=pairs)
            case tree.Assign(targets=(tree.Sequence(items=items),), value=value) if value is node:
                for item in items:
                    yield from self._of_name(item, pairs=pairs)
            case tree.Binary(op="|" | "-" | "&" | "^"):
                for side in (parent.left, parent.right):
                    for key in keys_of(self._written(side)) if side is not node else ():
                        yield from _in_pair(key) if pairs else (key,)
                yield from self._of_view(parent, pairs=pairs)
            case tree.Compare(ops=("in" | "not in",)):
                if parent.rights[0] is node:
                    yield from _in_pair(parent.left) if pairs else (parent.left,)
            case tree.Compare():
                for side in (parent.left, *parent.rights):
                    for key in keys_of(self._written(side)) if side is not node else ():
                        yield from _in_pair(key) if pairs else (key,)
            case tree.Call(args=(first, second, *_)) if last_name(parent.func) in HOLDING:
                if second.value is node:
                    yield from _in_pair(first.value) if pairs else (first.value,)
            case tree.Call():
                for side in equal_to(parent, node):
                    for key in keys_of(self._written(side)):
                        yield from _in_pair(key) if pairs else (key,)

    def _of_key(self, node: tree.Node, *, pairs: bool) -> Iterator[tree.Node]:
        """What one key of a collection is compared with."""
        parent = self._parent(node)
        if isinstance(parent, tree.Compare) and set(parent.ops) <= {"==", "!="}:
            for side in (parent.left, *parent.rights):
                if side is not node:
                    yield from _in_pair(side) if pairs else (side,)
        elif isinstance(parent, tree.Call):
            for side in equal_to(parent, node):
                yield from _in_pair(side) if pairs else (side,)
        elif isinstance(parent, tree.Assign) and parent.value is node:
            for target in parent.targets:
                yield from self._of_name(target, pairs=pairs)

    def _of_name(self, target: tree.Node, *, pairs: bool) -> Iterator[tree.Node]:
        """The same of a key that a name is given."""
        if isinstance(target, tree.Name):
            for use in reads_of(self.program.names, target, (target.at,)):
                if not isinstance(self._parent(use), tree.Assign):
                    yield from self._of_key(use, pairs=pairs)

    def _written(self, node: tree.Node) -> tree.Node:
        """The display that a local stands for."""
        return only_assigned(self.program.names, node) or node

    def _taken_out(self, module: Module, node: tree.Node, home: Home) -> None:
        """What a test unpacks of a collection, `[(tenant_id, note_id)] = repo.rows`, gets a part more; a person must
        look at what it has done with each key."""
        change, view = self.planner.local.rekeyed[home], node
        knot = self.planner.local.notes.knot_of(home, node)
        while isinstance(outer := self._parent(view), tree.Attr | tree.Call) and _gives_keys(
            outer
        ):
            view = outer
        match outer:
            case tree.Assign(targets=(tree.Sequence(items=items),)) if outer.value is view:
                for one in items:
                    self._part_more(module, one, change, knot)
            case tree.Call(args=(tree.Argument(value=tree.Lambda() as each), *_)):
                names = {parameter.name for parameter in each.params}
                if last_name(outer.func) in _EACH and _reads_parts(each.body, names):
                    self.mends.obstacle(knot, node, _APART)

    def _part_more(self, module: Module, node: tree.Node, change: Rekeyed, knot: Knot) -> None:
        if not isinstance(node, tree.Sequence) or len(node.items) != change.width:
            return
        if any(isinstance(item, tree.Wrapped) for item in node.items):
            return
        new = ("_",) * len(change.scopes)
        before, after = ((), new) if change.index else (new, ())
        anchor = node.items[max(change.index - 1, 0)].span
        mend = AddElements(module.filename, node.span, "CAP107", before, after, anchor)
        self.mends.add(knot, mend)

    # --- one key ---

    def _key(self, module: Module, node: tree.Node, home: Home, depth: int) -> None:
        if id(node) in self._seen or depth > _MAX_DEPTH:
            return
        self._seen.add(id(node))
        change = self.planner.local.rekeyed[home]
        knot = self.planner.local.notes.knot_of(home, node)
        bare = BareValues(self.planner).is_one
        match node:
            case tree.Name() | tree.Attr() | tree.Call() if change.width == 1 and bare(node):
                self._into(module, node, home, knot)
            case tree.Call() | tree.Attr() if (
                change.width == 0 and self.planner.local.hosts.is_foreign(node)
            ):
                self._text(module, node, knot)
            case tree.Name():
                self._named(node, home, depth)
                self._spelled(node, home, depth)
            case tree.Conditional():
                for branch in (node.then, node.otherwise):
                    self._key(module, branch, home, depth + 1)
            case tree.Call():
                self._spelled(node, home, depth)
            case tree.Attr() | tree.Subscript():
                return  # made elsewhere, and judged there
            case tree.Sequence(kind="tuple") if change.width > 1:
                if len(node.items) == change.width and self._parts.of(node):
                    self.mends.obstacle(knot, node, _APART)
                elif len(node.items) == change.width:
                    stays = self._staying.has(node, home)
                    if stays is None or (stays and self._staying.is_sorted(node)):
                        self.mends.obstacle(knot, node, _EITHER)
                    elif not stays:
                        self._into(module, node, home, knot)
                elif len(node.items) != change.width + len(change.scopes):
                    self.mends.spelled(knot, node)
            case tree.Sequence():
                return
            case tree.Const() | tree.FString() if change.width == 1:
                self._into(module, node, home, knot)
            case tree.Const() | tree.FString() if change.width == 0:
                self._text(module, node, knot)

    def _named(self, node: tree.Name, home: Home, depth: int) -> None:
        """The same of what a name is given, also by a loop, or by those that call a helper of the tests."""
        names, written = self.program.names, self.planner.local.handed.written
        for binding in names.bindings_of(node):
            target = names.follow(binding)
            if not isinstance(target, Binding) or target.path:
                continue
            several = target.kind in ("param", "for")
            value = target.value if target.kind == "assign" else None
            own = [] if value is None else [value]
            for value in written(node) if several else own:
                module = names.module_of(value)
                if module.is_test or not several:
                    self._key(module, value, home, depth + 1)

    def _spelled(self, node: tree.Node, home: Home, depth: int) -> None:
        """The same of what `parametrize` gives a test, or a helper of the tests makes; what else makes keys is
        judged there."""
        for value in self.planner.sources.shared.spelled(node):
            self._key(self.program.names.module_of(value), value, home, depth + 1)

    def _into(self, module: Module, node: tree.Node, home: Home, knot: Knot) -> None:
        """Put the values of the new elements into a tuple, or make one of a bare key."""
        change = self.planner.local.rekeyed[home]
        codes = []
        for scope in self.program.policy.scopes:
            if scope in change.scopes:
                code = self.mends.code_for(scope, node, knot)
                if code is None:
                    self.mends.spelled(knot, node, [scope])
                    return
                codes.append(code)
        before, after = ((), tuple(codes)) if change.index else (tuple(codes), ())
        anchor = node.span
        if isinstance(node, tree.Sequence):
            anchor = node.items[max(change.index - 1, 0)].span
        mend = AddElements(module.filename, node.span, "CAP107", before, after, anchor)
        self.mends.add(knot, mend)

    def _text(self, module: Module, node: tree.Node, knot: Knot) -> None:
        """Put the values of the new parts into a key that is one text."""
        text = literal_text(node)
        groups = self.state.groups
        for form in self.mends.local.text_forms():
            same = groups.find(form.defects[0].knot) == groups.find(knot)
            if same and text is not None and form.regex.fullmatch(text):
                changed = (
                    self.mends.testing.segments.filled(module, node, form)
                    if form.provable
                    else None
                )
                if changed is None:
                    self.mends.spelled(knot, node)
                else:
                    self.mends.add(knot, Replace(module.filename, node.span, "CAP107", changed))
                return
        hidden = self.planner.local.hosts.hidden
        shapes = {
            "hidden" if id(local.node) in hidden else local.shape
            for local in self.planner.local.notes.defects
            if groups.find(local.knot) == groups.find(knot)
        }
        if not shapes.isdisjoint(("call", "joined", "hidden")):
            self.mends.spelled(knot, node)


def _puts(call: tree.Call) -> str:
    """Whether a call puts a `key`, or `keys`, into what it is given: `monkeypatch.setitem(repo.rows, key, row)`,
    `patch.dict(repo.rows, {key: row})`."""
    match call.func:
        case tree.Attr(name="setitem" | "delitem"):
            return "key"
        case tree.Attr(name="dict", base=base) if last_name(base) == "patch":
            return "keys"
        case _:
            return ""


def _gives_keys(node: tree.Attr | tree.Call) -> bool:
    """Whether an expression gives the keys of what stands in it, one after another."""
    return last_name(node if isinstance(node, tree.Attr) else node.func) in _LISTS


def _reads_parts(node: tree.Node, names: set[str]) -> bool:
    """Whether one of some names is read by position in an expression."""
    return any(
        isinstance(one, tree.Subscript)
        and isinstance(one.base, tree.Name)
        and one.base.id in names
        for one in within(node)
    )


def _in_pair(node: tree.Node) -> tuple[tree.Node, ...]:
    """The key of `(key, value)`."""
    return node.items[:1] if isinstance(node, tree.Sequence) and len(node.items) == 2 else ()
