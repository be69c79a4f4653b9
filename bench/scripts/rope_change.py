"""For Rope: changes the helper's signature, and with it its calls."""

from rope.base.project import Project
from rope.refactor.change_signature import ArgumentAdder, ChangeSignature


def main() -> None:
    """Change it in the working directory."""
    project = Project(".", ropefolder=None)
    keys = project.get_resource("orderbook/keys.py")
    change = ChangeSignature(project, keys, keys.read().index("order_pk("))
    project.do(change.get_changes([ArgumentAdder(1, "capsule_id", value="capsule_id")]))


if __name__ == "__main__":
    main()
