"""Keys under which a decorator keeps what a function gives, where they are all of its arguments and tests look them up
at the function that it has decorated: `store[args] = fn(*args)`, `assert load.store == {("t", "1"): …}`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Verdict
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.shapes import Shape
from capsule_lint.plan.uses.registries import picking
from capsule_lint.program.containers import COPIED
from capsule_lint.program.inference.types import FunctionObject
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.logs import is_for_people
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.testing.lookins import LookIns
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_READ: Final = "its keys are all arguments of a function that changes, and are read in a way that is not followed"
_GIVING: Final = ("keys", "items", "popitem")
"""Methods of a dict that give its keys."""
_BLIND: Final = ("len", "bool", "id", "type", "isinstance", "print", *COPIED)
"""Functions that look at no key of a dict."""
_VERDICT: Final = Verdict.REWRITTEN, "what its decorator keeps by its arguments"


class Kept(Struct, frozen=True):
    """Where the arguments are in a key."""

    first: int
    """The parameter whose argument is the first of them."""
    at: int | None = None
    """Which part of the key is all of them, or begins them; `None` where they are the key."""
    spread: bool = False
    """Whether the rest of the key is them, one by one."""
    known: bool = True
    """Whether the key is one of these, and not made of them in another way."""
    names: frozenset[str] = frozenset()
    """As which attributes of the function the dict is known."""


class KeptByArguments(MendRoom, Struct, frozen=True):
    """Mends them as the function gains parameters."""

    mends: Mends
    look_ins: LookIns

    def build(self) -> None:
        """Add the mends; a key that cannot be mended makes the change unsafe."""
        kept = {function: list(_kept(self.program, function)) for function in self.state.params}
        keeping = {function: ways for function, ways in kept.items() if ways}
        found: list[tuple[tree.Node, Function, tree.Attr, list[Kept]]] = []
        for use, function, kept_at in self.look_ins.at_functions(keeping):
            ways = list(dict.fromkeys(w for w in keeping[function] if kept_at.name in w.names))
            keys = list(self.look_ins.keys(use)) if ways else []
            found += [(key, function, kept_at, ways) for key in keys]
            if ways and not keys and self._is_read(use):
                self.mends.obstacle(("function", function), use, _READ)
        asked, done = {id(key) for key, *_ in found}, set[int]()
        for key, function, kept_at, ways in found:
            for one in self.planner.sources.shared.spelled(key):
                if id(one) in done or self.mends.adds_to(one):
                    continue
                done.add(id(one))
                if one is not key and isinstance(one, tree.Sequence):
                    self._check(one, asked, function)
                for way in ways:
                    if self._key(one, function, way):
                        self.state.verdicts.setdefault(id(kept_at.base), _VERDICT)

    def _check(self, key: tree.Node, asked: set[int], function: Function) -> None:
        """A person must look where the name for a key is read elsewhere as well."""
        places = self.planner.sources.shared.stands(key)
        if any(id(place) not in asked for place in places):
            self.mends.spelled(("function", function), key)

    def _is_read(self, use: tree.Node) -> bool:
        """Whether keys are read where a dict is used, and not only counted or left as they are."""
        match self.program.names.parent(use):
            case tree.Attr(name=name):
                return name in _GIVING
            case tree.Call(func=tree.Attr(name="dict" | "setattr" | "update")):
                return False  # `patch.dict(load.cache)`, `monkeypatch.setattr(…)`
            case tree.Call(func=func):
                return func is not use and last_name(func) not in _BLIND
            case (
                tree.Comprehension()
                | tree.Sequence()
                | tree.Wrapped(kind="starred")
                | tree.Block()
            ):
                return True
            case tree.Assign(targets=targets, value=value):
                return value is use and any(isinstance(one, tree.Sequence) for one in targets)
            case _:
                return False

    def _key(self, key: tree.Node, function: Function, way: Kept) -> bool:
        """Put the arguments of the new parameters among those of a key; whether that is done."""
        final = self.mends.signatures.final_params(function)[way.first :]
        shape = Shape(function, tuple(final))
        knot = "function", function
        if not way.known:
            self.mends.spelled(knot, key)
            return False
        if not isinstance(key, tree.Sequence):
            return False
        display, before = key, (way.at or 0) if way.spread else 0
        if way.at is not None and not way.spread:
            part = key.items[way.at] if way.at < len(key.items) else None
            if not isinstance(part, tree.Sequence):
                return False
            display = part
        items = display.items[before:]
        codes: dict[int, list[str]] = defaultdict(list)
        for at, name in shape.inserted(len(items)):
            scope = self.state.params[function][name]
            code = self.mends.code_for(scope, key, knot)
            if code is None:
                self.mends.spelled(knot, key, [scope])
                return False
            codes[at].append(code)
        for at, new in codes.items():
            first, last = ((), tuple(new)) if at else (tuple(new), ())
            beside = items[max(at - 1, 0)].span
            filename = self.program.names.module_of(key).filename
            mend = AddElements(filename, display.span, "CAP107", first, last, beside)
            self.mends.add(knot, mend)
        return bool(codes)


def _kept(program: Program, function: Function) -> Iterator[Kept]:
    """How the decorators of a function make keys of all its arguments."""
    if any(True for _ in picking(function)):
        return  # they say what of them
    for decorator in function.fact.decorators:
        said = decorator.func if isinstance(decorator, tree.Call) else decorator
        for one in program.inference.of(said):
            if isinstance(one, FunctionObject):
                yield from _keys(program, one.function)


def _keys(program: Program, decorator: Function) -> Iterator[Kept]:
    """The same for one of them."""
    for node in program.names.inside(decorator):
        said = looked_up(node)
        if said is not None and not is_for_people(program.names, node):
            around = program.names.function_of(node)
            star = next((p.name for p in around.params if p.kind == "*"), None) if around else None
            if around is not None and star is not None:
                first = sum(p.by_position for p in around.params)
                key, kept = said
                key = only_assigned(program.names, key) or key
                for way in _ways(key, star, first):
                    names = frozenset(_names_of(program, kept, decorator))
                    yield replace(way, names=names)


def _names_of(program: Program, kept: tree.Node, decorator: Function) -> Iterator[str]:
    """The attributes in which a decorator puts a dict: `inner.store = store`, `setattr(inner, "store", store)`."""
    if isinstance(kept, tree.Attr):
        yield kept.name
    for node in program.names.inside(decorator):
        match node, program.names.parent(node):
            case tree.Attr(), tree.Assign(targets=targets, value=value) if node in targets:
                others = (one for one in (value, *targets) if one is not None and one is not node)
                if any(_is_same(program, one, kept) for other in others for one in within(other)):
                    yield node.name
            case tree.Call(func=tree.Name(id="setattr"), args=(_, name, value)), _:
                if any(_is_same(program, one, kept) for one in within(value.value)):
                    yield tree.text(name.value) or ""


def _is_same(program: Program, node: tree.Node, kept: tree.Node) -> bool:
    """Whether two expressions in a decorator are one variable, or attributes of one name."""
    match node, kept:
        case tree.Name(), tree.Name():
            bound = program.names.bindings_of(kept)
            return node.id == kept.id and any(b in bound for b in program.names.bindings_of(node))
        case tree.Attr(), tree.Attr():
            return node.name == kept.name
        case _:
            return False


def looked_up(node: tree.Node) -> tuple[tree.Node, tree.Node] | None:
    """What may be a key, and what it is looked up in: `store[key]`, `store.get(key)`, `lru.put(key, value)`,
    `key in store`."""
    match node:
        case tree.Subscript(base=base, index=key):
            return key, base
        case tree.Compare(ops=("in" | "not in",), left=key, rights=(base,)):
            return key, base
        case tree.Call(func=tree.Attr(base=base), args=(tree.Argument(star="", value=key), *_)):
            return key, base
        case _:
            return None


def _ways(key: tree.Node, star: str, first: int) -> Iterator[Kept]:
    """How a key has the arguments that a function takes as `*args`, of which so many others come first."""
    match key:
        case tree.Sequence(items=items):
            for at, item in enumerate(items):
                if (inner := tree.spread(item)) is not None:
                    for way in _ways(inner, star, first):
                        yield Kept(way.first, at, spread=True, known=way.known)
                else:
                    for way in _ways(item, star, first):
                        yield Kept(way.first, at, known=way.known and way.at is None)
        case tree.Name(id=name):
            if name == star:
                yield Kept(first)
        case tree.Subscript() | tree.Const():
            return
        case _:
            if any(isinstance(n, tree.Name) and n.id == star for n in _whole(key)):
                yield Kept(first, known=False)


def _whole(key: tree.Node) -> Iterator[tree.Node]:
    """What is in an expression, but for what is given one by one to something that it calls."""
    given = {
        id(argument.value)
        for call in within(key)
        if isinstance(call, tree.Call)
        for argument in call.args
        if argument.star
    }
    return (node for node in within(key) if id(node) not in given)
