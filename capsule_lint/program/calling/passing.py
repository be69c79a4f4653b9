"""Foreign functions that are given others: those that call these with the arguments after them, `submit(f, 1)`, and
those that neither call nor keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from capsule_lint.program.uses import Uses

OF_METHOD: Final = "partialmethod"
"""The one of them that has the object which it is called of put before the arguments."""
PASSING: Final = {
    "partial": 0,
    OF_METHOD: 0,
    "builds": 0,
    "submit": 0,
    "to_thread": 0,
    "add_task": 0,
    "call_soon": 0,
    "call_soon_threadsafe": 0,
    "apply": 0,
    "callback": 0,
    "push_async_callback": 0,
    "addCleanup": 0,
    "addAsyncCleanup": 0,
    "addClassCleanup": 0,
    "addModuleCleanup": 0,
    "run_in_threadpool": 0,
    "run_sync": 0,
    "start_soon": 0,
    "deferToThread": 0,
    "spawn": 0,
    "enqueue": 0,
    "finalize": 1,
    "raises": 1,
    "assertRaises": 1,
    "assertWarns": 1,
    "enqueue_at": 1,
    "enqueue_in": 1,
    "run_in_executor": 1,
    "call_later": 1,
    "call_at": 1,
    "assertRaisesRegex": 2,
    "assertWarnsRegex": 2,
}
"""Foreign functions that call what they are given with the arguments after it, and its position."""
AS_GIVEN: Final = frozenset(
    ("to_thread", "run_in_executor", "submit", "run_in_threadpool", "run_sync", "add_task")
)
"""Those that call it elsewhere with the arguments that they are given, and no others."""
COMPLETED: Final = frozenset(("partial", "builds"))
"""Those that make something which others call with more."""
HARMLESS: Final = frozenset(
    (
        "isinstance",
        "issubclass",
        "type",
        "id",
        "hash",
        "repr",
        "print",
        "len",
        "wraps",
        "update_wrapper",
        "create_autospec",
        "MagicMock",
        "Mock",
        "AsyncMock",
        "Depends",
        "Security",
        "cast",
        "signature",
        "iscoroutinefunction",
        "TypeAdapter",
        "fields",
        "is_dataclass",
        "raises",
        "pytest_mark",
        "override_dependency",
        "NewType",
        "TypeVar",
        "get_type_hints",
        "register",
        "include_router",
    )
)
"""The names of functions that neither call nor keep what they are given."""


def handed_on(uses: Uses, names: Container[str]) -> Iterator[tuple[tree.Call, tree.Attr]]:
    """The calls that have a method of one of those names called elsewhere, and the method:
    `to_thread(table.scan, Limit=10)`."""
    for passing, position in PASSING.items():
        for call in uses.calls_beside(passing):
            given = call.plain[position : position + 1]
            if given and isinstance(given[0], tree.Attr) and given[0].name in names:
                yield call, given[0]
