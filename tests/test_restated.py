"""Programs that say the same in other words: what is found in them is the same."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import libcst as cst
import libcst.matchers as m
import pytest

from tests.pytests import run_tests
from tests.test_cases import files_of, sampled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.project import Project


class Texts(cst.CSTTransformer):
    """Says f-strings with a separator in other words, but those inside of others; `front` is what has to stand
    before them in the module."""

    depth = 0

    def __init__(self) -> None:
        super().__init__()
        self.front: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.depth += isinstance(node, cst.FormattedString)
        return not isinstance(node, (cst.Annotation, cst.ConcatenatedString))

    def leave_FormattedString(
        self, original_node: cst.FormattedString, updated_node: cst.FormattedString
    ) -> cst.BaseExpression:
        self.depth -= 1
        parts = updated_node.parts
        said = [p.value for p in parts if isinstance(p, cst.FormattedStringText)]
        if self.depth or updated_node.prefix != "f" or updated_node.quote != '"':
            return updated_node
        odd = any(set("{}%\\") & set(text) for text in said)
        marks = ("conversion", "equal", "format_spec")
        marked = any(getattr(part, mark, None) for part in parts for mark in marks)
        if odd or marked or not any("#" in text for text in said) or len(said) == len(parts):
            return updated_node
        return self.said(parts)

    def said(self, parts: Sequence[cst.BaseFormattedStringContent]) -> cst.BaseExpression:
        """The same in other words."""
        raise NotImplementedError

    def _filled(
        self, parts: Sequence[cst.BaseFormattedStringContent], mark: str
    ) -> tuple[str, str]:
        text, holes = "", []
        for part in parts:
            if isinstance(part, cst.FormattedStringExpression):
                text += mark
                holes.append(cst.Module([]).code_for_node(part.expression))
            elif isinstance(part, cst.FormattedStringText):
                text += part.value
        return text, ", ".join(holes)


class Format(Texts):
    """`f"USER#{x}"` is `"USER#{}".format(x)`."""

    def said(self, parts: Sequence[cst.BaseFormattedStringContent]) -> cst.BaseExpression:
        text, holes = self._filled(parts, "{}")
        return cst.parse_expression(f'"{text}".format({holes})')


class Percent(Texts):
    """`f"USER#{x}"` is `("USER#%s" % (x,))`."""

    def said(self, parts: Sequence[cst.BaseFormattedStringContent]) -> cst.BaseExpression:
        text, holes = self._filled(parts, "%s")
        return cst.parse_expression(f'("{text}" % ({holes},))')


class Constants(Texts):
    """`f"USER#{x}"` is `f"{_USER}{x}"`."""

    def said(self, parts: Sequence[cst.BaseFormattedStringContent]) -> cst.BaseExpression:
        code = ""
        for part in parts:
            written = cst.Module([]).code_for_node(part)
            if isinstance(part, cst.FormattedStringText):
                tags = set(re.findall(r"[A-Z]+#", written))
                self.front += [f'_{tag[:-1]} = "{tag}"' for tag in sorted(tags)]
                written = re.sub(r"([A-Z]+)#", r"{_\1}", written)
            code += written
        return cst.parse_expression(f'f"{code}"')


class Functions(Texts):
    """`f"USER#{user_id}"` is `_text(user_id)`, and a function of the module makes the text."""

    def said(self, parts: Sequence[cst.BaseFormattedStringContent]) -> cst.BaseExpression:
        text, said = self._filled(parts, "{}")
        holes = said.split(", ")
        names = [hole.rpartition(".")[2].lstrip("_") for hole in holes]
        plain = all(re.fullmatch(r"[\w.]+", hole) for hole in holes)
        if not plain or len(set(names)) != len(holes) or not all(map(str.isidentifier, names)):
            return cst.FormattedString(parts)
        name = f"_text{len(self.front)}"
        body = text.format(*(f"{{{name}}}" for name in names)).replace('"', '\\"')
        self.front.append(f'def {name}({", ".join(names)}):\n    return f"{body}"')
        return cst.parse_expression(f"{name}({said})")


class Locals(Texts):
    """`return f"USER#{x}"` is `result = f"USER#{x}"` and `return result`."""

    def said(self, parts: Sequence[cst.BaseFormattedStringContent]) -> cst.BaseExpression:
        return cst.FormattedString(parts)

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        match updated_node.body:
            case [cst.Return(value=cst.FormattedString() | cst.Call() as value)]:
                name = cst.Name("result")
                given = cst.Assign([cst.AssignTarget(name)], value)
                last = cst.SimpleStatementLine([cst.Return(name)])
                return cst.FlattenSentinel([updated_node.with_changes(body=[given]), last])
            case _:
                return updated_node


def _restated(text: str, way: type[Texts]) -> str:
    """The code of a module in other words."""
    transformer = way()
    module = cst.parse_module(text).visit(transformer)
    body, at = list(module.body), 0
    for number, statement in enumerate(body):
        if m.matches(statement, m.SimpleStatementLine([m.Import() | m.ImportFrom()])):
            at = number + 1
    front = map(cst.parse_statement, dict.fromkeys(transformer.front))
    return module.with_changes(body=[*body[:at], *front, *body[at:]]).code


def _app_restated(program: dict[str, str], way: type[Texts]) -> dict[str, str]:
    """A program in other words, its tests aside."""
    return {
        name: _restated(text, way) if name.endswith(".py") and name.startswith("app/") else text
        for name, text in program.items()
    }


def _found(project: Project) -> Counter[tuple[str, str, str]]:
    """What is found, and in what; whether a key is written or looked up is no matter."""
    return Counter(
        (found["code"].replace("CAP104", "CAP101"), found["filename"], found["symbol"])
        for found in project.check("--no-cache").data
    )


@pytest.mark.slow
@pytest.mark.parametrize("way", [Format, Percent, Constants], ids=lambda way: way.__name__)
@pytest.mark.parametrize("path", sampled(50), ids=lambda path: path.stem)
def test_the_same_is_found(path: Path, way: type[Texts], project: Project) -> None:
    program, _ = files_of(path.read_text())
    changed = _app_restated(program, way)
    if changed == program:
        pytest.skip("has no such texts")
    before = _found(project.write(program))
    assert _found(project.write(changed)) == before


@pytest.mark.slow
@pytest.mark.parametrize("way", [Functions, Locals], ids=lambda way: way.__name__)
@pytest.mark.parametrize("path", sampled(50, at=1))
def test_what_is_fixed_works(path: Path, way: type[Texts], project: Project) -> None:
    """Which of them are fixed may depend on the words; none is fixed wrongly."""
    text = path.read_text()
    program, isolation = files_of(text)
    changed = _app_restated(program, way)
    if changed == program or text.startswith("silent") or "__file__" in text:
        pytest.skip("has nothing to say in other words, or looks at its own words")
    project.write(changed)
    ran = project.run("--fix", "--no-cache", "--output-format", "concise")
    project.write(isolation if ran.status == 0 else {})
    if any(name.startswith("tests/test_") for name in project.tree()):
        tests = run_tests(project.root)
        assert tests.status == 0, f"{ran.out}\n{tests.out[-3000:]}"
