"""What can be evaluated once more: it has no effects, and yields the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.inference.caught import classes_of, name_of
from capsule_lint.program.inference.types import Foreign
from capsule_lint.program.model import last_name
from capsule_lint.program.reaching import in_common_loop, is_around
from capsule_lint.program.texts.pieces import names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.policy import Scope as PolicyScope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Function, Scope

PURE: Final = (
    "get",
    "split",
    "rsplit",
    "partition",
    "rpartition",
    "strip",
    "removeprefix",
    "lower",
    "upper",
    "decode",
    "encode",
    "items",
    "invocation_metadata",
)
PLAIN: Final = (
    "str",
    "len",
    "cast",
    "super",
    "int",
    "float",
    "bool",
    "isinstance",
    "getattr",
    "hasattr",
)
"""Functions of Python's own that only read what they are given."""
_COLLECTING: Final = ("tuple", "list", "set", "frozenset", "dict", "sorted")
"""Those that go through it as well."""
_CONSUMING: Final = ("sum", "any", "all", "min", "max", "join")
"""Those that go through it and keep nothing of it."""
_PICKING: Final = ("filter", "map")
"""Those that ask a function about each part of it, or nothing but whether it is empty."""
_VIEWS: Final = ("keys", "values")
_MADE: Final = (
    tree.FString
    | tree.Binary
    | tree.Boolean
    | tree.Compare
    | tree.Conditional
    | tree.Sequence
    | tree.DictDisplay
    | tree.Comprehension
)
"""What a function may make of what it reads."""
_DEPTH: Final = 4
_MAKING: Final = frozenset(
    ("__init__", "__new__", "__post_init__", "__attrs_post_init__", "model_post_init")
)
"""The methods that run where an object is made."""
_TEXTS: Final = frozenset(("str", "int"))
"""The bases of classes whose objects are made of one value: `class TenantId(str)`."""
_BINDERS: Final = frozenset(("classmethod", "staticmethod"))
"""The decorators that only say what a method is called on."""


def repeatable(node: tree.Node, program: Program | None = None, depth: int = 0) -> bool:
    """Whether an expression can be evaluated once more. With the program at hand, that also holds for
    a call of a function that does nothing but read, and for what makes a value of fields alone."""
    match node:
        case tree.Name() | tree.Const():
            return True
        case tree.Attr():
            return repeatable(node.base, program, depth)
        case tree.Subscript():
            return repeatable(node.base, program, depth) and repeatable(node.index, program, depth)
        case tree.Call(func=tree.Attr(name=name) as func) if name in PURE or (
            name in _VIEWS and depth
        ):
            return repeatable(func.base, program, depth) and all(
                repeatable(a.value, program, depth) for a in node.args
            )
        case tree.Call(func=tree.Attr(base=tree.Const(), name="format")) if depth:
            return all(not a.star and repeatable(a.value, program, depth) for a in node.args)
        case tree.Call(func=tree.Name(id=name)) if name in PLAIN:
            return all(repeatable(a.value, program, depth) for a in node.args)
        case tree.Call(
            func=tree.Name(id="dict"), args=(tree.Argument(value=tree.Call() as pairs),)
        ):
            return repeatable(pairs, program, depth)  # of a name it might use up the pairs
        case tree.Call(func=tree.Name(id=name)) if name in _COLLECTING and depth:
            return all(_lasts(a.value) and repeatable(a.value, program, depth) for a in node.args)
        case tree.Call(func=tree.Name(id=name), args=(tree.Argument(value=asked), *rest)) if (
            name in _PICKING and depth and _is_plain(asked)
        ):
            return all(_lasts(a.value) and repeatable(a.value, program, depth) for a in rest)
        case tree.Call() if program is not None and depth < _DEPTH:
            given = all(not a.star and repeatable(a.value, program, depth) for a in node.args)
            return given and _is_harmless(node, program, depth + 1)
        case tree.Comprehension() if not all(_lasts(one.iter) for one in node.generators):
            return False
        case _ if isinstance(node, _MADE) or (
            isinstance(node, tree.Wrapped) and node.kind in ("not", "unary")
        ):
            inside = depth > 0  # what is written once more in place should be short
            return inside and all(repeatable(one, program, depth) for one in node.all_below())
        case _:
            return False


def _lasts(node: tree.Node) -> bool:
    """Whether something can surely be gone through once more, as a stream cannot."""
    match node:
        case tree.Call(func=tree.Attr(name=name)):
            return name in PURE or name in _VIEWS
        case tree.Call(func=tree.Name(id=name)):
            return name in _COLLECTING or name in _PICKING  # which is made anew here
        case tree.Comprehension():
            return True
        case _:
            return isinstance(node, tree.Const | tree.Subscript | tree.Sequence | tree.DictDisplay)


def _is_plain(node: tree.Node) -> bool:
    """Whether something asks no more of a part than whether it is empty, `None`, or reads it alone: `str.strip`, `int`."""
    match node:
        case tree.Const(value=None):
            return True
        case tree.Name(id=name):
            return name in PLAIN
        case tree.Attr(base=tree.Name(id="str"), name=name):
            return name in PURE
        case _:
            return False


def _is_harmless(call: tree.Call, program: Program, depth: int) -> bool:
    """Whether a call does nothing but read, or make a value of the fields that it gives."""
    found = program.calls.callees(call)
    if len(found) != 1:
        is_uuid = program.classes.dotted(call.func) == "uuid.UUID"
        return not found and (is_uuid or _is_new_type(call.func, program))
    function, cls = found[0].function, found[0].cls
    if cls is not None:
        if program.classes.is_enum(cls):
            return program.classes.method(cls, "_missing_") is None
        made = {name for one in program.classes.mro(cls) for name in one.methods}
        bases = program.classes.base_names(cls)
        plain = program.classes.is_data(cls) or (bases and bases <= _TEXTS)
        return bool(plain) and made.isdisjoint(_MAKING)
    return function is not None and _only_reads(function, program, depth)


def _is_new_type(node: tree.Node, program: Program) -> bool:
    """Whether something is `TenantId = NewType("TenantId", str)`, which gives back what it is given."""
    types = program.inference.of(node)
    return bool(types) and all(
        isinstance(one, Foreign) and one.name.endswith("NewType()") for one in types
    )


def _only_reads(function: Function, program: Program, depth: int) -> bool:
    """Whether a function, in all its implementations, returns what can be evaluated once more, and does
    nothing on the way there but read, and raise what stops it."""
    if not function.decorators <= _BINDERS or len(program.calls.families.of(function)) > 1:
        return False
    body = function.fact.body[function.fact.doc :]
    return bool(function.returns) and _all_read(body, program, depth)


def _all_read(body: Iterable[tree.Statement], program: Program, depth: int) -> bool:
    return all(_reads(statement, program, depth) for statement in body)


def _reads(statement: tree.Statement, program: Program, depth: int) -> bool:
    """Whether a statement does nothing but read, return and raise."""
    match statement:
        case tree.Assign(value=value, op="") if value is not None:
            names = all(isinstance(target, tree.Name) for target in statement.targets)
            return names and repeatable(value, program, depth)
        case tree.Eval(kind="return" | "assert", values=values):
            return all(repeatable(value, program, depth) for value in values)
        case tree.Eval(kind="raise"):
            return True
        case tree.Block(kind="if" | "try", heads=heads, bodies=bodies):
            tests = all(repeatable(head, program, depth) for head in heads)
            return tests and all(_all_read(body, program, depth) for body in bodies)
        case _:
            return False


def kept(node: tree.Node, program: Program) -> tree.Node:
    """What a local was given, if that still says the same and can be said once more; or the node itself."""
    if not isinstance(node, tree.Name):
        return node
    bindings, place = program.names.bindings, program.names.place(node)
    given = bindings(node.id, place)
    if len(given) != 1 or given[0].kind not in ("assign", "case"):
        return node
    made, value = given[0].place, given[0].value or _matched(given[0], program)
    if not is_around(made, place) and (given[0].kind == "case" or in_common_loop(made, place)):
        return node  # it may be what another turn of the loop has given
    for step in given[0].path:  # `tenant_id, day = ctx.tenant_id, ctx.day`
        value = unpacked(value, step)
    if value is None or not repeatable(value, program) or not runs_in(node, made.scope, program):
        return node
    same = all(
        len(held := bindings(n.id, made)) <= 1 and held == bindings(n.id, place)
        for n in names_in(value)
    )
    return value if same else node


def taken_out(
    node: tree.Node, program: Program, scope: PolicyScope
) -> tuple[Binding, tree.Node] | None:
    """How a pattern binds what a dict has for a scope, and what reads that: of `tenant_id`, and of what is made of it,
    `TenantId(tenant_id)`."""
    while isinstance(node, tree.Call) and len(node.args) == 1 and not node.args[0].star:
        node = node.args[0].value
    read = kept(node, program)
    binding = (
        program.names.bindings_of(node)[0]
        if isinstance(node, tree.Name) and read is not node
        else None
    )
    if binding is None or binding.kind != "case":
        return None
    keys = bound_by(binding).keys or ()
    named = any(isinstance(key, tree.Entry) and names_scope(key.key, scope) for key in keys)
    return (binding, read) if named else None


def read_of(node: tree.Node, program: Program, scope: PolicyScope) -> tree.Node:
    """What a local was given, as `kept` has it, also in a call of what makes a scope's value of what a pattern takes
    out of a dict: `TenantId(item["tenant_id"])` for `TenantId(tenant_id)`."""
    known = taken_out(node, program, scope)
    return kept(node, program) if known is None else _around(node, known[1])


def _around(node: tree.Node, inner: tree.Node) -> tree.Node:
    """`TenantId(inner)` of `TenantId(tenant_id)`."""
    if not isinstance(node, tree.Call):
        return inner
    argument = replace(node.args[0], value=_around(node.args[0].value, inner))
    return replace(node, args=(argument,))


def bound_by(binding: Binding) -> tree.Bind:
    """What a pattern says of a name that it binds."""
    block = binding.place.statement
    assert isinstance(block, tree.Block)
    return next(one for one in block.binds if one.target.at == binding.at)


def _matched(binding: Binding, program: Program) -> tree.Node | None:
    """What a `case` finds in dicts, and in objects: `row["tenant_id"]` for the name in `{"tenant_id": tenant_id}`,
    `event.tenant_id` for that in `Stored(tenant_id=owner)`."""
    block, known = binding.place.statement, program.names.index.matched
    if binding.kind != "case" or not isinstance(block, tree.Block):
        return None
    if id(binding) in known:
        return known[id(binding)]
    found = block.heads[0]
    for key in bound_by(binding).keys or ():
        if isinstance(key, int):
            return None
        if isinstance(key, tree.Entry):
            found = tree.Subscript(found.at, found, tree.Const(found.at, key.key))
            program.names.index.put(found, binding.place)
            continue
        classes = classes_of(program.inference, block, key)
        names = {name_of(program.inference, cls, key) for cls in classes}
        name = names.pop() if len(names) == 1 else None
        if name is None:
            return None
        if found is block.heads[0] and isinstance(found, tree.Name):
            found = tree.Name(found.at, found.id)  # which is of that class in the body
            program.names.index.put(found, binding.place)
        found = tree.Attr(found.at, found, name)
        program.names.index.put(found, binding.place)
    if found is block.heads[0]:
        return None
    known[id(binding)] = found
    return found


def runs_in(node: tree.Node, scope: Scope, program: Program) -> bool:
    """Whether an expression is evaluated by the code of a scope itself: there, or in a comprehension of its that
    is gone through at once."""
    names = program.names
    if names.place(node).scope is scope:
        return True
    outer = names.parent(node)
    while outer is not None and not isinstance(outer, tree.Comprehension | tree.Lambda):
        outer = names.parent(outer)
    if not isinstance(outer, tree.Comprehension):
        return False
    if outer.kind == "GeneratorExp":
        taker = names.parent(outer)
        stars = (
            [a.star for a in taker.args if a.value is outer]
            if isinstance(taker, tree.Call)
            else []
        )
        if not isinstance(taker, tree.Call) or not (
            "*" in stars or last_name(taker.func) in (*_COLLECTING, *_CONSUMING)
        ):
            return False
    return runs_in(outer, scope, program)


def unpacked(value: tree.Node | None, step: int) -> tree.Node | None:
    """One of the values that are unpacked: of a tuple that is written out, or of what
    `itemgetter("tenant_id", "day")(item)` gives."""
    match value:
        case tree.Sequence(items=items) if 0 <= step < len(items):
            return items[step]
        case tree.Call(func=tree.Call(func=func, args=keys), args=(row,)) if (
            last_name(func) == "itemgetter" and 0 <= step < len(keys) > 1
        ):
            key = keys[step].value
            return tree.Subscript(value.at, row.value, key) if not keys[step].star else None
        case _:
            return None


def names_in(node: tree.Node) -> Iterator[tree.Name]:
    """The plain names in an expression."""
    return (one for one in within(node) if isinstance(one, tree.Name))
