"""Which of the functions around a place its scopes come to: the one whose parameters the neighbouring scope's
value is made of. The value of another scope has to come to the same function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, text_of
from capsule_lint.plan.supply.either import is_of_several
from capsule_lint.plan.supply.repeats import kept, names_in
from capsule_lint.plan.taken_apart.groups import is_group
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.containers import LISTED, TAKING
from capsule_lint.program.held_names import given_back, put_in_records
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import bound_whole, only_assigned
from capsule_lint.program.model import Function, enclosing, first_name, last_name
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.state import Knot, Value, Want
    from capsule_lint.plan.supply.values import Values
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding
    from capsule_lint.program.model import Scope as ScopeOfNames

_FREE: Final = ("constant", "test", "given", "loaded", "mirror")
"""The kinds of values that do not depend on who calls the functions around."""
_LISTS: Final = LISTED | {"next"}
"""What gives elements of what it is given, one or all."""
_MAX_STEPS: Final = 4


class Origins(Struct, frozen=True):
    """Finds them, for wants."""

    program: Program
    values: Values

    def host(self, want: Want) -> Function | tree.Lambda | None:
        """The function or lambda that is to be given the scope: the innermost one that is given what the
        neighbour's value is made of, or, where nothing is said of a neighbour, what the value for that would be; or
        else the outermost one, up to where a request enters, or to one that is called where another one gives it
        back."""
        place = self.program.names.place(want.node)
        around = [s for s in place.scope.ancestors() if s.kind in ("function", "lambda")]
        if len(around) < 2 and not any(scope.kind == "lambda" for scope in around):
            return around[0].function if around else None
        own = self._scopes(self._neighbours(want))
        told = self._telling(want) if not own else None
        function: Function | None = None
        for scope in around:
            given = scope in own or scope is told
            if scope.kind == "lambda" and given:
                return self.program.names.index.lambdas.get(id(scope))
            if scope.kind == "function" and scope.function is not None:
                function = scope.function
                if given or self.program.domain.enters(function):
                    return function
                if not own and told is None and self._is_given_back(function):
                    return function
        return function

    def _telling(self, want: Want) -> ScopeOfNames | None:
        """The function or the lambda that is told what another scope's value is at a place, by who calls it."""
        planner, place = self.values.planner, self.program.names.place(want.node)
        for other in self.program.policy.others(want.scope):
            value = planner.sources.find(other, want.node, want.call)
            root = _split(value)[0] if value is not None else ""
            bound = planner.sources.visible.binding(root, place)
            scope = (
                bound.place.scope if bound is not None and bound.parameter is not None else None
            )
            if scope is None:
                continue
            made = self.program.names.index.lambdas.get(id(scope))
            if made is not None and planner.lambdas.calls_of(made):
                return scope
            if scope.kind == "function" and scope.function is not None:
                called = self.program.calls.is_called(scope.function)
                return scope if called else None
        return None

    def _is_given_back(self, function: Function) -> bool:
        """Whether a function that another one defines is called where that gives it back."""
        maker = function.parent
        if maker is None or function.name not in (*given_back(maker), *put_in_records(maker)):
            return False
        return self.program.calls.is_called(function)

    def fits(self, want: Want, value: Value) -> bool:
        """Whether a value goes with the neighbour's: not with another one that a loop binds, nor with one
        that a function inside of the one that would be given the value is told."""
        if value.kind in _FREE:
            return True
        if self._group(want) is not None:
            return False
        if self._is_beyond(want, value) or self._is_gained_for_others(want, value):
            return False
        if value.kind == "configured" and self._is_of_several(want):
            return False
        loop = self.loop(want)
        if loop is None:
            return True
        place = self.program.names.place(want.node)
        root, path = _split(value)
        own = any(f.self_name == root for f in enclosing(place))
        if value.knot is None and (not path or (own and "." not in path)):
            # the function, or its object, is for one alone, whatever it goes through; but for rows that say whose they are
            return "[" not in value.code or not self._is_said_by_rows(want, loop, root)
        bound = self.values.planner.sources.visible.binding(root, place)
        return bound is not None and (
            bound.place.statement is loop.place.statement or bound.place.order > loop.place.order
        )

    def _is_of_several(self, want: Want) -> bool:
        """Whether the neighbour is that of one of several objects, and not always that of the one that has a value."""
        holders = self.values.planner.sources.holders
        return any(is_of_several(holders, want.scope, node) for node in self.said(want))

    def _is_said_by_rows(self, want: Want, loop: Binding, root: str) -> bool:
        """Whether what a loop goes through is gathered of rows that say themselves whose they are, and not of the event
        that has the value: `counts[row["tenant_id"], row["entity"]] += 1`."""
        others = self.program.policy.others(want.scope)
        return any(
            first_name(one) != root
            and (names_any_of(last_name(one), others) or any(item_key(one, s) for s in others))
            for gathered in self._gathered(loop.value, loop.function)
            for one in within(gathered)
            if isinstance(one, tree.Subscript | tree.Attr)
            or (isinstance(one, tree.Call) and isinstance(one.func, tree.Attr))
        )

    def _gathered(
        self, node: tree.Node | None, function: Function | None, depth: int = 0
    ) -> Iterator[tree.Node]:
        """What a collection is made of, also where a function of the program gives it."""
        if node is None or depth > _MAX_STEPS:
            return
        yield from self.values.planner.entries.gathered(node, function)
        for call in within(node):
            for callee in self.program.calls.callees(call) if isinstance(call, tree.Call) else ():
                maker = callee.function if callee.cls is None else None
                for value in maker.returns if maker is not None else ():
                    yield from self._gathered(value, maker, depth + 1)

    def _is_gained_for_others(self, want: Want, value: Value) -> bool:
        """Whether a value is that of a parameter that the function around gains for something else, and the neighbour
        is read from data, which nobody who calls has told it."""
        planner, names = self.values.planner, self.program.names
        function = names.function_of(want.node)
        if function is None or function.module.is_test or value.code != want.scope.parameter:
            return False
        gains = self.values.state.gains(function, want.scope)
        return bool(gains) and planner.entries.is_told_by_data(function, want)

    def of_loop(self, want: Want) -> Value | None:
        """The part of a key that a loop gives beside the neighbour, where the keys of a collection gain one."""
        parted, found = self.values.planner.local.parted, None
        for node in self.said(want):
            found = found or parted.beside(kept(node, self.program), want.scope)
        return found

    def loop_knots(self, want: Want) -> Iterator[Knot]:
        """The changes of the collections that the loop around a want goes through."""
        local, loop = self.values.planner.local, self.loop(want)
        for node in within(loop.value) if loop is not None and loop.value is not None else ():
            home = local.collections.of(node)
            if home is not None and home in local.rekeyed:
                yield local.notes.knot_of(home, node)

    def why_not(self, want: Want) -> str | None:
        """Why nobody who calls the functions around can give the value, if so."""
        name, ambient = want.scope.parameter, self.values.planner.sources.ambient
        theirs = self.values.planner.others.beside(want)
        if theirs is not None:
            return f"nothing says which `{name}` goes with `{theirs[0]}`"
        group = self._group(want)
        if group is not None:
            return f"nothing says which `{name}` goes with `{group}`, which is found in a key"
        loop = self.loop(want)
        if loop is not None:
            each = "each" if loop.kind == "for" else "the"
            where = "of the loop" if loop.kind == "for" else "that is taken out"
            return f"nothing says which `{name}` goes with {each} `{loop.name}` {where}"
        for node in self.said(want):
            if ambient.asks(node):
                return f"no source of policy yields `{name}` as `{text_of(node)}` yields its neighbour"
            path = self._sometimes(node, want.scope)
            unknown = self._unknown(node)
            if unknown is not None:
                return (
                    f"nothing is known of `{unknown}`: annotate it, so that it can yield `{name}`"
                )
            if path is not None:
                said, holder = text_of(node), text_of(path.base)
                beside = f"`{said}`" if said is not None else "what is given beside it"
                return f"{beside} is not always `{text_of(path)}`, and `{name}` of `{holder}` may be another's"
        return None

    def _group(self, want: Want) -> str | None:
        """What is found of the neighbour's scope in a key, by a regular expression or without one: whoever calls
        knows nothing of that."""
        if self.program.names.place(want.node).scope.module.is_test:
            return None
        is_taken = self.values.planner.scope_parts.is_taken
        found = (n for n in self.said(want) if is_group(self.program, n) or is_taken(n))
        return next(map(text_of, found), None)

    def loop(self, want: Want) -> Binding | None:
        """The loop that goes through values of the neighbour's scope, or what takes one out of a queue,
        and knows nothing else of whose they are."""
        names = self.program.names
        if names.module_of(want.node).is_test:
            return None
        for node in (*self.said(want), *self._told_together(want)):
            if isinstance(node, tree.Call) and len(node.args) == 1:
                node = node.args[0].value  # `TenantId(tenant)`
            node = self._root(kept(node, self.program))
            if isinstance(node, tree.Name):
                bindings = names.bindings_of(node)
                if len(bindings) == 1 and (
                    bindings[0].kind == "for"
                    or _is_taken_out(bindings[0].value)
                    or self.values.planner.queued.is_taken(bindings[0])
                ):
                    return bindings[0]
        return None

    def _told_together(self, want: Want) -> Iterator[tree.Node]:
        """What a call gives for a parameter that the callee takes another scope's value out of, with more:
        `load(key)`, where that does `tenant_id, note_id = key`."""
        callee, call = want.callee, want.call
        if not isinstance(callee, Function) or call is None:
            return
        others = self.program.policy.others(want.scope)
        taken = {
            name
            for bound, bindings in callee.scope.bindings.items()
            if names_any_of(bound, others)
            for binding in bindings
            if (name := _taken_from(binding))
        }
        taken |= {name for name in self._taken_by_calls(callee, others) if name not in taken}
        found = bind(call.args[want.offset :], callee.params, want.given) if taken else None
        for name, argument in found.arguments.items() if found is not None else ():
            if name in taken:
                yield argument.value

    def _taken_by_calls(self, function: Function, scopes: Sequence[Scope]) -> Iterator[str]:
        """The parameters of which a function gives a part on as a scope's value: `get(key[0], key[1])`."""
        for node in self.program.names.inside(function):
            index = node.index if isinstance(node, tree.Subscript) else None
            call = self.program.names.parent(node)
            if index is None or tree.integer(index) is None or not isinstance(call, tree.Call):
                continue
            for callee in self.program.calls.callees(call):
                for name, argument in callee.arguments(call).items():
                    if argument.value is node and names_any_of(name, scopes):
                        yield first_name(node)

    def _root(self, node: tree.Node) -> tree.Node:
        """`rows` of `batch[0].tenant_id`, where `batch` is `list(rows)`."""
        names = self.program.names
        for _ in range(_MAX_STEPS):
            while isinstance(node, tree.Attr | tree.Subscript):
                node = node.base
            match only_assigned(names, node):
                case tree.Call(args=(tree.Argument(star="", value=given),)) as call if (
                    last_name(call.func) in _LISTS
                ):
                    node = given
                case tree.Subscript() as item:
                    node = item
                case _:
                    break
        return node

    def _unknown(self, node: tree.Node) -> str | None:
        """The parameter of a function inside of another one from which the neighbour is taken, where nothing
        says what it is: `ctx` in the wrapper of a decorator."""
        base = node.base if isinstance(node, tree.Attr) else None
        if not isinstance(base, tree.Name):
            return None
        binding = bound_whole(self.program.names, base)
        function = binding.function if binding is not None else None
        if binding is None or function is None or function.parent is None:
            return None
        if binding.kind != "param" or binding.annotation is not None:
            return None
        known = any(isinstance(one, Instance) for one in self.program.inference.of(base))
        return None if known else base.id

    def _sometimes(self, node: tree.Node, scope: Scope) -> tree.Attr | None:
        """The `ctx.tenant_id` of `ctx.tenant_id if ctx else SHARED`, where `ctx` has the other scope as well."""
        inference, holders = self.program.inference, self.values.planner.sources.holders
        said = only_assigned(self.program.names, node) if isinstance(node, tree.Name) else node
        if not isinstance(said, tree.Conditional | tree.Boolean):
            return None
        for path in holders.paths_in(said):
            cls = inference.the_class(inference.of(path.base), present=True)
            if cls is not None and holders.attribute_of(cls, scope) is not None:
                return path
        return None

    def _is_beyond(self, want: Want, value: Value) -> bool:
        """Whether a value is that of a function around the one to which the neighbour's value comes, and
        says whose things they are by itself: it has a neighbour of its own."""
        place = self.program.names.place(want.node)
        around = list(place.scope.ancestors())
        if sum(scope.kind in ("function", "lambda") for scope in around) < 2:
            return False
        said = self.said(want) if value.knot is None else self._neighbours(want)
        own = self._scopes(said)
        host = next((scope for scope in around if scope in own), None)
        kind, gaining = value.knot or ("", None)
        if host is None or kind == "lambda":
            return False
        root, path = _split(value)
        holding = gaining.scope if isinstance(gaining, Function) else None
        holding = holding or next((scope for scope in around if root in scope.bindings), None)
        if holding is None or holding.kind == "module" or host in holding.ancestors():
            return False
        others = self.program.policy.others(want.scope)
        function = holding.function
        if path and function is not None and function.self_name == root:
            owner, held = function.owner, self.values.planner.sources.holders.attribute_of
            return owner is not None and any(held(owner, scope) for scope in others)
        if path or value.knot is not None or function is None:
            return True
        taken = self.program.domain.scope_parameter
        return any(taken(function, scope) is not None for scope in others)

    def _scopes(self, nodes: Iterator[tree.Node]) -> list[ScopeOfNames]:
        """The scopes of functions and lambdas whose parameters some values are made of."""
        found: list[ScopeOfNames] = []
        seen: set[int] = set()
        for node in nodes:
            for name in names_in(node):
                self._follow(name, found, seen)
        return found

    def _neighbours(self, want: Want) -> Iterator[tree.Node]:
        """What is given for other scopes at the place of a want, or what has them."""
        said = list(self.said(want))
        yield from said
        if want.call is not None and not said and not self._is_told_around(want):
            holders = self.values.planner.sources.holders
            yield from (node for node, _ in holders.holding(want.call, want.scope))
            yield from self._told_together(want)

    def _is_told_around(self, want: Want) -> bool:
        """Whether a function around the one that a want stands in is told another scope by its name, and that is not."""
        others, told = self.program.policy.others(want.scope), self.program.domain.scope_parameter
        is_told = [
            any(told(function, scope) is not None for scope in others)
            for function in enclosing(self.program.names.place(want.node))
        ]
        return any(is_told) and not is_told[0]

    def said(self, want: Want) -> Iterator[tree.Node]:
        """What is given for other scopes at the place of a want."""
        if want.mirror is not None:
            yield want.mirror
        if want.callee is not None:
            yield from (node for _, node in self.values.beside(want))

    def _follow(self, name: tree.Name, found: list[ScopeOfNames], seen: set[int]) -> None:
        names = self.program.names
        for binding in names.bindings_of(name):
            if id(binding) in seen or binding.place.scope.kind in ("module", "class"):
                continue
            seen.add(id(binding))
            made = self._made_of(binding)
            if made is None:
                found.append(binding.place.scope)
            else:
                for other in names_in(made):
                    self._follow(other, found, seen)

    def _made_of(self, binding: Binding) -> tree.Node | None:
        """What a local is made of; `None` for a parameter that callers give."""
        if binding.parameter is None:
            return binding.value
        default = binding.parameter.default
        return default if default is not None and not isinstance(default, tree.Const) else None


def _taken_from(binding: Binding) -> str:
    """The name of the tuple that a local is a part of: `key` of `tenant_id, note_id = key`; empty for any other."""
    match binding.value:
        case tree.Name(id=name) if binding.kind == "assign" and binding.path:
            return name
        case tree.Subscript(index=index) as part if tree.integer(index) is not None:
            return first_name(part)
        case _:
            return ""


def _is_taken_out(node: tree.Node | None) -> bool:
    """Whether a value comes out of a queue: `queue.pop(0)`, `await queue.get()`."""
    match node:
        case tree.Wrapped(kind="await"):
            return _is_taken_out(node.value)
        case tree.Call(func=tree.Attr(name=name), args=args) if name in TAKING:
            return all(tree.integer(argument.value) is not None for argument in args)
        case _:
            return False


def _split(value: Value) -> tuple[str, str]:
    """`row` and `tenant_id` of `row.tenant_id` and of `row[0].tenant_id`."""
    root, _, path = value.code.partition(".")
    return root.partition("[")[0], path
