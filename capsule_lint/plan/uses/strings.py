"""What becomes of a changing name in a string: patched, looked up, imported, run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import Verdict
from capsule_lint.plan.room import Room
from capsule_lint.plan.testing.standins import StandIn
from capsule_lint.plan.uses.lookups import is_imported, is_known, lookup_of
from capsule_lint.plan.uses.passthrough import ASSERTIONS, CALL_LISTS
from capsule_lint.program.inference.mocks import PATCHES, replacement
from capsule_lint.program.inference.types import Foreign, Instance, Mocked, join, ordered
from capsule_lint.program.model import Class, enclosing, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.uses.references import References
    from capsule_lint.plan.uses.replacements import Replacements
    from capsule_lint.program.inference.types import Types
    from capsule_lint.program.model import Function, Symbol

_READERS: Final = frozenset(
    ("getattr", "attrgetter", "methodcaller", "import_string", "delattr", "multiple")
)
_RUNNING: Final = frozenset(("builtins.eval", "builtins.exec", "builtins.compile"))


def registered_as(function: Function) -> Iterator[str]:
    """The texts by which a function may be found: its path, as imports and as entry points spell it, and
    `@task(name="notes.index")`."""
    if function.owner is None and function.parent is None:
        yield function.symbol
        yield f"{function.module.name}:{function.name}"
    for decorator in function.fact.decorators:
        named = dict(decorator.keywords).get("name") if isinstance(decorator, tree.Call) else None
        if (text := tree.text(named)) is not None:
            yield text


@dataclass(eq=False, slots=True)
class Strings(Room):
    """Judges strings."""

    planner: Planner
    references: References
    replacements: Replacements
    _runners: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        uses = self.program.calls.uses
        names = (uses.known_as(name.rpartition(".")[2]) for name in _RUNNING)
        self._runners = frozenset[str]().union(*names)

    def verdict(self, node: tree.Const, symbols: list[Symbol]) -> tuple[Symbol, Verdict, str]:
        """What becomes of a string that is equal to the name of one of `symbols`, and of which."""
        program = self.program
        lookup = lookup_of(program, node)
        if lookup is not None:
            return self._looked_up(lookup, symbols)
        if is_imported(program, node):
            return symbols[0], Verdict.ALREADY_CORRECT, "an import"
        parent = program.names.parent(node)
        call = parent if isinstance(parent, tree.Call) else None
        word = last_name(call.func) if call is not None else ""
        if call is None or word not in PATCHES | _READERS:
            return symbols[0], Verdict.OTHER, "a string that nothing looks up"
        types = program.inference.mocks.target(call)
        types = self._got(call, node) if word == "attrgetter" else types
        symbol = symbols[0] if types is None else self.references.referenced(types, symbols)
        if symbol is None:
            return symbols[0], Verdict.OTHER, "names something else"
        if isinstance(symbol, Class):
            return symbol, Verdict.ALREADY_CORRECT, "names the class"
        if word in PATCHES and (types is not None or not self._is_asserted(call)):
            return symbol, *self._patched(call, symbol)
        return symbol, Verdict.TEXT, f"named in a string given to `{word}`"

    def _got(self, getter: tree.Call, name: tree.Const) -> Types | None:
        """What `sorted(pages, key=attrgetter("title"))` gets of each; `None` where what they are is not known."""
        inference, text = self.program.inference, tree.text(name)
        match self.program.names.parent(getter):
            case tree.Call(args=(each, rows)) if each.value is getter:
                given = rows.value
            case tree.Call(func=tree.Attr(name="sort", base=base)):
                given = base
            case tree.Call(args=(rows, *_)) as call if call.keyword("key") is getter:
                given = rows.value
            case _:
                return None
        found = inference.contents.elements(inference.of(given))
        if text is None or not found or not all(isinstance(one, Instance) for one in found):
            return None
        return join(*(inference.attributes.of(one, text) for one in ordered(found)))

    def registered(self, node: tree.Const, function: Function) -> tuple[Symbol, Verdict, str]:
        """What becomes of a text by which a function may be found: `app.send_task("notes.index", args=[…])`."""
        parent = self.program.names.parent(node)
        if any(parent is decorator for decorator in function.fact.decorators):
            return function, Verdict.ALREADY_CORRECT, "the name that it is found by"
        return function, Verdict.TEXT, f"may be what `{function.name}` is called by"

    def _is_asserted(self, patch: tree.Call) -> bool:
        """Whether a test that patches something unknown says what an unknown mock was called with."""
        names, inference = self.program.names, self.program.inference
        place, parent = names.place(patch), names.parent(patch)
        tests = [
            f
            for f in place.scope.module.functions
            if f.fact is parent or (f.owner is not None and f.owner.fact is parent)
        ]
        tests += list(enclosing(place))
        return any(
            isinstance(node, tree.Attr)
            and node.name in (*ASSERTIONS, *CALL_LISTS)
            and any(isinstance(t, Mocked) and t.spec is None for t in inference.of(node.base))
            for test in tests
            for node in names.inside(test)
        )

    def is_run(self, node: tree.Const) -> bool:
        """Whether a string is code for the built-in `eval`, `exec` or `compile`."""
        program = self.program
        call = program.names.parent(node)
        if not isinstance(call, tree.Call) or last_name(call.func) not in self._runners:
            return False
        return any(
            isinstance(one, Foreign) and one.name in _RUNNING
            for one in program.inference.of(call.func)
        )

    def _looked_up(self, lookup: tree.Node, symbols: list[Symbol]) -> tuple[Symbol, Verdict, str]:
        """A name that is looked up in a namespace: as good as the call of what it finds."""
        program = self.program
        symbol = self.references.referenced(program.inference.of(lookup), symbols)
        if symbol is None and is_known(program, lookup):
            return symbols[0], Verdict.OTHER, "names something else"
        call = program.names.parent(lookup)
        if symbol is not None and isinstance(call, tree.Call) and call.func is lookup:
            return symbol, *self.references.called(call, symbol)
        if isinstance(symbol, Class):
            return symbol, Verdict.ALREADY_CORRECT, "names the class"
        return symbol or symbols[0], Verdict.TEXT, "looked up by its name"

    def _patched(self, call: tree.Call, symbol: Symbol) -> tuple[Verdict, str]:
        """A name that a test replaces: as good as what comes in its place."""
        stand_ins = [
            s for a in call.args[:2] for s in self.planner.signatures.stand_ins.named(a.value)
        ]
        node = replacement(call)
        if node is not None and not stand_ins:
            stand_ins = [StandIn(node, 0, node)]
        types = [t for one in stand_ins for t in self.program.inference.of(one.node)]
        if not stand_ins or any(isinstance(t, Mocked) for t in types):
            return Verdict.ALREADY_CORRECT, "patched by a mock that takes any arguments"
        reason = f"named in a string given to `{last_name(call.func)}`"
        return self.replacements.judge(stand_ins, symbol) or (Verdict.TEXT, reason)
