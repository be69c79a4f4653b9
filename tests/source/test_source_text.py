"""Bytes to text and back."""

from __future__ import annotations

import os
import pickle
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsule_lint.errors import SourceError
from capsule_lint.source import Decoded, decode, encode, read

if TYPE_CHECKING:
    from pathlib import Path

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"", "", "utf-8"),
        (b"x = 1\n", "x = 1\n", "utf-8"),
        (b"x = 1", "x = 1", "utf-8"),
        (b"a\r\nb\r\n", "a\r\nb\r\n", "utf-8"),
        (b"a\r\nb\nc\rd\r\r\n", "a\r\nb\nc\rd\r\r\n", "utf-8"),
        (b"a\n\x0cclass B:\n\tpass\n", "a\n\x0cclass B:\n\tpass\n", "utf-8"),
        ("s = 'é\u2028\x85'\n".encode(), "s = 'é\u2028\x85'\n", "utf-8"),
        (b"# coding: latin-1\ns = '\xe9'\n", "# coding: latin-1\ns = 'é'\n", "iso-8859-1"),
        (b"#!python\r\n# vim: set fileencoding=cp1252 :\r\n# \x80", None, "cp1252"),
        (b"# -*- coding: utf8 -*-\n", None, "utf-8"),
        (b"# coding: koi8-r\n# \xc1\n", "# coding: koi8-r\n# \u0430\n", "koi8-r"),
        ("# coding: shift_jis\n# 日本\n".encode("shift_jis"), None, "shift_jis"),
    ],
)
def test_text_comes_back_as_the_same_bytes(data: bytes, text: str | None, encoding: str) -> None:
    decoded = decode(data)
    assert decoded.encoding == encoding
    assert not decoded.bom
    assert text is None or decoded.text == text
    assert encode(decoded.text, decoded) == data


@pytest.mark.parametrize("body", [b"", b"x = 1\r\n", b"# coding: utf-8\nx", "é".encode(), BOM])
def test_a_byte_order_mark_is_no_text_and_comes_back(body: bytes) -> None:
    decoded = decode(BOM + body)
    assert decoded == Decoded(body.decode(), "utf-8", bom=True)
    assert encode(decoded.text, decoded) == BOM + body


@settings(deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", BOM, b"# coding: cp1252\n", b"#coding:gbk\r"])
)
def test_any_bytes_come_back_or_are_refused(tail: bytes, head: bytes) -> None:
    data = head + tail
    refused = None
    try:
        decoded = decode(data, "a.py")
    except SourceError as error:
        refused = error
    if refused is None:
        assert encode(decoded.text, decoded) == data
    else:
        assert 1 <= refused.row <= 1 + data.count(b"\n") + data.count(b"\r")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.booleans())
def test_any_text_in_utf8_is_read_as_it_is(text: str, bom: bool) -> None:
    data = (BOM if bom else b"") + b"#\n#\n" + text.encode()
    assert decode(data) == Decoded("#\n#\n" + text, "utf-8", bom)


@pytest.mark.parametrize(
    ("data", "row", "problem"),
    [
        (b"a\r\nb\rc\n'\xe9'\n", 4, "line 4 is not UTF-8 .byte 0xe9.*save the file as UTF-8"),
        (b"\xff\n", 1, "line 1 is not UTF-8"),
        (BOM + b"a\n\xe9", 2, "line 2 is not UTF-8"),
        (b"# coding: ascii\n\n\xe9", 3, "line 3 is not ascii .byte 0xe9.*which the file declares"),
        (b"# coding: utf-9\n", 1, "encoding that cannot be used .unknown encoding: utf-9"),
        (b"# coding: rot13\n", 1, "encoding that cannot be used"),
        (BOM + b"# coding: latin-1\n", 1, "encoding that cannot be used"),
        (b"# coding: utf-7\n+AGE-\n", 1, "would not survive a rewrite"),
        (b"x = 1\n\0\n", 2, "line 2 holds a null byte"),
        ("x = 1\n".encode("utf-16"), 1, "UTF-16.*save it as UTF-8"),
        ("x = 1\n".encode("utf-32"), 1, "UTF-32.*save it as UTF-8"),
        (b"x\x00 \x00=\x00", 1, "null byte"),
    ],
)
def test_what_is_no_text_is_refused_with_its_row(data: bytes, row: int, problem: str) -> None:
    with pytest.raises(SourceError, match=problem) as caught:
        decode(data, "app/a.py")
    assert caught.value.path == "app/a.py"
    assert caught.value.row == row
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_character_that_the_encoding_lacks_is_refused() -> None:
    decoded = decode(b"# coding: latin-1\n")
    with pytest.raises(
        SourceError, match=r"line 2 holds U\+20AC, which iso-8859-1 cannot express"
    ):
        encode("# coding: latin-1\n\u20ac", decoded, "a.py")


def test_a_file_is_read_as_bytes_and_as_text(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/a.py").write_bytes(b"x = 1\r\n")
    source = read(tmp_path, "app/a.py")
    assert (source.filename, source.data, source.decoded.text) == (
        "app/a.py",
        b"x = 1\r\n",
        "x = 1\r\n",
    )
    assert pickle.loads(pickle.dumps(source)) == source


def test_what_cannot_be_read_is_said_why(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "a.py").write_bytes(b"")
    (tmp_path / "loop.py").symlink_to("loop.py")
    for name, problem in {
        "gone.py": "does not exist",
        "a.py/b.py": "does not exist",
        "folder.py": "is a directory",
        "loop.py": "cannot be read: ",
        "a\0.py": "is no name that a file can have",
    }.items():
        with pytest.raises(SourceError, match=problem) as caught:
            read(tmp_path, name)
        assert caught.value.path == name


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(SourceError, match="is not a regular file"):
        read(tmp_path, "pipe.py")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read all")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch(0o000)
    with pytest.raises(SourceError, match="cannot be read: Permission denied"):
        read(tmp_path, "a.py")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have names of text")
def test_a_name_that_is_no_text_is_read(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\n.py")
    (tmp_path / name).write_bytes(b"x\n")
    assert read(tmp_path, name).data == b"x\n"
