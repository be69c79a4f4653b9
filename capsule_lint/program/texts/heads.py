"""Stored keys, `item["PK"]`, and what is left of them in front of their last parts, `item["PK"].rpartition("#")[0]`:
they say the key's scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.local_names import behind
from capsule_lint.program.texts.pieces import Filled, bare_word, names_any_of

if TYPE_CHECKING:
    from capsule_lint.policy import Policy
    from capsule_lint.program.names import Names
    from capsule_lint.program.texts.pieces import Template

_PARTING: Final = ("rpartition", "rsplit")
"""What takes a text apart near its end."""


class Heads(Struct, frozen=True):
    """Tells which keys begin with that."""

    names: Names
    policy: Policy

    def begin(self, template: Template) -> bool:
        """Whether a key is made of another one, or of what is in front in that: `f"{head}#{new}"`. Where a scope's value
        comes behind it, that is cut off as well."""
        first, *rest = template.pieces or (None,)
        said = (one.name for one in rest if isinstance(one, Filled))
        if any(names_any_of(name, self.policy.scopes) for name in said):
            return False
        return isinstance(first, Filled) and self._is_head(first.value)

    def _is_head(self, node: tree.Node) -> bool:
        for binding in self.names.bindings_of(node) if isinstance(node, tree.Name) else ():
            if binding.path == (0,) and binding.value is not None:
                return self._is_parted(binding.value, *_PARTING, "partition")
        value = behind(self.names, tree.spread(node) or node)
        match value:
            case tree.Subscript(index=tree.Slice(lower=None, upper=upper)) if _is_from_end(upper):
                return self._is_parted(value.base, "split") or self._is_key(value.base)
            case tree.Subscript() if tree.integer(value.index) == 0:
                return self._is_parted(value.base, *_PARTING, "partition")
            case tree.Subscript():
                return self._is_key(value)  # with more behind it
            case tree.Call(func=tree.Attr(name="removesuffix") as func):
                return self._is_key(func.base)
            case _:
                return False

    def _is_parted(self, node: tree.Node, *methods: str) -> bool:
        """Whether an expression is a key that is taken apart by one of some methods."""
        value = behind(self.names, node)
        match value:
            case tree.Call(func=tree.Attr(name=name, base=base), args=args):
                once = name != "rsplit" or (len(args) == 2 and tree.integer(args[1].value) == 1)
                if name == "partition" and not (args and self._is_behind(args[0].value)):
                    return False  # there are scopes behind it
                return name in methods and once and self._is_key(base)
            case _:
                return False

    def _is_behind(self, mark: tree.Node) -> bool:
        """Whether a text is a tag that stands behind the scopes of keys: `"#NOTE#"`."""
        word = bare_word(tree.text(mark) or "")
        return bool(word) and word.lower() not in {
            bare_word(scope.tag).lower() for scope in self.policy.scopes
        }

    def _is_key(self, node: tree.Node) -> bool:
        """Whether an expression is what some item has under the name of a partition key."""
        value = behind(self.names, node)
        match value:
            case tree.Subscript(index=tree.Const(value="S")):
                return self._is_key(value.base)
            case tree.Subscript():
                name = tree.text(value.index)
                return name is not None and self.policy.is_key_name(name)
            case tree.Attr():
                return self.policy.is_key_name(value.name)
            case None:  # as by a loop
                return isinstance(node, tree.Name) and self.policy.is_key_name(node.id)
            case _:
                return False


def _is_from_end(node: tree.Node | None) -> bool:
    """Whether the end of a slice is counted from the end of what is sliced."""
    if isinstance(node, tree.Wrapped):
        return node.kind == "unary"
    index = tree.integer(node) if node is not None else None
    return index is not None and index < 0
