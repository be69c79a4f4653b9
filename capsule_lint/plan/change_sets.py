"""Changes that depend on each other to change sets: what each mends, and what stands in its way."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.model import AddArgument, ChangeSet, Gain, Safety
from capsule_lint.plan.keys.spelled import embedded
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.model import Mend
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.plan.uses.ledger import Ledger
    from capsule_lint.program.model import Class, Function


@dataclass(eq=False, slots=True)
class _Changes:
    """What one change set changes."""

    functions: list[Function] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    defects: list[KeyDefect] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class ChangeSets(MendRoom):
    """Makes them of a settled plan."""

    mends: Mends
    ledger: Ledger
    _ids: dict[Knot, str] = field(default_factory=dict)

    def id_of(self, knot: Knot) -> str:
        """The identity of the change set that a change belongs to, once all are built; empty without one."""
        return self._ids.get(self.state.groups.find(knot), "")

    def build(self) -> list[ChangeSet]:
        """All change sets, by their identities."""
        groups = self.state.groups
        mends: dict[Knot, list[Mend]] = defaultdict(list)
        for knot, mend in self.mends.found:
            mends[groups.find(knot)].append(mend)
        obstacles: dict[Knot, list[str]] = defaultdict(list)
        for knot, obstacle in self.state.obstacles:
            at = obstacle.span.start
            obstacles[groups.find(knot)].append(
                f"{obstacle.filename}:{at.row}:{at.column}: {obstacle.reason}"
            )
        for knot, row in self.ledger.rows:
            if not row.verdict.settled:
                where = f"{row.filename}:{row.position.row}:{row.position.column}"
                obstacles[groups.find(knot)].append(f"{where}: {row.reason}")
        for knot, reason in self.ledger.blocked:
            obstacles[groups.find(knot)].append(reason)
        changes: dict[Knot, _Changes] = defaultdict(_Changes)
        for function in self.state.params:
            changes[groups.find(("function", function))].functions.append(function)
        for cls in self.state.fields:
            changes[groups.find(("class", cls))].classes.append(cls)
        for defect in self.planner.defects:
            changes[groups.find(defect.knot)].defects.append(defect)
        found = [
            self._change_set(
                root,
                changes[root],
                list(dict.fromkeys(mends.get(root, []))),
                sorted(set(obstacles.get(root, []))),
            )
            for root in {*mends, *obstacles}
        ]
        return sorted(found, key=lambda change: change.id)

    def _change_set(
        self, root: Knot, changes: _Changes, mends: list[Mend], obstacles: list[str]
    ) -> ChangeSet:
        changing: list[Function | Class] = [*changes.functions, *changes.classes]
        symbols = tuple(sorted({one.symbol for one in changing}))
        keys = sorted(f"{d.module.filename}:{d.template.text}" for d in changes.defects)
        where = (
            sorted(f"{m.filename}:{m.at.start.row}:{m.at.start.column}" for m in mends)
            or obstacles
        )
        seed = "\n".join((*symbols, *keys)) or "\n".join(where)
        identity = hashlib.sha256(seed.encode(errors="surrogateescape")).hexdigest()[:12]
        self._ids[root] = identity
        calls = {(m.filename, m.at) for m in mends if isinstance(m, AddArgument)}
        return ChangeSet(
            identity,
            Safety.UNSAFE if obstacles else Safety.SAFE,
            tuple(mends),
            tuple(obstacles),
            symbols,
            tuple(sorted(self._entities(changes))),
            definitions=len(changing),
            call_sites=len(calls),
            tests=self._tests(mends),
            files=len({m.filename for m in mends}),
            keys=tuple(dict.fromkeys(self._patterns(changes))),
            gains=tuple(self._gains(changes)),
        )

    def _patterns(self, changes: _Changes) -> Iterator[str]:
        """What the keys look like that change, in a text of any kind."""
        for defect in changes.defects:
            found = None if defect.module.is_test else embedded(defect.template.pieces)
            if found is not None:
                yield found.pattern

    def _gains(self, changes: _Changes) -> Iterator[Gain]:
        """What entities outside of tests gain, beside a field of another scope."""
        program = self.program
        for cls in changes.classes if len(program.policy.scopes) > 1 else ():
            if cls.module.is_test or not program.classes.is_data(cls):
                continue
            had = [f.name for f in program.classes.fields(cls) if not f.has_default]
            if any(names_scope(name, scope) for name in had for scope in program.policy.scopes):
                for scope in self.state.fields[cls].values():
                    yield Gain(cls.name, tuple(had), scope.parameter)

    def _entities(self, changes: _Changes) -> set[str]:
        domain = self.program.domain
        found = {c.name for c in changes.classes if c in domain.entities and not c.module.is_test}
        for defect in changes.defects:
            name = domain.entity_name(self.planner.sites[id(defect.template.host)])
            found.update((name,) if name is not None else ())
        return found

    def _tests(self, mends: list[Mend]) -> int:
        """How many tests the mends reach into."""
        by_file: dict[str, list[Mend]] = defaultdict(list)
        for mend in mends:
            by_file[mend.filename].append(mend)
        count = 0
        for module in self.program.names.modules.values():
            if module.is_test and module.filename in by_file:
                rows = {m.at.start.row for m in by_file[module.filename]}
                for function in module.functions:
                    if function.name.startswith("test"):
                        first, last = function.fact.at[0], function.fact.at[2]
                        count += any(first <= row <= last for row in rows)
        return count
