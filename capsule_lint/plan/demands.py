"""Which methods and functions policy demands scopes of, by themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.converters import Converters
from capsule_lint.plan.drifting import Drifting
from capsule_lint.plan.given_entities import GivenEntities
from capsule_lint.plan.given_keys import GivenKeys
from capsule_lint.plan.idleness import Idleness
from capsule_lint.plan.key_users import KeyUsers
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.entries import is_registered
from capsule_lint.plan.supply.made_for import MadeFor
from capsule_lint.plan.supply.spelled_out import SpelledOut
from capsule_lint.plan.uses.absorbed import absorbs, hands_scopes, stands_for, takes_by_name
from capsule_lint.plan.uses.passers import handed_to
from capsule_lint.program.calling.fixtures import is_collected
from capsule_lint.program.inference.types import Collection, Instance
from capsule_lint.program.model import last_name
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function


_DEPTH: Final = 3
_AMOUNTS: Final = frozenset(("Segment", "TotalSegments", "Limit", "PageSize", "MaxItems"))
"""Arguments that say how much is read, and not of what."""
_BY: Final = re.compile(r"(?:^|_)(?:by|for|of|in|with|from)_")
_REACTS: Final = re.compile(r"(?:on|when|handle|process|consume|apply|project)(?:_|$)")
"""What functions are called that others call with a message, and with nothing else."""


@dataclass(eq=False)
class Demands(Room):
    """Finds the repository methods that lack parameters."""

    planner: Planner

    @cached_property
    def _converters(self) -> Converters:
        return Converters(self.program)

    @cached_property
    def _key_users(self) -> KeyUsers:
        return KeyUsers(self.planner)

    @cached_property
    def given_entities(self) -> GivenEntities:
        """Which functions are given entities."""
        return GivenEntities(self.program)

    @cached_property
    def _given_keys(self) -> GivenKeys:
        return GivenKeys(self.program, self._key_users)

    @cached_property
    def _made_for(self) -> MadeFor:
        return MadeFor(self.planner)

    @cached_property
    def drifting(self) -> Drifting:
        """Which methods lack what their Protocol or base has."""
        return Drifting(self.program)

    @cached_property
    def _idleness(self) -> Idleness:
        return Idleness(self.planner)

    def find(self) -> None:
        """Demand the parameters that repository methods, and functions like them, lack."""
        domain = self.program.domain
        for cls in sorted(domain.repositories | domain.elsewhere, key=lambda c: c.symbol):
            demanded = [method for method in cls.methods.values() if self._is_demanded(method)]
            for method in demanded:
                self._demand(method, cls)
            if cls in domain.above_layers and not any(
                method in self.planner.methods and domain.takes_scope(method)
                for method in demanded
            ):
                for method in demanded:
                    self.planner.methods.pop(method, None)  # nothing else of it changes
        for function in self._repository_functions():
            self._demand(function, None)
        for method in list(self.planner.methods):
            self._gain(method)

    def _gain(self, method: Function) -> None:
        """Give a method the parameters that are demanded of it."""
        for scope in self.planner.methods[method]:
            base = self.drifting.base_of(method, scope)
            if base is not None:
                self.planner.drifting[method] = base
            code = "CAP201" if base is None else "CAP203"
            if not self.planner.silence.over(method.module, method.fact.name_at, code):
                self.planner.signatures.gain(method, scope, ("function", method))

    def demand_reading(self, cls: Class, method: Function) -> bool:
        """Demand scopes of a method that goes through rows; whether there was anything to demand."""
        if method in self.planner.methods or not self.may_be_demanded(method):
            return False
        self._demand(method, cls)
        if method in self.planner.methods:
            self._gain(method)
        return method in self.planner.methods

    def required_of(self, cls: Class | None, function: Function) -> tuple[Scope, ...]:
        """The scopes that policy demands of a function, by the entity that it serves, or by its keys."""
        domain, policy = self.program.domain, self.program.policy
        entity = domain.narrowed_names(cls, function, function.module.name)
        if entity is None and cls is None:
            sites = self.program.keys.inside(function)
            needed = {scope for site in sites for scope in domain.required(site)}
            told = needed if sites else self._key_users.scopes_of(function)
            if told is not None:
                return tuple(scope for scope in policy.scopes if scope in told)
        return policy.scopes_of(entity)

    def _demand(self, function: Function, cls: Class | None) -> None:
        """Note the scopes that a method, or a function like one, lacks."""
        domain, required = self.program.domain, self.required_of(cls, function)
        narrow = len(required) < len(self.program.policy.scopes)
        narrow = narrow or domain.narrowed_names(cls, function, function.module.name) is not None
        if self._finds_scope(function) or self._asks_around(function) or is_registered(function):
            return
        if self.planner.entries.keeper_of(function) is not None:
            return
        if hands_scopes(self.program, function) or self._is_told_by_keys(function):
            return
        if self._converters.is_one(function) or self._hands_ids(function):
            return
        suffices = self.program.policy.entity_argument_suffices
        reacts = len(function.own_params) == 1 and _REACTS.match(function.name)
        takes = self.given_entities.takes_any(function)
        owed = [scope for scope in required if self.drifting.owes(function, scope)]
        if (
            takes
            and not owed
            and (narrow or suffices or reacts or self.given_entities.says_of_each(function))
        ):
            return
        lacking = [
            scope
            for scope in required
            if domain.scope_parameter(function, scope) is None
            and not domain.held.is_several(function, scope)
            and not domain.carries(function, scope, self.state.gained())
            and not (cls is None and domain.reads_beside(function, scope))
            and not SpelledOut(self.planner).in_all_keys(function, scope)
            and (
                scope in owed
                or not self.planner.local.objects.carried(function, self.state.gained())
            )
            and not (cls is None and self._has_itself(function, scope))
            and not self.planner.sources.policy_reads.is_read_in(function, scope)
            and not self.planner.scope_parts.is_read_in(function, scope)
            and not absorbs(self.program, function, scope)
            and not takes_by_name(self.program, function, scope)
            and stands_for(self.program, function) is None
            and not any(p.name == f"{scope.name}_name" for p in function.own_params)
            and not self.planner.messages.tells(function, scope)
            and not self.planner.keys.are_silenced(function, scope)
        ]
        if lacking:
            self.planner.methods[function] = lacking

    def _hands_ids(self, function: Function) -> bool:
        """Whether a function hands its `*ids` on to what takes scopes, or will: its callers say them among these."""
        takes, makes = self.program.domain.takes_scope, self._key_users.makes
        return any(takes(one) or makes(one) for one in handed_to(self.program, function))

    def _is_told_by_keys(self, function: Function) -> bool:
        """Whether a method whose signature may be that of a base from outside makes keys, or has others
        make them: what these lack is told where they are made."""
        program, sources = self.program, self.planner.sources
        if self.planner.entries.base_of(function) is None:
            return False
        if not program.domain.touches_table(function) and all(
            map(sources.constant, program.policy.scopes)
        ):
            return True  # what it calls has policy's constants at hand
        return program.keys.made_by(function)

    def _has_itself(self, function: Function, scope: Scope) -> bool:
        """Whether a function of a module has a scope by what else it is given."""
        bound = function.scope.bindings
        if any(b.kind == "assign" for b in bound.get(scope.parameter, ())):
            return True
        parts = self.planner.scope_parts
        return self._is_in_rows(function, scope) or any(
            b.kind == "assign" and parts.in_local(b, other, scope) is not None
            for other in self.program.policy.scopes
            for b in bound.get(other.parameter, ())
        )

    def _is_in_rows(self, function: Function, scope: Scope) -> bool:
        """Whether a function is given several rows, each of which has the scope."""
        domain, classes = self.program.domain, self.program.classes
        return any(
            isinstance(row, Instance) and classes.has_attribute(row.cls, scope.parameter)
            for parameter in function.own_params
            for one in domain.parameter_types(function, parameter)
            if isinstance(one, Collection)
            for row in one.items
        )

    def _asks_around(self, function: Function) -> bool:
        """Whether a function takes no scope, in a program whose keys ask for them where they are made."""
        parameter, scopes = self.program.domain.scope_parameter, self.program.policy.scopes
        return self._is_ambient and all(parameter(function, scope) is None for scope in scopes)

    @cached_property
    def _is_ambient(self) -> bool:
        return self.planner.sources.ambient.fills_keys()

    def _finds_scope(self, function: Function) -> bool:
        """Whether a function is what says the scope: `resolve_tenant_id(host)`."""
        return _BY.search(function.name) is None and any(
            names_scope(function.name, scope)
            and self.program.domain.scope_parameter(function, scope) is None
            for scope in self.program.policy.scopes
        )

    def _is_demanded(self, method: Function) -> bool:
        """Whether a repository's method touches entities."""
        if not self.may_be_demanded(method):
            return False
        if any(self.drifting.owes(method, scope) for scope in self.program.policy.scopes):
            return True
        if method.owner in self.program.domain.elsewhere:
            return False
        family = self.program.calls.families.of(method)
        return not self._idleness.of(method, family) and any(self._touches(f) for f in family)

    def may_be_demanded(self, method: Function) -> bool:
        """Whether a repository's method is one of which scopes may be demanded."""
        if (
            method.name.startswith("_")
            or method.is_property
            or method.module.generated
            or method in self.program.keys.helpers
        ):
            return False
        if method.is_static or "classmethod" in method.decorators or is_collected(method):
            return False
        if method in self.program.domain.handlers or self._only_silenced(method):
            return False
        family = self.program.calls.families.of(method)
        if self._given_keys.are_given(method, family) and not any(
            map(self.program.domain.takes_scope, family)
        ):
            return False
        return not any(self._made_for.one_scope(f.owner) for f in family if f.owner is not None)

    def _only_silenced(self, method: Function) -> bool:
        """Whether all keys of a method that lack scopes are meant to."""
        return any(d.function is method for d in self.planner.silenced) and not any(
            d.function is method for d in self.planner.defects
        )

    def asks(self, function: Function) -> bool:
        """Whether a function asks for something by an identifier that it is given."""
        domain, scopes = self.program.domain, self.program.policy.scopes
        return function in self._key_users.asking or any(
            domain.is_identifier(p) and not names_any_of(p.name, scopes)
            for p in function.own_params
        )

    def _touches(self, method: Function) -> bool:
        """Whether the method takes an entity or an identifier, or touches a key."""
        if self._given_keys.is_given(method):
            return False
        named = filter(self.program.domain.is_identifier, method.own_params)
        if any(not self._says_how_to_scan(method, parameter) for parameter in named):
            return self._key_users.makes(method) or not self._goes_on(method)
        if method in self._key_users.asking or self.given_entities.takes_any(method):
            return True
        if self.planner.local.parted.suffice(method):
            return False
        return (
            self._key_users.makes(method)
            or self.planner.local.asks(method)
            or self._finds_by_own(method)
        )

    def _goes_on(self, method: Function) -> bool:
        """Whether a method is a step of a query that others ask: it gives back one of its own class, and asks
        nothing itself."""
        given = self.program.inference.returned(method)
        own = any(isinstance(one, Instance) and one.cls is method.owner for one in given)
        return own and not (self._asks_table(method, 0) or self.planner.local.asks(method))

    def _says_how_to_scan(self, method: Function, parameter: tree.Parameter) -> bool:
        """Whether a parameter says nothing but how much of a table is read: `scan(Segment=number)`."""
        names = self.program.names
        reads = [names.parent(node) for node in names.called(method, parameter.name)]
        return bool(reads) and all(
            isinstance(one, tree.Call)
            and any(
                a.keyword in _AMOUNTS and last_name(a.value) == parameter.name for a in one.args
            )
            for one in reads
        )

    def _finds_by_own(self, method: Function) -> bool:
        """Whether a method that is told something has a private one of its class ask the table: by an identifier for
        what it reads or writes itself, or by what it has looked up before."""
        told = any(p.default is None for p in method.own_params if p.kind not in ("*", "**"))
        domain, own = self.program.domain, self._private(method) if told else {}
        touching = domain.touches_table(method)
        looking = self.planner.local.notes.touches(method)
        return any(
            (touching and domain.touches_table(one) and self._is_told_identifier(one))
            or (looking and given and self._asks_table(one, 0))
            for one, given in own.items()
        )

    def _is_told_identifier(self, method: Function) -> bool:
        domain = self.program.domain
        return any(map(domain.is_identifier, method.own_params)) and not domain.takes_scope(method)

    def _asks_table(self, method: Function, depth: int) -> bool:
        """Whether a method asks the table, or has private ones of its class do so."""
        return self.program.domain.touches_table(method) or (
            depth < _DEPTH and any(self._asks_table(m, depth + 1) for m in self._private(method))
        )

    def _private(self, method: Function) -> dict[Function, bool]:
        """The private methods of its class that a method calls, and whether it gives them anything."""
        found: dict[Function, bool] = {}
        inside = self.program.names.inside(method)
        for call in (node for node in inside if isinstance(node, tree.Call)):
            for called in (callee.function for callee in self.program.calls.callees(call)):
                own = called is not None and called.owner is method.owner is not None
                if called is not None and own and called.name.startswith("_"):
                    found[called] = found.get(called, False) or bool(call.args)
        return found

    def _leaves_to_told(self, function: Function, making: Iterable[Function]) -> bool:
        """Whether a function that is told no scope only has others in it that make keys, each of which is told:
        what it gives back is made for all of them, `return NoteStore(put=put, get=get)`."""
        told = self.program.domain.takes_scope
        inner = list(making)
        return (
            bool(inner)
            and not told(function)
            and all(one is not function and told(one) for one in inner)
        )

    def _repository_functions(self) -> Iterable[Function]:
        """Functions outside of classes that read or write entities themselves."""
        sites: dict[Function, set[Function]] = {}
        for site in self.program.keys.sites:
            if site.role is not Role.HELPER and site.function is not None:
                for one in self.program.names.running(site.function):
                    sites.setdefault(one, set()).add(site.function)
        for module in self.program.names.modules.values():
            if module.is_test or module.generated:
                continue
            for function in module.functions:
                if (
                    function.owner is not None
                    or function.parent is not None
                    or function in self.program.keys.helpers
                ):
                    continue
                if function.name.startswith("__"):
                    continue
                if self._leaves_to_told(function, sites.get(function, ())):
                    continue
                if any(self.program.policy.is_key_name(p.name) for p in function.own_params):
                    continue  # it is given whole keys, and knows nothing of what is in them
                domain = self.program.domain
                works = domain.touches_table(function) or function in domain.asking_layers
                if not works and function not in sites:
                    continue  # what it is given need not be asked for
                takes = any(map(self.program.domain.is_identifier, function.own_params))
                takes = takes or function in self._key_users.asking
                if not (takes or self.given_entities.takes_one(function)) and not (
                    works and self._key_users.is_told(function)
                ):
                    continue
                if not self.program.domain.enters(function):
                    yield function
