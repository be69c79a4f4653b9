"""JSON that tests write out as text: a person must look where the dict that it is gets an entry more, or where
one more is read from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddEntry
from capsule_lint.plan.code import text_of
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.dumped import DUMPING, REASON, Dumped
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.program.model import Module

_NAME: Final = re.compile(r'"(\w+)"\s*:')
_READ: Final = re.compile(r'(\w+)(?:\[["\'](\w+)["\']\]|\.get\(["\'](\w+)["\'])')


class _Changed(Struct, frozen=True):
    """The names in a dict, and the one that it gets."""

    names: frozenset[str]
    new: str
    knot: Knot


@dataclass(eq=False, slots=True)
class Golden(MendRoom):
    """Finds such texts."""

    mends: Mends

    def build(self) -> None:
        """Note them."""
        texts = [
            (node, said)
            for module in self.program.names.editable()
            for node in (module.each(tree.Const) if module.is_test else ())
            if len(said := set(_NAME.findall(tree.text(node) or ""))) > 1
        ]
        Dumped(self.mends).build(texts)
        changed = list(dict.fromkeys((*self._written(), *self._read()))) if texts else []
        for node, said in texts:
            for one in changed:
                if one.names <= said and one.new not in said:
                    self.mends.obstacle(one.knot, node, REASON.format(one.new))

    def _written(self) -> Iterator[_Changed]:
        """The dicts outside tests that are made JSON of, and get an entry."""
        by_file: dict[tuple[str, object], list[tuple[Knot, str]]] = {}
        for knot, mend in self.mends.found:
            if isinstance(mend, AddEntry):
                name = mend.key.strip("\"'")
                by_file.setdefault((mend.filename, mend.at), []).append((knot, name))
        for module in self._changing({filename for filename, _ in by_file}):
            for display in module.each(tree.DictDisplay):
                names = frozenset(name for name, _ in entries_of(display))
                if len(names) > 1 and self._may_be_dumped(display):
                    for knot, new in by_file.get((module.filename, display.span), ()):
                        yield _Changed(names, new, knot)

    def _changing(self, filenames: set[str]) -> Iterator[Module]:
        for module in self.program.names.judged():
            if module.filename in filenames and not module.is_test:
                yield module

    def _may_be_dumped(self, node: tree.Node) -> bool:
        """Whether a dict goes into a call, or out of a function, and so may become JSON."""
        parent = self.program.names.parent(node)
        match parent:
            case tree.Call():
                return last_name(parent.func) in DUMPING
            case tree.Eval() | tree.Assign():
                module = self.program.names.module_of(node)
                return any(last_name(call.func) == "dumps" for call in module.each(tree.Call))
            case _:
                return False

    def _read(self) -> Iterator[_Changed]:
        """The dicts from which a call outside tests is given a value more: `cls(data["tenant"], …)`."""
        for want in self.state.wants:
            call, value = want.call, self.mends.value(want)
            found = _READ.fullmatch(value.code.rstrip(")")) if value is not None else None
            if call is None or found is None or self.program.names.module_of(call).is_test:
                continue
            base, new = found[1], found[2] or found[3]
            names = {name for a in call.args if (name := _entry(a.value, base)) is not None}
            if len(names) > 1:
                yield _Changed(frozenset(names), new, want.knot)


def _entry(node: tree.Node, base: str) -> str | None:
    """The name of what is read from a dict: `data["tenant"]`, `data.get("tenant")`."""
    found = _READ.match(text_of(node) or "")
    return (found[2] or found[3]) if found is not None and found[1] == base else None
