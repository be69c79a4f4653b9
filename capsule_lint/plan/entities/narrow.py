"""What takes exactly the entries that a dict has which gets one more: it needs a place for that, or a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Replace
from capsule_lint.plan.entities.columns import Columns
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.plan.entities.grown import Grown
from capsule_lint.plan.entities.hidden import Hidden, dict_of, keys_of, looped
from capsule_lint.plan.entities.named import NamedFields
from capsule_lint.plan.entities.sql_columns import SqlColumns
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.comparisons import equated
from capsule_lint.program.containers import LISTED
from capsule_lint.program.inference.mocks import MOCKS
from capsule_lint.program.inference.types import ClassObject
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.entities.grown import Gain
    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Class, Module

_NO_PLACE: Final = "`{}` has no place for `{}`, which the dict that it is made of gets"
_NO_PLACE_KNOWN: Final = "`{}` may have no place for `{}`, which the dict that it is made of gets"
_MOVED: Final = "this takes the values of a dict as they come, which gets `{}`"
_KEYS: Final = "this is compared with the keys of a dict, which gets `{}`"
_COUNT: Final = "this counts the entries of a dict, which gets `{}`"
_IN_ORDER: Final = frozenset(
    ("tuple", "list", "zip", "map", "join", "writerow", "execute", "iter", "enumerate")
)
"""What takes the values of a dict in their order."""
_KEEPING_ANY: Final = frozenset(
    ("SimpleNamespace", "Namespace", "OrderedDict", "UserDict", "Counter", *MOCKS)
)
"""Classes of Python's own whose objects keep whatever they are given by keyword."""
_VALIDATES: Final = frozenset(("model_validate", "parse_obj"))
_WITHIN: Final = frozenset(("issubset", "difference", "symmetric_difference"))
"""Methods that ask whether, or which of, the keys of a dict are among others."""


@dataclass(eq=False, slots=True)
class Narrow(MendRoom):
    """Extends what tests expect, and notes everything else. Of dicts that are found out late to get an entry, those
    `since` a number of others."""

    mends: Mends
    since: int | None = None
    grown: Grown = field(init=False)

    def __post_init__(self) -> None:
        self.grown = Grown(self.mends, self.since)

    def build(self) -> None:
        """Look at everything that may take the entries of a dict."""
        early = self.since is None
        if not self.mends.expected.grown[self.since :] and not (early and self.state.fields):
            return
        if early:
            self._unlisted()
        for module in self.program.names.editable():
            for call in module.each(tree.Call):
                self._call(call)
                self._compared(module, call)
            for compare in module.each(tree.Compare):
                self._compared(module, compare)
                self._among(module, compare)
            for binary in module.each(tree.Binary):
                if binary.op in ("-", "^"):
                    self._keys(module, binary.right, binary.left)

    def _unlisted(self) -> None:
        """The same of columns, also of SQL, and of what leaves entries out by their names."""
        Columns(self.mends, self.grown).build()
        SqlColumns(self.mends, self.grown).build()
        hidden = Hidden(self.mends, self.grown)
        for module in self.program.names.editable():
            for statement, _ in module.statements:
                hidden.dropped(module, statement)
            for compare in module.each(tree.Compare):
                hidden.compared(module, compare)

    def _compared(self, module: Module, node: tree.Node) -> None:
        for one, other in equated(node):
            self._equated(module, one, other)
        match node:
            case tree.Compare(ops=("!=",), rights=(right,)):
                self._equated(module, node.left, right)
                self._equated(module, right, node.left)
            case tree.Compare(ops=("<=" | "<",), rights=(right,)):
                self._equated(module, right, node.left)
            case tree.Compare(ops=(">=" | ">",), rights=(right,)):
                self._equated(module, node.left, right)
            case tree.Call(func=tree.Attr(name=name, base=base), args=(only,)) if name in _WITHIN:
                self._keys(module, only.value, base)

    def _among(self, module: Module, compare: tree.Compare) -> None:
        """`if key not in ALLOWED: raise` for each key of a dict, all of which are allowed so far."""
        match compare:
            case tree.Compare(ops=("in" | "not in",), left=tree.Name() as key, rights=(listed,)):
                written = self._written(listed)
                source = looped(self.program.names, key) if written is not None else None
                names = [tree.text(item) for item in written.items] if written is not None else []
                if source is not None and self._has(source) <= set(names):
                    self._listed(module, listed, source)

    def _has(self, node: tree.Node) -> set[str]:
        """The keys that a dict has, as far as it is written out."""
        displays = self.planner.local.rows.origins(node).displays
        return {name for display in displays for name, _ in entries_of(display)}

    def _note(self, node: tree.Node, gains: Sequence[Gain], reason: str) -> None:
        for gain in gains:
            self.mends.obstacle(gain.knot, node, reason.format(gain.key))

    # --- keywords ---

    def _call(self, call: tree.Call) -> None:
        for argument in call.args:
            if argument.star == "**":
                self._keywords(call, argument.value)
        if last_name(call.func) in _VALIDATES and isinstance(call.func, tree.Attr) and call.args:
            self._validated(call.func.base, call.args[0].value)
        match call:
            case tree.Call(func=tree.Attr(name="values", base=base), args=()) if self._is_in_order(
                call
            ):
                self._note(call, self.grown.of(base), _MOVED)

    def _keywords(self, call: tree.Call, given: tree.Node) -> None:
        """`render(**note.to_dict())`."""
        callees = [c for c in self.program.calls.callees(call) if not c.mock]
        name = last_name(call.func)
        if not callees and name[:1].isupper() and name not in _KEEPING_ANY:
            for gain in self.grown.of(given):
                reason = _NO_PLACE_KNOWN.format(name, gain.key)
                self.mends.obstacle(gain.knot, given, reason)
        for gain in self.grown.of(given) if callees else ():
            for callee in callees:
                if not self._takes(callee, gain):
                    known = callee.cls or callee.function
                    name = known.name if known is not None else ""
                    reason = _NO_PLACE.format(name, gain.key)
                    self.mends.obstacle(gain.knot, given, reason)

    def _takes(self, callee: Callee, gain: Gain) -> bool:
        """Whether what is called has a parameter, or gets one, by the key of an entry, or takes any."""
        program, state = self.program, self.state
        if callee.cls is not None and self.program.classes.is_model(callee.cls):
            return self._accepts(callee.cls, gain)
        params = program.calls.parameters(callee)[0]
        if callee.function is None and not self._is_made_of_fields(callee.cls):
            return True
        if any(p.kind == "**" for p in params):
            return callee.cls is None or self._has_slot(callee.cls, gain)
        if callee.function is not None and gain.key in state.params.get(callee.function, ()):
            return True
        return any(p.name == gain.key for p in params) or self._gets(callee.cls, gain)

    def _is_made_of_fields(self, cls: Class | None) -> bool:
        """Whether a class without a constructor of its own takes its fields alone; a `TypedDict` keeps all."""
        classes = self.program.classes
        return (
            cls is not None
            and classes.constructor(cls) is not None
            and not classes.is_typed_dict(cls)
        )

    def _gets(self, cls: Class | None, gain: Gain) -> bool:
        """Whether a class gains a field by the key of an entry."""
        state = self.state
        return any(
            gain.key in (name, state.attributes.get((home, name)))
            for home in (self.program.classes.mro(cls) if cls is not None else ())
            for name in state.fields.get(home, ())
        )

    def _has_slot(self, cls: Class, gain: Gain) -> bool:
        """Whether a class whose constructor takes any keyword may keep one: it has no slots, or a fitting one."""
        slots = [
            binding.value
            for home in self.program.classes.mro(cls)
            for binding in home.scope.bindings.get("__slots__", ())
        ]
        listed = [one for one in slots if isinstance(one, tree.Sequence)]
        named = {tree.text(item) for one in listed for item in one.items}
        return not listed or gain.key in named or self._gets(cls, gain)

    # --- models ---

    def _validated(self, base: tree.Node, given: tree.Node) -> None:
        """`NoteResponse.model_validate(note.to_dict())`."""
        for one in self.program.inference.of(base):
            if not isinstance(one, ClassObject) or not self.program.classes.is_model(one.cls):
                continue
            for gain in self.grown.of(given):
                if not self._accepts(one.cls, gain):
                    reason = _NO_PLACE.format(one.cls.name, gain.key)
                    self.mends.obstacle(gain.knot, given, reason)

    def _accepts(self, cls: Class, gain: Gain) -> bool:
        """Whether a model has a field for an entry, or lets pass what it has none for."""
        classes = self.program.classes
        names = {one.name for one in classes.fields(cls)} | set(classes.aliases(cls).values())
        return gain.key in names or self._gets(cls, gain) or not self._forbids(cls)

    def _forbids(self, cls: Class) -> bool:
        """`model_config = ConfigDict(extra="forbid")`, `class Config: extra = "forbid"` and the like."""
        for home in self.program.classes.mro(cls):
            if any(a.keyword == "extra" and _is_forbid(a.value) for a in home.fact.bases):
                return True
            for binding in home.scope.bindings.get("model_config", ()):
                if any(_is_forbid(value) for value in _extras(binding.value)):
                    return True
            for inner in home.scope.bindings.get("Config", ()):
                config = inner.definition
                extras = config.scope.bindings.get("extra", ()) if config is not None else ()
                if any(b.value is not None and _is_forbid(b.value) for b in extras):
                    return True
        return False

    # --- values ---

    def _is_in_order(self, values: tree.Call) -> bool:
        """Whether something takes the values of a dict one after the other."""
        parent = self.program.names.parent(values)
        match parent:
            case tree.Assign(targets=(tree.Sequence(),)):
                return True
            case tree.Wrapped(kind="starred"):
                return True
            case tree.Call() if last_name(parent.func) in _IN_ORDER:
                return not (last_name(parent.func) == "zip" and self._is_paired(parent))
            case tree.Call():
                return any(a.star == "*" and a.value is values for a in parent.args)
            case _:
                return False

    def _is_paired(self, call: tree.Call) -> bool:
        """`zip(row.keys(), row.values())`, `zip(row, other.values())`."""
        return all(self.grown.of(dict_of(argument.value)) for argument in call.args)

    # --- keys and counts ---

    def _equated(self, module: Module, node: tree.Node, other: tree.Node) -> None:
        match other:
            case tree.Call(func=tree.Name(id="len"), args=(argument,)):
                number = tree.integer(node)
                source = dict_of(argument.value)
                gains = self.grown.of(source) if number is not None else ()
                if gains and number is not None:
                    self._count(module, node, source, number, gains)
            case _:
                self._keys(module, node, other)

    def _count(
        self,
        module: Module,
        node: tree.Node,
        source: tree.Node,
        number: int,
        gains: Sequence[Gain],
    ) -> None:
        """`len(note.to_dict()) == 3`."""
        if not module.is_test or not self._is_one(source):
            self._note(node, gains, _COUNT)
            return
        for other in gains[1:]:
            self.state.groups.join(gains[0].knot, other.knot)
        text = str(number + len({gain.key for gain in gains}))
        self.mends.add(gains[0].knot, Replace(module.filename, node.span, "CAP301", text))

    def _keys(self, module: Module, node: tree.Node, other: tree.Node) -> None:
        """`set(note.to_dict()) == {"tenant_id", …}`."""
        source = keys_of(other)
        if source is not None:
            self._listed(module, node, source, other)

    def _listed(
        self, module: Module, node: tree.Node, source: tree.Node, other: tree.Node | None = None
    ) -> None:
        """A list of the keys of a dict, which a test may compare with something whole that gives them."""
        listed = self._written(node)
        if listed is None:
            return
        names = [tree.text(item) for item in listed.items]
        if not self._has_scope(names) or self.mends.adds_to(listed):
            return
        expected = other is not None and module.is_test and listed is node and self._is_one(source)
        gains = {gain.key: gain for gain in self.grown.of(source) if gain.key not in names}
        for gain in gains.values():
            if expected and other is not None and _function(other) == "sorted":
                self._sorted(module, listed, [name or "" for name in names], gain)
            elif expected:
                gained = gain.knot, gain.scope
                self.mends.expected.element(module, listed, names, gained, values=False)
            else:
                self.mends.obstacle(gain.knot, listed, _KEYS.format(gain.key))

    def _is_one(self, node: tree.Node) -> bool:
        """Whether an expression is no name that may stand for one dict and for another one."""
        names = self.program.names
        return not isinstance(node, tree.Name) or (len(names.bindings_of(node)) == 1)

    def _has_scope(self, names: Sequence[str | None]) -> bool:
        """Whether a list is one of texts, and one of them names a scope."""
        scopes = self.program.policy.scopes
        return None not in names and any(
            names_scope(name, scope) for name in names if name is not None for scope in scopes
        )

    def _sorted(
        self, module: Module, node: tree.Sequence, names: Sequence[str], gain: Gain
    ) -> None:
        """`sorted(note.to_dict()) == ["note_id", …]` gets the new key in its place."""
        before = [n for n, name in enumerate(names) if name < gain.key]
        code, at = f'"{gain.key}"', node.items[before[-1] if before else 0].span
        first, last = ((), (code,)) if before else ((code,), ())
        self.mends.add(
            gain.knot, AddElements(module.filename, node.span, "CAP301", first, last, at)
        )

    def _written(self, node: tree.Node) -> tree.Sequence | None:
        """The list that is written out, here or where a name gets its only value."""
        match node:
            case tree.Sequence():
                return node if node.items else None
            case tree.Call(func=tree.Name(id=name), args=(only,)) if name in LISTED:
                return self._written(only.value)
            case tree.Name() | tree.Attr():
                return NamedFields(self.mends).written(node)[0]
            case _:
                return None


def _function(node: tree.Node) -> str:
    """The name of what is called."""
    return last_name(node.func) if isinstance(node, tree.Call) else ""


def _extras(node: tree.Node | None) -> Iterator[tree.Node]:
    """What a model's configuration says of entries without a field."""
    match node:
        case tree.Call():
            yield from (value for name, value in node.keywords if name == "extra")
        case tree.DictDisplay():
            yield from (value for name, value in node.entries if name == "extra")


def _is_forbid(node: tree.Node) -> bool:
    """`"forbid"` and `Extra.forbid`."""
    return tree.text(node) == "forbid" or (isinstance(node, tree.Attr) and node.name == "forbid")
