"""Items that tests write out whole, key and all: where what they stand for keeps a scope, they keep it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, rename
from capsule_lint.plan.expected import typed_value
from capsule_lint.plan.reach import returning
from capsule_lint.plan.rows import entries_of, entry_of
from capsule_lint.program.model import Class, Function, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.rows import Display
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.policy import Scope


@dataclass(eq=False, slots=True)
class Seeds:
    """Extends such items; it comes after the keys in them have been updated."""

    mends: Mends
    _kept: dict[tuple[Knot, str], set[str]] = field(default_factory=dict)
    _defects: dict[Function, list[KeyDefect]] = field(default_factory=dict)

    def build(self) -> None:
        """Add the entries that are missing."""
        self._collect()
        if not self._kept:
            return
        for module in self.mends.planner.program.names.modules.values():
            for node in module.nodes if module.is_test and not module.generated else ():
                match node:
                    case tree.DictDisplay() | tree.Call(func=tree.Name(id="dict")):
                        for knot, scope in self._lacking(node):
                            self.mends.expected.extend(module, node, knot, scope)

    def _collect(self) -> None:
        """Under which keys the items of classes keep scopes: they are written, or read, with them."""
        planner = self.mends.planner
        self._kept = {key: set(names) for key, names in self.mends.expected.keys.items()}
        for want in planner.state.wants:
            value = self.mends.value(want) if isinstance(want.callee, Class | Function) else None
            if want.call is None or value is None or value.kind != "loaded":
                continue
            cls = want.callee if isinstance(want.callee, Class) else owner_of(want.callee)
            for old in planner.program.policy.scopes if cls is not None else ():
                argument = planner.values.argument_of(want.call, want, old)
                key = item_key(argument.value, old) if argument is not None else None
                if key is not None and old is not want.scope and cls is not None:
                    for home in planner.program.classes.mro(cls):
                        names = self._kept.setdefault((("class", home), want.scope.name), set())
                        names.add(rename(key, old, want.scope))
        for defect in planner.defects:
            if defect.function is not None:
                self._defects.setdefault(defect.function, []).append(defect)

    def _lacking(self, display: Display) -> Iterator[tuple[Knot, Scope]]:
        """The entries that an item lacks, by the classes whose key it has."""
        planner = self.mends.planner
        scopes = planner.program.policy.scopes
        classes = self._classes(display) if any(entry_of(display, s) for s in scopes) else set()
        for cls in sorted(classes, key=lambda c: c.symbol):
            for home in planner.program.classes.mro(cls):
                for scope in planner.state.fields.get(home, {}).values():
                    knot: Knot = ("class", home)
                    kept = self._kept.get((knot, scope.name), set())
                    said = [(s, e[0]) for s in scopes if (e := entry_of(display, s)) is not None]
                    if any(s is not scope and rename(k, s, scope) in kept for s, k in said):
                        yield knot, scope

    def _classes(self, display: Display) -> set[Class]:
        """The classes whose changed key an item has."""
        planner, found = self.mends.planner, set[Class]()
        for name, value in entries_of(display):
            if planner.program.policy.is_key_name(name):
                node = typed_value(value) or value
                forms = self.mends.testing.updated.get(id(node), [])
                defects = [defect for form in forms for defect in form.defects]
                for function in returning(planner.program, node) if not forms else ():
                    defects += self._defects.get(function, [])
                found |= {cls for defect in defects for cls in self._of(defect)}
        return found

    def _of(self, defect: KeyDefect) -> Iterator[Class]:
        planner = self.mends.planner
        owner = owner_of(defect.function)
        name = planner.program.domain.entity_name(planner.sites[id(defect.template.host)])
        for cls in planner.state.fields:
            heirs = set(planner.program.classes.subclasses(cls))
            if cls.name == name or owner in heirs or name in {heir.name for heir in heirs}:
                yield cls
