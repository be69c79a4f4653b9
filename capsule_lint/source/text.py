"""Bytes to text and back: encodings, byte order marks and line ends stay as they were."""

from __future__ import annotations

import codecs
import errno
import re
import tokenize
from io import BytesIO
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.errors import SourceError
from capsule_lint.source.disk import contents

if TYPE_CHECKING:
    from pathlib import Path

_LINE_END = re.compile(rb"\r\n|\r|\n")
_NO_TEXT = "<string>"
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class Decoded(Struct, frozen=True):
    """A file's text without its byte order mark, line ends as they stand, and how to encode it."""

    text: str
    encoding: str
    bom: bool


class SourceFile(Struct, frozen=True):
    """A file as it was read; `filename` is POSIX and relative to the root."""

    filename: str
    decoded: Decoded

    @property
    def data(self) -> bytes:
        """The bytes that were read: `decode` lets no text pass from which they do not come back."""
        return encode(self.decoded.text, self.decoded, self.filename)


def decode(data: bytes, filename: str = _NO_TEXT) -> Decoded:
    """The text in a file's bytes, by its byte order mark, its PEP 263 cookie, or else as UTF-8.

    Raises SourceError, which names `filename`, the row and the remedy, if the bytes are no text,
    hold a null byte, or would not come back the same from `encode`.
    """
    _refuse_wide(data, filename)
    encoding = _encoding(data, filename)
    bom = data.startswith(codecs.BOM_UTF8)
    body = data[len(codecs.BOM_UTF8) :] if bom else data
    _refuse_null(body, filename)
    decoded = Decoded(_text(body, encoding, filename), encoding, bom)
    if encoding != "utf-8":
        _refuse_lossy(data, decoded, filename)
    return decoded


def encode(text: str, decoded: Decoded, filename: str = _NO_TEXT) -> bytes:
    """The bytes of a new version of a decoded file: the very same ones for the very same text.

    Raises SourceError if the file's encoding has no bytes for a character.
    """
    try:
        body = text.encode(decoded.encoding)
    except UnicodeEncodeError as error:
        row = _row(text[: error.start].encode(errors="surrogatepass"))
        problem = (
            f"line {row} holds U+{ord(text[error.start]):04X}, which {decoded.encoding} cannot "
            "express: save the file as UTF-8"
        )
        raise SourceError(filename, problem, row) from error
    return codecs.BOM_UTF8 + body if decoded.bom else body


def read(root: Path, filename: str) -> SourceFile:
    """A file, its bytes and its text; `filename` is relative to `root`.

    Never waits: a pipe or a device is refused. Raises SourceError if the file cannot be read, or
    what it holds is no text.
    """
    try:
        data, _ = contents(root / filename)
    except (OSError, ValueError) as error:
        raise SourceError(filename, _reason(error)) from error
    return SourceFile(filename, decode(data, filename))


def _reason(error: OSError | ValueError) -> str:
    """Why a file could not be opened, in words that fit after its name."""
    if not isinstance(error, OSError):
        return "is no name that a file can have"
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return "does not exist"
        case errno.EISDIR:
            return "is a directory"
        case errno.ENXIO:
            return "is not a regular file"
        case _:
            return f"cannot be read: {error.strerror or error}"


def _row(before: bytes) -> int:
    """The row of what follows these bytes."""
    return len(_LINE_END.findall(before)) + 1


def _refuse_wide(data: bytes, filename: str) -> None:
    for mark, name in _WIDE_MARKS:
        if data.startswith(mark):
            problem = f"is encoded in {name}, which Python does not read: save it as UTF-8"
            raise SourceError(filename, problem, 1)


def _refuse_null(data: bytes, filename: str) -> None:
    start = data.find(b"\0")
    if start >= 0:
        row = _row(data[:start])
        problem = f"line {row} holds a null byte, which Python does not read: is this a text file?"
        raise SourceError(filename, problem, row)


def _refuse_lossy(data: bytes, decoded: Decoded, filename: str) -> None:
    """Some encodings have several spellings for one text; a rewrite would touch every line."""
    try:
        same = encode(decoded.text, decoded, filename) == data
    except SourceError:
        same = False
    if not same:
        problem = (
            f"is spelled in {decoded.encoding} in a way that would not survive a rewrite: "
            "save it as UTF-8"
        )
        raise SourceError(filename, problem, 1)


def _encoding(data: bytes, filename: str) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
    except SyntaxError as error:
        start = _undecodable(data)
        if start is not None and "unknown encoding" not in str(error):
            raise _no_utf8(data, start, filename) from error
        problem = f"declares an encoding that cannot be used ({error.msg}): save it as UTF-8"
        raise SourceError(filename, problem, 1) from error
    is_utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    return "utf-8" if is_utf8 else encoding


def _undecodable(data: bytes) -> int | None:
    """Where the bytes stop being UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _no_utf8(data: bytes, start: int, filename: str) -> SourceError:
    row = _row(data[:start])
    problem = (
        f"line {row} is not UTF-8 (byte 0x{data[start]:02x}): "
        "declare the encoding in the first line, or save the file as UTF-8"
    )
    return SourceError(filename, problem, row)


def _text(body: bytes, encoding: str, filename: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8":
            raise _no_utf8(body, error.start, filename) from error
        row = _row(body[: error.start])
        problem = (
            f"line {row} is not {encoding} (byte 0x{body[error.start]:02x}), which the file "
            "declares: correct the declaration, or save the file as UTF-8"
        )
        raise SourceError(filename, problem, row) from error
    except (LookupError, ValueError) as error:
        problem = f"declares an encoding that cannot be used ({encoding}): save it as UTF-8"
        raise SourceError(filename, problem, 1) from error
