"""How the keys of a collection change, and the keys of one that is written out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class


class Rekeyed(Struct, frozen=True):
    """How the keys of a collection change: those of `width` elements get `scopes` at `index`; a text
    gets them somewhere inside, then the width is 0. Objects that are no tuples have no width either."""

    index: int
    scopes: tuple[Scope, ...]
    width: int
    made: Class | None = None
    """The class whose instances the keys are."""


def keys_of(node: tree.Node) -> tuple[tree.Node, ...]:
    """The keys of a dict that is written out, the elements of a set."""
    match node:
        case tree.Call(
            func=tree.Name(id="set" | "frozenset"), args=(tree.Argument(star="", value=inner),)
        ):
            if isinstance(inner, tree.Comprehension) and inner.kind != "DictComp":
                return inner.results
            return keys_of(inner)
        case tree.Call(func=tree.Attr(name="fromkeys"), args=(tree.Argument(value=inner), *_)):
            return inner.results if isinstance(inner, tree.Comprehension) else keys_of(inner)
        case tree.Call(
            func=tree.Name(id="dict"),
            args=(tree.Argument(star="", value=tree.Call(func=tree.Name(id="zip")) as pairs),),
        ) if pairs.plain:
            return keys_of(pairs.plain[0])
        case tree.Binary(op="|" | "-" | "&" | "^"):
            return (*keys_of(node.left), *keys_of(node.right))
        case tree.DictDisplay():
            return tuple(key for key in node.keys if key is not None)
        case tree.Comprehension(kind="DictComp" | "SetComp"):
            return node.results[:1]
        case tree.Sequence():
            return node.items
        case _:
            return ()


def keys_of_dict(node: tree.Node) -> tuple[tree.Node, ...]:
    """The keys of a dict that is written out where something takes it in, and the elements of a set."""
    is_one = isinstance(node, tree.DictDisplay | tree.Comprehension)
    return keys_of(node) if is_one else ()


def keys_said(node: tree.Node) -> tuple[tree.Node, ...]:
    """The keys of a dict, or of pairs for one, and the elements of a set."""
    match node:
        case (
            tree.DictDisplay()
            | tree.Comprehension(kind="DictComp" | "SetComp")
            | tree.Sequence(kind="set")
        ):
            return keys_of(node)
        case _:
            return keys_of_pairs(node)


def keys_listed(node: tree.Node) -> tuple[tree.Node, ...]:
    """The keys that a set or a list gets of what it is made of, or is told to take in."""
    match node:
        case tree.Comprehension(kind="ListComp" | "GeneratorExp"):
            return node.results
        case _:
            return keys_of(node)


def keys_of_pairs(node: tree.Node) -> tuple[tree.Node, ...]:
    """The keys of a dict that is made of pairs: `[(("t", "v"), 8)]`."""
    match node:
        case tree.Sequence(kind="list" | "tuple", items=pairs) if pairs:
            pass
        case tree.Comprehension(kind="ListComp" | "GeneratorExp", results=pairs):
            pass
        case _:
            return ()
    keys = [p.items[0] for p in pairs if isinstance(p, tree.Sequence) and len(p.items) == 2]
    return tuple(keys) if len(keys) == len(pairs) else ()
