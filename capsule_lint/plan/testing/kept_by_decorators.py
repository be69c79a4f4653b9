"""Keys under which a decorator keeps what a function gives, where tests look them up at the function that it has
decorated, or at the object whose method that is: `assert list(load.memory) == ["t:1"]`, `assert "t:1" in repo.cache`."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Replace
from capsule_lint.plan.keys.spelled import literal_text
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.uses.registries import picking
from capsule_lint.program.inference.types import FunctionObject, Instance
from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.memory.local_notes import LocalDefect
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.testing.lookins import LookIns
    from capsule_lint.program.model import Module

_FILLED = re.compile(r"\{\w+\}")


class KeptByDecorators(MendRoom, Struct, frozen=True):
    """Mends them as the keys change that the decorator makes."""

    mends: Mends
    look_ins: LookIns

    def build(self) -> None:
        """Add the mends; a key that cannot be mended makes the change unsafe."""
        changing = dict(self._changing())
        for use, function, _ in self.look_ins.at_functions(changing):
            for key in self.look_ins.keys(use):
                self._key(self.program.names.module_of(key), key, changing[function])
        for key, function in self._at_objects(changing):
            self._key(self.program.names.module_of(key), key, changing[function])

    def _at_objects(self, functions: Iterable[Function]) -> Iterator[tuple[tree.Node, Function]]:
        """The keys of what decorators keep at the objects whose methods they have decorated."""
        homes: dict[str, list[Function]] = defaultdict(list)
        for function in functions:
            for name in set(self._attributes(function)) if function.owner is not None else ():
                homes[name].append(function)
        for module in self.program.names.modules.values() if homes else ():
            for node in module.each(tree.Attr) if module.is_test and not module.generated else ():
                for function in homes.get(node.name, ()):
                    if any(
                        isinstance(one, Instance)
                        and function.owner in self.program.classes.mro(one.cls)
                        for one in self.program.inference.of(node.base)
                    ):
                        yield from ((key, function) for key in self.look_ins.keys(node))

    def _attributes(self, function: Function) -> Iterator[str]:
        """What decorators look into of the object that a method is given first: `cache` of `self.cache[key]`."""
        names = self.program.names
        for decorator in function.fact.decorators:
            said = decorator.func if isinstance(decorator, tree.Call) else decorator
            for one in self.program.inference.of(said):
                for node in names.inside(one.function) if isinstance(one, FunctionObject) else ():
                    match node:
                        case tree.Subscript(base=tree.Attr(name=name, base=tree.Name(id=first))):
                            around = names.function_of(node)
                            if around is not None and [p.name for p in around.params[:1]] == [
                                first
                            ]:
                                yield name

    def _changing(self) -> Iterator[tuple[Function, LocalDefect]]:
        """The functions whose decorators make keys that change, and how these do."""
        for defect in self.planner.local.notes.defects:
            function = defect.knot[1]
            if isinstance(function, Function):
                for said in picking(function):
                    if defect.node in (said, said.body if isinstance(said, tree.Lambda) else said):
                        yield function, defect

    def _key(self, module: Module, key: tree.Node, defect: LocalDefect) -> None:
        match key, defect.node:
            case tree.Sequence(items=items), tree.Sequence(items=parts):
                if len(items) == len(parts):
                    self._elements(module, key, defect)
            case ((tree.Const() | tree.FString()), (tree.Const(value=str() as said))):
                shape = ".+?".join(map(re.escape, _FILLED.split(said)))
                if re.fullmatch(shape, literal_text(key) or "", re.DOTALL):
                    self.mends.spelled(defect.knot, key)
            case ((tree.Const() | tree.FString()), _):
                self._text(module, key, defect)

    def _text(self, module: Module, key: tree.Node, defect: LocalDefect) -> None:
        text = literal_text(key)
        for form in self.mends.local.text_forms() if text is not None else ():
            own = form.defects[0].template.host is self._host(defect)
            if text is not None and own and form.regex.fullmatch(text):
                code = self.mends.testing.filled(module, key, form) if form.provable else None
                if code is None:
                    self.mends.spelled(defect.knot, key)
                else:
                    mend = Replace(module.filename, key.span, "CAP107", code)
                    self.mends.add(defect.knot, mend)
                return

    def _host(self, defect: LocalDefect) -> tree.Node | None:
        template = self.program.templates.template(defect.node)
        return template.host if template is not None else None

    def _elements(self, module: Module, key: tree.Sequence, defect: LocalDefect) -> None:
        """Put the values of the new parts into a tuple, where the key has them."""
        assert isinstance(defect.node, tree.Sequence)
        codes: dict[int | None, list[str]] = defaultdict(list)
        for scope in self.mends.policy_order(defect.missing):
            anchor = defect.anchors[scope.name]
            code = self.mends.code_for(scope, key, defect.knot)
            if code is None:
                self.mends.spelled(defect.knot, key, [scope])
                return
            at = next((n for n, one in enumerate(defect.node.items) if one is anchor), None)
            codes[at].append(code)
        for at, new in codes.items():
            before, after = (tuple(new), ()) if at is None else ((), tuple(new))
            beside = key.items[at or 0].span
            mend = AddElements(module.filename, key.span, "CAP107", before, after, beside)
            self.mends.add(defect.knot, mend)
