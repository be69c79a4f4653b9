"""Objects that may get another scope after they are made: `note.capsule_id = "other"`, `move(note, "other")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Class

_MAKING: Final = ("__init__", "__post_init__", "__new__")
_SETTING: Final = ("setattr", "vars", "__setattr__")
"""What sets attributes by texts."""


class Moved(Struct, frozen=True):
    """Tells by what is done with them under their names."""

    program: Program

    def may_be(self, name: tree.Name, made: Binding, cls: Class, scope: Scope) -> bool:
        """Whether an object of a class, which a name is bound to, may get another value of a scope."""
        moves = self._is_set_anywhere(cls, scope)
        reads = reads_of(self.program.names, name, (made.at,))
        return any(self._may_move(read, scope, moves) for read in reads)

    def _is_set_anywhere(self, cls: Class, scope: Scope) -> bool:
        """Whether the program sets that attribute of such an object once it is made."""
        classes, calls = self.program.classes, self.program.calls
        own = classes.mro(cls)
        if any(
            store.function.name not in _MAKING
            for owner in own
            for store in owner.stores.get(scope.parameter, ())
        ):
            return True
        for target, _ in calls.uses.assigned(scope.parameter):
            types = self.program.inference.of(target.base)
            related = (cls in classes.mro(one) or one in own for one in classes_of(types))
            if not types or any(related):
                return True
        return False

    def _may_move(self, read: tree.Name, scope: Scope, moves: bool) -> bool:
        """Whether an object may get another value where it is read; what is done with it elsewhere counts where anything
        `moves` such objects."""
        names = self.program.names
        match names.parent(read):
            case tree.Attr() as access:
                outer = names.parent(access)
                if isinstance(outer, tree.Assign) and access in outer.targets:
                    return access.name == scope.parameter
                if access.name in ("__dict__", *_SETTING):
                    return True
                return moves and isinstance(outer, tree.Call) and outer.func is access
            case tree.Call() as call if last_name(call.func) in _SETTING:
                return True
            case _:
                return moves
