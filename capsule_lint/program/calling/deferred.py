"""Calls that something else makes later: `index.delay(tenant_id)`, `Thread(target=f, args=(tenant_id,))`,
`starmap(f, [(tenant_id, i) for i in ids])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.calling.wrapping import wrappers
from capsule_lint.program.inference.types import FunctionObject
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.model import enclosing, last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Binding, Function, Module
    from capsule_lint.program.names import Names

QUEUED: Final = frozenset(("delay", "s", "si", "send"))
"""Methods by which task queues take a function's own arguments (Celery, RQ, Dramatiq)."""
BOXED: Final = {
    "Thread": ("target", 1),
    "Process": ("target", 1),
    "Timer": ("function", 1),
    "add_job": ("func", 0),
}
"""What is given a function, and its arguments as `args=` and `kwargs=`: by which keyword, and where."""
_SPREADING: Final = frozenset(("starmap", "starmap_async"))
"""What calls a function with the items of each tuple that it is given besides."""
_ARGS: Final = "args"
_KWARGS: Final = ("kwargs", "kwds")


class Boxed(Struct, frozen=True):
    """A call whose arguments are written out as a display. `call` is as if it were made at once."""

    call: tree.Call
    holder: tree.Call
    args: tree.Sequence | None
    kwargs: tree.DictDisplay | None

    @property
    def at(self) -> tree.Node:
        """Where the values of its arguments are at hand: a tuple of a comprehension knows what this goes through."""
        return self.args if self.args is not None else self.holder


def boxed(names: Names, holder: tree.Call) -> Iterator[Boxed]:
    """The calls that a call makes later, where their arguments are written out."""
    if last_name(holder.func) in _SPREADING:
        plain = holder.plain
        rows = _rows(_listed(names, plain[1])) if len(plain) > 1 else []
        found = [_box(holder, plain[0], row, None) for row in rows]
        yield from (box for box in found if box is not None and None not in found)
        return
    func = _function(holder)
    if func is None:
        return
    keywords = dict(holder.keywords)
    plain = _positional(holder)
    args = keywords.get(_ARGS, next(iter(plain), None))
    kwargs = next((keywords[n] for n in _KWARGS if n in keywords), next(iter(plain[1:]), None))
    if not isinstance(args, tree.Sequence | None) or not isinstance(
        kwargs, tree.DictDisplay | None
    ):
        return
    box = _box(holder, func, args, kwargs)
    if box is not None:
        yield box


def _listed(names: Names, node: tree.Node) -> tree.Node:
    """The list that a local is given and that nothing else is done with; anything else itself."""
    bound, function = bound_whole(names, node), names.function_of(node)
    if bound is None or function is None or bound.annotation is not None:
        return node
    made = _alone(bound)
    own = made is not None and names.function_of(made) is function is bound.function
    reads = [read for read in names.called(function, bound.name) if read.at != bound.at]
    return made if made is not None and own and reads == [node] else node


def _alone(bound: Binding) -> tree.Node | None:
    """What a local is given, and nothing else with it: `jobs = self.jobs = […]` keeps it elsewhere as well."""
    statement = bound.place.statement
    alone = isinstance(statement, tree.Assign) and len(statement.targets) == 1
    return bound.assigned if alone else None


def _rows(node: tree.Node) -> list[tree.Sequence]:
    """The tuples that are written out in a comprehension or a list; none where something else is there as well."""
    match node:
        case tree.Comprehension(results=(tree.Sequence(kind="tuple") as row,)):
            return [row]
        case tree.Sequence(items=items):
            rows = [i for i in items if isinstance(i, tree.Sequence) and i.kind == "tuple"]
            return rows if len(rows) == len(items) else []
        case _:
            return []


def _box(
    holder: tree.Call, func: tree.Node, args: tree.Sequence | None, kwargs: tree.DictDisplay | None
) -> Boxed | None:
    """The call of a function with the arguments in displays; `None` where not all of them are seen."""
    items = args.items if args is not None else ()
    spread = [(tree.spread(item), item) for item in items]
    given = [tree.Argument(of or item, None, "*" if of else "", item.at) for of, item in spread]
    for key, value in kwargs.pairs if kwargs is not None else ():
        name = tree.text(key)
        if name is None:
            return None
        given.append(tree.Argument(value, name, "", value.at))
    return Boxed(tree.Call(holder.at, func, tuple(given)), holder, args, kwargs)


def _function(holder: tree.Call) -> tree.Node | None:
    """What a call calls later."""
    name = last_name(holder.func)
    if name == "apply_async" and isinstance(holder.func, tree.Attr):
        plain = holder.plain
        task = not plain or isinstance(plain[0], tree.Sequence)
        return holder.func.base if task else plain[0]
    if name not in BOXED:
        return None
    keyword, at = BOXED[name]
    for number, argument in enumerate(holder.args):
        if argument.keyword == keyword or (argument.keyword is None and number == at):
            return argument.value
    return None


def _positional(holder: tree.Call) -> list[tree.Node]:
    """The arguments of a task, or of a function given to a pool or a timer, where no keyword says that they are."""
    plain, name = holder.plain, last_name(holder.func)
    if name == "apply_async":
        return plain[:1] if plain and isinstance(plain[0], tree.Sequence) else plain[1:2]
    return plain[2:4] if name == "Timer" else []


def attached(modules: Iterable[Module]) -> frozenset[str]:
    """The names of attributes that decorators put on what they give: `wrapper.forget = forget`."""
    return frozenset(
        target.name
        for module in modules
        for statement, place in module.statements
        if isinstance(statement, tree.Assign) and place.scope.function is not None
        for target in statement.targets
        if isinstance(target, tree.Attr)
        and isinstance(target.base, tree.Name)
        and target.base.id not in ("self", "cls")
        and isinstance(statement.value, tree.Name)
    )


def takes_arguments(inference: Inference, function: Function, name: str) -> bool:
    """Whether an attribute of a function is called with the function's own arguments."""
    if not function.fact.decorators:
        return False
    return name in QUEUED or any(
        _attaches(inference, w, name) for w in wrappers(inference, function)
    )


def _attaches(inference: Inference, decorator: Function, name: str) -> bool:
    for statement, place in decorator.module.statements:
        if (
            isinstance(statement, tree.Assign)
            and isinstance(target := statement.targets[0], tree.Attr)
            and target.name == name
            and decorator in enclosing(place)
            and statement.value is not None
        ):
            found = [
                one for one in inference.of(statement.value) if isinstance(one, FunctionObject)
            ]
            kinds = [{p.kind for p in one.function.params} for one in found]
            return bool(kinds) and all("*" in own <= {"*", "**"} for own in kinds)
    return False
