"""What code leaves out of all fields of an object by name: where that hides one scope, it hides the new field too."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, AddStatement, Replace
from capsule_lint.plan.entities.grown import Gain, Grown
from capsule_lint.plan.entities.named import NamedFields
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.containers import LISTED
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.model import Binding, Class, Module
    from capsule_lint.program.names import Names

_REASON: Final = "leaves a scope out of all that an object has, which gets `{}`: it may have to leave that out too"
_UNEQUAL: Final = {"!=": "not in", "==": "in"}


@dataclass(eq=False, slots=True)
class Hidden(MendRoom):
    """Builds the mends of such places."""

    mends: Mends
    grown: Grown
    _made: dict[int, list[Gain]] = field(default_factory=lambda: defaultdict(list))
    """The dicts from which objects are made that are given their scopes beside: what these gain."""
    _items: list[tuple[Module, Gain]] = field(default_factory=list)
    """What the items get that are written, and where."""

    def __post_init__(self) -> None:
        calls = self.program.calls
        gone_through = {cls for cls, _ in self.mends.wholes.every}
        for node, knot, scope, key in self.mends.expected.grown:
            module = self.program.names.module_of(node)
            self._items += [] if module.is_test else [(module, Gain(knot, scope, key))]
        for cls in self.state.fields:
            gains = list(self._fields(cls))
            self._items += [(cls.module, gain) for gain in gains if cls in gone_through]
            for call, _ in list(calls.constructors_of(cls)):
                for argument in call.args if self._tells_scope(call) else ():
                    for made in self._keys(argument.value) if argument.star == "**" else ():
                        self._made[made] += gains

    def compared(self, module: Module, compare: tree.Compare) -> None:
        """`if key != "tenant_id"` and `if key not in HIDDEN` for each key of a dict, or field of a class;
        `if key == "tenant_id": continue`."""
        match compare:
            case tree.Compare(ops=("!=" | "==" as op,), rights=(right,)):
                for key, said in ((compare.left, right), (right, compare.left)):
                    text = tree.text(said)
                    if text is not None and (op == "!=" or self._passes_over(compare)):
                        for gain in self._beside(self._of_key(compare, key), (text,)):
                            self._several(module, compare, key, said, gain)
            case tree.Compare(ops=("in" | "not in" as op,), rights=(right,)):
                listed, binding = NamedFields(self.mends).written(right)
                if listed is not None and (op == "not in" or self._passes_over(compare)):
                    texts = [tree.text(item) or "" for item in listed.items]
                    for gain in self._beside(self._of_key(compare, compare.left), texts):
                        self._listed(compare, listed, binding, gain)

    def dropped(self, module: Module, statement: tree.Statement) -> None:
        """`fields.pop("tenant_id", None)` and `del fields["tenant_id"], fields["notes"]`; `for key in HIDDEN: del
        fields[key]`."""
        match statement:
            case tree.Eval(values=(one,)) if (base := _dropped_of(statement)) is not None:
                key = one.index if isinstance(one, tree.Subscript) else _first(one)
                texts = [tree.text(key) or ""]
                for gain in self._beside(self._of(base), texts):
                    written = self.mends.source(module, statement.span)
                    self._dropped(module, statement, base, texts[0], gain, written)
            case tree.Eval(kind="del", values=several):
                entries = [one for one in several if isinstance(one, tree.Subscript)]
                texts = [tree.text(one.index) or "" for one in entries]
                for one, text in zip(entries, texts, strict=True):
                    for gain in self._beside(self._of(one.base), texts):
                        if names_any_of(text, self.program.policy.scopes):
                            written = f"del {self.mends.source(module, one.span)}"
                            self._dropped(module, statement, one.base, text, gain, written)
            case tree.Block(kind="for", binds=(bind,), bodies=((tree.Eval() as only,), *_)):
                base, over = _dropped_of(only), bind.value
                if base is None or over is None:
                    return
                listed, binding = NamedFields(self.mends).written(over)
                if listed is not None:
                    texts = [tree.text(item) or "" for item in listed.items]
                    for gain in self._beside(self._of(base), texts):
                        self._listed(over, listed, binding, gain)

    # --- what is left out ---

    def _beside(self, gains: Iterator[Gain], texts: Sequence[str]) -> Iterator[Gain]:
        """What gets beside the scopes that are left out, and is not left out itself."""
        scopes = self.program.policy.scopes
        said = [scope for scope in scopes if any(names_scope(text, scope) for text in texts)]
        for gain in dict.fromkeys(gains) if said else ():
            if gain.key not in texts and gain.scope not in said:
                yield gain

    def _of(self, base: tree.Node) -> Iterator[Gain]:
        """What a dict gets, or may have of what is given to a constructor beside it; what is read from the
        table may have what any item gets."""
        yield from self.grown.of(base)
        for key in self._keys(base):
            yield from self._made.get(key, ())
        if self._items and self.planner.local.rows.origins(base).stored:
            own, seen = self.program.names.module_of(base), set[str]()
            for _, gain in sorted(self._items, key=lambda one: one[0] is not own):
                if gain.key not in seen:
                    seen.add(gain.key)
                    yield gain

    def _fields(self, cls: Class) -> Iterator[Gain]:
        """What a class gains."""
        state = self.state
        for name, scope in state.fields.get(cls, {}).items():
            yield Gain(("class", cls), scope, state.attributes.get((cls, name)) or name)

    def _keys(self, node: tree.Node) -> Iterator[int]:
        """What tells a local dict, or one that is made where it stands."""
        if isinstance(node, tree.Comprehension):
            yield id(node)
        elif isinstance(node, tree.Name):
            yield from map(id, self.program.names.bindings_of(node))

    def _of_key(self, compare: tree.Compare, key: tree.Node) -> Iterator[Gain]:
        """What the dict gets whose keys a name goes through, or the class whose fields do it."""
        names = self.program.names
        match key:
            case tree.Name():
                source = looped(names, key)
                yield from self._of(source) if source is not None else ()
                yield from self._made_within(compare) if source is not None else ()
                loop = key
            case tree.Attr(name="name" | "attname", base=tree.Name() as loop):
                pass
            case _:
                return
        bound = names.bindings_of(loop)
        over = bound[0].value if len(bound) == 1 and bound[0].kind == "for" else None
        if over is None:
            return
        for cls, node in self.mends.wholes.every:
            if node is over or node is viewed(over, "items", "keys", "values"):
                yield from self._fields(cls)

    def _made_within(self, compare: tree.Node) -> Iterator[Gain]:
        """What an object gains that is made of the dict that a comprehension makes, with a name or not."""
        names = self.program.names
        around = names.parent(compare)
        while isinstance(around, tree.Expr) and not isinstance(around, tree.Comprehension):
            around = names.parent(around)
        if isinstance(around, tree.Comprehension):
            yield from self._made.get(id(around), ())
            match names.parent(around):
                case tree.Assign(targets=(tree.Name() as target,)):
                    yield from self._of(target)

    def _tells_scope(self, call: tree.Call) -> bool:
        """Whether a call says a scope beside what it spreads."""
        scopes = self.program.policy.scopes
        return any(
            (argument.keyword is None and not argument.star)
            or names_any_of(argument.keyword or "", scopes)
            for argument in call.args
        )

    def _passes_over(self, compare: tree.Compare) -> bool:
        """Whether nothing is done with a key of which something is true: `if …: continue`."""
        match self.program.names.parent(compare):
            case tree.Block(kind="if", bodies=((tree.Eval(kind="continue"),), *_)):
                return True
            case _:
                return False

    # --- what becomes of it ---

    def _several(
        self, module: Module, compare: tree.Compare, key: tree.Node, said: tree.Node, gain: Gain
    ) -> None:
        """`key != "tenant_id"` becomes `key not in ("tenant_id", "capsule_id")`."""
        written = self.mends.source(module, said.span)
        new = _renamed(written, tree.text(said) or "", gain.key)
        if new is None:
            self._note(compare, gain)
            return
        left = self.mends.source(module, key.span)
        code = f"{left} {_UNEQUAL[compare.ops[0]]} ({written}, {new})"
        self._add(gain, Replace(module.filename, compare.span, "CAP301", code))

    def _listed(
        self, asked: tree.Node, listed: tree.Sequence, binding: Binding | None, gain: Gain
    ) -> None:
        if binding is not None and not all(
            map(self._only_tells, NamedFields(self.mends).uses(binding))
        ):
            self._note(asked, gain)
            return
        scopes = self.program.policy.scopes
        beside = next(item for item in listed.items if names_any_of(tree.text(item) or "", scopes))
        filename, new = self.program.names.module_of(listed).filename, f'"{gain.key}"'
        self._add(gain, AddElements(filename, listed.span, "CAP301", (), (new,), beside.span))

    def _only_tells(self, use: tree.Node) -> bool:
        """Whether a list only tells which keys are left out of something."""
        match self.program.names.parent(use):
            case tree.Compare() as parent:
                return use in parent.rights
            case tree.Block(kind="for", bodies=((tree.Eval() as only,), *_)):
                return _dropped_of(only) is not None
            case _:
                return False

    def _dropped(
        self,
        module: Module,
        statement: tree.Eval,
        base: tree.Node,
        text: str,
        gain: Gain,
        written: str,
    ) -> None:
        made = only_assigned(self.program.names, base)
        new = _renamed(written, text, gain.key)
        if gain not in (self.grown.of(made) if made is not None else ()):
            new = f'{self.mends.source(module, base.span)}.pop("{gain.key}", None)'
        if new is None:
            self._note(statement.values[0], gain)
        elif not self._is_dropped(module, base, gain.key):
            self._add(gain, AddStatement(module.filename, statement.span, "CAP301", new))

    def _is_dropped(self, module: Module, base: tree.Node, key: str) -> bool:
        """Whether the same function takes a key out of a dict already."""
        names = self.program.names
        scope, name = names.place(base).scope, last_name(base)
        for node in module.either(tree.Call, tree.Subscript):
            match node:
                case tree.Call(func=tree.Attr(name="pop", base=other), args=(first, *_)):
                    told = tree.text(first.value)
                case tree.Subscript(base=other, index=index):
                    told = tree.text(index)
                case _:
                    continue
            if told == key and last_name(other) == name and names.place(node).scope is scope:
                return True
        return False

    def _add(self, gain: Gain, mend: Replace | AddElements | AddStatement) -> None:
        self.mends.add_once(gain.knot, mend)

    def _note(self, node: tree.Node, gain: Gain) -> None:
        self.mends.obstacle(gain.knot, node, _REASON.format(gain.key))


def _dropped_of(statement: tree.Eval) -> tree.Node | None:
    """The dict of `fields.pop(key, None)` and `del fields[key]`."""
    match statement:
        case tree.Eval(kind="expr", values=(tree.Call(func=tree.Attr(name="pop", base=base)),)):
            return base
        case tree.Eval(kind="del", values=(tree.Subscript(base=base),)):
            return base
        case _:
            return None


def _first(node: tree.Node) -> tree.Node | None:
    """The first argument of a call."""
    return node.args[0].value if isinstance(node, tree.Call) and node.args else None


def looped(names: Names, key: tree.Name) -> tree.Node | None:
    """The dict whose keys a name goes through: `for key in row`, `for key, value in row.items()`."""
    found = names.bindings_of(key)
    value = found[0].value if len(found) == 1 and found[0].kind == "for" else None
    if value is None or not found[0].path:
        return keys_of(value) or dict_of(value) if value is not None else None
    return viewed(value, "items") if found[0].path == (0,) else None


def viewed(node: tree.Node, *views: str) -> tree.Node | None:
    """`row` of `row.values()`, where `values` is one of some views; `None` for anything else."""
    match node:
        case tree.Call(func=tree.Attr(name=name, base=base), args=()) if name in views:
            return base
        case _:
            return None


def dict_of(node: tree.Node) -> tree.Node:
    """`row` of `row.keys()`, of `row.values()` and of `row`."""
    return viewed(node, "keys", "values") or node


def keys_of(node: tree.Node) -> tree.Node | None:
    """`row` of `set(row)`, `sorted(row.keys())` and `row.keys()`."""
    match node:
        case tree.Call(func=tree.Name(id=name), args=(only,)) if name in LISTED:
            return dict_of(only.value)
        case _:
            return viewed(node, "keys")


def _renamed(written: str, old: str, new: str) -> str | None:
    """A piece of code with another text in the place of the only one that it has; `None` where it is not that."""
    quoted = [f"{mark}{old}{mark}" for mark in "\"'"]
    found = [one for one in quoted if written.count(one) == 1]
    if len(found) != 1 or "\n" in written:
        return None
    return written.replace(found[0], found[0].replace(old, new))
