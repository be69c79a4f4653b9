"""The yardstick for a warm run: import click, and ask for the status of every file in a list."""

import os
import sys

import click


def main(names: str) -> None:
    """Look at each file; print how many there are."""
    with open(names, encoding="utf-8") as file:  # noqa: PTH123  # the least that can be loaded
        paths = file.read().splitlines()
    for path in paths:
        os.stat(path)  # noqa: PTH116  # as above
    click.echo(len(paths))


if __name__ == "__main__":
    main(sys.argv[1])
