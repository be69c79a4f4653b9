"""Keys that a function joins of its keyword arguments: `make_key(tenant=tenant_id, cart=cart_id)`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.texts.pieces import Piece, Text, word_of

if TYPE_CHECKING:
    from capsule_lint.program.model import Function
    from capsule_lint.program.texts.templates import Templates


class Joiner(Struct, frozen=True):
    """What joins all keyword arguments: `"#".join(f"{name.upper()}#{value}" for name, value in
    parts.items())`."""

    separator: str
    form: tuple[Piece, ...]
    name: str
    value: str

    def written(self, keyword: str) -> str | None:
        """The text before the value of a keyword; `None` where it has the value elsewhere."""
        said = ""
        for piece in self.form:
            if isinstance(piece, Text):
                said += piece.value
                continue
            match piece.value:
                case tree.Name(id=name) if name == self.name:
                    said += keyword
                case tree.Name(id=name) if name == self.value and piece is self.form[-1]:
                    return said
                case tree.Call(
                    func=tree.Attr(base=tree.Name(id=name), name="upper" | "lower" as case),
                    args=(),
                ) if name == self.name:
                    said += keyword.upper() if case == "upper" else keyword.lower()
                case _:
                    return None
        return None

    def keyword(self, tag: str, name: str) -> str | None:
        """The keyword before whose value a tag is written: the name of its scope, or else what the tag says,
        `CAPSULE=`; `None` where no name makes the tag."""
        word = word_of(tag)
        named = (one for one in (name, word.lower(), word) if one.isidentifier())
        return next((one for one in named if self.written(one) == tag), None)


@dataclass(eq=False, slots=True)
class Keyworded:
    """Evaluates calls of such functions."""

    templates: Templates
    _joiners: dict[tuple[Function, int], Joiner | None] = field(default_factory=dict)

    def joiner(self, function: Function, depth: int = 0) -> Joiner | None:
        """How a function joins its keyword arguments; `None` where it does anything else."""
        key = function, depth
        if key not in self._joiners:
            self._joiners[key] = self._joiner(function, depth)
        return self._joiners[key]

    def _joiner(self, function: Function, depth: int) -> Joiner | None:
        match function.own_params, function.returns:
            case (
                (tree.Parameter(name=parts, kind="**"),),
                [
                    tree.Call(
                        func=tree.Attr(name="join", base=base),
                        args=(tree.Argument(value=tree.Comprehension() as each),),
                    )
                ],
            ):
                pass
            case _:
                return None
        separator = self.templates.constant(base)
        match each:
            case tree.Comprehension(
                results=(result,),
                generators=(
                    tree.Generator(
                        target=tree.Sequence(items=(tree.Name(id=name), tree.Name(id=value))),
                        iter=tree.Call(
                            func=tree.Attr(name="items", base=tree.Name(id=source)), args=()
                        ),
                        ifs=(),
                    ),
                ),
            ) if source == parts and separator:
                form = self.templates.evaluate(result, result, depth + 1)
                found = Joiner(separator, tuple(form or ()), name, value)
                return found if found.written("") is not None else None
            case _:
                return None

    def pieces(
        self, node: tree.Call, joiner: Joiner, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        """What a call says, where nothing else is written around it."""
        if host is not node or not node.args:
            return None
        found: list[Piece] = []
        for argument in node.args:
            said = joiner.written(argument.keyword) if argument.keyword is not None else None
            if said is None:
                return None
            between = joiner.separator if found else ""
            found.append(Text(f"{between}{said}", host, argument.value))
            found += self.templates.inline(argument.value, host, depth + 1)
        return found
