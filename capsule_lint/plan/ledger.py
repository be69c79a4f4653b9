"""The ledger: every occurrence of a changing name, each with exactly one verdict."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import Occurrence, Position, Span, Verdict
from capsule_lint.plan.passthrough import ASSERTIONS, PASSING
from capsule_lint.program.binding import bind
from capsule_lint.program.model import Binding, Class, Function, Module, last_name
from capsule_lint.program.types import (
    ClassObject,
    FunctionObject,
    Instance,
    Mocked,
    Partial,
    Types,
    UnknownType,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot

Symbol = Function | Class

_PATCHES: Final = frozenset(("patch", "object", "setattr", "patch_object", "dict"))
_READERS: Final = frozenset(
    ("getattr", "attrgetter", "methodcaller", "import_string", "delattr", "multiple")
)
_HARMLESS: Final = frozenset(
    "isinstance issubclass type id hash repr print len wraps update_wrapper create_autospec MagicMock Mock AsyncMock "
    "Depends Security cast signature iscoroutinefunction TypeAdapter fields is_dataclass raises pytest_mark "
    "override_dependency NewType TypeVar get_type_hints register include_router".split()
)
_LINE: Final = re.compile(r"\r\n|\r|\n")


@dataclass(eq=False, slots=True)
class Ledger:
    """Builds the rows of a settled plan."""

    planner: Planner
    read: Callable[[str], str]
    rows: list[tuple[Knot, Occurrence]] = field(default_factory=list)
    spans: dict[Occurrence, Span] = field(default_factory=dict)
    _lines: dict[str, list[str]] = field(default_factory=dict)
    _by_name: dict[str, list[Symbol]] = field(default_factory=dict)
    _asked: set[int] = field(default_factory=set)
    _refused: set[int] = field(default_factory=set)

    def build(self) -> None:
        """Fill `rows`."""
        self._collect_names()
        self._asked = {id(w.call) for w in self.planner.state.wants if w.call is not None}
        for module in self.planner.program.names.modules.values():
            self._module(module)

    def _collect_names(self) -> None:
        state = self.planner.state
        symbols: list[Symbol] = [f for f in state.params if f.name not in ("__init__", "__new__")]
        classes = {c for c in state.fields} | {
            f.owner for f in state.params if f.name == "__init__" and f.owner is not None
        }
        symbols += sorted(classes, key=lambda c: c.symbol)
        for symbol in sorted(symbols, key=lambda s: s.symbol):
            for name in self.planner.program.calls.aliases(symbol.name):
                self._by_name.setdefault(name, []).append(symbol)

    def knot(self, symbol: Symbol) -> Knot:
        """The set in which a symbol changes."""
        if isinstance(symbol, Function):
            return ("function", symbol)
        initializer = symbol.methods.get("__init__")
        return (
            ("function", initializer)
            if initializer in self.planner.state.params
            else ("class", symbol)
        )

    # --- one module ---

    def _module(self, module: Module) -> None:
        for function in module.functions:
            if function.name in self._by_name:
                self._definition(module, function, tree.span_of(function.fact.name_at))
        for cls in module.classes:
            if cls.name in self._by_name:
                self._definition(module, cls, tree.span_of(cls.fact.name_at))
        for statement, _ in module.imports:
            for imported in statement.names:
                self._imported(module, statement, imported)
        for node in module.nodes:
            match node:
                case tree.Name() if node.id in self._by_name:
                    self._name(module, node, node.id, node.span)
                case tree.Attr() if node.name in self._by_name:
                    self._name(module, node, node.name, node.name_span)
                case tree.Const(value=str() as text):
                    name = text.rpartition(".")[2]
                    if name in self._by_name and re.fullmatch(r"[\w.]+", text):
                        self._string(module, node, text, name)
                case tree.Call():
                    for argument in node.args:
                        if argument.keyword in self._by_name:
                            self._keyword(module, node, argument)

    def _row(
        self, module: Module, span: Span, symbol: Symbol, verdict: Verdict, reason: str
    ) -> None:
        if module.generated and verdict in (Verdict.REWRITTEN, Verdict.ESCAPE):
            verdict, reason = (
                Verdict.CANDIDATE,
                "stands in a generated file, which is never edited",
            )
        lines = self._lines.get(module.filename)
        if lines is None:
            lines = self._lines[module.filename] = _LINE.split(self.read(module.filename))
        text = lines[span.start.row - 1].strip() if span.start.row <= len(lines) else ""
        row = Occurrence(module.filename, span.start, symbol.symbol, verdict, reason, text)
        self.rows.append((self.knot(symbol), row))
        self.spans[row] = span

    def _definition(self, module: Module, definition: Symbol, span: Span) -> None:
        known = [s for s in self._by_name[definition.name] if s is definition]
        if known:
            self._row(module, span, definition, Verdict.REWRITTEN, "the definition")
        else:
            other = self._by_name[definition.name][0]
            self._row(module, span, other, Verdict.OTHER, f"defines `{definition.symbol}`")

    def _imported(self, module: Module, statement: tree.Import, imported: tree.Imported) -> None:
        names = self.planner.program.names
        name = imported.name if imported.name is not None else imported.module.rpartition(".")[2]
        if name not in self._by_name:
            return
        row, column = imported.at[0], imported.at[1]
        span = Span(Position(row, column), Position(row, column + len(name)))
        target = names.follow(
            names.member(
                names.absolute(module, statement.level, imported.module), imported.name or ""
            )
        )
        symbol = target.definition if isinstance(target, Binding) else None
        if symbol in self._by_name[name] and symbol is not None:
            self._row(module, span, symbol, Verdict.ALREADY_CORRECT, "an import")
        else:
            self._row(
                module, span, self._by_name[name][0], Verdict.OTHER, "imports something else"
            )

    def _keyword(self, module: Module, call: tree.Call, argument: tree.Argument) -> None:
        assert argument.keyword is not None
        row, column = argument.at[0], argument.at[1]
        span = Span(Position(row, column), Position(row, column + len(argument.keyword)))
        self._row(
            module,
            span,
            self._by_name[argument.keyword][0],
            Verdict.OTHER,
            "the name of an argument",
        )

    # --- names and attributes ---

    def _name(self, module: Module, node: tree.Name | tree.Attr, name: str, span: Span) -> None:
        symbols = self._by_name[name]
        types = self.planner.program.inference.of(node)
        found = self._referenced(types, symbols)
        if found is not None:
            verdict, reason = self._reference(node, found, types)
            self._row(module, span, found, verdict, reason)
            return
        parent = self.planner.program.names.index.parents.get(id(node))
        if isinstance(parent, tree.Call) and parent.func is node and id(parent) in self._asked:
            self._row(module, span, symbols[0], Verdict.REWRITTEN, "a call recorded by a mock")
            return
        if isinstance(node, tree.Attr):
            receiver = self.planner.program.inference.of(node.base)
            if not receiver or any(isinstance(t, UnknownType) for t in receiver):
                if self._unknown(module, node, symbols, span):
                    return
        self._row(module, span, symbols[0], Verdict.OTHER, self._what(types))

    def _what(self, types: Types) -> str:
        said = sorted(
            {
                getattr(getattr(t, "function", None) or getattr(t, "cls", None), "symbol", None)
                or getattr(t, "name", None)
                or type(t).__name__
                for t in types
            }
        )
        return f"is `{said[0]}`" if said else "is something else"

    def _referenced(self, types: Types, symbols: list[Symbol]) -> Symbol | None:
        for one in sorted(types, key=repr):
            match one:
                case FunctionObject() if one.function in symbols:
                    return one.function
                case Partial() if one.function.function in symbols:
                    return one.function.function
                case ClassObject():
                    for cls in self.planner.program.classes.mro(one.cls):
                        if cls in symbols:
                            return cls
        return None

    def _reference(self, node: tree.Node, symbol: Symbol, types: Types) -> tuple[Verdict, str]:
        parents = self.planner.program.names.index.parents
        parent = parents.get(id(node))
        match parent:
            case tree.Call() if parent.func is node:
                return self._called(parent, symbol)
            case tree.Call():
                return self._passed(parent, node, symbol)
            case tree.Attr():
                return self._attribute_of(parent, symbol)
            case tree.Assign() if any(t is node for t in parent.targets):
                return self._assigned(parent, symbol)
            case tree.Assign():
                return Verdict.ALREADY_CORRECT, "an alias; its calls are followed"
        if isinstance(symbol, Class):
            return Verdict.ALREADY_CORRECT, "names the class"
        if isinstance(parent, tree.Compare | tree.Conditional | tree.Boolean):
            return Verdict.ALREADY_CORRECT, "is compared, or an alias"
        if isinstance(parent, tree.DictDisplay | tree.Sequence):
            return self._tabled(node, symbol)
        if isinstance(parent, tree.FunctionDef | tree.ClassDef) or parent is None:
            return Verdict.ESCAPE, "decorates something"
        if isinstance(parent, tree.Eval) and parent.kind == "expr":
            return Verdict.ALREADY_CORRECT, "is only named"
        return Verdict.ESCAPE, "is used as a value"

    def _called(self, call: tree.Call, symbol: Symbol) -> tuple[Verdict, str]:
        if isinstance(symbol, Class) or symbol.name == "__init__":
            if id(call) in self._asked:
                return Verdict.REWRITTEN, "a construction"
            return Verdict.ALREADY_CORRECT, "a construction that needs nothing"
        if id(call) in self._asked:
            return Verdict.REWRITTEN, "a call"
        return Verdict.ALREADY_CORRECT, "a call that needs nothing"

    def _passed(self, call: tree.Call, node: tree.Node, symbol: Symbol) -> tuple[Verdict, str]:
        name = last_name(call.func)
        if id(call) in self._asked and name in PASSING:
            return Verdict.REWRITTEN, f"passed on by `{name}` together with its arguments"
        if isinstance(symbol, Class) or name in _HARMLESS:
            return Verdict.ALREADY_CORRECT, "passed as a value"
        return Verdict.ESCAPE, f"passed to `{name}`, which may call it"

    def _attribute_of(self, parent: tree.Attr, symbol: Symbol) -> tuple[Verdict, str]:
        if parent.name in ASSERTIONS:
            call = self.planner.program.names.index.parents.get(id(parent))
            if isinstance(call, tree.Call) and id(call) in self._asked:
                return Verdict.REWRITTEN, "an assertion on its mock"
        return Verdict.ALREADY_CORRECT, "an attribute of it"

    def _assigned(self, statement: tree.Assign, symbol: Symbol) -> tuple[Verdict, str]:
        value = statement.value
        types = self.planner.program.inference.of(value) if value is not None else frozenset()
        if (
            any(isinstance(t, Mocked) for t in types)
            or self._referenced(types, [symbol]) is symbol
        ):
            return Verdict.ALREADY_CORRECT, "an alias or a mock"
        return Verdict.ESCAPE, "is replaced by something else"

    def _tabled(self, node: tree.Node, symbol: Symbol) -> tuple[Verdict, str]:
        """A table of functions is as good as its calls."""
        parents = self.planner.program.names.index.parents
        display = parents.get(id(node))
        holder = parents.get(id(display))
        if isinstance(holder, tree.Assign) and isinstance(symbol, Function):
            names = {last_name(t) for t in holder.targets}
            for name in names:
                for call in self.planner.program.calls.by_name.get(name, ()):
                    callees = [c.function for c in self.planner.program.calls.callees(call)]
                    if (
                        symbol in callees
                        and id(call) in self._asked
                        and all(c in self.planner.state.params for c in callees)
                    ):
                        return Verdict.REWRITTEN, "in a table whose calls are rewritten"
        return Verdict.ESCAPE, "kept in a collection"

    def _unknown(self, module: Module, node: tree.Attr, symbols: list[Symbol], span: Span) -> bool:
        """A call on a receiver that nothing is known of, if it binds to an old signature."""
        call = self.planner.program.names.index.parents.get(id(node))
        if not isinstance(call, tree.Call) or call.func is not node:
            return False
        found = False
        for symbol in symbols:
            if not isinstance(symbol, Function) or symbol.owner is None:
                continue
            if bind(call.args, symbol.params, int(symbol.takes_self)) is None:
                continue
            what = last_name(node.base) or "the receiver"
            reason = f"nothing is known of `{what}`: annotate it, or rename it, if it is no `{symbol.owner.name}`"
            self._row(module, span, symbol, Verdict.CANDIDATE, reason)
            found = True
        return found

    # --- strings ---

    def _string(self, module: Module, node: tree.Const, text: str, name: str) -> None:
        symbols = self._by_name[name]
        parent = self.planner.program.names.index.parents.get(id(node))
        call = parent if isinstance(parent, tree.Call) else None
        word = last_name(call.func) if call is not None else ""
        if call is None or word not in _PATCHES | _READERS:
            self._row(
                module, node.span, symbols[0], Verdict.OTHER, "a string that nothing looks up"
            )
            return
        symbol = self._named_by(call, text, name, symbols)
        if symbol is None:
            self._row(module, node.span, symbols[0], Verdict.OTHER, "names something else")
        elif word in _PATCHES and self._plain_patch(call):
            self._row(
                module,
                node.span,
                symbol,
                Verdict.ALREADY_CORRECT,
                "patched by a mock that takes any arguments",
            )
        elif isinstance(symbol, Class):
            self._row(module, node.span, symbol, Verdict.ALREADY_CORRECT, "names the class")
        else:
            self._row(
                module, node.span, symbol, Verdict.TEXT, f"named in a string given to `{word}`"
            )

    def _named_by(
        self, call: tree.Call, text: str, name: str, symbols: list[Symbol]
    ) -> Symbol | None:
        if "." in text:
            found = self.planner.program.names.definition(text)
            return found if found in symbols else None
        first = call.args[0].value if call.args else None
        if first is None or first.at == ():
            return None
        if isinstance(first, tree.Const):
            return None if last_name(call.func) in ("patch",) else symbols[0]
        types = self.planner.program.inference.of(first)
        for one in types:
            attribute = self.planner.program.inference.attribute(one, name)
            found = self._referenced(attribute, symbols)
            if found is not None:
                return found
        if not types or any(isinstance(t, UnknownType) for t in types):
            return symbols[0]
        return None

    def _plain_patch(self, call: tree.Call) -> bool:
        keywords = {a.keyword for a in call.args}
        positional = [a for a in call.args if a.keyword is None]
        limit = 1 if last_name(call.func) == "patch" else 2
        if last_name(call.func) == "setattr":
            return len(positional) == 3 and any(
                isinstance(t, Mocked)
                for t in self.planner.program.inference.of(positional[2].value)
            )
        return len(positional) <= limit and not keywords & {
            "new",
            "side_effect",
            "wraps",
            "new_callable",
        }


def rows_of(ledger: Ledger) -> Iterator[Occurrence]:
    """The rows without their knots."""
    for _, row in ledger.rows:
        yield row


__all__ = ["Instance", "Ledger", "rows_of"]
