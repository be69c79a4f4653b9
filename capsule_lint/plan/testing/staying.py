"""Texts of tests that look like keys which change, and stay as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.keys.left_out import added, left_out
from capsule_lint.plan.keys.sort_keys import SortKeys
from capsule_lint.plan.keys.spelled import HOLE, Forms, has_words, pattern
from capsule_lint.plan.testing.expected import typed_value
from capsule_lint.plan.testing.read_whole import is_read_whole
from capsule_lint.program.calling.fixtures import parametrized
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Binding, owner_of
from capsule_lint.program.places.beside import Beside
from capsule_lint.program.texts.pieces import Text
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.plan.keys.spelled import Form
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.testing.literal_places import LiteralPlaces
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.texts.pieces import Template

_MAX_DEPTH: Final = 4


@dataclass(eq=False)
class Staying:
    """Tells which they are."""

    mends: Mends
    places: LiteralPlaces
    _mended: dict[Function, bool] = field(default_factory=dict)
    _written: dict[Function, list[re.Pattern[str]]] = field(default_factory=dict)
    _beside: dict[int, list[re.Pattern[str]]] = field(default_factory=dict)
    """How sort keys look that stand beside keys, by what makes these."""

    @property
    def planner(self) -> Planner:
        return self.mends.planner

    def is_at(self, place: tree.Node, text: str, possible: Sequence[Form]) -> bool:
        """Whether a text that looks like those forms stays where it is read: the test says all parts of it itself, or
        expects them all, or it is a sort key that does not change, or nothing that it is compared with makes such; or
        it is said how a key ends, before which all comes that is new."""
        if any(self._is_put_together(side, text) for side in self.places.sides(place)):
            return True
        if self._is_ending(place, possible):
            return True
        is_sort_key = self.places.is_sort_key(place)
        if is_sort_key and any(regex.fullmatch(text) for regex in self._sort_keys):
            return True
        only = self.places.only_by(place)
        return (only is not None and not any(form.functions & only for form in possible)) or (
            is_read_whole(self.planner, place, text)
        )

    def is_still(self, only: set[Function] | None, forms: Iterable[Form]) -> bool:
        """Whether functions, all that run, are known and neither change nor make keys of some forms, nor are mended for
        what changes elsewhere."""
        if only is None or not only.isdisjoint(self.planner.state.params):
            return False
        made = any(not only.isdisjoint(form.functions) for form in forms)
        return not made and not any(map(self._is_mended, only))

    def _is_mended(self, function: Function) -> bool:
        """Whether something is mended in a function of the program, or in what it reads by name: the constant that is a
        pattern."""
        if function not in self._mended:
            names, named = self.planner.program.names, self.planner.program.classes.dotted
            read = (n for n in names.inside(function) if isinstance(n, tree.Name | tree.Attr))
            values = [b.value for n in read if isinstance(b := named(n), Binding)]
            spans = [(names.module_of(one).filename, one.span) for one in values if one]
            spans.append((function.module.filename, function.fact.span))
            self._mended[function] = any(
                mend.filename == filename and mend.at in span
                for filename, span in spans
                for _, mend in self.mends.found
            )
        return self._mended[function]

    def is_of_others(self, node: tree.Node, possible: Sequence[Form]) -> bool:
        """Whether all that a text is compared with is made by functions of the program that put it together themselves,
        and of which nothing shows that they make keys of those forms."""
        results, places = self.planner.program.keys.results, self.places
        sides = [side for place in places.shared.stands(node) for side in places.sides(place)]
        whole = [behind(self.planner.program.names, side) or side for side in sides]
        if any(self._is_given(part) for side in whole for part in within(side)):
            return False
        made = [list(results.helpers_in(side)) for side in whole]
        texts = all(each and all(map(self._puts_together, each)) for each in made)
        return (
            bool(made) and texts and not any(f.functions & places.running(node) for f in possible)
        )

    def _is_given(self, node: tree.Node, depth: int = 0) -> bool:
        """Whether something is what a test gets of a fixture or goes through, or made of that: who knows whose keys are
        in it. What `parametrize` writes out is no such thing."""
        if isinstance(node, tree.Comprehension):
            return True
        bound = self.planner.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        for one in bound:
            inside = within(one.value) if one.value is not None and depth < _MAX_DEPTH else ()
            rows = parametrized(one.function, one.name) if one.function is not None else None
            given = one.parameter is not None and not (
                rows and all(isinstance(row, tree.Const) for row in rows)
            )
            if given or any(self._is_given(n, depth + 1) for n in inside):
                return True
        return False

    def _puts_together(self, function: Function) -> bool:
        return bool(function.returns) and all(map(tree.makes_text, function.returns))

    def _is_ending(self, place: tree.Node, possible: Sequence[Form]) -> bool:
        """Whether keys of those forms still end with a text of which a test asks that: `key.endswith("STATUS#open")`."""
        match self.planner.program.names.parent(place):
            case tree.Call(func=tree.Attr(name="endswith")):
                whole = all(f.pieces == f.defects[0].template.pieces for f in possible)
                defects = [defect for form in possible for defect in form.defects]
                return whole and all(d.behind(s) is None for d in defects for s in d.missing)
            case _:
                return False

    def sorting(self, possible: Sequence[Form]) -> list[Form]:
        """Those of several forms whose keys that change are sort keys as well."""
        is_one = self._sorting.is_one
        return [f for f in possible if any(is_one(d.template.host) for d in f.defects)]

    @cached_property
    def _sorting(self) -> SortKeys:
        return SortKeys(self.planner.program)

    def is_right(self, text: str) -> bool:
        """Whether a key that does not change may look like that."""
        return any(regex.fullmatch(text) for regex, _ in self._right)

    def is_nobodys(self, node: tree.Node, text: str, possible: Sequence[Form]) -> bool | None:
        """Whether a text that looks like somebody's key is one of nobody, which begins with whatever it is made of: its
        test runs what makes such; `None` where it runs what makes keys of those forms as well, or neither."""
        kept = self._kept if possible else ()
        hosts = [host for others, regex, host in kept if others and regex.fullmatch(text)]
        makers = set(map(self.planner.program.names.function_of, hosts))
        if not makers:
            return False
        running = self.places.running(node)
        is_nobodys = not makers.isdisjoint(running)
        made = any(not form.functions.isdisjoint(running) for form in possible)
        return is_nobodys if is_nobodys != made else None

    def of_objects(self, node: tree.Node, text: str, possible: Sequence[Form]) -> list[Form]:
        """Those of several forms whose keys the objects make that a text is compared with something of, where that runs
        what makes them and makes no key that stays: `to_item(Note("t", "n"))["PK"] == "TENANT#t"`."""
        program = self.planner.program
        names, mro = program.names, program.classes.mro
        sides = self.places.sides(node)
        owners = {
            home
            for side in sides
            for part in within(side)
            for callee in (program.calls.callees(part) if isinstance(part, tree.Call) else ())
            for home in (mro(callee.cls) if callee.cls is not None else ())
        }
        own = [f for f in possible if any(owner_of(d.function) in owners for d in f.defects)]
        ran = {f for side in sides for f in self.places.makers(side)} if own else set()
        running = self.places.reach.of(*ran)
        own = [f for f in own if not f.functions.isdisjoint(running)]
        right = {names.function_of(h) for regex, h in self._right if own and regex.fullmatch(text)}
        told = any(owner_of(f) in owners or f in ran for f in right if f is not None)
        return [] if told or self._runs(right, running, owners) else own

    def _runs(
        self, right: set[Function | None], running: set[Function], owners: set[Class]
    ) -> bool:
        """Whether functions run one of some others where none stands for it that is an object's own: `entity.key()`."""
        return any(
            not step.isdisjoint(right) and not any(owner_of(f) in owners for f in step)
            for function in running
            for step in (self.places.reach.steps(function) if right else ())
        )

    def of_row(self, node: tree.Node, text: str, possible: Sequence[Form]) -> list[Form]:
        """Those of several forms whose keys stand beside such a sort key as a text does that looks like a key which
        stays, too, `("TENANT#t", "NOTE#n")`; none where that one stands beside such a sort key as well, or goes where
        nothing tells beside which it comes to stand: `return f"TENANT#{self.tenant_id}"`."""
        said = list(self._sort_keys_beside(node))
        right = [host for regex, host in self._right if regex.fullmatch(text)] if said else []
        known = all(map(self._looks_beside, right))
        if not said or not known or any(self._is_beside(host, said) for host in right):
            return []
        return [
            f for f in possible if any(self._is_beside(d.template.host, said) for d in f.defects)
        ]

    def _is_beside(self, host: tree.Node, said: Sequence[str]) -> bool:
        """Whether the sort key beside a key may be one of some texts."""
        return any(regex.fullmatch(text) for regex in self._looks_beside(host) for text in said)

    def _looks_beside(self, host: tree.Node) -> list[re.Pattern[str]]:
        """How the sort keys look that stand beside a key, or beside all calls of the function that gives it; none where
        they are not all known."""
        if id(host) not in self._beside:
            program, beside = self.planner.program, Beside(self.planner.program.keys)
            function = program.names.function_of(host)
            places = [host]
            if function is not None and any(value is host for value in function.returns):
                called = (call for call, _ in program.calls.callers(function))
                places = [one for one in called if not program.names.module_of(one).is_test]
            each = [self._patterns(beside.sort_keys(place)) for place in places]
            self._beside[id(host)] = (
                [look for looks in each for look in looks] if all(each) else []
            )
        return self._beside[id(host)]

    def _sort_keys_beside(self, node: tree.Node) -> Iterator[str]:
        """The sort key that a test writes beside a key: `("TENANT#t", "NOTE#n")`, `{"PK": "TENANT#t", "SK": "NOTE#n"}`."""
        program = self.planner.program
        made = list(Beside(program.keys).sort_keys(node))
        match program.names.parent(node):
            case tree.Sequence(kind="tuple", items=(first, other)) if first is node:
                made += program.templates.resolve(other)
        for one in made:
            yield "".join(p.value if isinstance(p, Text) else HOLE for p in one.pieces)

    def is_written(self, text: str, running: Iterable[Function]) -> bool:
        """Whether functions write a text themselves that looks like that, says no scope, and does not change: a sort key,
        or a name."""
        return any(regex.fullmatch(text) for f in running for regex in self._texts_of(f))

    def _texts_of(self, function: Function) -> list[re.Pattern[str]]:
        """The texts that a function of the program writes, and that stay."""
        if function not in self._written:
            program = self.planner.program
            inside = program.names.inside(function) if not function.module.is_test else ()
            made = (program.templates.template(n) for n in inside if tree.makes_text(n))
            plain = (one for one in made if one is not None and has_words(one.pieces))
            scoped = program.templates.segments
            self._written[function] = self._patterns(t for t in plain if not scoped(t.pieces))
        return self._written[function]

    def _is_put_together(self, side: tree.Node, text: str) -> bool:
        """Whether a test itself says all parts of a key, and gets that text of them:
        `make_key("TENANT", "t", "CART", "c1")`."""
        planner = self.planner
        if isinstance(side, tree.Name | tree.Attr):
            return self._is_constant(side, text)
        if not isinstance(side, tree.Call) or id(side) in self._changed:
            return False
        callees = planner.program.calls.callees(side)
        if any(c.function is None or c.function in planner.state.params for c in callees):
            return False
        kept = planner.program.templates.text_objects.kept(side.func)
        if kept is not None and self.mends.segments.formats.constants.changes(kept.text):
            return False
        made = planner.program.templates.template(side) if callees else None
        if made is None or not all(isinstance(piece, Text) for piece in made.pieces):
            return False
        return bool(re.fullmatch(".+".join(map(re.escape, text.split(HOLE))), made.text))

    def _is_constant(self, name: tree.Name | tree.Attr, text: str) -> bool:
        """Whether a name stands for a text of the program which is that very one, and stays: a prefix of keys."""
        program = self.planner.program
        target = program.classes.dotted(name)
        if not isinstance(target, Binding) or target.kind != "assign" or target.module.is_test:
            return False
        changes = id(target.value) in self._changed
        return not changes and target.value is not None and tree.text(target.value) == text

    @cached_property
    def _right(self) -> list[tuple[re.Pattern[str], tree.Node]]:
        """The keys that are right as they are, and where they stand."""
        return [
            (re.compile(f"{not_others}{regex.pattern}", regex.flags), host)
            for not_others, regex, host in self._kept
        ]

    @cached_property
    def _kept(self) -> list[tuple[str, re.Pattern[str], tree.Node]]:
        """The same, and with what they do not begin, by the looks of it."""
        sites = (site for site in self.planner.program.keys.sites if not site.module.is_test)
        return [
            (self._not_of_others(site), regex, site.template.host)
            for site in sites
            for regex in self._patterns((site.template,))
        ]

    def _not_of_others(self, site: KeySite) -> str:
        """A key that begins with a value, and of which policy wants no scope, does not begin with that one's segment and
        another part behind it: that is the key of somebody's row."""
        program, pieces = self.planner.program, site.template.pieces
        if isinstance(pieces[0], Text):
            return ""
        said = {segment.scope for segment in program.templates.segments(pieces)}
        wanted = {scope.name for scope in program.domain.required(site)} | said
        others = [scope for scope in program.policy.scopes if scope.name not in wanted]
        return "".join(rf"(?!{re.escape(scope.tag)}.+\W\w)" for scope in others)

    @cached_property
    def _sort_keys(self) -> list[re.Pattern[str]]:
        """The sort keys that stay as they are."""
        program = self.planner.program
        values = (
            value
            for module in program.names.modules.values()
            if not module.is_test
            for name, value in self._sorting.named(module)
            if program.policy.is_sort_key_name(name)
        )
        plain = (typed_value(value) or value for value in values)
        made = filter(None, map(program.templates.template, plain))
        return self._patterns(one for one in made if has_words(one.pieces))

    @cached_property
    def _changed(self) -> set[int]:
        """What makes the keys that change."""
        return {id(d.template.host) for d in self.planner.defects}

    def _patterns(self, templates: Iterable[Template]) -> list[re.Pattern[str]]:
        """What texts of those templates look like in which nothing changes."""
        forms = Forms(self.planner.program)
        changed = self._changed
        return [
            pattern(
                template.pieces,
                set(),
                forms.between(template.pieces),
                optional=left_out(self.planner.program, template.pieces),
                runs=added(self.planner.program, template.pieces),
            )
            for template in templates
            if id(template.host) not in changed
            and not any(id(piece.host) in changed for piece in template.pieces)
            and any(isinstance(piece, Text) for piece in template.pieces)
        ]
