"""Programs on which a careless analysis never ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from capsule_lint.facts import tree
from capsule_lint.facts.build import build
from capsule_lint.policy import Policy
from capsule_lint.program import link_names, link_program
from tests.project import text_of

if TYPE_CHECKING:
    from tests.project import Project


def test_an_iterator_that_is_its_own_iterator(project: Project) -> None:
    project.write(
        {
            "app.py": """
                class Lines:
                    def __iter__(self) -> "Lines":
                        return self

                    def __next__(self) -> str:
                        return ""


                def pk(tenant_id: str) -> str:
                    for line in Lines():
                        print(line)
                    return f"TENANT#{tenant_id}"
                """
        }
    )
    assert project.check("--no-cache").codes == ["CAP202"]


def test_functions_that_return_what_many_others_return_come_to_an_end() -> None:
    calls = [
        f"def key_{n}(x):\n    if x:\n        return key_{n + 1}(x)\n"
        f"    elif not x:\n        return key_{n + 2}(x)\n    return key_{n + 3}(x)\n"
        for n in range(60)
    ]
    last = "".join(f"def key_{n}(x):\n    return x\n" for n in range(60, 63))
    code = text_of("\n".join([*calls, last, "pk = key_0(1)\n"]))
    names = link_names([build("app.py", code)], Policy())
    program = link_program(names, Policy())  # 3 to the power of 12 ways
    assert len(program.names.modules["app"].functions) == 63


def test_a_name_that_is_made_of_itself(project: Project) -> None:
    project.write(
        {
            "app.py": """
                def order_of(tenant_id: str, table) -> str:
                    pk = f"TENANT#{tenant_id}#ORDER"
                    parts = pk.split("#")
                    while len(parts) > 2:
                        parts = list(parts)
                    table.get_item(Key={"PK": pk})
                    return parts[1]
                """
        }
    )
    assert "CAP108" in project.check("--no-cache").codes


def test_classes_that_inherit_from_one_of_hundreds_of_their_name_come_to_an_end() -> None:
    metas = "".join(
        f"class Form{n}(Form{n - 1}):\n    class Meta(Form{n - 1}.Meta):\n        rank = {n}\n"
        for n in range(1, 400)
    )
    code = text_of(
        "class Form0:\n    class Meta:\n        rank = 0\n"
        f"{metas}"
        "class Options(Form7.Meta):\n    pass\n"
        'def pk(tenant_id):\n    return f"TENANT#{tenant_id}"\n'
    )
    names = link_names([build("app.py", code)], Policy())
    program = link_program(names, Policy())  # 400 to the power of 4 ways
    assert len(program.names.modules["app"].classes) == 801


_CIRCLE = """
    def first(kind, *parts):
        return second(kind, *parts)

    def second(kind, *parts):
        return first(kind, *parts)

    key = first("ORDER", tenant_id)
    """
_OF_ITSELF = """
    def made(tenant_id):
        parts = [*parts, tenant_id]
        text = "TENANT#{}".format(text)
        return "#".join(parts) + text

    key = made(tenant_id)
    """


def _growing(how: str) -> str:
    """A local that is made of the one before it eight times, forty times over, of which all is a key."""
    steps = "".join(f"        k{n} = {how.replace('k', f'k{n - 1}')}\n" for n in range(1, 40))
    return f"    def made(k0):\n{steps}        return k39\n\n    key = made(tenant_id)\n"


@pytest.mark.parametrize(
    "code",
    [
        _CIRCLE,
        _OF_ITSELF,
        _growing('f"{k}#{k}#{k}#{k}#{k}#{k}#{k}#{k}"'),
        _growing('"{}{}{}{}".format(k, k, k, k)'),
        _growing("k + k + k + k + k"),
        _growing('["TENANT", *k, *k, *k, *k]').replace("return k39", 'return "#".join(k39)'),
    ],
)
def test_texts_that_are_made_of_each_other_come_to_an_end(project: Project, code: str) -> None:
    put = 'def put(table, tenant_id):\n{}\n    table.put_item(Item={{"PK": key, "SK": "ORDER"}})\n'
    project.write({"app.py": put.format(code)})
    assert project.check("--no-cache").status in (0, 1)


def test_functions_that_return_each_other_s_result_are_no_deeper_than_one() -> None:
    chain = "".join(
        f"def key_{n}(kind, *parts):\n    return key_{n + 1}(kind, *parts)\n" for n in range(150)
    )
    last = 'def key_150(kind, *parts):\n    return "#".join([kind, *parts])\n'
    code = text_of(f'{chain}{last}pk = key_0("TENANT", 1)\n')
    names = link_names([build("app.py", code)], Policy())
    assert link_program(names, Policy()).names is names


def test_what_has_an_attribute_that_names_no_key_is_not_looked_up() -> None:
    """`rows[made().label]` is a key where a class makes the names of keys as its `label`, and in a large package it may
    take minutes to tell what `made()` is."""
    app = build("app.py", "def keep(rows, value):\n    rows[made().label] = value\n")
    named = "class Named:\n    @property\n    def label(self):\n        return {}\n"
    for made, asked in (("f'{self.index}pk'", True), ("f'{self.home.name}.{self.at}'", False)):
        names = link_names([app, build("named.py", named.format(made))], Policy())
        program = link_program(names, Policy())
        (call,) = (node for node in names.modules["app"].each(tree.Call))
        assert (program.inference.table.settled(id(call)) is not None) is asked


def test_a_type_that_is_an_alias_of_itself(project: Project) -> None:
    project.write(
        {
            "app/rows.py": """
                Rows = Rows[str]
                Tree = dict[str, "Leaves[str]"]
                Leaves = list[Leaves["Tree"]]


                def put(rows: Rows[int], tree: Tree, leaves: Leaves[int]) -> None:
                    rows.put(tree.get("a"), leaves.query("b"))


                def pk(tenant_id: str) -> str:
                    return f"TENANT#{tenant_id}#ROW"


                put(pk("t"), {}, [])
            """
        }
    )
    assert "CAP202" in project.check("--no-cache").codes
