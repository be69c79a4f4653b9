"""Lines that a change made too long, broken as formatters break them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_STRING = re.compile(r"(?i:[rbuf]{0,2})(?P<quote>'''|\"\"\"|'|\")")
_OPENING, _CLOSING = "([{", ")]}"
_DEFINITION = re.compile(r"\s*(?:async\s+def|def|class)\b")
_CLAUSE = re.compile(r" (?:async for|for|if) ")
_OPERATOR = re.compile(r" (?:if|else|and|or|==|!=|in|not in|is|is not) ")
_FOR = re.compile(r" (?:async for|for) ")
_HEADER = re.compile(r"(?P<indent>\s*)(?:if|elif|while) (?P<value>.*):")
_COMPARISON = re.compile(r" (?:==|!=|<=|>=|<|>|not in|in|is not|is) ")
_AND, _OR = re.compile(r" and "), re.compile(r" or ")
_EQUALS = re.compile(r" = ")
_VALUE = re.compile(r"(?P<indent>\s*)(?:return|assert|\w+(?:\.\w+)*(?: *: *[\w\[\], .|]+)? =) ")
_PLUS = re.compile(r" \+ ")
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class _Pair:
    """A pair of outermost brackets of a line: the offsets of both, and of the commas between."""

    start: int
    end: int
    commas: tuple[int, ...]


def wrapped(before: str, after: str, width: int) -> str:
    """`after` with those lines broken that are longer than `width` and were not in `before`.

    Both are the text of whole statements. What cannot be broken without a doubt stays: a line that
    ends in a comment, a piece of a string. The statements stay the same for Python.
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
    broken = {n: _broken(lines, n, width) for n in long}
    result = _with(lines, broken)
    if _same(after, result):
        return result
    for number in long:  # one of them is inside a string: break the others
        if not _same(after, _with(lines, {number: broken[number]})):
            del broken[number]
    result = _with(lines, broken)
    return result if _same(after, result) else after


def _with(lines: Sequence[str], broken: dict[int, str]) -> str:
    return "".join(broken.get(n, line) for n, line in enumerate(lines))


def _same(one: str, other: str) -> bool:
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError, RecursionError):
        return False


def _broken(lines: Sequence[str], number: int, width: int) -> str:
    """A line, with its newline, as several; the same where it cannot be broken."""
    line = lines[number]
    body = line.rstrip("\r\n")
    newline = line[len(body) :]
    return newline.join(_inner(lines, number, body, width) or _break(body, width)) + newline


def _inner(lines: Sequence[str], number: int, line: str, width: int) -> list[str]:
    """What stands alone between brackets on the lines around it, an element a line; else nothing."""
    before = lines[number - 1].rstrip() if number else ""
    after = lines[number + 1].lstrip() if number + 1 < len(lines) else ""
    pairs = _scan(line)
    if (
        pairs is None
        or not before.endswith(tuple(_OPENING))
        or not after.startswith(tuple(_CLOSING))
    ):
        return []
    indent = line[: len(line) - len(line.lstrip())]
    whole = _Pair(len(indent) - 1, len(line), _outer_commas(line, pairs))
    parts = _elements(line, whole, indent, width)
    return parts if len(parts) > 1 else []


def _outer_commas(line: str, pairs: Sequence[_Pair]) -> tuple[int, ...]:
    """The commas between elements that no bracket and no string of a line holds."""
    if len(_split(line, pairs, _FOR)) > 1:
        return ()
    found = []
    at = 0
    inside = {p.start: p.end for p in pairs}
    while at < len(line):
        string = _string_at(line, at)
        if string > at:
            at = string
        elif at in inside:
            at = inside[at] + 1
        else:
            if line[at] == ",":
                found.append(at)
            at += 1
    return tuple(found)


def _break(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    scanned = _scan(line)
    grouped = (
        _condition(line, scanned)
        or _header(line, scanned, width)
        or _grouped(line, scanned, width)
        if scanned is not None
        else []
    )
    if grouped:
        return grouped
    pair = _chosen(line, scanned, width) if scanned is not None else None
    if pair is None:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    head, tail = line[: pair.start + 1].rstrip(), indent + line[pair.end :].lstrip()
    inner = line[pair.start + 1 : pair.end].strip()
    trailing = inner.endswith(",")
    whole = f"{indent}{_INDENT}{inner}"
    if len(whole) <= width and not trailing and not (pair.commas and _is_display(line, pair)):
        return [head, whole, tail]
    return [head, *_elements(line, pair, indent + _INDENT, width), tail]


def _condition(line: str, pairs: Sequence[_Pair]) -> list[str]:
    """The condition of a comprehension, which stands on a line by itself, at its operators."""
    body = line.lstrip()
    indent = line[: len(line) - len(body)]
    if not body.startswith("if ") or body.endswith(":"):
        return []
    parts = _operands(line, pairs)
    return [f"{indent}{part}" for part in parts] if len(parts) > 1 else []


def _operands(part: str, pairs: Sequence[_Pair]) -> list[str]:
    """A condition at those of its operators that bind least."""
    found = _split(part, pairs, _OR)
    return found if len(found) > 1 else _split(part, pairs, _AND)


def _header(line: str, pairs: Sequence[_Pair], width: int) -> list[str]:
    """A statement with a condition and brackets around that: `if (…):`. One that ends in a call and
    has one operator at most is broken in the call."""
    found = _HEADER.fullmatch(line)
    value = found["value"] if found is not None else ""
    inside = _scan(value)
    if found is None or inside is None:
        return []
    parts = _operands(value, inside)
    if len(parts) < 3 and value.endswith(tuple(_CLOSING)):
        return []
    indent = found["indent"] + _INDENT
    if len(indent + value) <= width:
        parts = [value]
    elif len(parts) == 1:
        parts = _split(value, inside, _COMPARISON)
        if len(parts) == 1:
            return []
    broken = [one for part in parts for one in _break(f"{indent}{part}", width)]
    return [f"{line[: found.start('value')]}(", *broken, f"{found['indent']}):"]


def _grouped(line: str, pairs: Sequence[_Pair], width: int) -> list[str]:
    """A statement whose value ends in no bracket, with brackets around that: `return (…)`."""
    found = _VALUE.match(line)
    if found is None or line.endswith(tuple(_CLOSING)):
        return []
    value, indent = line[found.end() :], found["indent"]
    inside = [_Pair(p.start - found.end(), p.end - found.end(), ()) for p in pairs]
    if any(pair.start < 0 for pair in inside):
        return []
    parts = _split(value, inside, _OPERATOR, first=True)
    if len(parts) == 1:
        return []
    whole = f"{indent}{_INDENT}{value}"
    parts = [whole] if len(whole) <= width else [f"{indent}{_INDENT}{part}" for part in parts]
    broken = [one for part in parts for one in _break(part, width)]
    return [f"{line[: found.end()]}(", *broken, f"{indent})"]


def _elements(line: str, pair: _Pair, indent: str, width: int) -> list[str]:
    """What stands between brackets, an element a line."""
    cuts = [pair.start, *pair.commas, pair.end]
    parts = [line[a + 1 : b].strip() for a, b in pairwise(cuts)]
    parts = [part for part in parts if part]
    if len(parts) == 1 and not pair.commas:
        parts = _clauses(parts[0])
        return [one for part in parts for one in _break(f"{indent}{part}", width)]
    return [one for part in parts for one in _break(f"{indent}{part},", width)]


def _clauses(part: str) -> list[str]:
    """A comprehension's result and clauses, the operands of a condition, or the parts of a sum."""
    pairs = _scan(part)
    if pairs is None:
        return [part]
    if len(_split(part, pairs, _FOR)) > 1:
        return _split(part, pairs, _CLAUSE)
    operands = _operands(part, pairs)
    return operands if len(operands) > 1 else _split(part, pairs, _PLUS)


def _split(
    part: str, pairs: Sequence[_Pair], mark: re.Pattern[str], *, first: bool = False
) -> list[str]:
    """A part at the marks outside of its brackets; at a leading `if` only where it may be the `first`."""
    cuts = [0]
    at = 0
    inside = {p.start: p.end for p in pairs}
    while at < len(part):
        string = _string_at(part, at)
        if string > at:
            at = string
        elif at in inside:
            at = inside[at] + 1
        else:
            word = mark.match(part, at)
            if word is not None and (first or len(cuts) > 1 or word[0] != " if "):
                cuts.append(at + 1)
            at = word.end() if word is not None else at + 1
    return [part[a:b].strip() for a, b in pairwise([*cuts, len(part)])]


def _chosen(line: str, pairs: Sequence[_Pair], width: int) -> _Pair | None:
    """The brackets to break: the parameters of a definition, else the longest of those that help."""
    usable = [
        p
        for p in pairs
        if line[p.start + 1 : p.end].strip() and p.start < width and not _is_item(line, p)
    ]
    if not usable:
        return None
    if _DEFINITION.match(line):
        return usable[0]
    value = len(line) - len(_split(line, pairs, _EQUALS)[-1])
    if not any(p.start > value for p in usable):
        return usable[-1]
    usable = [p for p in usable if p.start > value]
    return max(usable, key=lambda p: (p.end - p.start, p.start))


def _is_item(line: str, pair: _Pair) -> bool:
    """Whether brackets only read one item: `note["tenant_id"]`."""
    before, inner = line[: pair.start][-1:], line[pair.start + 1 : pair.end]
    single = inner.strip("\"'").isidentifier()
    return line[pair.start] == "[" and (before.isalnum() or before in ("_", ")", "]")) and single


def _is_display(line: str, pair: _Pair) -> bool:
    """Whether brackets are those of a list, dict, set or tuple, and no call's or subscript's."""
    before = line[: pair.start][-1:]
    return not before or not (before.isalnum() or before in "_)]\"'")


def _scan(line: str) -> list[_Pair] | None:
    """The outermost brackets of a line; `None` when it is no whole piece of code by itself."""
    pairs: list[_Pair] = []
    stack: list[int] = []
    commas: list[int] = []
    each = False  # the commas of a comprehension are those of its targets
    at = 0
    while at < len(line):
        end = _string_at(line, at)
        if end < 0:
            return None
        if end > at:
            at = end
            continue
        char = line[at]
        if char == "#":
            return None
        if char in _OPENING:
            stack.append(at)
        elif char in _CLOSING:
            if not stack:
                return None
            start = stack.pop()
            if not stack:
                pairs.append(_Pair(start, at, () if each else tuple(commas)))
                commas, each = [], False
        elif char == "," and len(stack) == 1:
            commas.append(at)
        elif len(stack) == 1 and _FOR.match(line, at):
            each = True
        at += 1
    return pairs if not stack else None


def _string_at(line: str, at: int) -> int:
    """Where the string literal that starts at `at` ends: `at` itself if none does, -1 if it is open."""
    if line[at] not in "'\"rbufRBUF" or (at and (line[at - 1].isalnum() or line[at - 1] == "_")):
        return at
    string = _STRING.match(line, at)
    return at if string is None else _string_end(line, string.end(), string["quote"])


def _string_end(line: str, at: int, quote: str) -> int:
    while at < len(line):
        if line[at] == "\\":
            at += 2
        elif line.startswith(quote, at):
            return at + len(quote)
        else:
            at += 1
    return -1
