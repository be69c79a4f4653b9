"""The command line: the only room that prints and exits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 nothing found, 1 findings, 2 usage, policy or I/O, 101 internal, 130
    interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        status = _say_again(given)
        sys.exit(_run(given) if status is None else status)
    except KeyboardInterrupt:  # perhaps before anything was loaded that would handle it
        _say("interrupted")
        sys.exit(130)


def _say_again(given: Sequence[str]) -> int | None:
    """Print what the same command has printed, and yield its exit code, if nothing has changed."""
    from capsule_lint.cache.again import answer

    try:
        said = answer(given)
        if said is not None:
            write_out(said[1])
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the report has seen enough
        return 1
    except OSError:
        return None
    return said[0] if said is not None else None


def _run(given: Sequence[str]) -> int:
    import click

    from capsule_lint.cli.commands import cli
    from capsule_lint.errors import CapsuleLintError, InternalError

    try:
        status = cli.main(
            list(given), prog_name="capsule-lint", standalone_mode=False, obj=tuple(given)
        )
    except click.exceptions.Abort as error:
        raise KeyboardInterrupt from error
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except InternalError as error:
        _say(f"internal error: {error}")
        _say("nothing was written; please report this with the code around that place")
        sys.exit(error.exit_code)
    except CapsuleLintError as error:
        _say(f"error: {error}")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the report has seen enough
        sys.exit(1)
    except OSError as error:
        _say(f"error: {error.filename or 'the operating system'}: {error.strerror or error}")
        sys.exit(CapsuleLintError.exit_code)
    except Exception as error:
        # whatever else it is, it is ours: never an exit code that means findings
        if isinstance(error.__cause__, KeyboardInterrupt):  # Python has wrapped it
            raise error.__cause__ from None
        import traceback

        traceback.print_exc()
        _say("internal error: please report this with the lines above")
        sys.exit(InternalError.exit_code)
    return status if isinstance(status, int) else 0


def write_out(text: str) -> None:
    """Print a report."""
    if sys.stdout is not None:  # it may be closed
        sys.stdout.write(text)
        sys.stdout.flush()


def _say(text: str) -> None:
    print(text.encode(errors="backslashreplace").decode(), file=sys.stderr)
