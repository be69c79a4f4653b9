"""What a command line keeps that nobody typed: `parser.set_defaults(run=export)`, `args.run(args)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.program.aliases import PRESETTING
from capsule_lint.program.inference.types import Foreign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.facts import tree
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.uses import Uses

_PARSED: Final = ("parse_args()", "parse_known_args()[]", "argparse.Namespace")
"""How the types of what is parsed end."""


def is_parsed(types: Iterable[Type]) -> bool:
    """Whether something may be what a command line says."""
    return any(isinstance(one, Foreign) and one.name.endswith(_PARSED) for one in types)


def presets(uses: Uses) -> Iterator[tuple[tree.Call, tree.Argument]]:
    """What parsers keep that nobody typed, and the calls by which they do."""
    for call in uses.calls_beside(PRESETTING):
        yield from ((call, argument) for argument in call.args if argument.keyword is not None)


def preset_options(uses: Uses, name: str) -> list[tree.Node]:
    """What they keep under a name."""
    return [argument.value for _, argument in presets(uses) if argument.keyword == name]
