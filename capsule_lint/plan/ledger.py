"""The ledger: every occurrence of a changing name, each with exactly one verdict."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import Occurrence, Position, Span, Verdict
from capsule_lint.plan.arrivals import Arrivals
from capsule_lint.plan.bare import bare_names
from capsule_lint.plan.dynamic import Dynamic
from capsule_lint.plan.examples import examples, shown
from capsule_lint.plan.lookups import is_some_module, keeping_class
from capsule_lint.plan.namesakes import is_namesake
from capsule_lint.plan.passthrough import ASSERTIONS, CALL_LISTS, listed_calls
from capsule_lint.plan.registries import Registries, picking
from capsule_lint.plan.standins import CALLED, StandIn, callables, parameters, spare
from capsule_lint.plan.strings import Strings, Symbol
from capsule_lint.program.binding import bind
from capsule_lint.program.fixtures import parameter_names
from capsule_lint.program.model import Binding, Class, Function, Module, last_name
from capsule_lint.program.types import (
    UNKNOWN,
    ClassObject,
    FunctionObject,
    Instance,
    LambdaObject,
    Mocked,
    Partial,
    Type,
    Types,
    ordered,
)
from capsule_lint.program.uses import table_of
from capsule_lint.program.walk import targets_of
from capsule_lint.program.wrapping import choosing, wrappers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.judgement import Broken
    from capsule_lint.plan.bare import Bare
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope


_HARMLESS: Final = frozenset(
    [
        "isinstance",
        "issubclass",
        "type",
        "id",
        "hash",
        "repr",
        "print",
        "len",
        "wraps",
        "update_wrapper",
        "create_autospec",
        "MagicMock",
        "Mock",
        "AsyncMock",
        "Depends",
        "Security",
        "cast",
        "signature",
        "iscoroutinefunction",
        "TypeAdapter",
        "fields",
        "is_dataclass",
        "raises",
        "pytest_mark",
        "override_dependency",
        "NewType",
        "TypeVar",
        "get_type_hints",
        "register",
        "include_router",
    ]
)
_OWN: Final = frozenset(
    (
        "register",
        "setter",
        "__get__",
        "configure_mock",
        "reset_mock",
        "mock_add_spec",
        "attach_mock",
    )
)
"""Methods of functions, and of mocks in their place, that take other arguments than these."""
_METHODS: Final = ("staticmethod", "classmethod")
_LINE: Final = re.compile(r"\r\n|\r|\n")
_NAMESAKE: Final = "an attribute of that name comes in its place, with arguments of its own"


@dataclass(eq=False, slots=True)
class Ledger:
    """Builds the rows of a settled plan."""

    planner: Planner
    read: Callable[[str], str]
    broken: Sequence[Broken] = ()
    blocked: list[tuple[Knot, str]] = field(default_factory=list)
    """What cannot be proven for the sake of files that could not be read."""
    arrivals: Arrivals = field(init=False)
    strings: Strings = field(init=False)
    rows: list[tuple[Knot, Occurrence]] = field(default_factory=list)
    spans: dict[Occurrence, Span] = field(default_factory=dict)
    _lines: dict[str, list[str]] = field(default_factory=dict)
    _by_name: dict[str, list[Symbol]] = field(default_factory=dict)
    _asked: dict[int, list[Scope]] = field(default_factory=dict)
    _handing: set[int] = field(default_factory=set)
    """The calls that pass new arguments on to what they pass as well."""

    def __post_init__(self) -> None:
        self.arrivals = Arrivals(self.planner.program)
        self.strings = Strings(self)

    def build(self) -> None:
        """Fill `rows` and `blocked`."""
        self._collect_names()
        for want in self.planner.state.wants:
            if want.call is not None:
                self._asked.setdefault(id(want.call), []).append(want.scope)
                if want.offset:
                    self._handing.add(id(want.call))
        for module in self.planner.program.names.judged():
            self._module(module)
        for module in self.planner.program.names.stubs.values():
            self._module(module)
        for lookup in Dynamic(self.planner.program, self.planner.state.params).find():
            reason = (
                f"`{lookup.by}` with a name that is not known may find `{lookup.function.name}`"
            )
            span = lookup.name.span
            self._row(lookup.module, span, lookup.function, Verdict.TEXT, reason)
        functions = sorted(self.planner.state.params, key=lambda f: (f.symbol, f.fact.at))
        classes = [s for named in self._by_name.values() for s in named if isinstance(s, Class)]
        for function in functions:
            self._decorated(function)
            self._kept(function)
        for cls in dict.fromkeys(classes):
            self._kept(cls)
        for broken in self.broken:
            self._blocked(broken)

    def _blocked(self, broken: Broken) -> None:
        """A file that could not be read blocks what it may reach into."""
        for name in sorted(self._by_name):
            if broken.words is not None and name not in broken.words:
                continue
            reason = f"{broken.filename}:{broken.row}:1: cannot be read, and may use `{name}`"
            self.blocked += [(self.knot(symbol), reason) for symbol in self._by_name[name]]

    def _collect_names(self) -> None:
        state = self.planner.state
        functions = {**dict.fromkeys(state.params), **dict.fromkeys(state.forwarders)}
        symbols: list[Symbol] = [f for f in functions if f.name not in ("__init__", "__new__")]
        classes = set(state.fields) | {
            f.owner for f in state.params if f.name == "__init__" and f.owner is not None
        }
        symbols += sorted(classes, key=lambda c: c.symbol)
        for symbol in sorted(symbols, key=lambda s: s.symbol):
            for name in self.planner.program.calls.uses.aliases(symbol.name):
                if name == "_":  # what nobody reads
                    continue
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
        for bare in bare_names(module, self._by_name.keys(), lambda: self._lines_of(module)):
            self._bare(module, bare)
        names, program = self._by_name.keys(), self.planner.program
        for example in examples(program, module, names, lambda: self._lines_of(module)):
            symbol = shown(program, example, self._by_name[example.name])
            if symbol is not None:
                reason = "an example in a docstring, which doctest may run"
                self._row(module, example.span, symbol, Verdict.TEXT, reason)
        for node in module.nodes:
            match node:
                case tree.Name() if node.id in self._by_name:
                    self._name(module, node, node.id, node.span)
                case tree.Attr() if node.name in self._by_name:
                    self._name(module, node, node.name, node.name_span)
                case tree.Const(value=str() as text) if self.strings.is_run(node):
                    self._code(module, node, text)
                case tree.Const(value=str() as text):
                    name = text.rpartition(".")[2]
                    if name in self._by_name and re.fullmatch(r"[\w.]+", text):
                        said = self.strings.verdict(node, self._by_name[name])
                        self._row(module, node.span, *said)
                case tree.Call():
                    for argument in node.args:
                        if argument.keyword in self._by_name:
                            self._keyword(module, node, argument)
                        elif argument.star == "**" and module.is_test:
                            self._spread(module, node, argument)

    def _row(
        self, module: Module, span: Span, symbol: Symbol, verdict: Verdict, reason: str
    ) -> None:
        if module.generated and verdict in (Verdict.REWRITTEN, Verdict.ESCAPE):
            verdict, reason = (
                Verdict.CANDIDATE,
                "stands in a generated file, which is never edited",
            )
        lines = self._lines_of(module)
        text = lines[span.start.row - 1].strip() if span.start.row <= len(lines) else ""
        row = Occurrence(module.filename, span.start, symbol.symbol, verdict, reason, text)
        self.rows.append((self.knot(symbol), row))
        self.spans[row] = span

    def _lines_of(self, module: Module) -> list[str]:
        lines = self._lines.get(module.filename)
        if lines is None:
            lines = self._lines[module.filename] = _LINE.split(self.read(module.filename))
        return lines

    def _bare(self, module: Module, bare: Bare) -> None:
        """A name in no expression: an alias, or the name of something else."""
        symbols = self._by_name[bare.name]
        binding = bare.binding
        types = self.planner.program.inference.bound(binding) if binding is not None else ()
        found = self.referenced(frozenset(types), symbols)
        if found is not None:
            reason = "an alias; its calls are followed"
            self._row(module, bare.span, found, Verdict.ALREADY_CORRECT, reason)
        else:
            self._row(module, bare.span, symbols[0], Verdict.OTHER, bare.what)

    def _definition(self, module: Module, definition: Symbol, span: Span) -> None:
        known = [s for s in self._by_name[definition.name] if s is definition]
        if known:
            said = (Verdict.REWRITTEN, "the definition")
            if definition not in self.planner.state.params and isinstance(definition, Function):
                said = (Verdict.ALREADY_CORRECT, "passes on what it is given")
            self._row(module, span, definition, *said)
            return
        other = self._by_name[definition.name][0]
        if self.planner.program.names.is_stub(module) and definition.symbol == other.symbol:
            self._row(module, span, other, Verdict.ALREADY_CORRECT, "declares it in a stub")
        elif (fitting := self._fitting(definition)) is not None:
            reason = (
                f"nothing shows whether it stands in for `{fitting.qualname}`, or that for it: let it "
                "inherit, or annotate where one is given as the other"
            )
            self._row(module, span, fitting, Verdict.CANDIDATE, reason)
        else:
            self._row(module, span, other, Verdict.OTHER, f"defines `{definition.symbol}`")

    def _fitting(self, definition: Symbol) -> Function | None:
        """A changing method that another one may be meant by, or may stand in for: one of the two is a
        Protocol's, the other's class has all that it demands, and both take the same parameters."""
        program = self.planner.program
        if not isinstance(definition, Function) or definition.owner is None:
            return None
        own, scopes = definition.owner, program.policy.scopes
        demands = program.classes.is_protocol(own)
        scoped = any(program.domain.scope_parameter(definition, scope) for scope in scopes)
        if program.calls.family(definition) != {definition} or (demands and not scoped):
            return None
        taken = [parameter.name for parameter in definition.own_params]
        for symbol in self._by_name[definition.name]:
            if not isinstance(symbol, Function) or symbol.owner is None:
                continue
            pair = (symbol.owner, own) if demands else (own, symbol.owner)
            same = [parameter.name for parameter in symbol.own_params] == taken
            if same and program.classes.fits(*pair):
                return symbol
        return None

    def _imported(self, module: Module, statement: tree.Import, imported: tree.Imported) -> None:
        names = self.planner.program.names
        name = imported.name if imported.name is not None else imported.module.rpartition(".")[2]
        if name not in self._by_name:
            return
        row, column = imported.at[0], imported.at[1]
        if imported.name is None:
            column += len(imported.module) - len(name)
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
        symbols = self._by_name[argument.keyword]
        meant = self._namesakes(module, call, argument, symbols)
        for symbol in meant:
            stand_ins = self.planner.stand_ins.named(argument.value)
            known = self.replaced(stand_ins, symbol) if stand_ins else None
            verdict, reason = known or (Verdict.ESCAPE, _NAMESAKE)
            self._row(module, span, symbol, verdict, reason)
        if not meant:
            self._row(module, span, symbols[0], Verdict.OTHER, "the name of an argument")

    def _spread(self, module: Module, call: tree.Call, argument: tree.Argument) -> None:
        """`MagicMock(**{"get.side_effect": lambda tenant_id: …})`."""
        display = argument.value
        for key in display.keys if isinstance(display, tree.DictDisplay) else ():
            text = tree.text(key)
            if key is not None and text is not None and "." in text:
                symbols = self._by_name.get(text.partition(".")[0], [])
                for symbol in self._namesakes(module, call, argument, symbols):
                    self._row(module, key.span, symbol, Verdict.ESCAPE, _NAMESAKE)

    def _namesakes(
        self, module: Module, call: tree.Call, argument: tree.Argument, symbols: list[Symbol]
    ) -> list[Symbol]:
        """Those of some functions in whose place an argument of a test comes."""
        if not module.is_test:
            return []
        program, changing = self.planner.program, self.planner.state.params
        replaced = self.planner.stand_ins.replaced(argument.value)
        return [
            symbol
            for symbol in symbols
            if isinstance(symbol, Function) and symbol in changing
            if is_namesake(program, call, argument, symbol)
            if not replaced or symbol in replaced
        ]

    def _decorated(self, function: Function) -> None:
        """Calls of a function by what decorates it, unless they pass on whatever they are given."""
        program = self.planner.program
        gained = self.planner.state.params[function]
        for node in picking(function) if not program.domain.enters(function) else ():
            if id(node) in self.planner.doubles:
                continue
            if not isinstance(node, tree.Const) or not any(
                f"{{{s}" in str(node.value) for s in gained
            ):
                reason = "its decorator picks its arguments by what they are"
                self._row(function.module, node.span, function, Verdict.ESCAPE, reason)
        for wrapper in wrappers(program.inference, function):
            program.names.ask(wrapper.name)
            for call in choosing(program.inference, wrapper):
                module = program.names.place(call).scope.module
                reason = f"`{wrapper.name}`, which decorates it, calls it"
                self._row(module, call.func.span, function, Verdict.ESCAPE, reason)

    def _kept(self, symbol: Symbol) -> None:
        """What a decorator keeps: nobody knows who calls it from there."""
        program = self.planner.program
        for kept in Registries(program, _HARMLESS).keeping(symbol):
            module = program.names.place(kept.node).scope.module
            table = f" in `{kept.table}`" if kept.table else ""
            reason = f"`{kept.decorator}`, which decorates it, keeps it{table}"
            self._row(module, kept.node.span, symbol, Verdict.ESCAPE, reason)

    # --- names and attributes ---

    def _name(self, module: Module, node: tree.Name | tree.Attr, name: str, span: Span) -> None:
        symbols = self._by_name[name]
        types = self.planner.program.inference.of(node)
        found = self.referenced(types, symbols)
        if found is not None:
            verdict, reason = self._reference(node, found, types)
            self._row(module, span, found, verdict, reason)
            return
        if self.planner.program.names.is_stub(module):
            self._row(module, span, symbols[0], Verdict.ALREADY_CORRECT, "names it in a stub")
            return
        parent = self.planner.program.names.parent(node)
        if isinstance(parent, tree.Call) and parent.func is node and id(parent) in self._asked:
            self._row(module, span, symbols[0], Verdict.REWRITTEN, "a call recorded by a mock")
            return
        if isinstance(node, tree.Attr):
            if is_some_module(self.planner.program, node.base) and isinstance(parent, tree.Call):
                reason = "it is not known which module is imported"
                self._row(module, span, symbols[0], Verdict.CANDIDATE, reason)
                return
            receiver = self.planner.program.inference.of(node.base)
            unknown = not receiver or UNKNOWN in receiver
            method = self.planner.program.classes.method
            proxies = [isinstance(t, Instance) and method(t.cls, "__getattr__") for t in receiver]
            unknown = unknown or (all(proxies) and UNKNOWN in types)
            if unknown and self._unknown(module, node, symbols, span):
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

    def referenced(self, types: Types, symbols: list[Symbol]) -> Symbol | None:
        """The changing symbol that one of some types is."""
        for one in ordered(types):
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
        known = self.planner.state.verdicts.get(id(node))
        if known is not None:
            return known
        replaced = self.planner.stand_ins.named(node)
        if any(True for one in replaced for _ in callables(self.planner.program, one.node)):
            escape = (Verdict.ESCAPE, "is replaced by something else")
            return self.replaced(replaced, symbol) or escape
        parent_of = self.planner.program.names.parent
        parent = parent_of(node)
        later = self.planner.program.calls.uses.later.get(id(node))
        if later is not None and symbol in self._functions(later):
            return self.called(later, symbol)
        match parent:
            case tree.Call() if parent.func is node:
                return self.called(parent, symbol)
            case tree.Call() if self._is_complete(types, symbol):
                return Verdict.ALREADY_CORRECT, "a partial that was given what it needs"
            case tree.Call():
                return self._passed(parent, node, symbol)
            case tree.Attr():
                return self._attribute_of(parent, symbol)
            case tree.Assign() if any(t is node for t in parent.targets):
                return self._assigned(parent, symbol)
            case tree.Assign() if any(last_name(t) in CALLED for t in parent.targets):
                if self._stands_in(node) or isinstance(symbol, Class):
                    return Verdict.ALREADY_CORRECT, "comes in the place of what changes alike"
                return Verdict.ESCAPE, "is called by a mock that nothing is known of"
            case tree.Assign() if isinstance(symbol, Function) and any(
                isinstance(target, tree.Subscript) for target in parent.targets
            ):
                return self._tabled(node, symbol)
            case tree.Assign():
                return Verdict.ALREADY_CORRECT, "an alias; its calls are followed"
            case tree.Eval(kind="raise") if isinstance(symbol, Class):
                return Verdict.ESCAPE, "is raised, which constructs it without arguments"
            case tree.Block() if any(_binds(bind.target, node) for bind in parent.binds):
                return Verdict.ALREADY_CORRECT, "an alias; its calls are followed"
            case tree.Comprehension() if any(_binds(g.target, node) for g in parent.generators):
                return Verdict.ALREADY_CORRECT, "an alias; its calls are followed"
        if isinstance(symbol, Class):
            return Verdict.ALREADY_CORRECT, "names the class"
        if self._annotates(node):
            return Verdict.ALREADY_CORRECT, "in an annotation, which calls nothing"
        if isinstance(parent, tree.Compare | tree.Conditional | tree.Boolean):
            return Verdict.ALREADY_CORRECT, "is compared, or an alias"
        if isinstance(parent, tree.DictDisplay | tree.Sequence):
            return self._tabled(node, symbol)
        if isinstance(parent, tree.FunctionDef) and not any(d is node for d in parent.decorators):
            return Verdict.ESCAPE, "is the default of a parameter, which may call it"
        if isinstance(parent, tree.FunctionDef | tree.ClassDef) or parent is None:
            return Verdict.ESCAPE, "decorates something"
        if isinstance(parent, tree.Eval) and parent.kind == "expr":
            return Verdict.ALREADY_CORRECT, "is only named"
        return Verdict.ESCAPE, "is used as a value"

    def called(self, call: tree.Call, symbol: Symbol) -> tuple[Verdict, str]:
        """What becomes of a call of a changing function."""
        if isinstance(symbol, Class) or symbol.name == "__init__":
            if id(call) in self._asked:
                return Verdict.REWRITTEN, "a construction"
            return Verdict.ALREADY_CORRECT, "a construction that needs nothing"
        if id(call) in self._asked:
            return Verdict.REWRITTEN, "a call"
        return Verdict.ALREADY_CORRECT, "a call that needs nothing"

    def _is_complete(self, types: Types, symbol: Symbol) -> bool:
        """Whether a function is only reached through partials that get all that it gains."""
        made = [
            self._asked.get(id(t.call)) if isinstance(t, Partial) else None
            for t in types
            if self.referenced(frozenset((t,)), [symbol]) is symbol
        ]
        state = self.planner.state
        gained = state.params.get(symbol, {}) if isinstance(symbol, Function) else {}
        return bool(gained) and all(got and {*gained.values()} <= {*got} for got in made)

    def _annotates(self, node: tree.Node) -> bool:
        """Whether an expression is in an annotation: `def list(self) -> list[dict]`."""
        parent_of = self.planner.program.names.parent
        inner: object = node
        holder = parent_of(inner)
        while isinstance(holder, tree.Expr) and not isinstance(holder, tree.Call):
            inner, holder = holder, parent_of(holder)
        match holder:
            case tree.FunctionDef():
                return inner is holder.returns or any(inner is p.annotation for p in holder.params)
            case tree.Assign():
                return inner is holder.annotation
            case _:
                return False

    def _passed(self, call: tree.Call, node: tree.Node, symbol: Symbol) -> tuple[Verdict, str]:
        name = last_name(call.func)
        if id(call) in self._handing:
            return Verdict.REWRITTEN, f"passed on by `{name}` together with its arguments"
        if id(call) in self.planner.open_partials:
            return Verdict.ALREADY_CORRECT, "a partial that leaves it to its own calls"
        if self._stands_in(node):
            return Verdict.ALREADY_CORRECT, "comes in the place of what changes alike"
        if isinstance(symbol, Class) or name in _HARMLESS:
            return Verdict.ALREADY_CORRECT, "passed as a value"
        if name in _METHODS:
            return self._tabled(call, symbol, "a class")
        return Verdict.ESCAPE, f"passed to `{name}`, which may call it"

    def _stands_in(self, node: tree.Node) -> bool:
        """Whether a function comes in the place of functions that gain what it gains."""
        replaced = self.planner.stand_ins.replaced(node)
        return bool(replaced) and all(f in self.planner.state.params for f in replaced)

    def _attribute_of(self, parent: tree.Attr, symbol: Symbol) -> tuple[Verdict, str]:
        call = self.planner.program.names.parent(parent)
        if not isinstance(call, tree.Call) or call.func is not parent:
            return Verdict.ALREADY_CORRECT, "an attribute of it"
        if symbol in self._functions(call):
            return self.called(call, symbol)
        if parent.name not in (*ASSERTIONS, *CALL_LISTS):
            if call.args and parent.name not in _OWN and isinstance(symbol, Function):
                return Verdict.ESCAPE, f"`{parent.name}` of it may call it"
            return Verdict.ALREADY_CORRECT, "an attribute of it"
        if any(id(c) in self._asked for c in (call, *listed_calls(call))):
            return Verdict.REWRITTEN, "an assertion on its mock"
        return Verdict.ALREADY_CORRECT, "an attribute of it"

    def _assigned(self, statement: tree.Assign, symbol: Symbol) -> tuple[Verdict, str]:
        value = statement.value
        types = self.planner.program.inference.of(value) if value is not None else frozenset()
        if any(isinstance(t, Mocked) for t in types) or self.referenced(types, [symbol]) is symbol:
            return Verdict.ALREADY_CORRECT, "an alias or a mock"
        return Verdict.ESCAPE, "is replaced by something else"

    def _tabled(
        self, node: tree.Node, symbol: Symbol, kind: str = "a collection"
    ) -> tuple[Verdict, str]:
        """A table of functions is as good as the calls through it."""
        if isinstance(symbol, Function):
            for name in self._table_names(node):
                calls = self.planner.program.calls.uses.calls(name)
                own = [c for c in calls if symbol in self._functions(c)]
                if own and all(self._settled(c) for c in own):
                    return Verdict.REWRITTEN, f"in {kind} whose calls are rewritten"
        return Verdict.ESCAPE, f"kept in {kind}"

    def _functions(self, call: tree.Call) -> list[Function | None]:
        return [c.function for c in self.planner.program.calls.callees(call)]

    def _settled(self, call: tree.Call) -> bool:
        """Whether a call is rewritten, and everything that it may call changes in the same way."""
        wanted = self._asked.get(id(call))
        return wanted is not None and all(
            self.planner.values.takes(call, scope) for scope in wanted
        )

    def _table_names(self, node: tree.Node) -> set[str]:
        """The names by which what stands in a display is called: the table's, a loop's, a parameter's."""
        parent_of = self.planner.program.names.parent
        path, holder = node, parent_of(node)
        while isinstance(holder, tree.DictDisplay | tree.Sequence):
            path, holder = holder, parent_of(holder)
        if isinstance(holder, tree.Attr):  # `{…}.items()`
            call = parent_of(holder)
            holder = parent_of(call) if isinstance(call, tree.Call) else None
        match holder:
            case tree.Assign():
                names = {last_name(target) for target in holder.targets}
                names |= {n for name in names for n in self._loops_over(path, name)}
                return names.union(*map(self.planner.program.calls.uses.aliases, sorted(names)))
            case tree.Block(kind="for"):
                return {name for bind in holder.binds for name in _bound_names(bind.target)}
            case tree.Comprehension():
                return {n for part in holder.generators for n in _bound_names(part.target)}
            case tree.Call() if last_name(holder.func) == "param":
                return self._table_names(holder)
            case tree.Call() if last_name(holder.func) == "parametrize":
                return set(parameter_names(holder))
            case _:
                return set()

    def _loops_over(self, table: tree.Node, name: str) -> Iterator[str]:
        """The names of loops and comprehensions in the same module that go through a table."""
        module = self.planner.program.names.place(table).scope.module
        for statement, _ in module.statements:
            if isinstance(statement, tree.Block):
                for bind in statement.binds:
                    if bind.value is not None and _table_of(bind.value) == name:
                        yield from _bound_names(bind.target)
        for node in module.each(tree.Comprehension):
            for part in node.generators:
                if _table_of(part.iter) == name:
                    yield from _bound_names(part.target)

    def _unknown(self, module: Module, node: tree.Attr, symbols: list[Symbol], span: Span) -> bool:
        """A call on a receiver that nothing is known of, if it binds to an old signature."""
        call = self.planner.program.names.parent(node)
        if not isinstance(call, tree.Call) or call.func is not node:
            return False
        found = False
        for symbol in symbols:
            if not isinstance(symbol, Function):
                continue
            owner = symbol.owner or keeping_class(self.planner.program, symbol, node.name)
            if owner is None or not self.arrivals.at(symbol if symbol.owner else owner, node.base):
                continue
            if bind(call.args, symbol.params, int(symbol.takes_self)) is None:
                continue
            what = last_name(node.base) or "the receiver"
            reason = f"nothing is known of `{what}`: annotate it, or rename it, if it is no `{owner.name}`"
            self._row(module, span, symbol, Verdict.CANDIDATE, reason)
            found = True
        return found

    # --- code in strings, and what replaces a function ---

    def _code(self, module: Module, node: tree.Const, text: str) -> None:
        """Code in a string that is run: it may call what it names."""
        for name in dict.fromkeys(re.findall(r"\w+", text)):
            for symbol in self._by_name.get(name, ()):
                self._row(module, node.span, symbol, Verdict.TEXT, "named in code that is run")

    def replaced(self, stand_ins: Sequence[StandIn], symbol: Symbol) -> tuple[Verdict, str] | None:
        """A function that something else replaces: as good as that; `None` where it is not."""
        program, verdicts = self.planner.program, self.planner.state.verdicts
        read = [verdicts[id(one.name)] for one in stand_ins if id(one.name) in verdicts]
        if read:
            return read[0]
        every = [(s.given, one) for s in stand_ins for one in callables(program, s.node)]
        if not every:
            return Verdict.ALREADY_CORRECT, "replaced by what is not called"
        if all(self._gains(one) for _, one in every):
            return Verdict.REWRITTEN, "replaced by what gets the parameter too"
        if isinstance(symbol, Function) and all(
            self._gains(one) or self._takes_more(one, symbol, given) for given, one in every
        ):
            return Verdict.ALREADY_CORRECT, "replaced by what takes any arguments"
        return None

    def _gains(self, one: Type) -> bool:
        match one:
            case LambdaObject():
                return id(one.node) in self.planner.doubles
            case FunctionObject():
                function = one.function
                return function in self.planner.state.params or (
                    id(function.fact) in self.planner.doubles
                )
            case _:
                return False

    def _takes_more(self, one: Type, symbol: Function, given: int) -> bool:
        """Whether a replacement takes the parameters that a function gains as it is."""
        program, scopes = self.planner.program, self.planner.state.params[symbol].values()
        if isinstance(one, FunctionObject) and all(
            program.domain.scope_parameter(one.function, s) is not None for s in scopes
        ):
            return True
        params, _ = parameters(program, one)
        return spare(program, params, symbol, given, scopes) is not None


def _binds(target: tree.Node, node: tree.Node) -> bool:
    return any(leaf is node for leaf, _ in targets_of(target))


def _bound_names(target: tree.Node) -> set[str]:
    return {leaf.id for leaf, _ in targets_of(target) if isinstance(leaf, tree.Name)}


def _table_of(node: tree.Node) -> str:
    """The name of the table in `TABLE`, `TABLE.items()` and `TABLE.values()`."""
    table = table_of(node)
    return last_name(table) if isinstance(table, tree.Name | tree.Attr) else ""
