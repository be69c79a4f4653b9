"""The formats for people: full, concise, grouped, and the excerpts and previews in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from capsule_lint.errors import InternalError
from capsule_lint.model import (
    ChangeSet,
    Edit,
    Finding,
    Position,
    Safety,
    Severity,
    Span,
    Suggestion,
)
from capsule_lint.report import FORMATS, TEXT_FORMATS, Report, RuleInfo, Style, render
from capsule_lint.report.excerpt import Excerpt
from capsule_lint.report.text import counted, printable, width

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = """\
from app.ids import TenantId


def pk_for(tenant_id: TenantId, account: str) -> str:
    return (
        f"TENANT#{tenant_id}"
        f"#ACCOUNT#{account}"
    )


def other() -> None: ...
"""


def span(row: int, column: int, end_row: int, end_column: int) -> Span:
    return Span(Position(row, column), Position(end_row, end_column))


FINDING = Finding(
    "CAP202",
    "key-helper-missing-scope",
    "`pk_for` builds a key without `capsule_id`",
    "app/keys.py",
    span(4, 5, 4, 11),
)
SAFE = Suggestion(Safety.SAFE, "give `pk_for` a parameter `capsule_id`")
UNSAFE = replace(SAFE, applicability=Safety.UNSAFE)
CHANGE_SET = ChangeSet(
    id="cs1",
    safety=Safety.SAFE,
    mends=(),
    obstacles=(),
    symbols=("app.keys.pk_for",),
    entities=(),
    definitions=7,
    call_sites=127,
    tests=3,
    files=41,
)
RULE = RuleInfo("CAP202", "key-helper-missing-scope", "Keys of capsules mix.", "https://x/CAP202")


def report(
    *findings: Finding, text: str = KEYS, change_set: ChangeSet = CHANGE_SET, rule: bool = True
) -> Report:
    return Report(
        findings,
        {change_set.id: change_set},
        (),
        {RULE.code: RULE} if rule else {},
        lambda filename: text.splitlines() if filename == "app/keys.py" else [],
        "0.1.0",
    )


def full(*findings: Finding, text: str = KEYS, style: Style | None = None) -> str:
    return render(report(*findings, text=text, rule=False), "full", style or Style())


def excerpt(lines: Sequence[str], at: Span, columns: int = 100) -> list[str]:
    found = Excerpt.of(lines, at)
    assert found
    return found.render(Style(width=columns))


def under_carets(lines: Sequence[str]) -> str:
    """The characters over the carets, by the columns of a terminal."""
    marks = next(line for line in lines if "^" in line)
    source = lines[lines.index(marks) - 1]
    begin, end = marks.index("^"), marks.rindex("^") + 1
    return "".join(
        char for index, char in enumerate(source) if begin <= width(source[:index]) < end
    )


@pytest.mark.parametrize("format", TEXT_FORMATS)
def test_nothing_found_is_no_text(format: str) -> None:
    assert render(report(), format, Style()) == ""


def test_an_unknown_format_is_our_mistake() -> None:
    with pytest.raises(InternalError, match="no renderer for the format 'html'"):
        render(report(), "html", Style())


def test_what_has_no_fix_says_what_to_do() -> None:
    told = replace(RULE, remedy="Look at the place")
    data = replace(report(FINDING), rules={RULE.code: told})
    assert "help: Look at the place\n" in render(data, "full", Style())


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_can_be_encoded_whatever_a_filename_holds(format: str) -> None:
    finding = replace(FINDING, filename="a\n\x1b[31m\udcff\u202e,:é.py", message="m\udc80\x00")
    suggestion = Suggestion(Safety.SAFE, "\udcff", (Edit("\udcff", FINDING.span, "\udcff"),))
    findings = (finding, replace(FINDING, suggestion=suggestion))
    text = render(report(*findings, text="\udcff\n" * 9), format, Style(show_fixes=True))
    assert text.encode()
    assert "\x1b" not in text or format == "github"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_says_the_same_twice(format: str) -> None:
    findings = (FINDING, replace(FINDING, suggestion=SAFE, change_set="cs1"))
    data = report(*findings)
    assert render(data, format, Style()) == render(data, format, Style())


@pytest.mark.parametrize("format", sorted({*FORMATS} - {*TEXT_FORMATS}))
def test_formats_for_machines_have_no_colors(format: str) -> None:
    data = report(replace(FINDING, suggestion=SAFE))
    assert render(data, format, Style(color=True)) == render(data, format, Style())


def test_concise_is_a_line_a_finding() -> None:
    findings = (
        replace(FINDING, suggestion=SAFE),
        replace(FINDING, code="CAP101", suggestion=UNSAFE, span=span(12, 1, 12, 2)),
        replace(FINDING, filename="b\n.py", message="two\nlines"),
    )
    assert render(report(*findings), "concise", Style()) == (
        "app/keys.py:4:5: CAP202 [*] `pk_for` builds a key without `capsule_id`\n"
        "app/keys.py:12:1: CAP101 `pk_for` builds a key without `capsule_id`\n"
        "b\\n.py:4:5: CAP202 two\\nlines\n"
    )


def test_concise_colours_codes_by_their_severity() -> None:
    finding = replace(FINDING, filename="a.py", message="m", suggestion=SAFE)
    warning = replace(finding, severity=Severity.WARNING, suggestion=None)
    colon = "\x1b[36m:\x1b[0m"
    place = f"\x1b[1ma.py\x1b[0m{colon}4{colon}5{colon}"
    assert render(report(finding, warning), "concise", Style(color=True)) == (
        f"{place} \x1b[1;31mCAP202\x1b[0m [\x1b[36m*\x1b[0m] m\n"
        f"{place} \x1b[1;33mCAP202\x1b[0m m\n"
    )


def test_grouped_has_a_heading_a_file() -> None:
    findings = (
        replace(FINDING, message="one", suggestion=SAFE),
        replace(FINDING, message="two", span=span(12, 10, 12, 11)),
        replace(FINDING, message="three", filename="b.py"),
    )
    assert render(report(*findings), "grouped", Style()) == (
        "app/keys.py:\n  4:5   CAP202 [*] one\n  12:10 CAP202 two\n\nb.py:\n  4:5 CAP202 three\n\n"
    )


def test_full_shows_excerpt_reason_remedy_and_reach() -> None:
    finding = replace(FINDING, suggestion=SAFE, change_set="cs1")
    assert render(report(finding), "full", Style()) == (
        "CAP202 [*] `pk_for` builds a key without `capsule_id`\n"
        " --> app/keys.py:4:5\n"
        "  |\n"
        "4 | def pk_for(tenant_id: TenantId, account: str) -> str:\n"
        "  |     ^^^^^^\n"
        "5 |     return (\n"
        '6 |         f"TENANT#{tenant_id}"\n'
        "  |\n"
        "  = why: Keys of capsules mix.\n"
        "  = help: give `pk_for` a parameter `capsule_id`\n"
        "  = reach: 7 definitions, 127 call sites in 41 files\n"
        "\n"
    )


@pytest.mark.parametrize(
    ("obstacles", "note"),
    [
        ((), "unsafe: look at the change before it is applied"),
        (("a.py:1:2: used as a value",), "unsafe: a.py:1:2: used as a value"),
        (("a.py:1:2: used", "b", "c", "d"), "unsafe: a.py:1:2: used (and 3 more)"),
    ],
)
def test_full_says_why_a_fix_is_unsafe(obstacles: tuple[str, ...], note: str) -> None:
    change_set = replace(CHANGE_SET, safety=Safety.UNSAFE, obstacles=obstacles)
    finding = replace(FINDING, suggestion=UNSAFE, change_set="cs1")
    text = render(report(finding, change_set=change_set), "full", Style())
    assert text.startswith("CAP202 `pk_for`")
    assert f"\n  = note: {note}\n\n" in text


def test_full_of_a_span_over_lines_marks_the_first_and_says_so() -> None:
    text = full(replace(FINDING, span=span(5, 12, 8, 6)))
    assert text == (
        "CAP202 `pk_for` builds a key without `capsule_id`\n"
        " --> app/keys.py:5:12\n"
        "  |\n"
        "4 | def pk_for(tenant_id: TenantId, account: str) -> str:\n"
        "5 |     return (\n"
        "  |            ^ to line 8\n"
        '6 |         f"TENANT#{tenant_id}"\n'
        '7 |         f"#ACCOUNT#{account}"\n'
        "  |\n"
        "\n"
    )


@pytest.mark.parametrize(
    ("filename", "row"), [("gone.py", 4), ("app/keys.py", 99), ("app/keys.py", 0)]
)
def test_full_without_the_line_has_no_excerpt(filename: str, row: int) -> None:
    text = full(replace(FINDING, filename=filename, span=span(row, 5, row, 6)))
    assert (
        text == f"CAP202 `pk_for` builds a key without `capsule_id`\n --> {filename}:{row}:5\n\n"
    )


def test_full_in_color_says_the_same() -> None:
    finding = replace(FINDING, suggestion=SAFE, change_set="cs1")
    text = render(report(finding), "full", Style(color=True))
    assert "  \x1b[1;31mCAP202" not in text
    assert "\x1b[1;34m  |\x1b[0m     \x1b[1;31m^^^^^^\x1b[0m\n" in text
    assert "\x1b[1;34m  =\x1b[0m \x1b[1mhelp:\x1b[0m give" in text
    for escape in ("\x1b[1;31m", "\x1b[1;34m", "\x1b[1m", "\x1b[36m", "\x1b[0m"):
        text = text.replace(escape, "")
    assert text == render(report(finding), "full", Style())


def test_an_excerpt_leaves_out_blank_lines_at_its_ends_and_aligns_numbers() -> None:
    lines = ["a", "", "b", "", "c", "", "", "", "x", "d", ""]
    assert excerpt(lines, span(9, 1, 9, 2)) == [
        "   |",
        " 9 | x",
        "   | ^",
        "10 | d",
        "   |",
    ]


@pytest.mark.parametrize(
    ("line", "column", "end", "marked"),
    [
        ("\tpk = f'A'", 2, 4, "pk"),
        ("a\t\tpk", 4, 6, "pk"),
        ("日本 = pk", 6, 8, "pk"),
        ("日本 = pk", 1, 3, "日本"),
        ("e\u0301e\u0301 = pk", 8, 10, "pk"),
        ("\x0cpk", 2, 4, "pk"),
        ("\u202epk", 2, 4, "pk"),
        ("x = '👍'  # pk", 12, 14, "pk"),
        ("pk\r", 1, 3, "pk"),
    ],
)
def test_carets_stand_under_the_span(line: str, column: int, end: int, marked: str) -> None:
    lines = excerpt([line], span(1, column, 1, end))
    assert under_carets(lines) == marked
    assert not any("\t" in text or "\r" in text for text in lines)


@pytest.mark.parametrize("at", [span(1, 4, 1, 4), span(1, 40, 1, 50), span(1, 4, 2, 1)])
def test_a_span_past_the_end_of_a_line_has_one_caret(at: Span) -> None:
    assert excerpt(["pk "], at)[2].startswith("  |    ^")
    assert excerpt(["pk "], at)[2].count("^") == 1


@pytest.mark.parametrize("begin", [1, 30, 150, 290])
def test_a_long_line_is_cropped_around_the_span(begin: int) -> None:
    code = "x" * (begin - 1) + "SPAN" + "x" * (400 - begin)
    lines = excerpt(["short", "", code], span(3, begin, 3, begin + 4), 60)
    assert under_carets(lines) == "SPAN"
    assert max(map(width, lines)) <= 60
    assert (lines[3][4] == "…") == (begin > 30)


def test_a_span_longer_than_the_screen_is_marked_as_far_as_it_is_seen() -> None:
    lines = excerpt(["y" * 30 + "x" * 400], span(1, 31, 1, 431), 60)
    assert set(under_carets(lines)) == {"x"}
    assert width(lines[2]) < width(lines[1]) == 60
    assert lines[1].endswith("x…")


def test_wide_characters_are_never_cut_in_half() -> None:
    code = "日" * 100 + "SPAN" + "本" * 100
    for columns in range(40, 50):
        lines = excerpt([code], span(1, 101, 1, 105), columns)
        assert under_carets(lines) == "SPAN"
        assert max(map(width, lines)) <= columns


def shown_fix(*edits: Edit, text: str = KEYS, at: Span = FINDING.span) -> list[str]:
    finding = replace(FINDING, span=at, suggestion=replace(SAFE, edits=edits))
    lines = full(finding, text=text, style=Style(show_fixes=True)).splitlines()
    return lines[lines.index("  = help: give `pk_for` a parameter `capsule_id`") + 1 : -1]


def edit(at: Span, content: str, filename: str = "app/keys.py") -> Edit:
    return Edit(filename, at, content)


def test_a_preview_shows_the_lines_of_the_file_and_counts_the_rest() -> None:
    assert shown_fix(
        edit(span(4, 32, 4, 32), " capsule_id: CapsuleId,"),
        edit(span(6, 30, 6, 30), '\r\n        f"#CAPSULE#{capsule_id}"'),
        edit(span(1, 1, 1, 1), "import a\n"),
        edit(span(1, 1, 1, 2), "x", "b.py"),
    ) == [
        "    4 - def pk_for(tenant_id: TenantId, account: str) -> str:",
        "      + def pk_for(tenant_id: TenantId, capsule_id: CapsuleId, account: str) -> str:",
        '      +         f"#CAPSULE#{capsule_id}"',
        "    … and 1 more line and 1 more file",
    ]


def test_a_preview_starts_at_the_top_where_nothing_changes_below() -> None:
    assert shown_fix(edit(span(1, 1, 1, 1), "import a\n")) == ["      + import a"]


@pytest.mark.parametrize(
    ("at", "content", "shown"),
    [
        (span(2, 1, 3, 1), "", ["    2 - b"]),
        (span(2, 2, 2, 2), "\nc", ["      + c"]),
        (span(3, 1, 3, 1), "c\n", ["      + c"]),
        (span(9, 1, 9, 1), "c\nd\n", ["      + c", "      + d"]),
        (span(1, 2, 2, 1), "", ["    1 - a", "    2 - b", "      + ab"]),
        (span(1, 1, 1, 2), "a", []),
    ],
)
def test_a_preview_of_one_edit(at: Span, content: str, shown: list[str]) -> None:
    assert shown_fix(edit(at, content), text="a\nb\n", at=span(1, 1, 1, 2)) == shown


def test_edits_at_one_place_keep_their_order() -> None:
    at = span(1, 1, 1, 1)
    assert shown_fix(edit(at, "x"), edit(at, "a"), text="b\n", at=at) == [
        "    1 - b",
        "      + xab",
    ]


def test_a_preview_has_an_end() -> None:
    edits = [edit(span(row, 1, row, 2), "z") for row in range(1, 40)]
    shown = shown_fix(*edits, text="y\n" * 40, at=span(1, 1, 1, 2))
    assert len(shown) == 13
    assert shown[-1] == "    … and 66 more lines"


def test_a_finding_without_edits_has_no_preview() -> None:
    assert shown_fix() == []
    assert full(FINDING, style=Style(show_fixes=True)) == full(FINDING)


def test_plain_text_is_printed_as_it_is_and_the_rest_escaped() -> None:
    assert printable("naïve 日本 e\u0301 \u200d\xa0") == "naïve 日本 e\u0301 \u200d\xa0"
    assert printable("\t\x85\u2028\udcff\u2066\ufffe") == "\\t\\x85\\u2028\\udcff\\u2066\\ufffe"


def test_numbers_have_their_plural_and_separators() -> None:
    assert [counted(count, "file") for count in (0, 1, 1003)] == [
        "0 files",
        "1 file",
        "1,003 files",
    ]
    assert counted(2, "entity", "entities") == "2 entities"
