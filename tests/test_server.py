"""The language server, as an editor sees it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from lsprotocol import types
from pygls.workspace import PositionCodec

from capsule_lint.model import Finding, Position, Span
from capsule_lint.server import program as server_program
from capsule_lint.server.checks import Checks
from capsule_lint.server.ignoring import ignoring
from capsule_lint.server.places import Names, path_of, range_of
from capsule_lint.server.policy_rows import row_of
from capsule_lint.server.program import Checked, Document, Failed, Program
from tests.editor import editing
from tests.project import Project, text_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from capsule_lint.server.program import Outcome
    from tests.editor import Editor

POLICY = """
[[scopes]]
name = "tenant"
segment = "TENANT#{tenant_id}"

[[scopes]]
name = "capsule"
segment = "CAPSULE#{capsule_id}"
test-source = "tests.helpers:test_capsule()"
test-value = '"PRODUS"'
"""
KEYS = """
def order_pk(tenant_id: str, order_id: str) -> str:
    return f"TENANT#{tenant_id}#ORDER#{order_id}"
"""
FIXED = text_of("""
    def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
        return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
""")
APP = """
from keys import order_pk


def show(tenant_id: str, capsule_id: str) -> str:
    return order_pk(tenant_id, "1")
"""
TEST = """
from keys import order_pk


def test_key() -> None:
    assert order_pk("acme", "1")
"""
SEVERAL = """
class OrderRepository:
    def __init__(self, table) -> None:
        self.table = table

    def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict:
        icon, key = "🗝", {"PK": f"TENANT#{tenant_id}#ORDER#{order_id}"}
        return self.table.get_item(Key=key)
"""


@pytest.fixture
def orders(project: Project) -> Project:
    """A helper without the capsule, a caller that has it, and a test that needs a helper of its own."""
    files = {"keys.py": KEYS, "app.py": APP, "tests/test_keys.py": TEST}
    return project.write(files).policy(POLICY)


def play(
    project: Project,
    scene: Callable[[Editor], Awaitable[None]],
    *,
    folders: Sequence[str] = (".",),
    encoding: str = "utf-16",
    able: bool = True,
) -> None:
    """Play a scene in an editor, whose server leaves politely and says nothing besides."""

    async def run() -> None:
        async with editing(project.root, folders=folders, encoding=encoding, able=able) as editor:
            await scene(editor)
        assert editor.status == 0
        assert editor.errors == b""

    asyncio.run(run())


def test_findings_follow_what_is_typed_in_all_files(orders: Project) -> None:
    async def scene(editor: Editor) -> None:
        await editor.until(lambda: editor.codes("keys.py") == ["CAP202"])
        (found,) = editor.shown[editor.uri("keys.py")]
        assert found.message == "`order_pk` builds a key without `capsule_id`"
        assert (found.severity, found.source) == (types.DiagnosticSeverity.Error, "capsule-lint")
        assert found.code_description is not None
        assert found.code_description.href.endswith("/key_helper_missing_scope.py")
        editor.open("keys.py")
        assert editor.marked("keys.py") == ["order_pk"]
        editor.type(editor.uri("keys.py"), FIXED)
        await editor.until(lambda: editor.codes("app.py") == ["CAP401"])
        await editor.until(lambda: editor.codes("keys.py") == [])
        editor.type(editor.uri("keys.py"), "def order_pk(")
        await editor.until(lambda: editor.codes("keys.py") == ["CAP002"])
        editor.close("keys.py")
        await editor.until(lambda: editor.codes("keys.py") == ["CAP202"])
        await editor.until(lambda: editor.codes("app.py") == [])

    before = orders.tree()
    play(orders, scene)
    assert orders.tree() == before


def test_a_quick_fix_changes_all_files_of_its_change_set(orders: Project) -> None:
    async def scene(editor: Editor) -> None:
        editor.open("keys.py")
        fix, ignore = await editor.actions("keys.py", "quickfix")
        assert fix.title.endswith("(1 definition, 2 call sites in 4 files)")
        assert (fix.is_preferred, fix.edit) == (True, None)
        assert ignore.title == "Ignore CAP202 on this line"
        below = types.Range(types.Position(1, 0), types.Position(1, 3))
        assert await editor.actions("keys.py", "quickfix", at=below) == []
        assert await editor.apply(fix) == ["tests/helpers.py"]
        await editor.until(lambda: editor.codes("keys.py") == [])
        assert await editor.actions("keys.py") == []
        editor.save()

    play(orders, scene)
    assert orders.read("keys.py") == FIXED
    assert orders.read("tests/test_keys.py").count("test_capsule()") == 1
    assert orders.run().out == "All checks passed!\n"


def test_fix_all_for_an_editor_without_a_folder_that_wants_edits_at_once_and_counts_bytes(
    project: Project,
) -> None:
    async def scene(editor: Editor) -> None:
        assert editor.encoding == "utf-8"
        editor.open("a.py")
        (action,) = await editor.actions("a.py", "source.fixAll")
        assert action.kind == "source.fixAll.capsule-lint"
        assert editor.marked("a.py") == ['f"TENANT#{tenant_id}#ORDER#{order_id}"']
        assert action.edit is not None
        assert await editor.apply(action) == []
        await editor.until(lambda: editor.codes("a.py") == [])
        assert "TENANT#{tenant_id}#CAPSULE#{capsule_id}" in editor.texts[editor.uri("a.py")]

    play(project.write({"a.py": SEVERAL}), scene, folders=(), encoding="utf-8", able=False)


def test_a_line_is_ignored_and_a_policy_breaks_and_is_mended(project: Project) -> None:
    async def scene(editor: Editor) -> None:
        editor.open("a.py")
        await editor.until(lambda: editor.codes("a.py") == ["CAP104"])
        assert editor.marked("a.py") == ['f"TENANT#{tenant_id}#ORDER#{order_id}"']
        _, ignore = await editor.actions("a.py", "quickfix")
        await editor.apply(ignore)
        assert "  # capsule-lint: ignore[CAP104]\n" in editor.texts[editor.uri("a.py")]
        await editor.until(lambda: editor.codes("a.py") == ["CAP205"])
        editor.close("a.py")
        await editor.until(lambda: editor.codes("a.py") == ["CAP104"])

        project.policy('src = ["."]\nslect = ["CAP"]\n')
        editor.touch("capsule-lint.toml")
        uri = editor.uri("capsule-lint.toml")
        await editor.until(lambda: bool(editor.shown.get(uri)))
        (problem,) = editor.shown[uri]
        assert problem.range == types.Range(types.Position(1, 0), types.Position(1, 15))
        assert "did you mean `select`?" in problem.message
        await editor.until(lambda: editor.codes("a.py") == [])
        await editor.until(lambda: bool(editor.said))
        assert editor.said == [problem.message]
        assert await editor.actions("a.py") == []
        project.policy('src = ["."]\n')
        editor.touch("capsule-lint.toml")
        await editor.until(lambda: editor.codes("a.py") == ["CAP104"])
        await editor.until(lambda: editor.shown[uri] == ())

    play(project.write({"a.py": SEVERAL}), scene)


def test_each_folder_has_its_policy(project: Project) -> None:
    async def scene(editor: Editor) -> None:
        await editor.until(lambda: editor.codes("one/keys.py") == ["CAP202"])
        editor.open("two/keys.py")
        await editor.actions("two/keys.py")
        assert editor.codes("two/keys.py") == []
        await editor.until(lambda: len(editor.watched) == 3)
        assert editor.watched[0] == "**/*.{py,pyi}"

    policy = '[[scopes]]\nname = "tenant"\nsegment = "TENANT#{tenant_id}"\n'
    files = {"one/keys.py": KEYS, "two/keys.py": KEYS, "two/capsule-lint.toml": policy}
    play(project.write(files), scene, folders=("one", "two"))


def test_without_the_extra_the_remedy_is_named(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "capsule_lint.server.app", raising=False)
    monkeypatch.setitem(sys.modules, "pygls.lsp.server", None)
    outcome = orders.run("server")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.endswith("pip install 'capsule-lint[server]'\n")


def test_a_check_does_not_load_what_serves_editors(orders: Project) -> None:
    code = (
        "import sys; from capsule_lint.cli import main\n"
        "try: main([])\n"
        "finally: print([m for m in sys.modules if m.startswith(('pygls', 'asyncio', 'capsule_lint.server'))])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=orders.root, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_editor_that_is_gone_ends_the_server(project: Project) -> None:
    command = [sys.executable, "-m", "capsule_lint", "server"]
    done = subprocess.run(
        command, cwd=project.root, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


def test_a_mistake_of_ours_is_told_without_a_traceback(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(server_program, "analyse", fail)
    outcome = Program(orders.root).check({})
    assert outcome == Failed("internal error, please report it: KeyError: 'oops'")


def test_a_source_that_is_not_there_is_the_policy_s_mistake(project: Project) -> None:
    outcome = Program(project.policy('src = ["nowhere"]').root).check({})
    assert isinstance(outcome, Failed)
    assert outcome.path == project.root / "capsule-lint.toml"
    assert outcome.message.startswith("nowhere: does not exist")


def test_what_is_opened_and_not_changed_is_not_judged_again(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(orders.root)
    first = program.check({})
    monkeypatch.setattr(server_program, "analyse", None)
    opened = Document("file:///keys.py", 1, orders.read("keys.py"))
    second = program.check({orders.root / "keys.py": opened})
    assert isinstance(first, Checked)
    assert isinstance(second, Checked)
    assert second.findings is first.findings
    assert (first.documents, second.documents) == ({}, {"keys.py": opened})


def test_known_findings_are_not_shown(orders: Project) -> None:
    orders.policy('baseline = "known.json"\n').run("--update-baseline")
    outcome = Program(orders.root).check({})
    assert isinstance(outcome, Checked)
    assert outcome.findings == ()


def test_files_are_called_as_the_editor_calls_them(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    link = (tmp_path / "link").as_uri()
    real = (tmp_path / "real").resolve()
    names = Names.of({real / "a.py": "file:///A"}, [f"{link}/"])
    assert names.uri_of(real / "a.py") == "file:///A"
    assert names.uri_of(real / "b c.py") == f"{link}/b%20c.py"
    assert names.uri_of(tmp_path / "d.py") == (tmp_path / "d.py").as_uri()
    assert path_of(f"{link}/b%20c.py") == real / "b c.py"
    assert path_of("untitled:one") is None


class _Interrupted(Program):
    """A program that changes while it is checked for the first time."""

    checked = 0
    change: Callable[[], object]

    def check(self, documents: Mapping[Path, Document]) -> Outcome:
        self.checked += 1
        if self.checked == 1:
            self.change()
        return Failed(str(self.checked))


def test_only_the_newest_request_is_answered(project: Project) -> None:
    published: list[Outcome] = []

    async def run() -> None:
        loop, program = asyncio.get_running_loop(), _Interrupted(project.root)
        with ThreadPoolExecutor(1) as worker:
            checks = Checks(program, worker, dict, lambda _, outcome: published.append(outcome))
            program.change = lambda: loop.call_soon_threadsafe(checks.request)
            for _ in range(5):
                checks.request(0.01)
            assert await checks.settled() == Failed("2")

    asyncio.run(run())
    assert published == [Failed("2")]


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 9), ("utf-16", 7), ("utf-32", 6)])
def test_columns_are_in_the_units_that_were_agreed_upon(encoding: str, column: int) -> None:
    line = 'x = "🗝"'
    span = Span(Position(1, 7), Position(2, 1))
    for lines, end in (
        ([line], types.Position(0, column + 1)),
        ([line + "\n"], types.Position(1, 0)),
    ):
        found = range_of(span, lines, PositionCodec(encoding))
        assert found == types.Range(types.Position(0, column), end)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\r\n", "x = 1  # capsule-lint: ignore[CAP101]\r\n"),
        ("x = 1  # why", "x = 1  # why  # capsule-lint: ignore[CAP101]"),
        (
            "x = 1  # capsule-lint: ignore[CAP102] -- why\n",
            "x = 1  # capsule-lint: ignore[CAP102, CAP101] -- why\n",
        ),
        ('x = f"""a\n"""\n', 'x = f"""a\n"""  # capsule-lint: ignore[CAP101]\n'),
        ("x = 1 \\\n + 2\n", "x = 1 \\\n + 2  # capsule-lint: ignore[CAP101]\n"),
    ],
)
def test_the_comment_that_ignores_stands_where_it_has_an_effect(before: str, after: str) -> None:
    span = Span(Position(1, 5), Position(max(before.count("\n"), 1), 2))
    assert ignoring(Finding("CAP101", "", "", "a.py", span), before) == after


@pytest.mark.parametrize(
    ("code", "text"), [("CAP002", "x ="), ("CAP001", "x = 1"), ("CAP101", 'x = """\n"""')]
)
def test_nothing_is_ignored_where_no_comment_has_an_effect(code: str, text: str) -> None:
    span = Span(Position(1, 1), Position(1, 2))
    assert ignoring(Finding(code, "", "", "a.py", span), text) is None


@pytest.mark.parametrize(
    ("key", "problem", "row"),
    [
        ("", "is no valid TOML: oops (at line 3, column 1)", 3),
        ("", "is not encoded in UTF-8 (byte 0xff in line 2)", 2),
        ("", "cannot be read", 1),
        ("tool.capsule-lint.scopes[1].segment", "has no hole", 6),
        ("tool.capsule-lint.entities.Tenant.scopes[0]", "is no scope", 9),
        ("tool.capsule-lint.handlers", "is missing", 1),
    ],
)
def test_the_row_of_a_key(key: str, problem: str, row: int) -> None:
    text = """\
[tool.capsule-lint]
[[tool.capsule-lint.scopes]]
name = "a"
segment = "A#{a}"
[[tool.capsule-lint.scopes]]
segment = "B#"  # scopes
[tool.capsule-lint.entities]
Other = {}
Tenant = { scopes = ["tenant"] }
"""
    assert row_of(key, problem, text) == row
