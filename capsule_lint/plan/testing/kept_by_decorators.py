"""Keys under which a decorator keeps what a function gives, where tests look them up at the function that it has
decorated, `assert list(load.memory) == ["t:1"]`, or at the object of the method: `assert repo.cache == {"t:1": None}`."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Replace
from capsule_lint.plan.keys.spelled import literal_text
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.kept_by_arguments import looked_up
from capsule_lint.plan.uses.registries import picking
from capsule_lint.program.calling.wrapping import wrappers
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import bound_whole, only_assigned
from capsule_lint.program.model import Function, enclosing
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

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
        uses = [(use, function, True) for use, function, _ in self.look_ins.at_functions(changing)]
        uses += self._at_objects(changing)
        found = [(k, f, whole) for use, f, whole in uses for k in self.look_ins.keys(use)]
        asked, shared = {id(key) for key, *_ in found}, self.planner.sources.shared
        written = {id(one): (one, f, w) for key, f, w in found for one in shared.spelled(key)}
        for key, function, whole in written.values():
            module = self.program.names.module_of(key)
            places = [] if id(key) in asked else shared.stands(key)
            alone = all(id(place) in asked for place in places)
            if not whole and isinstance(key, tree.Const | tree.FString | tree.Sequence):
                self.mends.spelled(changing[function].knot, key)
            elif not self.mends.adds_to(key):
                self._key(module, key, changing[function], sure=alone)

    def _at_objects(
        self, functions: Collection[Function]
    ) -> Iterator[tuple[tree.Node, Function, bool]]:
        """Where tests use what decorators keep at the objects of some methods, and whether it is kept under what the
        decorator is given to make keys of, and nothing else."""
        names, inference = self.program.names, self.program.inference
        kept = {
            (name, function, whole)
            for function in functions
            for maker in wrappers(inference, function)
            for name, whole in self._kept_at_self(maker)
        }
        names.ask(*(name for name, _, _ in kept))
        for name, function, whole in kept:
            for node in names.named(name):
                module = names.module_of(node)
                read = isinstance(node, tree.Attr) and module.is_test and not module.generated
                types = inference.of(node.base) if read and isinstance(node, tree.Attr) else ()
                objects = (one.cls for one in types if isinstance(one, Instance))
                if any(function.owner in self.program.classes.mro(cls) for cls in objects):
                    yield node, function, whole

    def _kept_at_self(self, maker: Function) -> Iterator[tuple[str, bool]]:
        """The attributes of the object in which a decorator looks up what a function makes that it is given:
        `cache` of `self.cache[key(*args)]`."""
        names = self.program.names
        for node in names.inside(maker):
            match looked_up(node):
                case key, tree.Attr(base=tree.Name(id=own), name=name):
                    around = names.function_of(node)
                    given = around.params if around is not None else ()
                    if given and given[0].name == own and any(p.kind == "*" for p in given):
                        made = only_assigned(names, key) or key
                        calls = [one for one in within(made) if self._makes_key(one, maker)]
                        if calls:
                            yield name, made is calls[0]

    def _makes_key(self, node: tree.Node, maker: Function) -> bool:
        """Whether an expression calls what a decorator, or what makes it, is given."""
        binding = (
            bound_whole(self.program.names, node.func) if isinstance(node, tree.Call) else None
        )
        return (
            binding is not None
            and binding.kind == "param"
            and binding.function in (maker, *enclosing(maker.place))
        )

    def _changing(self) -> Iterator[tuple[Function, LocalDefect]]:
        """The functions whose decorators make keys that change, and how these do."""
        for defect in self.planner.local.notes.defects:
            function = defect.knot[1]
            if isinstance(function, Function):
                for said in picking(function):
                    if defect.node in (said, said.body if isinstance(said, tree.Lambda) else said):
                        yield function, defect

    def _key(self, module: Module, key: tree.Node, defect: LocalDefect, *, sure: bool) -> None:
        """Mend a key; where it is not sure that it is nothing else, the change is unsafe."""
        match key, defect.node:
            case tree.Sequence(items=items), tree.Sequence(items=parts):
                if len(items) == len(parts):
                    self._elements(module, key, defect, sure=sure)
            case ((tree.Const() | tree.FString()), (tree.Const(value=str() as said))):
                shape = ".+?".join(map(re.escape, _FILLED.split(said)))
                if re.fullmatch(shape, literal_text(key) or "", re.DOTALL):
                    self.mends.spelled(defect.knot, key)
            case _ if defect.shape == "bare":
                self.mends.spelled(defect.knot, key)
            case ((tree.Const() | tree.FString()), _):
                self._text(module, key, defect, sure=sure)

    def _text(self, module: Module, key: tree.Node, defect: LocalDefect, *, sure: bool) -> None:
        text = literal_text(key)
        for form in self.mends.local.text_forms() if text is not None else ():
            own = form.defects[0].template.host is self._host(defect)
            if text is not None and own and form.regex.fullmatch(text):
                known = form.provable and sure
                code = self.mends.testing.segments.filled(module, key, form) if known else None
                if code is None:
                    self.mends.spelled(defect.knot, key)
                else:
                    mend = Replace(module.filename, key.span, "CAP107", code)
                    self.mends.add(defect.knot, mend)
                return

    def _host(self, defect: LocalDefect) -> tree.Node | None:
        template = self.program.templates.template(defect.node)
        return template.host if template is not None else None

    def _elements(
        self, module: Module, key: tree.Sequence, defect: LocalDefect, *, sure: bool
    ) -> None:
        """Put the values of the new parts into a tuple, where the key has them."""
        assert isinstance(defect.node, tree.Sequence)
        codes: dict[int | None, list[str]] = defaultdict(list)
        for scope in self.mends.policy_order(defect.missing):
            anchor = defect.anchors[scope.name]
            code = self.mends.code_for(scope, key, defect.knot) if sure else None
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
