"""All facts as one linked, immutable view: names, classes, calls, types, keys, roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


class Linked(Struct, frozen=True):
    """Linked files: what names mean, what may be what, and who calls whom."""

    policy: Policy
    names: Names
    classes: Classes
    inference: Inference
    calls: Calls
    templates: Templates
    domain: Domain
    """Its handlers are known; what keys tell of its classes is not, without these."""
    records: Records


class Program(Linked, frozen=True):
    """The linked program."""

    keys: Keys


def link_names(
    files: Iterable[FileFacts],
    policy: Policy,
    rest: Rest | None = None,
    walks: Walks | None = None,
) -> Names:
    """The names of files whose facts these are; those with a problem are left out.

    `rest` are files that hold no word of interest: see `capsule_lint.plan.interest`. `walks` are files
    that were walked for a program of the same policy before; new ones are put there.
    """
    return link(files, policy.src, policy.is_test_file, rest or Rest(), walks or Walks())


def link_types(names: Names, policy: Policy) -> Linked:
    """The files that have these names, without their keys: that is enough to tell what is looked up where."""
    uses = Uses(names, policy.scopes)
    classes = Classes(names, tuple(c for m in names.modules.values() for c in m.classes), uses)
    plain = Calls(uses, classes, Inference(names, classes))
    calls = Calls(uses, classes, Inference(names, classes), Structural(plain))
    inference = calls.inference
    templates = Templates(names, classes, inference, calls, policy.scopes)
    entrances = Entrances(names, inference, policy)
    entrances.find_handlers()
    for one in (plain.inference, inference):
        one.enters, one.handed = entrances.enters, entrances.handed
    entrances.find_injected(plain)
    entrances.find_invoked(plain)
    domain = Domain(names, classes, inference, calls, templates, policy, entrances)
    records = Records(names, classes, inference)
    return Linked(policy, names, classes, inference, calls, templates, domain, records)


def link_program(names: Names, policy: Policy) -> Program:
    """The program that has these names."""
    linked = link_types(names, policy)
    keys = Keys(names, linked.classes, linked.calls, linked.templates, policy)
    linked.domain.find_roles(keys)
    return Program(
        policy,
        names,
        linked.classes,
        linked.inference,
        linked.calls,
        linked.templates,
        linked.domain,
        linked.records,
        keys,
    )


__all__ = ["Linked", "Program", "Rest", "Walks", "link_names", "link_program", "link_types"]
