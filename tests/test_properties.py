"""Laws of `--fix`, over small programs that are drawn from our idioms, and run before and after."""

from __future__ import annotations

import ast
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Final = ("order", "invoice", "ticket")
TENANT, CAPSULE, OTHER = "t-1", "c-1", "c-2"

TEMPLATES: Final = (
    'f"TENANT#{{{tenant}}}#{kind}#{{{id}}}"',
    "f'TENANT#{{{tenant}}}#{kind}#{{{id}}}'",
    'f"TENANT#{{{tenant}}}" f"#{kind}#{{{id}}}"',
    'f"{{{tenant}}}#{kind}#{{{id}}}"',
    '"TENANT#" + {tenant} + "#{kind}#" + {id}',
    '("TENANT#" + {tenant}) + ("#{kind}#" + {id})',
    '"TENANT#%s#{kind}#%s" % ({tenant}, {id})',
    '"TENANT#{{}}#{kind}#{{}}".format({tenant}, {id})',
    '"TENANT#{{0}}#{kind}#{{1}}".format({tenant}, {id})',
    '"TENANT#{{t}}#{kind}#{{i}}".format(t={tenant}, i={id})',
    '"#".join(["TENANT", {tenant}, "{kind}", {id}])',
    '"#".join(("TENANT", {tenant}, "{kind}", {id}))',
    '"#".join([f"TENANT#{{{tenant}}}", f"{kind}#{{{id}}}"])',
)
"""One key in every way of writing it; the second value of each program is a plain identifier."""

ENTITIES: Final = (
    """
@dataclass
class {Name}:
    tenant_id: str
    {name}_id: str
    size: int = 0

    @property
    def pk(self) -> str:
        return {template}
""",
    """
@dataclass(frozen=True)
class {Name}:
    {name}_id: str
    tenant_id: str

    @property
    def pk(self):
        return {template}
""",
    """
class {Name}:
    def __init__(self, tenant_id, {name}_id):
        self.tenant_id = tenant_id
        self.{name}_id = {name}_id

    @property
    def pk(self):
        key = {template}
        return key
""",
)

SIGNATURES: Final = (
    "tenant_id, {name}_id",
    "tenant_id: str, {name}_id: str",
    "\n    tenant_id,  # whose\n    {name}_id,\n",
    "*, tenant_id, {name}_id",
)

STORES: Final = (
    """
class {Name}Repository:
    def __init__(self):
        self.items = {{}}

    def save(self, tenant_id: str, {name}: {Name}) -> None:
        self.items[tenant_id, {name}.{name}_id] = {name}

    def get(self, tenant_id: str, {name}_id: str) -> {Name} | None:
        return self.items.get((tenant_id, {name}_id))
""",
    """
class {Name}Repository:
    def __init__(self):
        self.items = {{}}

    def save(self, tenant_id: str, {name}: {Name}) -> None:
        # By its key.
        self.items[{name}.pk] = {name}

    def get(self, tenant_id: str, {name}_id: str) -> {Name} | None:
        pk = {helper}
        return self.items.get(pk)
""",
    """
class {Name}Repository(Protocol):
    def save(self, tenant_id: str, {name}: {Name}) -> None: ...

    def get(self, tenant_id: str, {name}_id: str) -> {Name} | None: ...


class InMemory{Name}Repository({Name}Repository):
    def __init__(self):
        self.items = {{}}

    def save(self, tenant_id: str, {name}: {Name}) -> None:
        self.items[(tenant_id, {name}.{name}_id)] = {name}

    def get(self, tenant_id: str, {name}_id: str) -> {Name} | None:
        for (owner, found), {name} in self.items.items():
            if owner == tenant_id and found == {name}_id:
                return {name}
        return None
""",
)

CALLS: Final = (
    "repository.get(tenant_id, {name}_id)",
    "repository.get(tenant_id=tenant_id, {name}_id={name}_id)",
    "repository.get({name}_id={name}_id, tenant_id=tenant_id)",
    "repository.get(tenant_id, {name}_id={name}_id)",
    "repository.get(\n        tenant_id,  # whose\n        {name}_id,\n    )",
    "repository.get(tenant_id, \\\n        {name}_id)",
    "[repository.get(tenant_id, one) for one in ({name}_id,)][0]",
    "(lambda one: repository.get(tenant_id, one))({name}_id)",
    "repository.get(tenant_id, *[{name}_id])",
)

IMPORTS: Final = (
    ("from {name}s import {name}_pk", "{name}_pk"),
    ("from {name}s import {name}_pk as key_of", "key_of"),
    ("import {name}s", "{name}s.{name}_pk"),
    ("import {name}s as m", "m.{name}_pk"),
)

NOISE: Final = (
    "",
    "# A remark: TENANT, pk, get.\n",
    "TABLE = {'get': 1}.get('get', 2)\n",
    "class Plain: pass\n",
    'class Told:\n    """Says get."""\n',
    "def plain(a): return a if a else plain(1); x = 1\n",
    "def tabbed(a):\n\tif a:\n\t\treturn 'TENANT#1'.find('T', 0)\n",
    "matched = [n for n in range(3) if (half := n // 2)]\n",
    "S = 'é\u2028ü' '''\n  two lines'''\n",
)

ENDS: Final = ("\n", "\r\n")


@dataclass(frozen=True, slots=True)
class Program:
    """Files, and what they are about."""

    name: str
    files: Mapping[str, bytes]
    tagged: bool

    def key(self, capsule: str) -> str:
        """What the key of the item `i-1` has to be after the fix."""
        tenant = f"TENANT#{TENANT}" if self.tagged else TENANT
        return f"{tenant}#CAPSULE#{capsule}#{self.name.upper()}#i-1"


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """An entity, a key helper, a repository, a service with checks of its own; and noise."""
    name = draw(st.sampled_from(NAMES))
    words = {"name": name, "Name": name.title(), "kind": name.upper()}
    template = draw(st.sampled_from(TEMPLATES))
    own = template.format(tenant="self.tenant_id", id=f"self.{name}_id", **words)
    plain = template.format(tenant="tenant_id", id=f"{name}_id", **words)
    entity = draw(st.sampled_from(ENTITIES)).format(template=own, **words)
    signature = draw(st.sampled_from(SIGNATURES)).format(**words)
    helper_call = f"{name}_pk(tenant_id=tenant_id, {name}_id={name}_id)"
    store = draw(st.sampled_from(STORES)).format(helper=helper_call, **words)
    domain = (
        "from dataclasses import dataclass\nfrom typing import Protocol\n\n"
        f"{entity}\n\ndef {name}_pk({signature}):\n    return {plain}\n\n{store}"
    )
    concrete = f"InMemory{words['Name']}" if "Protocol)" in store else words["Name"]
    statement, helper = draw(st.sampled_from(IMPORTS))
    named = "*" in signature or draw(st.booleans())
    given_to = f"tenant_id=tenant_id, {name}_id={name}_id" if named else f"tenant_id, {name}_id"
    service = (
        f"from {name}s import {words['Name']}, {concrete}Repository\n"
        f"{statement.format(**words)}\n\n\n"
        f"def check(repository: {concrete}Repository, tenant_id: str, {name}_id: str):\n"
        f"    {name} = {words['Name']}(tenant_id=tenant_id, {name}_id={name}_id)\n"
        f"    assert repository.get(tenant_id, {name}_id) is None\n"
        f"    repository.save(tenant_id, {name})\n"
        f"    found = {draw(st.sampled_from(CALLS)).format(**words)}\n"
        f"    assert found is {name}\n"
        f"    assert {name}.pk == {helper.format(**words)}({given_to})\n"
        f"    return {name}.pk\n"
    )
    end = draw(st.sampled_from(ENDS))
    files = {
        f"{name}s.py": _laid_out(draw, domain, end),
        "service.py": _laid_out(draw, service, end),
    }
    return Program(name, files, "TENANT" in template)


def _laid_out(draw: st.DrawFn, code: str, end: str) -> bytes:
    """With noise behind it, line ends of a kind, perhaps a mark in front and no end of the last line."""
    noise = draw(st.lists(st.sampled_from(NOISE), max_size=3))
    text = "\n\n".join([code, *noise])
    if draw(st.booleans()):
        text = text.rstrip("\n")
    mark = "\ufeff" if draw(st.booleans()) else ""
    return (mark + text).replace("\n", end).encode()


def _run(files: Mapping[str, bytes], program: Program, capsules: tuple[str | None, ...]) -> None:
    """Let the program check itself, once for each capsule, on one repository."""
    modules: dict[str, dict[str, Any]] = {}
    for filename in (f"{program.name}s.py", "service.py"):
        code = files[filename].decode("utf-8-sig").replace("\r\n", "\n")
        for module in modules:
            # Both files live in one namespace: imports of each other are done by hand.
            code = _linked(code, module)
        scope: dict[str, Any] = {"modules": modules, "__name__": filename[:-3]}
        exec(compile(code, filename, "exec", dont_inherit=True), scope)
        modules[filename[:-3]] = scope
    stores = [v for k, v in modules["service"].items() if k.endswith("Repository")]
    repository = stores[0]()
    for capsule in capsules:
        scopes = {} if capsule is None else {"capsule_id": capsule}
        item = {f"{program.name}_id": "i-1"}
        key = modules["service"]["check"](
            repository=repository, tenant_id=TENANT, **scopes, **item
        )
        if capsule is not None:
            assert key == program.key(capsule)
    assert len(repository.items) == len(capsules)


def _linked(code: str, module: str) -> str:
    """Imports of a module as assignments from `modules`."""
    lines = []
    for line in code.split("\n"):
        words = line.split()
        if words[:2] == ["from", module]:
            for name in line.partition(" import ")[2].split(", "):
                imported, _, alias = name.partition(" as ")
                lines.append(f"{alias or imported} = modules[{module!r}][{imported!r}]")
        elif words[:2] == ["import", module]:
            lines.append("from types import SimpleNamespace")
            lines.append(f"{words[-1]} = SimpleNamespace(**modules[{module!r}])")
        else:
            lines.append(line)
    return "\n".join(lines)


def _statements(data: bytes) -> list[tuple[str, tuple[bytes, ...]]]:
    """The syntax and the lines of each statement that has no body and shares its lines with none."""
    lines = data.splitlines(keepends=True)
    nodes = [node for node in ast.walk(ast.parse(data)) if isinstance(node, ast.stmt)]
    starts = Counter(node.lineno for node in nodes)
    return [
        (ast.dump(node), tuple(lines[node.lineno - 1 : node.end_lineno]))
        for node in nodes
        if not hasattr(node, "body") and starts[node.lineno] == 1
    ]


def _check_untouched(before: bytes, after: bytes) -> None:
    """Statements that say the same are written the same; what is no statement is all there."""
    written = set(_statements(after))
    said = {syntax for syntax, _ in written}
    for statement in _statements(before):
        assert statement in written or statement[0] not in said
    comments = [line for line in before.splitlines(keepends=True) if line.lstrip()[:1] == b"#"]
    assert not Counter(comments) - Counter(after.splitlines(keepends=True))
    assert before.startswith(b"\xef\xbb\xbf") == after.startswith(b"\xef\xbb\xbf")
    assert before.endswith(b"\n") == after.endswith(b"\n")
    assert (b"\r\n" in before) == (b"\r\n" in after)
    assert before.count(b"\r\n") != before.count(b"\n") or after.count(b"\r\n") == after.count(
        b"\n"
    )


def _sources(project: Project) -> dict[str, bytes]:
    return {name: data for name, data in project.tree().items() if name.endswith(".py")}


def _check(program: Program) -> None:
    _run(program.files, program, (None,))
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder)).write(program.files)
        found = project.check("--ledger")
        assert found.status == 1
        places = Counter((r["filename"], r["row"], r["column"]) for r in found.data)
        assert set(places.values()) == {1}
        first = project.check("--fix")
        assert (first.status, first.data) == (0, [])
        fixed = _sources(project)
        assert fixed != program.files
        for name, data in program.files.items():
            _check_untouched(data, fixed[name])
        _run(fixed, program, (CAPSULE, OTHER))
        assert project.check("--fix").data == []
        assert _sources(project) == fixed
        project.run("--undo")
        assert _sources(project) == program.files


@settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_a_fixed_program_keeps_capsules_apart_and_all_other_bytes(program: Program) -> None:
    _check(program)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(program=programs())
def test_many_fixed_programs_keep_capsules_apart_and_all_other_bytes(
    part: int, program: Program
) -> None:
    """Each part looks at programs of its own, so that several processes can share the work."""
    del part
    _check(program)
