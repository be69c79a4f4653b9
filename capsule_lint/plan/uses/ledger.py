"""The ledger: every occurrence of a changing name, each with exactly one verdict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import Occurrence, Span, Verdict
from capsule_lint.plan.room import Room
from capsule_lint.plan.uses.asked import Asked
from capsule_lint.plan.uses.bare import bare_names, span_at
from capsule_lint.plan.uses.bare_mocks import may_stand_in
from capsule_lint.plan.uses.contradictions import contradicts
from capsule_lint.plan.uses.decorated import called_apart, naming, taking
from capsule_lint.plan.uses.dynamic import Dynamic
from capsule_lint.plan.uses.examples import examples, shown
from capsule_lint.plan.uses.followed import Following
from capsule_lint.plan.uses.given_back import GivenBack
from capsule_lint.plan.uses.given_by_name import GivenByName
from capsule_lint.plan.uses.left_out import left_out
from capsule_lint.plan.uses.likeness import fitting
from capsule_lint.plan.uses.lookups import (
    MADE_LATE,
    is_made_late,
    is_some_module,
    keeping_class,
    kept_by_modules,
)
from capsule_lint.plan.uses.references import References
from capsule_lint.plan.uses.registries import Registries, picking
from capsule_lint.plan.uses.replacements import Replacements
from capsule_lint.plan.uses.strings import Strings, registered_as
from capsule_lint.plan.uses.unnamed import unnamed
from capsule_lint.plan.uses.wording import described
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.types import UNKNOWN, Instance, is_kept, lacks, may_be_ours
from capsule_lint.program.local_names import entries_of_dict
from capsule_lint.program.model import Binding, Class, Function, Module, last_name

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from capsule_lint.judgement import Broken
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.plan.uses.bare import Bare
    from capsule_lint.program.model import Symbol

_LINE: Final = re.compile(r"\r\n|\r|\n")


class Ledger(Room):
    """Builds the rows of a settled plan."""

    planner: Planner

    def __init__(
        self,
        planner: Planner,
        read: Callable[[str], str],
        broken: Sequence[Broken] = (),
        apart: Container[str] = (),
    ) -> None:
        self.planner = planner
        self.read = read
        self.broken = broken
        self.apart = apart
        """The files that nothing gets to which changes."""
        self.blocked: list[tuple[Knot, str]] = []
        """What cannot be proven for the sake of files that could not be read."""
        self.rows: list[tuple[Knot, Occurrence]] = []
        self.spans: dict[Occurrence, Span] = {}
        self._lines: dict[str, list[str]] = {}
        self._by_name: dict[str, list[Symbol]] = {}
        self._by_text: dict[str, Function] = {}
        """What is found by a whole text, which is its path, or the name that a decorator gives it."""
        self._asked = Asked.by(planner.state.wants)
        replacements = Replacements(planner)
        self._given = GivenByName(planner, replacements)
        following = Following(planner.program, planner.values, self._asked)
        back = GivenBack(planner.program, self._asked, planner.state.params, following)
        self._references = References(planner, self._asked, following, replacements, back)
        self._strings = Strings(planner, self._references, replacements)
        self._arrivals = planner.local.arrivals

    def build(self) -> None:
        """Fill `rows` and `blocked`."""
        self._collect_names()
        for module in self.program.names.judged():
            self._module(module)
        for module in self.program.names.stubs.values():
            self._module(module)
        scopes = self.program.policy.scopes
        for lookup in Dynamic(self.program, self.state.params, scopes).find():
            reason = (
                f"`{lookup.by}` with a name that is not known may find `{lookup.function.name}`"
            )
            span = lookup.name.span
            self._row(lookup.module, span, lookup.function, Verdict.TEXT, reason)
        functions = sorted(self.state.params, key=lambda f: (f.symbol, f.fact.at))
        classes = [s for named in self._by_name.values() for s in named if isinstance(s, Class)]
        for function in functions:
            self._decorated(function)
            self._kept(function)
        for cls in dict.fromkeys(classes):
            self._kept(cls)
            for call in unnamed(self.program, cls):
                reason = f"nothing tells which class it is: annotate it, or rename it, if it is no `{cls.name}`"
                module = self.program.names.module_of(call)
                self._row(module, call.func.span, cls, Verdict.CANDIDATE, reason)
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
        state = self.state
        functions = {**dict.fromkeys(state.params), **dict.fromkeys(state.forwarders)}
        symbols: list[Symbol] = [f for f in functions if f.name not in ("__init__", "__new__")]
        classes = set(state.fields) | {
            f.owner for f in state.params if f.name == "__init__" and f.owner is not None
        }
        symbols += sorted(classes, key=lambda c: c.symbol)
        for symbol in sorted(symbols, key=lambda s: s.symbol):
            for name in sorted(self.program.calls.uses.written_as(symbol)):
                if name == "_":  # what nobody reads
                    continue
                self._by_name.setdefault(name, []).append(symbol)
        for function in sorted(state.params, key=lambda f: f.symbol):
            self._by_text.update(dict.fromkeys(registered_as(function), function))
        self.program.names.ask(*(text.rpartition(".")[2] for text in self._by_text))

    @property
    def written(self) -> dict[str, str]:
        """The names under which changing symbols are written, and the first of these."""
        return {name: symbols[0].symbol for name, symbols in self._by_name.items()}

    def knot(self, symbol: Symbol) -> Knot:
        """The set in which a symbol changes."""
        if isinstance(symbol, Function):
            return ("function", symbol)
        initializer = symbol.methods.get("__init__")
        return ("function", initializer) if initializer in self.state.params else ("class", symbol)

    # --- one module ---

    def _module(self, module: Module) -> None:
        if module.filename in self.apart:
            for name, row in left_out(module, self.written, self._lines_of(module)):
                self.rows.append((self.knot(self._by_name[name][0]), row))
            return
        for function in module.functions:
            if function.name in self._by_name:
                self._definition(module, function, tree.span_of(function.fact.name_at))
        for cls in module.classes:
            if cls.name in self._by_name:
                self._definition(module, cls, tree.span_of(cls.fact.name_at))
        for statement, _ in module.imports:
            for imported in statement.names:
                self._imported(module, statement, imported)
        self._named(module)
        self._nodes(module)

    def _named(self, module: Module) -> None:
        """The names that are in no expression."""
        for bare in bare_names(module, self._by_name.keys(), lambda: self._lines_of(module)):
            self._bare(module, bare)
        names, program = self._by_name.keys(), self.program
        for example in examples(program, module, names, lambda: self._lines_of(module)):
            symbol = shown(program, example, self._by_name[example.name])
            if symbol is not None and example.hindrance is not None:
                reason = f"an example that cannot be run: {example.hindrance}"
                self._row(module, example.span, symbol, Verdict.OTHER, reason)
            elif symbol is not None:
                reason = "an example in a docstring, which doctest may run"
                self._row(module, example.span, symbol, Verdict.TEXT, reason)

    def _nodes(self, module: Module) -> None:
        for node in module.every(tree.Name, tree.Attr, tree.Const, tree.Call):
            match node:
                case tree.Name() if node.id in self._by_name:
                    self._name(module, node, node.id, node.span)
                case tree.Attr() if node.name in self._by_name:
                    self._name(module, node, node.name, node.name_span)
                case tree.Const(value=str() as text) if self._strings.is_run(node):
                    self._code(module, node, text)
                case tree.Const(value=str() as text):
                    for said in self._text(node, text):
                        self._row(module, node.span, *said)
                case tree.Call():
                    for argument in node.args:
                        if argument.keyword in self._by_name:
                            self._keyword(module, node, argument)

    def _text(self, node: tree.Const, text: str) -> Sequence[tuple[Symbol, Verdict, str]]:
        """What becomes of what a text names, whole or behind a dot."""
        symbols = self._by_name.get(text.partition(".")[0])
        if symbols and (entries := list(self._given.entry(node, symbols))):
            return entries
        name, said = text.rpartition(".")[2], None
        if name in self._by_name and re.fullmatch(r"[\w.]+", text):
            said = self._strings.verdict(node, self._by_name[name])
        if text in self._by_text and (said is None or said[1] is Verdict.OTHER):
            said = self._strings.registered(node, self._by_text[text])
        return [said] if said is not None else []

    def _row(
        self, module: Module, span: Span, symbol: Symbol, verdict: Verdict, reason: str
    ) -> None:
        if module.generated and verdict in (Verdict.REWRITTEN, Verdict.ESCAPE):
            verdict = Verdict.CANDIDATE
            reason = "stands in a generated file, which is never edited"
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
        types = self.program.inference.bound(binding) if binding is not None else ()
        found = self._references.referenced(frozenset(types), symbols)
        if found is not None:
            reason = "an alias; its calls are followed"
            self._row(module, bare.span, found, Verdict.ALREADY_CORRECT, reason)
        else:
            self._row(module, bare.span, symbols[0], Verdict.OTHER, bare.what)

    def _definition(self, module: Module, definition: Symbol, span: Span) -> None:
        program, symbols = self.program, self._by_name[definition.name]
        if any(symbol is definition for symbol in symbols):
            said = (Verdict.REWRITTEN, "the definition")
            if definition not in self.state.params and isinstance(definition, Function):
                said = (Verdict.ALREADY_CORRECT, "passes on what it is given")
            self._row(module, span, definition, *said)
            return
        other = symbols[0]
        if program.names.is_stub(module) and definition.symbol == other.symbol:
            self._row(module, span, other, Verdict.ALREADY_CORRECT, "declares it in a stub")
        elif (like := fitting(program, definition, symbols)) is not None:
            reason = (
                f"nothing shows whether it stands in for `{like.qualname}`, or that for it: let it "
                "inherit, or annotate where one is given as the other"
            )
            self._row(module, span, like, Verdict.CANDIDATE, reason)
        else:
            self._row(module, span, other, Verdict.OTHER, f"defines `{definition.symbol}`")

    def _imported(self, module: Module, statement: tree.Import, imported: tree.Imported) -> None:
        names = self.program.names
        name = imported.name if imported.name is not None else imported.module.rpartition(".")[2]
        if name not in self._by_name:
            return
        behind = len(imported.module) - len(name) if imported.name is None else 0
        span = span_at(imported.at[0], imported.at[1] + behind, name)
        target = names.follow(
            names.member(
                names.absolute(module, statement.level, imported.module), imported.name or ""
            )
        )
        symbol = target.definition if isinstance(target, Binding) else None
        if symbol in self._by_name[name] and symbol is not None:
            self._row(module, span, symbol, Verdict.ALREADY_CORRECT, "an import")
        elif names.is_made_late(target) and (meant := kept_by_modules(self._by_name[name])):
            self._row(module, span, meant[0], Verdict.CANDIDATE, MADE_LATE)
        else:
            self._row(
                module, span, self._by_name[name][0], Verdict.OTHER, "imports something else"
            )

    def _keyword(self, module: Module, call: tree.Call, argument: tree.Argument) -> None:
        assert argument.keyword is not None
        span = span_at(*argument.at[:2], argument.keyword)
        symbols = self._by_name[argument.keyword]
        said = list(self._given.keyword(call, argument.value, symbols))
        for one in said:
            self._row(module, span, *one)
        if not said:
            self._row(module, span, symbols[0], Verdict.OTHER, "the name of an argument")

    def _decorated(self, function: Function) -> None:
        """Calls of a function by what decorates it, unless they pass on whatever they are given."""
        program, local = self.program, self.planner.local
        gained = self.state.params[function]
        told = " and ".join(f"`{name}`" for name in gained)
        for node in picking(function) if not program.domain.enters(function) else ():
            if id(node) in self.state.doubles or local.notes.is_settled(node):
                continue
            if not isinstance(node, tree.Const) or not any(
                f"{{{s}" in str(node.value) for s in gained
            ):
                reason = (
                    f"its decorator is given what takes its arguments, and may have to take {told}"
                )
                self._row(function.module, node.span, function, Verdict.ESCAPE, reason)
        apart = {id(call): (wrapper, call) for wrapper, call in called_apart(program, function)}
        moved = {id(call): (wrapper, call) for wrapper, call in naming(program, function, gained)}
        for at, (wrapper, call) in (apart | moved).items():
            rewritten = self._asked.of(call)
            does = "calls it with arguments of its own"
            if at in moved:
                does = f"names arguments before which {told} comes: it has to take that as well"
            reason = f"`{wrapper.name}`, which decorates it, {does}"
            verdict = Verdict.REWRITTEN if rewritten else Verdict.ESCAPE
            self._row(program.names.module_of(call), call.func.span, function, verdict, reason)
        for wrapper, node in taking(program, function, gained, self.state.params):
            reason = (
                f"`{wrapper.name}`, which decorates it, takes one of its arguments by its place, "
                f"where another one stands once there is {told}"
            )
            self._row(program.names.module_of(node), node.span, function, Verdict.ESCAPE, reason)

    def _kept(self, symbol: Symbol) -> None:
        """What a decorator keeps: nobody knows who calls it from there."""
        program = self.program
        for kept in Registries(program).keeping(symbol):
            module = program.names.module_of(kept.node)
            table = f" in `{kept.table}`" if kept.table else ""
            verdict, reason = self._references.following.kept(kept.node, symbol)
            if verdict is Verdict.ESCAPE:
                reason = f"`{kept.decorator}`, which decorates it, keeps it{table}"
            self._row(module, kept.node.span, symbol, verdict, reason)

    # --- names and attributes ---

    def _name(self, module: Module, node: tree.Name | tree.Attr, name: str, span: Span) -> None:
        symbols = self._by_name[name]
        types = self.program.inference.of(node)
        found = self._references.referenced(types, symbols)
        if found is not None:
            verdict, reason = self._references.judge(node, found, types)
            self._row(module, span, found, verdict, reason)
            return
        if self.program.names.is_stub(module):
            self._row(module, span, symbols[0], Verdict.ALREADY_CORRECT, "names it in a stub")
            return
        parent = self.program.names.parent(node)
        if isinstance(parent, tree.Call) and parent.func is node and self._asked.of(parent):
            self._row(module, span, symbols[0], Verdict.REWRITTEN, "a call recorded by a mock")
            return
        if isinstance(node, tree.Attr):
            if is_some_module(self.program, node.base) and isinstance(parent, tree.Call):
                reason = "it is not known which module is imported"
                self._row(module, span, symbols[0], Verdict.CANDIDATE, reason)
                return
            if is_made_late(self.program, node) and (meant := kept_by_modules(symbols)):
                self._row(module, span, meant[0], Verdict.CANDIDATE, MADE_LATE)
                return
            receiver = self.program.inference.of(node.base)
            unknown = not receiver or any(
                may_be_ours(one) or is_kept(one, node.name) for one in receiver
            )
            method = self.program.classes.method
            proxies = [isinstance(t, Instance) and method(t.cls, "__getattr__") for t in receiver]
            unknown = unknown or (all(proxies) and UNKNOWN in types)
            unknown = unknown or all(lacks(one, node.name) for one in receiver)
            if unknown and self._unknown(module, node, symbols, span):
                return
            if module.is_test and self._mocked(module, node, symbols, span):
                return
        self._row(module, span, symbols[0], Verdict.OTHER, described(types))

    def _mocked(self, module: Module, node: tree.Attr, symbols: list[Symbol], span: Span) -> bool:
        """What a mock of which nothing is known may stand in for."""
        meant = (one for one in symbols if isinstance(one, Function))
        symbol = next((one for one in meant if may_stand_in(self.planner, node, one)), None)
        if symbol is not None:
            reason = "nothing says what this mock stands for: give it a spec"
            self._row(module, span, symbol, Verdict.CANDIDATE, reason)
        return symbol is not None

    def _unknown(self, module: Module, node: tree.Attr, symbols: list[Symbol], span: Span) -> bool:
        """A call on a receiver that nothing is known of, if it binds to an old signature."""
        call = self.program.names.parent(node)
        if not isinstance(call, tree.Call) or call.func is not node:
            return False
        found = False
        for symbol in symbols:
            if not isinstance(symbol, Function):
                continue
            owner = symbol.owner or keeping_class(self.program, symbol, node.name)
            if owner is None or not self._arrivals.at(
                symbol if symbol.owner else owner, node.base
            ):
                continue
            bound = bind(call.args, symbol.params, int(symbol.takes_self))
            if bound is None or contradicts(bound.arguments, symbol):
                continue
            if self._spreads_others(call, symbol):
                continue
            what = last_name(node.base) or "the receiver"
            reason = f"nothing is known of `{what}`: annotate it, or rename it, if it is no `{owner.name}`"
            self._row(module, span, symbol, Verdict.CANDIDATE, reason)
            found = True
        return found

    def _spreads_others(self, call: tree.Call, function: Function) -> bool:
        """Whether a call spreads a dict that has keywords which a function does not take: `table.query(**query)`."""
        if any(parameter.kind == "**" for parameter in function.params):
            return False
        names = self.program.names
        keys = (key for spread in call.spread for key in entries_of_dict(names, spread))
        return any(function.parameter(key) is None for key in keys)

    def _code(self, module: Module, node: tree.Const, text: str) -> None:
        """Code in a string that is run: it may call what it names."""
        for name in dict.fromkeys(re.findall(r"\w+", text)):
            for symbol in self._by_name.get(name, ()):
                self._row(module, node.span, symbol, Verdict.TEXT, "named in code that is run")
