"""Where the key of a collection is written: in place, in a local, by a caller, in a helper."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.wrapped_keys import inner_of, keeps_text
from capsule_lint.plan.uses.lambda_calls import by_name
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.containers import LISTED
from capsule_lint.program.inference.types import Foreign, Instance
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import last_name, start_of
from capsule_lint.program.texts.pieces import Filled, hole_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from capsule_lint.plan.memory.handed import Handed
    from capsule_lint.plan.memory.key_classes import KeyClasses
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Function

    Hosts: TypeAlias = Iterator[tuple[tree.Node, Function | None]]
    """Expressions that write a key, with the helper that each stands in, if any."""

_MANY: Final = 6
"""Steps after which nobody follows a key any more."""


@dataclass(eq=False, slots=True)
class KeyHosts:
    """Follows keys to the expressions that write them, and says what these are made of."""

    program: Program
    classes: KeyClasses
    handed: Handed
    hidden: set[int] = field(default_factory=set)
    """The expressions that write a key of which the collection sees no part: `sha256(key.encode())`."""
    _passed: dict[tuple[Function, str], int] = field(default_factory=dict)
    """The parameters through which a key has been followed, and after how many steps."""
    _anew: dict[int, bool] = field(default_factory=dict)
    """Whether values are made anew, as far as that was asked."""

    def of(self, key: tree.Node) -> Hosts:
        """Where the expression of a key is written; its helper, if any."""
        self._passed.clear()
        yield from self._hosts_of(key, 0)

    def further(self, key: tree.Node) -> Hosts:
        """The same for one more key, through parameters alone that the key before did not go through."""
        yield from self._hosts_of(key, 0)

    def scopes_in(self, key: tree.Node) -> list[tuple[tree.Node, set[str]]]:
        """The places where a key is written with scopes' values, and the names of those scopes."""
        found = []
        for host, _ in self.of(key):
            cls = self.classes.of(host)
            found += [(host, {s.name for s in self.classes.held(cls)})] if cls is not None else []
            parts = self.parts(host) if self.program.keys.at(host) is None else None
            is_value = self.program.domain.held.is_value
            for _, elements in (parts,) if parts is not None else ():
                scopes = self.program.policy.scopes
                said = {s.name for s in scopes for e in elements if is_value(e, s)}
                found += [(host, said)] if said else []
        return found

    def _hosts_of(self, key: tree.Node, depth: int) -> Hosts:
        if depth >= _MANY:
            return
        match key:
            case tree.Name():
                yield from self._of_name(key, depth)
            case tree.Call():
                yield from self._of_call(key, depth)
            case tree.Attr():
                yield from self._of_attribute(key, depth)
            case tree.Conditional():
                yield from self._hosts_of(key.then, depth + 1)
                yield from self._hosts_of(key.otherwise, depth + 1)
            case tree.Subscript(base=tree.Call(), index=tree.Slice()):
                yield from self._of_piece(key, depth)
            case tree.Boolean():
                for value in key.values:
                    if not isinstance(value, tree.Const):
                        yield from self._hosts_of(value, depth + 1)
            case _:
                yield key, None

    def _of_name(self, key: tree.Name, depth: int) -> Hosts:
        bindings = self.program.names.bindings_of(key)
        written = [b.assigned for b in bindings if b.assigned is not None]
        checked = [
            value
            for value in written
            if self.program.templates.called.given_back(value) is not None
        ]
        if checked and len(checked) == len(written):
            yield key, None
        elif is_identifier(hole_name(key)) and any(map(self.is_made_anew, written)):
            yield key, None  # `note_id = str(uuid4())` is no key, but what others know the item by
        elif bindings and len(written) == len(bindings):
            for value in written:
                yield from self._hosts_of(value, depth + 1)
        elif bindings and bindings[-1].kind == "param":
            yield from self._of_parameter(key, bindings[-1], depth)
        elif bindings and all(b.kind == "for" and not b.path for b in bindings):
            for one in self.handed.written(key):
                yield from self._hosts_of(one, depth + 1)

    def _of_call(self, key: tree.Call, depth: int) -> Hosts:
        if (
            self._joined_by(key) is not None
            or self.program.templates.called.given_back(key) is not None
        ):
            yield key, None
            return
        called = [
            c.function
            for c in self.program.calls.callees(key)
            if c.function is not None and c.cls is None
        ]
        for function in called:
            for value in function.returns:
                for host, helper in self._hosts_of(value, depth + 1):
                    yield host, helper or function
        if not called:
            inner = list(self._inside(key, depth))
            yield from inner or [(key, None)]

    def _of_piece(self, key: tree.Subscript, depth: int) -> Hosts:
        """`sha256(key).hexdigest()[:16]`."""
        inner = list(self._inside(key, depth))
        yield from inner or [(key, None)]

    def _inside(self, key: tree.Node, depth: int) -> Hosts:
        """Where the key is written of which an expression makes another one."""
        inner = inner_of(key)
        for host, helper in self._hosts_of(inner, depth) if inner is not None else ():
            several = isinstance(host, tree.Sequence)
            if several or not keeps_text(key):
                self.hidden.add(id(host))
            parts = self.parts(host)
            if parts is not None and parts[0] != "bare":
                yield host, helper

    def _of_parameter(self, key: tree.Name, binding: Binding, depth: int) -> Hosts:
        """A parameter that is an identifier is part of a key; any other is a whole key, which its
        callers make."""
        function = binding.function
        name = hole_name(key)
        is_value = self.program.domain.held.is_value
        if is_identifier(name) or any(is_value(key, s) for s in self.program.policy.scopes):
            yield key, None
        elif function is not None and depth < self._passed.get((function, binding.name), _MANY):
            self._passed[function, binding.name] = depth
            with self.program.names.aside():  # who gives a scope names it
                given = [*self._told(function, binding), *self.handed.by_index(binding)]
            hosts = (one for value in given for one in self._hosts_of(value, depth + 1))
            found = [one for one in hosts if not self._is_of_a_kind(one[0])]
            spelled = all(isinstance(host, tree.Const) for host, _ in found)
            scopes = self.program.policy.scopes
            scoped = any(is_value(host, scope) for host, _ in found for scope in scopes)
            made = any(map(self._is_made, found))
            if made or scoped:  # others may give more of them
                deque(self._told(function, binding), maxlen=0)
            if not made and (
                spelled or not (scoped or is_whole_key(name)) or self._is_of_interface(function)
            ):
                yield key, None  # its callers know of no key: the parameter tells the thing itself
            else:
                yield from found

    def _told(self, function: Function, binding: Binding) -> Iterator[tree.Node]:
        """What is given for a parameter, also by who calls another method of the family: that of a base."""
        if binding.parameter not in function.params:
            yield from self._told_lambda(binding)
            return
        calls, at = self.program.calls, function.params.index(binding.parameter)
        others = {*calls.families.of(function)} - {function}
        for one in (function, *sorted(others, key=lambda f: f.symbol)):
            same = one.parameter(binding.name) or next(iter(one.params[at:]), None)
            if same is not None:
                yield from (a.value for _, a in calls.arguments_for(one, same.name))

    def _told_lambda(self, binding: Binding) -> Iterator[tree.Node]:
        """What is given for the parameter of a lambda that a function makes and calls by a name."""
        made = self.program.names.index.lambdas.get(id(binding.place.scope))
        if made is None:
            return
        for call in by_name(self.program, made):
            bound = bind(call.args, made.params)
            if bound is not None and binding.name in bound.arguments:
                yield bound.arguments[binding.name].value

    def _is_of_interface(self, function: Function) -> bool:
        """Whether what is no collection can stand in the place of a method's object, a repository."""
        is_open = not function.name.startswith("_")
        return (is_open and function.owner in self.program.domain.repositories) and any(
            one.owner is not function.owner for one in self.program.calls.families.of(function)
        )

    def _is_made(self, found: tuple[tree.Node, Function | None]) -> bool:
        """Whether an expression is put together as a key is, and no value alone."""
        host, helper = found
        parts = self.parts(host)
        made = self.program.keys.at(host) is not None or self.classes.of(host) is not None
        return made or helper is not None or (parts is not None and parts[0] != "bare")

    def _is_of_a_kind(self, host: tree.Node) -> bool:
        """Whether a text has no mark of a key and a part that is made anew, so that no other is like it:
        `f"job-{uuid4().hex}"`. It is an identifier."""
        template = self.program.templates.template(host)
        pieces = template.pieces if template is not None else ()
        made = (isinstance(p, Filled) and self.is_made_anew(p.value) for p in pieces)
        return template is not None and "#" not in template.text and any(made)

    def _of_attribute(self, key: tree.Attr, depth: int) -> Hosts:
        for one in self.program.inference.of(key.base):
            method = (
                self.program.classes.method(one.cls, key.name)
                if isinstance(one, Instance)
                else None
            )
            if method is not None and method.is_property:
                for value in method.returns:
                    yield from self._hosts_of(value, depth + 1)
                return
        yield key, None

    # --- what an expression is made of ---

    def parts(self, host: tree.Node) -> tuple[str, list[tree.Node]] | None:
        """The shape of a key and the expressions in it."""
        if isinstance(host, tree.Sequence) and (host.kind == "tuple" or id(host) in self.hidden):
            return "tuple", list(host.items)
        if isinstance(host, tree.Call) and self._joined_by(host) is not None:
            template = self.program.templates.template(host)
            said = template.pieces if template is not None else ()
            values = [p.value for p in said if isinstance(p, Filled) and p.host is host]
            given = [a.value for a in host.args if template is None or not self.is_tag(a.value)]
            parts = [part for one in given for part in _values_in(one, values) or [one]]
            return "call" if template is None else "text", parts
        if isinstance(host, tree.FString | tree.Binary) or (
            isinstance(host, tree.Call)
            and isinstance(host.func, tree.Attr)
            and host.func.name in ("format", "join")
        ):
            template = self.program.templates.template(host)
            if template is None:
                return None
            return "text", [
                p.value for p in template.pieces if isinstance(p, Filled) and p.host is host
            ]
        if isinstance(host, tree.Call) and last_name(host.func) in LISTED:
            return None  # it has keys in it, and is none
        if isinstance(host, tree.Name | tree.Attr | tree.Subscript | tree.Call) and hole_name(
            host
        ):
            return "bare", [host]
        return None

    def is_foreign(self, host: tree.Node) -> bool:
        """Whether something outside of the program makes a value anew, and of nothing that a function is told or has made:
        `str(uuid4())`, `uuid4().hex`."""
        names = self.program.names
        read = (one for one in within(host) if isinstance(one, tree.Name))
        if any(not b.is_global and b.kind != "import" for n in read for b in names.bindings_of(n)):
            return False
        called = self.program.calls.callees(host) if isinstance(host, tree.Call) else ()
        if any(callee.function is not None for callee in called):
            return False
        types = self.program.inference.of(host) if isinstance(host, tree.Call | tree.Attr) else ()
        return bool(types) and all(
            isinstance(one, Foreign)
            and not one.holds
            and (one.name == "builtins.str()" or re.match(r"(?!builtins\.)\w+\.", one.name))
            for one in types
        )

    def is_made_anew(self, node: tree.Node) -> bool:
        """Whether a value is made so, or a function of the program has made it so, and gives it back."""
        value = behind(self.program.names, node)
        if value is None or id(value) in self._anew:
            return value is not None and self._anew[id(value)]
        self._anew[id(value)] = False  # while it is found out
        callees = self.program.calls.callees(value) if isinstance(value, tree.Call) else ()
        made = (c.function for c in callees if c.function is not None and c.cls is None)
        returned = (one for function in made for one in function.returns)
        found = self.is_foreign(value) or any(map(self.is_made_anew, returned))
        self._anew[id(value)] = found
        return found

    def is_key(self, node: tree.Node) -> bool:
        """Whether an element of a key is all of one of the table, and no part that a function takes out of that."""
        callees = self.program.calls.callees(node) if isinstance(node, tree.Call) else ()
        functions = (c.function for c in callees if c.function is not None)
        return self.program.policy.is_key_name(hole_name(node)) and all(
            function in self.program.keys.helpers or all(map(_is_as_given, function.returns))
            for function in functions
        )

    def is_given(self, key: tree.Node) -> bool:
        """Whether a key is that of what a function is given, `key.pk` or `row["pk"]`, or is given several of."""
        names, start = self.program.names, start_of(key)
        bound = names.bindings_of(start) if isinstance(start, tree.Name) else ()
        several = [b.value for b in bound if b.kind == "for" and isinstance(b.value, tree.Name)]
        given = [*bound, *(b for one in several for b in names.bindings_of(one))]
        told = [(b.name, b.function) for b in given if b.kind == "param"]
        return any(function is not None and name != function.self_name for name, function in told)

    def is_tag(self, node: tree.Node) -> bool:
        """Whether an expression is the tag of a scope, and no value, whatever it is called: `TENANT`."""
        said = self.program.templates.constant(node)
        tags = (scope.tag for scope in self.program.policy.scopes)
        return said is not None and any(tag in (said, f"{said}{tag[-1:]}") for tag in tags)

    def _joined_by(self, call: tree.Call) -> Function | None:
        """The function that makes one text of all that a call gives it: `"/".join(parts)` of `*parts`."""
        functions = [callee.function for callee in self.program.calls.callees(call)]
        function = functions[0] if len(functions) == 1 else None
        if function is None:
            return None
        joins = self.program.templates.joins.joiner(function) is not None
        if joins and (fixed := [p for p in function.own_params if p.by_position]):
            # it has no key by itself, however it is called, unless nothing says what comes first
            return None if any(a.star for a in call.args[: len(fixed)]) else function
        if any(a.star or a.keyword for a in call.args):
            return None
        if joins:
            return function
        returned = [behind(self.program.names, value) for value in function.returns]
        match function.own_params, returned:
            case (tree.Parameter(name=name, kind="*"),), [
                tree.Call(func=tree.Attr(name="join"), args=(tree.Argument(value=joined),))
            ] if _as_it_comes(joined) == name:
                return function
            case _:
                return None


def _values_in(part: tree.Node, values: Sequence[tree.Node]) -> list[tree.Node]:
    """Those of the values of a text that a part of it has in it: `tenant_id` of `f"TENANT#{tenant_id}"`."""
    return [value for value in values if any(one is value for one in within(part))]


_KEY: Final = re.compile(r"(?:^|_)(?:key|k|pk|token|path|index)s?$", re.IGNORECASE)
"""What whole keys are called."""


def _as_it_comes(node: tree.Node) -> str | None:
    """`parts` of `parts`, `map(str, parts)` and `(str(p) for p in parts)`."""
    match node:
        case tree.Name(id=name):
            return name
        case tree.Call(
            func=tree.Name(id="map"), args=(_, tree.Argument(value=tree.Name(id=name)))
        ):
            return name
        case tree.Comprehension(
            results=(result,),
            generators=(
                tree.Generator(target=tree.Name(id=one), iter=tree.Name(id=name), ifs=()),
            ),
        ):
            inner = inner_of(result) if isinstance(result, tree.Call) else result
            return name if isinstance(inner, tree.Name) and inner.id == one else None
        case _:
            return None


def _is_as_given(node: tree.Node) -> bool:
    """`key` and `key.lower()`."""
    inner = inner_of(node)
    return isinstance(node, tree.Name) if inner is None else _is_as_given(inner)


def is_identifier(name: str) -> bool:
    """Whether a value of that name tells one thing from others of its kind."""
    return (
        name == "id"
        or name.endswith(("_id", "_uuid", "_code", "_number", "_slug", "_email"))
        or name in ("email", "slug", "sku", "code", "uuid")
    )


def is_whole_key(name: str) -> bool:
    """Whether a value of that name is all of a key, which somebody else has made."""
    return _KEY.search(name) is not None


def ask_around(program: Program, key: tree.Node) -> None:
    """Ask for the class of the object that is given a key: what it does with that says whether the key is
    understood."""
    match program.names.parent(key):
        case tree.Call(func=tree.Attr(base=base)) | tree.Subscript(base=base):
            for one in program.inference.of(base):
                if isinstance(one, Instance):
                    program.names.ask(*(cls.name for cls in program.classes.mro(one.cls)))
