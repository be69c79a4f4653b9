"""Attributes of requests and the like that a function sets itself: before that, they have no value in it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.supply.restated import CONSTRUCTORS
from capsule_lint.program.inference.presence import ends, has_run
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import enclosing, named_setting
from capsule_lint.program.walk import targets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.state import Value
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module, Place


@dataclass(eq=False, slots=True)
class SetHere:
    """Finds out whether what is read of them has been set."""

    program: Program
    _sets: dict[int, dict[str, list[Place]]] = field(default_factory=dict)
    """Where each module sets which expressions, by the modules."""

    def standing(self, value: Value | None, node: tree.Node) -> Value | None:
        """A value, if it can be read at an expression: where the functions around set `g.capsule_id` themselves,
        they have done so by then, whatever happened; and it is not read before that."""
        if value is None or not ("." in value.code or "[" in value.code):
            return value
        place = self.program.names.place(node)
        if comes_later(self.program, value.code, place):
            return None
        every = self._in(place.scope.module).get(value.code.replace("'", '"'), ())
        around = {id(scope) for scope in place.scope.ancestors() if scope.kind == "function"}
        own = [at for at in every if id(at.scope) in around]
        if not own:
            return value
        done = any(has_run(at, place) and at.order < place.order for at in own)
        return replace(value, bind=False) if done or _in_any_case(own, place) else None

    def _in(self, module: Module) -> dict[str, list[Place]]:
        if id(module) not in self._sets:
            found: dict[str, list[Place]] = defaultdict(list)
            for statement, place in module.statements:
                for code in self._set_by(statement) if place.scope.kind == "function" else ():
                    found[code].append(place)
            self._sets[id(module)] = found
        return self._sets[id(module)]

    def _set_by(self, statement: tree.Statement) -> Iterator[str]:
        """The attributes and entries that a statement gives a value, of objects of no class of the program's:
        its own have theirs from the start."""
        match statement:
            case tree.Assign(targets=targets):
                for target, _ in (leaf for one in targets for leaf in targets_of(one)):
                    if isinstance(target, tree.Attr | tree.Subscript):
                        code = text_of(target)
                        if code is not None and not self._is_known(target.base):
                            yield code
            case tree.Eval(kind="expr", values=(tree.Call() as call,)):
                setting = named_setting(call)
                base = text_of(setting[0]) if setting is not None else None
                if setting is not None and base is not None and not self._is_known(setting[0]):
                    yield f"{base}.{setting[1]}"

    def _is_known(self, node: tree.Node) -> bool:
        return any(isinstance(one, Instance) for one in self.program.inference.of(node))


def comes_later(program: Program, code: str, place: Place) -> bool:
    """Whether code reads an attribute of the own object, `self.ctx.capsule_id`, that nothing has set by then for sure:
    the method around does so later itself, and no constructor does."""
    root, _, path = code.partition(".")
    name = path.partition(".")[0].partition("[")[0]
    for function in enclosing(place):
        owner = function.owner if function.self_name == root else None
        homes = program.classes.mro(owner) if owner is not None else ()
        stores = [store for home in homes for store in home.stores.get(name, ())]
        own = [s.statement.targets[0] for s in stores if s.function is function]
        orders = [program.names.place(target).order for target in own]
        if orders and min(orders) >= place.order:
            declared = any(name in home.scope.bindings for home in homes)
            return not declared and not any(s.function.name in CONSTRUCTORS for s in stores)
    return False


def _in_any_case(sets: list[Place], place: Place) -> bool:
    """Whether each branch of an `if` before a place sets something, or leaves."""
    blocks = place.scope.module.blocks
    done: dict[int, set[int]] = defaultdict(set)
    for at in sets:
        if (
            at.order < place.order
            and at.blocks
            and at.blocks[:-1] == place.blocks[: len(at.blocks) - 1]
        ):
            number, branch, _ = at.blocks[-1]
            done[number].add(branch)
    return any(
        blocks[number].kind == "if"
        and all(n in branches or ends(body) for n, body in enumerate(blocks[number].bodies))
        for number, branches in done.items()
        if number not in {one for one, _, _ in place.blocks}
    )
