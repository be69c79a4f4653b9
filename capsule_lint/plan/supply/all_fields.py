"""Objects that are made by position of all their fields, whichever these are: `cls(*(item[f.name] for f in fields(cls)))`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.entities.wholes import named_by
from capsule_lint.program.local_names import looked_up
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function


def goes_through_fields(program: Program, call: tree.Call, cls: Class) -> bool:
    """Whether a constructor is given what an item has for each field of its class: a field more is in both."""
    match call.args:
        case (
            tree.Argument(
                star="*",
                value=tree.Comprehension(
                    results=(result,),
                    generators=(tree.Generator(target=tree.Name() as target, iter=each, ifs=()),),
                ),
            ),
        ):
            pass
        case _:
            return False
    asked = looked_up(result)
    match each, asked[1] if asked is not None else None:
        case tree.Attr(name="__slots__", base=base), tree.Name(id=read) if read == target.id:
            return _is_of(program, base, cls) and _are_slots_parameters(program, cls)
        case _, name if (of := named_by(name, target, each)) is not None:
            return _is_of(program, of, cls) and _takes_fields(program, cls)
        case _:
            return False


def _is_of(program: Program, node: tree.Node, cls: Class) -> bool:
    return cls in program.inference.homes(node, classes=True)


def _takes_fields(program: Program, cls: Class) -> bool:
    """Whether its constructor takes just its fields, by position."""
    own = program.classes.constructor(cls) if program.classes.is_data(cls) else None
    return own is not None and all(parameter.by_position for parameter in own)


def _are_slots_parameters(program: Program, cls: Class) -> bool:
    """Whether the slots of a class stand in the order of its parameters, for both gain the scope beside the same
    neighbour, and what is written goes through them as well."""
    slots, initializer = cls.scope.bindings.get("__slots__", ()), cls.methods.get("__init__")
    listed = slots[0].value if len(slots) == 1 else None
    if initializer is None or not isinstance(listed, tree.Sequence):
        return False
    own = [parameter.name for parameter in initializer.own_params if parameter.by_position]
    return (
        own == list(map(tree.text, listed.items))
        and len(own) == len(initializer.own_params)
        and any(_makes_of_slots(program, method) for method in cls.methods.values())
    )


def _makes_of_slots(program: Program, method: Function) -> bool:
    """`{name: getattr(self, name) for name in self.__slots__}`."""
    return any(
        isinstance(node, tree.Comprehension)
        and node.kind == "DictComp"
        and last_name(node.generators[0].iter) == "__slots__"
        for node in program.names.inside(method)
    )
