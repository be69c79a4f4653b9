"""What tests ask a key helper alone, by parts that they say themselves: `assert pk("TENANT", "t") == "TENANT#t"`. It makes
the same of these as before, so that they stay; unless the key goes somewhere else too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.keys.sort_keys import PARTING
from capsule_lint.plan.keys.spelled import literal_text
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.keys.spelled import Form
    from capsule_lint.plan.testing.testing import Testing

_LOOKING: Final = frozenset(("endswith", "count", "find", "rfind", "index", "rindex"))
"""Methods that tell something of a key which a segment more may change, beside its parts."""
_TAKING: Final = frozenset(("len", "match", "search", "fullmatch"))
"""Functions that do."""
_RESPELLING: Final = frozenset(("lower", "upper", "casefold", "encode", "strip"))
"""Methods that give all of a key, spelled in another way."""


class AskedAlone(Struct, frozen=True):
    """Tells which calls of helpers these are."""

    testing: Testing

    def uses(self, node: tree.Node, forms: Sequence[Form]) -> list[bool]:
        """Of each use of a key whether that asks the helper alone; those are left out that hold either way."""
        reads = self.testing.places.shared.stands(node)
        return [alone for read in reads for alone in self._is_alone(read, forms, read is node)]

    def tells(self, place: tree.Node, text: str, forms: Sequence[Form]) -> bool:
        """Whether a text is told to what does not change, and is asked alone what that makes of it:
        `under("TENANT#t", "X", "1") == "TENANT#t#X#1"`."""
        places = self.testing.places
        for call in (one for one in places.around(place) if isinstance(one, tree.Call)):
            reads = places.shared.stands(call)
            if call not in reads and all(self.tells(read, text, forms) for read in reads):
                return True  # an object that keeps it
            only = places.only_in((call,))
            is_still = self.testing.staying.is_still(only, self.testing.forms().all)
            if is_still and self._puts_in(call, place, text) and all(self.uses(call, forms)):
                return True
        return False

    def _puts_in(self, call: tree.Call, place: tree.Node, text: str) -> bool:
        """Whether a text, or the name that it has, comes to stand in what a call makes."""
        places = self.testing.places
        if self.testing.composed.is_text(call):
            return True
        sides = [side for read in places.shared.stands(call) for side in places.sides(read)]
        said = (literal_text(one) or "" for side in sides for one in places.shared.spelled(side))
        return any(text in one for one in said) or (
            isinstance(place, tree.Name)
            and any(last_name(one) == place.id for side in sides for one in within(side))
        )

    def _is_alone(self, read: tree.Node, forms: Sequence[Form], unnamed: bool) -> Iterator[bool]:
        parent = self.testing.mends.program.names.parent
        match parent(read):
            case tree.Attr(name="startswith"):
                return
            case tree.Attr(name=name) as method if name in _RESPELLING and isinstance(
                call := parent(method), tree.Call
            ):
                yield from self._is_alone(call, forms, unnamed)
            case tree.Attr(name=name):
                # the parts of a key that has a name are judged where they are read
                yield name in _LOOKING or (unnamed and name in PARTING)
            case tree.Call(func=func) if func is not read and last_name(func) in _TAKING:
                yield True
            case tree.Call(func=func) if last_name(func).startswith("assert_"):
                yield False  # what a mock was called with
            case _:
                sides = self.testing.places.sides(read)
                yield bool(sides) and all(self._stays(side, forms) for side in sides)

    def _stays(self, side: tree.Node, forms: Sequence[Form]) -> bool:
        """Whether the test puts a text together itself, and compares it with nothing but what helpers make."""
        match whole := behind(self.testing.mends.program.names, side) or side:
            case tree.Name():
                given = self.testing.places.shared.spelled(whole)
                filled = [one for one in given if one is not whole]  # by pytest
                return bool(filled) and all(self._stays(one, forms) for one in filled)
            case tree.Sequence(items=items) | tree.DictDisplay(values=items):
                return all(self._stays(item, forms) for item in items)
            case tree.Const() if tree.text(whole) is None:
                return True
            case _ if not (self.testing.composed.is_text(whole) or tree.makes_text(whole)):
                return False
        if tree.text(whole) is not None:
            return id(whole) not in self.testing.updated
        only = self.testing.places.only_by(whole)
        is_others = only is not None and not any(form.functions & only for form in forms)
        return is_others and id(whole) not in self.testing.updated
