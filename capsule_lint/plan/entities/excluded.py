"""What models are told to give of themselves, or to leave out: where `model_dump(exclude={"tenant_id"})` hides one
scope, it hides the new field as well, and where `include` names one, it names both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements
from capsule_lint.plan.code import rename
from capsule_lint.plan.entities.entry_mends import EntryMends
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.model import Class

_DUMPING: Final = ("dict", "json", "model_dump", "model_dump_json")
"""Methods of Pydantic's models that give their fields: some of them, or all but some, if they are told so."""
_CHOOSING: Final = ("exclude", "include")


class Excluded(MendRoom, Struct, frozen=True):
    """Builds the mends of such lists."""

    mends: Mends

    def build(self) -> None:
        """Name the new field beside that of the scope that it comes behind."""
        for name in _DUMPING if self.state.fields else ():
            for call in self.program.calls.uses.calls_beside(name):
                for argument in call.args:
                    if argument.keyword in _CHOOSING and isinstance(argument.value, tree.Sequence):
                        for cls in self._classes(call):
                            self._extend(argument.value, cls)

    def _classes(self, call: tree.Call) -> Iterator[Class]:
        """The class of the one whose method is called, if it gains a field and the method is foreign."""
        program, gained = self.program, self.state.fields
        if not isinstance(call.func, tree.Attr) or program.calls.callees(call):
            return
        cls = program.inference.the_class(program.inference.of(call.func.base))
        if cls is not None and any(home in gained for home in program.classes.mro(cls)):
            yield cls

    def _extend(self, node: tree.Sequence, cls: Class) -> None:
        names = [tree.text(item) for item in node.items]
        entries, filename = EntryMends(self.mends), self.program.names.module_of(node).filename
        for item, name in zip(node.items, names, strict=True):
            for old in self.program.policy.scopes if name is not None else ():
                for home, scope in (
                    entries.beside(cls, old) if names_scope(name or "", old) else ()
                ):
                    new = rename(name or "", old, scope)
                    if new not in names:
                        mend = AddElements(
                            filename, node.span, "CAP301", (), (f'"{new}"',), item.span
                        )
                        self.mends.add(("class", home), mend)
