"""What decorators do with the arguments of what they wrap: most pass on whatever they are given."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import FunctionObject, Instance, Partial, ordered
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Binding, Class, Function, enclosing, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.program.classes import Classes
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Place
    from capsule_lint.program.names import Names


def wrappers(inference: Inference, function: Function) -> Iterator[Function]:
    """The functions of the program that decorate a function, and those that these hand it on to."""
    for decorator in function.fact.decorators:
        yield from _wrappers(inference, decorator)


def _wrappers(inference: Inference, decorator: tree.Node) -> Iterator[Function]:
    seen: set[Function] = set()
    queue = list(_makers(inference, decorator))
    while queue:
        maker = queue.pop()
        if maker.own_params and maker not in seen:
            seen.add(maker)
            yield maker
            queue += _handed_on_to(inference, maker)


def _makers(inference: Inference, node: tree.Node) -> Iterator[Function]:
    """The functions of the program that an expression is, or by which an object of it is called."""
    for one in ordered(inference.of(node)):
        maker = called_of(inference.classes, one)
        if maker is not None:
            yield maker


def called_of(classes: Classes, one: Type) -> Function | None:
    """The function of the program that runs where a function, or an object, is called."""
    match one:
        case FunctionObject():
            return one.function
        case Instance():
            return classes.method(one.cls, "__call__")
        case _:
            return None


def _handed_on_to(inference: Inference, maker: Function) -> Iterator[Function]:
    """What decorates a function for a decorator: `return _wrapped(function)`."""
    for value in maker.returns:
        match behind(inference.names, value):
            case tree.Call(func=func, args=(tree.Argument(value=tree.Name() as first), *_)):
                bindings = inference.names.bindings_of(first)
                if any(b.parameter is maker.own_params[0] for b in bindings):
                    yield from _makers(inference, func)


def is_kept_by_own(inference: Inference, function: Function) -> bool:
    """Whether a decorator of the program gives a function back as it is: it notes it for something of the
    program to call, in its own file as often as not."""
    for keeper, _ in chain.from_iterable(keepers(inference, d) for d in function.fact.decorators):
        inference.names.ask(keeper.name)
        return True
    return False


def keepers(
    inference: Inference, decorator: tree.Node
) -> Iterator[tuple[Function, tree.Parameter]]:
    """The functions of the program that give back as it is what a decorator is put over, and their parameter for it."""
    found = [(one, one.own_params[0]) for one in _wrappers(inference, decorator)]
    for keeper, own in (*found, *_by_partials(inference, decorator)):
        if keeper.returns and all(_id(one) == own.name for one in keeper.returns):
            yield keeper, own


def _by_partials(
    inference: Inference, node: tree.Node
) -> Iterator[tuple[Function, tree.Parameter]]:
    """The functions of the program that an expression is a partial of, `partial(self._add, path)`, and which parameter
    that leaves open first."""
    for one in ordered(inference.of(node)):
        if isinstance(one, Partial) and isinstance(one.of, FunctionObject):
            given = {a.keyword for a in one.call.args}
            left = one.of.function.own_params[len(one.call.plain) - 1 :]
            yield from ((one.of.function, p) for p in left[:1] if p.name not in given)


def decorated_by(inference: Inference, keeper: Function) -> Iterator[Function | Class]:
    """What a function of the program decorates, or those that give it back decorate."""
    for one, decorator in inference.calls.uses.kept_by(keeper):
        types = inference.of(decorator)
        if any(isinstance(t, FunctionObject) and t.function is keeper for t in types):
            yield one


def passed_along(
    inference: Inference, wrapper: Function, parameter: tree.Parameter
) -> Iterator[tuple[Function, tree.Parameter]]:
    """The functions that are decorated by what a wrapper stands in, and which of their parameters it gives what it
    gets for one of its own: `session` of `def run(session, *args): return function(session, *args)`."""
    maker, names = wrapper.parent, inference.names
    calls = list(calls_of(names, maker)) if maker is not None and maker.own_params else []
    places = {
        number
        for call in calls
        for number, argument in enumerate(call.args)
        if _id(argument.value) == parameter.name and argument.keyword is None and not argument.star
    }
    if (
        maker is None
        or len(places) != 1
        or any(a.star for c in calls for a in c.args[: max(places)])
    ):
        return
    decorated = decorated_by(inference, maker)
    for function in (one for one in decorated if isinstance(one, Function)):
        for own in function.params[max(places) :][:1]:
            if own.kind not in ("*", "**"):
                yield function, own


def choosing(inference: Inference, wrapper: Function, function: Function) -> Iterator[tree.Call]:
    """The calls of a function by what decorates it, with other arguments than the wrapper is given itself."""
    names, own = inference.names, wrapper.own_params[0]
    for call in inference.calls.uses.calls_beside(own.name):
        if isinstance(call.func, tree.Name) and not _passes_on(names, call, function):
            bindings = names.bindings(own.name, names.place(call))
            if any(binding.parameter is own for binding in bindings):
                yield call


def choosing_objects(classes: Classes, function: Function) -> Iterator[tree.Call]:
    """The same by objects that are made of it: `self.function(TABLE, *args)`."""
    for decorator in function.fact.decorators:
        for call in calls_by_object(classes, decorator):
            if not _passes_on(classes.names, call, function):
                yield call


def put_before(names: Names, call: tree.Call) -> int:
    """How many arguments of its own a call in a decorator puts before all that the wrapper is given:
    `function(TABLE, *args, **kwargs)`, `function(tenant_id, event, context)`; none where it does anything
    else."""
    function = names.function_of(call)
    if function is None or any(a.keyword is not None and not a.star for a in call.args):
        return 0
    rest = {p.kind: p.name for p in function.params if p.kind in ("*", "**")}
    own = [p.name for p in function.params if p.kind not in ("*", "**")]
    if isinstance(call.func, tree.Attr) and _id(call.func.base) == function.self_name:
        own = own[1:]  # the object keeps what it calls
    stars = {a.star: _id(a.value) for a in call.args if a.star}
    plain = [_id(a.value) for a in call.args if not a.star]
    before = len(plain) - len(own)
    of_object = own[:1] == ["self"]  # which comes before what the decorator gives
    in_order = plain[before:] == own and not of_object
    if stars != rest or not (in_order or (of_object and plain[: len(own)] == own)):
        return 0
    if not rest:
        return max(before, 0)
    used = [
        n for n in names.inside(function) if isinstance(n, tree.Name) and n.id in rest.values()
    ]
    return max(before, 0) if "*" in rest and len(used) == len(rest) else 0


def _id(node: tree.Node | None) -> str:
    return node.id if isinstance(node, tree.Name) else ""


def is_around(place: Place, function: Function, classes: Classes) -> bool:
    """Whether a place is in one of the decorators of a function."""
    around = set(enclosing(place))
    return any(_maker(classes, decorator) in around for decorator in function.fact.decorators)


def filled(classes: Classes, function: Function) -> int | None:
    """How many of the first parameters of a function, after `self`, its decorators fill whoever calls it; `None`
    where they give it other arguments than they are given themselves."""
    names, found = classes.names, 0
    for decorator in function.fact.decorators:
        calls = _calls_by(classes, decorator)
        counts = {put_before(names, call) for call in calls}
        if counts == {0} and not any(
            _passes_on(names, call, function)
            or mirrors(names, call, function)
            or hands_all_on(names, call)
            for call in calls
        ):
            return None
        found += counts.pop() if len(counts) == 1 else 0
    return found


def _calls_by(classes: Classes, decorator: tree.Node) -> list[tree.Call]:
    """The calls of what a decorator of the program decorates, also those with other arguments that are kept for
    later: `partial(function, TABLE)`."""
    maker, names = _maker(classes, decorator), classes.names
    if maker is None:
        return list(calls_by_object(classes, decorator))
    if not maker.own_params:
        return []
    own = maker.own_params[0]
    kept = [
        node
        for node in names.inside(maker)
        if isinstance(node, tree.Call)
        and last_name(node.func) == "partial"
        and [_id(value) for value in node.plain[:1]] == [own.name]
    ]
    return [*calls_of(names, maker), *kept]


def calls_by_object(classes: Classes, decorator: tree.Node) -> Iterator[tree.Call]:
    """The calls of what an object keeps that is made of a function it decorates: `self.function(TABLE, *args)`."""
    target = classes.dotted(decorator) if isinstance(decorator, tree.Name | tree.Attr) else None
    cls = target.definition if isinstance(target, Binding) else None
    made = classes.method(cls, "__init__") if isinstance(cls, Class) else None
    called = classes.method(cls, "__call__") if isinstance(cls, Class) else None
    if made is None or called is None or made.owner is None or not made.own_params:
        return
    first = made.own_params[0].name
    kept = {
        name
        for name, stores in made.owner.stores.items()
        if any(_id(store.value) == first and store.function is made for store in stores)
    }
    for node in classes.names.inside(called):
        func = node.func if isinstance(node, tree.Call) else None
        if (
            isinstance(func, tree.Attr)
            and func.name in kept
            and _id(func.base) == called.self_name
        ):
            assert isinstance(node, tree.Call)
            yield node


def _maker(classes: Classes, decorator: tree.Node) -> Function | None:
    """The function of the program that decorates, or that it hands on to what does: `return _wrapped(function)`."""
    maker, seen = _named_maker(classes, decorator), set[Function]()
    while maker is not None and maker.own_params and maker not in seen:
        seen.add(maker)
        match [behind(classes.names, value) for value in maker.returns]:
            case [tree.Call(func=func, args=(tree.Argument(value=tree.Name(id=first)), *_))] if (
                first == maker.own_params[0].name
                and (further := _named_maker(classes, func)) is not None
            ):
                maker = further
    return maker


def _named_maker(classes: Classes, decorator: tree.Node) -> Function | None:
    """The function of the program that is named as a decorator: `authenticated`, and the one that
    `authenticated("clerk")` gives back, or has as its `__call__`."""
    func = decorator.func if isinstance(decorator, tree.Call) else decorator
    target = classes.dotted(func) if isinstance(func, tree.Name | tree.Attr) else None
    found = target.definition if isinstance(target, Binding) else None
    if isinstance(found, Class):
        return classes.method(found, "__call__") if isinstance(decorator, tree.Call) else None
    if not isinstance(found, Function) or not isinstance(decorator, tree.Call):
        return found if isinstance(found, Function) else None
    match found.returns:
        case [tree.Name(id=name)]:
            inner = [b.definition for b in found.scope.bindings.get(name, ())]
            return next((one for one in inner if isinstance(one, Function)), None)
        case _:
            return None


def calls_around(classes: Classes, function: Function) -> Iterator[tree.Call]:
    """The calls of a function in the decorator of the program that is given it as it is; of a method, those that give
    the object on: `def wrapper(self, order_id): return method(self, order_id)`."""
    decorators = function.fact.decorators
    maker = _maker(classes, decorators[-1]) if decorators else None
    for call in calls_of(classes.names, maker) if maker is not None and maker.own_params else ():
        around = classes.names.function_of(call)
        own = around.params[0].name if around is not None and around.params else None
        if not function.takes_self or (own and [_id(one) for one in call.plain[:1]] == [own]):
            yield call


def given_by_name(names: Names, wrapper: Function, function: Function) -> Iterator[tree.Call]:
    """Where a decorator gives a function something by name that it needs: whoever calls it does not."""
    for call in calls_of(names, wrapper):
        for argument in call.args:
            parameter = function.parameter(argument.keyword) if argument.keyword else None
            if parameter is not None and parameter.default is None:
                yield call


def calls_of(names: Names, maker: Function) -> Iterator[tree.Call]:
    """The calls of what a decorator decorates."""
    own = maker.own_params[0]
    for node in names.inside(maker):
        func = node.func if isinstance(node, tree.Call) else None
        if not isinstance(func, tree.Name) or func.id != own.name:
            continue
        if any(b.parameter is own for b in names.bindings_of(func)) and isinstance(
            node, tree.Call
        ):
            yield node


def _passes_on(names: Names, call: tree.Call, decorated: Function) -> bool:
    """Whether a call in a decorator passes on whatever it is given: `**` is among its arguments, or it
    is `function(self, *args)`."""
    function = names.function_of(call)
    spread = [argument.value for argument in call.args if argument.star == "**"]
    if spread:
        takes = {"", *(p.name for p in decorated.params)}
        adds = any(not takes.isdisjoint(added_keywords(names, one)) for one in spread)
        return not adds and _in_order(call, function) and _has_room(call, function)
    stars = [argument.value for argument in call.args if argument.star]
    if function is None or len(stars) != 1 or not isinstance(stars[0], tree.Name):
        return False
    name, plain = stars[0].id, sum(not argument.star for argument in call.args)
    kinds = [parameter.kind for parameter in _handed(call, function)]
    own = function.parameter(name)
    return (
        kinds == ["plain"] * plain + ["*"]
        and own is function.params[-1]
        and _in_order(call, function)
    )


def mirrors(names: Names, call: tree.Call, decorated: Function) -> bool:
    """Whether the function around a call takes just what a decorated one takes, by the same names, and gives it that:
    `def inner(tenant_id, doc_id): return function(tenant_id, doc_id)`."""
    around = names.function_of(call)
    own = [(p.name, p.kind) for p in decorated.params]
    given = [(_id(a.value), "" if a.star or a.keyword else "plain") for a in call.args]
    taken = [(p.name, p.kind) for p in around.params] if around is not None else []
    return isinstance(call.func, tree.Name) and bool(own) and own == given == taken


def hands_all_on(names: Names, call: tree.Call) -> bool:
    """Whether the function around a call gives it just what it takes itself, in the same order, with whatever else there
    is: `def inner(self, tenant_id, *args, **kwargs): return function(self, tenant_id, *args, **kwargs)`."""
    around = names.function_of(call)
    params = around.params if around is not None else ()
    given = [(_id(a.value), a.star or a.keyword or "") for a in call.args]
    taken = [(p.name, "" if p.by_position and p.default is None else p.kind) for p in params]
    return (
        isinstance(call.func, tree.Name)
        and given == taken
        and any(argument.star for argument in call.args)
        and not any(added_keywords(names, one) for one in call.spread)
    )


def added_keywords(names: Names, spread: tree.Node) -> list[str]:
    """The keywords that a function adds to those that it is given, before it spreads them in a call,
    `kwargs["tenant_id"] = …`; empty ones for those that are not known."""
    match spread:
        case tree.Name(id=name):
            function = names.function_of(spread)
            uses = names.inside(function) if function is not None else ()
            return [
                key
                for node in uses
                if isinstance(node, tree.Name) and node.id == name
                for key in _added(names, node)
            ]
        case tree.DictDisplay() if None in spread.keys:
            return [key for key, _ in spread.entries]
        case _:
            return []


def _added(names: Names, kwargs: tree.Name) -> Iterator[str]:
    """The keyword that is put into a dict where it is named; an empty one where that is not known."""
    parent = names.parent(kwargs)
    match parent, names.parent(parent):
        case tree.Subscript(index=index), tree.Assign(targets=targets) if parent in targets:
            yield tree.text(index) or ""
        case tree.Attr(name="setdefault"), tree.Call(args=(key, *_)):
            yield tree.text(key.value) or ""
        case tree.Attr(name="update"), tree.Call(args=args):
            yield from (argument.keyword or "" for argument in args)


def _has_room(call: tree.Call, function: Function | None) -> bool:
    """Whether one more argument finds a place in a wrapper with `**`, between the others or by its name,
    and is passed on from there."""
    params = function.params if function is not None else ()
    named = [p for p in params if p.kind not in ("*", "**") and p.name not in ("self", "cls")]
    return len(named) <= (2 if any(argument.star == "*" for argument in call.args) else 0)


def _in_order(call: tree.Call, function: Function | None) -> bool:
    """Whether the arguments of a call before the starred ones are the first parameters around it."""
    own = [p.name for p in _handed(call, function)] if function is not None else []
    plain = call.plain
    return all(
        isinstance(value, tree.Name) and value.id == name
        for value, name in zip(plain, own, strict=False)
    ) and len(plain) <= len(own)


def _handed(call: tree.Call, function: Function) -> Sequence[tree.Parameter]:
    """The parameters around a call whose values it may hand on: not the object that keeps what it calls."""
    keeps = isinstance(call.func, tree.Attr) and _id(call.func.base) == function.self_name
    return function.params[1:] if keeps else function.params
