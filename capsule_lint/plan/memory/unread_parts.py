"""New parts of keys that nothing reads where a loop takes the keys apart: they are called `_`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.model import AddElements
from capsule_lint.plan.room import MendRoom

if TYPE_CHECKING:
    from collections.abc import Collection

    from capsule_lint.model import Span
    from capsule_lint.plan.mends import Mends


class UnreadParts(MendRoom, Struct, frozen=True):
    """Finds them once all is known that is added."""

    mends: Mends

    def build(self) -> None:
        """Change the names in the mends that are there."""
        targets = {
            (defect.module.filename, defect.node.span): defect.node
            for defect in self.planner.local.notes.defects
            if defect.shape == "target"
        }
        found = self.mends.found
        binding = {
            at: (mend, targets[mend.filename, mend.at])
            for at, (_, mend) in enumerate(found)
            if isinstance(mend, AddElements) and (mend.filename, mend.at) in targets
        }
        own = {id(mend) for mend, _ in binding.values()}
        named = {
            at: tuple(
                tuple(n if self._is_read(n, target, own) else "_" for n in names)
                for names in (mend.before, mend.after)
            )
            for at, (mend, target) in binding.items()
            if self._is_spare(target)
        }
        for at, (before, after) in named.items():
            mend, _ = binding[at]
            found[at] = found[at][0], replace(mend, before=before, after=after)

    def _is_read(self, name: str, target: tree.Node, own: Collection[int]) -> bool:
        """Whether anything that is added where a target binds a name reads it, and no other target binds it."""
        naming = self.mends.naming(name, target, self._lasting(target))
        return any(id(mend) not in own for mend in naming)

    def _lasting(self, target: tree.Node) -> Span | None:
        """Where a target binds a name: in a comprehension, in a function, or in all of a file."""
        names = self.program.names
        holder, function = names.parent(target), names.function_of(target)
        if isinstance(holder, tree.Comprehension):
            return holder.span
        return function.fact.span if function is not None else None

    def _is_spare(self, target: tree.Node) -> bool:
        """Whether `_` is for nothing in a file: not for what translates texts, nor for anything that is read."""
        names = self.program.names
        meant = (one.kind in ("def", "import") for one in names.bindings("_", names.place(target)))
        written = names.module_of(target).named.get("_", ())
        return not any(meant) and not any(
            isinstance(one, tree.Name) and all(one.at != b.at for b in names.bindings_of(one))
            for one in written
        )
