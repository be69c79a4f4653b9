"""Keys that a test gives, and expects again within a longer text: `match="no note TENANT#t#NOTE#n"`; and keys in
examples that doctest runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.keys.spelled import embedded
from capsule_lint.plan.literals import Literal, literal, plain_literal
from capsule_lint.plan.uses.doctests import hindered, run_by, skipped
from capsule_lint.program.local_names import behind
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.keys.spelled import Form
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.plan.testing.testing import Testing
    from capsule_lint.program.model import Function, Module

_INSIDE: Final = "a key that changes stands inside of this text"
_EXAMPLE: Final = "an example in a docstring, which doctest may run, spells out a key that changes"


class Quoted(Struct, frozen=True):
    """Updates them together with the keys that are given."""

    testing: Testing

    def update(self, changed: Sequence[tuple[tree.Node, str, Knot]]) -> None:
        """Look at the other texts of each test in which one of some texts is updated: the code that these become."""
        places = self.testing.places
        texts: dict[Function, list[tuple[tree.Node, str]]] = {}
        for node, code, knot in changed:
            key = tree.text(node) or ""
            for function in places.readers(node) if key else ():
                if function not in texts:
                    texts[function] = list(self._texts(function))
                for other, text in texts[function]:
                    longer = key != text and key in text and id(other) not in self.testing.updated
                    if longer and places.is_expected(other) and not self._stays(other, text, node):
                        self._replace(other, key, code, knot)
                        self.testing.updated[id(other)] = self.testing.updated[id(node)]

    def _stays(self, node: tree.Node, text: str, key: tree.Node) -> bool:
        """Whether a text that has a key in it stays all the same: a sort key does."""
        return self.testing.staying.is_at(node, text, self.testing.updated[id(key)])

    def _texts(self, function: Function) -> Iterator[tuple[tree.Node, str]]:
        """The texts in a test, those of its rows and those that a name in it stands for."""
        names = self.testing.program.names
        rows = (one for decorator in function.fact.decorators for one in within(decorator))
        for node in (*names.inside(function), *rows):
            said = behind(names, node) if isinstance(node, tree.Name) else node
            text = tree.text(said)
            if said is not None and text is not None and names.module_of(said).is_test:
                yield said, text

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
            new = self.testing.segments.completed(Literal("", said.quote, keys[0]), "", node, form)
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
                text = tree.text(node) or ""
                if ">>> " not in text:
                    continue
                left_out = skipped(text)
                run = (one for n, one in enumerate(text.split("\n")) if n not in left_out)
                _, _, shown = "\n".join(run).partition(">>> ")
                found = [one for one, regex in inside if regex.search(shown)]
                looks = [regex for _, regex in inside]
                may_run = found and hindered(mends.planner.program, module, text) is None
                if may_run and not self._is_others_example(module, text, looks):
                    mends.obstacle(found[0].knot, node, _EXAMPLE)

    def _is_others_example(
        self, module: Module, text: str, keys: Sequence[re.Pattern[str]]
    ) -> bool:
        """Whether the examples of a docstring give no key of some looks, and call nothing that changes, nor anything that
        is mended for what changes elsewhere: what they expect is what that makes of other texts."""
        said = [one for one in text.split("\n") if one.lstrip().startswith((">>>", "..."))]
        run = run_by(self.testing.program, module, text)
        if not run or any(regex.search(line) for regex in keys for line in said):
            return False
        only = self.testing.reach.all_of(*run)
        return self.testing.staying.is_still(only, self.testing.forms().all)

    def _replace(self, node: tree.Node, key: str, code: str, knot: Knot) -> None:
        mends = self.testing.mends
        module = mends.planner.program.names.module_of(node)
        said, new = plain_literal(mends.source(module, node.span)), plain_literal(code)
        if said is None or new is None or new.formatted or said.body.count(key) != 1:
            mends.obstacle(knot, node, _INSIDE)
            return
        body = said.body.replace(key, new.body)
        text = said.code(body, formatted=said.formatted)
        mends.add(knot, Replace(module.filename, node.span, "CAP104", text))
