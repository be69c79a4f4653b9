"""Entry points to rules; a broken pack fails loudly."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from capsule_lint.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from capsule_lint.rule import Rule

GROUP = "capsule_lint.rules"


class Rules(Mapping[str, "Rule"]):
    """The rules that `load_rules` finds, by code. They are loaded, and LibCST with them, when one is asked
    for: a program in which nothing is wrong needs none."""

    @cached_property
    def _loaded(self) -> dict[str, Rule]:
        return load_rules()

    def __getitem__(self, code: str) -> Rule:
        return self._loaded[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)


def load_rules() -> dict[str, Rule]:
    """All rules of all installed packs, by code, in the order of their codes.

    A pack is a module or package named by an entry point of the group `capsule_lint.rules`; each of
    its modules that defines `RULE` is a rule. Raises RuleError when a pack cannot be imported, has
    no rule, or has a code or a name that another rule has.
    """
    found: dict[str, Rule] = {}
    names: dict[str, Rule] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        try:
            pack = importlib.import_module(point.value)
            rules = list(_rules(pack))
        except RuleError:
            raise
        except Exception as error:  # whatever code of others raises while it is imported
            said = f"{type(error).__name__}: {error}"
            raise RuleError(f"rule pack `{point.name}` ({point.value}): {said}") from error
        if not rules:
            raise RuleError(f"rule pack `{point.name}` ({point.value}) has no rule")
        for rule in rules:
            other = found.get(rule.code) or names.get(rule.name)
            if other is not None:
                shared = rule.code if rule.code == other.code else rule.name
                raise RuleError(f"{other.module} and {rule.module} are both {shared}")
            found[rule.code] = names[rule.name] = rule
    if not found:
        raise RuleError("no rule pack is installed: install capsule-lint again")
    return dict(sorted(found.items()))


def _rules(pack: ModuleType) -> Iterator[Rule]:
    from capsule_lint.rule import Rule

    own = getattr(pack, "RULE", None)
    if isinstance(own, Rule):
        yield own
    for info in pkgutil.iter_modules(getattr(pack, "__path__", ())):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{pack.__name__}.{info.name}")
        rule = getattr(module, "RULE", None)
        if not isinstance(rule, Rule):
            raise RuleError(f"{module.__name__} defines no RULE")
        yield rule
