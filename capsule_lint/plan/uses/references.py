"""What becomes of an expression that is a changing function or class: a call, an alias, a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Verdict
from capsule_lint.plan.room import Room
from capsule_lint.plan.testing.standins import CALLED, callables
from capsule_lint.plan.uses.lookups import patches_attribute
from capsule_lint.plan.uses.passthrough import ASSERTIONS, CALL_LISTS, listed_calls
from capsule_lint.program.calling.by_hand import decorated_by_hand
from capsule_lint.program.calling.dispatch import dispatchers
from capsule_lint.program.calling.passing import HARMLESS, PASSING
from capsule_lint.program.inference.types import (
    ClassObject,
    Foreign,
    FunctionObject,
    Instance,
    Mocked,
    Partial,
    Types,
    UnknownType,
    function_of,
    ordered,
)
from capsule_lint.program.model import Class, Function, last_name
from capsule_lint.program.walk import singles, targets_of

if TYPE_CHECKING:
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.uses.asked import Asked
    from capsule_lint.plan.uses.followed import Following
    from capsule_lint.plan.uses.given_back import GivenBack
    from capsule_lint.plan.uses.replacements import Replacements
    from capsule_lint.program.model import Symbol

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
_BASES: Final = frozenset(
    ("object", "ABC", "Protocol", "Generic", "Enum", "StrEnum", "dict", "TestCase")
)
"""Classes of others that construct nothing of what is an attribute of their heirs."""
_MAPPING: Final = frozenset(("map", "starmap", "imap", "imap_unordered"))
"""What calls its first argument with elements of the others."""
_METHODS: Final = ("staticmethod", "classmethod")
_ALIAS: Final = "an alias; its calls are followed"
_BESIDE_MOCK: Final = "a mock of which nothing says what it stands for comes in its place"


class References(Room, Struct, frozen=True):
    """Judges such expressions."""

    planner: Planner
    asked: Asked
    following: Following
    replacements: Replacements
    given_back: GivenBack

    def referenced(self, types: Types, symbols: list[Symbol]) -> Symbol | None:
        """The changing symbol that one of some types is."""
        for one in ordered(types):
            match one:
                case FunctionObject() | Partial(of=FunctionObject()):
                    function = function_of(one)
                    if function in symbols:
                        return function
                case (ClassObject() as maker) | Partial(of=ClassObject() as maker):
                    for cls in self.program.classes.mro(maker.cls):
                        if cls in symbols:
                            return cls
        return None

    def judge(self, node: tree.Node, symbol: Symbol, types: Types) -> tuple[Verdict, str]:
        """What becomes of an expression that is a symbol, and why."""
        known = self.state.verdicts.get(id(node))
        if known is not None:
            return known
        program = self.program
        replaced = self.planner.signatures.stand_ins.named(node)
        if any(True for one in replaced for _ in callables(program, one.node)):
            escape = (Verdict.ESCAPE, "is replaced by something else")
            return self.replacements.judge(replaced, symbol) or escape
        later = program.calls.uses.later.get(id(node), [])
        parent = program.names.parent(node)
        own = isinstance(parent, tree.Call) and program.calls.callees(parent)
        if later and not own and all(self._calls(call, symbol) for call in later):
            return max(self.called(call, symbol) for call in later)
        is_called = isinstance(parent, tree.Call) and parent.func is node
        if not is_called and last_name(node) not in program.calls.uses.aliases(symbol.name):
            return Verdict.ALREADY_CORRECT, "is followed from where it is given"
        return self._held(node, parent, symbol, types) or self._used(node, parent, symbol)

    def _held(
        self, node: tree.Node, parent: object, symbol: Symbol, types: Types
    ) -> tuple[Verdict, str] | None:
        """What becomes of an expression that is called, given, or bound to a name."""
        match parent:
            case tree.Call() if parent.func is node:
                return self.called(parent, symbol)
            case tree.Call() if self._is_complete(types, symbol):
                return Verdict.ALREADY_CORRECT, "a partial that was given what it needs"
            case tree.Call():
                return self._passed(parent, node, symbol)
            case tree.Attr():
                return self._attribute_of(parent, symbol)
            case tree.Assign():
                return self._assigned(parent, node, symbol)
            case tree.Sequence() if (single := self._single(parent, node)) is not None:
                return self._assigned(single, node, symbol)
            case tree.Eval(kind="raise") if isinstance(symbol, Class):
                return Verdict.ESCAPE, "is raised, which constructs it without arguments"
            case _ if self._is_bound(parent, node):
                return Verdict.ALREADY_CORRECT, _ALIAS
            case _:
                return None

    def _single(self, display: tree.Sequence, node: tree.Node) -> tree.Assign | None:
        """The one assignment that an expression is part of among several: `a = x` of `a, b = x, y`."""
        statement = self.program.names.parent(display)
        if not isinstance(statement, tree.Assign) or statement.op:
            return None
        split = [one for one in singles(statement) if one is not statement]
        return next((one for one in split if one.value is node or one.targets[0] is node), None)

    def _is_bound(self, holder: object, node: tree.Node) -> bool:
        """Whether a name is one that something binds, alone or with others: `_, find = finders(table)`, `for make in …`."""
        while isinstance(holder, tree.Sequence):
            holder = self.program.names.parent(holder)
        match holder:
            case tree.Assign(targets=targets):
                return any(_binds(target, node) for target in targets)
            case tree.Block(binds=binds):
                return any(_binds(bind.target, node) for bind in binds)
            case tree.Comprehension(generators=generators):
                return any(_binds(one.target, node) for one in generators)
            case _:
                return False

    def _used(self, node: tree.Node, parent: object, symbol: Symbol) -> tuple[Verdict, str]:
        """What becomes of an expression that is a value like any other."""
        if isinstance(symbol, Class):
            return Verdict.ALREADY_CORRECT, "names the class"
        if self.program.names.annotates(node):
            return Verdict.ALREADY_CORRECT, "in an annotation, which calls nothing"
        if isinstance(parent, tree.Conditional | tree.Boolean) and _may_be(parent, node):
            if not self.following.bearing.bears_beside(parent.below()):
                return Verdict.ESCAPE, _BESIDE_MOCK
            above = self.program.names.parent(parent)
            types = self.program.inference.of(node)
            return self._held(parent, above, symbol, types) or self._used(parent, above, symbol)
        if isinstance(parent, tree.Compare | tree.Conditional | tree.Boolean):
            return Verdict.ALREADY_CORRECT, "is compared, or an alias"
        back = self.given_back.judge(node, symbol)
        unsure = back is None or back[0] is Verdict.ESCAPE
        if unsure and isinstance(parent, tree.DictDisplay | tree.Sequence):
            kept = self.following.kept(node, symbol)
            return kept if back is None or kept[0] is not Verdict.ESCAPE else back
        if back is not None:
            return back
        if isinstance(parent, tree.FunctionDef) and not any(d is node for d in parent.decorators):
            return self.following.default(node, parent, symbol)
        if isinstance(parent, tree.FunctionDef | tree.ClassDef) or parent is None:
            return Verdict.ESCAPE, "decorates something"
        if isinstance(parent, tree.Eval) and parent.kind == "expr":
            return Verdict.ALREADY_CORRECT, "is only named"
        return Verdict.ESCAPE, "is used as a value"

    def called(self, call: tree.Call, symbol: Symbol) -> tuple[Verdict, str]:
        """What becomes of a call of a changing function."""
        constructs = isinstance(symbol, Class) or symbol.name == "__init__"
        what = "a construction" if constructs else "a call"
        if self.asked.of(call):
            return Verdict.REWRITTEN, what
        return Verdict.ALREADY_CORRECT, f"{what} that needs nothing"

    def _is_complete(self, types: Types, symbol: Symbol) -> bool:
        """Whether a function is only reached through partials that get all that it gains."""
        made = [
            self.asked.of(t.call) if isinstance(t, Partial) else None
            for t in types
            if self.referenced(frozenset((t,)), [symbol]) is symbol
        ]
        state = self.state
        gained = state.params.get(symbol, {}) if isinstance(symbol, Function) else {}
        return bool(gained) and all(got and {*gained.values()} <= {*got} for got in made)

    def _passed(self, call: tree.Call, node: tree.Node, symbol: Symbol) -> tuple[Verdict, str]:
        name = last_name(call.func)
        takers = (callee.function or callee.cls for callee in self.program.calls.callees(call))
        self.program.names.entered.update(t.module.filename for t in takers if t is not None)
        if self.asked.hands_on(call):
            return Verdict.REWRITTEN, f"passed on by `{name}` together with its arguments"
        if id(call) in self.planner.signatures.open_partials:
            return self._left_open(call, symbol)
        if self._stands_in(node):
            return Verdict.ALREADY_CORRECT, "comes in the place of what changes alike"
        if isinstance(symbol, Class) and name == "partial":
            return Verdict.ESCAPE, "a partial of it does not get what it gains"
        if isinstance(symbol, Class) and self._is_made_by(call, node):
            return Verdict.ESCAPE, f"passed to `{name}`, which makes it of other arguments"
        if isinstance(symbol, Class) or (name in HARMLESS and not self._keeps(call)):
            return Verdict.ALREADY_CORRECT, "passed as a value"
        if call.args[0].value is node and patches_attribute(call):
            return Verdict.ALREADY_CORRECT, "an attribute of it is patched"
        if name == "param":
            return self.following.kept(node, symbol, "a row of a test")
        if name in _METHODS:
            return self.following.kept(call, symbol, "a class")
        if self._is_given_back(call, symbol):
            return Verdict.ALREADY_CORRECT, _ALIAS
        return self.following.given(call, node, symbol)

    def _left_open(self, made: tree.Call, symbol: Symbol) -> tuple[Verdict, str]:
        """What becomes of a partial that leaves what is gained to its own calls."""
        around, types = self.program.names.parent(made), self.program.inference.of(made)
        left = "a partial that leaves it to its own calls"
        if isinstance(around, tree.Eval):
            made_by = self.program.classes.initializer
            function = made_by(symbol) if isinstance(symbol, Class) else symbol
            if function is not None and self.given_back.is_followed(made, function):
                return Verdict.ALREADY_CORRECT, left
            if isinstance(symbol, Class):
                return Verdict.ESCAPE, "a partial: not all is known that is done with it"
        verdict, why = self._held(made, around, symbol, types) or self._used(made, around, symbol)
        if verdict is Verdict.ALREADY_CORRECT:
            return verdict, left
        return verdict, f"a partial: {why}"

    def _is_made_by(self, call: tree.Call, node: tree.Node) -> bool:
        """Whether a call that gets nothing new makes a class that it is given of its other arguments:
        `map(Note, tenants, ids)`, `pool.submit(Note, tenant_id, note_id)`."""
        if self.asked.of(call):
            return False
        name, at = last_name(call.func), [a.value for a in call.args].index(node)
        if call.args[at].keyword is not None or name in HARMLESS - {"raises"}:
            return False
        behind = call.args[at + 1 :]
        if name in _MAPPING or PASSING.get(name) == at:
            return bool(behind)
        functions = [
            c.function for c in self.program.calls.callees(call) if c.function is not None
        ]
        takes_any = all(any(p.kind == "*" for p in f.params) for f in functions)
        is_value, scopes = self.program.domain.held.is_value, self.program.policy.scopes
        return takes_any and any(is_value(a.value, s) for a in behind for s in scopes)

    def _keeps(self, call: tree.Call) -> bool:
        """Whether a call registers a function with something that may call it, and not for a type of argument:
        `bus.register("put", put)`."""
        registers = last_name(call.func) == "register"
        return registers and not any(dispatchers(self.program.inference, call))

    def _is_given_back(self, call: tree.Call, symbol: Symbol) -> bool:
        """Whether what is not the program's own gives a function back as it is, `lru_cache(maxsize=9)(f)`, or a decorator
        of the program one that is as good."""
        program = self.program
        own = any(
            isinstance(t, FunctionObject)
            and decorated_by_hand(program.names, call, t.function) is None
            for t in program.inference.of(call.func)
        )
        return not own and self.referenced(program.inference.of(call), [symbol]) is symbol

    def _stands_in(self, node: tree.Node) -> bool:
        """Whether a function comes in the place of functions that gain what it gains."""
        replaced = self.planner.signatures.stand_ins.replaced(node)
        return bool(replaced) and all(f in self.state.params for f in replaced)

    def _attribute_of(self, parent: tree.Attr, symbol: Symbol) -> tuple[Verdict, str]:
        call = self.program.names.parent(parent)
        if isinstance(symbol, Function) and _is_asked_for_several(parent, call):
            return Verdict.ESCAPE, f"`{parent.name}` of it is asked for arguments"
        if not isinstance(call, tree.Call) or call.func is not parent:
            return Verdict.ALREADY_CORRECT, "an attribute of it"
        if self._calls(call, symbol):
            return self.called(call, symbol)
        if parent.name not in (*ASSERTIONS, *CALL_LISTS):
            if call.args and parent.name not in _OWN and isinstance(symbol, Function):
                return Verdict.ESCAPE, f"`{parent.name}` of it may call it"
            return Verdict.ALREADY_CORRECT, "an attribute of it"
        if any(self.asked.of(c) for c in (call, *listed_calls(call))):
            return Verdict.REWRITTEN, "an assertion on its mock"
        if call.args and parent.name in ASSERTIONS and self._must_say_more(call, symbol):
            return Verdict.TEXT, "asserts how it was called in a way that is not understood"
        return Verdict.ALREADY_CORRECT, "an attribute of it"

    def _must_say_more(self, call: tree.Call, symbol: Symbol) -> bool:
        """Whether an assertion on the mock of a function that gains a parameter lacks it."""
        gained = self.state.params.get(symbol, {}) if isinstance(symbol, Function) else {}
        named = {argument.keyword for argument in call.args}
        return any(scope.parameter not in named for scope in gained.values())

    def _assigned(
        self, statement: tree.Assign, node: tree.Node, symbol: Symbol
    ) -> tuple[Verdict, str]:
        """What becomes of a symbol that an assignment replaces, gives to a mock, a table or a name."""
        if any(target is node for target in statement.targets):
            return self._replaced(statement, symbol)
        if any(last_name(target) in CALLED for target in statement.targets):
            if self._stands_in(node) or isinstance(symbol, Class):
                return Verdict.ALREADY_CORRECT, "comes in the place of what changes alike"
            return Verdict.ESCAPE, "is called by a mock that nothing is known of"
        tabled = any(isinstance(target, tree.Subscript) for target in statement.targets)
        if tabled and isinstance(symbol, Function):
            return self.following.kept(node, symbol)
        if isinstance(symbol, Function) and any(
            self._is_attached(target, symbol) for target in statement.targets
        ):
            return Verdict.ESCAPE, "becomes an attribute of something that may call it"
        if isinstance(symbol, Function) and not self.following.bearing.bears_beside(
            statement.targets
        ):
            return Verdict.ESCAPE, _BESIDE_MOCK
        owner = self._handed_out(statement) if isinstance(symbol, Class) else None
        if owner is not None:
            return Verdict.ESCAPE, f"is given to what `{owner}` inherits, which may construct it"
        return Verdict.ALREADY_CORRECT, _ALIAS

    def _is_attached(self, target: tree.Node, symbol: Function) -> bool:
        """Whether what is assigned to becomes an attribute of an object that is not the program's own, or of which
        nothing is known, `client.on_message = handle`; or of one that has no such attribute, and nothing is seen to
        call it there."""
        if not isinstance(target, tree.Attr):
            return False
        program, name = self.program, target.name
        types = program.inference.of(target.base)
        if any(isinstance(one, Foreign | UnknownType) for one in types):
            return True
        classes = [one.cls for one in types if isinstance(one, Instance)]
        if all(program.classes.has_attribute(cls, name) for cls in classes):
            return False
        calls = (call.func for call, _ in program.calls.callers(symbol))
        return not any(isinstance(func, tree.Attr) and func.name == name for func in calls)

    def _handed_out(self, statement: tree.Assign) -> str | None:
        """The class, or the one around it, that has a class as an attribute of its own, and inherits from what
        is not the program's: `class Meta: model = Note` of a factory. What is in a class inside of another one may
        be for what that inherits from, whosever it is."""
        program = self.program
        names = [t.id for t in statement.targets if isinstance(t, tree.Name)]
        scope = own = program.names.place(statement.targets[0]).scope
        while scope.kind == "class" and scope.cls is not None and names:
            inherits = scope is not own and len(tuple(program.classes.mro(scope.cls))) > 1
            if inherits or program.classes.base_names(scope.cls) - _BASES:
                return scope.cls.name
            if scope.parent is None:
                break
            scope = scope.parent
        return None

    def _replaced(self, statement: tree.Assign, symbol: Symbol) -> tuple[Verdict, str]:
        value = statement.value
        if value is None:
            return Verdict.ALREADY_CORRECT, "is declared"  # `model: type[T]` replaces nothing
        types = self.program.inference.of(value)
        if any(isinstance(t, Mocked) for t in types) or self.referenced(types, [symbol]) is symbol:
            return Verdict.ALREADY_CORRECT, "an alias or a mock"
        return Verdict.ESCAPE, "is replaced by something else"

    def _calls(self, call: tree.Call, symbol: Symbol) -> bool:
        return any(symbol in (c.function, c.cls) for c in self.program.calls.callees(call))


def _may_be(choice: tree.Conditional | tree.Boolean, node: tree.Node) -> bool:
    """Whether an expression yields a part of it: `f if loud else g`, `f or g`."""
    return isinstance(choice, tree.Boolean) or choice.test is not node


def _binds(target: tree.Node, node: tree.Node) -> bool:
    return any(leaf is node for leaf, _ in targets_of(target))


def _is_asked_for_several(attribute: tree.Attr, around: object) -> bool:
    """Whether something is looked up by a tuple in what a function keeps: `("t", "1") in load.known`."""
    match around:
        case tree.Compare(ops=("in" | "not in",), left=tree.Sequence(kind="tuple")):
            return around.left is not attribute
        case tree.Subscript(index=tree.Sequence(kind="tuple")):
            return around.base is attribute
        case _:
            return False
