"""The commands and their options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from capsule_lint import __version__
from capsule_lint.report import FORMATS

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class _DefaultGroup(click.Group):
    """A group whose `check` can be left out: `capsule-lint src` is `capsule-lint check src`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front of what names no verb."""
        own = ("--version", "-V", "--help", "-h")
        if not args or (args[0] not in self.commands and args[0] not in own):
            if args and not args[0].startswith("-") and not Path(args[0]).exists():
                self._refuse(ctx, args[0])
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def _refuse(self, ctx: click.Context, word: str) -> None:
        """Say which verb was meant, where a first word is like one and no path."""
        import difflib  # slow to load, and needed only when something is wrong

        close = difflib.get_close_matches(word.lower(), self.commands, n=1)
        if close:
            ctx.fail(f"`{word}` is neither a path nor a command: did you mean `{close[0]}`?")


_HELP = {"help_option_names": ["-h", "--help"]}


@click.group(cls=_DefaultGroup, context_settings=_HELP)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def cli() -> None:
    """Find and fix missing tenant and capsule isolation in DynamoDB code bases.

    `capsule-lint [PATH]...` is short for `capsule-lint check [PATH]...`.
    """


def _codes(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """`CAP101,CAP102` and repeated options to one tuple."""
    return tuple(c.strip().upper() for value in values for c in value.split(",") if c.strip())


def _selector(name: str, text: str) -> Callable[[Decorated], Decorated]:
    return click.option(f"--{name}", multiple=True, callback=_codes, metavar="CODES", help=text)


@cli.command(context_settings=_HELP)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--fix", is_flag=True, help="Apply safe fixes, then report what is left.")
@click.option("--fix-only", is_flag=True, help="Apply safe fixes and report nothing else.")
@click.option("--unsafe-fixes", is_flag=True, help="Include change sets that need a look.")
@click.option("--diff", is_flag=True, help="Print what --fix would change; write nothing.")
@click.option("--undo", is_flag=True, help="Take the last run with --fix back.")
@click.option(
    "--show-fixes",
    is_flag=True,
    help="Show the changes beside each finding (in full format), or list what --fix fixed.",
)
@_selector("select", "Rules, or their prefixes, to report (ALL for every one).")
@_selector("ignore", "Rules not to report.")
@_selector("extend-select", "Rules to report besides the selected ones.")
@_selector("fixable", "Rules that may be fixed.")
@_selector("unfixable", "Rules that may not be fixed.")
@click.option(
    "--output-format",
    "output_format",
    type=click.Choice(FORMATS),
    default="full",
    show_default=True,
    help="How findings are printed.",
)
@click.option(
    "-o",
    "--output-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report there.",
)
@click.option("--statistics", is_flag=True, help="Count findings by rule.")
@click.option("--ledger", is_flag=True, help="Print every occurrence of a changing name instead.")
@click.option("--baseline", type=click.Path(path_type=Path), help="Known findings not to report.")
@click.option("--update-baseline", is_flag=True, help="Make the baseline what is found now.")
@click.option("--prune-baseline", is_flag=True, help="Take what is mended out of the baseline.")
@click.option("--since", metavar="REV", help="Report only on files changed since a git revision.")
@click.option("--allow-dirty", is_flag=True, help="Fix files with uncommitted changes too.")
@click.option("--config", type=click.Path(path_type=Path), help="The file with the policy.")
@click.option("--isolated", is_flag=True, help="Ignore every policy file.")
@click.option("--no-cache", is_flag=True, help="Use no results of earlier runs, and keep none.")
@click.option("--cache-dir", type=click.Path(path_type=Path), help="Where results are kept.")
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), help="Processes to use (default: one a core)."
)
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit 1 if anything was fixed.")
@click.option(
    "--stdin-filename",
    type=click.Path(path_type=Path),
    help="Read this file's text from standard input.",
)
@click.option(
    "--force-exclude", is_flag=True, help="Exclude also what is named on the command line."
)
@click.option("--watch", "watching", is_flag=True, help="Check again whenever a file changes.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings only.")
@click.option("-v", "--verbose", is_flag=True, help="Say what is done, on standard error.")
@click.pass_context
def check(ctx: click.Context, /, *, watching: bool, **options: object) -> int:
    """Check a whole program and report what is found in PATHs (default: everywhere).

    Exits 0 if nothing is found, 1 if something is (with --diff: if something would change), 2 on a
    usage, policy or I/O error.
    """
    from capsule_lint.cli.options import Options
    from capsule_lint.cli.start import run

    if options["stdin_filename"] is not None and options["paths"] == (Path("-"),):
        options["paths"] = ()  # standard input, as others write it
    chosen = Options(**options)  # type: ignore[arg-type]  # click has checked them
    if watching:
        from capsule_lint.cli.watch import watch

        return watch(chosen, ctx.find_root().obj)
    return run(chosen, ctx.find_root().obj)


@cli.command(context_settings=_HELP)
@click.argument("code", required=False)
@click.option("--all", "every", is_flag=True, help="All rules.")
@click.option(
    "--output-format", type=click.Choice(("text", "json")), default="text", show_default=True
)
def rule(code: str | None, every: bool, output_format: str) -> None:
    """Explain a rule, by its CODE or its name."""
    from capsule_lint.cli.explain import explain

    click.echo(explain(code, every=every, as_json=output_format == "json"))


@cli.command(context_settings=_HELP)
@click.argument("path", type=click.Path(path_type=Path, file_okay=False), default=".")
def init(path: Path) -> None:
    """Write a `capsule-lint.toml` to start from."""
    from capsule_lint.cli.starter import write_starter

    click.echo(f"wrote {write_starter(path)}")


@cli.command(context_settings=_HELP)
@click.argument("path", type=click.Path(path_type=Path, exists=True), default=".")
@click.option("--config", type=click.Path(path_type=Path), help="The file with the policy.")
def config(path: Path, config: Path | None) -> None:
    """Print the policy that holds for PATH."""
    from capsule_lint.cli.explain import explain_policy

    click.echo(explain_policy(path, config))


@cli.command(context_settings=_HELP)
@click.argument("path", type=click.Path(path_type=Path, exists=True), default=".")
def clean(path: Path) -> None:
    """Remove what capsule-lint keeps beside the program: its cache and the record of the last fix."""
    from capsule_lint.cli.starter import remove_state

    click.echo(remove_state(path))


@cli.command(context_settings=_HELP)
@click.option("--stdio", is_flag=True, help="What some editors add; there is no other way.")
def server(stdio: bool) -> int:
    """Serve an editor: the Language Server Protocol on standard input and output.

    Editors start it themselves; see docs/editors.md. Findings follow what is typed, and fixes are
    quick fixes. Files are changed by the editor alone. Needs `pip install 'capsule-lint[server]'`.
    """
    from capsule_lint.server import serve

    return serve()
