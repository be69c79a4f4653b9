"""One file to facts, in one pass over the tree of the standard library's `ast`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint import syntax
from capsule_lint.facts import tree
from capsule_lint.facts.statements import Statements
from capsule_lint.facts.suppress import suppressions

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD_LINES: Final = 10


def build(filename: str, text: str, generated_markers: Sequence[str] = ()) -> tree.FileFacts:
    """The facts of a file whose decoded text is `text` (newlines as they are on disk).

    A text that does not parse gives facts with `problem` set and no body.
    """
    head = "\n".join(text.splitlines()[:_HEAD_LINES])
    generated = any(marker in head for marker in generated_markers)
    try:
        text, module = syntax.read(text)
        body = Statements(text).definitions(module.body)
        comments = suppressions(text)
    except SyntaxError as error:
        where = error.lineno or 1, max(error.offset or 1, 1)
        return tree.FileFacts(filename, problem=f"syntax error: {error.msg}", problem_at=where)
    except (RecursionError, MemoryError):
        return tree.FileFacts(filename, problem="nested too deeply to be read")
    except ValueError as error:
        return tree.FileFacts(filename, problem=f"cannot be parsed: {error}")
    return tree.FileFacts(filename, body, comments, generated)
