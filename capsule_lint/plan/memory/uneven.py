"""Keys that lack a scope which the other keys of the same collection say, and are therefore of no use: nothing is put under
`cache.delete(f"orders:{tenant_id}")` beside `cache.set(f"orders:{tenant_id}:{capsule_id}", orders)`."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.asked_first import is_found_first
from capsule_lint.plan.memory.keyed_alike import asked
from capsule_lint.plan.memory.looking_up import LOOKING_UP
from capsule_lint.plan.memory.making import makes_collection
from capsule_lint.plan.memory.predicates import given_lambdas
from capsule_lint.plan.uses.choices import is_empty
from capsule_lint.plan.uses.registries import caching
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Binding, Module, last_name
from capsule_lint.program.texts.pieces import Text, hole_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class
    from capsule_lint.program.names import Names

_PUTTING: Final = frozenset(("set", "setex", "put", "add", "__setitem__"))
_READING: Final = frozenset(
    (
        "get",
        "pop",
        "delete",
        "discard",
        "remove",
        "has",
        "exists",
        "invalidate",
        "getdel",
        "unlink",
    )
)


class Used(Struct, frozen=True):
    """A key of a collection: where it is looked up and written, what it says, one word after the other, and what is done
    with it."""

    node: tree.Node
    host: tree.Node
    shape: str
    elements: list[tree.Node]
    words: tuple[str, ...]
    puts: bool
    reads: bool


class Lacking(Struct, frozen=True):
    """A key that lacks scopes, and the others of its collection that say them."""

    home: Home
    key: Used
    scopes: list[Scope]
    fuller: list[Used]


class Uneven(Struct, frozen=True):
    """Judges them in collections inside of the process of which every use is a look-up that is understood: what a client
    asks for elsewhere may be put there by anybody."""

    local: LocalKeys

    def judge(self) -> None:
        """Note what such keys lack, whatever the collection is for."""
        scopes, is_value = (
            self.local.program.policy.scopes,
            self.local.program.domain.held.is_value,
        )
        for one in list(self._find()):
            if self.local.changing(one.key.host) is not None:
                continue
            for used in (*one.fuller, one.key):
                said = {s.name: e for e in used.elements for s in scopes if is_value(e, s)}
                if used is one.key:
                    parts = used.shape, used.elements
                    self.local.lack(one.home, used.host, parts, one.scopes, said)
                else:
                    self.local.whole.note(one.home, used.elements, said)

    def _find(self) -> Iterator[Lacking]:
        """The keys that something is only looked for under, and those under which something is only put, where the
        other half has keys that say one scope more."""
        for home, used in self._understood():
            for key in used:
                same = [one for one in used if one.words == key.words]
                puts, reads = any(o.puts for o in same), any(o.reads for o in same)
                fuller = [(one, scopes) for one in used if (scopes := self._more(one, key))]
                scopes = fuller[0][1] if fuller else []
                answered = any(
                    more == scopes and (one.reads if puts else one.puts) for one, more in fuller
                )
                beside = any(self._is_beside(key, one) for one, _ in fuller)
                if not answered or beside or puts == reads:
                    continue
                if all(self._is_at_hand(key, s) for s in scopes):
                    yield Lacking(home, key, scopes, [one for one, _ in fuller])

    def _more(self, fuller: Used, key: Used) -> list[Scope]:
        """The scopes that a key says more than another one, if that is all that is between them."""
        scopes = self.local.program.policy.scopes
        more = [s for s in scopes if (w := _word(s)) in fuller.words and w not in key.words]
        said = {_word(s) for s in more}
        rest = tuple(word for word in fuller.words if word not in said)
        return more if rest == key.words else []

    def _is_beside(self, key: Used, fuller: Used) -> bool:
        """Whether a function does with a key what it does with a fuller one as well: the two are meant to differ. Where it
        finds that there is the one, and then takes what is under the other, they are not."""
        names = self.local.program.names
        if names.function_of(key.host) is not names.function_of(fuller.host):
            return False
        return (key.puts and fuller.puts) or (
            key.reads
            and fuller.reads
            and not any(
                isinstance(one.node, tree.Compare)
                and not isinstance(other.node, tree.Compare)
                and is_found_first(names, one.node, other.node)
                for one, other in ((key, fuller), (fuller, key))
            )
        )

    def _is_at_hand(self, key: Used, scope: Scope) -> bool:
        """Whether the code that makes a key knows the scope: by a parameter, or by the object that says another one."""
        program = self.local.program
        function = program.names.function_of(key.host)
        if function is not None and program.domain.scope_parameter(function, scope) is not None:
            return True
        others = program.policy.others(scope)
        return any(
            isinstance(one, tree.Attr)
            and any(program.domain.held.is_value(one, s) for s in others)
            for one in key.elements
        )

    def _understood(self) -> Iterator[tuple[Home, list[Used]]]:
        """The collections some of whose keys say more scopes than others, and their keys."""
        called: defaultdict[str, list[tree.Node]] = defaultdict(list)
        said: defaultdict[str, set[frozenset[str]]] = defaultdict(set)
        names, words = (
            self.local.program.names,
            {_word(s) for s in self.local.program.policy.scopes},
        )
        told = self._told_keys()
        for module in names.production():
            for node in () if module.generated else module.every(*LOOKING_UP):
                base, key = asked(node)
                if key is not None and isinstance(base, tree.Name | tree.Attr):
                    called[last_name(base)].append(node)
                    for used in self._used(node, key, told):
                        scopes = words.intersection(used.words) if used is not None else None
                        said[last_name(base)].update([frozenset(scopes)] if scopes else [])
        for name, sets in said.items():
            if any(one < other for one in sets for other in sets):
                yield from self._by_home(name, called[name], told)

    def _told_keys(self) -> set[Module]:
        """The modules of decorators that lambdas tell what to keep the answers under: `@cached(key=lambda note_id: …)`."""
        program = self.local.program
        return {
            callee.function.module
            for module in program.names.production()
            for function in module.functions
            if any(isinstance(one, tree.Lambda) for one in caching(function))
            for decorator in function.fact.decorators
            if isinstance(decorator, tree.Call)
            for callee in program.calls.callees(decorator)
            if callee.function is not None
        }

    def _by_home(
        self, name: str, nodes: list[tree.Node], told: set[Module]
    ) -> Iterator[tuple[Home, list[Used]]]:
        found: defaultdict[Home, list[Used | None]] = defaultdict(list)
        bases = set[int]()
        for node in nodes:
            base, key = asked(node)
            home = self.local.collections.any(base) if base is not None else None
            if home is not None and key is not None:
                found[home] += self._used(node, key, told)
                bases.add(id(base))
        for home, used in found.items():
            known = [one for one in used if one is not None]
            if len(known) == len(used) and self._only_looks(home, name, bases):
                yield home, known

    def _only_looks(self, home: Home, name: str, bases: set[int]) -> bool:
        """Whether a collection that starts empty is used nowhere but where something is looked up in it, or all is forgotten."""
        program = self.local.program
        program.names.ask(name)
        for node in program.names.named(name):
            if id(node) in bases or program.names.module_of(node).is_test:
                continue
            if self.local.collections.any(node) not in (home, None):
                continue
            parent = program.names.parent(node)
            if isinstance(parent, tree.Attr) and parent.name == "clear":
                continue
            if isinstance(parent, tree.Assign) and not parent.op and self._starts(parent.value):
                continue
            return False
        return not self._has_other_names(home)

    def _starts(self, value: tree.Node | None) -> bool:
        """Whether a collection has nothing in it yet; an object of a class that keeps all in collections of its own is one."""
        if value is None or is_empty(value):
            return value is not None
        made = self.local.program.inference.of(value) if isinstance(value, tree.Call) else ()
        return bool(made) and all(
            isinstance(one, Instance) and self._keeps_its_own(one.cls) for one in made
        )

    def _keeps_its_own(self, cls: Class) -> bool:
        """Whether nothing is in an object of a class but what it has been told: all that it has starts empty, and its
        methods know nothing else."""
        names = self.local.program.names
        stores = [one.value for kept in cls.stores.values() for one in kept]
        return (
            not cls.fact.bases
            and cls.methods.keys() >= cls.scope.bindings.keys()
            and any(map(makes_collection, stores))
            and all(one is not None and is_empty(one) for one in stores)
            and all(
                binding.place.scope.kind != "module"
                for method in cls.methods.values()
                for node in names.inside(method)
                if isinstance(node, tree.Name)
                for binding in names.bindings_of(node)
            )
        )

    def _has_other_names(self, home: Home) -> bool:
        """Whether a module imports what another one keeps under a name of its own."""
        names = self.local.program.names
        owner, name = home
        for module in names.production() if isinstance(owner, Module) else ():
            for bindings in module.scope.bindings.values():
                for one in bindings:
                    if one.kind == "import" and one.name != name:
                        target = names.follow(one)
                        if isinstance(target, Binding) and (target.module, target.name) == home:
                            return True
        return False

    def _used(self, node: tree.Node, key: tree.Node, told: set[Module]) -> list[Used | None]:
        """What is done with a key that is written there, in a local, or by those who tell it to the functions of some
        modules; `None` for any other one."""
        names = self.local.program.names
        host = behind(names, key) or key
        if names.module_of(node) not in told:
            return [self._used_as(node, host)]
        if isinstance(host, tree.Call) and (lambdas := given_lambdas(self.local.program, host)):
            return [self._used_as(node, one.body) for one in lambdas]
        # somebody else may put something under whatever he tells
        hosts = [] if done(names, node)[0] else [one for one, _ in self.local.hosts.of(host)]
        return [self._used_as(node, one) for one in hosts or [host]]

    def _used_as(self, node: tree.Node, host: tree.Node) -> Used | None:
        program = self.local.program
        parts = self.local.hosts.parts(host) if program.keys.at(host) is None else None
        if parts is None or (parts[0] == "bare" and not self._scope_of(host)):
            return None
        words: list[str] = []
        if parts[0] == "text":
            template = program.templates.template(host)
            for piece in template.pieces if template is not None else ():
                own = piece.value if isinstance(piece, Text) else self._said(piece.value)
                words.append(own)
            text = "".join(words)
            words = re.findall(r"[\w{}]+", text)
            if not words or not text.endswith(words[-1]):
                return None  # it may be how others begin
        else:
            words = [self._said(one) for one in parts[1]]
        if "" in words:
            return None
        puts, reads = done(self.local.program.names, node)
        return Used(node, host, *parts, tuple(words), puts, reads)

    def _said(self, node: tree.Node) -> str:
        scope = self._scope_of(node)
        if scope is not None:
            return _word(scope)
        name = repr(node.value) if isinstance(node, tree.Const) else hole_name(node)
        return f"{{{name}}}" if name else ""

    def _scope_of(self, node: tree.Node) -> Scope | None:
        held = self.local.program.domain.held
        return next((s for s in self.local.program.policy.scopes if held.is_value(node, s)), None)


def done(names: Names, node: object) -> tuple[bool, bool]:
    """Whether something is put under a key there, and whether something is read; both, where that is not known."""
    match node, names.parent(node):
        case tree.Subscript(), tree.Assign(op="", targets=targets) if node in targets:
            return True, False
        case tree.Subscript(), tree.Assign(targets=targets) if node in targets:
            return True, True
        case tree.Subscript() | tree.Compare(), _:
            return False, True
        case tree.Call(func=func), _:
            return last_name(func) not in _READING, last_name(func) not in _PUTTING
        case _:
            return True, True


def _word(scope: Scope) -> str:
    """What stands for a scope's value among the words of a key: no other value is called so."""
    return f"{{SCOPE_{scope.name}}}"
