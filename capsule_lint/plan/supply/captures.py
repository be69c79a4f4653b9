"""Values that `match` takes out of dicts: `case {"tenant_id": tenant_id, "day": day}:`. What is read of a dict beside one
of them is asked for by the pattern as well, so that a dict without it does not match, as without any other."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddEntry, Position, Span
from capsule_lint.plan.code import rename, renamed_item_access, text_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Knot
from capsule_lint.plan.supply.repeats import bound_by, taken_out
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import enclosing
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Module

_UNASKED: Final = "the pattern that takes this apart would have to ask for `{}` as well"
_LOST: Final = (
    "`{}` is read whole as well, from which a pattern that asks for `{}` would take that away"
)
_AT_A_KEY: Final = frozenset(("get", "pop"))


@dataclass(eq=False, slots=True)
class Captures(MendRoom):
    """Adds the entries to the patterns."""

    mends: Mends
    _named: dict[tuple[Module, tree.At, str], tuple[str, Knot]] = field(default_factory=dict)
    """What new entries of patterns are bound to, by key, and a change that this belongs to."""

    def named(self, want: Want, code: str, knot: Knot) -> str:
        """The code of a want's value, with a name that a pattern binds in the place of what it reads of a dict."""
        for old, said in self._beside(want):
            known = taken_out(said, self.program, old)
            if known is None:
                continue
            binding, read = known
            beside = renamed_item_access(text_of(read) or "", read, old, want.scope)
            place = re.compile(rf"(?<![\w.\])]){re.escape(beside or '')}")
            found = beside is not None and place.search(code) is not None
            name = self._name(binding, old, want, knot) if found else None
            if name is not None:
                return place.sub(name, code)
        return code

    def _beside(self, want: Want) -> Iterator[tuple[Scope, tree.Node]]:
        """What stands for the other scopes beside a want."""
        yield from self.planner.values.said(want)
        for node in self.planner.values.entries(want):
            yield from ((scope, node) for scope in self.program.policy.others(want.scope))

    def _name(self, binding: Binding, old: Scope, want: Want, knot: Knot) -> str | None:
        """What a pattern binds beside a name, or is going to; `None` where it asks for the key, and binds nothing."""
        keys = bound_by(binding).keys or ()
        at = next(
            n
            for n, key in reversed(list(enumerate(keys)))
            if isinstance(key, tree.Entry) and names_scope(key.key, old)
        )
        entry = keys[at]
        assert isinstance(entry, tree.Entry)
        key, module = rename(entry.key, old, want.scope), binding.module
        if key in entry.keys:
            return self._bound(binding, entry, key, len(keys) - at, want)
        spread, whole_too = self._rest(binding, entry, want)
        if whole_too or binding.function is None:
            given = want.call.args if want.call is not None and entry.rest is not None else ()
            if spread or any(one.star == "**" for one in given):  # the key is in that as well
                self.mends.obstacle(knot, want.node, _LOST.format(entry.rest, key))
            return None  # it stays in what is left, and others see the names of a module
        for joined in spread:
            self.state.groups.join(knot, joined)
        name, first = self._named.get((module, entry.at, key), (None, knot))
        self.state.groups.join(first, knot)
        if name is None:
            scopes, whole = (old, want.scope), at == len(keys) - 1
            free = (n for n in names_beside(binding, *scopes) if self._is_free(n, binding))
            name = next(free, None)
            pattern = self._pattern(entry, binding, name, whole, scopes) if name else None
            if name is None or pattern is None:
                self.mends.obstacle(knot, want.node, _UNASKED.format(key))
                return None
            self._named[module, entry.at, key] = name, knot
            mend = AddEntry(
                module.filename,
                tree.span_of(entry.at),
                "CAP401",
                f'"{key}"',
                pattern,
                tree.span_of(entry.value),
            )
            self.mends.add(knot, mend)
        return name

    def _rest(self, binding: Binding, entry: tree.Entry, want: Want) -> tuple[set[Knot], bool]:
        """The changes of the calls that gain a scope for which a pattern's `**rest` must not have it, `cls(tenant_id,
        **rest)`, and whether that is read other than by them, or one by one."""
        bound, block = bound_by(binding), binding.place.statement
        wants = {id(w.call): w.knot for w in self.state.wants if w.scope is want.scope}
        binds = block.binds if isinstance(block, tree.Block) else ()
        targets = [one.target for one in binds if one.body == bound.body]
        rests = [one for one in targets if isinstance(one, tree.Name) and one.id == entry.rest]
        spread, whole = set[Knot](), False
        for target in rests[:1]:
            for read in reads_of(self.program.names, target, {one.at for one in rests}):
                call = self.program.names.parent(read)
                given = call.args if isinstance(call, tree.Call) else ()
                if id(call) in wants and any(a.value is read and a.star == "**" for a in given):
                    spread.add(wants[id(call)])
                else:
                    whole |= not self._is_at_a_key(read, want.scope)
        return spread, whole

    def _is_at_a_key(self, read: tree.Name, scope: Scope) -> bool:
        """Whether nothing but what a dict has under a key is read, which is not that of a scope."""
        around, key = self.program.names.parent(read), None
        if isinstance(around, tree.Subscript) and around.base is read:
            key = around.index
        elif isinstance(around, tree.Attr) and around.name in _AT_A_KEY:
            call = self.program.names.parent(around)
            if isinstance(call, tree.Call) and call.func is around and call.args:
                key = call.args[0].value
        said = key.value if isinstance(key, tree.Const) else None
        return isinstance(said, str) and not names_scope(said, scope)

    def _bound(
        self, binding: Binding, entry: tree.Entry, key: str, depth: int, want: Want
    ) -> str | None:
        """The name to which the pattern binds what stands under another key in the same dict."""
        names, block = self.program.names, binding.place.statement
        for bind in block.binds if isinstance(block, tree.Block) else ():
            said = bind.keys[-depth] if bind.keys and len(bind.keys) >= depth else None
            if isinstance(said, tree.Entry) and (said.key, said.at) == (key, entry.at):
                name = bind.target.id if isinstance(bind.target, tree.Name) else ""
                held = names.bindings(name, names.place(want.node))
                return name if [one.at for one in held] == [bind.target.at] else None
        return None

    def _pattern(
        self,
        entry: tree.Entry,
        binding: Binding,
        name: str,
        whole: bool,
        scopes: tuple[Scope, Scope],
    ) -> str | None:
        """The pattern of a value that is bound to a name, as that of its neighbour is written."""
        alike = entry.types is not None and all(self._is_type(t, *scopes) for t in entry.types)
        if not alike:
            return name if whole else None
        (row, column, *_), (*_, end, last) = binding.at, binding.at
        start, value = Position(row, column), tree.span_of(entry.value)
        before = self.mends.source(binding.module, Span(value.start, start))
        behind = self.mends.source(binding.module, Span(Position(end, last), value.end))
        return f"{before}{name}{behind}"

    def _is_free(self, name: str, binding: Binding) -> bool:
        """Whether a pattern can bind a name, and the function keeps nothing under it."""
        function = binding.function
        kept = function is not None and self.mends.kept.has(function, name)
        return not kept and is_free(self.planner, name, binding)

    def _is_type(self, name: str, old: Scope, new: Scope) -> bool:
        """Whether what a dict has for one scope is of a class because it is so for another one."""
        one, other = old.type, new.type
        if name == "dict":
            return True
        if other is None:
            return name == ("int" if (new.test_value or "").isdecimal() else "str")
        if one == other or other.module == "builtins":
            return name in (("str", "int") if one == other else (other.name,))
        return name == "str" and any(quote in (new.test_value or "") for quote in "\"'")


def is_free(planner: Planner, name: str, binding: Binding) -> bool:
    """Whether a name can be bound by a pattern: nothing else in the function has it, or is going to, but for other
    cases of the same `match`."""
    place, gained = binding.place, planner.state.params
    function, held = place.scope.function, place.scope.bindings.get(name, ())
    around = list(enclosing(place))
    if function is None or any(name in gained.get(one, ()) for one in around):
        return False
    if any(name in one.scope.bindings for one in around[1:]):
        return False
    if not held:
        taken = planner.sources.visible.is_taken(function, name)
        return not taken and not planner.program.names.called(function, name)
    return name not in place.scope.outer and all(
        one.kind == "case"
        and one.place.statement is place.statement
        and one.place.blocks != place.blocks
        for one in held
    )


def names_beside(binding: Binding, old: Scope, new: Scope) -> Iterator[str]:
    """What the value beside one that a pattern binds may be called."""
    name, block = rename(binding.name, old, new), binding.place.statement
    yield from (name,) if name != binding.name else ()
    yield new.parameter
    subject = block.heads[0] if isinstance(block, tree.Block) else None
    yield f"{subject.id if isinstance(subject, tree.Name) else 'found'}_{new.parameter}"
