"""For LibCST's codemod runner: calls of the helper get the scope after their first argument."""

import libcst as cst
from libcst.codemod import VisitorBasedCodemodCommand


class ScopeCalls(VisitorBasedCodemodCommand):
    """`order_pk(tenant, order)` becomes `order_pk(tenant, capsule_id, order)`."""

    DESCRIPTION = "Passes the capsule to the key helper."

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        """Insert the argument, laid out as the first one is."""
        if not (isinstance(updated_node.func, cst.Name) and updated_node.func.value == "order_pk"):
            return updated_node
        first, *rest = updated_node.args
        added = cst.Arg(cst.Name("capsule_id"), comma=first.comma)
        return updated_node.with_changes(args=[first, added, *rest])
