"""A policy to start from, and the removal of what runs leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.errors import SourceError
from capsule_lint.policy import default_root, find_policy
from capsule_lint.source.store import remove_tree, store

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "capsule-lint.toml"
STATE = ".capsule-lint"

_TEXT = """\
# The policy of capsule-lint: what isolates customers and environments in this code base.
src = ["."]

[[scopes]]  # outermost first: the order of segments in keys, and of parameters
name = "tenant"
segment = "TENANT#{tenant_id}"  # the hole's name is the parameter's name
# type = "app.ids:TenantId"
# sources = [  # where a value comes from, tried in order
#   "app.context:RequestContext.tenant_id",  # any value in scope of that class has it
#   'event["requestContext"]["authorizer"]["claims"]["custom:tenant"]',  # where `event` is a parameter
# ]
# test-source = "tests.helpers:test_tenant()"  # the same in tests; written if it does not exist …
# test-value = 'TenantId("t-1")'               # … with this value

[[scopes]]
name = "capsule"
segment = "CAPSULE#{capsule_id}"
# type = "app.ids:CapsuleId"
# sources = ["app.context:RequestContext.capsule_id"]
# test-source = "tests.helpers:test_capsule()"
# test-value = 'CapsuleId("TEST")'

# [entities]  # what is meant to be narrower; everything else needs every scope
# Currency = { scopes = [], reason = "global reference data" }

# [handlers]  # where requests enter
# functions = ["*.handler", "*.lambda_handler"]  # those that no decorator marks
# parameter = "request: fastapi.Request"  # added to a handler that has no source
"""


def write_starter(folder: Path) -> Path:
    """Write a policy into the folder. Raises SourceError when one holds there already."""
    existing = find_policy(folder)
    if existing is not None and existing.parent == folder.absolute():
        raise SourceError(str(existing), "is a policy already: change it there")
    path = folder / _NAME
    store(path, _TEXT.encode())
    return path


def remove_state(path: Path) -> str:
    """Remove `.capsule-lint` beside the policy that holds for a path; returns what was done."""
    start = path if path.is_dir() else path.absolute().parent
    policy = find_policy(start)
    root = policy.parent if policy is not None else default_root(start)
    state = root / STATE
    return f"removed {state}" if remove_tree(state) else f"nothing to remove in {root}"
