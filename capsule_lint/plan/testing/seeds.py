"""Items that tests write out whole, key and all: where what they stand for keeps a scope, they keep it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, rename
from capsule_lint.plan.entities.displays import entries_of, entry_of
from capsule_lint.plan.entities.images import IMAGES
from capsule_lint.plan.reach import returning
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.expected import typed_value
from capsule_lint.plan.testing.known_as import KnownAs
from capsule_lint.plan.uses.passthrough import asserted
from capsule_lint.program.comparisons import is_compared
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Class, Function, owner_of
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_MAX_DEPTH: Final = 2
_TELLING: Final = 3
"""How many entries tell what an item is."""


@dataclass(eq=False, slots=True)
class Seeds(MendRoom):
    """Extends such items; it comes after the keys in them have been updated."""

    mends: Mends
    _kept: dict[tuple[Knot, str], set[str]] = field(default_factory=dict)
    _asserted: set[int] = field(default_factory=set)
    _defects: dict[Function, list[KeyDefect]] = field(default_factory=dict)
    _images: set[int] = field(default_factory=set)
    """The items that are written out for the records of a stream."""

    def build(self) -> None:
        """Add the entries that are missing."""
        self._collect()
        if not self._kept and not self.planner.items.streamed:
            return
        self._asserted = set(self._expecting())
        modules = self.program.names.modules.values()
        judged = [one for one in modules if one.is_test and not one.generated]
        self._images = {id(display) for module in judged for display in self._imaged(module)}
        for module in judged:
            for node in module.every(tree.DictDisplay, tree.Call):
                if isinstance(node, tree.DictDisplay) or (
                    isinstance(node, tree.Call) and self._takes_entries(node)
                ):
                    for knot, scope in self._lacking(node) or self._streamed(node):
                        self.mends.expected.extend(module, node, knot, scope)

    def _imaged(self, module: Module) -> Iterator[Display]:
        """The items that a test puts into records of a stream: `{"NewImage": image}`."""
        put = [v for d in module.each(tree.DictDisplay) for k, v in d.entries if k in IMAGES]
        put += [v for c in module.each(tree.Call) for k, v in c.keywords if k in IMAGES]
        for node in module.each(tree.Subscript):
            around = self.program.names.parent(node)
            kept = around.value if isinstance(around, tree.Assign) else None
            if kept is not None and kept is not node and tree.text(node.index) in IMAGES:
                put.append(kept)
        for value in put:
            yield from self.planner.local.rows.origins(value).displays

    def _takes_entries(self, call: tree.Call) -> bool:
        """Whether keywords become the entries of a dict: `dict(…)`, or `record(…)` that takes any."""
        names = {name for name, _ in call.keywords}
        if id(call) in self._asserted:
            return True
        if not names or (isinstance(call.func, tree.Name) and call.func.id == "dict"):
            return bool(names)
        callees = self.program.calls.callees(call)
        return bool(callees) and all(
            callee.cls is None
            and callee.function is not None
            and any(p.kind == "**" for p in callee.function.params)
            and not any(callee.function.parameter(name) for name in names if self._is_key(name))
            for callee in callees
        )

    def _expecting(self) -> Iterator[int]:
        """The assertions on mocks of functions that put the keywords which they are given into items."""
        planner = self.planner
        for function in planner.spreaders.found:
            yield from (id(call) for call, _ in asserted(self.program, function))

    def _is_key(self, name: str) -> bool:
        return self.program.policy.is_key_name(name)

    def _collect(self) -> None:
        """Under which keys the items of classes keep scopes: they are written, or read, with them."""
        planner = self.planner
        self._kept = {key: set(names) for key, names in self.mends.expected.keys.items()}
        for want in self.state.wants:
            value = self.mends.value(want) if isinstance(want.callee, Class | Function) else None
            if want.call is None or value is None or value.kind != "loaded":
                continue
            cls = want.callee if isinstance(want.callee, Class) else owner_of(want.callee)
            for old in self.program.policy.scopes if cls is not None else ():
                argument = planner.values.argument_of(want.call, want, old)
                key = item_key(argument.value, old) if argument is not None else None
                if key is not None and old is not want.scope and cls is not None:
                    for home in self.program.classes.mro(cls):
                        names = self._kept.setdefault((("class", home), want.scope.name), set())
                        names.add(rename(key, old, want.scope))
        self._collect_whole()
        for one in planner.items.written:
            tag = planner.keys.ties.tag_of(planner.sites[id(one.defect.template.host)])
            if tag is not None:
                self._kept.setdefault((tag, one.scope.name), set()).add(one.key)
        for defect in planner.defects:
            if defect.function is not None:
                self._defects.setdefault(defect.function, []).append(defect)

    def _collect_whole(self) -> None:
        """Items that have all fields of an object have the new one under its own name, or under an alias
        like its neighbour's."""
        for cls, node in self.mends.wholes.every if self.state.fields else ():
            if self.program.names.module_of(node).is_test:
                continue
            aliases = self.program.classes.aliases(cls)
            gained = (
                (home, scope)
                for home in self.program.classes.mro(cls)
                for scope in self.state.fields.get(home, {}).values()
            )
            for home, scope in gained:
                names = self._kept.setdefault((("class", home), scope.name), set())
                names.add(self.state.attributes[home, scope.parameter])
                for old in self.program.policy.scopes:
                    said = (a for n, a in aliases.items() if names_scope(n, old))
                    names.update(rename(a, old, scope) for a in said if old is not scope)

    def _streamed(self, display: Display) -> list[tuple[Knot, Scope]]:
        """The entries that are going to be read of what a test makes up as the item of a stream, without its key:
        it has all that is read of such an item so far."""
        said = {name for name, _ in entries_of(display)}
        is_image = id(display) in self._images
        if is_image and (whose := list(self._of_classes(said))):
            for knot, _ in whose:
                self.state.groups.join(whose[0][0], knot)
            return whose
        found = [
            (knot, scope)
            for read, knot, scope in self.planner.items.streamed
            if (is_image or len(read) >= _TELLING)
            and read <= said
            and not any(names_scope(n, scope) for n in said)
        ]
        if not found or any(map(self._is_key, said)):
            return []
        asked = self.planner.signatures.asked
        if isinstance(display, tree.Call) and asked(display, found[0][1]) is not None:
            return []
        uses = KnownAs(self.program, self.planner.sources.shared).uses((display,))
        return [] if any(map(self._is_told_apart, uses)) else found[:1]

    def _of_classes(self, said: set[str]) -> Iterator[tuple[Knot, Scope]]:
        """The entries that the items of classes keep which have such names, or among others all that an object is
        made of."""
        policy, classes = self.program.policy, self.program.classes
        own = {n for n in said if not (policy.is_key_name(n) or policy.is_sort_key_name(n))}
        for cls, gained in self.state.fields.items():
            names = {one.name for one in classes.fields(cls)} | set(classes.aliases(cls).values())
            needed = {p.name for p in classes.constructor(cls) or () if p.default is None}
            for scope in gained.values():
                knot = ("class", cls)
                kept = self._kept.get((knot, scope.name), set())
                beside = {
                    rename(n, s, scope) for s in policy.scopes for n in own if names_scope(n, s)
                }
                if beside & kept - said and (own <= names or (needed and needed <= own)):
                    yield knot, scope

    def _is_told_apart(self, use: tree.Node) -> bool:
        """Whether a dict is compared there, or a call gets its entries as keywords, which it may not take."""
        around = self.program.names.parent(use)
        if isinstance(around, tree.Call) and use in around.spread:
            return not self._keeps_whole(around) or self._is_told_apart(around)
        return is_compared(self.program, use)

    def _keeps_whole(self, call: tree.Call) -> bool:
        """Whether keywords stay together in a dict: `dict(**fields)`, and `record(**fields)` that puts them into another
        dict, or gives them back."""
        if isinstance(call.func, tree.Name) and call.func.id == "dict":
            return True
        callees = self.program.calls.callees(call)
        taking = [c.function for c in callees if c.cls is None and c.function is not None]
        return 0 < len(taking) == len(callees) and all(map(self._takes_whole, taking))

    def _takes_whole(self, function: Function) -> bool:
        inside = self.program.names.inside(function)
        named = {p.name for p in function.params if p.kind == "**"}
        uses = [node for node in inside if isinstance(node, tree.Name) and node.id in named]
        return bool(uses) and all(map(self._stays_whole, uses))

    def _stays_whole(self, node: tree.Node) -> bool:
        match self.program.names.parent(node):
            case tree.DictDisplay() as around:
                return node not in around.spread or self._stays_whole(around)
            case tree.Eval(kind="return"):
                return True
            case _:
                return False

    def _lacking(self, display: Display) -> list[tuple[Knot, Scope]]:
        """The entries that an item lacks, by its key and by the classes whose key that is."""
        return list(self._found_lacking(display))

    def _found_lacking(self, display: Display) -> Iterator[tuple[Knot, Scope]]:
        scopes = self.program.policy.scopes
        said = [(s, e[0]) for s in scopes if (e := entry_of(display, s)) is not None]
        for knot, scope in self._possible(display) if said else ():
            kept = self._kept.get((knot, scope.name), set())
            if any(s is not scope and rename(k, s, scope) in kept for s, k in said):
                yield knot, scope

    def _possible(self, display: Display) -> Iterator[tuple[Knot, Scope]]:
        planner, defects = self.planner, self._defects_of(display)
        for defect in defects:
            tag = planner.keys.ties.tag_of(planner.sites[id(defect.template.host)])
            for scope in defect.missing:
                yield defect.knot, scope
                if tag is not None:
                    yield tag, scope
        classes = {cls for defect in defects for cls in self._of(defect)}
        for cls in sorted(classes, key=lambda c: c.symbol):
            for home in self.program.classes.mro(cls):
                for scope in self.state.fields.get(home, {}).values():
                    yield ("class", home), scope

    def _defects_of(self, display: Display) -> list[KeyDefect]:
        """The changes of the key that an item has."""
        planner = self.planner
        found: list[KeyDefect] = []
        is_key = self.program.policy.is_key_name
        keys = [typed_value(v) or v for n, v in entries_of(display) if is_key(n)]
        for node in (*keys, *self._put_under(display), *self._keys_given(display)):
            spelled = map(id, planner.sources.shared.spelled(node))
            forms = [f for one in spelled for f in self.mends.testing.updated.get(one, ())]
            found += [defect for form in forms for defect in form.defects]
            for function in returning(self.program, node) if not forms else ():
                found += self._defects.get(function, [])
        return found

    def _put_under(self, display: Display) -> Iterator[tree.Node]:
        """What an item is put under: `rows["TENANT#t", "META"] = {…}`, `{("TENANT#t", "META"): {…}}`,
        `rows.setdefault(key, {…})`."""
        names = self.program.names
        for node in self._standing_for(display, 0):
            keys: list[tree.Node] = []
            match names.parent(node):
                case tree.Assign(targets=(tree.Subscript(index=index),)):
                    keys = [index]
                case tree.DictDisplay() as rows:
                    keys = [key for key, value in rows.pairs if value is node and key is not None]
                case tree.Call(func=tree.Attr(name="setdefault"), args=(first, _)):
                    keys = [first.value]
            for key in keys:
                yield from tree.items(behind(names, key) or key)

    def _standing_for(self, node: tree.Node, depth: int) -> Iterator[tree.Node]:
        """An item, and the locals and the calls that stand for it."""
        yield node
        match self.program.names.parent(node):
            case tree.Assign(targets=(tree.Name(),)) as kept if depth < _MAX_DEPTH:
                for use in self.program.records.uses(kept):
                    yield from self._standing_for(use, depth + 1)
            case tree.Eval(kind="return") if depth < _MAX_DEPTH:
                function = self.program.names.function_of(node)
                for call, _ in (
                    self.program.calls.callers(function) if function is not None else ()
                ):
                    yield from self._standing_for(call, depth + 1)

    def _keys_given(self, display: Display) -> Iterator[tree.Node]:
        """What may be the key of an item whose entries a call gives by keyword."""
        planner = self.planner
        if isinstance(display, tree.Call) and id(display) in self._asserted:
            return planner.spreaders.keys_beside(display)
        return planner.spreaders.keys_given(display, self.program.policy.scopes)

    def _of(self, defect: KeyDefect) -> Iterator[Class]:
        planner = self.planner
        owner = owner_of(defect.function)
        name = self.program.domain.entity_name(planner.sites[id(defect.template.host)])
        for cls in self.state.fields:
            heirs = set(self.program.classes.subclasses(cls))
            if cls.name == name or owner in heirs or name in {heir.name for heir in heirs}:
                yield cls
