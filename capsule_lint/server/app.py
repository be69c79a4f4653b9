"""The server itself: what editors say becomes checks, and what checks find goes back to them."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeAlias

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.lsp.server import LanguageServer

from capsule_lint import __version__
from capsule_lint.server.actions import KINDS, Editor, asked_for
from capsule_lint.server.checks import Checks
from capsule_lint.server.diagnostics import diagnostics_of
from capsule_lint.server.places import Names, path_of
from capsule_lint.server.program import Checked, Document, Failed, Program, home_of

if TYPE_CHECKING:
    from pathlib import Path

    from capsule_lint.server.program import Outcome

_TYPING: Final = 0.3
"""Seconds without a change after which what is typed is checked."""
_STACK: Final = 64 << 20
"""A thread's stack is small on some systems, and questions about programs lead to others."""
_WATCHED: Final = ("**/*.{py,pyi}", "**/{pyproject,capsule-lint,ruff,.ruff}.toml", "**/.gitignore")
_Saved: TypeAlias = (
    types.DidOpenTextDocumentParams
    | types.DidSaveTextDocumentParams
    | types.DidCloseTextDocumentParams
    | types.DidChangeWatchedFilesParams
    | types.DidChangeWorkspaceFoldersParams
)


class Server(LanguageServer):
    """One editor, and the programs in its folders."""

    def __init__(self) -> None:
        # editors and Python disagree on what ends a line, so that whole texts are asked for
        super().__init__("capsule-lint", __version__, types.TextDocumentSyncKind.Full)
        self.worker = ThreadPoolExecutor(1, "capsule-lint")
        self.programs: dict[Path, Checks] = {}
        self.shown: dict[Checks, dict[str, list[types.Diagnostic]]] = {}
        self.said: dict[Checks, str] = {}
        self.left = False

    # --- what there is ---

    def documents(self) -> dict[Path, Document]:
        """The files that are open, links followed."""
        found = {}
        for opened in self.workspace.text_documents.values():
            path = path_of(opened.uri)
            if path is not None:
                found[path] = Document(opened.uri, opened.version, opened.source)
        return found

    def editor(self) -> Editor:
        """What the editor is able to do."""
        files = {path: document.uri for path, document in self.documents().items()}
        able = self.client_capabilities
        operations = get_capability(able, "workspace.workspace_edit.resource_operations") or ()
        return Editor(
            self.workspace.position_codec,
            Names.of(files, self._folders()),
            get_capability(able, "workspace.workspace_edit.document_changes") or False,
            types.ResourceOperationKind.Create in operations,
        )

    @property
    def resolves(self) -> bool:
        """Whether the editor asks for the edit of an action once it is chosen."""
        field = "text_document.code_action.resolve_support"
        options = get_capability(self.client_capabilities, field)
        return options is not None and "edit" in options.properties

    def _folders(self) -> list[str]:
        """The URIs of the folders of the workspace."""
        folders = [folder.uri for folder in self.workspace.folders.values()]
        root = self.workspace.root_uri
        return folders or ([root] if root else [])

    def checks_of(self, path: Path | None) -> Checks | None:
        """The checks of the program that a file is in: the innermost one."""
        homes = [h for h in self.programs if path is not None and path.is_relative_to(h)]
        return self.programs[max(homes, key=lambda home: len(home.parts))] if homes else None

    def arrange(self) -> None:
        """Serve the programs of the folders, or where there are none those of the open files."""
        folders = [path for uri in self._folders() if (path := path_of(uri)) is not None]
        homes = {home_of(folder) for folder in folders or (p.parent for p in self.documents())}
        for home in self.programs.keys() - homes:
            checks = self.programs.pop(home)
            checks.stop()
            self._show(checks, {})
            del self.shown[checks]
            self.said.pop(checks, None)
        for home in sorted(homes - self.programs.keys()):
            checks = Checks(Program(home), self.worker, self.documents, self.publish)
            self.programs[home] = checks
            self.shown[checks] = {}

    # --- what is told ---

    def publish(self, checks: Checks, outcome: Outcome) -> None:
        """Show what a check has found, and nothing of what was found before."""
        editor = self.editor()
        found = {
            editor.names.uri_of(path): diagnostics
            for path, diagnostics in diagnostics_of(outcome, editor.codec).items()
            if self.checks_of(path) in (checks, None)
        }
        self._show(checks, found)
        said = outcome.message if isinstance(outcome, Failed) else ""
        if said and said != self.said.get(checks):
            self.tell(said)
        self.said[checks] = said

    def _show(self, checks: Checks, found: dict[str, list[types.Diagnostic]]) -> None:
        shown = self.shown[checks]
        for uri in sorted(shown.keys() | found.keys()):
            diagnostics = found.get(uri, [])
            if diagnostics != shown.get(uri, []):
                version = self.workspace.get_text_document(uri).version
                params = types.PublishDiagnosticsParams(uri, diagnostics, version)
                self.text_document_publish_diagnostics(params)
        self.shown[checks] = found

    def tell(self, message: str) -> None:
        """Tell the person."""
        self.window_show_message(types.ShowMessageParams(types.MessageType.Error, message))

    async def edit_of(self, action: types.CodeAction) -> types.WorkspaceEdit | None:
        """The edit of an action, proven on the program as it is now."""
        asked = asked_for(action)
        checks = self.checks_of(path_of(asked[0])) if asked is not None else None
        checked = await checks.settled() if checks is not None else None
        if asked is None or not isinstance(checked, Checked):
            return None
        loop = asyncio.get_running_loop()
        mended = await loop.run_in_executor(self.worker, checked.mended, asked[1])
        if isinstance(mended, str):
            self.tell(f"not fixed: {mended}")
            return None
        return self.editor().edit(checked, mended)


async def _initialized(ls: Server, _: types.InitializedParams) -> None:
    ls.arrange()
    for checks in ls.programs.values():
        checks.request()
    watching = "workspace.did_change_watched_files.dynamic_registration"
    if get_capability(ls.client_capabilities, watching):
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        options = types.DidChangeWatchedFilesRegistrationOptions(
            [types.FileSystemWatcher(pattern) for pattern in _WATCHED]
        )
        registration = types.Registration("capsule-lint-files", method, options)
        await ls.client_register_capability_async(types.RegistrationParams([registration]))


def _saved(ls: Server, _: _Saved) -> None:
    """What is on disk, or what is open, may be another: everything is looked at again."""
    ls.arrange()
    for checks in ls.programs.values():
        checks.request()


def _changed(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    checks = ls.checks_of(path_of(params.text_document.uri))
    if checks is not None:
        checks.request(_TYPING)


async def _actions(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    path = path_of(params.text_document.uri)
    checks = ls.checks_of(path)
    checked = await checks.settled() if checks is not None else None
    if path is None or not isinstance(checked, Checked):
        return []
    if not path.is_relative_to(checked.policy.root):
        return []
    name = path.relative_to(checked.policy.root).as_posix()
    found = list(ls.editor().actions(checked, name, params))
    if not ls.resolves:
        for action in found:
            action.edit = action.edit or await ls.edit_of(action)
        found = [action for action in found if action.edit is not None]
    return found


async def _resolve(ls: Server, action: types.CodeAction) -> types.CodeAction:
    action.edit = action.edit or await ls.edit_of(action)
    return action


def _shutdown(ls: Server, *_: None) -> None:
    ls.left = True


def run() -> int:
    """Serve until the editor leaves; 1 if it did so without a word."""
    gc.enable()  # a check ends before it is worth while, a server does not
    threading.stack_size(_STACK)
    for name in ("pygls", "asyncio"):  # what goes wrong is said to the editor, without a traceback
        log = logging.getLogger(name)
        log.addHandler(logging.NullHandler())
        log.propagate = False
    server = Server()
    server.feature(types.INITIALIZED)(_initialized)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(_changed)
    for event in (
        types.TEXT_DOCUMENT_DID_OPEN,
        types.TEXT_DOCUMENT_DID_SAVE,
        types.TEXT_DOCUMENT_DID_CLOSE,
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,
    ):
        server.feature(event)(_saved)
    options = types.CodeActionOptions(list(KINDS), resolve_provider=True)
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)(_actions)
    server.feature(types.CODE_ACTION_RESOLVE)(_resolve)
    server.feature(types.SHUTDOWN)(_shutdown)
    server.start_io()
    return int(not server.left)
