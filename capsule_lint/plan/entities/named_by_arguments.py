"""Names of attributes that calls give one by one to what makes a dict of these: `as_dict(note, "tenant_id", "text")`, where
`def as_dict(item, *names)` gives back `{n: getattr(item, n) for n in names}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.named import NamedFields
    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Class, Function


class NamedByArguments(MendRoom, Struct, frozen=True):
    """Gives such calls one more name."""

    mends: Mends
    fields: NamedFields

    def build(self) -> Iterator[tuple[Class, tree.Call, tree.Node]]:
        """Extend the calls; what is left are the lists that they spread, `as_dict(note, *NAMES)`."""
        names = self.program.names
        for asked in list(self.program.calls.uses.calls_beside("getattr")):
            match asked:
                case tree.Call(
                    func=tree.Name(),
                    args=(
                        tree.Argument(value=tree.Name() as whole),
                        tree.Argument(value=tree.Name() as name),
                        *_,
                    ),
                ) if self.fields.is_entry(asked, name.id):
                    bound = names.bindings_of(name)
                    rest = bound[0].value if len(bound) == 1 and not bound[0].path else None
                    function = names.function_of(asked)
                    if function is not None and self._collects(function, rest):
                        yield from self._of_callers(function, whole)

    def _collects(self, function: Function, rest: tree.Node | None) -> bool:
        """Whether something is all that a function is given by position besides."""
        bound = self.program.names.bindings_of(rest) if isinstance(rest, tree.Name) else ()
        params = [binding.parameter for binding in bound]
        return len(params) == 1 and any(p is params[0] and p.kind == "*" for p in function.params)

    def _of_callers(
        self, function: Function, whole: tree.Name
    ) -> Iterator[tuple[Class, tree.Call, tree.Node]]:
        for call, callee in list(self.program.calls.callers(function)):
            node = self._given(call, callee, function, whole)
            classes = self.fields.gaining(node) if node is not None else []
            if not classes:
                continue
            given = callee.surplus(call)
            self._extend(classes[0], call, [one for one in given if not one.star])
            for argument in given:
                listed = self.fields.written(argument.value)[0] if argument.star else None
                texts = map(tree.text, listed.items) if listed is not None else ()
                if any(names_any_of(text, self.program.policy.scopes) for text in texts if text):
                    yield classes[0], call, argument.value

    def _given(
        self, call: tree.Call, callee: Callee, function: Function, whole: tree.Name
    ) -> tree.Node | None:
        """The object that a call gives as a parameter, or whose method it calls."""
        if function.takes_self and whole.id == function.self_name:
            return call.receiver
        argument = callee.arguments(call).get(whole.id)
        return argument.value if argument is not None else None

    def _extend(self, cls: Class, call: tree.Call, given: list[tree.Argument]) -> None:
        texts = [tree.text(one.value) for one in given]
        said = frozenset(text for text in texts if text is not None)
        if not self.mends.entries.lists(call, cls, said):
            return
        for home, scope in self.fields.gained(cls):
            new = self.state.attributes.get((home, scope.parameter), scope.parameter)
            beside = [
                one
                for one, text in zip(given, texts, strict=True)
                if self.fields.is_beside(home, scope, text)
            ]
            if beside and new not in said:
                filename = self.program.names.module_of(call).filename
                at = next(n for n, one in enumerate(call.args) if one is beside[0]) + 1
                mend = AddArgument(filename, call.span, "CAP301", f'"{new}"', None, at)
                self.mends.add(("class", home), mend)
                self.mends.expected.note(call, ("class", home), scope, new)
