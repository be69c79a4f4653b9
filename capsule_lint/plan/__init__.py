"""From the linked program to facts about its nodes, change sets and the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.judgement import (
    CallFact,
    ClassFact,
    Fact,
    FunctionFact,
    FunctionKind,
    Judgement,
    KeyFact,
    KeyUse,
    OpenFact,
    OpenKind,
    ReaderFact,
)
from capsule_lint.plan.change_sets import ChangeSets
from capsule_lint.plan.mends import Mends
from capsule_lint.plan.opinions import opinions_on
from capsule_lint.plan.planner import Planner
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Obstacle
from capsule_lint.plan.uses.ledger import Ledger
from capsule_lint.program.model import Class, Function, enclosing
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from capsule_lint.judgement import Broken
    from capsule_lint.model import Occurrence
    from capsule_lint.plan.opinions import Opinion
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.plan.taken_apart.reads import Reader, Unfit
    from capsule_lint.plan.taken_apart.remainders import Remainder
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

_SAME_TEXT: Final = "says the same as a key that changes, and nothing shows where it goes"


def planned(program: Program) -> Planner:
    """What must change in a program, and why."""
    planner = Planner(program)
    planner.plan()
    return planner


def judge(
    planner: Planner,
    read: Callable[[str], str],
    broken: Sequence[Broken] = (),
    apart: Container[str] = (),
) -> Judgement:
    """All that rules, reports and fixes need to know of a program that is planned.

    `read` gives the decoded text of a file of the program; `broken` are its files that could not be
    read, which block what they may reach into; `apart` are those that nothing gets to which changes.
    """
    mends = Mends(planner, read)
    mends.build()
    ledger = Ledger(planner, read, broken, apart)
    ledger.build()
    told = tuple(opinions_on(planner, mends.source))
    for number, opinion in enumerate(told):
        for mend in opinion.mends:
            mends.add(("opinion", number), mend)
        planner.state.obstacles += [(knot, _same_text(opinion)) for knot in opinion.beside]
    return _Judge(planner, ChangeSets(mends, ledger), ledger, told).judgement()


def homes(planner: Planner) -> set[str]:
    """The files of what isolation is about: keys, repositories, entities, and all that changes; many functions are called
    as policy says of handlers."""
    domain, state = planner.program.domain, planner.state
    classes = domain.repositories | domain.entities | state.fields.keys()
    modules = {cls.module for cls in classes}
    modules |= {function.module for function in state.params}
    modules |= {
        planner.program.names.module_of(s.template.host) for s in planner.program.keys.sites
    }
    modules |= {local.module for local in planner.local.notes.defects}
    return {module.filename for module in modules}


def _same_text(opinion: Opinion) -> Obstacle:
    fact = opinion.fact
    return Obstacle(fact.filename, fact.span, _SAME_TEXT, fact.symbol, "reference")


@dataclass(eq=False, slots=True)
class _Judge(Room):
    planner: Planner
    change_sets: ChangeSets
    ledger: Ledger
    opinions: Sequence[Opinion] = ()

    def judgement(self) -> Judgement:
        """All that the plan comes to: its facts, its change sets, its ledger."""
        sets = self.change_sets.build()
        facts = sorted(
            [
                *self._key_facts(),
                *self._helper_facts(),
                *self._function_facts(),
                *self._handler_facts(),
                *self._class_facts(),
                *self._call_facts(),
                *self._reader_facts(),
                *self._open_facts(),
                *self._opinion_facts(),
            ],
            key=lambda f: (f.filename, f.span, type(f).__name__, f.symbol),
        )
        known = {change.id for change in sets}
        facts = [f if f.change_set in known else replace(f, change_set=None) for f in facts]
        entities = tuple(sorted({c.name for c in self.state.fields if self._is_entity(c)}))
        rows, written = self._rows(), self.ledger.written
        return Judgement(
            tuple(facts), {change.id: change for change in sets}, rows, entities, written
        )

    def _rows(self) -> tuple[Occurrence, ...]:
        """One row an occurrence: a candidate may belong to several families, it stands for the first."""
        found: dict[tuple[str, object], Occurrence] = {}
        for row in sorted(row for _, row in self.ledger.rows):
            found.setdefault((row.filename, row.position), row)
        return tuple(found.values())

    def _names(self, scopes: Iterable[Scope]) -> tuple[str, ...]:
        order = self.program.policy.scopes
        return tuple(s.parameter for s in order if s in set(scopes))

    def _symbol(self, function: Function | None, module: str) -> str:
        return function.symbol if function is not None else module

    def _helper_of(self, defect: KeyDefect) -> Function | None:
        """The key helper that is reported in the place of a key."""
        is_helper = self.planner.keys.is_helper(self.planner.sites[id(defect.template.host)])
        return defect.function if is_helper else None

    def _lacking_keys(self) -> Iterable[KeyDefect]:
        yield from (*self.planner.defects, *self.planner.blank, *self.planner.silenced)

    def _key_facts(self) -> Iterable[Fact]:
        for defect in self._lacking_keys():
            if self._helper_of(defect) is not None:
                continue
            site = self.planner.sites[id(defect.template.host)]
            use = KeyUse.LOOKUP if site.role is Role.LOOKUP else KeyUse.WRITTEN
            yield KeyFact(
                defect.module.filename,
                defect.template.host.span,
                self._symbol(defect.function, defect.module.name),
                self._names(defect.missing),
                self.program.domain.entity_name(site),
                self.change_sets.id_of(defect.knot),
                use,
                site.index,
            )
        for local in (*self.planner.local.notes.defects, *self.planner.local.notes.silenced):
            apart = local.shape in ("pattern", "target", "index", "entry", "step")
            if local.helper is None and not apart:
                yield KeyFact(
                    local.module.filename,
                    local.node.span,
                    self._symbol(local.function, local.module.name),
                    self._names(local.missing),
                    None,
                    self.change_sets.id_of(local.knot),
                    KeyUse.LOCAL,
                )

    def _helper_facts(self) -> Iterable[Fact]:
        helpers: dict[Function, tuple[set[Scope], str | None, Knot]] = {}
        for defect in self._lacking_keys():
            helper = self._helper_of(defect)
            if helper is not None:
                site = self.planner.sites[id(defect.template.host)]
                entity = self.program.domain.entity_name(site)
                known = helpers.setdefault(helper, (set(), entity, defect.knot))
                known[0].update(defect.missing)
        for local in (*self.planner.local.notes.defects, *self.planner.local.notes.silenced):
            if local.helper is not None:
                known = helpers.setdefault(local.helper, (set(), None, local.knot))
                known[0].update(local.missing)
        for function, (missing, entity, knot) in helpers.items():
            yield FunctionFact(
                function.module.filename,
                tree.span_of(function.fact.name_at),
                function.symbol,
                self._names(missing),
                entity,
                self.change_sets.id_of(knot),
                FunctionKind.HELPER,
            )

    def _function_facts(self) -> Iterable[Fact]:
        for function, scopes in self.planner.methods.items():
            base = self.planner.drifting.get(function)
            owners = (
                self.program.domain.entities_of.get(function.owner, set())
                if function.owner
                else set()
            )
            entity = next(iter(owners)).name if len(owners) == 1 else None
            yield FunctionFact(
                function.module.filename,
                tree.span_of(function.fact.name_at),
                function.symbol,
                self._names(scopes),
                entity,
                self.change_sets.id_of(("function", function)),
                FunctionKind.METHOD,
                base.symbol if base is not None else None,
            )

    def _handler_facts(self) -> Iterable[Fact]:
        found: dict[Function, tuple[set[Scope], Knot]] = {}
        for want in (*self.planner.key_wants(), *self.state.wants):
            for function in enclosing(self.program.names.place(want.node)):
                if function in self.program.domain.handlers:
                    if not self._takes(function, want.scope):
                        found.setdefault(function, (set(), want.knot))[0].add(want.scope)
                    break
        for function, (scopes, knot) in found.items():
            yield FunctionFact(
                function.module.filename,
                tree.span_of(function.fact.name_at),
                function.symbol,
                self._names(scopes),
                None,
                self.change_sets.id_of(knot),
                FunctionKind.HANDLER,
            )

    def _takes(self, handler: Function, scope: Scope) -> bool:
        """Whether the handler reads the scope's value anywhere."""
        if any(names_scope(p.name, scope) for p in handler.params):
            return True
        return any(
            isinstance(node, tree.Name | tree.Attr | tree.Subscript)
            and names_scope(hole_name(node), scope)
            for node in self.program.names.inside(handler)
        )

    def _is_entity(self, cls: Class) -> bool:
        """Whether a class is one of items: by itself, or because it is given their key."""
        return cls in self.program.domain.entities or cls in self.planner.keyed.lacking

    def _class_facts(self) -> Iterable[Fact]:
        for home, scopes in self.state.fields.items():
            for cls in self._lacking_in(home):
                yield ClassFact(
                    cls.module.filename,
                    tree.span_of(cls.fact.name_at),
                    cls.symbol,
                    self._names(scopes.values()),
                    cls.name,
                    self.change_sets.id_of(("class", home)),
                )

    def _lacking_in(self, home: Class) -> list[Class]:
        """The entities that lack what a class gains: itself, or those that inherit its fields where it is none."""
        found = [home] if self._is_entity(home) else []
        if not found:
            heirs = self.program.classes.subclasses(home)
            found = [c for c in heirs if c not in self.state.fields and self._is_entity(c)]
            found = [c for c in found if not self.program.domain.is_boundary(c)]
        return [c for c in found if not c.module.is_test and not c.module.generated]

    def _call_facts(self) -> Iterable[Fact]:
        for call, callee, scopes in self.planner.partial_calls.values():
            module = self.program.names.module_of(call)
            yield CallFact(
                module.filename,
                call.span,
                callee.symbol,
                self._names(scopes),
                None,
                self.change_sets.id_of(("call", id(call))),
            )

    def _reader_facts(self) -> Iterable[Fact]:
        found = self.planner.readers
        readers: list[Reader | Unfit | Remainder]
        read = {id(reader.node) for reader in found.found}
        own = [r for r in found.found if r.beside is None or id(r.beside) not in read]
        readers = [*own, *found.broken, *found.remainders.found]
        for reader in readers:
            function = self.program.names.function_of(reader.node)
            yield ReaderFact(
                reader.module.filename,
                reader.node.span,
                self._symbol(function, reader.module.name),
                self._names(reader.scopes),
                None,
                self.change_sets.id_of(reader.knot),
            )

    def _opinion_facts(self) -> Iterable[Fact]:
        for number, opinion in enumerate(self.opinions):
            change = self.change_sets.id_of(("opinion", number)) if opinion.mends else None
            yield replace(opinion.fact, change_set=change)

    def _open_facts(self) -> Iterable[Fact]:
        # a key that is put together in an unknown way is reported itself
        seen: set[tuple[str, object, str]] = {
            (d.module.filename, d.template.host.span, kind)
            for d in self.planner.defects
            for kind in OpenKind
            if d.template.opaque and self._helper_of(d) is None
        }
        for knot, obstacle in self.state.obstacles:
            kind = OpenKind.SOURCE if obstacle.kind == "source" else OpenKind.REFERENCE
            missing = self._names(
                [s for s in self.program.policy.scopes if s.name in obstacle.scopes]
            )
            fact = OpenFact(
                obstacle.filename,
                obstacle.span,
                obstacle.symbol,
                missing,
                None,
                self.change_sets.id_of(knot),
                kind,
                obstacle.reason,
            )
            if (fact.filename, fact.span, kind) not in seen:
                seen.add((fact.filename, fact.span, kind))
                yield fact
        for knot, row in self.ledger.rows:
            if not row.verdict.settled:
                span = self.ledger.spans[row]
                if (row.filename, span, OpenKind.REFERENCE) not in seen:
                    seen.add((row.filename, span, OpenKind.REFERENCE))
                    yield OpenFact(
                        row.filename,
                        span,
                        row.symbol,
                        (),
                        None,
                        self.change_sets.id_of(knot),
                        OpenKind.REFERENCE,
                        row.reason,
                    )


__all__ = ["homes", "judge", "planned"]
