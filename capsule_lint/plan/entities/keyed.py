"""Objects that are given their key, and beside it whose they are: `Revision(pk=article_pk(tenant_id, slug),
tenant_id=tenant_id)`. With a new segment in the key comes the field of its scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.local_names import reads_of_value
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.names import Names

_FINDING: Final = ("delete", "refresh", "update")
"""Methods of models that write no row as a whole."""


class Keyed(Room, Struct, frozen=True):
    """Finds their classes."""

    planner: Planner
    lacking: set[Class] = field(default_factory=set)
    """Those that lack a field."""

    def find(self) -> None:
        """Demand the fields that the classes lack."""
        program, gains = self.program, self.planner.gains
        holders = self.planner.sources.holders
        for cls in self._classes() if self.planner.defects else ():
            like = next(filter(self._names_scope, self._fields(cls)), None)
            for key in list(self._keys(cls)):
                for defect in self.planner.items.changing(key):
                    for scope in defect.missing:
                        narrow = scope not in program.policy.scopes_of(cls.name)
                        if not narrow and holders.attribute_of(cls, scope) is None:
                            gains.gain_field(cls, scope, defect.knot, like=like)
                            self.lacking.add(cls)

    def _classes(self) -> list[Class]:
        """The classes whose instances have a key and a scope, and may be items."""
        program, is_key = self.program, self.program.policy.is_key_name
        return [
            cls
            for cls in program.classes.having(self._names_scope)
            if not cls.module.is_test
            and not cls.module.generated
            and any(map(is_key, self._fields(cls)))
            and any(map(self._names_scope, self._fields(cls)))
            and not program.classes.is_typed_dict(cls)
            and program.domain.is_item(cls)
            and self.planner.gains.can_gain_field(cls)
        ]

    def _fields(self, cls: Class) -> Iterator[str]:
        """What instances have, by the class and those above it."""
        for owner in self.program.classes.mro(cls):
            yield from (*owner.stores, *owner.scope.bindings)

    def _keys(self, cls: Class) -> Iterator[tree.Node]:
        """What is given as a key to instances that are given a scope as well."""
        program = self.program
        for _, arguments in program.calls.given_to(cls):
            if any(map(self._names_scope, arguments)):
                for name, argument in arguments.items():
                    if program.policy.is_key_name(name):
                        yield argument.value

    def _names_scope(self, name: str) -> bool:
        return names_any_of(name, self.program.policy.scopes)


def needs_no_scope(program: Program, call: tree.Call, cls: Class) -> bool:
    """Whether a call makes a model of PynamoDB's for what its key finds, and neither says whose that is nor writes it as a
    whole: `Visit(pk, "visit").update(actions=…)`, `batch.delete(Visit(pk, "visit"))`, also where a function gives it; or a
    local is told it later. A document that stands in the body of its model, `owner = Owner()`, is none yet."""
    if program.classes.is_pynamo_document(cls):
        declared, around = program.names.parent(call), program.names.place(call).scope
        model = around.cls if around.kind == "class" else None
        return (
            isinstance(declared, tree.Assign)
            and model is not None
            and program.classes.is_pynamo(model)
        )
    takes, scopes = program.domain.held.takes, program.policy.scopes
    if (
        not program.classes.is_pynamo(cls)
        or not call.args
        or any(a.star for a in call.args)
        or any(takes(cls, name, scope) for name, _ in call.keywords for scope in scopes)
    ):
        return False
    return all(_needs_key_alone(program, cls, uses) for uses in _uses(program, call, set()))


def _needs_key_alone(program: Program, cls: Class, uses: Sequence[tree.Node]) -> bool:
    """Whether what uses an object only finds something by its key, or tells it later whose it is."""
    names, scopes = program.names, program.policy.scopes
    parents = [(use, names.parent(use)) for use in uses]
    is_attribute = program.domain.held.is_attribute
    set_later = [one for _, one in parents if isinstance(names.parent(one), tree.Assign)]
    told = (one.name for one in set_later if isinstance(one, tree.Attr))
    return any(is_attribute(cls, name, scope) for name in told for scope in scopes) or all(
        _only_finds(names, use, above) for use, above in parents if above not in set_later
    )


def _uses(program: Program, made: tree.Call, seen: set[Function]) -> Iterator[Sequence[tree.Node]]:
    """Where an object is used, behind a local, and for each call of a function that gives it: itself, where more than
    these may use it."""
    names = program.names
    match names.parent(made):
        case tree.Eval(kind="return") if calls := _calls(program, names.function_of(made), seen):
            for call in calls:
                yield from _uses(program, call, seen)
        case _:
            yield list(reads_of_value(names, made))


def _calls(program: Program, giver: Function | None, seen: set[Function]) -> Sequence[tree.Call]:
    """The calls that may be of a function; none where it is used as a value as well."""
    if giver is None or giver in seen:
        return ()
    seen.add(giver)
    family = program.calls.families.of(giver)
    callees = program.calls.callees
    return [
        call
        for member in family
        if not any(map(program.calls.is_value, family))
        for call in program.calls.candidates(member)
        if not (known := {one.function for one in callees(call)}) or not known.isdisjoint(family)
    ]


def _only_finds(names: Names, use: tree.Node, above: object) -> bool:
    """Whether an object is used for its key alone: `visit.update(…)`, `batch.delete(visit)`."""
    match above:
        case tree.Attr(name="attribute_values"):
            return names.module_of(use).is_test  # looks at what it has
        case tree.Attr(name=name):
            called = names.parent(above)
            return name in _FINDING and isinstance(called, tree.Call) and called.func is above
        case tree.Call(func=func):
            return func is not use and last_name(func) == "delete"
    return False
