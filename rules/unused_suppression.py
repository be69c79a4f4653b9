"""A suppression that suppresses nothing.

## Why is this bad?
It hides the next defect on its line. It is judged only on a whole run: one that is limited to some
files or rules cannot tell. One that is not written as `ignore[CAP101]`, `file-ignore[CAP101]` or, for every
rule, `ignore` or `file-ignore`, suppresses nothing either.

## Example
```python
total = 1  # capsule-lint: ignore[CAP101] -- shared by all tenants
```

## Use instead
```python
total = 1
```

## Fix safety
There is no fix: the comment may hold other words worth keeping.
"""

from __future__ import annotations

from capsule_lint.model import Severity
from capsule_lint.rule import Bad, Rule

RULE = Rule(
    code="CAP001",
    message="suppression of {reason} suppresses nothing",
    remedy="Remove the comment, or correct its code",
    severity=Severity.WARNING,
    valid=(
        """
        class OrderRepository:
            def count(self, tenant_id: str) -> int: ...  # noqa: CAP201
        """,
        "total = 1  # noqa: E501",
    ),
    invalid=(Bad("total = 1  # capsule-lint: ignore[CAP101] -- shared\n", lines=(1,)),),
)
