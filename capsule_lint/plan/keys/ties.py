"""Which keys change together: what is written under a tag, and what is looked up under it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.key_hosts import is_identifier
from capsule_lint.plan.room import Room
from capsule_lint.program.places.beside import Beside
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.pieces import Filled, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.texts.pieces import Piece, Template

_Form = tuple[str, bool]
"""A key's text with its holes, and whether it is that of an index."""


@dataclass(eq=False, slots=True)
class Ties(Room):
    """Ties keys to each other. Those without a tag, `TENANT#{tenant_id}`, are known by who makes them, and by the
    sort key beside them; where that is not known, all of the same form are one. Those whose tag is a value may
    have any."""

    planner: Planner
    _forms: dict[_Form, list[Knot]] = field(default_factory=dict)
    _open: set[_Form] = field(default_factory=set)
    """The forms of keys beside which no sort key is known."""
    _tags: dict[bool, set[Knot]] = field(default_factory=dict)
    """The tags of keys, apart for those of indexes."""
    _written: set[Knot] = field(default_factory=set)
    """The tags of keys that are not only looked up."""
    _asked: dict[Knot, Knot] = field(default_factory=dict)
    """The tags of keys that are looked up, and the same for an index instead of the table, or the other way round."""
    _any: list[tuple[Knot, bool]] = field(default_factory=list)
    """The keys that may have each of these, and whether they are an index's."""

    def tie(self, knot: Knot, site: KeySite) -> None:
        """Tie what changes with a key to what else does."""
        join = self.planner.state.groups.join
        tag = self.tag_of(site)
        if tag is not None:
            join(knot, tag)
            self._tags.setdefault(site.index, set()).add(tag)
            if site.role is not Role.LOOKUP:
                self._written.add(tag)
            if self._is_under_made_name(site.template.host) or self._is_of_both(site):
                join(tag, self._tagged(site, not site.index) or tag)
            elif site.role is Role.LOOKUP:
                self._asked[tag] = self._tagged(site, not site.index) or tag
            return
        if self._is_beginning(site.template) or self._has_any_tag(site.template):
            self._any.append((knot, site.index))
        form = (site.template.text, site.index)
        join(knot, ("form", (site.owner or site.module, *form)))
        beside = self._sort_tag(site.template.host)
        if beside:
            join(knot, ("beside", (beside, *form)))
        if not site.module.is_test:
            self._forms.setdefault(form, []).append(knot)
            if not beside:
                self._open.add(form)

    def close(self) -> None:
        """Tie those of which it is not known what they are, once all keys are."""
        for form in self._open:
            first, *rest = self._forms[form]
            for other in rest:
                self.planner.state.groups.join(first, other)
        for knot, index in self._any:
            for tag in self._tags.get(index, ()):
                self.planner.state.groups.join(knot, tag)
        for tag, other in self._asked.items():
            if tag not in self._written and other in self._written:
                self.planner.state.groups.join(tag, other)  # nothing that is asked says what it is

    def may_be_same(self, kept: KeySite, other: KeySite) -> bool:
        """Whether two keys may be of one kind: they have one tag, or one text, or any may stand in the first."""
        if kept.index != other.index:
            return False
        one, two = self.tag_of(kept), self.tag_of(other)
        if one is not None or two is not None:
            return one == two or (one is None and self._has_any_tag(kept.template))
        return kept.template.text == other.template.text

    def _is_under_made_name(self, host: tree.Node) -> bool:
        """Whether a key is an entry whose name is not written out, `{index.hash_name: key}`: it may be any index's."""
        display = self.program.names.parent(host)
        named = display.keys_for(host) if isinstance(display, tree.DictDisplay) else ()
        constant = self.program.templates.constant
        return any(name is not None and constant(name) is None for name in named)

    def _is_of_both(self, site: KeySite) -> bool:
        """Whether a helper makes a key that is written as that of the table and as that of an index."""
        written = self.program.keys.written.get(site.function, ()) if site.function else ()
        return len(written) > 1

    def _is_beginning(self, template: Template) -> bool:
        """Whether a text ends in what sets the scopes off from all that may come behind: `f"TENANT#{tenant_id}#"`."""
        match self._behind_scopes(template):
            case [Text(value=mark)] as behind if len(behind) < len(template.pieces):
                return not any(map(str.isalnum, mark))
            case _:
                return False

    def _behind_scopes(self, template: Template) -> Sequence[Piece]:
        """The pieces behind the last scope, or all where there is none."""
        scopes = [segment.piece for segment in self.program.templates.segments(template.pieces)]
        return template.pieces[max(scopes, default=-1) + 1 :]

    def _has_any_tag(self, template: Template) -> bool:
        """Whether a value stands where others have a tag, `kind` of `f"TENANT#{tenant_id}#{kind}#{id}"`."""
        pieces = self._behind_scopes(template)
        scoped = len(pieces) < len(template.pieces)
        match pieces:
            case [Text(value=mark), Filled() as hole, *rest] if scoped:
                return not any(map(str.isalnum, mark)) and _is_kind(hole, rest, mark[-1:])
            case [Filled() as hole, Text() as behind, *_] if not scoped:
                return _is_kind(hole, [behind], "")
            case _:
                return False

    def tag_of(self, site: KeySite) -> Knot | None:
        """What all keys of a tag belong to; `None` for keys without one."""
        return self._tagged(site, site.index)

    def _tagged(self, site: KeySite, index: bool) -> Knot | None:
        tags = self.program.domain.tags_of(site.template)
        return ("tag", (tags[0].lower(), index)) if tags else None

    def _sort_tag(self, host: tree.Node) -> str:
        """The first tag of the sort key that stands beside a key; empty when it has none."""
        tags_of = self.program.domain.tags_of
        for template in Beside(self.program.keys).sort_keys(host):
            return next((tag.lower() for tag in tags_of(template)), "")
        return ""


def _is_kind(hole: Filled, rest: Sequence[Piece], mark: str) -> bool:
    """Whether a value that is a part of its own may say of which kind something is, and does not tell one from
    others."""
    behind = rest[0].value if rest and isinstance(rest[0], Text) else mark
    apart = behind.startswith(mark) if mark else not behind[:1].isalnum()
    return apart and not is_identifier(hole.name)
