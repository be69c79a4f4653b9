"""Keys that say a scope already, beside keys of the same collection that lack it: these get it where those have it, and
what goes through the keys may read the whole ones."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from capsule_lint.facts import tree
from capsule_lint.plan.memory.uneven import done
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.plan.memory.local_notes import LocalDefect
    from capsule_lint.plan.memory.rekeyed import Rekeyed
    from capsule_lint.policy import Scope


class Said(Struct, frozen=True):
    """The elements of a key, and where in it the values of scopes stand, by their names."""

    elements: tuple[tree.Node, ...]
    places: dict[str, int]


@dataclass(eq=False, slots=True)
class WholeKeys:
    """Knows them, and the code that reads keys as these are."""

    local: LocalKeys
    _said: defaultdict[Home, list[Said]] = field(default_factory=lambda: defaultdict(list))
    _lacking: defaultdict[Home, list[tuple[LocalDefect, list[tree.Node]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _homes: defaultdict[int, set[Home]] = field(default_factory=lambda: defaultdict(set))
    """The collections of a key that lacks scopes."""
    _literals: list[tuple[tree.Node, Scope]] = field(default_factory=list)
    """What is written out in keys where others of the same collection say a scope."""

    def note(self, home: Home, elements: list[tree.Node], present: dict[str, tree.Node]) -> None:
        """Note which scopes a key of the program says, and where; tests may have keys of their own."""
        if len(elements) > 1 and not self.local.program.names.module_of(elements[0]).is_test:
            places = {name: tree.behind(elements, one) - 1 for name, one in present.items()}
            self._said[home].append(Said(tuple(elements), places))

    def lacks(self, home: Home, defect: LocalDefect, elements: list[tree.Node]) -> None:
        """Note a key that gets scopes."""
        self._lacking[home].append((defect, elements))
        self._homes[id(defect)].add(home)

    # --- what has the places of scopes ---

    def is_literal(self, node: tree.Node) -> bool:
        """Whether an expression is a text that is written out, or nothing."""
        if isinstance(node, tree.Const):
            return isinstance(node.value, str) or (node.value is None and not node.kind)
        return self.local.program.templates.constant(node) is not None

    def is_taken(self, home: Home, elements: list[tree.Node], missing: list[Scope]) -> bool:
        """Whether what a key lacks is written out in it: `rows[tenant_id, "PRODUS", number]` beside `rows[tenant_id,
        capsule_id, number]`."""
        for said in self._said[home]:
            at = [said.places.get(scope.name, -1) for scope in missing]
            others = [number for number in range(len(elements)) if number not in at]
            if (
                min(at) >= 0
                and len(said.elements) == len(elements)
                and all(map(self.is_literal, map(elements.__getitem__, at)))
                and not self._is_kind(home, elements, at, missing)
                and _are_alike(
                    *(_only(of, others) for of in (elements, said.elements)), named=True
                )
            ):
                self._literals += [(elements[n], s) for n, s in zip(at, missing, strict=True)]
                return True
        return False

    def _is_kind(
        self, home: Home, elements: list[tree.Node], at: list[int], missing: Sequence[Scope]
    ) -> bool:
        """Whether a text in a key says what kind of row is meant: something is put and looked for under it as well as under
        the scope's value, `rows[tenant_id, "plan"]` beside `rows[tenant_id, capsule_id]`, and policy has no such value."""
        every = [said for said in self._said[home] if len(said.elements) == len(elements)]
        texts = [self._text(elements[number]) for number in at]
        same = [said for said in every if [self._text(said.elements[n]) for n in at] == texts]
        whole = [said for said in every if set(at) <= set(said.places.values())]
        known = [scope.test_value or "" for scope in missing]
        return (
            not any(str(text) in value for text, value in zip(texts, known, strict=True))
            and any(self._done(said)[0] for said in same)
            and any(self._done(said)[1] for said in same)
            and any(self._done(said)[0] for said in whole)
        )

    def _text(self, node: tree.Node) -> object:
        of = self.local.program.templates.constant
        return node.value if isinstance(node, tree.Const) else of(node)

    def values(self) -> Iterator[tuple[tree.Node, Scope]]:
        """What stands in keys where scopes' values belong, each once, with its scope."""
        scopes = {scope.name: scope for scope in self.local.program.policy.scopes}
        said = [
            (one.elements[at], scopes[name])
            for every in self._said.values()
            for one in every
            for name, at in one.places.items()
            if not self.local.hosts.is_tag(one.elements[at])
        ]
        yield from {id(value): (value, scope) for value, scope in self._literals + said}.values()

    def misplaced(self) -> Iterator[tuple[tuple[tree.Node, ...], dict[str, int], bool]]:
        """The keys that something is only looked for under, and that have scopes in each other's places, as all those show
        under which something is put: where these have them, and whether that is the policy's order."""
        order = [scope.name for scope in self.local.program.policy.scopes]
        for every in self._said.values():
            found = {id(said.elements[0]): said for said in every if len(said.places) > 1}
            putting = [said for said in found.values() if self._done(said)[0]]
            for said in found.values() if putting else ():
                like = [one for one in putting if _have_same_places(said, one)]
                places = {tuple(one.places[name] for name in said.places) for one in like}
                if len(places) == 1 and places != {tuple(said.places.values())}:
                    yield said.elements, like[0].places, _is_sorted(like[0], order)

    def _done(self, said: Said) -> tuple[bool, bool]:
        """Whether something is put under a key, which may be in a local, or may be; and whether something is read."""
        names = self.local.program.names
        key = names.parent(said.elements[0])
        match names.parent(key):
            case tree.Assign(targets=(tree.Name() as local,)):
                uses: list[object] = [*self.local.readers.keys.uses(local)]
            case _:
                uses = [key]
        every = [
            (True, True)  # its parts are, whatever that is for
            if isinstance(at := names.parent(use), tree.Subscript) and at.base is use
            else done(names, at)
            for use in uses
        ]
        return any(puts for puts, _ in every), any(reads for _, reads in every)

    # --- where the others have it ---

    def agree(self, homes: Iterable[Home]) -> None:
        """Have keys get their scopes where the whole ones of the same collection have them."""
        for home in homes:
            for defect, elements in self._lacking[home]:
                if defect.shape not in ("text", "tuple", "bare"):
                    continue
                own = tree.behind(elements, defect.anchors[defect.missing[0].name])
                places = self._places(home, defect, elements)
                if not places or own in places:
                    continue
                at = places.pop()
                if places or at is None or len(self._homes[id(defect)]) > 1:
                    names = " and ".join(f"`{s.parameter}`" for s in defect.missing)
                    reason = f"is a key of `{home[1]}`, others of which have {names} elsewhere"
                    self.local.notes.obstacle(defect.knot, defect.node, reason)
                    continue
                defect.anchors.update(
                    dict.fromkeys(defect.anchors, elements[at - 1] if at else None)
                )
                self.local.rekeyed[home] = structs.replace(self.local.rekeyed[home], index=at)

    def _places(
        self, home: Home, defect: LocalDefect, elements: list[tree.Node]
    ) -> set[int | None]:
        """Where whole keys that are like one which lacks scopes have these, one behind the other; `None` for any that
        has other things between them."""
        found: set[int | None] = set()
        for said in self._said[home]:
            places = [said.places.get(s.name, -1) for s in defect.missing]
            others = [e for n, e in enumerate(said.elements) if n not in places]
            if min(places) >= 0 and _are_alike(elements, others, named=defect.shape == "text"):
                is_row = places == list(range(places[0], places[0] + len(places)))
                found.add(places[0] if is_row else None)
        return found

    def _is_partly_whole(self, home: Home, change: Rekeyed) -> bool:
        """Whether some keys of a collection are what the others become."""
        width = change.width + len(change.scopes)
        return any(
            len(said.elements) == width
            and all(said.places.get(s.name) == at for at, s in _new(change))
            for said in self._said[home]
        )

    # --- who reads them so ---

    def unpacks(self, target: tree.Sequence, home: Home) -> bool:
        """Whether a target takes keys apart as they will be: `for (tenant, capsule, _), row in self._rows.items()`."""
        change, items = self.local.rekeyed[home], target.items
        starred = [n for n, item in enumerate(items) if isinstance(item, tree.Wrapped)]
        fits = len(items) == change.width + len(change.scopes)
        if starred:
            fits = starred[0] >= change.index + len(change.scopes)
        elif fits and self._is_partly_whole(home, change):
            return change.width > 1
        return (
            fits and change.width > 1 and all(self._is_for(items[at], s) for at, s in _new(change))
        )

    def _is_for(self, item: tree.Node, scope: Scope) -> bool:
        """Whether a name that a part of a key gets is one for a scope's value: by itself, or by what it is compared with."""
        if not isinstance(item, tree.Name):
            return False
        uses = self.local.readers.keys.uses(item)
        return names_scope(item.id, scope) or any(self._is_asked_as(use, scope) for use in uses)

    def is_read(self, node: tree.Subscript, home: Home) -> bool:
        """Whether code that reads a part of a key by its position reads others of the same key where they will be: `key[1]
        == capsule_id`, or one behind the last that there is yet."""
        change = self.local.rekeyed[home]
        for part in self._parts(node):
            if (at := tree.integer(part.index)) is not None:
                if at >= change.width:
                    return True
                if any(at == place and self._is_asked_as(part, s) for place, s in _new(change)):
                    return True
            elif self.begins(part, home):
                return True
        return False

    def begins(self, node: tree.Subscript, home: Home) -> bool:
        """Whether the beginning of a key is compared as it will be: `key[:2] == (tenant_id, capsule_id)`."""
        match node.index, self.local.program.names.parent(node):
            case (
                tree.Slice(lower=None, upper=tree.Const(value=int() as end), step=None),
                tree.Compare(ops=("==" | "!=",)) as compare,
            ):
                asked = compare.other(node)
                items = asked.items if isinstance(asked, tree.Sequence) else ()
                new = list(_new(self.local.rekeyed[home]))
                return len(items) == end > new[-1][0] and all(
                    self.local.program.domain.held.is_value(items[at], s) for at, s in new
                )
            case _:
                return False

    def reads(self, node: tree.Subscript, place: int) -> bool:
        """Whether the part at a place of the same key is read as well."""
        return any(
            tree.integer(part.index) == place or isinstance(part.index, tree.Slice)
            for part in self._parts(node)
        )

    def is_doubtful(self, node: tree.Subscript, home: Home) -> bool:
        """Whether nothing tells if the part of a key that code reads is one of the keys as they are or as they will be: there
        are both, and it is not compared with anything of the program's."""
        if not self._is_partly_whole(home, self.local.rekeyed[home]):
            return False
        index = self.local.rekeyed[home].index
        behind = (p for p in self._parts(node) if (tree.integer(p.index) or 0) >= index)
        asked = [self._asked(part) for part in behind]
        return not any(isinstance(one, tree.Name | tree.Attr) for one in asked)

    def _parts(self, node: tree.Subscript) -> Iterator[tree.Subscript]:
        """What is read of the same key by position, in the same function: `key[0]`, `key[1]`; `pair[0][0]`, `pair[0][1]`."""
        names, steps, root = self.local.program.names, list[int](), node.base
        while isinstance(root, tree.Subscript):
            steps.append(tree.integer(root.index) or 0)
            root = root.base
        bound = names.bindings_of(root) if isinstance(root, tree.Name) else ()
        if not isinstance(root, tree.Name) or len(bound) != 1:
            yield node
            return
        for use in names.module_of(node).named.get(root.id, ()):
            if not isinstance(use, tree.Name) or names.bindings_of(use) != bound:
                continue
            one: object = use
            for step in reversed(steps):
                one = names.parent(one)
                if not isinstance(one, tree.Subscript) or tree.integer(one.index) != step:
                    break
            else:
                part = names.parent(one)
                if isinstance(part, tree.Subscript) and part.base is one:
                    yield part

    def _is_asked_as(self, node: tree.Node, scope: Scope) -> bool:
        asked = self._asked(node)
        return asked is not None and self.local.program.domain.held.is_value(asked, scope)

    def _asked(self, node: tree.Node) -> tree.Node | None:
        """What something is compared with, by itself or in a tuple."""
        parent = self.local.program.names.parent(node)
        if isinstance(parent, tree.Compare) and parent.ops in (("==",), ("!=",)):
            return parent.other(node)
        return next((one.value for one in self.local.parted.compared([node])), None)


def _new(change: Rekeyed) -> Iterator[tuple[int, Scope]]:
    """Where the new elements of a key come to stand."""
    return enumerate(change.scopes, change.index)


def _are_alike(keys: list[tree.Node], others: list[tree.Node], *, named: bool) -> bool:
    """Whether keys are of the same things: those that say a kind say the same one, and what has a text in it is `named`
    alike."""
    return len(keys) == len(others) and all(
        _value(one) == _value(other) and not (named and hole_name(one) != hole_name(other))
        for one, other in zip(keys, others, strict=True)
    )


def _have_same_places(one: Said, other: Said) -> bool:
    """Whether two keys have their scopes in the same places, in whatever order, and say the same besides."""
    at = set(one.places.values())
    if one.places.keys() != other.places.keys() or at != set(other.places.values()):
        return False
    if len(one.elements) != len(other.elements):
        return False
    rest = [number for number in range(len(one.elements)) if number not in at]
    return _are_alike(_only(one.elements, rest), _only(other.elements, rest), named=True)


def _only(elements: Sequence[tree.Node], places: list[int]) -> list[tree.Node]:
    return [elements[number] for number in places]


def _is_sorted(said: Said, order: list[str]) -> bool:
    """Whether the scopes of a key stand in the policy's order."""
    places = [said.places[name] for name in order if name in said.places]
    return places == sorted(places)


def _value(node: tree.Node) -> object:
    return node.value if isinstance(node, tree.Const) else None
