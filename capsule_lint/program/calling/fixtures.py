"""What pytest passes to tests: fixtures by name, and the rows of `parametrize`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.strategies import drawn, filling
from capsule_lint.program.inference.types import (
    ANYTHING,
    Types,
    join,
)
from capsule_lint.program.model import Binding, Function, last_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.names import Names

SETUPS: Final = ("setUp", "asyncSetUp", "setup_method", "setUpClass", "setup_class")
"""The methods that run before the tests of a class."""


@dataclass(eq=False)
class Fixtures:
    """Finds fixtures."""

    inference: Inference

    def rows(self, function: Function, name: str) -> Types | None:
        """What `@pytest.mark.parametrize` gives a parameter of a test, or a strategy of Hypothesis."""
        strategy = filling(function, name)
        if strategy is not None and (found := drawn(self.inference.of(strategy))):
            return found
        values = parametrized(function, name)
        return join(*map(self.inference.of, values)) or ANYTHING if values is not None else None

    def given(self, function: Function, name: str) -> list[tree.Node]:
        """What pytest gives a test or fixture by a name: the values of `parametrize`, or what a fixture gives."""
        values, fixture = parametrized(function, name), self.named(function, name)
        if values is not None or fixture is None:
            return values or []
        return fixture.given_back

    def named(self, function: Function, name: str) -> Function | None:
        """The pytest fixture that a parameter of a test or fixture asks for."""
        module = function.module
        if not is_collected(function):
            return None
        owner = function.owner
        if owner is not None:
            for cls in self.inference.classes.mro(owner):
                method = cls.methods.get(name)
                if (
                    method is not None
                    and "fixture" in method.decorators
                    and method is not function
                ):
                    return method
        candidates = [self.inference.names.global_binding(module, name)]
        folder = module.filename.rpartition("/")[0]
        while True:
            conftest = f"{folder}/conftest.py" if folder else "conftest.py"
            other = self.inference.names.file(conftest)
            if other is not None and other is not module:
                candidates.append(self.inference.names.global_binding(other, name))
            if not folder:
                break
            folder = folder.rpartition("/")[0]
        for candidate in candidates:
            target = self.inference.names.follow(candidate) if candidate is not None else None
            found = target.definition if isinstance(target, Binding) else None
            if (
                isinstance(found, Function)
                and found is not function
                and "fixture" in found.decorators
            ):
                return found
        self.inference.names.ask(name)
        others = [f for f in self.by_name.get(name, ()) if f is not function]
        return others[0] if others else None

    @cached_property
    def by_name(self) -> dict[str, list[Function]]:
        """All fixtures by the names under which tests ask for them."""
        found: dict[str, list[Function]] = {}
        for module in self.inference.names.modules.values():
            for function in module.functions if module.is_test else ():
                if "fixture" in function.decorators:
                    found.setdefault(asked_as(function), []).append(function)
        return found

    def request_parameter(self, node: tree.Attr) -> Types | None:
        """`request.param` in a fixture with `params=[…]`."""
        whole = self._params(node)
        return join(*map(self.inference.of, whole)) or ANYTHING if whole is not None else None

    def _params(self, node: tree.Attr) -> list[tree.Node] | None:
        """The values that `request.param` is one of; `None` where that is something else."""
        if node.name != "param" or not isinstance(node.base, tree.Name):
            return None
        function = self.inference.names.function_of(node)
        params = _fixture_option(function, "params") if function is not None else None
        if not isinstance(params, tree.Sequence):
            return None
        values = [_parameter_set(item)[:1] or (item,) for item in params.items]
        return [
            item if isinstance(item, tree.Sequence) else v[0]
            for item, v in zip(params.items, values, strict=True)
        ]

    def asked_for(self, node: tree.Node) -> Types:
        """What `request.getfixturevalue(…)` gives for a name, or for each that `request.param` or a parameter of
        `parametrize` may be."""
        function = self.inference.names.function_of(node)
        said: list[tree.Node] | None = [node]
        if isinstance(node, tree.Attr):
            said = self._params(node)
        elif isinstance(node, tree.Name) and function is not None:
            said = parametrized(function, node.id)
        names = [tree.text(one) for one in said or ()]
        given = [f for name in names if name is not None for f in self.by_name.get(name, ())]
        results = self.inference.results
        return join(*(results.yielded(self.inference.returned(f)) for f in given)) or ANYTHING


def fixture_giving(names: Names, node: tree.Node) -> Function | None:
    """The fixture that gives an expression back, as it is."""
    function = names.function_of(node)
    if function is None or "fixture" not in function.decorators:
        return None
    return function if node in function.given_back else None


def is_collected(function: Function) -> bool:
    """Whether pytest fills its parameters: a test, or a fixture."""
    return (
        function.name.startswith("test")
        or "fixture" in function.decorators
        or function.name
        in ("setup_method", "teardown_method", "setup_class", "pytest_generate_tests")
    )


def parameter_names(call: tree.Call) -> list[str]:
    """The names that `parametrize("a, b", …)` and `parametrize(("a", "b"), …)` fill."""
    said = call.args[0].value if call.args else None
    if isinstance(said, tree.Sequence):
        return [text for item in said.items if (text := tree.text(item)) is not None]
    text = tree.text(said) if said is not None else None
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def is_parametrizing(call: object, given: tree.Node) -> bool:
    """Whether `given` are the names that a `parametrize` decorator fills, or what it fills them with, one test each."""
    if not isinstance(call, tree.Call) or last_name(call.func) != "parametrize":
        return False
    return any(argument.value is given for argument in call.args)


def asked_as(fixture: Function) -> str:
    """The name under which tests ask for a fixture."""
    return tree.text(_fixture_option(fixture, "name")) or fixture.name


def parametrized(function: Function, name: str) -> list[tree.Node] | None:
    """The values that `parametrize` gives a parameter of a test; `None` where it gives it none."""
    rows = rows_of(function, name)
    return [row[name] for row in rows if name in row] if rows is not None else None


def found_by_rows(names: Names, node: tree.Node) -> list[str]:
    """The names by which `getattr(keys, name)` finds something, where `name` is a parameter of a test whose rows
    write them all out; none where it is anything else."""
    match node:
        case tree.Call(
            func=tree.Name(id="getattr"), args=(_, tree.Argument(value=tree.Name() as by))
        ):
            bound = names.bindings_of(by)
        case _:
            return []
    function = bound[0].function if len(bound) == 1 and bound[0].kind == "param" else None
    values = parametrized(function, by.id) if function is not None else None
    texts = [tree.text(value) for value in values or ()]
    return [] if None in texts else [text for text in texts if text is not None]


def rows_of(function: Function, *names: str) -> list[dict[str, tree.Node]] | None:
    """What one `parametrize` gives the parameters of a test in each of its rows; `None` where none gives all that are
    asked for."""
    for decorator in function.fact.decorators:
        if isinstance(decorator, tree.Call) and last_name(decorator.func) == "parametrize":
            filled = parameter_names(decorator)
            rows = _given_rows(decorator, function) if set(names) <= set(filled) else None
            if rows is not None:
                return [dict(zip(filled, _values(row, filled), strict=False)) for row in rows]
    return None


def _given_rows(decorator: tree.Call, function: Function) -> tuple[tree.Node, ...] | None:
    """The rows of `parametrize`, also where they are a constant of the test's module."""
    rows = decorator.args[1].value if len(decorator.args) > 1 else None
    if isinstance(rows, tree.Name):
        bindings = function.module.scope.bindings.get(rows.id, ())
        rows = bindings[0].assigned if len(bindings) == 1 else None
    return rows.items if isinstance(rows, tree.Sequence) else None


def _values(row: tree.Node, names: Sequence[str]) -> tuple[tree.Node, ...]:
    values = _parameter_set(row)
    return values if len(names) > 1 or len(values) == 1 else (row,)


def _fixture_option(function: Function, name: str) -> tree.Node | None:
    """The value of a keyword of `@pytest.fixture(…)`."""
    for decorator in function.fact.decorators:
        if isinstance(decorator, tree.Call) and last_name(decorator) == "fixture":
            return decorator.keyword(name)
    return None


def _parameter_set(row: tree.Node) -> tuple[tree.Node, ...]:
    if isinstance(row, tree.Sequence):
        return row.items
    if isinstance(row, tree.Call) and last_name(row.func) == "param":
        return tuple(a.value for a in row.args if a.keyword is None)
    return (row,)
