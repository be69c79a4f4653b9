"""For Fixit: keys that begin with a tenant and have no capsule."""

import libcst as cst
from fixit import LintRule


class UnscopedKey(LintRule):
    """An f-string `TENANT#{…}…` without `CAPSULE#`."""

    MESSAGE = "key without CAPSULE#"

    def visit_FormattedString(self, node: cst.FormattedString) -> None:
        """Look at the texts between the holes."""
        texts = [p.value for p in node.parts if isinstance(p, cst.FormattedStringText)]
        if texts and texts[0] == "TENANT#" and not any("CAPSULE#" in text for text in texts):
            self.report(node)
