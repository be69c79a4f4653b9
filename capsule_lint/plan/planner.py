"""Change sets by fixpoint over the call graph: what must gain a parameter, a field, an argument."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from capsule_lint.plan.defaulted import Defaulted
from capsule_lint.plan.demands import Demands
from capsule_lint.plan.entities.bypassed import Bypassed
from capsule_lint.plan.entities.called_keys import CalledKeys
from capsule_lint.plan.entities.gains import Gains
from capsule_lint.plan.entities.images import Images
from capsule_lint.plan.entities.items import Items
from capsule_lint.plan.entities.keyed import Keyed
from capsule_lint.plan.entities.loads import Loads
from capsule_lint.plan.entities.reloaded import Reloaded
from capsule_lint.plan.entities.spreaders import Spreaders
from capsule_lint.plan.entities.stored import Stored
from capsule_lint.plan.entities.tuples import Tuples
from capsule_lint.plan.halves import Halves
from capsule_lint.plan.keys.blanks import Blanks
from capsule_lint.plan.keys.fillings import Fillings
from capsule_lint.plan.keys.key_defects import KeyDefects
from capsule_lint.plan.memory.access_checks import AccessChecks
from capsule_lint.plan.memory.bystanders import Bystanders
from capsule_lint.plan.memory.drained import Drained
from capsule_lint.plan.memory.fed import Fed
from capsule_lint.plan.memory.given_groups import GivenGroups
from capsule_lint.plan.memory.group_checks import GroupChecks
from capsule_lint.plan.memory.grouped import Grouped
from capsule_lint.plan.memory.idle_keys import IdleKeys
from capsule_lint.plan.memory.idle_scopes import IdleScopes
from capsule_lint.plan.memory.kept_rows import KeptRows
from capsule_lint.plan.memory.key_checks import KeyChecks
from capsule_lint.plan.memory.key_functions import KeyFunctions
from capsule_lint.plan.memory.key_positions import KeyPositions
from capsule_lint.plan.memory.last_asked import LastAsked
from capsule_lint.plan.memory.leaks import Leaks
from capsule_lint.plan.memory.local import LocalKeys
from capsule_lint.plan.memory.summed import Summed
from capsule_lint.plan.memory.tokens import Tokens
from capsule_lint.plan.memory.twins import Twins
from capsule_lint.plan.memory.unfiltered import Unfiltered
from capsule_lint.plan.memory.whole_reads import WholeReads
from capsule_lint.plan.scope_types import ScopeTypes
from capsule_lint.plan.scoped_calls import ScopedCalls
from capsule_lint.plan.signatures import Signatures
from capsule_lint.plan.silence import Silence
from capsule_lint.plan.state import KeyDefect, Knot, Obstacle, State, Want
from capsule_lint.plan.supply.beside_locals import BesideLocals
from capsule_lint.plan.supply.bodies import Bodies
from capsule_lint.plan.supply.class_patterns import ClassPatterns
from capsule_lint.plan.supply.emptied import Emptied
from capsule_lint.plan.supply.entries import Entries
from capsule_lint.plan.supply.event_rows import EventRows
from capsule_lint.plan.supply.helpers import Helpers
from capsule_lint.plan.supply.messages import Messages
from capsule_lint.plan.supply.origins import Origins
from capsule_lint.plan.supply.others import Others
from capsule_lint.plan.supply.outside import Outside
from capsule_lint.plan.supply.owners import Owners
from capsule_lint.plan.supply.queued import Queued
from capsule_lint.plan.supply.queued_rows import QueuedRows
from capsule_lint.plan.supply.serving import Serving
from capsule_lint.plan.supply.set_here import SetHere
from capsule_lint.plan.supply.sources import Sources
from capsule_lint.plan.supply.thrown_away import ThrownAway
from capsule_lint.plan.supply.values import Values
from capsule_lint.plan.taken_apart.cut_off import CutOff
from capsule_lint.plan.taken_apart.probes import Probes
from capsule_lint.plan.taken_apart.readers import Readers
from capsule_lint.plan.taken_apart.scope_parts import ScopeParts
from capsule_lint.plan.uses.lambdas import Lambdas

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.model import Span
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.places.sites import KeySite


class Planner:
    """Grows the plan until nothing is missing. Each idea has a room of its own, in which what it knows is kept."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.state = State()
        self.defects: list[KeyDefect] = []
        self.silenced: list[KeyDefect] = []
        """Defects that people have said are meant."""
        self.blank: list[KeyDefect] = []
        """Keys whose text has what they lack, where nothing fills it."""
        self.narrow: list[KeyDefect] = []
        """What keys have less than others, because policy wants no more of them."""
        self.sites: dict[int, KeySite] = {}
        self.prefixes: list[KeySite] = []
        self.methods: dict[Function, list[Scope]] = {}
        """Repository methods that lack parameters, by themselves."""
        self.drifting: dict[Function, Function] = {}
        self.partial_calls: dict[int, tuple[tree.Call, Function | Class, list[Scope]]] = {}
        self._queued: list[Want] = []
        self.sources = Sources(program, self.state)
        self.set_here = SetHere(program)
        self.silence = Silence(program.policy)
        self.local = LocalKeys(program, self.state, self.silence)
        self.loads = Loads(self)
        self.bypassed = Bypassed(self)
        self.types = ScopeTypes(program)
        self.stored = Stored(self)
        self.spreaders = Spreaders(program)
        self.items = Items(self)
        self.keyed = Keyed(self)
        self.readers = Readers(program, self.state)
        self.scope_parts = ScopeParts(self)
        self.cut_off = CutOff(self)
        self.tuples = Tuples(self)
        self.keys = KeyDefects(self)
        self.gains = Gains(self)
        self.helpers = Helpers(self)
        self.demands = Demands(self)
        self.scoped = ScopedCalls(self)
        self.signatures = Signatures(self)
        self.defaulted = Defaulted(self)
        self.messages = Messages(self)
        self.bodies = Bodies(self)
        self.whole_reads = WholeReads(self)
        self.unfiltered = Unfiltered(self, self.whole_reads)
        self.fed = Fed(self)
        self.values = Values(self)
        self.others = Others(self)
        self.origins = Origins(program, self.values)
        self.owners = Owners(self)
        self.outside = Outside(self)
        self.emptied = Emptied(self)
        self.beside_locals = BesideLocals(self)
        self.entries = Entries(program, self.values)
        self.serving = Serving(self)
        self.lambdas = Lambdas(self)
        self.fillings = Fillings(self)
        self.queued = Queued(self)
        self.thrown_away = ThrownAway(self)
        self.class_patterns = ClassPatterns(self)

    def plan(self) -> None:
        """Fill the state."""
        self._find()
        self._grow()
        self._tie()
        self._check()

    def key_wants(self) -> list[Want]:
        """The values that the keys of items lack."""
        return [want for defect in self.defects for want in defect.wants.values()]

    def _find(self) -> None:
        """What is missing by itself: in keys, in what is kept in memory, of entities, methods and calls."""
        for site in tuple(self.program.keys.sites):  # which judging adds to
            if not site.module.is_test:
                self.keys.judge(site)
        probes = Probes(self.program, self.readers)
        for site in [s for s in self.prefixes if probes.loses(s, self.defects)]:
            self.keys.judge(site, prefix=True)
        self.keys.check()
        self.local.find()
        self.items.find()
        self.keyed.find()
        for want in (*self.local.notes.wants, *self.key_wants()):
            self.gains.mirror(want)
        self.gains.entities()
        self.gains.keys()
        self.demands.find()
        self.fillings.find()
        self.scoped.calls()
        Blanks(self).find()
        self.scoped.helpers()
        for want in (*self.key_wants(), *self.local.notes.wants):
            self.ask(want)

    def _grow(self) -> None:
        """What is missing because of what is gained, until nothing is."""
        self._settle()
        others = (
            self.loads,
            self.items,
            CalledKeys(self),
            AccessChecks(self),
            self.unfiltered,  # which asks what such checks say of rows
            self.defaulted,
            self.fed,
            self.lambdas,
            self.bypassed,
            self.cut_off,
            Reloaded(self),
            KeyChecks(self),
            GroupChecks(self),
            KeptRows(self),
            KeyPositions(self),
            Tokens(self),
            self.whole_reads,
            IdleKeys(self),
            self.bodies,
            Drained(self, self.serving.unserved),
        )
        while any(part.extend() for part in others):
            self._settle()
        self.values.settle()
        self.serving.close()

    def _check(self) -> None:
        """What else changes, or cannot be proven, now that all is known that is gained."""
        KeyFunctions(self).extend()
        local = self.local
        Twins(self).find(tuple(local.notes.defects))
        idle = IdleScopes(self.program, self.state, local.notes, local.collections)
        idle.check(self.state.wants)
        Halves(self).tie()
        leaks = Leaks(local)
        leaks.note()
        Bystanders(self).note()
        LastAsked(self).note()
        Grouped(self).note()
        GivenGroups(self).note()
        self.loads.check()
        QueuedRows(self).check()
        EventRows(self).check()
        self.fed.check()
        self.readers.find(self.defects, [*self.silenced, *self.narrow])
        leaks.parsed(self.readers.found, self.scope_parts)
        Summed(self).note(self.readers.found, self.scope_parts)
        self.tuples.find()

    def obstacle(
        self,
        knot: Knot,
        filename: str,
        span: Span,
        reason: str,
        symbol: str,
        kind: str,
        scope: Scope,
    ) -> None:
        """Note why a change cannot be proven."""
        self.state.obstacles.append(
            (knot, Obstacle(filename, span, reason, symbol, kind, (scope.name,)))
        )

    def want(self, want: Want) -> None:
        """One more place that needs a scope's value."""
        self.gains.mirror(want)
        self.ask(want)

    def ask(self, want: Want) -> None:
        """Queue a want, to be satisfied by the fixpoint."""
        self.state.wants.append(want)
        self._queued.append(want)

    def _settle(self) -> None:
        while self._queued:
            queue, self._queued = self._queued, []
            for want in queue:
                self.serving.serve(want)

    def _tie(self) -> None:
        """Join what must land together."""
        self._tie_values()
        self._tie_protocols()
        self.signatures.tie()
        self.defaulted.tie()
        self.lambdas.tie()

    def _tie_values(self) -> None:
        """Join every want to what its value comes from in the end: a later parameter may be nearer
        than the source that was there when it was asked first."""
        images = Images(self)
        for want in self.state.wants:
            value = self.values.value(want)
            if value is None:
                continue
            if value.knot is not None:
                self.state.groups.join(want.knot, value.knot)
            elif value.kind == "loaded":
                self.items.tie(want, value.code)
            if value.kind in ("loaded", "configured"):
                images.tie(want, value.code)
            if value.root in self.state.handler_params:
                self.state.groups.join(want.knot, self.state.handler_params[value.root])

    def _tie_protocols(self) -> None:
        """What a Protocol demands changes together with what fits it, whether or not anything shows
        that it is meant to: one without the other may break calls that nobody has seen."""
        gaining: dict[str, list[tuple[Function, Class]]] = defaultdict(list)
        for function in self.state.params:
            if function.owner is not None and not function.module.is_test:
                gaining[function.name].append((function, function.owner))
        for pairs in gaining.values():
            for demanded, protocol in pairs:
                for function, cls in pairs:
                    if self.program.classes.fits(cls, protocol):
                        self.state.groups.join(("function", demanded), ("function", function))
