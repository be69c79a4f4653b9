"""Files to modules, each under its dotted name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from capsule_lint.program.model import Module
    from capsule_lint.program.walk import Walks


def _module_name(
    filename: str, roots: Iterable[str], packages: Callable[[str], bool]
) -> tuple[str, bool]:
    """The dotted name of a file, and whether it is a package's `__init__`.

    `roots` are folders (`src`) that stand on the import path themselves: `src/app/x.py` is `app.x`
    where `src` is no package.
    """
    path = filename.removesuffix(".pyi").removesuffix(".py")
    for root in sorted(roots, key=len, reverse=True):
        root = root.rstrip("/")
        if root not in ("", ".") and path.startswith(root + "/") and not packages(root):
            path = path[len(root) + 1 :]
            break
    parts = path.split("/")
    if parts[-1] == "__init__":
        return ".".join(parts[:-1]) or parts[-1], True
    return ".".join(parts), False


class Rest(Struct, frozen=True):
    """The files of a program in which no word of interest stands."""

    filenames: frozenset[str] = frozenset()
    facts: Callable[[str], tree.FileFacts | None] = lambda filename: None
    defines: Callable[[str, str], bool] = lambda filename, name: False
    """Whether the text of one says that it defines a name."""
    imports: Callable[[str], bool] = lambda package: False
    """Whether any of them imports a package of that name."""
    quiet: frozenset[str] = frozenset()
    """The other files in which no such word stands: see `Names.quiet`."""


def link(
    files: Iterable[tree.FileFacts],
    roots: Iterable[str],
    is_test: Callable[[str], bool],
    rest: Rest,
    walks: Walks,
) -> Names:
    """All files to one linked set of modules; those of the rest are read where a name leads there.
    Those that were walked before are found in `walks`, where the others are kept."""
    own = {facts.filename: facts for facts in files}
    roots, names = list(roots), Names(quiet=rest.quiet, index=walks.index)
    known: dict[str, tuple[str, bool]] = {}

    @cache
    def is_package(folder: str) -> bool:
        init = f"{folder}/__init__.py"
        top = folder.split("/")[0]
        return init in own or init in rest.filenames or _imports(top, own) or rest.imports(top)

    def walked(filename: str, facts: tree.FileFacts | None) -> Module | None:
        if facts is None or facts.problem is not None:
            return None
        name, package = known[filename]
        return walks.module(name, facts, package, is_test(filename))

    names.broken = any(facts.problem is not None for facts in own.values())
    names.defines = rest.defines
    names.read = lambda filename: walked(filename, rest.facts(filename))
    for filename in sorted({*own, *rest.filenames}):
        known[filename] = name, _ = _module_name(filename, roots, is_package)
        taken = name in names.modules or name in names.unread
        if taken and filename.endswith(".pyi"):
            stub = walked(filename, own.get(filename))
            if stub is not None:
                names.stubs[name] = stub
            continue
        key = f"{name}@{filename}" if taken else name
        if filename not in own:
            names.unread[key] = filename
        elif (module := walked(filename, own[filename])) is not None:
            names.modules[key] = module
    return names


def _imports(top: str, files: Mapping[str, tree.FileFacts]) -> bool:
    """Whether the program imports `top` as a (namespace) package."""
    return any(
        name.module.split(".")[0] == top or (name.module == "" and name.name == top)
        for facts in files.values()
        for statement in facts.body
        if isinstance(statement, tree.Import) and statement.level == 0
        for name in statement.names
    )
