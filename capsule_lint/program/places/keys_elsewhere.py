"""Values that are called as keys of a table are, and are none: `partition_key = f"{tenant_id}#{device_id}"` that says in what
order messages are read, a column of SQL, the key of a model of an ORM."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import ANYTHING, NOTHING, Foreign
from capsule_lint.program.local_names import (
    BY_NAME,
    behind,
    reads_of,
    reads_of_parameter,
    written_text,
)
from capsule_lint.program.logs import is_for_people
from capsule_lint.program.model import last_name
from capsule_lint.program.places.held_elsewhere import HeldElsewhere
from capsule_lint.program.places.object_keys import is_object_key
from capsule_lint.program.places.sites import WRITES, Role
from capsule_lint.program.purposes.elsewhere import OTHERS, is_of_others
from capsule_lint.program.purposes.sql import OF_ROWS, beginning, is_no_partiql, says_sql
from capsule_lint.program.texts.pieces import hole_name, snake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Class, Function, Module
    from capsule_lint.program.places.keys import Keys

_SENDING: Final = frozenset(
    [
        "create_batch",
        "produce",
        "publish",
        "publish_batch",
        "put_record",
        "put_records",
        "send",
        "send_and_wait",
        "send_batch",
        "send_message",
        "send_message_batch",
    ]
)
"""What sends messages, in the libraries for it."""
_OF_MESSAGES: Final = frozenset(
    [
        "MessageDeduplicationId",
        "MessageGroupId",
        "PartitionKey",
        "key",
        "ordering_key",
        "partition_key",
    ]
)
"""What these are told a key of a message as."""
_BATCHES: Final = frozenset(
    [
        ("PartitionKey", "put_records", "Records"),
        ("MessageGroupId", "send_message_batch", "Entries"),
        ("MessageDeduplicationId", "send_message_batch", "Entries"),
    ]
)
"""What it is called where a message is a dict, what sends such dicts, and as what that is told them."""
_SPELLED: Final = ("encode", "strip", "lower", "upper", "digest", "hexdigest")
"""Methods that give the same text in another form, as `str` and `bytes` do, or what is made of it alone."""
_DIGESTS: Final = ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s")
_NUMBERS: Final = ("int", "from_bytes", "crc32", "adler32", "hash")
"""What makes a number of a text, or of its digest."""
_ELSEWHERE: Final = frozenset(("partition_key",))
"""What messages call their keys where they are read."""
_KEY: Final = re.compile(r"pk|key|hash|partition", re.IGNORECASE)
_OF_PATHS: Final = ("name", "stem", "parts", "parent")
"""What is read of a path that something was put into."""
_NOBODYS: Final = frozenset(("framework", "fixture"))
"""Where objects come from that may be of the program."""
_MAX_DEPTH: Final = 6


class _Named(Struct, frozen=True):
    """Such a value, and what it would be as a key."""

    node: tree.Node
    role: Role
    name: str
    prefix: bool


class _Way(Struct, frozen=True):
    """How far a value has been followed."""

    depth: int = 0
    entry: str = ""
    """The name that it has in a dict."""
    tagged: bool = False
    """Whether it says the tag of a scope: then it is none only where it says which file or object is meant."""


class KeysElsewhere(Struct, frozen=True, dict=True):
    """Finds those of which every use is known. Nothing else stands for that than their names, so whatever may
    make them keys of a table after all lets them be keys."""

    keys: Keys
    _found: list[_Named] = field(default_factory=list)
    _fed: list[tree.Node] = field(default_factory=list)
    """What is a key and comes from somewhere else."""
    _bare: list[_Named] = field(default_factory=list)
    """Those of the former that may be a scope's value and nothing else."""
    made_by: set[Function] = field(default_factory=set)
    """The functions that are called as keys are and make nothing but such values."""

    def is_one(self, node: tree.Node, role: Role, name: str, *, prefix: bool) -> bool:
        """Whether an expression under the name of a key may be such a value; `settle` tells whether it is."""
        if not self._is_plain(node):
            return False
        way = _Way(tagged=self._is_tagged(node))
        if not self._is_sure(lambda: self._goes(node, way)):
            return False
        self._found.append(_Named(node, role, name, prefix))
        return True

    def makes(self, function: Function, name: str) -> bool:
        """Whether all that a function gives which is called as a key is may be such values."""
        role, values = Role.HELPER, function.returns
        found = bool(values) and all(self.is_one(one, role, name, prefix=False) for one in values)
        self.made_by.update([function] if found else [])
        return found

    def is_bare_one(self, node: tree.Node, role: Role, name: str) -> bool:
        """The same of what has been asked about, where it may be a scope's value and nothing else."""
        found = any(one.node is node for one in self._found)
        self._bare.extend([_Named(node, role, name, prefix=False)] if found else [])
        return found

    def fed(self, node: tree.Node) -> None:
        """Something is a key of which nothing is known."""
        self._fed.append(node)

    def settle(self) -> None:
        """Give `keys` those values that come back to the table, or may: one says what a key of the table says, or a key
        is read from where such values are kept."""
        names = {snake(one.name) for one in self._found} | _ELSEWHERE
        read = bool(self._found) and any(
            self._may_be_one(node, names)
            for node in self._fed
            if not self.keys.names.module_of(node).is_test and not self._is_column(node)
        )
        for one in [one for one in self._found if read or self._says_a_key(one.node)]:
            index = self.keys.policy.is_index_key_name(one.name)
            self.keys.sink(one.node, one.role, index, prefix=one.prefix)
            self.made_by.difference_update([self.keys.names.function_of(one.node)])
        for one in self._bare if read else ():
            self.keys.bares.note(one.node, one.role, one.name)

    def _says_a_key(self, node: tree.Node) -> bool:
        """Whether a text that an expression may be is that of a key of the table."""
        return any(self.keys.says(one.text) for one in self.keys.templates.resolve(node))

    def _is_column(self, node: tree.Node) -> bool:
        """Whether what a model's attribute is declared by is a library's: `pk = Column(String)`."""
        made = isinstance(node, tree.Call) and isinstance(node.func, tree.Name)
        return made and self.is_of_library(node)

    def _may_be_one(self, node: tree.Node, names: set[str]) -> bool:
        """Whether what is a key may be such a value that has been kept: it is read under such a name, or under none."""
        bound = self.keys.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        if any(one.kind == "for" or one.path for one in bound):
            return True  # `for (pk,) in rows`
        node = behind(self.keys.names, node) or node
        if isinstance(node, tree.Name):
            given = [b for b in self.keys.names.bindings_of(node) if b.parameter is not None]
            if given:
                return any(self._may_be_given(b.function, names) for b in given)
        while isinstance(node, tree.Call) and isinstance(node.func, tree.Attr):
            if node.func.name == "get" and node.args:
                return self._is_called_so(tree.text(node.args[0].value), names)
            node = node.func.base
        if isinstance(node, tree.Subscript):
            return self._is_called_so(tree.text(node.index), names)
        return self._is_called_so(hole_name(node), names)

    def _may_be_given(self, function: Function | None, names: set[str]) -> bool:
        """Whether a call may give a function such a value of which it is not known what it calls; what others give it is
        a key by itself."""
        uses, inference = self.keys.calls.uses, self.keys.templates.inference
        unknown = (
            call
            for call in (uses.calls_beside(function.name) if function is not None else ())
            if not self.keys.names.module_of(call).is_test
            and not self.keys.calls.callees(call)
            and (call.receiver is None or inference.of(call.receiver) <= ANYTHING)
        )
        return any(
            self._may_be_one(value, names)
            for call in unknown
            for value in (argument.value for argument in call.args)
            if isinstance(value, tree.Attr | tree.Subscript | tree.Call)
        )

    def _is_called_so(self, name: str | None, names: set[str]) -> bool:
        if not name or name in _OF_PATHS:
            return True
        of_table = self.keys.policy.is_key_name(name) and snake(name) not in names
        return not of_table and _KEY.search(name) is not None

    def _is_plain(self, node: tree.Node) -> bool:
        """Whether an expression is a text that is put together there, or a name for one."""
        named = isinstance(node, tree.Name | tree.Conditional)
        return (named or tree.makes_text(node)) and not any(self.keys.results.helpers_in(node))

    def _is_tagged(self, node: tree.Node) -> bool:
        """Whether a text says the tag of a scope."""
        tags = [scope.tag for scope in self.keys.policy.scopes if scope.tag]
        said = self.keys.templates.resolve(node)
        return any(tag in template.text for template in said for tag in tags)

    def _is_sure(self, asked: Callable[[], bool]) -> bool:
        """The answer to a question: who else is called so matters only where it is yes so far."""
        with self.keys.names.aside():
            found = asked()
        return found and asked()

    # --- where a value goes ---

    def _goes(self, node: tree.Node, way: _Way) -> bool:
        """Whether all that becomes of an expression is known, and is no key of a table."""
        if way.depth > _MAX_DEPTH:
            return False
        names = self.keys.names
        match names.parent(node):
            case tree.Call() as call if call.func is not node:
                return self._told(call, node, way)
            case tree.Eval(kind="return") if (function := names.function_of(node)) is not None:
                return self._made_goes(function, way)
            case tree.Subscript(base=base, index=tree.Slice()) as begun if base is node:
                return self._goes(begun, way)
            case tree.Attr(name=name) as method if name in _SPELLED:
                made = names.parent(method)
                if not isinstance(made, tree.Call) or made.func is not method:
                    return False
                return self._goes(made, way)
            case tree.DictDisplay() as told:
                return self._in_dict(told, node, way)
            case tree.Binary(op="/", right=right) if right is node:  # a path
                function = names.function_of(node)
                return function is None or self.keys.calls.families.of(function) == {function}
            case (
                tree.Sequence()
                | tree.Comprehension()
                | tree.Boolean()
                | tree.FString()
                | tree.Binary()
            ) as around:
                return self._goes(around, way)
            case tree.Conditional() as choice:
                return choice.test is node or self._goes(choice, way)
            case tree.Block(kind="if") | tree.Compare(ops=("is" | "is not",)):
                return True  # it is only asked whether there is one
            case tree.Assign(targets=(tree.Name() as local,), op="") as made if made.value is node:
                return self._local_goes(local, way)
            case tree.Compare(left=left, rights=(right,)):
                other = right if left is node else left
                return (
                    not way.tagged
                    and isinstance(other, tree.Attr)
                    and self.is_of_library(other.base)
                )
            case tree.Assign(targets=(tree.Attr() as kept,), op="") as made if made.value is node:
                return self._is_kept_so(kept, way)
            case tree.Assign(targets=(tree.Subscript(base=filled),), op=""):
                return not way.tagged and self.is_of_library(filled)
            case _:
                return False

    def _in_dict(self, told: tree.DictDisplay, node: tree.Node, way: _Way) -> bool:
        """The same of what stands in a dict, which may be a message with its key."""
        names = [tree.text(key) or "" for key in told.keys_for(node)]
        beside = {name for name, _ in told.entries}
        if any(map(self.keys.policy.is_sort_key_name, beside)) or len(names) != 1:
            return False
        return self._goes(told, replace(way, entry=way.entry or names[0]))

    def _local_goes(self, local: tree.Name, way: _Way) -> bool:
        """The same of what a local of a function is given."""
        names, function = self.keys.names, self.keys.names.function_of(local)
        if function is None or any(names.called(function, one) for one in BY_NAME):
            return False
        reads = list(reads_of(names, local, (local.at,)))
        if any(one.is_global for read in reads for one in names.bindings_of(read)):
            return False
        return self._all_go(reads, way)

    def _all_go(self, reads: Iterable[tree.Node], way: _Way) -> bool:
        used = [one for one in reads if not is_for_people(self.keys.names, one)]
        return bool(used) and all(map(self._further(way), used))

    def _further(self, way: _Way) -> Callable[[tree.Node], bool]:
        """What tells the same of another expression, one step further."""
        onward = replace(way, depth=way.depth + 1)
        return lambda node: self._goes(node, onward)

    def _told(self, call: tree.Call, node: tree.Node, way: _Way) -> bool:
        """The same of what a call is given."""
        argument = next((a for a in call.args if a.value is node), None)
        if argument is None or argument.star:
            return False
        if is_object_key(call, argument):
            return True
        if self.is_of_library(call.func):
            return not way.tagged
        callees = self.keys.calls.callees(call)
        own = [c for c in callees if not _home(c).is_test]
        if own:
            return all(self._taken(c, call, argument, way) for c in own)
        name = last_name(call.func)
        if way.tagged:
            return False
        if name in ("str", "bytes", *_DIGESTS):
            return self._goes(call, way)
        if name in _NUMBERS:
            return True  # `int(sha256(pk.encode()).hexdigest(), 16) % 100`
        if self._may_be_ours(call, argument):
            return False
        if argument is not call.args[0] and self._is_sql(call):
            return True
        if (way.entry, name, argument.keyword) in _BATCHES:
            return True
        known = _OF_MESSAGES if name not in WRITES else {"PartitionKey"}
        return name in _SENDING and argument.keyword in known and not way.entry

    def is_of_library(self, node: tree.Node, libraries: frozenset[str] = OTHERS) -> bool:
        """Whether something, or what it is asked of or read from, is of one of some libraries, by default those that keep or
        hand on things elsewhere: `Article.objects.filter`, `session.query(Note).filter_by`."""
        keys = self.keys
        while True:
            found = keys.templates.inference.of(node)
            if any(is_of_others(one, keys.classes, libraries) for one in found):
                return True
            match node:
                case tree.Attr(base=base) | tree.Subscript(base=base) | tree.Call(func=base):
                    node = base
                case _:
                    return False

    def _may_be_ours(self, call: tree.Call, argument: tree.Argument) -> bool:
        """Whether a method of the program may take what a call gives to something of which nothing is known."""
        types = self.keys.templates.inference.of(call.receiver) if call.receiver else NOTHING
        if any(isinstance(one, Foreign) and one.name not in _NOBODYS for one in types):
            return False
        name, keyword = last_name(call.func), argument.keyword
        return any(
            keyword is None or method.parameter(keyword) is not None
            for cls in self.keys.classes.owning(name)
            for method in (cls.methods[name],)
            if not cls.module.is_test
        )

    def _taken(self, callee: Callee, call: tree.Call, argument: tree.Argument, way: _Way) -> bool:
        """The same of what a function of the program takes, or an object of it is made with."""
        function = callee.function
        if callee.cls is not None and self.keys.classes.is_data(callee.cls):
            name = self.keys.calls.parameter_of(call, argument) or ""
            fields = {one.name for one in self.keys.classes.fields(callee.cls)}
            return name in fields and self._is_held(callee.cls, name, way)
        if function is None:
            return False
        name = next((n for n, a in callee.arguments(call).items() if a is argument), "")
        params = [(f, f.parameter(name)) for f in self.keys.calls.families.of(function)]
        reads = (
            read
            for member, own in params
            if own is not None and not member.module.is_test
            for read in reads_of_parameter(self.keys.names, own, member.module)
        )
        return all(own is not None for _, own in params) and self._all_go(reads, way)

    def _made_goes(self, function: Function, way: _Way) -> bool:
        """The same of what a function gives back; what calls a method is known by its name."""
        if function.owner is not None:
            return self._is_held(function.owner, function.name, way)
        names, further = self.keys.names, self._further(way)
        every = (call for call, _ in self.keys.calls.callers(function))
        calls = (call for call in every if not names.module_of(call).is_test)
        first = next(calls, None)
        return first is not None and further(first) and all(map(further, calls))

    def _is_kept_so(self, kept: tree.Attr, way: _Way) -> bool:
        """The same of an attribute that an object gives itself as it is made."""
        function = self.keys.names.function_of(kept)
        if function is None or function.owner is None or function.name != "__init__":
            return False
        own = isinstance(kept.base, tree.Name) and kept.base.id == function.self_name
        return own and self._is_held(function.owner, kept.name, way)

    def _is_held(self, cls: Class, name: str, way: _Way) -> bool:
        """The same of what objects of a class have under a name."""
        if way.tagged:
            return False
        return self._held.goes(cls, name, self._further(_Way()))

    @cached_property
    def _held(self) -> HeldElsewhere:
        """What tells the same of what objects keep."""
        return HeldElsewhere(self.keys)

    def _is_sql(self, call: tree.Call) -> bool:
        """Whether a call is given a statement of SQL, here or by a constant, and no wrapper of PartiQL may take it."""
        first = call.args[0].value if call.args else None
        written = written_text(self.keys.names, first) if first is not None else None
        text, around = written or beginning(call), self.keys.names.parent(call)
        if not says_sql(call, text):
            return False
        asked = around.name if isinstance(around, tree.Attr) else last_name(call.func)
        return is_no_partiql(text) or asked in OF_ROWS


def _home(callee: Callee) -> Module:
    """Where a callee is defined."""
    defined = callee.function or callee.cls
    assert defined is not None
    return defined.module
