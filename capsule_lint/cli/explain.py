"""What a rule is, and what a policy says, as text for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.errors import RuleError
from capsule_lint.policy import likely, load_policy
from capsule_lint.registry import load_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.rule import Rule


def explain(code: str | None, *, every: bool, as_json: bool) -> str:
    """One rule's page, or those of all. Raises RuleError when there is no such rule."""
    rules = load_rules()
    if code is None and not every:
        raise RuleError("name a rule, as in `capsule-lint rule CAP101`, or give --all")
    chosen = list(rules.values()) if code is None else [_named(code, rules)]
    if as_json:
        pages = [_data(rule) for rule in chosen]
        return json.dumps(pages if code is None else pages[0], indent=2)
    return "\n\n".join(page(rule) for rule in chosen)


def _named(code: str, rules: dict[str, Rule]) -> Rule:
    for rule in rules.values():
        if code.upper() == rule.code or code == rule.name:
            return rule
    is_code = any(letter.isdigit() for letter in code)
    names = rules if is_code else [rule.name for rule in rules.values()]
    raise RuleError(f"`{code}` is no rule: {likely(code, names)}")


def page(rule: Rule) -> str:
    """A rule's documentation in Markdown, from its module."""
    notes = []
    if rule.fix:
        notes.append("Fix is available with `--fix`.")
    if not rule.enabled:
        notes.append(f"Off by default: select `{rule.code}` to turn it on.")
    head = f"# {rule.name} ({rule.code})"
    return "\n\n".join([head, *notes, rule.docs])


def _data(rule: Rule) -> dict[str, str | bool]:
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": rule.summary,
        "explanation": rule.docs,
        "severity": rule.severity.value,
        "fixable": bool(rule.fix),
        "enabled": rule.enabled,
    }


def explain_policy(path: Path, config: Path | None) -> str:
    """The policy that holds for a path, with its defaults, a line a key."""
    start = path if path.is_dir() else path.absolute().parent
    policy = load_policy(start, config)
    origin = policy.path or "no policy file: the default"
    return "\n".join([f"# {origin}", *_lines(policy, "")])


def _lines(value: object, prefix: str) -> Sequence[str]:
    assert isinstance(value, Struct)
    found: list[str] = []
    for one in value.__struct_fields__:
        item = getattr(value, one)
        key = f"{prefix}{one.replace('_', '-')}"
        if isinstance(item, tuple) and item and isinstance(item[0], Struct):
            for number, part in enumerate(item):
                found += _lines(part, f"{key}[{number}].")
        elif isinstance(item, Struct):
            found += _lines(item, f"{key}.")
        elif isinstance(item, dict):
            for name, part in item.items():
                found += _lines(part, f"{key}.{name}.")
        elif item not in (None, "", ()):
            said = (
                list(item)
                if isinstance(item, tuple)
                else str(item)
                if isinstance(item, Path)
                else item
            )
            found.append(f"{key} = {json.dumps(said)}")
    return found
