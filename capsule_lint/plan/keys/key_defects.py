"""Which keys lack scopes, and where in the program the template that lacks them stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.keys.beginnings import Beginnings
from capsule_lint.plan.keys.completed import Completed
from capsule_lint.plan.keys.fallbacks import Fallbacks
from capsule_lint.plan.keys.other_keys import of_other_keys
from capsule_lint.plan.keys.sort_keys import SortKeys
from capsule_lint.plan.keys.tags import mark_for, tag_beside
from capsule_lint.plan.keys.ties import Ties
from capsule_lint.plan.keys.unedited import Unedited
from capsule_lint.plan.reach import returning
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import KeyDefect, Knot, Want
from capsule_lint.plan.supply.absent import absent_at
from capsule_lint.program.local_names import given
from capsule_lint.program.model import owner_of
from capsule_lint.program.places.sites import KeySite, Role
from capsule_lint.program.texts.hashed import Hashed
from capsule_lint.program.texts.pieces import Filled, Segment, Text, marks_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function
    from capsule_lint.program.texts.pieces import Piece, Template


@dataclass(eq=False, slots=True)
class KeyDefects(Room):
    """Judges the templates of keys."""

    planner: Planner
    _completed: Completed = field(init=False)
    _fallbacks: Fallbacks = field(init=False)
    _sort_keys: SortKeys = field(init=False)
    _beginnings: Beginnings = field(init=False)
    ties: Ties = field(init=False)

    def __post_init__(self) -> None:
        self._completed = Completed(self.planner)
        self._fallbacks = Fallbacks(self.planner)
        self._sort_keys = SortKeys(self.program)
        self._beginnings = Beginnings(self.program)
        self.ties = Ties(self.planner)

    def key_code(self, site: KeySite) -> str:
        """The rule that a template belongs to."""
        if self.is_helper(site):
            return "CAP202"
        if site.role is Role.LOOKUP:
            return "CAP104"
        return "CAP102" if site.index else "CAP101"

    def is_helper(self, site: KeySite) -> bool:
        """Whether a template is that of a key helper which lacks a parameter, and no entity's own key."""
        function = site.function
        if site.role is not Role.HELPER or function is None or self._is_chosen(site.template.host):
            return False
        return not self._takes_all(function, site) and not (
            function.owner in self.program.domain.entities
            and function.takes_self
            and not function.own_params
            and "classmethod" not in function.decorators
        )

    def _takes_all(self, function: Function, site: KeySite) -> bool:
        """Whether a function has to be told all scopes that its key lacks: the key alone is wrong then."""
        present = {s.scope for s in self.program.templates.segments(site.template.pieces)}
        missing = [s for s in self.program.domain.required(site) if s.name not in present]
        taken = [self.program.domain.scope_parameter(function, scope) for scope in missing]
        return bool(taken) and all(one is not None and one.default is None for one in taken)

    def _is_chosen(self, host: tree.Node) -> bool:
        """Whether a text is one of several of which one is chosen and filled elsewhere, or a decorator's."""
        return self.program.templates.choices.fills(host)

    def are_silenced(self, function: Function, scope: Scope) -> bool:
        """Whether a function and its family make no keys, by themselves or by helpers, but such as people have said
        need no scope, and that take none either."""
        keys, takes = self.program.keys, self.program.domain.scope_parameter
        family = {function, *self.program.calls.families.of(function)}
        makers = family.union(*map(keys.helpers_of, family))
        sites = [site for maker in makers for site in keys.inside(maker)]
        taken = any(takes(maker, scope) is not None for maker in makers)
        return bool(sites) and not taken and all(map(self.is_silenced, sites))

    def is_silenced(self, site: KeySite) -> bool:
        """Whether people have said that what a template lacks is meant."""
        at = site.template.host.at
        if self.is_helper(site) and site.function is not None:
            at = site.function.fact.name_at
        return self.planner.silence.over(site.module, at, self.key_code(site))

    def judge(self, site: KeySite, *, prefix: bool = False) -> None:
        """Note the scopes that a template lacks, with what their values are wanted for."""
        segments = list(self.program.templates.segments(site.template.pieces))
        missing = self._missing(site, {s.scope for s in segments})
        if segments and not missing:
            self._note_narrow(site, segments)
        if site.prefix and not segments and missing and not prefix:
            # whether it lacks them, the keys tell that begin so
            self.planner.prefixes.append(site)
            return
        anchors, ends = self._anchors(site, missing, segments)
        if anchors:
            own = [scope for scope in missing if scope.name in anchors]
            self._add_defect(site, own, anchors, ends, segments)

    def _note_narrow(self, site: KeySite, segments: Sequence[Segment]) -> None:
        """A key that is meant to have fewer scopes than others may be read where those are."""
        required = {s.name for s in self.program.domain.required(site)}
        present, last = {s.scope for s in segments}, site.template.pieces[segments[-1].piece]
        lacking = [s for s in self.program.policy.scopes if s.name not in required | present]
        if lacking and isinstance(last, Filled):
            knot: Knot = ("key", id(site.template.host))
            anchors: dict[str, tree.Node | None] = {s.name: last.value for s in lacking}
            self.planner.narrow.append(
                KeyDefect(site.template, site.module, site.function, lacking, anchors, knot)
            )

    def _missing(self, site: KeySite, present: AbstractSet[str]) -> list[Scope]:
        """The scopes that a template needs beside those that are present, and that nothing gives it later."""
        missing = [
            s
            for s in self.program.domain.required(site)
            if s.name not in present and not self._completed.by_users(site.template.host, s)
        ]
        hashed = [s for s in missing if Hashed(self.program.names).has(site.template, s)]
        missing = [s for s in missing if s not in hashed]
        if hashed and missing:
            self._refuse(site, missing[0], "other scopes are in a hash")
        return missing

    def _anchors(
        self, site: KeySite, missing: Sequence[Scope], segments: Sequence[Segment]
    ) -> tuple[dict[str, tree.Node | None], dict[str, tree.Node]]:
        """What the missing segments come behind, `None` for the front, by their scopes: those alone that the
        template itself has to get, and not another one that it begins with; and the values that such parts end with."""
        template = site.template
        order = [s.name for s in self.program.policy.scopes]
        anchors: dict[str, tree.Node | None] = {}
        ends: dict[str, tree.Node] = {}
        near: dict[str, Piece | None] = {}
        for scope in missing:
            before = [s for s in segments if order.index(s.scope) < order.index(scope.name)]
            near[scope.name] = template.pieces[before[-1].piece] if before else None
        elsewhere = {id(p.host) for p in near.values() if p is not None} - {id(template.host)}
        for scope in missing:
            piece = near[scope.name]
            delegated = piece is not None and piece.host is not template.host
            if delegated and piece is not None and self.delegate(piece.host, site):
                self.ties.tie(("key", id(piece.host)), site)
                if self._stays_without(piece.host, scope):
                    anchors[scope.name] = beginning = self._beginning(template, piece)
                    if isinstance(piece, Filled):
                        ends[scope.name] = piece.value
                    if beginning is None:
                        self._refuse(site, scope, "begins with a key that needs less")
                continue
            first = template.pieces[segments[0].piece if segments else 0].host
            begun = id(first) in elsewhere and self.delegate(first, site)  # and gets all of them
            if piece is None and first is not template.host and (begun or self._is_site(first)):
                self.ties.tie(("key", id(first)), site)
                continue
            anchors[scope.name] = piece.value if isinstance(piece, Filled) else None
            if piece is not None and not isinstance(piece, Filled):
                anchors[scope.name] = piece.node
        return anchors, ends

    def check(self) -> None:
        """Look at all keys together: what they begin with changes with them, and a part of keys that need
        less than others is no place for what those need."""
        narrow = self._narrow()
        self.ties.close()
        unedited = Unedited(self.planner)
        for alone in unedited.find():
            looked_up = self.planner.sites[id(alone.template.host)]
            self._refuse(looked_up, alone.missing[0], "what writes this key does not change")
        for unread in unedited.unread():
            written = self.planner.sites[id(unread.template.host)]
            self._refuse(written, unread.missing[0], "what looks this key up does not change")
        for beside, helper in unedited.beside_kept():
            reason = f"`{helper.name}` makes such keys as well, and is kept as it is"
            self._refuse(self.planner.sites[id(beside.template.host)], beside.missing[0], reason)
        for defect in self.planner.defects:
            self._tie_beginning(defect)
            place = defect.template.host
            less = [s for s in defect.missing if s.name not in narrow.get(id(place), {s.name})]
            site = self.planner.sites.get(id(place))
            if less and site is not None and not defect.module.is_test:
                reason = f"part of keys that need no `{less[0].parameter}` as well"
                self._refuse(site, less[0], reason)
            more = [s for s in defect.missing if self._completed.somewhere(place, s)]
            old = [
                s for s in defect.missing if site is not None and self._fallbacks.is_one(site, s)
            ]
            if old and site is not None:
                reason = f"the same code asks for the key with `{old[0].parameter}` as well"
                self._refuse(site, old[0], reason)
            if more and site is not None:
                reason = f"part of keys that have `{more[0].parameter}` already as well"
                self._refuse(site, more[0], reason)

    def _refuse(
        self, site: KeySite, scope: Scope, reason: str, part: tree.Expr | None = None
    ) -> None:
        """Make the change of a key unsafe, because of a part of it or as a whole."""
        host, function = site.template.host, site.function
        symbol = function.symbol if function is not None else site.module.name
        where = ("key", id(host)), site.module.filename, (part or host).span, reason, symbol
        self.planner.obstacle(*where, "reference", scope)

    def _tie_beginning(self, defect: KeyDefect) -> None:
        """`pk.startswith(f"TENANT#{tenant_id}#")` finds keys of any tag."""
        site = self.planner.sites.get(id(defect.template.host))
        if site is None or not site.prefix or self.program.domain.tags_of(site.template):
            return
        for other in self.planner.defects:
            if other.template.text.startswith(defect.template.text):
                self.state.groups.join(defect.knot, other.knot)

    def _narrow(self) -> dict[int, set[str]]:
        """The scopes that all keys need which a template is part of, by its expression."""
        program, found = self.program, dict[int, set[str]]()
        for site in program.keys.sites:
            names = {scope.name for scope in program.domain.required(site)}
            for part in {id(p.host) for p in site.template.pieces} - {id(site.template.host)}:
                found[part] = found.get(part, names) & names
        every = {scope.name for scope in program.policy.scopes}
        for cls in program.classes.all if program.policy.entities else ():
            names = {scope.name for scope in program.policy.scopes_of(cls.symbol)}
            if names == every:
                continue
            keys = [m for name, m in cls.methods.items() if program.policy.is_key_name(name)]
            makers = returning(program, *(value for method in keys for value in method.returns))
            for site in [s for maker in makers for s in program.keys.inside(maker)]:
                host = id(site.template.host)
                found[host] = found.get(host, names) & names
        return found

    def _is_site(self, host: tree.Node) -> bool:
        return self.program.keys.at(host) is not None

    def delegate(self, host: tree.Node, site: KeySite) -> bool:
        """A template that lacks a scope where it is built, in a local or in another function; whether
        it is one by itself."""
        if self._is_site(host) or id(host) in self.planner.sites:
            return True
        template = self.program.templates.template(host)
        if template is None:
            return False
        place = self.program.names.place(host)
        role = site.role if place.scope.function is site.function else Role.HELPER
        inner = KeySite(template, place.scope.module, place.scope.function, role, site.index)
        self.planner.sites[id(host)] = inner
        self.program.keys.add(inner)
        if role is Role.HELPER and inner.function is not None:
            self.program.keys.helpers.add(inner.function)
        self.judge(inner)
        return True

    def _stays_without(self, host: tree.Node, scope: Scope) -> bool:
        """Whether a key that others begin with is that of an entity which policy keeps apart by less, or has no scope for
        these get it by themselves."""
        site = self.planner.sites.get(id(host)) or self.program.keys.at(host)
        less = site is not None and scope not in self.program.domain.required(site)
        return less or self._completed.by_users(host, scope)

    def _beginning(self, template: Template, piece: Piece) -> tree.Node | None:
        """The part of a template's expression that yields what is written elsewhere and ends with a piece, and maybe with
        what sets the next one off: `pk_tenant(tenant_id)` of `f"{pk_tenant(tenant_id)}#ORDER#{order_id}"`."""
        opened = None
        for part in within(template.host):
            pieces = self._pieces(part) if part is not template.host else ()
            held = [one for one in pieces if isinstance(one, Filled)]
            end = _mark_at_end(pieces) if held and held[-1].host is piece.host else None
            if end == "":
                return part
            opened = part if end else opened
        return opened

    def _pieces(self, part: tree.Node) -> Sequence[Piece]:
        return self.program.templates.evaluate(part, part, 0) or ()

    def _add_defect(
        self,
        site: KeySite,
        missing: list[Scope],
        anchors: dict[str, tree.Node | None],
        ends: dict[str, tree.Node],
        segments: list[Segment],
    ) -> None:
        host = site.template.host
        knot: Knot = ("key", id(host))
        defect = KeyDefect(site.template, site.module, site.function, missing, anchors, knot)
        defect.tags = {scope.name: self._tag(site, scope, segments) for scope in missing}
        defect.marks, defect.ends = self._marks(defect), ends
        defect.opened = {
            name for name in ends if (begun := anchors[name]) and _mark_at_end(self._pieces(begun))
        }
        self.planner.sites[id(host)] = site
        if self.is_silenced(site):
            self.planner.silenced.append(defect)
            return
        self.planner.defects.append(defect)
        for part in self._unpacked_parts(site):
            reason = f"`{part.id}` is unpacked, and has scopes of the key in it"
            self._refuse(site, missing[0], reason, part)
        moved = site.index and self._sort_keys.has(host)
        if moved or self._sort_keys.is_expected(site.template):
            self._refuse(site, missing[0], "a sort key as well, which would change with it", host)
        if (sharer := self.program.domain.shares(site)) is not None:
            scopes = self.program.policy.scopes_of(sharer)
            reason = f"the keys of `{sharer}` are made here too, which needs less"
            if any(scope not in scopes for scope in missing):
                self._refuse(site, missing[0], reason, host)
        for scope in missing:
            told = self._beginnings.told(site, scope) if anchors[scope.name] is None else None
            if told is not None:
                reason = f"`{scope.parameter}` is in what the key begins with, in a way that is not understood"
                self._refuse(site, scope, reason, told)
        if self._is_of_several(host):
            self._refuse(site, missing[0], "several names get keys of this one text", host)
            for other in (site, replace(site, index=not site.index)):
                self.ties.tie(knot, other)
        entity = self.program.domain.entity_name(site)
        if entity is not None:
            self.state.groups.join(knot, ("entity", entity))
        self.ties.tie(knot, site)
        self._ask(site, defect, segments)

    def _ask(self, site: KeySite, defect: KeyDefect, segments: list[Segment]) -> None:
        """Want the values of the segments that a key lacks, each as what stands beside it is written."""
        host, pieces = site.template.host, site.template.pieces
        neighbours = [
            p.value
            for s in segments
            if isinstance(p := pieces[s.piece], Filled) and p.host is host
        ] or list(of_other_keys(self.program, site.template))
        attribute_of = self.planner.sources.holders.attribute_of
        for scope in defect.missing:
            mirror = defect.anchors[scope.name] or (neighbours[0] if neighbours else None)
            absent = absent_at(self.program.names, host, scope)
            if absent:
                self._refuse(site, scope, f"`{absent}` may be missing here")
            if self.planner.sources.visible.is_written_out(
                scope.parameter, self.program.names.place(host)
            ):
                self._refuse(site, scope, f"the value of `{scope.parameter}` is written out here")
            purpose = "text" if self._is_chosen(host) else "segment"
            defect.wants[scope.name] = Want(scope, host, defect.knot, purpose, mirror=mirror)
            if mirror is None and self._belongs_to_entity(site):
                owner = owner_of(site.function)
                if owner is not None and attribute_of(owner, scope) is None:
                    self.planner.gains.gain_field(owner, scope, defect.knot)

    def _tag(self, site: KeySite, scope: Scope, segments: list[Segment]) -> str:
        """The tag of a scope, as the segment beside it is spelled."""
        scopes = {s.name: s for s in self.program.policy.scopes}
        order = list(scopes)
        at = order.index(scope.name)
        beside = [s for s in segments if order.index(s.scope) < at][-1:] or segments[:1]
        for near in beside:
            return tag_beside(scope, site.template.pieces, near.piece, scopes[near.scope])
        return scope.tag

    def _marks(self, defect: KeyDefect) -> dict[str, str | None]:
        """What sets the segments off that a key lacks, by their scopes."""
        found: dict[str, str | None] = {}
        for anchor in defect.anchors.values():
            beside = [s for s in defect.missing if defect.anchors[s.name] is anchor]
            tags = [defect.tag(scope) for scope in beside]
            mark = mark_for(self.program, defect.template.pieces, anchor, tags)
            found |= {scope.name: mark for scope in beside}
        return found

    def _is_of_several(self, host: tree.Node) -> bool:
        """Whether several names get what a comprehension makes of a text: not all need be partition keys."""
        made = self.program.names.parent(host)
        holder = self.program.names.parent(made) if isinstance(made, tree.Expr) else None
        return (
            isinstance(made, tree.Comprehension)
            and isinstance(holder, tree.Assign)
            and any(isinstance(target, tree.Sequence) for target in holder.targets)
        )

    def _unpacked_parts(self, site: KeySite) -> Iterable[tree.Name]:
        """The names in a template that were unpacked from parts which carry scopes."""
        templates = self.program.templates
        for piece in site.template.pieces:
            if not isinstance(piece, Filled) or not isinstance(piece.value, tree.Name):
                continue
            place = self.program.names.place(piece.value)
            for binding in self.program.names.bindings(piece.value.id, place):
                node = given(binding) if binding.path else None
                part = templates.template(node) if node is not None else None
                if part is not None and templates.segments(part.pieces):
                    yield piece.value

    def _belongs_to_entity(self, site: KeySite) -> bool:
        owner = owner_of(site.function)
        if owner is None or owner not in self.program.domain.entities:
            return False
        return self.program.domain.reads_self(site)


def _mark_at_end(pieces: Sequence[Piece]) -> str | None:
    """What a text ends with behind its last value: nothing, or what sets another part off; `None` for anything more."""
    if not isinstance(pieces[-1], Text):
        return ""
    return pieces[-1].value if marks_of(pieces[-1].value) == pieces[-1].value else None
