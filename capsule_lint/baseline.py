"""Known findings that are not reported again: a JSON file beside the policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from capsule_lint.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from capsule_lint.model import Finding

_VERSION = 1


Entry: TypeAlias = "Mapping[str, object]"
"""A finding as a baseline has it: its fingerprint, code, filename and message."""


def parse_baseline(data: bytes, path: str) -> frozenset[str]:
    """The fingerprints in a baseline's bytes. Raises SourceError when it is no baseline."""
    entries = (entry.get("fingerprint") for entry in parse_entries(data, path))
    return frozenset(entry for entry in entries if isinstance(entry, str))


def parse_entries(data: bytes, path: str) -> tuple[Entry, ...]:
    """The findings in a baseline's bytes. Raises SourceError when it is no baseline."""
    remedy = "write it again with --update-baseline"
    try:
        document = json.loads(data)
    except ValueError as error:
        raise SourceError(path, f"is no baseline ({error}): {remedy}") from None
    findings = document.get("findings") if isinstance(document, dict) else None
    if not isinstance(findings, list) or document.get("version") != _VERSION:
        raise SourceError(path, f"is no baseline of version {_VERSION}: {remedy}")
    return tuple(entry for entry in findings if isinstance(entry, dict))


def format_baseline(findings: Iterable[Finding], kept: Iterable[Entry] = ()) -> bytes:
    """The bytes of a baseline, with entries that are kept of an older one: one finding a line, so that
    merges are small."""
    rows: list[Entry] = [
        {
            "fingerprint": f.fingerprint,
            "code": f.code,
            "filename": f.filename,
            "message": f.message,
        }
        for f in sorted(findings, key=lambda f: (f.sort_key, f.fingerprint))
    ]
    rows = sorted((*rows, *kept), key=lambda row: str(row.get("filename")))
    body = "".join(f"\n    {json.dumps(row)}," for row in rows).rstrip(",")
    return f'{{\n  "version": {_VERSION},\n  "findings": [{body}\n  ]\n}}\n'.encode()
