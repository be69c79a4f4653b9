"""Objects that make what they were given the class of, `Course.objects = Manager(Course)`: of which class one of them makes
others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.hooks import OF_HEIR
from capsule_lint.program.inference.types import ANYTHING, ClassObject
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.model import Binding, Function

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Class

_INITIALIZERS: Final = ("__init__", "__new__")


class Managers(Struct, frozen=True):
    """Tells them apart."""

    program: Program

    def reaches(self, outer: tree.Call, call: tree.Call, called: Function | Class) -> bool | None:
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
        made = self._made(outer.func.base, own.name) if isinstance(outer.func, tree.Attr) else ()
        mro = self.program.classes.mro
        return any(cls in mro(one) or one in mro(cls) for one in made) if made else None

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
