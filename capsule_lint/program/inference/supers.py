"""What `super()` stands for, and where it finds things."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import ANYTHING, ClassObject, Instance, Types, foreign
from capsule_lint.program.model import Class, last_name, owner_of

if TYPE_CHECKING:
    from capsule_lint.program.inference.infer import Inference


@dataclass(eq=False, slots=True)
class Supers:
    """Types of `super()`."""

    inference: Inference

    def of(self, node: tree.Call) -> Types:
        """What `super()` is: the bases of the class in whose method it stands."""
        owner = self._above_what(node)
        if owner is None:
            return ANYTHING
        bases = [b for b in self.inference.classes.bases(owner) if isinstance(b, Class)]
        if not bases:
            return foreign("super")
        return frozenset(Instance(base) for base in bases)

    def _above_what(self, call: tree.Call) -> Class | None:
        """The class behind which `super()` and `super(Notes, self)` begin to look."""
        if not call.args:
            return owner_of(self.inference.names.function_of(call))
        types = self.inference.of(call.args[0].value)
        classes = {one.cls for one in types if isinstance(one, ClassObject)}
        return next(iter(classes)) if len(classes) == len(types) == 1 else None

    def above(self, node: tree.Attr) -> list[Class]:
        """The classes of the program in which `super().name` finds it: what comes next depends on the
        class of the object, which may inherit from several."""
        base = node.base
        if not isinstance(base, tree.Call) or last_name(base.func) != "super":
            return []
        owner = self._above_what(base)
        if owner is None:
            return []
        found: dict[Class, None] = {}
        classes = self.inference.classes
        for heir in classes.subclasses(owner):
            order = classes.mro(heir)
            after = order[order.index(owner) + 1 :]
            having = (cls for cls in after if cls.has(node.name))
            found.update(dict.fromkeys(itertools.islice(having, 1)))
        return list(found)
