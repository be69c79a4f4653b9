"""Foreign functions that call what they are given with the arguments after it: `submit(f, 1)`."""

from __future__ import annotations

from typing import Final

PASSING: Final = {
    "partial": 0,
    "submit": 0,
    "to_thread": 0,
    "add_task": 0,
    "call_soon": 0,
    "call_soon_threadsafe": 0,
    "apply": 0,
    "run_in_executor": 1,
    "call_later": 1,
    "call_at": 1,
}
"""Foreign functions that call what they are given with the arguments after it, and its position."""
