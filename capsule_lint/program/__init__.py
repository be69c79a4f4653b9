"""All facts as one linked, immutable view: names, classes, calls, types, keys, roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from capsule_lint.program.calling.calls import Calls
from capsule_lint.program.classes import Classes
from capsule_lint.program.inference.infer import Inference
from capsule_lint.program.inference.records import Records
from capsule_lint.program.inference.structural import Structural
from capsule_lint.program.linking import Rest, link
from capsule_lint.program.places.keys import Keys
from capsule_lint.program.purposes.domain import Domain
from capsule_lint.program.purposes.entrances import Entrances
from capsule_lint.program.texts.templates import Templates
from capsule_lint.program.uses import Uses
from capsule_lint.program.walk import Walks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.facts.tree import FileFacts
    from capsule_lint.policy import Policy
    from capsule_lint.program.names import Names


class Program(Struct, frozen=True):
    """The linked program."""

    policy: Policy
    names: Names
    classes: Classes
    inference: Inference
    calls: Calls
    templates: Templates
    keys: Keys
    domain: Domain
    records: Records


def link_program(
    files: Iterable[FileFacts],
    policy: Policy,
    rest: Rest | None = None,
    walks: Walks | None = None,
) -> Program:
    """Link the facts of the files of a program; those with a problem are left out.

    `rest` are files that hold no word of interest: see `capsule_lint.plan.interest`. `walks` are files
    that were walked for a program of the same policy before; new ones are put there.
    """
    types = _types(files, policy, rest or Rest(), walks or Walks())
    keys = Keys(types.names, types.classes, types.calls, types.templates, policy)
    types.domain.find_roles(keys)
    return _program(policy, types, keys)


def with_quiet(program: Program, files: Iterable[FileFacts], rest: Rest, walks: Walks) -> Program:
    """A program with more files, in which nothing is judged: types reach into them, and its keys are
    what they were."""
    return _program(program.policy, _types(files, program.policy, rest, walks), program.keys)


class _Types(NamedTuple):
    names: Names
    classes: Classes
    calls: Calls
    templates: Templates
    domain: Domain


def _types(files: Iterable[FileFacts], policy: Policy, rest: Rest, walks: Walks) -> _Types:
    names = link(files, policy.src, policy.is_test_file, rest, walks)
    uses = Uses(names)
    classes = Classes(names, tuple(c for m in names.modules.values() for c in m.classes), uses)
    plain = Calls(uses, classes, Inference(names, classes))
    calls = Calls(uses, classes, Inference(names, classes), Structural(plain))
    templates = Templates(names, classes, calls.inference, calls, policy.scopes)
    entrances = Entrances(names, calls.inference, policy)
    entrances.find_handlers()
    for inference in (plain.inference, calls.inference):
        inference.enters, inference.handed = entrances.enters, entrances.handed
    entrances.find_injected(plain)
    entrances.find_invoked(plain)
    domain = Domain(names, classes, calls.inference, calls, templates, policy, entrances)
    return _Types(names, classes, calls, templates, domain)


def _program(policy: Policy, types: _Types, keys: Keys) -> Program:
    inference = types.calls.inference
    records = Records(types.names, types.classes, inference)
    return Program(
        policy,
        types.names,
        types.classes,
        inference,
        types.calls,
        types.templates,
        keys,
        types.domain,
        records,
    )


__all__ = ["Program", "Rest", "Walks", "link_program", "with_quiet"]
