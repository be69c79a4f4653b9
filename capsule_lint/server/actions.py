"""What an editor can do about findings, and the edits that do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types
from msgspec import Struct

from capsule_lint.lines import edits, lines_of
from capsule_lint.server.diagnostics import diagnostic_of
from capsule_lint.server.ignoring import ignoring
from capsule_lint.server.places import meet, range_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pygls.workspace import PositionCodec

    from capsule_lint.server.places import Names
    from capsule_lint.server.program import Checked

FIX_ALL: Final = f"{types.CodeActionKind.SourceFixAll.value}.capsule-lint"
KINDS: Final = (types.CodeActionKind.QuickFix, FIX_ALL)


class Editor(Struct, frozen=True):
    """How one editor wants to be told of places and changes."""

    codec: PositionCodec
    names: Names
    documents: bool
    """Whether it takes changes of versioned documents."""
    creates: bool
    """Whether it is to be told to create a file."""

    def edit(self, checked: Checked, texts: Mapping[str, str]) -> types.WorkspaceEdit:
        """The change of files of a program to new texts."""
        before = checked.analysis.texts
        changes = {name: self._edits(before.get(name, ""), text) for name, text in texts.items()}
        root = checked.policy.root
        uris = {name: self.names.uri_of(root / name) for name in changes}
        if not self.documents:
            return types.WorkspaceEdit(changes={uris[n]: made for n, made in changes.items()})
        new = [n for n in changes if self.creates and n not in before and not (root / n).exists()]
        opened = checked.documents
        return types.WorkspaceEdit(
            document_changes=[
                *(
                    types.CreateFile(
                        uris[n], options=types.CreateFileOptions(ignore_if_exists=True)
                    )
                    for n in new
                ),
                *(
                    types.TextDocumentEdit(
                        types.OptionalVersionedTextDocumentIdentifier(
                            uris[n], opened[n].version if n in opened else None
                        ),
                        made,
                    )
                    for n, made in changes.items()
                ),
            ]
        )

    def _edits(self, before: str, after: str) -> list[types.TextEdit]:
        lines = lines_of(before)
        return [
            types.TextEdit(range_of(edit.span, lines, self.codec), edit.content)
            for edit in edits(before, after, "")
        ]

    def actions(
        self, checked: Checked, name: str, params: types.CodeActionParams
    ) -> Iterator[types.CodeAction]:
        """What can be done in a range of a file. Those without an edit say in `data` what to ask for."""
        only = params.context.only
        uri = params.text_document.uri
        if _wanted(types.CodeActionKind.QuickFix, only):
            yield from self._quick(checked, name, params)
        if checked.fixable and _wanted(FIX_ALL, only):
            title = "Fix all that is safe, in the whole program"
            yield types.CodeAction(title, FIX_ALL, data={"uri": uri})

    def _quick(
        self, checked: Checked, name: str, params: types.CodeActionParams
    ) -> Iterator[types.CodeAction]:
        text = checked.analysis.texts.get(name, "")
        sets = checked.analysis.judgement.change_sets
        for finding in checked.findings:
            if finding.filename != name:
                continue
            shown = diagnostic_of(finding, checked, self.codec)
            if not meet(shown.range, params.range):
                continue
            if finding.suggestion is not None and finding.change_set in checked.fixable:
                reach = sets[finding.change_set].reach
                yield types.CodeAction(
                    f"{finding.suggestion.message} ({reach})",
                    types.CodeActionKind.QuickFix,
                    [shown],
                    is_preferred=True,
                    data={"uri": params.text_document.uri, "finding": finding.fingerprint},
                )
            silent = ignoring(finding, text)
            if silent is not None:
                yield types.CodeAction(
                    f"Ignore {finding.code} on this line",
                    types.CodeActionKind.QuickFix,
                    [shown],
                    edit=self.edit(checked, {name: silent}),
                )


def _wanted(
    kind: types.CodeActionKind | str, only: Sequence[types.CodeActionKind | str] | None
) -> bool:
    """Whether a kind of action, or one that it is a kind of, is asked for."""
    said = _text(kind)
    return only is None or any(said == o or said.startswith(f"{o}.") for o in map(_text, only))


def _text(kind: types.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


def asked_for(action: types.CodeAction) -> tuple[str, str | None] | None:
    """The document, and the finding if it is about one, that an action without an edit is about."""
    match action.data:
        case {"uri": str() as uri, "finding": str() as fingerprint}:
            return uri, fingerprint
        case {"uri": str() as uri}:
            return uri, None
    return None
