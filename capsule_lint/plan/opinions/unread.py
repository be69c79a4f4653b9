"""Texts that say a key of which nothing shows where it goes: none of them may be passed over in silence."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.judgement import KeyFact, KeyUse
from capsule_lint.plan.opinions.base import Opinion, inside
from capsule_lint.plan.opinions.idle_texts import IdleTexts
from capsule_lint.program.calling.binding import surplus
from capsule_lint.program.logs import describes, is_for_people
from capsule_lint.program.model import last_name
from capsule_lint.program.places.object_keys import ObjectKeys
from capsule_lint.program.places.sites import KeySite, Role
from capsule_lint.program.purposes.elsewhere import OF_SERVICES, TELLING
from capsule_lint.program.texts.pieces import Filled, Template, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.opinions.base import Ground
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.program.model import Module
    from capsule_lint.program.places.strays import Strays

_HOLE = r"\{[^{}]*\}|%s|%\(\w+\)s|\$\w+|\$\{\w+\}"

_DOUBLED: Final = re.compile(r"([$%{}])\1")
"""What a format doubles to say it once."""


@dataclass(eq=False)
class UnreadKeys:
    """Finds texts that begin as the policy's keys do, go on, and are part of no key that is known."""

    ground: Ground

    @cached_property
    def _idle(self) -> IdleTexts:
        return IdleTexts(self.ground)

    @property
    def _strays(self) -> Strays:
        return self.ground.program.keys.positions.strays

    def find(self) -> Iterator[Opinion]:
        """Those that lack a scope."""
        program = self.ground.program
        for module in self.ground.modules():
            for node in module.every(tree.Const, tree.FString, tree.Binary, tree.Call):
                template = self._template(node)
                if template is None or self._is_read(node, template) or self._is_told(node):
                    continue
                site = KeySite(
                    template, module, program.names.function_of(node), Role.WRITTEN, False
                )
                missing = [
                    scope
                    for scope in program.domain.required(site)
                    if scope.tag not in template.text
                ]
                if missing:
                    fact = self._fact(module, site, tuple(s.parameter for s in missing))
                    mends = self._idle.mends(node, missing)
                    filled = isinstance(node, tree.Const) and not mends
                    same = self._changing.get(template.text, ()) if filled else ()
                    yield Opinion(fact, mends, tuple(same))

    def _fact(self, module: Module, site: KeySite, missing: tuple[str, ...]) -> KeyFact:
        host = site.template.host
        entity = self.ground.program.domain.entity_name(site)
        symbol = self.ground.symbol(host)
        return KeyFact(module.filename, host.span, symbol, missing, entity, use=KeyUse.WRITTEN)

    @cached_property
    def _form(self) -> re.Pattern[str]:
        """A scope's tag, what fills it, a separator, and a word."""
        tag = re.escape(self.ground.scopes[0].tag) or "(?!)"  # without one, any text may be meant
        usual = self.ground.program.keys.mark
        mark = rf"(?:[#|/:]|{re.escape(usual)})" if usual else "[#|/:]"
        return re.compile(rf"{tag}(?:{_HOLE}){mark}\w")

    @cached_property
    def _bare(self) -> re.Pattern[str]:
        """A scope's tag and a field, with nothing behind it: what fills that makes a whole key of it."""
        tag = re.escape(self.ground.scopes[0].tag) or "(?!)"
        return re.compile(rf"{tag}(?:\{{\w+\}}|%\(\w+\)s)")

    @cached_property
    def _keys(self) -> set[int]:
        """The expressions that keys are made of, those of dicts and caches among them."""
        notes = self.ground.planner.local.notes
        every = (*notes.defects, *notes.silenced)
        hosts = [local.node for local in every if local.shape == "text"]
        hosts += [
            one
            for site in self.ground.program.keys.sites
            for piece in site.template.pieces
            for one in ((piece.host, piece.node) if isinstance(piece, Text) else (piece.host,))
        ]
        return {id(node) for host in hosts for node in inside(host)}

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        """What keys say that do not spell it out themselves."""
        return tuple(
            {
                site.template.text
                for site in self.ground.program.keys.sites
                if not isinstance(host := site.template.host, tree.FString)
                and not (isinstance(host, tree.Binary) and host.op == "+")
                and tree.text(_format(host)) is None
            }
        )

    @cached_property
    def _changing(self) -> dict[str, list[Knot]]:
        """The keys that change, by what they say: where one is written by a text of which nothing shows where
        it goes, what looks it up would find nothing any more."""
        found: dict[str, list[Knot]] = defaultdict(list)
        changing = {
            id(d.template.host): d for d in self.ground.planner.defects if not d.module.is_test
        }
        for site in self.ground.program.keys.sites if changing else ():
            hosts = (id(site.template.host), *(id(p.host) for p in site.template.pieces))
            for host in filter(changing.__contains__, dict.fromkeys(hosts)):
                found[site.template.text].append(changing[host].knot)
        for defect in changing.values():
            for text in self._asked(defect):
                found[text].append(defect.knot)
        return found

    def _asked(self, defect: KeyDefect) -> Iterator[str]:
        """What the keys say that calls have a helper make which takes `*parts`: `_pk(tenant_id, "STATUS", status)`."""
        program, helper, last = self.ground.program, defect.function, defect.template.pieces[-1]
        mark = program.keys.mark
        spread = tree.spread(last.value) if isinstance(last, Filled) else None
        if helper is None or mark is None or spread is None:
            return
        begun = defect.template.text.removesuffix("{}")
        for call, callee in list(program.calls.callers(helper)):
            parts = surplus(call.args, helper.params, callee.given)
            said = (program.templates.constant(one.value) for one in parts)
            yield begun + mark.join("{}" if one is None else one for one in said)

    def _is_read(self, node: tree.Node, template: Template) -> bool:
        """Whether a text is part of a key; a constant is so by what it says."""
        if id(node) in self._keys:
            return True
        once = _DOUBLED.sub(r"\1", template.text)
        return isinstance(node, tree.Const) and any(
            said in text for text in self._texts for said in (template.text, once)
        )

    def _template(self, node: tree.Node) -> Template | None:
        """What a text says, if it says a key."""
        said = self._said(node)
        if said is None:
            return None
        bare = isinstance(node, tree.Const) and self._bare.fullmatch(said)
        if not bare and not self._form.match(said):
            return None
        parts = re.split(rf"({_HOLE})", said)
        pieces = [
            Filled(node, node, part.strip("{}%$()")) if number % 2 else Text(part, node, node)
            for number, part in enumerate(parts)
        ]
        return Template(node, tuple(pieces), opaque=True)

    def _said(self, node: tree.Node) -> str | None:
        if isinstance(node, tree.Const):
            return (
                node.value if isinstance(node.value, str) and not self._is_filled(node) else None
            )
        if isinstance(node, tree.FString) and node.parts and isinstance(node.parts[0], str):
            return "".join(part if isinstance(part, str) else "{}" for part in node.parts)
        program = self.ground.program
        if not tree.makes_text(node) or not program.keys.starts.at(node):
            return None
        template = program.templates.template(node)
        if template is None or any(id(piece.host) in self._keys for piece in template.pieces):
            return None  # it is put together of what is a part of a key
        return template.text

    def _is_filled(self, node: tree.Const) -> bool:
        """Whether a format is filled where it is written: what comes out is what counts."""
        outer = self.ground.program.names.parent(node)
        if isinstance(outer, tree.Attr):
            outer = self.ground.program.names.parent(outer)
        return _format(outer) is node

    def _is_told(self, node: tree.Node) -> bool:
        """Whether a text is only for people, the key of an object in a bucket, or stands under a name that is no
        partition key's; what other services are told may come back."""
        names, is_sort_key = self.ground.program.names, self.ground.program.policy.is_sort_key_name
        if is_for_people(names, node) or ObjectKeys(self.ground.program.keys).goes(node):
            return True
        inner, outer = node, names.parent(node)
        while isinstance(outer, tree.Expr):
            name = _name_in(outer, inner)
            if name and (is_sort_key(name) or describes(name) or name in OF_SERVICES):
                return True
            if isinstance(outer, tree.Call) and self._strays.is_for_others(outer):
                return True
            inner, outer = outer, names.parent(outer)
        match outer:
            case tree.Eval(kind="return"):
                function = names.function_of(node)
                return function is not None and is_sort_key(function.name)
            case tree.Assign():
                if any(is_sort_key(last_name(target)) for target in outer.targets):
                    return True
                uses = list(self.ground.program.records.uses(outer)) if outer.value is node else ()
                return bool(uses) and all(map(self._is_used_elsewhere, uses))
            case _:
                sent = self._strays.is_for_library
                return isinstance(outer, tree.Eval) and (sent(node, TELLING) or not sent(node))

    def _is_used_elsewhere(self, node: tree.Node) -> bool:
        """Whether a local is only given to people, or to what is called like another store or service."""
        call = self.ground.program.names.parent(node)
        if isinstance(call, tree.Call) and call.func is not node:
            name = _name_in(call, node)
            if name in OF_SERVICES or describes(name) or self._strays.is_for_others(call):
                return True
        return is_for_people(self.ground.program.names, node)


def _format(host: object) -> tree.Node | None:
    """The format that an expression fills, where it is written in it."""
    match host:
        case tree.Binary(op="%", left=base):
            return base
        case tree.Call(func=tree.Attr(base=base, name="format" | "format_map")):
            return base
        case _:
            return None


def _name_in(holder: tree.Expr, part: tree.Node) -> str:
    """The keyword, or the key of a dict, under which an expression stands in what it is part of."""
    match holder:
        case tree.Call():
            return next((a.keyword for a in holder.args if a.value is part and a.keyword), "")
        case tree.DictDisplay():
            return next((tree.text(key) or "" for key in holder.keys_for(part)), "")
        case _:
            return ""
