"""Writes the pages that are made from the rules: `docs/rules/*.md` and the table in `README.md`.

`python docs/generate.py` writes them; with `--check` it writes nothing and fails if one is stale.
With `--outputs` it also runs the commands in the README on a copy of the case study, and puts in
what they print.
"""

from __future__ import annotations

import difflib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from capsule_lint.cli.explain import page
from capsule_lint.registry import load_rules
from capsule_lint.rule import Bad, Good

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from capsule_lint.rule import Rule

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"```console\n\$ capsule-lint (?P<arguments>.+)\n(?P<said>(?s:.+?))\n```")
START, END = "<!-- rules: made by docs/generate.py -->", "<!-- end of rules -->"


def pages() -> dict[Path, str]:
    """The text that each generated file has to have."""
    rules = tuple(load_rules().values())
    found = {ROOT / "docs" / "rules" / f"{rule.name}.md": rule_page(rule) for rule in rules}
    readme = ROOT / "README.md"
    head, _, rest = readme.read_text(encoding="utf-8").partition(START)
    _, _, tail = rest.partition(END)
    found[readme] = f"{head}{START}\n{table(rules)}{END}{tail}"
    return found


def stale() -> list[Path]:
    """The generated files that are not as they have to be, and those that no rule has any more."""
    expected = pages()
    present = set((ROOT / "docs" / "rules").glob("*.md"))
    different = [p for p, text in expected.items() if _read(p) != text]
    return sorted({*different, *(present - set(expected))})


def rule_page(rule: Rule) -> str:
    """A rule's documentation and its tested examples."""
    return "\n\n".join([page(rule).rstrip(), "## Tested examples", *_examples(rule)]) + "\n"


def table(rules: Iterable[Rule]) -> str:
    """The table of rules."""
    rows = ["| code | name | finds | fix |", "|---|---|---|---|"]
    for rule in rules:
        fix = "yes" if rule.fix else "no"
        link = f"[{rule.name}](docs/rules/{rule.name}.md)"
        rows.append(f"| {rule.code} | {link} | {rule.summary} | {fix} |")
    return "\n".join(rows) + "\n"


def _examples(rule: Rule) -> Iterator[str]:
    for bad in rule.invalid:
        yield f"Flagged at {_lines(bad)}:"
        yield from _policy(bad.policy)
        yield from _blocks(bad.code)
        if bad.fixed is not None:
            yield "`--fix` makes of it:"
            yield from _diffs(bad)
    for example in rule.valid:
        good = Good(example) if isinstance(example, str) else example
        yield "Not flagged:"
        yield from _policy(good.policy)
        yield from _blocks(good.code)


def _lines(bad: Bad) -> str:
    places = [str(p) if isinstance(p, int) else f"{p[0]}:{p[1]}" for p in bad.lines]
    where = "" if isinstance(bad.code, str) else f" of `{next(iter(bad.code))}`"
    where = where if isinstance(bad.lines[0], int) else ""
    return f"line{'' if len(places) == 1 else 's'} {', '.join(places)}{where}"


def _policy(policy: str) -> Iterator[str]:
    if policy:
        yield f"```toml\n# under this policy\n{dedent(policy).strip()}\n```"


def _blocks(code: str | Mapping[str, str]) -> Iterator[str]:
    if isinstance(code, str):
        yield f"```python\n{dedent(code).strip()}\n```"
        return
    for name, text in code.items():
        yield f"`{name}`:\n\n```python\n{dedent(text).strip()}\n```"


def _diffs(bad: Bad) -> Iterator[str]:
    before = {"": bad.code} if isinstance(bad.code, str) else bad.code
    assert bad.fixed is not None
    after = {"": bad.fixed} if isinstance(bad.fixed, str) else bad.fixed
    for name, text in after.items():
        old = dedent(before.get(name, "")).strip().splitlines()
        new = dedent(text).strip().splitlines()
        lines = list(difflib.unified_diff(old, new, n=2, lineterm=""))[2:]
        heading = [f"# {name}"] if name else []
        yield "\n".join(["```diff", *heading, *lines, "```"])


def outputs(readme: str) -> str:
    """The README with what its commands print: a finding that a block starts with, or all."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "case_study"
        shutil.copytree(ROOT / "fixtures" / "case_study" / "before", copy)

        def block(found: re.Match[str]) -> str:
            command = [sys.executable, "-m", "capsule_lint", *found["arguments"].split()]
            done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
            if done.returncode not in (0, 1):
                raise SystemExit(done.stderr)
            first = found["said"].partition("\n")[0]
            parts = (part.strip("\n") for part in done.stdout.split("\n\n"))
            part = next((p for p in parts if p.startswith(first)), done.stdout.rstrip("\n"))
            return f"```console\n$ capsule-lint {found['arguments']}\n{part}\n```"

        return BLOCK.sub(block, readme)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def main(arguments: list[str]) -> int:
    """Write, or check, all pages."""
    readme = ROOT / "README.md"
    if "--outputs" in arguments:
        readme.write_text(outputs(_read(readme)), encoding="utf-8")
    wrong = stale()
    if "--check" in arguments:
        for path in wrong:
            print(f"{path.relative_to(ROOT)} is stale: run `python docs/generate.py`")
        return int(bool(wrong))
    expected = pages()
    for path in wrong:
        if path in expected:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(expected[path], encoding="utf-8")
        else:
            path.unlink()
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
