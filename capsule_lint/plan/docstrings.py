"""Docstrings that are told of what changes: what each gains, by whoever knows, is put in at once. And what words tell of
a scope beside those that tell of another."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.literals import plain_literal
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.uses.doctests import lines_of_examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_READING: Final = ("__doc__", "getdoc")
_LONG: Final = 5
"""Beside more words than these the name of a scope is all that is told of it: the rest may be true of the other alone."""


class Addition(Struct, frozen=True):
    """What the text of a docstring gains, and before which of its characters, with a change."""

    knot: Knot
    at: int
    text: str


def with_additions(text: str, additions: Iterable[Addition]) -> str:
    """A text with what it gains."""
    for at, new in sorted({(one.at, one.text) for one in additions}, reverse=True):
        text = f"{text[:at]}{new}{text[at:]}"
    return text


class Docstring(Struct, frozen=True):
    """A docstring of a module, and what tells by its text what it gains."""

    node: tree.Node
    module: Module
    gains: Callable[[str], Sequence[Addition]]


def docstring_of(fact: tree.FunctionDef | tree.ClassDef | tree.FileFacts) -> tree.Node | None:
    """The docstring of a function, class or module."""
    match fact.body[:1]:
        case (tree.Eval(kind="expr", values=(tree.Const() as node,)),) if tree.text(node):
            return node
        case _:
            return None


def with_text(body: Sequence[tree.Statement], statement: tree.Statement) -> tree.Statement:
    """The text beneath a statement of a body that tells what it is, or else the statement."""
    for one, below in pairwise(body):
        match below:
            case tree.Eval(kind="expr", values=(tree.Const() as value,)) if one == statement:
                return below if tree.text(value) is not None else statement
    return statement


def told_beside(text: str, names: tuple[str, str], old: Scope, new: Scope) -> str:
    """What is told of a scope beside a text that tells of another: a few words are those of the neighbour, and more are no
    more than the scope's name. `names` are those by which the two are known there."""
    word = re.compile(rf"\b{re.escape(old.name)}\b", re.IGNORECASE)
    said = word.sub(lambda found: _cased(new.name, found[0]), text.replace(*names))
    return said if said != text and len(text.split()) <= _LONG else told_of(new, text)


def told_of(scope: Scope, like: str) -> str:
    """`The capsule.`, written as another text is."""
    small, end = like[:1].islower(), "." if not like or like.endswith(".") else ""
    return f"{'the' if small else 'The'} {scope.name}{end}"


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[:1].isupper() else word


class Docstrings(MendRoom, Struct, frozen=True, dict=True):
    """Updates docstrings."""

    mends: Mends

    def build(self, docstrings: Iterable[Docstring]) -> None:
        """Add the mends, one a docstring."""
        found: dict[int, list[Docstring]] = defaultdict(list)
        for one in docstrings:
            found[id(one.node)].append(one)
        for several in found.values():
            self._update(several)

    def _update(self, docstrings: Sequence[Docstring]) -> None:
        node, module = docstrings[0].node, docstrings[0].module
        said = plain_literal(self.mends.source(module, node.span))
        examples = lines_of_examples(said.body) if said is not None else None
        if said is None or not said.single or examples is None:
            return
        body = said.body
        gains = [
            addition
            for one in docstrings
            for addition in one.gains(body)
            if body.count("\n", 0, addition.at) not in examples
        ]
        knots = {self.state.groups.find(one.knot) for one in gains}
        if (
            len(knots) != 1 or self._are_read
        ):  # what another change set leaves as it is would be told otherwise
            return
        code = said.code(with_additions(body, gains), formatted=False)
        self.mends.add(gains[0].knot, Replace(module.filename, node.span, "CAP101", code))

    @cached_property
    def _are_read(self) -> bool:
        """Whether docstrings may be more than something to read: the program may fill one, `__doc__.format(…)`."""
        names = self.program.names
        names.asked.update(_READING)  # `ask` knows none that begins with underscores
        return any(True for _ in names.named(*_READING)) or any(
            tree.text(node) in _READING
            for module in names.modules.values()
            for node in module.each(tree.Const)
        )
