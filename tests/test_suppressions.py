"""Comments that suppress findings, and those that suppress nothing."""

from __future__ import annotations

import pytest

from tests.project import Project, text_of

HELPER = """
def order_pk(tenant_id: str) -> str:{comment}
    return f"TENANT#{{tenant_id}}#ORDERS"
"""


def _helper(project: Project, comment: str) -> Project:
    return project.write({"keys.py": text_of(HELPER).format(comment=f"  {comment}")})


@pytest.mark.parametrize(
    "comment",
    [
        "# capsule-lint: ignore[CAP202] -- shared by all capsules",
        "# capsule-lint: ignore[CAP202]",
        "# capsule-lint: ignore[CAP2] -- a prefix",
        "# capsule-lint: ignore[CAP101, CAP202]",
        "# noqa: CAP202",
        "# noqa: E501, CAP202",
        "# capsule-lint: ignore -- everything",
        "# type: ignore[misc]  # noqa: CAP202",
    ],
)
def test_a_comment_on_the_line_suppresses_its_finding(comment: str, project: Project) -> None:
    assert _helper(project, comment).check("--ignore", "CAP001").data == []


@pytest.mark.parametrize(
    "comment",
    [
        "# capsule-lint: ignore[CAP101]",
        "# noqa: CAP101",
        "# noqa: E501",
        "# noqa",
        "# a word on capsule-lint",
        "# capsule-lint: ignore[CAP202",
        "# capsule-lint: ignore CAP101",
        "# capsule-lint: ignore[]",
        "# capsule-lint: ignores nothing",
        "# capsule-lint: all",
    ],
)
def test_a_comment_about_something_else_suppresses_nothing(comment: str, project: Project) -> None:
    assert _helper(project, comment).check("--ignore", "CAP001").codes == ["CAP202"]


def test_a_comment_on_another_line_suppresses_nothing(project: Project) -> None:
    project.write(
        {
            "keys.py": """
            # capsule-lint: ignore[CAP202]
            def order_pk(tenant_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDERS"
            """
        }
    )
    assert project.check("--ignore", "CAP001").codes == ["CAP202"]


def test_a_comment_in_a_string_is_no_comment(project: Project) -> None:
    project.write(
        {
            "keys.py": """
            def order_pk(tenant_id: str, x: str = "# noqa: CAP202") -> str:
                return f"TENANT#{tenant_id}#ORDERS"
            """
        }
    )
    assert project.check().codes == ["CAP202"]


def test_a_comment_for_the_file_suppresses_all_its_findings_of_a_rule(project: Project) -> None:
    project.write(
        {
            "keys.py": """
            # capsule-lint: file-ignore[CAP202] -- written before there were capsules
            def order_pk(tenant_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDERS"


            def invoice_pk(tenant_id: str) -> str:
                return f"TENANT#{tenant_id}#INVOICES"
            """,
            "more.py": """
            def more_pk(tenant_id: str) -> str:
                return f"TENANT#{tenant_id}#MORE"
            """,
        }
    )
    assert project.check().places() == [("more.py", 1)]


def test_a_suppressed_finding_is_not_fixed(project: Project) -> None:
    _helper(project, "# capsule-lint: ignore[CAP202] -- shared")
    before = project.tree()
    assert project.run("--fix").status == 0
    assert project.tree() == before


# --- CAP001 ---


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("# capsule-lint: ignore[CAP101] -- why", "`CAP101`"),
        ("# capsule-lint: ignore[CAP202, CAP101]", "`CAP101`"),
        ("# capsule-lint: ignore[CAP999]", "`CAP999`, which is no rule,"),
        ("# noqa: CAP101", "`CAP101`"),
        *(
            (
                f"{comment} -- why",
                f"`{comment}`, which is neither `ignore[CODE]` nor `file-ignore[CODE]`,",
            )
            for comment in (
                "# capsule-lint: ignore[CAP202",
                "# capsule-lint: ignor[CAP202]",
                "# capsule-lint: ignore CAP202",
                "# capsule-lint: ignore[]",
                "# capsule-lint: disable",
                "# capsule-lint: disable=CAP202",
                "# capsule-lint: CAP202",
                "# capsule-lint: turn CAP202 off",
                "# capsule-lint: all",
            )
        ),
    ],
)
def test_a_suppression_of_nothing_is_found_on_a_whole_run(
    comment: str, said: str, project: Project
) -> None:
    findings = _helper(project, comment).check().data
    unused = [f["message"] for f in findings if f["code"] == "CAP001"]
    assert unused == [f"suppression of {said} suppresses nothing"]


def test_a_file_suppression_of_nothing_is_found_where_it_stands(project: Project) -> None:
    project.write({"app.py": "x = 1\n# capsule-lint: file-ignore[CAP101] -- old\n"})
    assert project.check().places("CAP001") == [("app.py", 2)]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa: E501",
        "# noqa: F401, D103",
        "# capsule-lint: one tenant is enough here",
        "# capsule-lint: ignores what is generated",
        "# capsule-lint:",
    ],
)
def test_comments_for_other_tools_and_people_are_none_of_our_business(
    comment: str, project: Project
) -> None:
    project.write({"app.py": f"x = 1  {comment}\n"})
    assert project.check().data == []


@pytest.mark.parametrize(
    "arguments", [("--select", "CAP2"), ("--ignore", "CAP404"), ("app.py",), ("--since", "HEAD")]
)
def test_a_run_that_is_limited_does_not_judge_suppressions(
    arguments: tuple[str, ...], project: Project
) -> None:
    project.write({"keys.py": "y = 1\n", "app.py": "x = 1\n"}).commit()
    project.write({"app.py": "x = 1  # capsule-lint: ignore[CAP101] -- why\n"})
    assert project.check(*arguments).data == []
    assert project.check().codes == ["CAP001"]


def test_a_rule_that_policy_turns_off_says_nothing_of_its_suppressions(project: Project) -> None:
    project.policy('ignore = ["CAP101"]')
    project.write({"app.py": "x = 1  # capsule-lint: ignore[CAP101] -- why\n"})
    assert project.check().data == []


def test_cap001_can_be_turned_off(project: Project) -> None:
    project.policy('ignore = ["CAP001"]')
    project.write({"app.py": "x = 1  # capsule-lint: ignore[CAP101] -- why\n"})
    assert project.check().data == []
