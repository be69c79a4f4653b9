"""Classes that have no fields themselves, and are mixed into dataclasses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class


def mixed_into(program: Program, cls: Class) -> list[Class]:
    """The dataclasses that inherit from a class which is none, has no initializer and declares nothing, if all that is
    made of it is one: what it would declare is no field of theirs
    (https://docs.python.org/3/library/dataclasses.html#inheritance), what its methods read is."""
    classes = program.classes
    declares = any(b.annotation is not None for own in cls.scope.bindings.values() for b in own)
    if declares or classes.is_data(cls) or classes.initializer(cls) is not None:
        return []
    heirs = [heir for heir in classes.subclasses(cls) if heir is not cls]
    last = [heir for heir in heirs if all(one is heir for one in classes.subclasses(heir))]
    return (
        [heir for heir in heirs if classes.is_data(heir)]
        if all(map(classes.is_data, last))
        else []
    )
