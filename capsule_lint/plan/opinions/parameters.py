"""Scope parameters and fields that are not what they seem: optional ones, and unused ones."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.judgement import OptionalFact, UnusedFact
from capsule_lint.plan.code import does_nothing
from capsule_lint.plan.opinions.base import Ground, Opinion
from capsule_lint.plan.opinions.written_out import is_everyone, texts
from capsule_lint.policy import SourceKind
from capsule_lint.program.calling.fixtures import is_collected
from capsule_lint.program.fields import default_in
from capsule_lint.program.inference.types import Collection, FunctionObject, Instance, Types
from capsule_lint.program.local_names import BY_NAME
from capsule_lint.program.model import Class, Function, enclosing, last_name
from capsule_lint.program.optional import how_optional
from capsule_lint.program.texts.pieces import hole_name, names_scope, words

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program.fields import Field

_INJECTED: Final = frozenset(
    [
        "Depends",
        "Security",
        "Provide",
        "Option",
        "Argument",
        "Query",
        "Path",
        "Header",
        "Cookie",
        "Body",
        "Form",
        "File",
        "Inject",
        "Parameter",
    ]
)
"""Defaults that stand for a value which something else fills in."""
_ITEM_WORDS: Final = frozenset(
    ("item", "entity", "record", "model", "obj", "row", "doc", "document", "instance", "event")
)
_HARMLESS: Final = frozenset(("staticmethod", "classmethod", "override", "final", "property"))


@dataclass(eq=False)
class ParameterOpinions:
    """Judges the parameters and fields that take scopes."""

    ground: Ground

    def find(self) -> Iterator[Opinion]:
        """What is wrong with parameters that are there."""
        unused: dict[tuple[Function, Scope], tree.Parameter] = {}
        for module in self.ground.modules():
            for function in module.functions:
                for scope in self.ground.scopes:
                    parameter = self.ground.parameter(function, scope)
                    if parameter is not None and self._is_called_by_us(function):
                        yield from self._optional(function, parameter, scope)
                        if self._is_unused(function, parameter, scope):
                            unused[function, scope] = parameter
            for cls in module.classes:
                yield from self._optional_fields(cls)
        self._add_handing(unused)
        for (function, scope), parameter in unused.items():
            yield Opinion(
                UnusedFact(
                    function.module.filename,
                    tree.span_of(parameter.at),
                    function.symbol,
                    (scope.parameter,),
                )
            )

    def _is_called_by_us(self, function: Function) -> bool:
        """Whether the program itself passes the arguments; a framework has rules of its own."""
        return not self.ground.program.domain.enters(function) and not is_collected(function)

    # --- optional ---

    def _optional(
        self, function: Function, parameter: tree.Parameter, scope: Scope
    ) -> Iterator[Opinion]:
        if (function, scope.name) not in self.ground.leading:
            return
        if isinstance(parameter.default, tree.Call) and last_name(parameter.default) in _INJECTED:
            return
        if parameter.name.startswith("_"):
            return  # its own class gives it, where it has one
        has_default = parameter.default is not None and not self._is_bound_early(parameter, scope)
        reason = how_optional(parameter.annotation, has_default)
        if reason and scope in self.ground.required(function):
            yield Opinion(
                OptionalFact(
                    function.module.filename,
                    tree.span_of(parameter.at),
                    function.symbol,
                    (scope.parameter,),
                    reason=reason,
                )
            )

    def _is_bound_early(self, parameter: tree.Parameter, scope: Scope) -> bool:
        """Whether a default keeps the value that the function around has where this one is made, so that a loop's next
        one does not come in its place: `def load(order_id, tenant_id=tenant_id)`."""
        default = parameter.default
        if not isinstance(default, tree.Name) or not names_scope(default.id, scope):
            return False
        bindings = self.ground.program.names.bindings_of(default)
        kept = all(b.function and not _is_empty(b.assigned) for b in bindings)
        return bool(bindings) and kept

    def _optional_fields(self, cls: Class) -> Iterator[Opinion]:
        classes = self.ground.program.classes
        for one in classes.fields(cls) if classes.is_data(cls) else ():
            scope = self.ground.scope_named(one.name) if one.owner is cls else None
            reason = how_optional(one.annotation, one.has_default) if scope is not None else ""
            if scope is None or not reason:
                continue
            if self._keeps_entities_apart(one, scope) or self._is_default_source(one, scope):
                yield Opinion(
                    OptionalFact(
                        cls.module.filename,
                        one.statement.targets[0].span,
                        cls.symbol,
                        (scope.parameter,),
                        cls.name,
                        reason=reason,
                    )
                )

    def _keeps_entities_apart(self, one: Field, scope: Scope) -> bool:
        """Whether the entity that has a field needs its scope; of a base, whether all entities do that have it from there.
        What a base has for those that say nothing may be what their surroundings say."""
        program, entities = self.ground.program, self.ground.program.domain.entities
        if one.owner in entities:
            return self._needs(one.owner, scope)
        holders = [
            heir
            for heir in program.classes.subclasses(one.owner)
            if heir in entities and one in program.classes.fields(heir)
        ]
        optional = how_optional(one.annotation, has_default=False)
        return bool(holders and optional) and all(self._needs(heir, scope) for heir in holders)

    def _needs(self, entity: Class, scope: Scope) -> bool:
        program = self.ground.program
        narrow = program.domain.narrowed_names(entity, None, entity.module.name)
        return scope in program.policy.scopes_of(narrow)

    def _is_default_source(self, one: Field, scope: Scope) -> bool:
        """Whether policy takes a scope from a field that has a value by itself: nobody has to say it."""
        default = default_in(one.value) if one.value is not None else None
        said = texts(self.ground, default[0], scope) if default is not None else ()
        return any(not is_everyone(text) for _, text in said) and any(
            source.kind is SourceKind.ATTRIBUTE
            and (source.module, source.name, source.access)
            == (one.owner.module.name, one.owner.name, one.name)
            for source in scope.sources
        )

    # --- unused ---

    def _is_unused(self, function: Function, parameter: tree.Parameter, scope: Scope) -> bool:
        if parameter.name in self._reads[function] or parameter.name.startswith("_"):
            return False
        return self._should_use(function, scope)

    def _should_use(self, function: Function, scope: Scope) -> bool:
        if not self._must_use(function, scope) or not self._works(function):
            return False
        return not self._reaches_otherwise(function, scope) and not self._is_one_of(function)

    def _is_one_of(self, function: Function) -> bool:
        """Whether a call that calls it may call functions of other names as well, which decide what it is
        given: a handler in a table, a step of a saga."""
        calls = self.ground.program.calls
        return any(
            other.function is not None and other.function.name != function.name
            for call, _ in calls.callers(function)
            for other in calls.callees(call)
        )

    def _add_handing(self, unused: dict[tuple[Function, Scope], tree.Parameter]) -> None:
        """Those that touch the table as well, and give the value to nothing but such a parameter: it reaches
        no key there either."""
        program, queue = self.ground.program, list(unused)
        while queue:
            function, scope = queue.pop()
            for call, _ in program.calls.callers(function):
                caller = program.names.function_of(call)
                parameter = self.ground.parameter(caller, scope) if caller is not None else None
                if caller is None or parameter is None or (caller, scope) in unused:
                    continue
                if not program.domain.touches_table(caller) or not self._should_use(caller, scope):
                    continue
                if self._only_hands(caller, parameter, scope, unused):
                    unused[caller, scope] = parameter
                    queue.append((caller, scope))

    def _only_hands(
        self,
        caller: Function,
        parameter: tree.Parameter,
        scope: Scope,
        unused: Container[tuple[Function, Scope]],
    ) -> bool:
        """Whether all that a function does with a parameter is to call functions by it that do not use it."""
        program = self.ground.program
        for node in program.names.inside(caller):
            if not isinstance(node, tree.Name) or node.id != parameter.name:
                continue
            call = program.names.parent(node)
            callees = program.calls.callees(call) if isinstance(call, tree.Call) else ()
            made = [c.function for c in callees]
            if not made or not all(f is not None and (f, scope) in unused for f in made):
                return False
        return True

    def _must_use(self, function: Function, scope: Scope) -> bool:
        """Whether a function is there to use the scope, as far as can be told."""
        domain, planner = self.ground.program.domain, self.ground.planner
        cls = function.owner
        helper = function in self.ground.program.keys.helpers
        method = cls is not None and cls in domain.repositories and not function.is_property
        plain = cls is None and function.parent is None and domain.touches_table(function)
        plain = plain and planner.demands.asks(function)
        if not helper and not method and not plain:
            return False
        if cls is not None and self.ground.program.classes.is_protocol(cls):
            return False
        if (function, scope.name) in self._wanted or scope not in self.ground.required(function):
            return False
        if any(p.kind == "**" for p in function.params) or function.name.startswith("__"):
            return False
        given = planner.demands.given_entities
        return not given.takes_one(function) and not self._takes_item(function)

    def _works(self, function: Function) -> bool:
        """Whether the body does anything with what it is given: it is no stub, and no null object."""
        if does_nothing(function):
            return False
        if function.decorators - _HARMLESS and self._is_wrapped(function):
            return False
        reads = self._reads[function]
        return not reads & BY_NAME and any(p.name in reads for p in function.params)

    def _is_wrapped(self, function: Function) -> bool:
        """Whether a decorator could use the parameters: one of the program, or a cache."""
        for decorator in function.fact.decorators:
            if "cache" in last_name(decorator).lower() or last_name(decorator) == "overload":
                return True
            if last_name(decorator).startswith("abstract"):
                return True
            called = tree.uncalled(decorator)
            types = self.ground.program.inference.of(called)
            if any(isinstance(t, FunctionObject) for t in types):
                return True
        return False

    def _takes_item(self, function: Function) -> bool:
        """Whether a parameter holds an item, or several, that have the scope themselves."""
        domain = self.ground.program.domain
        named = {words(cls.name) for cls in domain.entities}
        for parameter in function.own_params:
            own = words(parameter.name)
            if own in named or (own and own[-1] in _ITEM_WORDS):
                return True
            if self._has_entities(domain.parameter_types(function, parameter)):
                return True
        return False

    def _has_entities(self, types: Types) -> bool:
        entities = self.ground.program.domain.entities
        return any(
            self._has_entities(t.items)
            if isinstance(t, Collection)
            else isinstance(t, Instance) and t.cls in entities
            for t in types
        )

    def _reaches_otherwise(self, function: Function, scope: Scope) -> bool:
        """Whether the body reads the scope from something else: `order.tenant_id`."""
        return any(names_scope(name, scope) for name in self._paths[function])

    @cached_property
    def _reads(self) -> dict[Function, set[str]]:
        """The names that each function mentions."""
        modules = self.ground.modules()
        return self._by_function((n, n.id) for module in modules for n in module.each(tree.Name))

    @cached_property
    def _paths(self) -> dict[Function, set[str]]:
        """What each function reads attributes and items by."""
        return self._by_function(
            (node, hole_name(node))
            for module in self.ground.modules()
            for node in module.either(tree.Attr, tree.Subscript)
        )

    def _by_function(self, said: Iterable[tuple[tree.Node, str]]) -> dict[Function, set[str]]:
        """What expressions say, by the functions that they stand in, those around these included."""
        found: dict[Function, set[str]] = defaultdict(set)
        for node, name in said:
            for function in enclosing(self.ground.program.names.place(node)):
                found[function].add(name)
        return found

    @cached_property
    def _wanted(self) -> set[tuple[Function, str]]:
        """The functions that the plan lets use their parameters after all: they are reported already."""
        planner = self.ground.planner
        wants = [w for d in planner.defects for w in d.wants.values()]
        wants += [w for d in planner.local.notes.defects for w in d.wants.values()]
        return {
            (function, want.scope.name)
            for want in (*wants, *planner.state.wants)
            for function in enclosing(self.ground.program.names.place(want.node))
        }


def _is_empty(value: tree.Node | None) -> bool:
    """Whether something is no scope's value: `None`, or an empty text."""
    return isinstance(value, tree.Const) and not value.value
