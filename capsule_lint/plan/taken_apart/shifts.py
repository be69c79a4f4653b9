"""Keys that are split, and which of their parts move when a segment is added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.texts.pieces import Text, snake

if TYPE_CHECKING:
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.texts.pieces import Template


class Shift(Struct, frozen=True):
    """From which part on the parts of a key move, by how many, and for which scopes."""

    start: int
    by: int
    scopes: tuple[Scope, ...]
    tags: tuple[str, ...]
    """How the tags of the scopes are spelled."""
    parts: tuple[str | None, ...]
    """What each part is called before the change: a hole's name, or `None` for text."""
    knot: Knot
    plain: str
    """The text of the key before the change, with `?` for its holes."""
    behind: str
    """What the first new segment begins with where it comes behind something: `#CAPSULE#`."""

    def is_behind(self, text: str, mark: str) -> bool:
        """Whether what follows a text in the key stays as it is, and the text does."""
        at = self.plain.find(text)
        first = self.plain[:at].count(mark) + len(text) - len(text.lstrip(mark))
        last = self.plain[: at + len(text)].count(mark)
        return at >= 0 and len(mark) == 1 and first >= self.start and last > self.start

    def is_before(self, part: str, mark: str) -> bool:
        """Whether all that comes into the key does so in front of a part, if it has that, and has no such part itself."""
        first = next((n for n, one in enumerate(self.plain.split(mark)) if part in one), None)
        return (first is None or first >= self.start) and not any(part in tag for tag in self.tags)

    def is_in_head(self, text: str, mark: str) -> bool:
        """Whether a segment comes behind what is left without a tail of the key, or into the tail."""
        at = self.plain.rfind(text)
        if at < 0 and self.start == len(self.parts):
            return False  # the tail is one that others put behind the scope's value
        left = self.plain[:at].count(mark) + 1 if at >= 0 else len(self.parts) - text.count(mark)
        return left <= self.start

    def pairs(self, split: Split) -> bool:
        """Whether tags and values stay beside each other where the parts are taken in pairs."""
        return not any(number % 2 for number in (self.start, self.by, split.taken))

    def every_second(self, first: int) -> Shift:
        """The same where every second part is taken, from the one of that number on, and tags and values stay
        beside each other; where they do not, nothing says what moves."""
        whole = not (self.start % 2 or self.by % 2)
        start, by = (self.start // 2, self.by // 2) if whole else (0, 0)
        tags = ("",) * len(self.tags) if first else self.tags
        return replace(self, start=start, by=by, tags=tags, parts=self.parts[first::2])

    def reads(self, index: int, split: Split) -> bool:
        """Whether a key of this form has a part at that index."""
        return has(self.parts, index, split)

    def lengthens(self, index: int, split: Split) -> bool:
        """Whether the part at an index is all that is not split, and the segment comes into it or behind it."""
        rest = split.limit >= 0 and index in (split.limit, -1)
        return rest and split.limit + split.taken < self.start

    def is_last(self, split: Split) -> bool:
        """Whether what is not split is the last part of the key, and nothing else."""
        return len(self.parts) == split.limit + split.taken + 1 == self.start

    def moved(self, index: int, split: Split) -> int:
        """The index at which the same part stands after the change."""
        if index < 0:
            return index if len(self.parts) + index >= self.start else index - self.by
        return index + self.by if index + split.taken >= self.start else index

    def sliced(self, bounds: tree.Slice, split: Split) -> list[tuple[tree.Node, int]] | None:
        """The bounds of a slice that move, and what they become; `None` when what the slice had in it
        would be another thing, or the slice is not understood."""
        if (limits := _limits(bounds)) is None:
            return None
        lower, upper = limits
        start = self.start - split.taken
        if lower is not None and lower < 0:
            return [] if upper is None and len(self.parts) + lower >= self.start else None
        before = upper is not None and 0 <= upper <= start
        if before:
            return []
        if lower is None or lower < start or (upper is not None and upper < 0):
            return None
        numbers = ((bounds.lower, lower), (bounds.upper, upper))
        return [(node, n + self.by) for node, n in numbers if node is not None and n is not None]

    def is_one(self, bounds: tree.Slice, split: Split) -> bool:
        """Whether a slice had a single part in it before the change."""
        if (limits := _limits(bounds)) is None:
            return False
        return len(range(len(self.parts) - split.taken)[slice(*limits)]) == 1

    def has(self, number: int, split: Split, *, exact: bool) -> bool:
        """Whether a key of this form could have that many parts, the moved ones among them; or it has just as many,
        or as many are too many for it, and more come behind them."""
        length, start = _length(self.parts, split), self.start - split.taken
        return start < number <= length or (start == length == number - (not exact))

    def reaches(self, index: int, split: Split) -> bool | None:
        """Whether what is read from the end of the parts, of which there may be no more than a number,
        is what moves: then that number has to grow. `None` where it is another part after the change."""
        length, limit = len(self.parts) - split.taken, split.limit + 1
        if not limit or limit >= length + self.by:
            return False
        return None if limit > length else limit + index >= self.start - split.taken

    def counts(self, target: tree.Sequence, split: Split) -> bool:
        """Whether a key of this form has as many parts as a target unpacks."""
        return has(self.parts, target, split)

    def fits(self, target: tree.Sequence, split: Split, *, moved: bool = True) -> bool:
        """Whether a key of this form could be what a target unpacks: by its number of parts, and by
        the names on both sides; those of the parts that move as well, or not."""
        named = None if moved else max(self.start - split.taken, 0)
        return fits(self.parts, target, split, named)


def second_from(bounds: tree.Node) -> int | None:
    """From which part on a slice has every second one: 1 for `[1::2]`, 0 for `[::2]`; `None` for any other."""
    match bounds:
        case tree.Slice(lower=None | tree.Const(value=0), upper=None, step=tree.Const(value=2)):
            return 0
        case tree.Slice(lower=tree.Const(value=1), upper=None, step=tree.Const(value=2)):
            return 1
        case _:
            return None


def has(parts: tuple[str | None, ...], asked: int | tree.Sequence, split: Split) -> bool:
    """Whether a key has a part at an index, or as many parts as a target unpacks."""
    if isinstance(asked, tree.Sequence):
        length, wanted = _length(parts, split), len(asked.items)
        return length >= wanted - 1 if _stars(asked) else length == wanted
    at = asked if asked < 0 else asked + split.taken
    return -len(parts) <= at < len(parts)


def fits(
    parts: tuple[str | None, ...], target: tree.Sequence, split: Split, named: int | None = None
) -> bool:
    """Whether a target could unpack the parts of a key, by their number and names, or the first names."""
    names, stars = [_name(item) for item in target.items], _stars(target)
    last = stars[0] if stars else _length(parts, split) - 1 if split.limit >= 0 else len(names)
    last = last if named is None else min(last, named)
    return has(parts, target, split) and all(
        _agree(name, part) for name, part in zip(names[:last], parts[split.taken :], strict=False)
    )


def _length(parts: tuple[str | None, ...], split: Split) -> int:
    """How many parts of a key a split makes."""
    length = len(parts) - split.taken
    return min(length, split.limit + 1) if split.limit >= 0 else length


def _stars(target: tree.Sequence) -> list[int]:
    """The places of what takes several parts: `*rest`."""
    return [n for n, item in enumerate(target.items) if isinstance(item, tree.Wrapped)]


def _limits(bounds: tree.Slice) -> tuple[int | None, int | None] | None:
    """The bounds of a slice; `None` for one with a step, and for bounds that are no numbers."""
    limits = tree.integer(bounds.lower), tree.integer(bounds.upper)
    written = sum(one is not None for one in bounds.below())
    is_plain = written and written == sum(limit is not None for limit in limits)
    return limits if is_plain else None


def _name(node: tree.Node) -> str:
    return snake(node.id) if isinstance(node, tree.Name) else ""


def _agree(name: str, part: str | None) -> bool:
    """Whether a name can be meant for a part; `_` can stand for anything, `t` and `tid` for `tenant_id`."""
    if not name.strip("_") or not part or name == "id":
        return True
    return bool(set(name.split("_")) & set(part.split("_")) - {"id"}) or _is_short(name, part)


def _is_short(name: str, part: str) -> bool:
    """Whether a name of few letters is made of those of another one, and begins as that does."""
    letters = iter(part)
    return len(name) < 4 and name[0] == part[0] and all(letter in letters for letter in name)


class Split(Struct, frozen=True):
    """`key.split("#", 2)`: the call (or what else looks into a key), its separator, its limit (-1 for none), and
    what `removeprefix` has taken off the key before."""

    call: tree.Node
    key: tree.Node
    separator: str
    limit: int
    prefix: str
    shared: bool = False
    """Whether other texts are split there as well."""
    second_from: int | None = None
    """From which of the parts on every second one is taken; `None` where all are."""
    joined_of: frozenset[int] = frozenset()
    """The lists that it is, by their ids, where it is what a key is joined of, and not one that is split."""

    @property
    def taken(self) -> int:
        """How many parts the prefix is."""
        return self.prefix.count(self.separator)


def has_separator(defect: KeyDefect, separator: str) -> bool:
    """Whether a separator stands in a key, or comes into it."""
    return separator in defect.template.written or any(
        separator in defect.tag(s) for s in defect.missing
    )


def shift_of(defect: KeyDefect, separator: str) -> Shift | None:
    """Which parts of a key move when the segments of a defect are added."""
    by, first = 0, None
    for scope in defect.missing:
        anchor = defect.behind(scope)
        at = 0
        if anchor is not None:
            text = ""
            for piece in defect.template.pieces:
                text += piece.value if isinstance(piece, Text) else "?"
                if not isinstance(piece, Text) and piece.value is anchor:
                    break
            at = text.count(separator) + 1
        first = at if first is None else min(first, at)
        by += (defect.mark(scope) + defect.tag(scope)).count(separator)
    if first is None:
        return None
    if not by:  # nothing moves: the part gets longer that the segment comes into
        first = max(first - 1, 0)
    scopes = tuple(defect.missing)
    tags = tuple(map(defect.tag, scopes))
    pieces = defect.template.pieces
    plain = "".join(p.value if isinstance(p, Text) else "?" for p in pieces)
    behind = defect.mark(scopes[0]) + tags[0]
    return Shift(
        first, by, scopes, tags, parts_of(defect.template, separator), defect.knot, plain, behind
    )


def parts_in(template: Template, split: Split) -> tuple[str | None, ...]:
    """What those parts of a key are called that are taken of a split."""
    parts = parts_of(template, split.separator)
    return parts if split.second_from is None else parts[split.second_from :: 2]


def parts_of(template: Template, separator: str) -> tuple[str | None, ...]:
    """What each part of a key is called: a hole's name, or `None` for text."""
    found: list[str | None] = [None]
    for piece in template.pieces:
        if isinstance(piece, Text):
            found += [None] * piece.value.count(separator)
        else:
            found[-1] = piece.name
    return tuple(found)
