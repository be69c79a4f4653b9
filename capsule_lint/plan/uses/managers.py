"""Objects that make what they were given the class of, `Course.objects = Manager(Course)`: of which class one of them makes
others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.hooks import OF_HEIR
from capsule_lint.program.inference.types import ANYTHING, ClassObject, Instance
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.model import Binding, Function

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Class

_INITIALIZERS: Final = ("__init__", "__new__")


class Managers(Struct, frozen=True):
    """Tells them apart."""

    program: Program

    def reaches(
        self, outer: tree.Call, method: Callee, call: tree.Call, called: Function | Class
    ) -> bool | None:
        """Whether a call of a method that hands on what it is given by `call`, `self.model(**fields)`, may make an object of
        what is called by that; `None` where it is not known of which class it makes one."""
        own, function = call.func, self.program.names.function_of(call)
        if isinstance(called, Function) and called.name not in _INITIALIZERS:
            return True
        cls = called.owner if isinstance(called, Function) else called
        if cls is None or function is None or not function.self_name:
            return True
        if not isinstance(own, tree.Attr) or not isinstance(own.base, tree.Name):
            return True
        if own.base.id != function.self_name:
            return True
        handed, callees = self._handed(outer, method, call), self.program.calls.callees(call)
        fitting = [(c.function, c.cls) for c in callees if self._takes(c, handed)]
        if not any(called in one for one in fitting):
            return False
        receiver = outer.func.base if isinstance(outer.func, tree.Attr) else None
        made = receiver and (self._made(receiver, own.name) or self._said(receiver, own.name))
        mro = self.program.classes.mro
        reached = [cls in mro(one) or one in mro(cls) for one in made or ()]
        if reached and not any(reached):
            return False
        return True if all(reached or [called in one for one in fitting]) else None

    def _handed(self, outer: tree.Call, method: Callee, call: tree.Call) -> list[tree.Argument]:
        """What `call` gives in the end where a method is called that hands on its `*args` and `**fields` by it; what is
        not known of them stays as it is spread."""
        names, function, found = self.program.names, method.function, list[tree.Argument]()
        params = function.params if function is not None else ()
        named = {p.name for p in params if p.kind in ("plain", "kwonly")}
        for argument in call.args:
            bound = bound_whole(names, argument.value) if argument.star else None
            own = bound.parameter if bound is not None else None
            if function is None or own is None or own not in params or own.kind != argument.star:
                found.append(argument)
            elif len(names.called(function, own.name)) > 1 or function.decorators - {
                "classmethod"
            }:
                found.append(argument)  # somebody may put something into it, or take it out
            elif own.kind == "*":
                found += method.surplus(outer)
            else:
                found += [
                    a
                    for a in outer.args
                    if a.star == "**" or (a.keyword and a.keyword not in named)
                ]
        return found

    def _takes(self, callee: Callee, arguments: Sequence[tree.Argument]) -> bool:
        """Whether a constructor may take these: of one that others change nothing is known."""
        function, cls = callee.function, callee.cls
        is_plain = (
            function.name == "__init__" and not function.decorators
            if function is not None
            else cls is not None and "dataclass" in cls.decorators
        )
        if not is_plain or (cls is not None and any(self.program.classes.metaclasses(cls))):
            return True
        return bind(arguments, *self.program.calls.parameters(callee)) is not None

    def _made(self, node: tree.Node, attribute: str) -> Sequence[Class]:
        """The classes that the object has under an attribute which an expression is; none where they are not known."""
        names = self.program.names
        bound = bound_whole(names, node)
        target = names.follow(bound) if bound is not None else None
        if isinstance(target, Binding):
            node = target.assigned or node
        if not isinstance(node, tree.Attr):
            return self._kept(node, attribute)
        found = [self._held(cls, node.name, attribute) for cls in self._classes(node.base)]
        return [cls for every in found for cls in every] if all(found) else ()

    def _said(self, node: tree.Node, attribute: str) -> Sequence[Class]:
        """The classes that an object, or a class, has under an attribute by the bodies of all classes that it may be of,
        `model = Course`; none where others may be put there."""
        classes, found = self.program.classes, set[ClassObject]()
        own = self._owners(node)
        heirs = {heir for one in own for heir in classes.subclasses(one)}
        if not own or self._is_put(heirs, attribute):
            return ()
        for bodies in ([owner.scope.bindings for owner in classes.mro(heir)] for heir in heirs):
            said = ([b for b in one.get(attribute, ()) if b.value] for one in bodies)
            value = [b.value for b in next(filter(None, said), ())]
            made = self._classes(value[0]) if len(value) == 1 and value[0] else ()
            if not made:
                return ()
            found |= {ClassObject(one) for one in made}
        return sorted((one.cls for one in found), key=lambda cls: cls.symbol)

    def _is_put(self, heirs: Collection[Class], attribute: str) -> bool:
        """Whether objects of some classes, or these, may get an attribute elsewhere than in the bodies of the classes."""
        mro = self.program.classes.mro
        for base, _ in self._put(attribute):
            holders = self._owners(base)
            if not holders or any(
                h in mro(one) or one in mro(h) for one in heirs for h in holders
            ):
                return True
        return any(owner.stores.get(attribute) for one in heirs for owner in mro(one))

    def _owners(self, node: tree.Node) -> Sequence[Class]:
        """The classes that an expression is, or is an object of; none where it may be something else."""
        types = self.program.inference.of(node)
        found = [one.cls for one in types if isinstance(one, Instance | ClassObject)]
        return found if len(found) == len(types) else ()

    def _held(self, cls: Class, name: str, attribute: str) -> Sequence[Class]:
        """The same of the object that a class, or the nearest of its bases, has under a name."""
        put = list(self._put(name))
        types = [self.program.inference.of(base) for base, _ in put]
        if any(not of or of & ANYTHING for of in types):
            return ()
        for owner in self.program.classes.mro(cls):
            own = [
                ("", b.value)
                for b in owner.scope.bindings.get(name, ())
                if b.value is not None or b.annotation is None
            ]
            own += [
                (base.id if isinstance(base, tree.Name) else "?", value)
                for (base, value), of in zip(put, types, strict=True)
                if ClassObject(owner) in of
            ]
            own += [
                (s.function.self_name, s.value)
                for s in owner.stores.get(name, ())
                if s.function.name == OF_HEIR
            ]
            if own:
                on, value = own[0]
                holder = cls if on else owner
                return self._kept(value, attribute, on, holder) if len(own) == 1 else ()
        return ()

    def _put(self, name: str) -> Iterator[tuple[tree.Node, tree.Node | None]]:
        """What has an attribute put on it, by that name or by one that is not known, and what is put there."""
        uses = self.program.calls.uses
        yield from ((target.base, value) for target, value in uses.assigned(name))
        for call in uses.calls_beside("setattr"):
            if len(call.plain) == 3 and tree.text(call.plain[1]) in (None, name):
                yield call.plain[0], call.plain[2]

    def _kept(
        self,
        made: tree.Node | None,
        attribute: str,
        on: str = "",
        holder: Class | None = None,
    ) -> Sequence[Class]:
        """What the object that a call makes has under an attribute: its class may be given the very class in whose body it
        stands, or that it is put on under the name `on`, `cls.objects = Manager(cls)`."""
        classes = self.program.classes
        makers = self._classes(made.func) if isinstance(made, tree.Call) else ()
        if len(makers) != 1 or not isinstance(made, tree.Call):
            return ()
        stores = [s for one in classes.mro(makers[0]) for s in one.stores.get(attribute, ())]
        if holder is not None and not on and len(stores) == 1:
            hook, value = stores[0].function, stores[0].value
            owners = [p.name for p in hook.own_params[:1]] if hook.name == "__set_name__" else []
            if isinstance(value, tree.Name) and value.id in owners:
                return (holder,)
        kept = classes.kept(makers[0], attribute, made.args)
        if holder is not None and isinstance(kept, tree.Name) and kept.id == on:
            return (holder,)
        return self._classes(kept) if kept is not None else ()

    def _classes(self, node: tree.Node) -> Sequence[Class]:
        """The classes that an expression is one of; none where it may be something else."""
        types = self.program.inference.of(node)
        found = [one.cls for one in types if isinstance(one, ClassObject)]
        return sorted(found, key=lambda c: c.symbol) if len(found) == len(types) else ()
