"""How code reads what functions are given by constant keys: `("detail", "tenantId")` of `event["detail"]["tenantId"]`,
also where parts have names, and where a loop goes through them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import LISTED
from capsule_lint.program.local_names import made_of
from capsule_lint.program.model import Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding
    from capsule_lint.program.names import Names

_STEP: Final = re.compile(r"""(?:\.get\(|\[)\s*["']([^"']+)["'][^\])]*[\])]|\.(\w+)""")
_TYPES: Final = ("S", "N")
_MAX_DEPTH: Final = 6
_MAX_HOPS: Final = 3
"""Callers, and functions that give something back, through which a message is followed."""
_LOADS: Final = "loads"
_LOADERS: Final = (_LOADS, "model_validate_json", "parse_raw", "validate_json")


class ReadPaths(Struct, frozen=True):
    """Follows reads back to what functions are given."""

    program: Program

    def path(self, node: tree.Node | None, depth: int = 0) -> tuple[str, ...]:
        """`("detail", "tenantId")` of `event["detail"]["tenantId"]`, also where parts have names."""
        source = _source(node) if depth <= _MAX_DEPTH else None
        key = key_read(source)
        match source:
            case tree.Subscript(base=base) if key is not None:
                return (*self.path(base, depth + 1), key)
            case tree.Call(func=tree.Attr(base=base)) if key is not None:
                return (*self.path(base, depth + 1), key)
            case tree.Attr(base=base, name=name):
                return (*self.path(base, depth + 1), name)
            case tree.Name() as name:
                return self.path(_whence(self.program.names, name), depth + 1)
            case _:
                return ()

    def homes(self, node: tree.Node | None, depth: int = 0) -> Iterator[str]:
        """What something is read as: `detail` of `event["detail"]`, or what the parameters are called that it is."""
        path, root = self.path(node), _source(node)
        yield from path[-1:]
        if not path and isinstance(root, tree.Name) and depth < _MAX_DEPTH:
            for binding in self.program.names.bindings_of(root):
                yield from self.bound_homes(binding, depth + 1)

    def bound_homes(self, binding: Binding, depth: int = 0) -> Iterator[str]:
        """The same of what a name is bound to, and of what callers give for it."""
        if binding.parameter is not None:
            yield binding.name
        for one in self._values(binding):
            yield from self.homes(one, depth)

    def is_loaded(self, binding: Binding) -> bool:
        """Whether what a name is bound to, or what callers give for it, is made of JSON."""
        return self._is_loaded(self._values(binding))

    def is_parsed(self, node: tree.Node) -> bool:
        """The same of any expression."""
        return self._is_loaded((node,))

    def _is_loaded(self, values: Iterable[tree.Node | None]) -> bool:
        names, calls, seen = self.program.names, self.program.calls, set[int]()
        queue = [(one, 0) for one in values]
        while queue:
            node, depth = queue.pop()
            for one in made_of(names, node) if node is not None and depth < _MAX_HOPS else ():
                if last_name(one) in _LOADERS:
                    return True
                if id(one) in seen:
                    continue
                seen.add(id(one))
                bound = names.bindings_of(one) if isinstance(one, tree.Name) else ()
                called = [b.definition for b in bound]
                if isinstance(one, tree.Call):
                    called += [callee.function for callee in calls.callees(one)]
                made = [value for b in bound for value in self._values(b)]
                made += [value for f in called if isinstance(f, Function) for value in f.returns]
                queue += [(value, depth + 1) for value in made]
        return False

    def _values(self, binding: Binding) -> Iterator[tree.Node | None]:
        yield from (_given(binding), *self.program.calls.passed_to(binding))


def _whence(names: Names, node: tree.Name) -> tree.Node | None:
    """What a local is given by the one place that gives it anything."""
    bound = names.bindings_of(node)
    return _given(bound[0]) if len(bound) == 1 else None


def _given(binding: Binding) -> tree.Node | None:
    """What a name is given, or is each one of: `row` of `for row in event["rows"]`, and of `for n, row in
    enumerate(event["rows"])`."""
    match binding.kind, binding.path, binding.value:
        case "assign", (), _:
            return binding.assigned
        case "for", (), _:
            return binding.value
        case "for", (1,), tree.Call(func=tree.Name(id="enumerate"), args=(of, *_)):
            return of.value
        case _:
            return None


def _source(node: tree.Node | None) -> tree.Node | None:
    """What `list(rows)` and `json.loads(text)` are made of, or a node itself."""
    match node:
        case tree.Call(args=(of, *_)) if last_name(node.func) == _LOADS:
            return _source(of.value)
        case tree.Call(func=tree.Name(id=name), args=(of, *_)) if name in LISTED:
            return _source(of.value)
        case _:
            return node


def steps_in(code: str) -> Sequence[str]:
    """The items and attributes by which an expression reads something."""
    return untyped([key or name for key, name in _STEP.findall(code)])


def untyped(steps: Sequence[str]) -> Sequence[str]:
    """The same without that of a typed value: `["tenant_id"]["S"]`."""
    return steps[:-1] if steps[-1:] and steps[-1] in _TYPES and len(steps) > 1 else steps


def key_read(node: tree.Node | None) -> str | None:
    """The constant key by which an expression reads a dict."""
    match node:
        case tree.Subscript(index=index):
            return tree.text(index)
        case tree.Call(func=tree.Attr(name="get"), args=(first, *_)):
            return tree.text(first.value)
        case _:
            return None
