"""Keys that a test gives, and expects again within a longer text: `match="no note TENANT#t#NOTE#n"`; and keys in
examples that doctest runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.keys.spelled import embedded
from capsule_lint.plan.literals import Literal, literal, plain_literal
from capsule_lint.plan.uses.doctests import hindered

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from capsule_lint.plan.keys.spelled import Form
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.plan.testing.testing import Testing

_INSIDE: Final = "a key that changes stands inside of this text"
_EXAMPLE: Final = "an example in a docstring, which doctest may run, spells out a key that changes"


class Quoted(Struct, frozen=True):
    """Updates them together with the keys that are given."""

    testing: Testing

    def update(self) -> None:
        """Look at the other texts of each test in which a whole key is updated."""
        names = self.testing.mends.planner.program.names
        for node, code, form in self.testing.changed:
            key = tree.text(node) or ""
            readers = self.testing.places.readers(node) if key else ()
            for other in (one for function in readers for one in names.inside(function)):
                text = tree.text(other) or ""
                longer = key != text and key in text and id(other) not in self.testing.updated
                if longer and self.testing.places.is_expected(other):
                    self._replace(other, key, code, form)

    def fill(self, node: tree.Node, made: Sequence[tuple[Form, re.Pattern[str]]]) -> None:
        """Complete the key in a longer text that a test expects, `"stored TENANT#t#NOTE#n"`, made by what it runs."""
        mends = self.testing.mends
        module = mends.planner.program.names.module_of(node)
        knot = self.testing.tie([form for form, _ in made])
        said, texts = plain_literal(mends.source(module, node.span)), set[str | None]()
        if said is None or said.formatted or not said.single or module.generated:
            mends.obstacle(knot, node, _INSIDE)
            return
        for form, regex in made:
            keys = [match[0] for match in regex.finditer(said.body)]
            if len(keys) != 1 or form.regex.fullmatch(keys[0]) is None:
                continue  # several of them, or a text that has the key in it itself
            new = self.testing.completed(Literal("", said.quote, keys[0]), "", node, form)
            whole = literal(new) if new is not None else None
            if whole is None or whole.formatted:
                texts.add(None)
            else:
                texts.add(said.code(said.body.replace(keys[0], whole.body), formatted=False))
        match list(texts):
            case [str() as text]:
                mends.add(knot, Replace(module.filename, node.span, "CAP104", text))
                self.testing.updated[id(node)] = [form for form, _ in made]
            case _:
                mends.obstacle(knot, node, _INSIDE)

    def note_examples(self, defects: Sequence[KeyDefect]) -> None:
        """Note the examples of docstrings that spell out a key that changes."""
        mends, names = self.testing.mends, self.testing.mends.planner.program.names
        made = [(defect, embedded(defect.template.pieces)) for defect in defects]
        inside = [(defect, regex) for defect, regex in made if regex is not None]
        for module in names.modules.values() if inside else ():
            for node in module.each(tree.Const):
                _, sign, shown = (tree.text(node) or "").partition(">>> ")
                found = [one for one, regex in inside if regex.search(shown)] if sign else []
                text = tree.text(node) or ""
                if found and hindered(mends.planner.program, module, text) is None:
                    mends.obstacle(found[0].knot, node, _EXAMPLE)

    def _replace(self, node: tree.Node, key: str, code: str, form: Form) -> None:
        mends, knot = self.testing.mends, form.defects[0].knot
        module = mends.planner.program.names.module_of(node)
        said, new = plain_literal(mends.source(module, node.span)), plain_literal(code)
        if said is None or new is None or new.formatted or said.body.count(key) != 1:
            mends.obstacle(knot, node, _INSIDE)
            return
        self.testing.updated[id(node)] = [form]
        body = said.body.replace(key, new.body)
        text = said.code(body, formatted=said.formatted)
        mends.add(knot, Replace(module.filename, node.span, "CAP104", text))
