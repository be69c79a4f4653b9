"""What the standard library gives back of what it is given: containers, contexts, getters, threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.passing import PASSING
from capsule_lint.program.inference.annotations import DECODERS
from capsule_lint.program.inference.types import (
    NOTHING,
    Collection,
    Foreign,
    TupleOf,
    Types,
    foreign,
    join,
    ordered,
)
from capsule_lint.program.model import Binding, last_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program.inference.infer import Inference

_MAPPINGS: Final = frozenset(
    [
        "ChainMap",
        "MappingProxyType",
        "OrderedDict",
        "SortedDict",
        "UserDict",
        "WeakKeyDictionary",
        "WeakValueDictionary",
        "defaultdict",
    ]
)
_LISTS: Final = frozenset(("WeakSet", "cycle", "deque", "repeat"))
_ITSELF: Final = frozenset(("aclosing", "closing", "nullcontext", "proxy"))
_KEEPING: Final = frozenset(("cache", "lru_cache"))
"""What gives back the function that it is given, and keeps what that yields by its arguments."""
_ENTERING: Final = frozenset(
    [
        "enterAsyncContext",
        "enterClassContext",
        "enterContext",
        "enterModuleContext",
        "enter_async_context",
        "enter_context",
    ]
)
_AT_ONCE: Final = frozenset(
    ("apply", "run_in_executor", "to_thread", "run_in_threadpool", "run_sync")
)
"""What gives back what the function yields that it is given."""


def of_call(inference: Inference, node: tree.Call, plain: Sequence[tree.Node]) -> Types | None:
    """What a call of something foreign yields, by its name; `None` where that says nothing."""
    name = last_name(node.func)
    if name in _MAPPINGS or (name == "dict" and node.args):
        return _mapping(inference, node, name)
    if name in _LISTS:
        elements = (inference.elements(inference.of(one)) for one in plain[:1])
        items = inference.of(plain[0]) if name == "repeat" and plain else join(*elements)
        return frozenset((Collection(items),))
    if name == "get" and isinstance(node.func, tree.Attr):
        return _current(inference, node.func.base) or None
    if not plain:
        return None
    if name == "groupby":
        group = Collection(inference.elements(inference.of(plain[0])))
        pair = TupleOf((foreign("key"), frozenset((group,))))
        return frozenset((Collection(frozenset((pair,))),))
    if name == "chain":
        parts = (inference.elements(inference.of(one)) for one in plain)
        return frozenset((Collection(join(*parts)),))
    if name == "from_iterable":
        each = inference.elements(inference.of(plain[0]))
        return frozenset((Collection(inference.elements(each)),))
    if name in _ITSELF or (name in _KEEPING and _is_of(inference, node.func, "functools")):
        return inference.of(plain[0])
    if name in DECODERS and (made := inference.annotations.of(plain[0])):
        return frozenset((Collection(made, kind="decoder"),))
    if name in _ENTERING:
        return inference.contents.entered(inference.of(plain[0]))
    if name in _AT_ONCE or name == "submit":
        return _run(inference, node, plain)
    return _got(inference, node.func, plain[0])


def _current(inference: Inference, node: tree.Node) -> Types:
    """What a `ContextVar` holds that a module has: what its annotation says, else what it starts as and is set to."""
    binding = inference.classes.dotted(node) if isinstance(node, tree.Name | tree.Attr) else None
    made = binding.value if isinstance(binding, Binding) else None
    if not isinstance(made, tree.Call) or last_name(made.func) != "ContextVar":
        return NOTHING
    assert isinstance(binding, Binding)
    for said in (binding.annotation, made.func):
        if isinstance(said, tree.Subscript):
            return inference.annotations.of(said.index)
    given = [a.value for a in made.args if a.keyword == "default"]
    for call in inference.calls.uses.calls_beside("set"):
        if isinstance(call.func, tree.Attr) and call.plain:
            base = call.func.base
            if last_name(base) == last_name(node) and inference.classes.dotted(base) is binding:
                given += call.plain[:1]
    return join(*map(inference.of, given))


def _is_of(inference: Inference, func: tree.Node, module: str) -> bool:
    """Whether what is called is of a module of the standard library, or made by something of it."""
    types = inference.of(func)
    return all(isinstance(t, Foreign) and t.name.startswith(f"{module}.") for t in types)


def _mapping(inference: Inference, node: tree.Call, name: str) -> Types:
    """A dict of what others have, of pairs, and of keywords."""
    items, keys = [], []
    for number, argument in enumerate(node.args):
        types = inference.of(argument.value)
        if argument.keyword is not None:
            items.append(types)
            continue
        if name == "defaultdict" and number == 0:
            items.append(inference.results.made_by(argument.value))
            continue
        for one in ordered(types):
            if isinstance(one, Collection) and one.kind == "dict":
                items.append(one.items)
                keys.append(one.keys)
            else:
                pairs = inference.elements(frozenset((one,)))
                items.append(inference.unpacked(pairs, (1,)))
                keys.append(inference.unpacked(pairs, (0,)))
    return frozenset((Collection(join(*items), join(*keys), "dict"),))


def _run(inference: Inference, node: tree.Call, plain: Sequence[tree.Node]) -> Types | None:
    """What a function yields that is run elsewhere: at once, or as the one item of a future."""
    name = last_name(node.func)
    at = PASSING[name]
    found = inference.results.made_by(plain[at]) if len(plain) > at else NOTHING
    if not found or all(isinstance(t, Foreign) for t in inference.of(plain[at])):
        return None
    return found if name in _AT_ONCE else frozenset((Collection(found, kind="future"),))


def _got(inference: Inference, func: tree.Node, given: tree.Node) -> Types | None:
    """What `attrgetter("notes")(uow)` and `itemgetter("notes")(stores)` yield."""
    if not isinstance(func, tree.Call) or len(func.args) != 1:
        return None
    wanted = func.args[0].value
    text = tree.text(wanted)
    if last_name(func.func) == "attrgetter" and text is not None:
        found = inference.of(given)
        for step in text.split("."):
            found = join(*(inference.attributes.of(t, step) for t in ordered(found)))
        return found
    if last_name(func.func) == "itemgetter" and isinstance(wanted, tree.Const):
        return join(*(_item(t, wanted.value) for t in inference.of(given))) or None
    return None


def _item(one: object, index: object) -> Types:
    match one:
        case Collection():
            return one.items
        case TupleOf(items=items) if isinstance(index, int) and -len(items) <= index < len(items):
            return items[index]
        case Foreign():
            return foreign(f"{one.name}[]", holds=one.holds)
        case _:
            return NOTHING
