"""What tells one finding from another in services that follow them from run to run."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.model import Finding


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """A fingerprint for each finding, in order: no two are equal."""
    seen: Counter[str] = Counter()
    result: list[str] = []
    for finding in findings:
        base = finding.fingerprint or _fingerprint(finding)
        seen[base] += 1
        result.append(base if seen[base] == 1 else f"{base}:{seen[base]}")
    return result


def _fingerprint(finding: Finding) -> str:
    """From what stays the same when lines move."""
    parts = (finding.code, finding.filename, finding.symbol, finding.message)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
