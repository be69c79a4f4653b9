"""Classes that declare nothing themselves, and are mixed into dataclasses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class


def mixed_into(program: Program, cls: Class) -> list[Class]:
    """The dataclasses that inherit from a class which is none and has methods alone: what it would declare is no field
    of theirs (https://docs.python.org/3/library/dataclasses.html#inheritance), what its methods read is."""
    classes = program.classes
    declares = cls.scope.bindings.keys() - cls.methods.keys()
    if declares or classes.is_data(cls) or classes.initializer(cls) is not None:
        return []
    heirs = [heir for heir in classes.subclasses(cls) if heir is not cls]
    return heirs if all(map(classes.is_data, heirs)) else []
