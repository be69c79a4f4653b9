"""Programs that say the same in other words: what is found in them is the same."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, ClassVar, TypeGuard

import libcst as cst
import libcst.matchers as m
import pytest

from tests.pytests import run_tests
from tests.test_cases import files_of, sampled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.project import Project


class Words(cst.CSTTransformer):
    """Says something in other words; `front` is what has to stand before that in the module."""

    files: ClassVar = "app/"
    """How the names of the files begin that are said anew."""

    def __init__(self) -> None:
        super().__init__()
        self.front: list[str] = []


class Texts(Words):
    """Says f-strings with a separator in other words, but those inside of others."""

    depth = 0

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


class Spelled(Words):
    """Keys that tests spell out go by a name."""

    files: ClassVar = "tests/test_"
    _key = re.compile(r"""(["'])[^"'{\\\n]*\w[#|:][^"'{\\\n]*\1""")

    def on_visit(self, node: cst.CSTNode) -> bool:
        mixed = (cst.Annotation, cst.FormattedString, cst.ConcatenatedString, cst.Decorator)
        return not isinstance(node, mixed)

    def leave_SimpleString(
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.BaseExpression:
        text = updated_node.value
        return cst.Name(self.named(text)) if self._key.fullmatch(text) else updated_node

    def named(self, text: str) -> str:
        """The name that a text goes by."""
        raise NotImplementedError


class Named(Spelled):
    """`"USER#1"` is `KEY0`, a constant of the module."""

    def named(self, text: str) -> str:
        known = {line.partition(" = ")[2]: line.partition(" = ")[0] for line in self.front}
        name = known.get(text, f"KEY{len(known)}")
        self.front.append(f"{name} = {text}")
        return name


class Rows(Spelled):
    """`"USER#1"` is a parameter of its test, which `parametrize` fills."""

    def __init__(self) -> None:
        super().__init__()
        self._test: cst.FunctionDef | None = None
        self._texts: list[str] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        params = node.params
        plain = not params.kwonly_params and not any(one.default for one in params.params)
        is_test = node.name.value.startswith("test_") and not node.decorators
        if self._test is None and is_test and plain:
            self._test, self._texts = node, []

    def leave_SimpleString(
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.BaseExpression:
        if self._test is None:
            return updated_node
        return super().leave_SimpleString(original_node, updated_node)

    def named(self, text: str) -> str:
        if text not in self._texts:
            self._texts.append(text)
        return f"key{self._texts.index(text)}"

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        if original_node is not self._test:
            return updated_node
        self._test = None
        if not self._texts:
            return updated_node
        self.front.append("import pytest")
        names = [f"key{number}" for number in range(len(self._texts))]
        row = self._texts[0] if len(names) == 1 else f"({', '.join(self._texts)})"
        code = f'pytest.mark.parametrize("{", ".join(names)}", [{row}])'
        params = [*updated_node.params.params, *(cst.Param(cst.Name(name)) for name in names)]
        return updated_node.with_changes(
            decorators=[cst.Decorator(cst.parse_expression(code))],
            params=updated_node.params.with_changes(params=params),
        )


class Expected(Words):
    """`assert made == "USER#1"` is `expected = "USER#1"` and `assert expected == made`."""

    files: ClassVar = "tests/test_"

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        match updated_node.body:
            case [
                cst.Assert(
                    test=cst.Comparison(
                        left=made,
                        comparisons=[cst.ComparisonTarget(cst.Equal() as equal, said)],
                    )
                )
            ] if not isinstance(said, (cst.Name, cst.Integer)):
                name = cst.Name("expected")
                given = cst.Assign([cst.AssignTarget(name)], said)
                compared = cst.Comparison(name, [cst.ComparisonTarget(equal, made)])
                last = cst.SimpleStatementLine([cst.Assert(compared)])
                return cst.FlattenSentinel([updated_node.with_changes(body=[given]), last])
            case _:
                return updated_node


class Bare(Words):
    """`def get(self, note_id: str) -> Note` is `def get(self, note_id)`."""

    depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.depth += 1

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self.depth -= 1
        return updated_node.with_changes(returns=None)

    def leave_Param(self, original_node: cst.Param, updated_node: cst.Param) -> cst.Param:
        return updated_node.with_changes(annotation=None) if self.depth else updated_node


class Steps(Words):
    """`put_item(Item={"PK": pk})` is `item = {}`, `item["PK"] = pk` and `put_item(Item=item)`."""

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        given = m.findall(
            updated_node, m.Arg(keyword=m.Name("Item") | m.Name("Key"), value=m.Dict())
        )
        inner = m.findall(updated_node, m.Lambda() | m.ListComp() | m.GeneratorExp())
        match given:
            case [cst.Arg(keyword=cst.Name(word), value=cst.Dict(elements=elements) as whole)] if (
                not inner and all(isinstance(one, cst.DictElement) for one in elements)
            ):
                name, code = word.lower(), cst.Module([]).code_for_node
                lines = [f"{name} = {{}}"]
                lines += [
                    f"{name}[{code(one.key)}] = {code(one.value)}"
                    for one in elements
                    if isinstance(one, cst.DictElement)
                ]
                last = updated_node.deep_replace(whole, cst.Name(name))
                assert isinstance(last, cst.SimpleStatementLine)
                return cst.FlattenSentinel([*map(cst.parse_statement, lines), last])
            case _:
                return updated_node


class Methods(Words):
    """`def test_it()` with `assert x == y` is a method of a `TestCase` with `self.assertEqual(x, y)`."""

    files: ClassVar = "tests/test_"
    _asserted: ClassVar = {
        cst.Equal: "assertEqual",
        cst.In: "assertIn",
        cst.NotIn: "assertNotIn",
        cst.Is: "assertIs",
    }

    def leave_Assert(
        self, original_node: cst.Assert, updated_node: cst.Assert
    ) -> cst.BaseSmallStatement:
        match updated_node.test:
            case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator, right)]):
                word = self._asserted.get(type(operator))
                if word is not None and self.front:
                    call = cst.parse_expression(f"self.{word}()")
                    assert isinstance(call, cst.Call)
                    return cst.Expr(call.with_changes(args=[cst.Arg(left), cst.Arg(right)]))
        return updated_node

    def visit_Module(self, node: cst.Module) -> bool:
        tests = list(filter(_is_test, node.body))
        plain = not any(t.params.params or t.decorators or t.asynchronous for t in tests)
        if tests and plain:
            self.front.append("import unittest")
        return bool(self.front)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        if not self.front:
            return updated_node
        code = updated_node.code_for_node
        tests = "".join(map(code, filter(_is_test, updated_node.body)))
        inner = re.sub(r"^(?=.)", "    ", tests, flags=re.MULTILINE)
        inner = re.sub(r"^(    def test_\w+)\(\)", r"\1(self)", inner, flags=re.MULTILINE)
        case = cst.parse_statement(f"class TestAll(unittest.TestCase):\n{inner}")
        rest = (one for one in updated_node.body if not _is_test(one))
        return updated_node.with_changes(body=[*rest, case])


def _is_test(node: cst.CSTNode) -> TypeGuard[cst.FunctionDef]:
    return isinstance(node, cst.FunctionDef) and node.name.value.startswith("test_")


def _restated(text: str, way: type[Words]) -> str:
    """The code of a module in other words."""
    transformer = way()
    module = cst.parse_module(text).visit(transformer)
    body, at = list(module.body), 0
    for number, statement in enumerate(body):
        if m.matches(statement, m.SimpleStatementLine([m.Import() | m.ImportFrom()])):
            at = number + 1
    front = map(cst.parse_statement, dict.fromkeys(transformer.front))
    return module.with_changes(body=[*body[:at], *front, *body[at:]]).code


def _said_anew(program: dict[str, str], way: type[Words]) -> dict[str, str]:
    """A program in other words: its code, or its tests."""
    return {
        name: _restated(text, way) if name.endswith(".py") and name.startswith(way.files) else text
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
@pytest.mark.parametrize("path", sampled(110), ids=lambda path: path.stem)
def test_the_same_is_found(path: Path, way: type[Words], project: Project) -> None:
    program, _ = files_of(path.read_text())
    changed = _said_anew(program, way)
    if changed == program:
        pytest.skip("has no such texts")
    before = _found(project.write(program))
    assert _found(project.write(changed)) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "way", [Functions, Locals, Named, Rows, Expected], ids=lambda way: way.__name__
)
@pytest.mark.parametrize("path", sampled(110, at=1), ids=lambda path: path.stem)
def test_what_is_fixed_works(path: Path, way: type[Words], project: Project) -> None:
    """Which of them are fixed may depend on the words; none is fixed wrongly."""
    text = path.read_text()
    program, isolation = files_of(text)
    changed = _said_anew(program, way)
    if changed == program or text.startswith("silent") or "__file__" in text:
        pytest.skip("has nothing to say in other words, or looks at its own words")
    project.write(changed)
    ran = project.run("--fix", "--no-cache", "--output-format", "concise")
    project.write(isolation if ran.status == 0 else {})
    if any(name.startswith("tests/test_") for name in project.tree()):
        tests = run_tests(project.root)
        assert tests.status == 0, f"{ran.out}\n{tests.out[-3000:]}"


@pytest.mark.slow
@pytest.mark.parametrize("way", [Bare, Steps, Methods], ids=lambda way: way.__name__)
@pytest.mark.parametrize("path", sampled(60, at=3), ids=lambda path: path.stem)
def test_what_it_says_of_itself_holds(path: Path, way: type[Words], project: Project) -> None:
    """The same, for words with which another signature may be right than the one that a case's last test calls."""
    program, _ = files_of(path.read_text())
    changed = _said_anew(program, way)
    tested = any(name.startswith("tests/test_") for name in program)
    if changed == program or not tested or "__file__" in path.read_text():
        pytest.skip("has nothing to say in other words, or looks at its own words")
    project.write(changed)
    if run_tests(project.root).status:
        pytest.skip("means something else in these words")
    ran = project.run("--fix", "--no-cache", "--output-format", "concise")
    tests = run_tests(project.root)
    assert tests.status == 0, f"{ran.out}\n{tests.out[-3000:]}"
