"""Which functions make the key, or the item, that an expression is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.contents import ANSWERS
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import behind, looked_up
from capsule_lint.program.places.makers import is_item
from capsule_lint.program.texts.called import SAYING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Function
    from capsule_lint.program.places.keys import Keys

_MAX_CALLS: Final = 3
_SAYING: Final = (*SAYING, "__repr__")


@dataclass(eq=False)
class KeyResults:
    """Follows keys to the functions whose results they are."""

    keys: Keys

    def helpers_in(self, node: tree.Node, depth: int = 0) -> Iterator[Function]:
        """The functions whose result is the key at `node`."""
        if depth > 6:
            return
        match node:
            case tree.FString(parts=(tree.Hole(value=value),)):
                yield from self._saying_keys(value)
            case tree.Call(func=tree.Name(id="str"), args=(tree.Argument(value=value),)) if (
                saying := tuple(self._saying_keys(value))
            ):
                yield from saying
            case tree.Call() if (inner := self.keys.templates.wrapped(node)) is not None:
                yield from self.helpers_in(inner, depth + 1)
            case tree.Call():
                if self.keys.templates.template(node) is not None:
                    return
                for callee in self.keys.calls.callees(node):
                    if callee.function is not None and callee.cls is None:
                        yield callee.function
                    elif callee.cls is not None and "str" in self.keys.classes.base_names(
                        callee.cls
                    ):
                        yield from filter(None, (self.keys.classes.method(callee.cls, "__new__"),))
            case tree.Attr():
                methods = self._methods_of(node.base, node.name)
                yield from (method for method in methods if method.is_property)
            case tree.Name():
                for binding in self.keys.names.bindings_of(node):
                    if (
                        binding.kind == "assign"
                        and binding.value is not None
                        and (not binding.path or binding.path == (0,))
                    ):
                        yield from self.helpers_in(binding.value, depth + 1)
                    elif binding.kind == "for" and binding.value is not None:
                        for item in self.keys.templates.joins.given.iterated(
                            binding.value, binding.path
                        ):
                            yield from self.helpers_in(item, depth + 1)
            case tree.Conditional():
                yield from self.helpers_in(node.then, depth + 1)
                yield from self.helpers_in(node.otherwise, depth + 1)
            case tree.Subscript() if self.keys.key_name(node.index) or (
                isinstance(node.index, tree.Const) and node.index.value == 0
            ):
                found = self.helpers_in(node.base, depth + 1)
                yield from (function for function in found if not self._gives_rows(function))
            case tree.DictDisplay(keys=(tree.Const(value="S"),)):
                yield from self.helpers_in(node.values[0], depth + 1)

    def listing(self, node: tree.Node) -> Iterator[Function]:
        """The functions outside of classes that write the keys which `node` is in turn: `for pk in shard_pks(tenant_id)`."""
        names, given = self.keys.names, self.keys.templates.joins.given
        bound = names.bindings_of(node) if isinstance(node, tree.Name) else ()
        for binding in bound:
            source = binding.value if binding.kind == "for" else None
            for item in given.iterated(source, binding.path) if source is not None else ():
                function = names.function_of(item) if tree.makes_text(item) else None
                if function is not None and function is not binding.function:
                    yield from (function,) if function.owner is None else ()

    def _methods_of(self, node: tree.Node, *names: str) -> Iterator[Function]:
        """The methods of those names that what an expression is may have."""
        for one in self.keys.templates.inference.of(node):
            if isinstance(one, Instance):
                yield from filter(
                    None, (self.keys.classes.method(one.cls, name) for name in names)
                )

    def saying(self, node: tree.Node) -> Iterator[Function]:
        """The methods by which objects of the program say themselves, where one becomes a text."""
        return self._methods_of(node, *_SAYING) if self._says else iter(())

    def _saying_keys(self, node: tree.Node) -> Iterator[Function]:
        """Those that may make a key; what `repr` gives is for people."""
        return (method for method in self.saying(node) if method.name != "__repr__")

    @cached_property
    def _says(self) -> bool:
        modules = self.keys.names.modules.values()
        return any(f.name in _SAYING for module in modules for f in module.functions)

    def makes_item(self, node: tree.Node, depth: int = 0) -> bool:
        """Whether an expression gives an item, here or in the functions that it calls: where its keys stand
        is seen there."""
        if is_item(node) or not isinstance(node, tree.Call) or depth > _MAX_CALLS:
            return is_item(node)
        callees = self.keys.calls.callees(node)
        if self.makes_pair(node) and any(a.keyword is not None for a in node.args):
            return True
        makers = [c.function for c in callees if c.function is not None and c.cls is None]
        return 0 < len(makers) == len(callees) and all(
            maker.returns and all(self.makes_item(value, depth + 1) for value in maker.returns)
            for maker in makers
        )

    def makes_pair(self, node: tree.Call) -> bool:
        """Whether a call makes an object that is a key with its sort key: `PrimaryKey(pk=…, sk=…)`."""
        made = [c.cls for c in self.keys.calls.callees(node)]
        is_key, is_sort_key = self.keys.policy.is_key_name, self.keys.policy.is_sort_key_name
        return bool(made) and all(
            any(map(is_key, params)) and any(map(is_sort_key, params))
            for cls in made
            for params in (
                [p.name for p in self.keys.classes.constructor(cls) or ()] if cls else [],
            )
        )

    def _gives_rows(self, function: Function) -> bool:
        """Whether a function gives back what the table answered: the key of a row is read, and made elsewhere."""
        given = (behind(self.keys.names, value) for value in function.returns)
        asked = (looked_up(value) for value in given)
        return any(found is not None and tree.text(found[1]) in ANSWERS for found in asked)
