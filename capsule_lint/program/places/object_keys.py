"""Keys of objects in the buckets of S3: `s3.put_object(Bucket=bucket, Key=export_key(tenant_id, day))`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.program.model import Function
    from capsule_lint.program.places.keys import Keys

_METHODS: Final = re.compile(r".+_(?:object|file|fileobj)")
"""Methods of a bucket that are told the key of an object, beside those that are told the bucket as well."""
_BY_PLACE: Final = re.compile(r"(?:up|down)load_file(?:obj)?|Object(?:Summary)?")
"""Methods that are told it by its place."""
_MAX_DEPTH: Final = 3


class ObjectKeys(Struct, frozen=True):
    """Tells which functions make such keys; where a table is asked by one as well, that is found by itself."""

    keys: Keys

    def makes(self, function: Function) -> bool:
        """Whether what a function gives goes to such a place wherever it is called, tests aside."""
        return self._is_sure(lambda: self._makes(function, 0))

    def goes(self, node: tree.Node) -> bool:
        """Whether such a key stands where an expression does, or where that goes: in a longer text, by a local, a
        parameter, or what a function gives back."""
        return self._is_sure(lambda: self._goes(node, 0))

    def _is_sure(self, asked: Callable[[], bool]) -> bool:
        """The answer to a question: who else calls those functions matters only where it is yes so far."""
        with self.keys.names.aside():
            found = asked()
        return found and asked()

    def _makes(self, function: Function, depth: int) -> bool:
        names = self.keys.names
        every = (call for call, _ in self.keys.calls.callers(function))
        calls = [call for call in every if not names.module_of(call).is_test]
        return bool(calls) and all(self._goes(call, depth) for call in calls)

    def _goes(self, node: tree.Node, depth: int) -> bool:
        if depth > _MAX_DEPTH:
            return False
        names = self.keys.names
        match names.parent(node):
            case tree.Call() as call if node is not call.func:
                return any(
                    self._asks(call, argument)
                    or any(self._goes(read, depth + 1) for read in self._reads(call, argument))
                    for argument in call.args
                    if argument.value is node
                )
            case tree.DictDisplay() as told:
                return told.under("Key") is node and told.under("Bucket") is not None
            case tree.Assign(targets=(tree.Name() as local,), op=""):
                reads = reads_of(names, local, (local.at,))
                return any(self._goes(read, depth + 1) for read in reads)
            case tree.FString() | tree.Binary() as longer:
                return self._goes(longer, depth)
            case tree.Eval(kind="return") if (function := names.function_of(node)) is not None:
                return self._makes(function, depth + 1)
            case _:
                return False

    def _reads(self, call: tree.Call, argument: tree.Argument) -> Iterator[tree.Node]:
        """Where functions that a call calls read what it gives them by an argument."""
        calls, names = self.keys.calls, self.keys.names
        name = argument.keyword or calls.parameter_of(call, argument) or ""
        for callee in calls.callees(call):
            family = calls.families.of(callee.function) if callee.function is not None else ()
            for function in family:
                yield from names.called(function, name)

    def _asks(self, call: tree.Call, argument: tree.Argument) -> bool:
        """Whether an argument says to a bucket which object is meant."""
        if argument.keyword is None:
            method = last_name(call.func)
            by_place = isinstance(call.func, tree.Attr) and _BY_PLACE.fullmatch(method)
            return bool(by_place) and not self.keys.calls.callees(call)
        return is_object_key(call, argument)


def is_object_key(call: tree.Call, argument: tree.Argument) -> bool:
    """Whether an argument says by its name to a bucket which object is meant."""
    of_bucket = any(name == "Bucket" for name, _ in call.keywords)
    known = of_bucket or bool(_METHODS.fullmatch(last_name(call.func)))
    return argument.keyword == "Key" and known
