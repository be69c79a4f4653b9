"""Keys that carry their scopes wrongly: out of order, written out, one in the place of another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.judgement import KeyFact, KeyUse, LiteralFact, OrderFact, SwapFact
from capsule_lint.plan.opinions.base import Ground, Opinion, inside
from capsule_lint.plan.opinions.written_out import is_everyone, is_source_constant, written_out
from capsule_lint.program.local_names import named_by
from capsule_lint.program.model import Binding
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.pieces import (
    Filled,
    Text,
    ends_with_tag,
    marks_of,
    tag_at_end,
)
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.texts.pieces import Piece, Segment, Template

_NAMESPACE: Final = re.compile(
    r"(?:^|_)(?:prefix|ns|namespace|env|environment|app|service|region|version|v\d+|table"
    r"|cluster|deployment|shard)$"
)
"""What may stand before all scopes: it parts deployments, not data."""
_WORDS: Final = re.compile(r"[A-Za-z]\w*")


class _Misplaced(Struct, frozen=True):
    """A value that fills one scope's tag and is called after another: what that is called, and whose it is."""

    wanted: Scope
    value: tree.Node
    name: str
    given: Scope


@dataclass(eq=False, slots=True)
class KeyOpinions:
    """Judges the templates in key positions."""

    ground: Ground

    def find(self) -> Iterator[Opinion]:
        """What is wrong with keys that have their segments."""
        sites = self.ground.program.keys.sites
        hosts = {id(site.template.host) for site in sites}
        for site in sites:
            if site.module.is_test or site.module.generated:
                continue
            segments = self.ground.program.templates.segments(site.template.pieces)
            required = self.ground.program.domain.required(site)
            yield from self._written_out(site, segments, required)
            yield from self._mistaken(site)
            if not self._is_built_elsewhere(site, segments, hosts):
                yield from self._disordered(site, segments, required)
        yield from self._bare()

    def _bare(self) -> Iterator[Opinion]:
        """Keys of indexes that are a value without any scope."""
        domain = self.ground.program.domain
        for site in self.ground.program.keys.bares.untold:
            required = domain.required(site)
            if required and not site.module.is_test and not site.module.generated:
                yield Opinion(
                    KeyFact(
                        site.module.filename,
                        site.template.host.span,
                        self.ground.symbol(site.template.host),
                        tuple(scope.parameter for scope in required),
                        domain.entity_name(site),
                        None,
                        KeyUse.LOOKUP if site.role is Role.LOOKUP else KeyUse.WRITTEN,
                        index=True,
                    )
                )

    def _is_built_elsewhere(
        self, site: KeySite, segments: tuple[Segment, ...], hosts: set[int]
    ) -> bool:
        """Whether all segments are those of another template that is judged itself."""
        written = [site.template.pieces[s.piece].host for s in segments]
        return all(h is not site.template.host and id(h) in hosts for h in written)

    # --- the order ---

    def _disordered(
        self, site: KeySite, segments: tuple[Segment, ...], required: tuple[Scope, ...]
    ) -> Iterator[Opinion]:
        names = [scope.name for scope in required]
        order = [n for n in dict.fromkeys(s.scope for s in segments) if n in names]
        if not names or set(order) != set(names):
            return
        first = next(s for s in segments if s.scope in names)
        if (
            order != names
            or not self._is_front(site.template, first, required)
            or self._is_parted(site.template, segments, required)
        ):
            yield Opinion(
                OrderFact(
                    site.module.filename,
                    site.template.host.span,
                    self.ground.symbol(site.template.host),
                    tuple(scope.parameter for scope in required),
                    self.ground.program.domain.entity_name(site),
                )
            )

    def _is_front(self, template: Template, first: Segment, required: tuple[Scope, ...]) -> bool:
        """Whether nothing but a namespace stands before the first scope."""
        text = ""
        for piece in template.pieces[: first.piece]:
            if isinstance(piece, Filled):
                if not _NAMESPACE.search(piece.name):
                    return False
                text += "#"
            else:
                text += piece.value
        piece = template.pieces[first.piece]
        if isinstance(piece, Text):
            text += piece.value[: first.position]
        else:
            tag = next(s.tag for s in required if s.name == first.scope)
            text = text.removesuffix(tag_at_end(text, tag))
        return all(_NAMESPACE.search(word.lower()) for word in _WORDS.findall(text))

    def _is_parted(
        self, template: Template, segments: tuple[Segment, ...], required: tuple[Scope, ...]
    ) -> bool:
        """Whether a value that is no namespace's stands between those of the scopes."""
        firsts = [next(s for s in segments if s.scope == scope.name) for scope in required]
        ours = {segment.piece for segment in segments}
        between = range(firsts[0].piece + 1, firsts[-1].piece)
        return any(
            isinstance(piece := template.pieces[number], Filled)
            and number not in ours
            and not _NAMESPACE.search(piece.name)
            for number in between
        )

    # --- values that are written out ---

    def _written_out(
        self, site: KeySite, segments: tuple[Segment, ...], required: tuple[Scope, ...]
    ) -> Iterator[Opinion]:
        found: dict[int, tuple[tree.Node, dict[str, str]]] = {}
        for scope in required:
            for segment in segments:
                if segment.scope == scope.name:
                    at, value = self._value(site.template, segment, scope)
                    homes = (at, site.template.host)
                    if value and not any(self._is_configured(one, scope) for one in homes):
                        found.setdefault(id(at), (at, {}))[1][scope.parameter] = value
        for at, values in found.values():
            module, node = self._definition(at)
            if module.is_test or module.generated or id(node) in self.ground.told:
                continue
            self.ground.told.add(id(node))
            yield Opinion(
                LiteralFact(
                    module.filename,
                    node.span,
                    self.ground.symbol(at),
                    tuple(values),
                    self.ground.program.domain.entity_name(site),
                    reason=", ".join(values.values()),
                )
            )

    def _value(self, template: Template, segment: Segment, scope: Scope) -> tuple[tree.Node, str]:
        """The value in a literal, and where it stands; empty where it is only the beginning of one."""
        piece = template.pieces[segment.piece]
        host = _home(template, piece)
        if not isinstance(piece, Text):
            return self._fallback(host, piece.value, scope)
        if not segment.tagged:
            return host, piece.value
        texts_on = [*takewhile(lambda p: isinstance(p, Text), template.pieces[segment.piece :])]
        whole = "".join(p.value for p in texts_on if isinstance(p, Text))
        after = whole[segment.position + len(scope.tag) :]
        marks = re.escape(f"#|/{{}}{marks_of(scope.tag)}")
        value = re.split(rf"[{marks}]", after)[0]
        goes_on = segment.piece + len(texts_on) < len(template.pieces)
        return host, "" if (value == after and goes_on) or is_everyone(value) else value

    def _fallback(self, host: tree.Node, node: tree.Node, scope: Scope) -> tuple[tree.Node, str]:
        """What a hole has where there is no value: `{capsule_id or "PROD"}`, `{None}`."""
        at, text = written_out(self.ground, node, scope)
        return (host if at is node else at), text

    def _is_configured(self, host: tree.Node, scope: Scope) -> bool:
        """Whether the template takes the value from a constant that is a source of the policy, also by another constant
        that is made of it."""
        names = self.ground.program.names
        named = [one for node in inside(host) for one in named_by(names, node)]
        paths = [one for one in named if isinstance(one, tree.Name | tree.Attr)]
        named += [part for one in paths for part in inside(self._definition(one)[1])]
        return any(is_source_constant(self.ground, one, scope) for one in named)

    def _definition(self, host: tree.Node) -> tuple[Module, tree.Node]:
        """Where the text stands: a constant is wrong where it is defined, not where it is used."""
        if isinstance(host, tree.Name | tree.Attr):
            target = self.ground.program.classes.dotted(host)
            if isinstance(target, Binding) and target.value is not None:
                return target.module, target.value
        return self.ground.program.names.module_of(host), host

    # --- one scope in the place of another ---

    def _mistaken(self, site: KeySite) -> Iterator[Opinion]:
        told, module_of = self.ground.told, self.ground.program.names.module_of
        found = [one for one in self._misplaced(site) if id(one.value) not in told]
        told.update(id(one.value) for one in found)
        if len(found) == 2 and (found[0].wanted, found[0].given) == (
            found[1].given,
            found[1].wanted,
        ):
            del found[1]  # two that stand in each other's places are one mistake
        for one in found:
            module = module_of(one.value)
            if module.is_test or module.generated:
                continue
            yield Opinion(
                SwapFact(
                    module.filename,
                    one.value.span,
                    self.ground.symbol(one.value),
                    (one.wanted.parameter,),
                    self.ground.program.domain.entity_name(site),
                    reason=one.name,
                )
            )

    def _misplaced(self, site: KeySite) -> Iterator[_Misplaced]:
        """The holes whose tag is one scope's and whose name another's."""
        before = ""
        for piece in site.template.pieces:
            if isinstance(piece, Text):
                before += piece.value
                continue
            wanted = next((s for s in self.ground.scopes if ends_with_tag(before, s.tag)), None)
            before = ""
            if wanted is None or _home(site.template, piece) is not piece.host:
                continue
            if (other := self.ground.other_than(piece.value, wanted)) is not None:
                yield _Misplaced(wanted, piece.value, *other)


def _home(template: Template, piece: Piece) -> tree.Node:
    """The expression that a piece of a template is written in, also where others begin with that; for what a call gives
    to it, the whole."""
    node = piece.node if isinstance(piece, Text) else piece.value
    return piece.host if any(one is node for one in within(piece.host)) else template.host
