"""What speaks of SQL: its statements, and the methods by which a database with rows is asked."""

from __future__ import annotations

import re
from typing import Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

OF_ROWS: Final = frozenset(
    [
        "executemany",
        "fetchall",
        "fetchone",
        "fetchrow",
        "fetchval",
        "one_or_none",
        "scalars",
    ]
)
"""Methods that only databases with rows have."""
ONE_ROW: Final = frozenset(("fetchone", "fetchrow", "fetch_one"))
MANY_ROWS: Final = frozenset(("fetchall", "fetchmany", "fetch_all"))
"""Methods that give a row, and several."""
ASKING: Final = frozenset(
    [
        "exec",
        "execute",
        "executemany",
        "fetch",
        "fetch_all",
        "fetch_one",
        "fetchrow",
        "fetchval",
        "query",
        "raw",
        "read_sql",
        "read_sql_query",
        "scalars",
        "sql",
    ]
)
"""Methods that are given statements, also of databases of other kinds."""
_STATEMENT: Final = re.compile(
    r"\s*(?:SELECT\b.*\bFROM|INSERT\s+INTO|UPDATE\s.*\bSET|DELETE\s+FROM|SELECT\s+1)\b",
    re.IGNORECASE | re.DOTALL,
)
_PARTIQL: Final = re.compile(r"statement|partiql", re.IGNORECASE)
"""How what takes PartiQL is called."""
_NO_PARTIQL: Final = re.compile(
    r"\s*INSERT\s+INTO\s+[\w.`\"\[\]]+\s*\(|%s|%\(|\$\d|[\s(=,]:\w", re.IGNORECASE
)
"""What only SQL says: the columns of what is inserted, and places that are no `?`."""
_SELECTED: Final = re.compile(r"\s*SELECT\b(.*?)\bFROM\b", re.IGNORECASE | re.DOTALL)


def is_sql(call: tree.Call) -> bool:
    """Whether a call is given a statement of SQL, which is no PartiQL."""
    return says_sql(call, beginning(call))


def says_sql(call: tree.Call, text: str) -> bool:
    """Whether a text that a call is given is one."""
    return _STATEMENT.match(text) is not None and _PARTIQL.search(last_name(call.func)) is None


def is_no_partiql(text: str) -> bool:
    """Whether a statement says what PartiQL of DynamoDB has not, though both may be given to a method `execute`."""
    return _NO_PARTIQL.search(text) is not None


def names_its_values(call: tree.Call) -> bool:
    """Whether a call is given a statement of SQL that a dict fills, which PartiQL's are not."""
    return is_sql(call) and is_no_partiql(beginning(call))


def selected(node: tree.Node) -> set[str]:
    """The names of what a statement reads out of SQL: columns, tables before them, and `*` for all."""
    found = _SELECTED.match(_text_of(node))
    return set(re.findall(r"\w+|\*", found[1].lower())) if found is not None else set()


def is_statement(node: tree.Node) -> bool:
    """Whether a text that is written out, or begins so, is a statement of SQL."""
    return _STATEMENT.match(_text_of(node)) is not None


def beginning(call: tree.Call) -> str:
    """The text that a call is given first."""
    first = call.args[0].value if call.args and call.args[0].keyword is None else None
    return _text_of(first) if first is not None else ""


def _text_of(node: tree.Node) -> str:
    """What a text says; with something in its holes."""
    match node:
        case tree.Const(value=str() as value):
            return value
        case _ if tree.makes_text(node):
            return "".join(p if isinstance(p, str) else "x" for p in tree.said_in(node))
        case tree.Call():  # `text("SELECT …")`
            return beginning(node)
        case _:
            return ""
