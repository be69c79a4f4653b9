"""Dicts that are written out with a scope, and become what somebody reads: requests, messages, events."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entries_of, names_any
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.mocks import CONFIGURES
from capsule_lint.program.local_names import assigned, bound_whole, reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.planner import Planner
    from capsule_lint.program.model import Function
    from capsule_lint.program.names import Names

_MAX_DEPTH: Final = 6
_DUMPS: Final = "dumps"
_SENDS: Final = re.compile(
    "(a?send|publish|put|enqueue|queue|produce|emit|push|dispatch|invoke|[lr]push|xadd)(_|[A-Z]|$)"
)
"""Names of what sends a message."""
_ANSWERS: Final = re.compile("response|reply|json|error|header", re.IGNORECASE)
"""Names of what gives clients something."""


@dataclass(eq=False, slots=True)
class Written(Room):
    """Finds the dicts that are written out with a scope, and become what somebody reads."""

    planner: Planner
    _homes: dict[int, frozenset[str]] = field(default_factory=dict)
    _senders: dict[Function, frozenset[str] | None] = field(default_factory=dict)
    """What functions put beside the keywords that they make JSON of."""

    def by_key(self, keys: Collection[str], roots: Collection[str]) -> dict[str, list[Display]]:
        """Those of tests, those that are made JSON of, those that handlers give back, and those that are called as
        one of `roots` is, by each of their keys, and the calls whose keywords are made JSON of; `keys` are those
        that stand for scopes, whatever they are called."""
        found: dict[str, list[Display]] = defaultdict(list)
        program = self.program
        for module in program.names.judged():
            if module.generated:
                continue
            for display in module.each(tree.DictDisplay):
                said = (key for key, _ in entries_of(display))
                if (names_any(display, program) or any(key in keys for key in said)) and (
                    module.is_test
                    or self.is_dumped(display)
                    or self.is_given_back(display)
                    or (roots and not self.homes(display).isdisjoint(roots))
                ):
                    for key, _ in entries_of(display):
                        found[key].append(display)
            for call in module.each(tree.Call):
                if names_any(call, program) and (
                    self._sent(call) is not None
                    or (module.is_test and self.makes_entries(call))
                    or (tree.makes_dict(call) and self.is_dumped(call))
                ):
                    for key, _ in entries_of(call):
                        found[key].append(call)
        return found

    def makes_entries(self, display: Display) -> bool:
        """Whether a dict is written out, or the keywords of a call of a test are its entries: `dict(tenant_id="t")`,
        `event(tenant_id="t")` with `def event(**detail)`."""
        if isinstance(display, tree.DictDisplay) or tree.makes_dict(display):
            return True
        return any(True for _ in self._collected(display))

    def _collected(self, call: tree.Node) -> Iterator[tree.Name]:
        """Where a function of the tests reads all that it is given by keyword."""
        names, calls = self.program.names, self.program.calls
        for callee in calls.callees(call) if isinstance(call, tree.Call) else ():
            function = callee.function
            params = function.params if function is not None and callee.cls is None else ()
            rest = {p.name for p in params if p.kind == "**"}
            if function is not None and function.module.is_test and rest:
                for node in names.inside(function):
                    if (
                        isinstance(node, tree.Name)
                        and node.id in rest
                        and _is_parameter(names, node)
                    ):
                        yield node

    def may_say(self, display: Display, keys: Collection[str]) -> bool:
        """Whether a message that is made of this may have all of these keys."""
        sent, wholes = self._sent(display) or frozenset(), display.spread
        own = sent | {key for key, _ in entries_of(display)}
        if isinstance(display, tree.DictDisplay):
            parts = self.planner.spreaders.steps.of(display)
            own, wholes = own | {key for key, _ in parts.entries}, list(parts.wholes)
        spread = [self._keys_in(one) for one in wholes]
        known = own.union(*(one for one in spread if one is not None))
        return None in spread or known.issuperset(keys)

    def _keys_in(self, spread: tree.Node) -> frozenset[str] | None:
        """The keys of what is put into a message as a whole; `None` where there may be others."""
        given = list(self._gives(spread))
        found = self.planner.local.rows.origins(spread)
        if not given and not found.complete:
            return None
        return frozenset(key for one in (*found.displays, *given) for key, _ in entries_of(one))

    def _gives(self, node: tree.Node) -> Iterator[tree.Call]:
        """The calls that give a function keywords of which it takes any: `**detail`."""
        binding = bound_whole(self.program.names, node)
        parameter = binding.parameter if binding is not None else None
        if binding is not None and binding.function is not None and parameter is not None:
            callers = (
                self.program.calls.callers(binding.function) if parameter.kind == "**" else ()
            )
            yield from (call for call, _ in callers)

    def _sent(self, display: tree.Node) -> frozenset[str] | None:
        """What is beside the keywords of a call of what makes JSON of them, `send("placed", tenant_id=…)`;
        `None` for anything else."""
        for callee in (
            self.program.calls.callees(display) if isinstance(display, tree.Call) else ()
        ):
            beside = self._sent_beside(callee.function) if callee.function is not None else None
            if beside is not None:
                return beside
        return None

    def _sent_beside(self, function: Function) -> frozenset[str] | None:
        """What a function puts beside the keywords that it makes JSON of; `None` where it does not do that."""
        if function not in self._senders:
            fields = next((p.name for p in function.params if p.kind == "**"), None)
            inside = self.program.names.inside(function) if fields is not None else ()
            sent = [
                node
                for node in inside
                if isinstance(node, tree.Name) and node.id == fields and self.is_dumped(node)
            ]
            around = map(self.program.names.parent, sent)
            displays = [one for one in around if isinstance(one, tree.DictDisplay)]
            beside = frozenset(key for one in displays for key, _ in entries_of(one))
            self._senders[function] = beside if sent else None
        return self._senders[function]

    def is_given_back(self, display: tree.Node, depth: int = 0) -> bool:
        """Whether a handler returns a dict, by a name or not: a state machine gives it to the next one."""
        names = self.program.names
        parent = names.parent(display) if depth < _MAX_DEPTH else None
        if isinstance(parent, tree.Assign) and isinstance(parent.targets[0], tree.Name):
            target = parent.targets[0]
            reads = reads_of(names, target, (target.at,))
            return any(self.is_given_back(read, depth + 1) for read in reads)
        function = names.function_of(display)
        returned = isinstance(parent, tree.Eval) and parent.kind == "return"
        return returned and function is not None and self.program.domain.enters(function)

    def reaches(self, node: tree.Node, function: Function, name: str, depth: int = 0) -> bool:
        """Whether a dict comes to a function as a parameter: given to it where it stands, by a name, by
        what is given it, or by what called the function that returns it."""
        names = self.program.names
        parent = names.parent(node) if depth < _MAX_DEPTH else None
        match parent:
            case tree.Call() if self._is_given(parent, node, function, name):
                return True
            case tree.Call():
                came: Iterable[tree.Node] = self._reads(parent, node)
            case tree.Assign(targets=(tree.Name() as target,)):
                came = reads_of(names, target, (target.at,))
            case tree.Eval(kind="return"):
                came = self._calls_around(node)
            case _:
                return False
        return any(self.reaches(one, function, name, depth + 1) for one in came)

    def _is_given(self, call: tree.Call, node: tree.Node, function: Function, name: str) -> bool:
        """Whether a call gives something to a function as the parameter of that name."""
        calls = self.program.calls
        given = next((a for a in call.args if a.value is node and not a.star), None)
        return (
            given is not None
            and calls.parameter_of(call, given) == name
            and any(callee.function is function for callee in calls.callees(call))
        )

    def is_dumped(self, display: tree.Node) -> bool:
        """Whether a dict becomes JSON where it stands, by the name that it gets, inside of another one, or by
        what it is given to, or keywords do; what a function returns, lists or yields only where that JSON is sent, for it may
        as well be what clients get."""
        return self._sent(display) is not None or any(
            not (made or isinstance(display, tree.Call)) or self._is_sent_on(call)
            for call, made in self._dumping(display)
        )

    def is_sent(self, display: Display, keys: Collection[str]) -> bool:
        """Whether JSON is made of a dict that may have all of these keys, and sent to others."""
        is_dict = isinstance(display, tree.DictDisplay) or tree.makes_dict(display)
        return is_dict and self.may_say(display, keys) and self.sends(display)

    def sends(self, node: tree.Node) -> bool:
        """Whether JSON is made of something and sent to others."""
        return any(self._is_sent_on(call) for call, _ in self._dumping(node))

    def _dumping(self, node: tree.Node) -> Iterator[tuple[tree.Call, bool]]:
        """The calls that make JSON of something, and whether functions or others around it have made it first."""
        for one, made in self._walk(node):
            parent = self.program.names.parent(one)
            if isinstance(parent, tree.Call) and last_name(parent.func) == _DUMPS:
                yield parent, made

    def _is_sent_on(self, text: tree.Call) -> bool:
        """Whether a text is sent to others, and is no response: `sqs.send_message(MessageBody=json.dumps(message))`."""
        for one, _ in self._walk(text):
            call = self.program.names.parent(one)
            if isinstance(call, tree.Call) and one is not call.func:
                name = last_name(call.func)
                if _SENDS.match(name) and not _ANSWERS.search(name):
                    return True
        return False

    def _walk(self, node: tree.Node) -> Iterator[tuple[tree.Node, bool]]:
        """Where something comes to, itself first, and whether on the way it is returned, yielded or listed."""
        seen, level = set[tuple[int, bool]](), [(node, False)]
        for _ in range(_MAX_DEPTH):
            yield from level
            seen.update((id(one), made) for one, made in level)
            came = {
                (id(to), after): (to, after)
                for one, made in level
                for to in self._goes_to(one)
                for after in (made or self._is_made(one),)
            }
            level = [to for key, to in came.items() if key not in seen]

    def _is_made(self, node: tree.Node) -> bool:
        """Whether what stands somewhere is made there for others: a function returns it, or a list has it."""
        parent = self.program.names.parent(node)
        return not isinstance(parent, tree.Assign | tree.DictDisplay | tree.Call | tree.Attr)

    def _goes_to(self, node: tree.Node) -> Iterator[tree.Node]:
        """Where something stands next, alone or with others around it."""
        names = self.program.names
        match names.parent(node):
            case tree.Assign(targets=(tree.Name() as target, *_)):
                yield from reads_of(names, target, (target.at,))
            case tree.DictDisplay() | tree.Sequence() as around:
                yield around
            case tree.Comprehension(results=made) as around if any(one is node for one in made):
                yield around
            case tree.Block() | tree.Comprehension():
                yield from self._each_of(node)
            case tree.Call() as call:
                yield from self._reads(call, node)
            case tree.Attr(name="encode") as encode:
                encoded = names.parent(encode)
                yield from (encoded,) if isinstance(encoded, tree.Call) else ()
            case tree.Eval(kind="return") | tree.Wrapped(kind="yield"):
                yield from self._calls_around(node)

    def _calls_around(self, node: tree.Node) -> Iterator[tree.Call]:
        """The calls of the function in which something stands."""
        function = self.program.names.function_of(node)
        if function is not None:
            yield from (call for call, _ in self.program.calls.callers(function))

    def _reads(self, call: tree.Call, node: tree.Node) -> Iterator[tree.Name]:
        """Where what is called reads what it is given as a parameter."""
        names, calls = self.program.names, self.program.calls
        given = next((a for a in call.args if a.value is node and not a.star), None)
        name = calls.parameter_of(call, given) if given is not None else None
        for callee in calls.callees(call) if given is not None else ():
            function = callee.function
            params = (
                function.params if function is not None and given and not given.keyword else ()
            )
            own = name or next((p.name for p in params if p.kind == "*"), None)
            for one in names.called(function, own) if function is not None and own else ():
                if _is_parameter(names, one):
                    yield one

    def _read_by_tests(self, call: tree.Call, node: tree.Node) -> Iterator[tree.Name]:
        """The same of what a function of the tests is given, `sqs_event(message)`, also where it goes through that."""
        for read in self._reads(call, node):
            module = self.program.names.module_of(read)
            if module.is_test:
                yield read
                yield from self._each_of(read)

    def _each_of(self, node: tree.Node) -> Iterator[tree.Name]:
        """Where a loop reads what it goes through, one by one."""
        for target, source in self.program.names.module_of(node).loops():
            match target, source:
                case tree.Sequence(items=(_, one)), tree.Call(func=tree.Name(id="enumerate")):
                    gone_through = source.plain[0] if source.plain else None
                case one, gone_through:
                    pass
            if gone_through is node and isinstance(one, tree.Name):
                yield from reads_of(self.program.names, one, (one.at,))

    def homes(self, display: tree.Node) -> frozenset[str]:
        """The names under which a dict is kept: of keys, keywords, locals and functions."""
        if id(display) not in self._homes:
            nodes: list[tree.Node] = (
                [] if tree.makes_dict(display) else [*self._collected(display)]
            )
            nodes = nodes or [display]
            found = (home for node in nodes for home in self._homes_of(node, 0))
            self._homes[id(display)] = frozenset(found)
        return self._homes[id(display)]

    def _homes_of(self, node: tree.Node, depth: int) -> Iterator[str]:
        if depth < _MAX_DEPTH:
            yield from self._homes_at(node, depth)
            if self.program.names.module_of(node).is_test:
                for read in self._read_elsewhere(node):
                    yield from self._homes_of(read, depth + 1)

    def _read_elsewhere(self, node: tree.Node) -> Iterator[tree.Node]:
        """Where a test reads what pytest gives it, `parametrize` and fixtures, or what its object keeps:
        `self.message = {…}`."""
        names = self.program.names
        yield from (read for read in self.planner.sources.shared.filled(node))
        parent, function = names.parent(node), names.function_of(node)
        owner = function.owner if function is not None else None
        targets = parent.targets if isinstance(parent, tree.Assign) else ()
        for target in (one for one in targets if isinstance(one, tree.Attr) and owner is not None):
            for read in names.named(target.name):
                home = names.function_of(read)
                if read is not target and home is not None and home.owner is owner:
                    yield read

    def _homes_at(self, node: tree.Node, depth: int) -> Iterator[str]:
        """The same where a dict stands."""
        names = self.program.names
        parent = names.parent(node)
        match parent:
            case tree.DictDisplay():
                for key, value in parent.pairs:
                    if value is node and key is None:
                        yield from self._homes_of(parent, depth + 1)
                    elif value is node and (text := tree.text(key)) is not None:
                        yield text.lower()
            case tree.Call(args=args) if (
                last_name(parent.func) == _DUMPS and args[0].value is node
            ):
                yield from self._homes_of(parent, depth + 1)
            case tree.Call():
                given = next((a for a in parent.args if a.value is node), None)
                to = given and (given.keyword or self.program.calls.parameter_of(parent, given))
                yield from (to.lower(),) if to else ()
                for read in self._read_by_tests(parent, node):
                    yield from self._homes_of(read, depth + 1)
            case tree.Sequence() | tree.Binary(op="|") if names.module_of(node).is_test:
                yield from self._homes_of(parent, depth + 1)
            case tree.Comprehension(results=made) if names.module_of(node).is_test:
                if any(one is node for one in made):
                    yield from self._homes_of(parent, depth + 1)
            case tree.Assign(targets=(tree.Name() as target,)):
                yield target.id.lower()
                for read in reads_of(names, target, (target.at,)):
                    yield from self._homes_of(read, depth + 1)
            case tree.Assign(targets=(tree.Subscript(index=index),)):
                text = tree.text(index)
                yield from () if text is None else (text.lower(),)
            case tree.Eval(kind="return"):
                for call in self._calls_around(node):
                    yield from self._homes_of(call, depth + 1)
            case tree.Eval(kind="expr"):
                match node:
                    case tree.Call(func=tree.Attr(name=name, base=base)) if name == CONFIGURES:
                        yield last_name(base).lower()
                        yield from self.names_of(base)

    def names_of(self, node: tree.Node) -> frozenset[str]:
        """The names under which it is kept what a local stands for."""
        made = assigned(self.program.names, node) if isinstance(node, tree.Name) else ()
        return frozenset().union(*map(self.homes, made))


def _is_parameter(names: Names, node: tree.Name) -> bool:
    """Whether a name stands for a parameter."""
    return any(binding.parameter is not None for binding in names.bindings_of(node))
