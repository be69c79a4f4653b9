"""What a plan has decided so far: who gains which parameter or field, and what must land together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.model import Span, Verdict
    from capsule_lint.plan.testing.standins import Double
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Class, Module
    from capsule_lint.program.texts.pieces import Template

Knot = tuple[str, object]
"""Something that changes, for grouping: `("function", f)`, `("class", c)`, `("key", host)`, `("entity", name)`."""


@dataclass(eq=False, slots=True)
class Groups:
    """Disjoint sets of what must land together."""

    _parents: dict[Knot, Knot] = field(default_factory=dict)

    def find(self, knot: Knot) -> Knot:
        """The representative of the set that `knot` is in."""
        parents = self._parents
        parent = parents.setdefault(knot, knot)
        while parent != knot:
            above = parents[knot] = parents[parent]
            knot, parent = above, parents[above]
        return knot

    def join(self, one: Knot, other: Knot) -> None:
        """Make two sets one."""
        self._parents[self.find(one)] = self.find(other)


class Value(Struct, frozen=True):
    """An expression that yields a scope's value at a place."""

    code: str
    imports: tuple[tuple[str, str], ...] = ()
    knot: Knot | None = None
    """What must change for the expression to be right."""
    bind: bool = False
    """Whether it should be evaluated once and kept in a local name."""
    root: Function | None = None
    """The function whose parameter it starts from."""
    kind: str = "name"
    literal: str | None = None
    """The text that it always is, where that is known."""
    beside: Binding | None = None
    """The neighbour's local, where it is to be kept right after that."""


@dataclass(eq=False, slots=True)
class Want:
    """A place that needs a scope's value."""

    scope: Scope
    node: tree.Node
    knot: Knot
    purpose: str
    """`segment`, `argument`, `rebuild` or `local`; `text` for a field of a format string that others fill, and
    `field` for what fills it."""
    call: tree.Call | None = None
    callee: Function | Class | None = None
    mirror: tree.Node | None = None
    given: int = 0
    offset: int = 0
    """How many arguments of the call stand before the callee's own (`partial(f, …)`)."""
    name: str = ""
    """How the field is called that it fills, where that is not as the scope's parameter is."""


@dataclass(eq=False, slots=True)
class KeyDefect:
    """A key expression that lacks scopes."""

    template: Template
    module: Module
    function: Function | None
    missing: list[Scope]
    anchors: dict[str, tree.Node | None]
    """Behind which part of the expression the segments come; `None` for the front."""
    knot: Knot
    wants: dict[str, Want] = field(default_factory=dict)
    ends: dict[str, tree.Node] = field(default_factory=dict)
    """The values that such parts end with, where these are written elsewhere: `self.tenant_id` for `self.prefix`."""
    opened: set[str] = field(default_factory=set)
    """The scopes before which such a part has what sets the next one off: `f"{self.prefix}ORDER#{order_id}"`."""
    tags: dict[str, str] = field(default_factory=dict)
    """How the tags of scopes are spelled where that is not as policy has them."""
    marks: dict[str, str | None] = field(default_factory=dict)
    """What sets their segments off; `None` where nothing shows it."""
    makers: set[Function] = field(default_factory=set)
    """The functions that fill it, where it is one of several texts."""

    def behind(self, scope: Scope) -> tree.Node | None:
        """The value among the pieces that the segment of a scope comes behind; `None` for the front."""
        return self.ends.get(scope.name, self.anchors.get(scope.name))

    def tag(self, scope: Scope) -> str:
        """The tag of a scope as this key spells it."""
        return self.tags.get(scope.name, scope.tag)

    def mark(self, scope: Scope) -> str:
        """What sets the segment of a scope off."""
        mark = self.marks.get(scope.name)
        return "#" if mark is None else mark


class LambdaGain(Struct, frozen=True):
    """Before which of its parameters a lambda gains one, and which one has the neighbouring scope."""

    place: int
    beside: str


class Obstacle(Struct, frozen=True):
    """Why a change set cannot be proven: where, what, and whether a value or a reference is at fault."""

    filename: str
    span: Span
    reason: str
    symbol: str
    kind: str
    scopes: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class State:
    """The growing plan."""

    params: dict[Function, dict[str, Scope]] = field(default_factory=lambda: defaultdict(dict))
    fields: dict[Class, dict[str, Scope]] = field(default_factory=lambda: defaultdict(dict))
    attributes: dict[tuple[Class, str], str] = field(default_factory=dict)
    """The attribute in which a class that gains a field keeps it (`_capsule_id`)."""
    lambdas: dict[int, dict[str, LambdaGain]] = field(default_factory=dict)
    """The parameters that lambdas gain, by their expressions."""
    lambda_nodes: dict[int, tree.Lambda] = field(default_factory=dict)
    doubles: dict[int, Double] = field(default_factory=dict)
    """What tests put in the place of functions which change, by lambda or definition."""
    handler_params: dict[Function, Knot] = field(default_factory=dict)
    forwarders: set[Function] = field(default_factory=set)
    """The functions of modules and classes that pass on what they are given to what gains a parameter."""
    groups: Groups = field(default_factory=Groups)
    wants: list[Want] = field(default_factory=list)
    obstacles: list[tuple[Knot, Obstacle]] = field(default_factory=list)
    verdicts: dict[int, tuple[Verdict, str]] = field(default_factory=dict)
    """What has become of occurrences whose surroundings were looked into, by their expressions."""

    def double(self, node: object, double: Double) -> None:
        """A lambda, or the definition of a function, changes with the function in whose place it comes."""
        self.doubles[id(node)] = double
        self.groups.join(("lambda", id(node)), ("function", double.function))

    def gains(self, one: Function | Class, scope: Scope) -> bool:
        """Whether a function gains a parameter for a scope, or a class by itself a field."""
        own = self.params.get(one) if isinstance(one, Function) else self.fields.get(one)
        return own is not None and scope.parameter in own

    def gained(self) -> dict[Class, set[str]]:
        """The parameter names of the fields that classes gain."""
        return {cls: set(scopes) for cls, scopes in self.fields.items()}
