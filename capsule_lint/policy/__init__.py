"""The policy: `[tool.capsule-lint]` of `pyproject.toml`, or `capsule-lint.toml`, as a frozen value."""

from __future__ import annotations

from capsule_lint.policy.load import candidates, default_root, find_policy, load_policy, place_in
from capsule_lint.policy.model import (
    DEFAULT_SCOPES,
    Entity,
    HandlerParameter,
    Handlers,
    Policy,
    Reference,
    Scope,
    SourceKind,
    SourceSpec,
)
from capsule_lint.policy.names import selects
from capsule_lint.policy.place import likely
from capsule_lint.policy.sources import free_names

__all__ = [
    "DEFAULT_SCOPES",
    "Entity",
    "HandlerParameter",
    "Handlers",
    "Policy",
    "Reference",
    "Scope",
    "SourceKind",
    "SourceSpec",
    "candidates",
    "default_root",
    "find_policy",
    "free_names",
    "likely",
    "load_policy",
    "place_in",
    "selects",
]
