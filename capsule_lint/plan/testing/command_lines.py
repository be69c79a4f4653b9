"""Command lines that tests write out for what parses them, `main(["export", "t", "DEVUS"])`: what they say for a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.supply.options import kept_as
from capsule_lint.program.local_names import reads_of_parameter
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Module

_PARSING: Final = ("parse_args", "parse_known_args")
_MAKING: Final = ("ArgumentParser", "add_subparsers", "add_parser")


def typed(program: Program, call: tree.Call, callee: Callee, scope: Scope) -> Iterator[tree.Node]:
    """The texts by which a call gives the options that are a scope's."""
    function = callee.function
    for name, argument in callee.arguments(call).items() if function is not None else ():
        own = function.parameter(name) if function is not None else None
        if own is None or function is None or not isinstance(argument.value, tree.Sequence):
            continue
        around = map(program.names.parent, reads_of_parameter(program.names, own, function.module))
        if any(isinstance(one, tree.Call) and one.last_name() in _PARSING for one in around):
            for said, word in _options(program, function.module, argument.value.items):
                if names_scope(said, scope):
                    yield word


def _options(
    program: Program, module: Module, words: Sequence[tree.Node]
) -> list[tuple[str, tree.Node]]:
    """What the one parser of a module keeps of some words, and under which names; nothing where that is not known."""
    calls = list(module.each(tree.Call))
    declared = [call for call in calls if call.last_name() == "add_argument"]
    made = [call for call in calls if call.last_name() in _MAKING]
    if [one.last_name() for one in made] != ["ArgumentParser"] or any(map(_is_special, declared)):
        return []
    if not _is_all(program, made[0], declared):
        return []
    flags = {text: one for one in declared for a in one.plain if (text := tree.text(a))}
    places = [one for one in declared if (tree.text(one.plain[0]) or "-")[0] != "-"]
    found, rest = list[tuple[str, tree.Node]](), iter(words)
    for word in rest:
        text = tree.text(word) or ""
        is_flag = text.startswith("-")
        option = flags.get(text) if is_flag else places.pop(0) if places else None
        if option is None:
            return []
        value = next(rest, None) if is_flag else word
        if value is not None:
            found.append((kept_as(option), value))
    return found if not places else []  # something else has added one before, or takes one away


def _is_all(program: Program, made: tree.Call, declared: Sequence[tree.Call]) -> bool:
    """Whether a parser has the options that are declared beside it, in their order, and no others: it has no parents, is
    given to nothing that may add some, and nothing of these may be left out."""
    names = program.names
    place, parent = names.place(made), names.parent(made)
    target = parent.targets[0] if isinstance(parent, tree.Assign) else None
    reads = names.module_of(made).named.get(target.id, ()) if isinstance(target, tree.Name) else ()
    handed = any(isinstance(names.parent(one), tree.Call | tree.Argument) for one in reads)
    beside = (names.place(one) for one in declared)
    there = all(one.scope is place.scope and one.blocks == place.blocks for one in beside)
    inherits = any(one.star or one.keyword == "parents" for one in made.args)
    return there and not handed and not inherits


def _is_special(call: tree.Call) -> bool:
    """Whether an option may take more than a word, or none."""
    return not call.plain or any(call.keyword(name) for name in ("nargs", "action"))
