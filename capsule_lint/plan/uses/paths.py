"""Where a function or a lambda goes that is given away, and all the calls of it there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.plan.uses.bearing import Bearing, functions_in
from capsule_lint.plan.uses.registries import only_looks
from capsule_lint.plan.uses.taken_apart import (
    is_looked_up,
    is_put_elsewhere,
    is_replaced,
    is_taken_apart,
    line_of,
    listings,
)
from capsule_lint.program.aliases import PRESETTING
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.calling.fixtures import parameter_names
from capsule_lint.program.containers import ADDING, KEYED, LISTED
from capsule_lint.program.fields import copied_by
from capsule_lint.program.inference.options import is_parsed
from capsule_lint.program.inference.types import (
    ClassObject,
    Collection,
    Foreign,
    Instance,
    LambdaObject,
    TupleOf,
    UnknownType,
    function_of,
)
from capsule_lint.program.local_names import BY_NAME, reads_of
from capsule_lint.program.model import Binding, Class, Function, last_name
from capsule_lint.program.walk import targets_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type, Types

_Key: TypeAlias = tuple[int, str]
"""A binding, a class with one of its attributes, or what a function gives back."""
_NAMING: Final = frozenset(("__name__", "__qualname__", "__module__", "__doc__"))
_COPYING: Final = LISTED | {"enumerate", "dict"}
"""What gives all that is in what it is given."""
_INNER: Final = frozenset(("items", "values", "copy"))
"""Methods of a table that give what is in it."""
_MENDING: Final = ADDING | {"keys", "clear", "remove", "discard"}
"""Methods of a table that give nothing of it."""


@dataclass(eq=False, slots=True)
class Path:
    """Follows one function or lambda, from one place where it is given away, to all its calls."""

    bearing: Bearing
    symbol: Function | tree.Lambda
    settles: Callable[[tree.Call], bool]
    """Whether all is well with a call that may be one of it."""
    hands_on: Callable[[tree.Call], bool]
    """Whether a call gives it new arguments, together with those that it passes on."""
    calls: list[tree.Call] = field(default_factory=list)
    """Those that were found."""
    _seen: set[_Key] = field(default_factory=set)

    @property
    def program(self) -> Program:
        return self.bearing.program

    # --- where it goes ---

    def given(self, call: tree.Call, node: tree.Node) -> bool:
        """Whether all is well that becomes of an argument of a call."""
        if last_name(call.func) == PRESETTING:
            return all(self._parsed(a.keyword) for a in call.args if a.value is node)
        callees, copied = self.program.calls.callees(call), copied_by(call)
        if not callees and copied is not None:
            return self._changed(call, copied, node)
        if not callees or not self._is_known(call.func):
            return False
        for callee in callees:
            params, given = self.program.calls.parameters(callee)
            bound = bind(call.args, params, given)
            taken = [n for n, a in bound.arguments.items() if a.value is node] if bound else []
            if bound is None or bound.starred or len(taken) != 1:
                return False
            well = (
                self._taken(callee.function, taken[0])
                if callee.function is not None
                else callee.cls is not None and self._kept(callee.cls, taken[0])
            )
            if not well:
                return False
        return True

    def _changed(self, call: tree.Call, copied: tree.Node, node: tree.Node) -> bool:
        """The same of what the copy of a record is given for a field: `store._replace(load=load)`."""
        types = self.program.inference.of(copied)
        name = next((a.keyword or "" for a in call.args if a.value is node), "")
        own = [t.cls for t in types if isinstance(t, Instance) and self._has_field(t.cls, name)]
        return len(own) == len(types) > 0 and all(self._kept(cls, name) for cls in own)

    def _has_field(self, cls: Class, name: str) -> bool:
        fields = self.program.classes.constructor(cls) or ()
        return is_record(self.program, cls) and any(p.name == name for p in fields)

    def filled(self, fact: tree.FunctionDef, name: str) -> bool:
        """Whether all is well that becomes of a parameter's default."""
        function = self._defined(fact)
        return function is not None and self._taken(function, name)

    def _defined(self, fact: object) -> Function | None:
        """What a definition defines."""
        scope = self.program.names.index.scopes.get(id(fact))
        return scope.function if scope is not None else None

    def _taken(self, function: Function, name: str) -> bool:
        """The same of a parameter, in all that may run where the function is called."""
        own = function.parameter(name)
        if own is None:
            return False  # one of `**kwargs`
        at = function.params.index(own)
        family = sorted(self.program.calls.families.of(function), key=lambda f: f.symbol)
        return all(self._taken_at(one, name, at) for one in family)

    def _taken_at(self, function: Function, name: str, at: int) -> bool:
        """The same of one of them, which takes it by the name or in the place."""
        place = function.params[at] if at < len(function.params) else None
        parameter = function.parameter(name) or place
        if parameter is None or parameter.kind in ("*", "**"):
            return False
        name = parameter.name
        own = [b for b in function.scope.bindings.get(name, ()) if b.parameter is parameter]
        passed = self.program.calls.passed(function, parameter) or frozenset()
        return len(own) == 1 and self.bearing.bears_mocks(passed) and self._bound(own[0])

    def _bound(self, binding: Binding) -> bool:
        """The same of a name."""
        if not self._is_new((id(binding), "")):
            return True
        names, function = self.program.names, binding.function
        if function is None:
            if is_put_elsewhere(self.program, binding):
                return False
            reads = [n for n in names.named(binding.name) if self._means(n, binding)]
            return all(map(self.used, reads))
        for node in names.inside(function):
            if isinstance(node, tree.Call) and last_name(node.func) in BY_NAME:
                return False
            if isinstance(node, tree.Name) and node.id == binding.name:
                found = names.bindings_of(node)
                if any(one is binding for one in found) and not self.used(node):
                    return False
        return True

    def _named(self, binding: Binding) -> bool:
        """The same of a name, or an attribute that a class itself has."""
        cls = binding.place.scope.cls
        return self._bound(binding) if cls is None else self._kept(cls, binding.name)

    def _means(self, node: tree.Name | tree.Attr, binding: Binding) -> bool:
        """Whether a name, or an attribute of a module, is what is bound there."""
        if isinstance(node, tree.Name):
            found = self.program.names.bindings_of(node)
            return any(self.program.names.follow(one) is binding for one in found)
        return self.program.classes.dotted(node) is binding

    def _kept(self, cls: Class, name: str) -> bool:
        """The same of an attribute of the instances of a class. An unknown object may be one, where the attribute
        has not the function's own name, whose uses are all judged."""
        program = self.program
        if not self._is_new((id(cls), name)):
            return True
        judged = isinstance(self.symbol, Function) and (
            name in program.calls.uses.aliases(self.symbol.name)
        )
        if is_taken_apart(program, cls, name) or is_replaced(program, cls, name, judged=judged):
            return False
        if is_looked_up(program, cls, name, judged=judged):
            return False
        line = line_of(program, cls)
        for node in list(program.names.named(name)):
            if isinstance(node, tree.Name) or self._is_target(node):
                continue
            types = program.inference.of(node.base)
            classes = [t.cls for t in types if isinstance(t, Instance | ClassObject)]
            has = any(one in line or program.classes.is_protocol(one) for one in classes)
            may = not judged and any(isinstance(t, UnknownType) for t in types)
            if (has and not self.used(node)) or (may and not has and self._may_call(node)):
                return False
        return True

    def _parsed(self, name: str | None) -> bool:
        """The same of an attribute of what a command line says, `args.run`."""
        if name is None or not self._is_new((0, name)):
            return name is not None
        for node in list(self.program.names.named(name)):
            if isinstance(node, tree.Name) or self._is_target(node):
                continue
            types = self.program.inference.of(node.base)
            if is_parsed(types):
                if not self.used(node):
                    return False
            elif any(isinstance(t, UnknownType) for t in types) and self._may_call(node):
                return False
        return not any(
            is_parsed(self.program.inference.of(base)) for _, base in listings(self.program)
        )

    def _may_call(self, node: tree.Node) -> bool:
        """Whether something that nothing is known of may call the function, or hand it to something that does."""
        parent = self.program.names.parent(node)
        if isinstance(parent, tree.Call) and parent.func is node:
            given = isinstance(self.symbol, Function) and self.symbol.takes_self
            return bind(parent.args, self.symbol.params, int(given)) is not None
        return not isinstance(parent, tree.Compare | tree.FString)

    def _is_new(self, key: _Key) -> bool:
        known = key in self._seen
        self._seen.add(key)
        return not known

    def _is_known(self, node: tree.Node) -> bool:
        return not any(isinstance(t, UnknownType) for t in self.program.inference.of(node))

    # --- what is done with it ---

    def used(self, node: tree.Node) -> bool:
        """Whether all is well that is done with an expression that is the function, or has it in it."""
        return not self._may_have(self.program.inference.of(node)) or self._goes_well(node)

    def _goes_well(self, node: tree.Node) -> bool:
        """The same of one that has it in it, whatever its types say."""
        parent = self.program.names.parent(node)
        match parent:
            case tree.Call() if parent.func is node:
                return self._called(parent)
            case tree.Call():
                called = last_name(parent.func)
                if called == "param" or (
                    called in _COPYING and isinstance(parent.func, tree.Name)
                ):
                    return self._is_beside_keys(node, called) or self._goes_well(parent)
                if called == "parametrize":
                    return self._parametrized(parent)
                if self.hands_on(parent):
                    self.calls.append(parent)
                    return True
                if only_looks(self.program, parent):
                    return True
                return self.put(parent) or self.given(parent, node)
            case tree.Attr(name=name):
                return name in _NAMING or self._of_table(parent)
            case tree.Subscript() if parent.base is node:
                if not self._is_target(parent):
                    return self.used(parent)
                assign = self.program.names.parent(parent)
                value = assign.value if isinstance(assign, tree.Assign) else None
                return value is not None and self._is_known_in(node, value)
            case tree.Assign():
                if any(target is node for target in parent.targets):
                    return True
                return parent.value is node and all(map(self._assigned, parent.targets))
            case tree.Walrus():
                reads = reads_of(self.program.names, parent, (parent.at,))
                return self._goes_well(parent) and all(map(self.used, reads))
            case tree.Comprehension():
                targets = [g.target for g in parent.generators if g.iter is node]
                if any(result is node for result in parent.results):
                    return self._goes_well(parent)
                return all(map(self._assigned, targets))
            case tree.Block():
                binds = [bind for bind in parent.binds if bind.value is node]
                loops = all(bind.how == "for" for bind in binds)
                return loops and all(self._assigned(bind.target) for bind in binds)
            case tree.Conditional() | tree.Boolean() | tree.Sequence() | tree.DictDisplay():
                is_test = isinstance(parent, tree.Conditional) and parent.test is node
                return is_test or self._goes_well(parent)
            case tree.Wrapped(kind="not") | tree.Compare() | tree.FString():
                return True
            case tree.Eval(kind="return"):
                function = self.program.names.function_of(node)
                return function is not None and self._returned(function)
            case tree.Eval(kind="expr" | "assert" | "del"):
                return True
            case _:
                return False

    def _may_have(self, types: Types) -> bool:
        """Whether a value of these types may be the function, or have it in it."""
        for one in types:
            match one:
                case _ if self._is_it(one):
                    return True
                case Collection() if self._may_have(one.items | one.keys) or not one.items:
                    return True
                case TupleOf() if any(map(self._may_have, one.items)):
                    return True
                case UnknownType():
                    return True
        return False

    def _is_beside_keys(self, node: tree.Node, called: str) -> bool:
        """Whether what gives the elements of a table, `sorted(HANDLERS)`, gives its keys alone, under one of which
        the function stands."""
        return called in LISTED and all(
            isinstance(one, Collection)
            and one.kind == "dict"
            and any(map(self._is_it, one.items))
            and not self._may_have(one.keys)
            for one in self.program.inference.of(node)
        )

    def _is_it(self, one: Type) -> bool:
        """Whether something is the function or the lambda, or a partial of it."""
        return (one.node if isinstance(one, LambdaObject) else function_of(one)) is self.symbol

    def _called(self, call: tree.Call) -> bool:
        callees, types = self.program.calls.callees(call), self.program.inference.of(call.func)
        if not any(one.function is self.symbol for one in callees) and not any(
            map(self._is_it, types)
        ):
            return False
        self.calls.append(call)
        return self.settles(call)

    def _parametrized(self, call: tree.Call) -> bool:
        """The same of the parameters of a test that `parametrize` fills."""
        test = self._defined(self.program.names.parent(call))
        return test is not None and all(
            self._taken_at(test, name, 0) for name in parameter_names(call)
        )

    def put(self, call: tree.Call) -> bool:
        """Whether a call puts something into a table that is followed: `self.handlers[kind].append(handler)`."""
        func = call.func
        if not isinstance(func, tree.Attr) or func.name not in ADDING | {"setdefault"}:
            return False
        if any(isinstance(t, Foreign) for t in self.program.inference.of(func.base)):
            return False  # which may call what is in it
        return not self.program.calls.callees(call) and self._table(func.base)

    def _of_table(self, attribute: tree.Attr) -> bool:
        """The same of what a method of a table gives: `handlers.get(kind)`."""
        call = self.program.names.parent(attribute)
        if not isinstance(call, tree.Call) or call.func is not attribute:
            return False
        if self.program.calls.callees(call):
            return False
        if attribute.name in _MENDING | {"setdefault"}:
            values = [argument.value for argument in call.args]
            if not all(self._is_known_in(attribute.base, value) for value in values):
                return False
        if attribute.name in KEYED | _INNER:
            return self.used(call)
        return attribute.name in _MENDING

    def _is_known_in(self, table: tree.Node, value: tree.Node) -> bool:
        """Whether what is put into a table is among what that is known to have in it: its calls are judged
        by that."""
        of = self.program.inference.of
        return functions_in(of(value)) <= functions_in(of(table))

    def _assigned(self, target: tree.Node) -> bool:
        """The same of a target."""
        return all(self._table(leaf) for leaf, _ in targets_of(target))

    def _table(self, node: tree.Node) -> bool:
        """The same of what an expression is or has in it from now on."""
        names = self.program.names
        match node:
            case tree.Name():
                here = names.place(node).scope.bindings.get(node.id, ())
                exact = next((one for one in here if one.at == node.at), None)
                if exact is not None:
                    return self._named(exact)
                bound = [names.follow(one) for one in names.bindings_of(node)]
                return all(isinstance(one, Binding) and self._named(one) for one in bound)
            case tree.Attr():
                types = self.program.inference.of(node.base)
                own = [t.cls for t in types if isinstance(t, Instance | ClassObject)]
                return len(own) == len(types) > 0 and all(self._kept(c, node.name) for c in own)
            case (
                tree.Subscript(base=base) | tree.Call(func=tree.Attr(name="setdefault", base=base))
            ):
                types = self.program.inference.of(base)
                if any(isinstance(t, Foreign) for t in types):
                    return False  # which may call what is in it
                return self._table(base)
            case _:
                return False

    def _returned(self, function: Function) -> bool:
        """The same of what a function gives back, where all of its calls are known: nothing else calls it."""
        program = self.program
        if not self._is_new((id(function), "()")):
            return True
        if function.fact.decorators or function.name.startswith("__"):
            return (
                False  # read as an attribute, given by a fixture, called by `with`, `for` and `[]`
            )
        if not all(self._is_known(call.func) for call in program.calls.uses.calls(function.name)):
            return False
        calls = list(program.calls.callers(function))
        return not program.calls.is_value(function) and all(self.used(call) for call, _ in calls)

    def _is_target(self, node: tree.Node) -> bool:
        parent = self.program.names.parent(node)
        return isinstance(parent, tree.Assign) and any(t is node for t in parent.targets)


def is_record(program: Program, cls: Class) -> bool:
    """Whether objects of a class only hold what they are given: a data class, or a named tuple."""
    return program.classes.is_named_tuple(cls) or program.classes.is_data(cls)
