"""Keys that are put together in ways that are not known: what is seen of them is a tag and a value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.local_names import bound_whole, reads_of
from capsule_lint.program.model import last_name
from capsule_lint.program.texts import substituted
from capsule_lint.program.texts.pieces import (
    Filled,
    Piece,
    Template,
    Text,
    hole_name,
    merged,
    names_scope,
    word_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Function
    from capsule_lint.program.texts.templates import Templates

_TAKES_APART: Final = frozenset(
    [
        "startswith",
        "endswith",
        "removeprefix",
        "removesuffix",
        "split",
        "rsplit",
        "partition",
        "rpartition",
        "find",
        "index",
        "count",
        "match",
        "search",
        "fullmatch",
        "get",
        "pop",
    ]
)
"""What is called so says something of a key, and makes none."""


@dataclass(eq=False, slots=True)
class Opaque:
    """Sees keys in expressions that no template is known of."""

    templates: Templates
    _known: dict[int, Template] = field(default_factory=dict)

    def of(self, node: tree.Node) -> Template | None:
        """A key that is put together in a way that is not known: it says the tag of a scope, and the
        scope's value is in it."""
        match node:
            case tree.Call(func=tree.Name(id="dict")):
                return None  # what stands in it may be keys
            case tree.Call() | tree.Binary() if last_name(node) not in _TAKES_APART:
                pass
            case _:
                return None
        known = self._known.get(id(node))
        if known is None and isinstance(node, tree.Call) and self._is_helper(node):
            known = self._known[id(node)] = Template(node, ())
        if known is None and (begun := self.templates.begun.pieces(node)) is not None:
            known = self._known[id(node)] = Template(node, merged(begun), opaque=True)
        if known is None:
            filled = substituted.pieces(self.templates, node, node)
            known = self._known[id(node)] = (
                self._seen(node) if filled is None else Template(node, tuple(filled), opaque=True)
            )
        return known if known.pieces else None

    def _is_helper(self, call: tree.Call) -> bool:
        """Whether a call is of a function that fills one of several texts, which are told of themselves."""
        templates = self.templates
        returned = [
            templates.formatted.base(value)
            for callee in templates.calls.callees(call)
            for value in (callee.function.returns if callee.function is not None else ())
        ]
        return any(base is not None and templates.choices.of(base).texts for base in returned)

    def _seen(self, node: tree.Call | tree.Binary) -> Template:
        said: list[str] = []
        values: list[tree.Node] = []
        told = [step for part in (node, *self._told(node)) for step in self._contents(part)]
        contents = [*told, *self._added_by(told)]
        parameters = {  # whose names say nothing of the key
            parameter.name
            for call in contents
            if isinstance(call, tree.Call)
            for callee in self.templates.calls.callees(call)
            for parameter in self.templates.calls.parameters(callee)[0]
        }
        for part in contents:
            match part:
                case str():
                    said += [part] if part not in parameters else []
                case tree.Const(value=str() as text):
                    said.append(text)
                case tree.Name() | tree.Attr():
                    constant = self.templates.constant(part) or substituted.made_from(
                        self.templates, part
                    )
                    said += [constant] if constant is not None else []
                    values += [part] if constant is None else []
        found: list[Piece] = []
        for scope in self.templates.scopes:
            bare = word_of(scope.tag).lower()
            named = [v for v in values if names_scope(hole_name(v), scope)]
            if named and any(re.search(rf"\b{re.escape(bare)}\b", t.lower()) for t in said):
                found += [Text(scope.tag, node, node), Filled(named[0], node, hole_name(named[0]))]
        return Template(node, tuple(found), opaque=True)

    def _told(self, node: tree.Node) -> Iterator[tree.Node]:
        """What a local is made by, and told in statements of its own, on which a call is made: `key.add("ORDER", order_id)` of
        `key.build()`."""
        names, name = self.templates.names, _begun(node)
        binding = bound_whole(names, name) if name is not None else None
        made = binding.assigned if binding is not None else None
        if name is None or binding is None or not isinstance(made, tree.Call):
            return
        if not self.templates.calls.callees(made):
            return
        yield made
        for read in reads_of(names, name, (binding.at,)):
            told: object = names.parent(names.parent(read))
            while isinstance(told, tree.Call) and _begun(told) is read:
                if any(map(_is_step, self._called(told))):
                    yield told
                told = names.parent(names.parent(told))

    def _called(self, node: tree.Node | str) -> Iterator[Function]:
        for callee in self.templates.calls.callees(node) if isinstance(node, tree.Call) else ():
            if callee.function is not None and callee.function.owner is not None:
                yield callee.function

    def _added_by(self, told: list[tree.Node | str]) -> Iterator[tree.Const]:
        """The texts that a builder, which is told in steps, notes itself beside what it is given: `"TENANT"` of
        `key.tenant(tenant_id)`, or of `Key(tenant_id)`."""
        methods = [method for call in told for method in self._called(call)]
        for method in methods if any(map(_is_step, methods)) else ():
            for one in self.templates.names.inside(method):
                beside = self.templates.names.parent(one)
                given = isinstance(beside, tree.Sequence) and any(
                    isinstance(i, tree.Name) and method.parameter(i.id) for i in beside.items
                )
                noted = given if method.name == "__init__" else _is_step(method)
                if noted and isinstance(one, tree.Const) and isinstance(one.value, str):
                    yield one

    def _contents(self, node: tree.Node) -> Iterator[tree.Node | str]:
        """All that an expression is made of, the names of its keyword arguments included; texts in it that
        have scopes themselves are keys of their own."""
        yield node
        if isinstance(node, tree.Call):
            yield from (a.keyword for a in node.args if a.keyword is not None)
        parts = [*node.below()]
        if isinstance(node, tree.Comprehension):
            parts = [*node.results, *(self._looped(g.iter) for g in node.generators)]
        for part in parts:
            if not self._is_whole(part):
                yield from self._contents(part)

    def _looped(self, source: tree.Node) -> tree.Node:
        """What a loop goes through, as it is written out where a local has it: `pairs.items()` of `pairs = {"TENANT": t}`."""
        match source:
            case tree.Call(func=tree.Attr(name="items", base=base), args=()):
                return self.templates.formatted.written_out(base)
            case _:
                return self.templates.formatted.written_out(source)

    def _is_whole(self, part: tree.Node) -> bool:
        can = tree.makes_text(part) or isinstance(part, tree.Call)
        made = self.templates.template(part) if can else None
        return made is not None and bool(self.templates.segments(made.pieces))


def _begun(node: tree.Node) -> tree.Name | None:
    """The name on which the first of several calls is made: `key` of `key.add(…).build()`."""
    while isinstance(node, tree.Call) and isinstance(node.func, tree.Attr):
        node = node.func.base
    return node if isinstance(node, tree.Name) else None


def _is_step(method: Function) -> bool:
    """Whether a method notes something, and gives back its object or nothing."""
    own = (isinstance(r, tree.Name) and r.id == method.self_name for r in method.returns)
    return method.name != "__init__" and all(own)
