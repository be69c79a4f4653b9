"""A file that cannot be read or parsed.

## Why is this bad?
What cannot be read cannot be judged, and may hold calls of what is about to change: it blocks every
change set that may reach into it.

## Example
```python
def broken(:
```

## Use instead
Mend the syntax, the encoding or the permissions, or exclude the file in the policy.

## Fix safety
There is no fix.
"""

from __future__ import annotations

from capsule_lint.rule import Bad, Rule

RULE = Rule(
    code="CAP002",
    message="{reason}",
    remedy="Mend the syntax, the encoding or the permissions, or exclude the file in the policy",
    valid=("value = 1",),
    invalid=(Bad("def broken(:\n    pass\n", lines=(1,)),),
)
