"""Programs on which a careless analysis never ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
