"""The language server: what the command line finds and fixes, in editors."""

from __future__ import annotations

from capsule_lint.errors import CapsuleLintError

_REMEDY = (
    "`capsule-lint server` needs pygls, which is not installed: pip install 'capsule-lint[server]'"
)


def serve() -> int:
    """Serve one editor on standard input and output until it leaves; 0 if it said so first.

    Raises CapsuleLintError where the extra is not installed.
    """
    try:
        from capsule_lint.server.app import run
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise CapsuleLintError(_REMEDY) from error
    return run()
