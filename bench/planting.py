"""Plants a recipe between the files of a folder: the same recipe gives the same bytes."""

from __future__ import annotations

import ast
import os
import warnings
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from bench import snippets
from bench.recipe import Plant, Planted, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from string import Template

    from bench.snippets import Snippet

_A_MODULE: Final = 10
"""Calls of the helper, or steps of chains, in one planted module."""
_NOT_JUDGED: Final = (b"DO NOT EDIT", b"@generated")
_SHARED_KEYS: Final = "orderbook/keys.py"


def plant(root: Path, recipe: Recipe) -> Planted:
    """Plant into the Python files below a folder, and say what stands where."""
    planter = _Planter(root, recipe)
    planter.shared()
    planter.keys()
    planter.calls()
    planter.chains()
    planter.write()
    return Planted(tuple(planter.plants), recipe.calls + recipe.chains, planter.threaded)


def python_files(root: Path) -> list[str]:
    """The Python files below a folder, POSIX and relative to it, sorted."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        place = Path(folder).relative_to(root)
        found += [(place / name).as_posix() for name in names if name.endswith(".py")]
    return sorted(found)


@dataclass(slots=True)
class _Module:
    """A module as it grows: its name, what it imports, and its text below."""

    path: str
    what: str
    imports: set[str] = field(default_factory=set)
    parts: list[str] = field(default_factory=list)

    @property
    def dotted(self) -> str:
        """The name that others import."""
        return self.path.removesuffix(".py").replace("/", ".")

    def text(self, number: int) -> str:
        """The whole module."""
        imports = "\n".join(sorted(self.imports))
        head = snippets.MODULE.substitute(n=number, what=self.what, imports=imports)
        return head + "".join(self.parts)


@dataclass(slots=True)
class _Planter:
    root: Path
    recipe: Recipe
    plants: list[Plant] = field(default_factory=list)
    threaded: int = 0
    _texts: dict[str, str] = field(default_factory=dict)
    _files: list[str] = field(init=False)
    _random: Random = field(init=False)
    _folders: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(self.recipe.seed)
        self._files = python_files(self.root)
        self._folders = [
            folder
            for folder in sorted({file.rpartition("/")[0] for file in self._files})
            if all(part.isidentifier() and not _is_test(part) for part in folder.split("/"))
        ]

    def shared(self) -> None:
        """The policy and the modules that all others import."""
        self._texts["capsule-lint.toml"] = snippets.POLICY
        self._texts[".semgrepignore"] = ""  # without it Semgrep passes tests over
        self._texts |= snippets.SHARED
        if self.recipe.calls or self.recipe.chains:
            self._append(_SHARED_KEYS, snippets.SHIFTED_HELPER, (("CAP202", "def order_pk"),))

    def keys(self) -> None:
        """Keys that lack a segment, at the end of a share of the files."""
        wanted = round(self.recipe.share * len(self._files))
        for number, path in enumerate(islice(self._judged(), wanted)):
            snippet = snippets.KEYS[number % len(snippets.KEYS)]
            self._append(path, snippet.text.substitute(n=number), snippet.defects)
            if number < self.recipe.dependents:
                self._append(path, snippets.DEPENDENT.substitute(n=number), ())

    def calls(self) -> None:
        """Small modules that call the helper: services, handlers, tests."""
        for desk, first in enumerate(range(0, self.recipe.calls, _A_MODULE)):
            numbers = range(first, min(first + _A_MODULE, self.recipe.calls))
            folder = self._random.choice(self._folders)
            services = _Module(f"{folder}/orders_{desk}.py", "services")
            handlers = _Module(f"{folder}/orders_api_{desk}.py", "handlers")
            tests = _Module(f"{folder}/test_orders_{desk}.py", "tests")
            services.imports |= {snippets.CONTEXT_IMPORT, snippets.KEY_IMPORT}
            for number, snippet in zip(numbers, snippets.CALLS, strict=False):
                services.parts.append(snippet.text.substitute(n=number))
                if snippet.handler and snippet.used:
                    self._handler(handlers, snippet.handler, number=number)
                    self._use(handlers, services, snippet.used.substitute(n=number))
                    self.threaded += 1
            if len(numbers) > len(snippets.CALLS):
                tests.imports.add(snippets.KEY_IMPORT)
                tests.parts.append(snippets.IN_TEST.substitute(n=numbers[-1]))
            self._finish(desk, services, handlers, tests)
            self._find(services.path, _defects(snippets.CALLS[: len(numbers)]), is_key=False)

    def chains(self) -> None:
        """Handlers that reach the helper through other functions, half of them in another module."""
        depth = self.recipe.depth
        in_one = max(1, _A_MODULE // depth)
        for desk, first in enumerate(range(0, self.recipe.chains, in_one)):
            folder = self._random.choice(self._folders)
            low = _Module(f"{folder}/chains_{desk}.py", "services")
            high = _Module(f"{folder}/chains_api_{desk}.py", "handlers")
            for chain in range(first, min(first + in_one, self.recipe.chains)):
                self._chain(low, high, chain)
            self._finish(desk, low, high)

    def write(self) -> None:
        """Put everything on disk."""
        for path, text in self._texts.items():
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode())

    def _chain(self, low: _Module, high: _Module, chain: int) -> None:
        callee, home = "order_pk", None
        for step in range(1, self.recipe.depth):
            module = low if step <= self.recipe.depth // 2 else high
            self._use(module, home, callee)
            name = f"{chain}_{step}"
            module.parts.append(snippets.STEP.substitute(n=name, callee=callee))
            callee, home = f"shifted_{name}", module
        self._use(high, home, callee)
        self._handler(high, snippets.CHAIN_HANDLER, number=f"chain_{chain}", callee=callee)
        self.threaded += self.recipe.depth - 1

    def _use(self, module: _Module, home: _Module | None, name: str) -> None:
        if home is None:
            module.imports.add(snippets.KEY_IMPORT)
        elif home is not module:
            module.imports.add(f"from {home.dotted} import {name}")

    def _handler(self, module: _Module, text: Template, **values: object) -> None:
        module.imports.add(snippets.CONTEXT_IMPORT)
        module.parts.append(text.substitute({"n": values["number"], **values}))

    def _finish(self, desk: int, *modules: _Module) -> None:
        for module in modules:
            if module.parts:
                self._texts[module.path] = module.text(desk)
                handlers = sum(part.count("def handle_order_") for part in module.parts)
                self._find(
                    module.path, (("CAP501", "def handle_order_"),) * handlers, is_key=False
                )

    def _judged(self) -> Iterator[str]:
        """The files that can be planted into, in a random order that the seed fixes."""
        shuffled = sorted(self._files)
        self._random.shuffle(shuffled)
        for path in shuffled:
            data = (self.root / path).read_bytes()
            if not (any(map(_is_test, path.split("/"))) or any(m in data for m in _NOT_JUDGED)):
                text = _plain(data)
                if text is not None:
                    self._texts[path] = text
                    yield path

    def _append(self, path: str, text: str, defects: Sequence[tuple[str, str]]) -> None:
        before = self._texts[path]
        if before and not before.endswith("\n"):
            before += "\n"
        self._texts[path] = before + (text if before else text.lstrip("\n"))
        self._find(path, defects, after=before.count("\n"))

    def _find(
        self,
        path: str,
        defects: Sequence[tuple[str, str]],
        *,
        after: int = 0,
        is_key: bool = True,
    ) -> None:
        """Note the rows of defects, in their order in the file."""
        rows = enumerate(self._texts[path].splitlines(), 1)
        wanted = list(defects)
        for row, line in rows:
            if wanted and row > after and line.lstrip().startswith(wanted[0][1]):
                code, _ = wanted.pop(0)
                last = row + 2 if line.startswith("def ") and is_key else row
                self.plants.append(Plant(path, code, row, last, is_key))
        if wanted:
            raise AssertionError(f"{path} does not hold {wanted}")


def _defects(used: Sequence[Snippet]) -> list[tuple[str, str]]:
    return [defect for snippet in used for defect in snippet.defects]


def _is_test(part: str) -> bool:
    return part in ("test", "tests", "conftest.py") or part.startswith("test_")


def _plain(data: bytes) -> str | None:
    """The text of a file that this interpreter reads and whose line ends are plain."""
    try:
        text = data.decode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (ValueError, SyntaxError):
        return None
    return None if "\r" in text or "\f" in text or text.startswith("\ufeff") else text
