"""What annotations say of the keys of collections that change: where these are kept, where they are handed on, and by
the names that stand for such annotations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Replace
from capsule_lint.plan.memory.foreign_caches import is_cache
from capsule_lint.plan.memory.key_aliases import KeyAliases, kept
from capsule_lint.plan.memory.made_of import MadeOf
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.known_as import stores_of
from capsule_lint.program.inference.annotations import MAPPINGS
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import Binding, Class, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.rekeyed import Rekeyed
    from capsule_lint.plan.mends import Mends

_OF_KEYS: Final = frozenset(("set", "counter", "frozenset", "list", "deque"))
"""What is annotated with its elements alone."""
_QUALIFIERS: Final = ("ClassVar", "Final", "Annotated", "Optional")
_GIVING: Final = ("Iterator", "Generator", "AsyncIterator", "AsyncGenerator", "Iterable")
"""What a function is said to return that yields the one thing that it gives."""


@dataclass(eq=False, slots=True)
class KeyAnnotations(MendRoom):
    """Has them say what the keys have become: `dict[tuple[TenantId, OrderId], Order]`."""

    mends: Mends
    _aliases: KeyAliases = field(init=False)

    def __post_init__(self) -> None:
        self._aliases = KeyAliases(self.planner)

    def build(self) -> None:
        """Add the mends, one an annotation."""
        rekeyed = self.planner.local.rekeyed
        said = {home: list(self._annotations(home)) for home in rekeyed if rekeyed[home].width}
        single = {home: self._of_single_keys(home) for home in said}
        given = {home: self._given_to_heirs(home) for home in said}
        every_said = (
            one for each in (said, single, given) for every in each.values() for one in every
        )
        self._aliases.known |= set(map(id, every_said))
        seen: set[int] = set()
        for home, every in said.items():
            keys = [key for one in every if (key := self._key(one)) is not None]
            wholes = [self._tuple(key) for key in (*keys, *given[home])]
            for key in (*wholes, *filter(self._has_parts, map(self._tuple, single[home]))):
                if id(key) not in seen:
                    seen.add(id(key))
                    self._mend(home, key, rekeyed[home])

    def _mend(self, home: Home, key: tree.Node, change: Rekeyed) -> None:
        knot = self.planner.local.notes.knot_of(home, key)
        module = self.program.names.module_of(key)
        ordered = self.mends.policy_order(change.scopes)
        said = [self.mends.annotation(knot, module, scope, key) for scope in ordered]
        if None in said:
            return
        types = tuple(one for one in said if one is not None)
        filename, parts = module.filename, _parts(key)
        if parts is not None and any(map(_is_rest, parts.items)):
            return  # however many parts there are, they are said
        if parts is not None and len(parts.items) == change.width:
            at = parts.items[max(change.index - 1, 0)]
            before, after = ((), types) if change.index else (types, ())
            mend = AddElements(filename, parts.span, "CAP107", before, after, at.span)
            self.mends.add(knot, mend)
        elif parts is None and (alias := self._aliases.beside(key)) is not None:
            text = self._in_full(alias, types, change)
            if text is not None:
                self.mends.add(knot, Replace(filename, key.span, "CAP107", text))
        elif parts is None and change.width == 1:
            own = self.mends.source(module, key.span)
            listed = [own, *types] if change.index else [*types, own]
            text = f"tuple[{', '.join(listed)}]"
            self.mends.add(knot, Replace(filename, key.span, "CAP107", text))

    def _in_full(
        self, alias: tree.Subscript, types: tuple[str, ...], change: Rekeyed
    ) -> str | None:
        """What a tuple becomes that a name stands for, where that says other things as well."""
        parts = _parts(alias)
        if parts is None or len(parts.items) != change.width:
            return None
        module = self.program.names.module_of(alias)
        items = [self.mends.source(module, one.span) for one in parts.items]
        items[change.index : change.index] = types
        return f"{self.mends.source(module, alias.base.span)}[{', '.join(items)}]"

    # --- where annotations are ---

    def _annotations(self, home: Home) -> Iterator[tree.Node]:
        """What is said of a collection where it is kept, and of the names, attributes and functions by way of which it
        comes there."""
        yield from kept(*home)
        merged = self.planner.local.collections.merged.taken.get(home, [])
        yield from self._said([*MadeOf(self.planner).all(home), *merged])

    def _of_single_keys(self, home: Home) -> list[tree.Node]:
        """What is said of one key of several parts that a collection is asked for, `key: tuple[str, str]`, or that
        something decides about."""
        local = self.planner.local
        asked = local.asked.get(home, ())
        judged = local.readers.keys.predicates.annotated.get(home, [])
        return [*self._said(MadeOf(self.planner).ways(asked)), *judged]

    def _given_to_heirs(self, home: Home) -> list[tree.Node]:
        """How methods of the program's own dicts annotate the keys that they are given."""
        asked = self.planner.local.collections.heirs.asked(home)
        return [one for _, parameter in asked if (one := parameter.annotation) is not None]

    def _said(self, nodes: list[tree.Node]) -> Iterator[tree.Node]:
        """How names and attributes are annotated, and what calls are said to return."""
        said = (annotation for node in nodes for annotation in self._said_of(node))
        yield from (annotation for annotation in said if annotation is not None)

    def _said_of(self, node: tree.Node) -> Iterator[tree.Node | None]:
        names = self.program.names
        function = names.function_of(node)
        if function is not None and node in function.given_back:
            yield function.fact.returns
        match node:
            case tree.Name():
                for target in map(names.follow, names.bindings_of(node)):
                    if isinstance(target, Binding):
                        own = target.parameter
                        yield own.annotation if own is not None else target.annotation
            case tree.Attr():
                yield from (store.annotation for store in stores_of(self.program, node))
            case tree.Call():
                for callee in self.program.calls.callees(node):
                    if callee.function is not None and callee.cls is None:
                        yield callee.function.fact.returns

    # --- what annotations say ---

    def _key(self, node: tree.Node) -> tree.Node | None:
        """`K` of `dict[K, V]`, `defaultdict[K, V]`, `set[K]` and `list[K]`, `dict[K, V] | None`."""
        match node:
            case tree.Name() | tree.Attr():
                alias = self._aliases.of(node)
                return self._key(alias) if alias is not None else None
            case tree.Binary(op="|"):
                return self._key(node.left) or self._key(node.right)
            case tree.Subscript(base=base, index=index):
                name, items = last_name(base), tree.items(index)
                if name in ("Union", *_QUALIFIERS, *_GIVING):
                    said = map(self._key, items if name == "Union" else items[:1])
                    return next((key for key in said if key is not None), None)
                if len(items) == 2:
                    return items[0] if self._is_mapping(base) else None
                return index if name.lower() in _OF_KEYS else None
            case _:
                return None

    def _is_mapping(self, node: tree.Node) -> bool:
        """Whether what a name stands for is annotated with its keys first, and then with what it has under them."""
        name, keepers = last_name(node), self.planner.local.collections.keepers
        if name in MAPPINGS or is_cache(name):
            return True
        target = self.program.classes.dotted(node)
        cls = target.definition if isinstance(target, Binding) else None
        return isinstance(cls, Class) and (
            not self.program.classes.base_names(cls).isdisjoint(MAPPINGS)
            or keepers.kept_by((Instance(cls),)) is not None
        )

    def _tuple(self, key: tree.Node) -> tree.Node:
        """The tuple for which a name stands: `NoteKey = tuple[str, str]`."""
        alias = self._aliases.of(key)
        return alias if alias is not None and _parts(alias) is not None else key

    def _has_parts(self, key: tree.Node) -> bool:
        return _parts(key) is not None or self._aliases.beside(key) is not None


def _is_rest(node: tree.Node) -> bool:
    """Whether something is the `...` of `tuple[str, ...]`."""
    return isinstance(node, tree.Const) and node.kind == "ellipsis"


def _parts(node: tree.Node) -> tree.Sequence | None:
    """What stands in `tuple[A, B]`."""
    if isinstance(node, tree.Subscript) and last_name(node.base) in ("tuple", "Tuple"):
        return node.index if isinstance(node.index, tree.Sequence) else None
    return None
