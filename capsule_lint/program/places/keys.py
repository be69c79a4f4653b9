"""Where templates are used as keys, and what each of them lacks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.places.bare_keys import BareKeys
from capsule_lint.program.places.dict_roles import DictRoles, is_streamed
from capsule_lint.program.places.key_attributes import KeyAttributes
from capsule_lint.program.places.key_results import KeyResults
from capsule_lint.program.places.keys_elsewhere import KeysElsewhere
from capsule_lint.program.places.looks import Looks
from capsule_lint.program.places.makers import Makers
from capsule_lint.program.places.positions import Positions
from capsule_lint.program.places.shared_texts import SharedTexts
from capsule_lint.program.places.sites import KeySite, Role
from capsule_lint.program.places.speaking import Speaking
from capsule_lint.program.places.strays import Strays
from capsule_lint.program.texts.given_lists import each
from capsule_lint.program.texts.heads import Heads
from capsule_lint.program.texts.marks import usual_mark
from capsule_lint.program.texts.pieces import Template, Text, marks_of
from capsule_lint.program.texts.starts import Starts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.policy import Policy
    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.model import Binding, Function, Module
    from capsule_lint.program.names import Names
    from capsule_lint.program.texts.templates import Templates

_INDEXES: Final = ("1", "gsi1")
"""How indexes are called, or what distinguishes their names."""
_NAMING: Final = re.compile(r"[\w:#-]*")
"""What a name of an attribute, `:name` or `#name`, is made of."""
_PARTS: Final = re.compile(
    r"\{\}(?:[_|/:.~-](?:\{\}|[A-Z][A-Z0-9_]*))+|[A-Za-z][A-Za-z0-9]*(?:[_.~-](?:[A-Z0-9]+_)*\{\})+"
)
"""A key that is put together without `#`."""
_READ: Final = (tree.Name, tree.Attr, tree.Subscript, tree.Call)
"""The expressions that may read a key that is kept elsewhere."""


@dataclass(eq=False)
class Keys:
    """All key sites of the program."""

    names: Names
    classes: Classes
    calls: Calls
    templates: Templates
    policy: Policy
    sites: list[KeySite] = field(default_factory=list)
    helpers: set[Function] = field(default_factory=set)
    """Functions whose result is used as a key."""
    takers: set[Function] = field(default_factory=set)
    """The functions that are given whole keys, which they hand to the table."""
    asked: set[int] = field(default_factory=set)
    """The expressions, by their ids, of keys that are looked up and that a function makes."""
    written: dict[Function, set[bool]] = field(default_factory=lambda: defaultdict(set))
    """The functions that make keys which are written, and whether these are an index's."""
    bares: BareKeys = field(init=False)
    positions: Positions = field(init=False)
    results: KeyResults = field(init=False)
    speaking: Speaking = field(init=False)
    elsewhere: KeysElsewhere = field(init=False)
    _by_host: dict[int, KeySite] = field(default_factory=dict)
    _by_function: dict[Function, list[KeySite]] = field(default_factory=dict)
    _texts: Counter[str] = field(default_factory=Counter)
    """How many sites say each text."""
    _seen: set[int] = field(default_factory=set)
    _waiting: list[tuple[KeySite, Sequence[tree.Call]]] = field(default_factory=list)
    """The texts in tables, and the calls that fill them: where one of these is a key, that is reported."""
    _said: list[tuple[tree.Node, Role, str, bool]] = field(default_factory=list)
    """What is called a key, `partition_key`, where nothing else says that this is about DynamoDB; see `named`."""
    _by_name: bool = False
    """Whether nothing but that tells of what is being followed."""

    def __post_init__(self) -> None:
        self.speaking = Speaking(self.names, self.calls.uses, self.policy)
        self.bares, self.results = BareKeys(self), KeyResults(self)
        self.elsewhere = KeysElsewhere(self)
        roles = DictRoles(self.names, self.templates, self.policy)
        makers, strays = Makers(self, roles), Strays(self)
        attributes = KeyAttributes(self)
        self.positions = Positions(self, makers, strays, roles, attributes)
        for module in self.names.editable():
            self.positions.collect(module)
        attributes.give()
        makers.wrapped()
        self._judge_names()
        self.elsewhere.settle()
        strays.same()
        for site, calls in self._waiting:
            if all(self.at(host) is None for host in (site.template.host, *calls)):
                self.add(site)
        SharedTexts(self).find()
        self._find_indexes()
        self.bares.settle()

    def _find_indexes(self) -> None:
        """What helpers make, and what is looked up, is an index's where what is written is, if names do not tell."""
        for function, indexes in self.written.items():
            for site in self.inside(function) if indexes == {True} else ():
                site.index = True
        written = [s for s in self.sites if s.role is not Role.LOOKUP]
        forms = [(_form(s.template), s.index) for s in written]
        exact = [(s.template.text, s.index) for s in written]
        for site in self.sites:
            if site.role is Role.LOOKUP and not site.index:
                text = site.template.text
                found = {index for other, index in exact if other == text}
                found = found or {index for form, index in forms if form.fullmatch(text)}
                site.index = found == {True}

    @cached_property
    def functions(self) -> frozenset[Function]:
        """The functions in which key templates are written, and those that run these inside of them."""
        return frozenset(self._by_function)

    def made_by(self, function: Function) -> bool:
        """Whether keys are written in a function, or it has helpers make them."""
        return function in self.functions or any(True for _ in self.helpers_of(function))

    def helpers_of(self, function: Function) -> Iterator[Function]:
        """The helpers that a function has make keys."""
        for node in self.names.inside(function):
            for callee in self.calls.callees(node) if isinstance(node, tree.Call) else ():
                if callee.function is not None and callee.function in self.helpers:
                    yield callee.function

    def inside(self, function: Function) -> Sequence[KeySite]:
        """The sites whose templates are written in a function, or in one inside of it that it runs."""
        return self._by_function.get(function, ())

    def at(self, host: tree.Node) -> KeySite | None:
        """The site whose template starts at an expression."""
        return self._by_host.get(id(host))

    def add(self, site: KeySite) -> None:
        """One more site."""
        self._by_host[id(site.template.host)] = site
        self.sites.append(site)
        self._texts[site.template.text] += 1
        for function in self.names.running(site.function) if site.function is not None else ():
            self._by_function.setdefault(function, []).append(site)

    def lengthen(self, site: KeySite, whole: Template) -> None:
        """The template of a site was only the beginning of one."""
        self._texts[site.template.text] -= 1
        self._texts[whole.text] += 1
        site.template = whole

    def says(self, text: str) -> bool:
        """Whether a site has that text, with `{}` for its holes."""
        return self._texts[text] > 0

    def key_name(self, node: tree.Node | None) -> str:
        """The name of a key position that a dict key or an argument spells; empty when it is none."""
        return next(filter(self.policy.is_key_name, self.spelled(node)), "")

    def spelled(self, node: tree.Node | None) -> list[str]:
        """The names that a dict key or an argument may spell."""
        if node is None or self.names.leaves(node):
            return []
        text = self.templates.constant(node)
        return [text] if text is not None else self._made_names(node)

    def _made_names(self, node: tree.Node) -> list[str]:
        """What a name may be that is made for any index: `f"{index}pk"`, `f"GSI{number}PK"`, or `index.hash_name` that
        gives one of these."""
        if isinstance(node, tree.Attr):
            told = {
                cls.methods[node.name]: made
                for cls in self.classes.owning(node.name)
                if (made := self._told_by(cls.methods[node.name]))
            }
            if not told:
                return []  # before it is asked what this is an attribute of, which may take long
            getters = (
                self.classes.method(one.cls, node.name)
                for one in self.templates.inference.of(node.base)
                if isinstance(one, Instance)
            )
            return [name for f in getters if f is not None for name in told.get(f, ())]
        if not tree.makes_text(node) or not all(
            _NAMING.fullmatch(said) for said in tree.said_in(node) if isinstance(said, str)
        ):
            return []
        pieces = self.templates.evaluate(node, node, 0) or ()
        return [
            "".join(one.value if isinstance(one, Text) else hole for one in pieces)
            for hole in _INDEXES
        ]

    def _told_by(self, getter: Function) -> list[str]:
        """The names of keys that a method gives which makes them for any index."""
        values = filter(tree.makes_text, getter.returns if len(getter.returns) == 1 else ())
        made = (name for one in values for name in self._made_names(one))
        return list(filter(self.policy.is_key_name, made))

    @cached_property
    def _heads(self) -> Heads:
        return Heads(self.names, self.policy)

    @cached_property
    def _looks(self) -> Looks:
        return Looks(self.policy, self.templates)

    @cached_property
    def starts(self) -> Starts:
        """What tells of texts whether they start as the policy's keys do."""
        tags = tuple(scope.tag for scope in self.policy.scopes if scope.tag)
        return Starts(self.names, self.templates, tags)

    @cached_property
    def mark(self) -> str | None:
        """What separates scopes from the parts behind them in all keys, where that is always the same."""
        return usual_mark(self.templates, (s.template for s in self.sites if not s.module.is_test))

    def forget(self) -> None:
        """What was held for keys are none."""
        for found in (self.sites, self.helpers, self.takers, self._by_host, self._by_function):
            found.clear()
        self._texts.clear()
        self.bares.untold.clear()
        self.__dict__.pop("functions", None)

    def sink(self, node: tree.Node, role: Role, index: bool, *, prefix: bool = False) -> None:
        """An expression is a key, or the beginning of one: so is every template that it may yield."""
        if id(node) in self._seen and id(node) not in self._by_host:
            return
        self._seen.add(id(node))
        listing, templates = self.results.listing(node), self.templates.resolve(node)
        helpers = tuple(filter(self._may_make_keys, self.results.helpers_in(node)))
        self.helpers.update(filter(self._may_make_keys, listing))
        for template in templates:
            self.note(template, role, index, prefix)
        if not templates and not helpers and isinstance(node, _READ):
            self.elsewhere.fed(node)
            texts_in = self.templates.beginnings.texts_in
            for value in texts_in(node) if isinstance(node, tree.Attr) else ():
                self.sink(value, role, index, prefix=prefix)
        if helpers and role is Role.LOOKUP:
            self.asked.add(id(node))
        for function in helpers:
            if role is Role.WRITTEN:
                self.written[function].add(index)
            self._note_helper(function, index)
            own = self.names.function_of(node)
            if role is Role.HELPER and own is not None:
                self.helpers.add(own)
        if isinstance(node, tree.Name):
            for binding in self.names.bindings_of(node):
                if binding.parameter is not None and not self.policy.is_key_name(node.id):
                    self._passed_on(binding, role, index, prefix=prefix)

    def named(self, node: tree.Node, role: Role, name: str, *, prefix: bool = False) -> None:
        """An expression is the key of that name, which tells whether it is that of an index. Elsewhere than in code
        about DynamoDB, a name such as `pk` says nothing: there it is a key if its text is like one."""
        if is_streamed(self.names, node, name):
            return
        if self.elsewhere.is_one(node, role, name, prefix=prefix):
            return
        if name.isupper() or self.policy.is_index_key_name(name) or self._is_near(node):
            self.sink(node, role, self.policy.is_index_key_name(name), prefix=prefix)
        else:
            self._said.append((node, role, name, prefix))

    def _judge_names(self) -> None:
        """Those keys of which nothing but the name tells, once all others are known."""
        seen, self._by_name = set(self._seen), True
        for node, role, _, prefix in self._said:
            self.sink(node, role, index=False, prefix=prefix)
        self._seen, self._by_name = seen, False

    def is_told(self, node: tree.Node) -> bool:
        """Whether the module around an expression, or one beside it, is known to be about DynamoDB."""
        return self.speaking.is_told(self.names.place(node).scope.module)

    def _is_near(self, node: tree.Node) -> bool:
        """The same, or that what is around it is an item's or a repository's by its name, or has a repository of that."""
        return self.is_told(node) or self.speaking.is_of_items(self.names.place(node).scope)

    def is_likely(self, node: tree.Node) -> bool:
        """Whether an expression is a key if it is called one."""
        return self._is_near(node) or any(map(self._is_like_key, self.templates.resolve(node)))

    def _may_make_keys(self, function: Function) -> bool:
        """Whether what a function gives may be keys, where nothing but what that is called says so."""
        calls = self.calls.uses.calls_beside(function.name) if self._by_name else ()
        return (
            not self._by_name
            or any(map(self.is_likely, function.returns))
            or any(map(self._is_near, calls))
        )

    def _is_like_key(self, template: Template) -> bool:
        """Whether a text is a key wherever it is called one: it has a scope in it, or a mark as the policy's tags have,
        it is another key's as well, or it is made where something is about DynamoDB."""
        marks = {marks_of(scope.tag) for scope in self.policy.scopes} - {""}
        written = template.written
        return (
            any(mark in written for mark in marks | {"#"})
            or any(self.templates.segments(template.pieces))
            or self._is_near(template.host)
            or self.says(template.text)
        )

    def bare(self, node: tree.Node, role: Role, name: str) -> None:
        """A key that may be a scope's value and nothing else, or that of an index which is any value."""
        if not self.elsewhere.is_bare_one(node, role, name):
            self.bares.note(node, role, name)

    def _passed_on(self, binding: Binding, role: Role, index: bool, *, prefix: bool) -> None:
        """A parameter that becomes a key, whatever it is called: what callers give for it is one."""
        function, parameter = binding.function, binding.parameter
        if function is None or parameter not in function.params or id(parameter) in self._seen:
            return
        self._seen.add(id(parameter))
        members = dict.fromkeys((*self.calls.families.of(function), *self._demanded(function)))
        for member in sorted(members, key=lambda f: f.symbol):
            own = member.params[function.params.index(parameter) :][:1]
            for _, argument in list(self.calls.arguments_for(member, own[0].name)) if own else ():
                self.sink(argument.value, role, index, prefix=prefix)
                made = (one in self.helpers for one in self.results.helpers_in(argument.value))
                if self.starts.at(argument.value) or any(made):
                    self.takers.update(members)

    def _demanded(self, function: Function) -> Iterator[Function]:
        """The methods of Protocols that one may stand in for, though nothing shows it: what is given to
        them may be given to it."""
        for cls in self.classes.owning(function.name) if function.owner is not None else ():
            demanded = cls.methods[function.name]
            same = [p.name for p in demanded.params] == [p.name for p in function.params]
            if same and function.owner is not None and self.classes.fits(function.owner, cls):
                yield demanded

    def note(self, template: Template, role: Role, index: bool, prefix: bool) -> None:
        """A template is a key, where it looks like one: one site an expression in which it is written."""
        hosts = {id(piece.host): piece.host for piece in template.pieces}
        hosts[id(template.host)] = template.host
        for host in hosts.values():
            # Parts that are built before in a local are reported where they are written.
            if host is not template.host and not self._is_local(host, template.host):
                continue
            if id(host) in self._by_host:
                known = self._by_host[id(host)]
                if known.role is Role.LOOKUP and role is Role.WRITTEN:
                    known.role = role
                if host is template.host and self._says_more(template, known.template):
                    known.template = replace(known.template, opaque=True)  # of both
                continue
            if host is not template.host:
                continue
            fillers = self.templates.choices.of_table(host)
            if fillers is not None and fillers.choosing:
                self.templates.choices.filled.setdefault(id(host), fillers.choosing[0])
            place = self.names.place(host)
            if self._by_name and not self._is_like_key(template):
                continue
            if self._heads.begin(template):
                continue  # the scopes are those of the other key
            if not self._looks.like_key(template):
                used = role is not Role.HELPER or place.scope.function in self.helpers
                if not used or not self._is_of_parts(template, place.scope.module):
                    continue
                template = replace(template, opaque=True)  # nothing says how a segment is set off
            decorated = self.templates.choices.decorators.owners
            function, cls = place.scope.function, decorated.get(id(host))
            if (filling := self.templates.choices.filled.get(id(host))) is not None:
                function = self.names.place(filling).scope.function
                cls = place.scope.cls or cls
            elif function is not None and role is not Role.HELPER and function in self.helpers:
                role = Role.HELPER
            site = KeySite(template, place.scope.module, function, role, index, prefix, cls)
            if fillers is not None and not fillers.choosing:
                self._waiting.append((site, fillers.alone))
                continue
            self.add(site)
            if role is Role.HELPER and function is not None:
                self.helpers.add(function)

    def _is_local(self, host: tree.Node, other: tree.Node) -> bool:
        return self.names.function_of(host) is self.names.function_of(other)

    def _says_more(self, template: Template, known: Template) -> bool:
        """Whether later steps add scopes to what is a key before them as well."""
        said = self.templates.segments
        return len(said(template.pieces)) > len(said(known.pieces))

    def _is_of_parts(self, template: Template, module: Module) -> bool:
        """Whether a template puts values together, as `f"{order_id}_{kind}"`, where the table is near."""
        return _PARTS.fullmatch(template.text) is not None and self.speaking.is_near(module)

    def _note_helper(self, function: Function, index: bool) -> None:
        if (
            function in self.helpers
            or function.module.generated
            or self.templates.called.is_generic(function)
        ):
            return
        new = [one for one in self.calls.families.of(function) if one not in self.helpers]
        self.helpers.update(new)
        for member in new:
            for value in member.returns:
                first = next(iter(each(value)), value)  # all that a comprehension gives is alike
                if isinstance(value, tree.Sequence) and value.kind == "tuple" and value.items:
                    first = value.items[0]
                if not self.results.makes_item(first):
                    self._seen.discard(id(first))  # now it is known to be used
                    self.sink(
                        first, Role.HELPER, index or self.policy.is_index_key_name(member.name)
                    )


def _form(template: Template) -> re.Pattern[str]:
    """What the texts of keys of a template look like."""
    parts = [re.escape(p.value) if isinstance(p, Text) else ".+?" for p in template.pieces]
    return re.compile("".join(parts), re.DOTALL)
