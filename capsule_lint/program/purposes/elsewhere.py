"""Classes that keep what they keep elsewhere than in DynamoDB: in SQL, in files, in S3, behind HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import ClassObject, Foreign, Instance
from capsule_lint.program.model import last_name
from capsule_lint.program.purposes.sql import OF_ROWS, beginning, is_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.classes import Classes
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Class
    from capsule_lint.program.names import Names

OF_SERVICES: Final = frozenset(("Bucket", "SecretId", "QueueUrl", "TopicArn", "FunctionName"))
"""What only other services of AWS are told."""
_OF_DOCUMENTS: Final = frozenset(
    [
        "delete_many",
        "delete_one",
        "find_one",
        "insert_many",
        "insert_one",
        "replace_one",
        "update_many",
        "update_one",
    ]
)
"""Methods that only databases of documents have."""
_METHODS: Final = (_OF_DOCUMENTS | OF_ROWS) | frozenset(
    [
        "read_bytes",
        "read_text",
        "unlink",
        "write_bytes",
        "write_text",
    ]
)
"""The same, and those of databases with rows and of files."""
_REQUESTS: Final = frozenset(("get", "post", "put", "patch", "delete", "request"))
_LIBRARIES: Final = frozenset(
    [
        "aiohttp",
        "aiomysql",
        "asyncpg",
        "beanie",
        "databases",
        "django",
        "elasticsearch",
        "httpx",
        "mongoengine",
        "motor",
        "opensearchpy",
        "pathlib",
        "peewee",
        "psycopg",
        "psycopg2",
        "pymongo",
        "pymysql",
        "requests",
        "sqlalchemy",
        "sqlite3",
        "sqlmodel",
        "tortoise",
        "urllib3",
    ]
)
TELLING: Final = frozenset(
    [
        "opentelemetry",
        "posthog",
        "prometheus_client",
        "sendgrid",
        "sentry_sdk",
        "slack_sdk",
        "smtplib",
        "statsd",
        "structlog",
        "twilio",
    ]
)
"""Libraries that tell people of something, or measure it: nothing comes back."""
OTHERS: Final = (_LIBRARIES | TELLING) | frozenset(
    [
        "aiokafka",
        "airflow",
        "azure",
        "confluent_kafka",
        "dagster",
        "google",
        "happybase",
        "kafka",
        "ldclient",
        "pandas",
        "polars",
        "prefect",
        "pyiceberg",
        "pyspark",
        "stripe",
    ]
)
"""These, and those that have rows, messages, payments and partitions of their own."""
_SEARCHED: Final = frozenset(("query", "body", "document"))


@dataclass(eq=False, slots=True)
class Elsewhere:
    """Finds what shows it. Of a class of which nothing shows it, the name is believed."""

    names: Names
    classes: Classes
    inference: Inference

    def keeps(self, cls: Class) -> bool:
        """Whether a method, its own or one that it inherits, asks another store."""
        return any(map(self._asks, self._calls(cls)))

    def _calls(self, cls: Class) -> Iterator[tree.Call]:
        for owner in self.classes.mro(cls):
            for method in owner.methods.values():
                for node in self.names.inside(method):
                    if isinstance(node, tree.Call):
                        yield node

    def _asks(self, call: tree.Call) -> bool:
        keywords = {name for name, _ in call.keywords}
        if keywords & OF_SERVICES or ("index" in keywords and keywords & _SEARCHED):
            return True
        name = last_name(call.func)
        if not isinstance(call.func, tree.Attr):
            return name == "open"
        if is_sql(call):
            return True
        said = beginning(call)
        if name in _METHODS or (name in _REQUESTS and said.startswith(("/", "http"))):
            return True
        types = self.inference.of(call.func.base)
        return bool(types) and all(
            isinstance(one, Foreign) and one.name.partition(".")[0] in _LIBRARIES for one in types
        )


def is_of_others(one: Type, classes: Classes, libraries: frozenset[str] = OTHERS) -> bool:
    """Whether a value is of one of some libraries, by default those that keep or hand on things elsewhere than in DynamoDB,
    or its class is a model there."""
    match one:
        case Foreign(name=name):
            return name.partition(".")[0] in libraries
        case Instance(cls=cls) | ClassObject(cls=cls):
            return any(base.partition(".")[0] in libraries for base in classes.foreign_bases(cls))
        case _:
            return False


def asks_elsewhere(call: tree.Call) -> bool:
    """Whether a call asks in words that only a search engine, or a database of documents, is asked in: `vespa.query(body=body)`."""
    return not _SEARCHED.isdisjoint(name for name, _ in call.keywords)


def is_of_documents(call: tree.Call) -> bool:
    """Whether a call asks a database of documents for what it is given."""
    return isinstance(call.func, tree.Attr) and call.func.name in _OF_DOCUMENTS
