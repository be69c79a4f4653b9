"""Texts that look like keys, in places of which nothing says that they are a key's."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Collection
from capsule_lint.program.local_names import behind, entries_of_dict, reads_of
from capsule_lint.program.logs import LOGGING, describes, is_for_people
from capsule_lint.program.model import last_name
from capsule_lint.program.places.own_dicts import goes_through, is_own, keys_in
from capsule_lint.program.places.sites import WRITES, Role
from capsule_lint.program.places.sort_keys import SortKeyPlaces
from capsule_lint.program.purposes.elsewhere import OTHERS
from capsule_lint.program.texts.pieces import snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Module
    from capsule_lint.program.places.keys import Keys

_VERBS: Final = frozenset(
    [
        "query",
        "get",
        "fetch",
        "find",
        "load",
        "read",
        "delete",
        "remove",
        "put",
        "save",
        "write",
        "update",
        "count",
        "exists",
        "list",
        "item",
        "items",
    ]
)
_FINDS: Final = ("get", "pop", "setdefault")
"""What finds something in a dict."""
_OF_FILES: Final = ("write_text", "write_bytes", "writelines")
_OTHER_STORES: Final = frozenset(
    [
        "cache",
        "redis",
        "memcache",
        "lock",
        "locks",
        "log",
        "logger",
        "logging",
        "metrics",
        "queue",
        "bus",
        "events",
        "sns",
        "sqs",
        "s3",
        "bucket",
        "headers",
        "environ",
    ]
)
_MAX_DEPTH: Final = 3


@dataclass(eq=False)
class Strays:
    """Finds those that are keys all the same."""

    keys: Keys
    sort_keys: SortKeyPlaces = field(init=False)

    def __post_init__(self) -> None:
        self.sort_keys = SortKeyPlaces(self.keys)

    def in_lambda(self, node: tree.Lambda) -> None:
        """A lambda that makes a key, wherever it is kept: its text starts as the policy's keys do."""
        parent = self.keys.names.parent(node)
        match parent:
            case tree.Call():
                names = [a.keyword or "" for a in parent.args if a.value is node]
            case tree.DictDisplay():
                keys = parent.keys_for(node)
                names = [str(key.value) for key in keys if isinstance(key, tree.Const)]
            case tree.Assign():
                names = [last_name(target) for target in parent.targets]
            case _:
                names = []
        if any(self.keys.policy.is_sort_key_name(name) for name in names):
            return
        if self.keys.starts.at(node.body):
            self.keys.sink(
                node.body, Role.LOOKUP, any(map(self.keys.policy.is_index_key_name, names))
            )

    def given(self, node: tree.Call) -> None:
        """A text that starts as the policy's keys do, given to something unknown that reads or writes:
        `db.query_items(f"TENANT#{tenant_id}#USER#{user_id}", "USER#")`."""
        if not _VERBS & set(snake(last_name(node.func)).split("_")):
            return
        given = [
            a.value
            for a in node.args
            if a.keyword is None
            and a.star != "**"
            and isinstance(a.value, tree.FString | tree.Binary | tree.Call | tree.Name)
            and self.keys.starts.at(a.value)
        ]
        if _writes_file(node):
            given = [value for value in given if self._has_kind(value)]
        if not given or self.keys.calls.callees(node) or self.is_for_others(node):
            return
        role = Role.WRITTEN if last_name(node.func) in WRITES else Role.LOOKUP
        for value in given:
            self.keys.sink(value, role, index=False)

    def _has_kind(self, value: tree.Node) -> bool:
        """Whether a text says more than scopes with tags, as a key does that may be read again from a file."""
        tags = [scope.tag for scope in self.keys.policy.scopes]
        return any(
            one.text.count("#") > sum(one.text.count(tag) for tag in tags)
            for one in self.keys.templates.resolve(value)
        )

    def in_memory(self, node: tree.Subscript | tree.Call | tree.Compare) -> None:
        """A text that starts as the policy's keys do, by which rows are found in memory: first in a pair,
        `rows[f"TENANT#{tenant_id}", f"NOTE#{note_id}"]`, or alone in what another object has, `db.rows[pk]`."""
        match node:
            case tree.Subscript(base=base, index=index):
                value = index
            case tree.Call(func=tree.Attr(base=base, name=name), args=(first, *_)) if (
                name in _FINDS
            ):
                value = first.value
            case tree.Compare(ops=("in" | "not in",), left=left, rights=(base,)):
                value = left
            case _:
                return
        assigned = self.keys.names.place(node).statement
        written = isinstance(assigned, tree.Assign) and node in assigned.targets
        for one in self._each(self.keys.templates.formatted.written_out(value)):
            match one:
                case tree.Sequence(kind="tuple", items=(first_item, _)):
                    said = self._unpacked(first_item)
                case _ if not _is_of_another(base):
                    continue
                case _:
                    said = (one,)
            for text in filter(self._starts, said):
                self.keys.sink(text, Role.WRITTEN if written else Role.LOOKUP, index=False)

    def _starts(self, node: tree.Node) -> bool:
        """Whether an expression is a text that starts as the policy's keys do, here or in a function that makes it."""
        if not isinstance(node, tree.Call) or tree.makes_text(node):
            return _may_say(node) and self.keys.starts.at(node)
        makers = self.keys.results.helpers_in(node) if self.keys.starts.may_be(node) else ()
        made = (value for function in makers for value in function.returns)
        return any(_may_say(value) and self.keys.starts.at(value) for value in made)

    def _each(self, node: tree.Node) -> tuple[tree.Node, ...]:
        """What a name stands for in turn which goes through pairs that are written out, or made one by one:
        `for key in [(pk, sk) for sk in names]`; or else the expression itself."""
        found = self._gone_through(node)
        return found[1] if found is not None and not found[0] else (node,)

    def _unpacked(self, node: tree.Node) -> tuple[tree.Node, ...]:
        """The same of a name for a part of each such pair: `for pk, sk in [(pk, sk) for sk in names]`."""
        match self._gone_through(node):
            case ((at,), pairs):
                parted = (pair for pair in pairs if isinstance(pair, tree.Sequence))
                return tuple(pair.items[at] for pair in parted if at < len(pair.items))
            case _:
                return (node,)

    def _gone_through(
        self, node: tree.Node
    ) -> tuple[tuple[int, ...], tuple[tree.Node, ...]] | None:
        """What a loop goes through that gives a name, where it is written out, and which part of each it names."""
        bindings = self.keys.names.bindings_of(node) if isinstance(node, tree.Name) else []
        if len(bindings) != 1 or bindings[0].kind != "for" or bindings[0].value is None:
            return None
        match behind(self.keys.names, bindings[0].value):
            case tree.Sequence(items=items):
                return bindings[0].path, items
            case tree.Comprehension(results=results):
                return bindings[0].path, results[:1]
            case _:
                return None

    def _is_apart(self, call: tree.Call, value: tree.Node) -> bool:
        """Whether what a call is given is for something else than partition keys: it takes a sort key there, and
        the text says no scope, or code that stays as it is says the same sort key."""
        given = next(argument for argument in call.args if argument.value is value)
        if self.is_for_others(call) or self.keys.elsewhere.is_of_library(call.func):
            return True
        templates = self.keys.templates
        return self.sort_keys.takes(call, given) and all(
            not templates.segments(one.pieces) or self.sort_keys.says(one)
            for one in templates.resolve(value)
        )

    def is_for_others(self, node: tree.Call) -> bool:
        """Whether a call is of another store's method, or of a collection's."""
        if not isinstance(node.func, tree.Attr):
            return False
        if self.keys.templates.joins.is_buffer(node.func.base):
            return True
        if _is_other_store(node.func.base):
            return True
        found = self.keys.templates.inference.of(node.func.base)
        return any(isinstance(one, Collection) for one in found)

    def same(self) -> None:
        """A text that is the same as a key which is written or made elsewhere, given to whatever finds
        things by it, or compared: `rows.by_index("gsi1", f"TENANT#{tenant_id}#USER#{user_id}")`."""
        written = {s.template.text for s in self.keys.sites if s.role is not Role.LOOKUP}
        begun = written & {f"{self.keys.policy.scopes[0].tag}{{}}"}
        written -= begun  # that says too little
        tags = {tag for text in written if "#" in (tag := text.partition("{}")[0])}
        scoped = {scope.tag for scope in self.keys.policy.scopes}
        longer = written - {f"{tag}{{}}" for tag in scoped}  # in a list, these may be sort keys
        for module in self.keys.names.judged() if written or begun else ():
            for value, held in keys_in(module) if not module.is_test else ():
                if self._says(value, written - self.sort_keys.texts, tags) and is_own(
                    self.keys.names, held
                ):
                    self.keys.sink(value, Role.LOOKUP, index=False)
            for value, call in self._given_or_compared(module) if not module.is_test else ():
                if self._says(value, written, tags) and not (call and self._is_apart(call, value)):
                    self.keys.sink(value, Role.LOOKUP, index=False)
            made = chain(
                self._made_alike(module, written, tags),
                self._made_alike(module, begun, scoped, beside_key=True),
            )
            for call in made if not module.is_test else ():
                self.keys.sink(call, Role.LOOKUP, index=False)
            apart = module.is_test or module.generated
            for value in self._handed_on(module) if not apart else ():
                if self._says(value, longer, scoped) and not self.is_for_library(value):
                    self.keys.sink(value, Role.LOOKUP, index=False)

    def _handed_on(self, module: Module) -> Iterator[tree.Node]:
        """The elements of tuples and lists, and the values of dicts, in which a key may go to whoever uses it:
        `ops.append(("delete", (f"TENANT#{tenant_id}#NOTES", note_id)))`."""
        for holder in module.either(tree.Sequence, tree.DictDisplay):
            values = holder.items if isinstance(holder, tree.Sequence) else self._entries(holder)
            texts = [v for v in values if _may_say(v)]
            if texts and not self._is_bound(holder) and not self._is_elsewhere(holder):
                yield from texts

    def _is_bound(self, holder: tree.Node) -> bool:
        """Whether names stand in a tuple to be bound: `for name, value in pairs`."""
        match self.keys.names.parent(holder):
            case tree.Assign(targets=targets):
                return any(target is holder for target in targets)
            case tree.Block(binds=binds):
                return any(bind.target is holder for bind in binds)
            case tree.Comprehension(generators=generators):
                return any(one.target is holder for one in generators)
            case _:
                return False

    def _entries(self, display: tree.DictDisplay) -> Iterator[tree.Node]:
        """The values of a dict under names that are no sort key's, nor of what people read."""
        for key, value in display.pairs:
            name = (tree.text(key) or "") if key is not None else None
            if name is None or self.keys.policy.is_sort_key_name(name) or describes(name):
                continue
            yield value

    def _is_elsewhere(self, node: tree.Sequence | tree.DictDisplay) -> bool:
        """Whether a tuple, a list or a dict finds something in memory, is joined to a text, is a row of a file, is only
        for people, or is for something else than the table."""
        inner: object = node
        outer = self.keys.names.parent(node)
        while isinstance(outer, tree.Expr):
            match outer:
                case tree.Subscript() if outer.index is inner:
                    return True
                case tree.Call(func=tree.Attr(name="join" | "format" | "writerow" | "writerows")):
                    return True
                case tree.Call(func=tree.Attr(base=base)) if _is_other_store(base):
                    return True
            inner, outer = outer, self.keys.names.parent(outer)
        return is_for_people(self.keys.names, node)

    def is_for_library(self, value: tree.Node, libraries: frozenset[str] = OTHERS) -> bool:
        """Whether a library, by default one that has nothing to do with DynamoDB, is told something, in a dict or a list:
        `stripe.Charge.create(metadata={"order": f"TENANT#{tenant_id}#ORDER#{order_id}"})`."""
        outer = self.keys.names.parent(value)
        while isinstance(outer, tree.Expr):
            if isinstance(outer, tree.Call) and self.keys.elsewhere.is_of_library(
                outer.func, libraries
            ):
                return True
            outer = self.keys.names.parent(outer)
        return False

    def _given_or_compared(self, module: Module) -> Iterator[tuple[tree.Node, tree.Call | None]]:
        """What calls are given, and these, and the sides of comparisons."""
        for call in module.each(tree.Call):
            if self._may_take_keys(call):
                told = (a for a in call.args if not describes(a.keyword or ""))
                yield from ((argument.value, call) for argument in told)
        for compare in module.each(tree.Compare):
            sides = (compare.left, *compare.rights)
            if not any(map(self.sort_keys.asked, sides)):
                yield from ((side, None) for side in sides)

    def _may_take_keys(self, call: tree.Call) -> bool:
        """Whether what a call is given may be keys of the table: it tells nobody of it, and asks for no sort key."""
        of_sort_key = isinstance(call.func, tree.Attr) and self.sort_keys.asked(call.func.base)
        return last_name(call.func) not in LOGGING and not of_sort_key

    def _made_alike(
        self, module: Module, written: set[str], tags: set[str], *, beside_key: bool = False
    ) -> Iterator[tree.Call]:
        """The calls of functions that make one of some texts, where the result is given to whatever finds things by
        it, or compared, `rows.by_index("gsi1", user_pk(user_id))`; or only where it is compared with what is called
        a key, `pk == tenant_pk(tenant_id)`."""
        for function in module.functions if written else ():
            if function in self.keys.helpers or not any(
                self._says(value, written, tags) for value in function.returns
            ):
                continue
            for call, _ in self.keys.calls.callers(function):
                apart = self.keys.names.module_of(call).is_test
                if not apart and self._finds(call, beside_key=beside_key):
                    yield call

    def _finds(self, node: tree.Node, depth: int = 0, *, beside_key: bool) -> bool:
        """Whether an expression, or a local that is one, is given to something or compared, or the latter with a key."""
        names = self.keys.names
        match names.parent(node):
            case tree.Compare() as compare if beside_key:
                sides = (compare.left, *compare.rights)
                return any(self.keys.policy.is_key_name(_name(side)) for side in sides)
            case tree.Call() as call if call.func is not node and not beside_key:
                taken = any(a.value is node for a in call.args)
                return taken and self._may_take_keys(call) and not self._is_apart(call, node)
            case tree.Compare() as compare:
                return not any(map(self.sort_keys.asked, (compare.left, *compare.rights)))
            case tree.Assign(targets=(tree.Name() as target,)) if depth < _MAX_DEPTH:
                is_sort = self.keys.policy.is_sort_key_name(target.id)
                reads = reads_of(names, target, (target.at,)) if not is_sort else ()
                return any(self._finds(one, depth + 1, beside_key=beside_key) for one in reads)
            case _:
                return False

    def _says(self, value: tree.Node, written: set[str], tags: set[str]) -> bool:
        """Whether an expression that is no key yet may be one of some texts; a text, or a local that is
        one, is where it begins with one of the tags that they begin with: `f"TITLE#{title}"`."""
        if not _may_say(value) and not self._is_filled(value):
            return False
        said = behind(self.keys.names, value)
        written_out = said is not None and tree.makes_text(said)
        if not written_out and not self.keys.starts.may_be(value):
            return False  # as nearly all are
        if self.keys.at(value) is not None or self._is_of_row(value):
            return False
        if not self._is_tagged(said, tags) and not self.keys.starts.at(value):
            return False
        return any(template.text in written for template in self.keys.templates.resolve(value))

    def _is_of_row(self, node: tree.Node) -> bool:
        """Whether a name stands for each value of a row in turn, whose keys are known by their own names."""
        row = goes_through(self.keys.names, node)
        entries = entries_of_dict(self.keys.names, row) if row is not None else ()
        return any(map(self.keys.policy.is_key_name, entries))

    def _is_filled(self, node: tree.Node) -> bool:
        """Whether an expression has an object fill the text that it keeps."""
        kept = self.keys.templates.text_objects.kept
        return isinstance(node, tree.Call) and kept(node.func) is not None

    def _is_tagged(self, node: tree.Node | None, tags: set[str]) -> bool:
        """Whether a text that is put together begins with one of some tags, written out or by a constant."""
        begun = ""
        for part in tree.said_in(node) if node is not None and tree.makes_text(node) else ():
            if isinstance(part, str):
                begun += part
            elif begun or not isinstance(part, tree.Name | tree.Attr):
                break
            else:
                with self.keys.names.aside():  # whatever begins a text is named in it
                    begun = self.keys.templates.constant(part) or " "
        return begun in tags


def _name(node: tree.Node) -> str:
    return last_name(node) if isinstance(node, tree.Name | tree.Attr) else ""


def _may_say(node: tree.Node) -> bool:
    """Whether an expression is a text that is put together, or names one."""
    return isinstance(node, tree.Name | tree.Walrus) or tree.makes_text(node)


def _is_of_another(node: tree.Node) -> bool:
    """Whether something belongs to an object that is not the function's own: `self.db.rows`."""
    match node:
        case tree.Attr(base=tree.Name(id=owner)):
            return owner not in ("self", "cls")
        case _:
            return isinstance(node, tree.Attr) and not _is_other_store(node)


def _is_other_store(node: tree.Node) -> bool:
    """Whether an expression is called like something else than a table."""
    return bool(_OTHER_STORES & set(snake(last_name(node)).split("_")))


def _writes_file(call: tree.Call) -> bool:
    """Whether a call writes a text to a file: an item has more than its key."""
    name = last_name(call.func)
    return name in _OF_FILES or (name == "write" and len(call.args) == 1)
