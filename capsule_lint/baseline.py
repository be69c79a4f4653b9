"""Known findings that are not reported again: a JSON file beside the policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from capsule_lint.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.model import Finding

_VERSION = 1


def parse_baseline(data: bytes, path: str) -> frozenset[str]:
    """The fingerprints in a baseline's bytes. Raises SourceError when it is no baseline."""
    remedy = "write it again with --update-baseline"
    try:
        document = json.loads(data)
    except ValueError as error:
        raise SourceError(path, f"is no baseline ({error}): {remedy}") from None
    findings = document.get("findings") if isinstance(document, dict) else None
    if not isinstance(findings, list) or document.get("version") != _VERSION:
        raise SourceError(path, f"is no baseline of version {_VERSION}: {remedy}")
    entries = [f.get("fingerprint") for f in findings if isinstance(f, dict)]
    return frozenset(entry for entry in entries if isinstance(entry, str))


def format_baseline(findings: Iterable[Finding]) -> bytes:
    """The bytes of a baseline: one finding a line, so that merges are small."""
    rows = [
        json.dumps(
            {
                "fingerprint": f.fingerprint,
                "code": f.code,
                "filename": f.filename,
                "message": f.message,
            }
        )
        for f in sorted(findings, key=lambda f: (f.sort_key, f.fingerprint))
    ]
    body = "".join(f"\n    {row}," for row in rows).rstrip(",")
    return f'{{\n  "version": {_VERSION},\n  "findings": [{body}\n  ]\n}}\n'.encode()
