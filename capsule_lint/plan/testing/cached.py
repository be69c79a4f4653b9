"""Keys of caches that tests spell out wherever they look for them: `assert fake.exists("note:t:1")`,
`cache.delete.assert_called_with("note:t:1")`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Replace
from capsule_lint.plan.keys.spelled import literal_text
from capsule_lint.plan.memory.keyed_methods import is_keyed
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.comparisons import HOLDING

if TYPE_CHECKING:
    from capsule_lint.plan.keys.spelled import Form
    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.model import Module


class CachedKeys(MendRoom, Struct, frozen=True):
    """Mends those that nothing else has mended, where the test runs what makes such keys."""

    mends: Mends

    def build(self) -> None:
        """Add the mends; a key that cannot be mended makes the change unsafe."""
        forms = [form for form in self.mends.local.text_forms() if not form.bare]
        if not forms:
            return
        mended = self.mends.mended(Replace, AddElements)
        for module in self.program.names.modules.values():
            if not module.is_test or module.generated:
                continue
            for node in module.either(tree.Const, tree.FString):
                text = literal_text(node)
                if text is None or (module.filename, node.span) in mended:
                    continue
                if not all(map(self._is_named, self._stands(node))):
                    fits = [form for form in forms if form.regex.fullmatch(text)]
                    if fits and self.mends.testing.staying.is_of_others(node, fits):
                        continue
                    runs = [
                        form
                        for form in fits
                        if self._runs(node, form)
                        or (self._is_asked_by(node) and self._says_test_values(text, form))
                    ]
                    self._mend(module, node, runs)

    def _runs(self, node: tree.Node, form: Form) -> bool:
        """Whether the test around a text runs a function that makes keys of a form."""
        running = self.mends.testing.places.run_beside(node)
        return not running or bool(form.functions & running)

    def _stands(self, node: tree.Node) -> list[tree.Node]:
        return self.planner.sources.shared.stands(node)

    def _is_asked_by(self, text: tree.Node) -> bool:
        """Whether a text stands where keys do: `{"cart:t:ann": …}`, `cache["cart:t:ann"]`, `"cart:t:ann" in cache`,
        `cache.get("cart:t:ann")`, `self.assertIn("cart:t:ann", cache)`."""
        return any(map(self._is_key_in, self._stands(text)))

    def _is_key_in(self, node: tree.Node) -> bool:
        match self.program.names.parent(node):
            case tree.DictDisplay() as display:
                return any(key is node for key in display.keys)
            case tree.Subscript(index=index):
                return index is node
            case tree.Compare(left=left, ops=("in" | "not in",)):
                return left is node
            case tree.Call(func=tree.Attr(name=name), args=(first, *_)):
                return first.value is node and (is_keyed(name) or name in HOLDING)
            case _:
                return False

    def _says_test_values(self, text: str, form: Form) -> bool:
        """Whether what a key lacks stands beside a value that policy gives the tests: then it is a key, whatever
        leads from the test to what makes it, such as a client of a web framework."""
        found = form.regex.fullmatch(text)
        given = self.planner.sources.given.value_of_helper
        values = [value for one in self.program.policy.scopes if (value := given(one))]
        return found is not None and all(
            any(_is_beside(text, found.end(gap.group), value) for value in values)
            for gap in form.gaps
        )

    def _is_named(self, node: tree.Node) -> bool:
        """Whether a text goes by a name, or to what is told a scope besides: that is no key of a cache, but a
        part of one, `Plan(id="plan-1")` beside `f"plan-{tenant_id}"`."""
        program = self.program
        parent = program.names.parent(node)
        if isinstance(parent, tree.DictDisplay):
            return any(value is node for value in parent.values)
        if not isinstance(parent, tree.Call) or parent.func is node:
            return False
        domain, scopes = program.domain, program.policy.scopes
        return any(a.value is node and a.keyword for a in parent.args) or any(
            callee.cls is not None
            or (callee.function is not None and domain.scope_parameter(callee.function, s))
            for callee in program.calls.callees(parent)
            for s in scopes
        )

    def _mend(self, module: Module, node: tree.Node, forms: list[Form]) -> None:
        codes = {
            self.mends.testing.segments.filled(module, node, form) if form.provable else None
            for form in forms
        }
        code = codes.pop() if len(codes) == 1 else None
        knots = dict.fromkeys(form.defects[0].knot for form in forms)
        for knot in knots:
            if code is None:
                self.mends.spelled(knot, node)
            else:
                self.state.groups.join(knot, next(iter(knots)))
        if code is not None:
            mend = Replace(module.filename, node.span, "CAP107", code)
            self.mends.add(next(iter(knots)), mend)


def _is_beside(text: str, at: int, value: str) -> bool:
    """Whether a value ends or begins at a place of a text, and nothing else of a word."""
    before, behind = text[:at], text[at:]
    return (before.endswith(value) and not before[: -len(value)][-1:].isalnum()) or (
        behind.startswith(value) and not behind[len(value) :][:1].isalnum()
    )
