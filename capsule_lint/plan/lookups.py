"""Changing functions that are looked up by a string in a namespace, or kept by what decorates them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.binding import bind
from capsule_lint.program.model import last_name
from capsule_lint.program.namespaces import MODULE, base_of, is_spelled, name_in
from capsule_lint.program.types import Foreign, FunctionObject, Namespace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from capsule_lint.program import Program
from capsule_lint.program.model import Class, Function

_LOOKING: Final = frozenset(
    ("callable", "isfunction", "ismethod", "getattr", "hasattr", "setattr", "unwrap", "getsource")
)
_REGISTERING: Final = ("register", "subscribe")


def lookup_of(program: Program, name: tree.Node) -> tree.Node | None:
    """The `vars(m)["f"]` around a name; `None` where it is the key of something else."""
    lookup = program.names.parent(name)
    if not isinstance(lookup, tree.Subscript | tree.Call) or name_in(lookup) is not name:
        return None
    base = base_of(lookup)
    if base is None:
        return None
    found = is_spelled(base) or any(
        isinstance(one, Namespace) for one in program.inference.of(base)
    )
    return lookup if found else None


def is_known(program: Program, lookup: tree.Node) -> bool:
    """Whether it is known what a look-up looks into."""
    base = base_of(lookup)
    types = program.inference.of(base) if base is not None else frozenset()
    return bool(types) and all(isinstance(one, Namespace) for one in types)


def is_imported(program: Program, name: tree.Node) -> bool:
    """Whether a string is one of those in `__import__("m", fromlist=["f"])`."""
    parent = program.names.parent(name)
    call = program.names.parent(parent) if isinstance(parent, tree.Sequence) else None
    return isinstance(call, tree.Call) and any(
        a.keyword == "fromlist" and a.value is parent for a in call.args
    )


def is_some_module(program: Program, node: tree.Node) -> bool:
    """Whether an expression is a module, and nobody knows which."""
    types = program.inference.of(node)
    return bool(types) and all(t == Foreign(MODULE) for t in types)


def keeping_class(program: Program, function: Function, name: str) -> Class | None:
    """The class in whose body a function is kept under a name: `make_key = staticmethod(order_pk)`."""
    for cls in program.classes.all:
        for binding in cls.scope.bindings.get(name, ()):
            kept = program.inference.bound(binding) if binding.kind == "assign" else ()
            if any(isinstance(one, FunctionObject) and one.function is function for one in kept):
                return cls
    return None


def keepers(
    program: Program, function: Function, harmless: Collection[str]
) -> Iterator[tuple[tree.Node, str]]:
    """Where a decorator keeps the function for somebody else to call: the expression, and its name."""
    for decorator in function.fact.decorators:
        types = program.inference.of(decorator)
        if all(isinstance(one, Foreign) for one in types):
            if last_name(decorator).startswith(_REGISTERING):
                yield decorator, last_name(decorator)
            continue
        for one in sorted(types, key=repr):
            own = one.function.own_params if isinstance(one, FunctionObject) else ()
            first = next((p for p in own[:1] if p.kind in ("posonly", "plain")), None)
            if isinstance(one, FunctionObject) and first is not None:
                for read in _kept(program, one.function, first, harmless, frozenset()):
                    yield read, one.function.name


def _kept(
    program: Program,
    decorator: Function,
    own: tree.Parameter,
    harmless: Collection[str],
    around: frozenset[Function],
) -> Iterator[tree.Node]:
    """Where a function does anything with what it is given but call it, return it or look at it."""
    names = program.names
    for node in decorator.module.nodes:
        if not isinstance(node, tree.Name) or node.id != own.name:
            continue
        if not any(b.parameter is own for b in names.bindings(node.id, names.place(node))):
            continue
        match names.parent(node):
            case tree.Attr() | tree.Compare() | tree.Block() | tree.Eval(kind="return"):
                continue
            case tree.Wrapped(kind="not"):
                continue
            case tree.Call() as call if call.func is node or last_name(call.func) in harmless:
                continue
            case tree.Call() as call if last_name(call.func) in _LOOKING:
                continue
            case tree.Call() as call:
                passed = list(_passed_on(program, call, node))
                for function, parameter in passed:
                    if function not in around:
                        seen = around | {decorator, function}
                        yield from _kept(program, function, parameter, harmless, seen)
                if not passed:
                    yield node
            case _:
                yield node


def _passed_on(
    program: Program, call: tree.Call, node: tree.Node
) -> Iterator[tuple[Function, tree.Parameter]]:
    """The functions that a call gives a value to, and as which parameter."""
    for callee in program.calls.callees(call):
        if callee.function is None:
            continue
        bound = bind(call.args, callee.function.params, callee.given)
        for name, argument in bound.arguments.items() if bound is not None else ():
            parameter = callee.function.parameter(name)
            if argument.value is node and parameter is not None:
                yield callee.function, parameter
