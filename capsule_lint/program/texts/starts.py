"""Which modules can make a text that starts with a scope's tag: to find out of each text costs much."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import Function, enclosing, last_name
from capsule_lint.program.texts.pieces import bare_word

if TYPE_CHECKING:
    from capsule_lint.program.model import Module
    from capsule_lint.program.names import Names
    from capsule_lint.program.texts.templates import Templates

_MORE: Final = re.compile(r"\{\}[^\w{]+[\w{]")
"""What goes on behind a value."""


@dataclass(eq=False)
class Starts:
    """Finds texts that start with a tag and what fills it."""

    names: Names
    templates: Templates
    tags: tuple[str, ...]
    """Those of the policy's scopes, as far as they have one."""

    def may_be(self, node: tree.Node) -> bool:
        """Whether an expression may be such a text, or call a function that makes one, by the names in the function around
        it: that of what spells a tag must be among them."""
        return self._home(node) in self._able

    def at(self, node: tree.Node) -> bool:
        """Whether an expression is such a text."""
        return self.may_be(node) and any(
            self._form.match(t.text) for t in self.templates.resolve(node)
        )

    def go_on(self, node: tree.Node) -> bool:
        """Whether an expression is one in which more stands behind that."""
        return self.at(node) and any(_MORE.search(t.text) for t in self.templates.resolve(node))

    @cached_property
    def _form(self) -> re.Pattern[str]:
        tags = "|".join(map(re.escape, self.tags)) or "(?!)"
        return re.compile(rf"(?:{tags})\{{\}}(?:[\W_]|$)")

    def _home(self, node: tree.Node) -> Function | Module:
        """The outermost function around an expression, or its module."""
        place = self.names.place(node)
        around = list(enclosing(place))
        return around[-1] if around else place.scope.module

    @cached_property
    def _spelling(self) -> list[tree.Node]:
        """The texts of the program that have a tag's word in them."""
        words = {bare_word(tag) for tag in self.tags}
        return [
            node
            for module in self.names.modules.values()
            for node in module.either(tree.Const, tree.FString)
            if any(
                isinstance(text, str) and any(word in text for word in words)
                for text in (node.parts if isinstance(node, tree.FString) else (node.value,))
            )
        ]

    @cached_property
    def _able(self) -> set[Function | Module]:
        """The functions, and the modules outside of functions, that spell a tag or name what does: a function, or what
        has the tag outside of functions."""
        found, kept = set(map(self._home, self._spelling)), set[str]()
        for node in self._spelling:
            statement, scope = self.names.place(node).statement, self.names.place(node).scope
            for target in statement.targets if isinstance(statement, tree.Assign) else ():
                if not isinstance(target, tree.Name) or scope.function is None:
                    kept.add(last_name(target))
        found |= set(map(self._home, self.names.named(*self._bound(kept))))
        makers = {one.name for one in found if isinstance(one, Function)}
        return found.union(map(self._home, self.names.named(*self._bound(makers | kept))))

    def _bound(self, names: set[str]) -> set[str]:
        """Some names, and the others under which they are imported."""
        imported = (
            one
            for module in self.names.modules.values()
            for statement, _ in module.imports
            for one in statement.names
        )
        return names | {one.bound for one in imported if one.name in names}
