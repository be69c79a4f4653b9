"""All facts as one linked, immutable view: names, classes, calls, types, keys, roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.program.calls import Calls
from capsule_lint.program.classes import Classes
from capsule_lint.program.domain import Domain
from capsule_lint.program.infer import Inference
from capsule_lint.program.keys import Keys
from capsule_lint.program.names import Names, Rest, link
from capsule_lint.program.records import Records
from capsule_lint.program.structural import Structural
from capsule_lint.program.templates import Templates
from capsule_lint.program.uses import Uses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.facts.tree import FileFacts
    from capsule_lint.policy import Policy
    from capsule_lint.program.walk import Walk


@dataclass(frozen=True, slots=True)
class Program:
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
    walks: dict[str, Walk] | None = None,
) -> Program:
    """Link the facts of the files of a program; those with a problem are left out.

    `rest` are files that hold no word of interest: see `capsule_lint.plan.interest`. `walks` are files
    that were walked for a program of the same policy before; new ones are put there.
    """
    walks = walks if walks is not None else {}
    names = link(files, policy.src, policy.is_test_file, rest or Rest(), walks)
    uses = Uses(names)
    classes = Classes(names, tuple(c for m in names.modules.values() for c in m.classes), uses)
    plain = Calls(uses, classes, Inference(names, classes))
    calls = Calls(uses, classes, Inference(names, classes), Structural(plain))
    inference = calls.inference
    templates = Templates(names, classes, inference, calls, policy.scopes)
    domain = Domain(names, classes, inference, calls, templates, policy)
    domain.find_handlers()
    plain.inference.enters = inference.enters = domain.enters
    domain.find_injected(plain)
    keys = Keys(names, classes, calls, templates, policy)
    domain.find_roles(keys)
    records = Records(names, classes, inference)
    return Program(policy, names, classes, inference, calls, templates, keys, domain, records)


__all__ = ["Program", "Rest", "link_program"]
