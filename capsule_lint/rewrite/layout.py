"""Lines that a change made too long, broken as formatters break them."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from capsule_lint.rewrite.brackets import CLOSING, FOR, OPENING, Pair, outer_commas, scan, split
from capsule_lint.rewrite.long_texts import broken_text, texts_in
from capsule_lint.rewrite.operators import (
    element,
    needs_brackets,
    opens,
    operands,
    statement,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DEFINITION = re.compile(r"\s*(?:async\s+def|def|class)\b")
_CLAUSE = re.compile(r" (?:async for|for|if) ")
_OPERATOR = re.compile(
    r"\s*(?:if|else|and|or|==|!=|<=|>=|<|>|not in|in|is not|is|[-|^&+*/%@]|<<|>>|//) "
)
_INDENT = "    "
_SPACES = re.compile(rf"^(?:{_INDENT})+", re.MULTILINE)


def wrapped(
    before: str,
    after: str,
    width: int,
    unit: str = _INDENT,
    end: str = "\n",
    *,
    texts: bool = False,
) -> str:
    """`after` with those lines broken that are longer than `width` and were not in `before`.

    Both are the text of whole statements, in a file that is indented by `unit`, whose lines `end` so. What cannot be broken without a doubt stays: a line that
    ends in a comment, a piece of a string, unless `texts` are to be broken that got longer. The statements stay the same
    for Python.
    """
    known = set(before.splitlines())
    lines = after.splitlines(keepends=True)
    long = [
        n
        for n, line in enumerate(lines)
        if len(line.rstrip("\r\n")) > width and line.rstrip("\r\n") not in known
    ]
    if not long:
        return after
    said = texts_in(before) if texts else {}
    broken: dict[int, dict[int, str]] = {}
    for number in long:
        if not any(number in found for found in broken.values()):
            broken[number] = _broken(lines, number, width, unit, end, said)
    result = _with(lines, broken)
    if _same(after, result):
        return result
    for number in list(broken):  # one of them is inside a string: break the others
        if not _same(after, _with(lines, {number: broken[number]})):
            del broken[number]
    result = _with(lines, broken)
    return result if _same(after, result) else after


def indented(code: str, unit: str) -> str:
    """Code that is indented by four spaces, indented by `unit`."""
    return _SPACES.sub(lambda found: unit * found[0].count(_INDENT), code)


def _with(lines: Sequence[str], broken: dict[int, dict[int, str]]) -> str:
    new = {number: line for found in broken.values() for number, line in found.items()}
    return "".join(new.get(n, line) for n, line in enumerate(lines))


def _same(one: str, other: str) -> bool:
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError, RecursionError):
        return False


def _broken(
    lines: Sequence[str],
    number: int,
    width: int,
    unit: str,
    between: str,
    texts: Mapping[str, int],
) -> dict[int, str]:
    """What becomes of a line, with its newline, and of those that go on with it: several lines in the place
    of the first, nothing in that of the others; the same where it cannot be broken. `texts` may be broken
    where more came to them."""
    last, body = _whole(lines, number)
    end = lines[last]
    newline = end[len(end.rstrip("\r\n")) :]
    before = lines[number - 1].rstrip() if number else ""
    after = lines[last + 1].lstrip() if last + 1 < len(lines) else ""
    found = _inner(before, body, after, width)
    following = lines[last + 1] if last + 1 < len(lines) else ""
    aligned = [] if found or last > number else _aligned(before, body, following, width)
    if any(one.startswith("\t") for one in lines):
        unit = "\t"
    base = _indent(body)
    found = found or _break(body, width)
    above = [before, *found]
    found = [
        part for n, one in enumerate(found) for part in broken_text(one, above[n], texts, width)
    ]
    found = aligned or [base + indented(one.removeprefix(base), unit) for one in found]
    return {
        number: between.join(found) + newline,
        **dict.fromkeys(range(number + 1, last + 1), ""),
    }


def _whole(lines: Sequence[str], number: int) -> tuple[int, str]:
    """A line with those that go on where it opens a bracket, as one line, and the number of the last of
    them; the line alone where an element of theirs is meant to stand alone, behind a comma."""
    first = body = lines[number].rstrip("\r\n")
    for last in range(number + 1, len(lines) if opens(body) else 0):
        part = lines[last].strip()
        if part.startswith(tuple(CLOSING)) and body.endswith(","):
            break
        bound = body.endswith(tuple(OPENING)) or part.startswith((*CLOSING, "."))
        body = f"{body}{part}" if bound else f"{body} {part}"
        if scan(body) is not None:
            return last, body
    return number, first


def _inner(before: str, line: str, after: str, width: int) -> list[str]:
    """What stands alone between brackets on the lines around it, or is a row of elements of a list that has
    other lines, an element a line; else nothing."""
    pairs = scan(line)
    alone = before.endswith(tuple(OPENING)) and after.startswith(tuple(CLOSING))
    row = before.endswith((*OPENING, ",")) and line.endswith(",")
    if pairs is None or not (alone or row):
        return []
    indent = line[: len(line) - len(line.lstrip())]
    whole = Pair(len(indent) - 1, len(line), outer_commas(line, pairs))
    parts = _elements(line, whole, indent, width)
    return parts if len(parts) > 1 else []


def _aligned(before: str, line: str, following: str, width: int) -> list[str]:
    """A line that opens a bracket which a later one closes, or closes one that was opened before, with as many elements
    on each line as fit, below those that are on lines of their own; nothing for any other line."""
    indent = _indent(line)
    if line.endswith(",") and len(_indent(following)) > len(indent):
        indent, shift, whole, edge = _indent(following), 0, f"{line})", len(line)
        pair = next((p for p in scan(whole) or () if p.end == edge), None)
    else:
        whole, edge, shift = f"{indent}({line.lstrip()}", len(indent), 1
        pair = next((p for p in scan(whole) or () if p.start == edge), None)
        pair = pair if before.endswith(",") else None
    rows = [""]
    cuts = [0, *(c + 1 - shift for c in pair.commas), len(line)] if pair is not None else []
    for start, end in pairwise(cuts):
        part = line[start:end]
        if rows[-1] and len(rows[-1] + part) > width:
            rows.append(indent + part.strip())
        else:
            rows[-1] += part
    return rows if len(rows) > 1 and all(len(row) <= width for row in rows) else []


def _break(line: str, width: int, *, inside: bool = False) -> list[str]:
    """A line as several; `inside` of brackets."""
    if len(line) <= width:
        return [line]
    pairs = scan(line)
    if pairs is None:
        return _flow(line, width) if opens(line) else [line]
    if _DEFINITION.match(line):
        return _definition(line, pairs, width)
    if inside or line.endswith(",") or (_OPERATOR.match(line) and not line.endswith(":")):
        return _element(line, width)
    return _statement(line, pairs, width)


def _definition(line: str, pairs: Sequence[Pair], width: int) -> list[str]:
    """A definition at its parameters; what it does on the same line gets one of its own first."""
    ends = (
        n
        for n, char in enumerate(line)
        if char == ":" and not any(p.start < n < p.end for p in pairs)
    )
    head = line[: next(ends, len(line)) + 1]
    body = line[len(head) :].strip()
    if body and body != "..." and not body.startswith("#"):
        inner = _break(f"{_indent(line)}{_INDENT}{body}", width)
        return [*_break(head, width), *inner]
    pair = next((p for p in pairs if line[p.start + 1 : p.end].strip()), None)
    if pair is None:
        return [line]
    indent = _indent(line)
    return [line[: pair.start + 1], *_opened(line, pair, width), f"{indent}{line[pair.end :]}"]


def _statement(line: str, pairs: Sequence[Pair], width: int) -> list[str]:
    """A statement at the brackets of its value, or with brackets around that."""
    said = statement(line, pairs)
    if said is None:
        return _flow(line, width)
    if len(said.before) >= width:  # what it is given to is too long by itself
        return _flow(line, width)
    inner = f"{_indent(line)}{_INDENT}"
    commas = outer_commas(said.value, scan(said.value) or ())
    cuts = [-1, *commas, len(said.value)]
    listed = [said.value[a + 1 : b].strip() for a, b in pairwise(cuts)] if commas else []
    flowing = _flow(line, width, len(said.before))
    if listed and said.before.strip() != "assert":
        body = [one for part in listed for one in _break(f"{inner}{part},", width, inside=True)]
    elif flowing == [line] and len(operands(said.value)) == 1 and not listed:
        body = [f"{inner}{said.value}"]  # nothing that it could be broken at
        if len(body[0]) > width:
            return [line]
    elif listed or not needs_brackets(said.value, operands(said.value)):
        return flowing
    else:
        body = _element(f"{inner}{said.value}", width)
    return [f"{said.before}(", *body, f"{_indent(line)}){said.after}"]


def _element(line: str, width: int) -> list[str]:
    """What stands between brackets, or one operand behind its operator: at the operators that bind least,
    or else at its brackets."""
    if len(line) <= width:
        return [line]
    operator, said = _OPERATOR.match(line), element(line)
    before, value = said.before, said.value
    if operator is not None:
        before, value = operator[0], line[operator.end() : len(line) - len(said.after)]
    first, *rest = operands(value)
    if not rest:
        return _flow(line, width, len(before))
    lines = [f"{before}{first}", *(f"{_indent(line)}{part}" for part in rest)]
    lines[-1] += said.after
    return [one for part in lines for one in _element(part, width)]


def _flow(line: str, width: int, start: int = 0) -> list[str]:
    """A line at those of its brackets, from left to right, that nothing behind them makes fit."""
    indent = _indent(line)
    at = len(indent)
    closes = line[at : at + 1] in tuple(CLOSING) if line[at : at + 1] else False
    code = f"{indent} {line[at + 1 :]}" if closes else line
    pairs = scan(code[:-1] if opens(code) else code) or ()
    usable = [p for p in pairs if p.start >= start and line[p.start + 1 : p.end].strip()]
    ends = [*(p.start + 1 for p in usable[1:]), len(line)]
    for pair, end in zip(usable, ends, strict=False):
        if end > width:
            rest = _flow(f"{indent}{line[pair.end :]}", width)
            return [line[: pair.start + 1].rstrip(), *_opened(line, pair, width), *rest]
    return [line]


def _opened(line: str, pair: Pair, width: int) -> list[str]:
    """What stands in a pair of brackets that is opened: on one line, or an element a line."""
    indent = f"{_indent(line)}{_INDENT}"
    inner = line[pair.start + 1 : pair.end].strip()
    whole = f"{indent}{inner}"
    fits = len(whole) <= width and not inner.endswith(",")
    if fits and not (pair.commas and _is_display(line, pair)):
        return [whole]
    return _elements(line, pair, indent, width)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _elements(line: str, pair: Pair, indent: str, width: int) -> list[str]:
    """What stands between brackets, an element a line."""
    cuts = [pair.start, *pair.commas, pair.end]
    parts = [line[a + 1 : b].strip() for a, b in pairwise(cuts)]
    parts = [part for part in parts if part]
    if len(parts) == 1 and not pair.commas:
        parts = _clauses(parts[0])
        return [one for part in parts for one in _break(f"{indent}{part}", width, inside=True)]
    return [one for part in parts for one in _break(f"{indent}{part},", width, inside=True)]


def _clauses(part: str) -> list[str]:
    """A comprehension's result and clauses; any other part as it is."""
    pairs = scan(part)
    if pairs is None or len(split(part, pairs, FOR)) == 1:
        return [part]
    return split(part, pairs, _CLAUSE)


def _is_display(line: str, pair: Pair) -> bool:
    """Whether brackets are those of a list, dict, set or tuple, and no call's or subscript's."""
    before = line[: pair.start][-1:]
    return not before or not (before.isalnum() or before in "_)]\"'")
