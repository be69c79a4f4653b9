"""An editor without a screen: it talks to a server process, and keeps texts as editors do."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from capsule_lint.lines import lines_of

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

Said = TypeVar("Said")

_PATIENCE = 60.0
_QUICK_FIXES = types.CodeActionClientCapabilities(
    resolve_support=types.ClientCodeActionResolveOptions(["edit"])
)
_EDITS = types.WorkspaceEditClientCapabilities(
    document_changes=True, resource_operations=[types.ResourceOperationKind.Create]
)


class Editor(LanguageClient):
    """What is open, and what the server has said."""

    def __init__(self, root: Path) -> None:
        super().__init__("editor", "1")
        self.root = root
        self.texts: dict[str, str] = {}
        """By URI, saved or not."""
        self.versions: dict[str, int] = {}
        self.shown: dict[str, Sequence[types.Diagnostic]] = {}
        self.said: list[str] = []
        self.watched: list[str] = []
        """The patterns of files of which the server wants to know."""
        self.status: int | None = None
        self.errors = b""
        self.encoding: str = "utf-16"
        self._news = asyncio.Event()
        self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(self._listener(self._published))
        self.feature(types.WINDOW_SHOW_MESSAGE)(self._listener(self._told))
        self.feature(types.CLIENT_REGISTER_CAPABILITY)(self._listener(self._asked))

    def _listener(self, take: Callable[[Said], None]) -> Callable[[Said], None]:
        def heard(params: Said) -> None:
            take(params)
            self._news.set()

        return heard

    def _published(self, params: types.PublishDiagnosticsParams) -> None:
        self.shown[params.uri] = params.diagnostics

    def _told(self, params: types.ShowMessageParams) -> None:
        self.said.append(params.message)

    def _asked(self, params: types.RegistrationParams) -> None:
        for registration in params.registrations:
            match registration.register_options:
                case {"watchers": [*watchers]}:
                    self.watched += [watcher["globPattern"] for watcher in watchers]

    async def server_exit(self, server: Process) -> None:
        """Keep how the server ended."""
        self.status = server.returncode
        assert server.stderr is not None
        self.errors = await server.stderr.read()

    # --- what a person does ---

    def uri(self, name: str) -> str:
        """The URI of a file."""
        return (self.root / name).as_uri()

    def open(self, name: str) -> None:
        """Open a file as it is on disk."""
        uri = self.uri(name)
        self.texts[uri] = (self.root / name).read_bytes().decode()
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri, "python", 1, self.texts[uri])
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def type(self, uri: str, text: str) -> None:
        """Change what is open, without saving it."""
        self.texts[uri] = text
        self.versions[uri] = self.versions.get(uri, 0) + 1
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.versions[uri], uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    def close(self, name: str) -> None:
        """Close a file without saving it."""
        uri = self.uri(name)
        del self.texts[uri]
        identifier = types.TextDocumentIdentifier(uri)
        self.text_document_did_close(types.DidCloseTextDocumentParams(identifier))

    def touch(self, name: str) -> None:
        """Say that a file has changed on disk."""
        event = types.FileEvent(self.uri(name), types.FileChangeType.Changed)
        self.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    # --- what a person sees ---

    def codes(self, name: str) -> list[str]:
        """The codes of the findings that are shown in a file."""
        return [str(found.code) for found in self.shown.get(self.uri(name), ())]

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until something can be seen."""
        async with asyncio.timeout(_PATIENCE):
            while not seen():
                self._news.clear()
                await self._news.wait()

    async def actions(
        self, name: str, *only: str, at: types.Range | None = None
    ) -> list[types.CodeAction]:
        """What is offered in a range of a file, or in all of it."""
        everywhere = types.Range(types.Position(0, 0), types.Position(9999, 0))
        identifier = types.TextDocumentIdentifier(self.uri(name))
        context = types.CodeActionContext([], only=list(only) or None)
        params = types.CodeActionParams(identifier, at or everywhere, context)
        found = await self.text_document_code_action_async(params)
        return [action for action in found or () if isinstance(action, types.CodeAction)]

    async def apply(self, action: types.CodeAction) -> list[str]:
        """Do what an action says to the texts, opening what was not; the names of files it makes."""
        if action.edit is None:
            action = await self.code_action_resolve_async(action)
        assert action.edit is not None
        made: list[str] = []
        for change in action.edit.document_changes or ():
            if isinstance(change, types.CreateFile):
                name = change.uri.removeprefix(f"{self.root.as_uri()}/")
                (self.root / name).write_bytes(b"")
                self.open(name)
                made.append(name)
            elif isinstance(change, types.TextDocumentEdit):
                uri, version = change.text_document.uri, change.text_document.version
                assert uri not in self.texts or version in (self.versions[uri], None)
                edits = [edit for edit in change.edits if isinstance(edit, types.TextEdit)]
                self._edit(uri, edits)
        return made

    def save(self) -> None:
        """Save all that is open."""
        for uri, text in self.texts.items():
            (self.root / uri.removeprefix(f"{self.root.as_uri()}/")).write_bytes(text.encode())
            saved = types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri))
            self.text_document_did_save(saved)

    def _edit(self, uri: str, edits: Sequence[types.TextEdit]) -> None:
        if uri not in self.texts:
            self.open(uri.removeprefix(f"{self.root.as_uri()}/"))
        text = self.texts[uri]
        for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character))[
            ::-1
        ]:
            start, end = (self.offset(text, at) for at in (edit.range.start, edit.range.end))
            text = text[:start] + edit.new_text + text[end:]
        self.type(uri, text)

    def offset(self, text: str, at: types.Position) -> int:
        """Where a position is in a text."""
        lines = [*lines_of(text), ""]
        code = {"utf-16": "utf-16-le"}.get(self.encoding, self.encoding)
        size = 2 if self.encoding == "utf-16" else 1
        line = lines[at.line].encode(code)[: at.character * size].decode(code)
        return sum(map(len, lines[: at.line])) + len(line)

    def marked(self, name: str) -> list[str]:
        """The pieces of text that the findings in a file point at."""
        text = self.texts[self.uri(name)]
        ranges = [found.range for found in self.shown[self.uri(name)]]
        return [text[self.offset(text, r.start) : self.offset(text, r.end)] for r in ranges]


@asynccontextmanager
async def editing(
    root: Path, *, folders: Sequence[str] = (".",), encoding: str = "utf-16", able: bool = True
) -> AsyncIterator[Editor]:
    """An editor with folders open, that leaves politely; `able` to ask for edits late, and to watch."""
    editor = Editor(root)
    command = (sys.executable, "-m", "capsule_lint", "server", "--stdio")
    await editor.start_io(*command, cwd=root)
    uris = [(root / folder).as_uri() for folder in folders]
    capabilities = types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=[encoding]),
        text_document=types.TextDocumentClientCapabilities(
            code_action=_QUICK_FIXES if able else None
        ),
        workspace=types.WorkspaceClientCapabilities(
            workspace_edit=_EDITS,
            did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(
                dynamic_registration=able
            ),
        ),
    )
    named = [types.WorkspaceFolder(uri, uri) for uri in uris]
    initial = types.InitializeParams(capabilities, workspace_folders=named)
    result = await editor.initialize_async(initial)
    editor.encoding = str(getattr(result.capabilities.position_encoding, "value", encoding))
    editor.initialized(types.InitializedParams())
    yield editor
    await editor.shutdown_async(None)
    editor.exit(None)
    await editor.stop()  # type: ignore[no-untyped-call]  # it says no type
