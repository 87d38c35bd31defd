"""Speech with known text."""

from pathlib import Path

import pytest

from cti.asr.labelled import Labelled, labelled
from cti.errors import BadInput


def test_both_layouts_are_read(tmp_path: Path) -> None:
    table = tmp_path / "ko-KR-testing" / "trans.txt"
    table.parent.mkdir()
    (table.parent / "audio.wav").write_bytes(b"")
    table.write_text("\ufeffaudio.wav\t안녕 하세요.\n\n", encoding="utf-8")
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "a.txt").write_text(" Hello.\n", encoding="utf-8")
    (tmp_path / "without-text.wav").write_bytes(b"")
    assert labelled(tmp_path, "en") == [
        Labelled(path=tmp_path / "a.wav", text="Hello.", language="en"),
        Labelled(path=table.parent / "audio.wav", text="안녕 하세요.", language="ko"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("audio.wav hello", "trans.txt, line 1: a tab between file and text is missing"),
        ("none.wav\thello", "line 1: there is no file 'none.wav' beside it"),
        ("../secret.wav\thello", "line 1: there is no file"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "en-x").mkdir()
    (tmp_path / "secret.wav").write_bytes(b"")
    (tmp_path / "en-x" / "audio.wav").write_bytes(b"")
    (tmp_path / "en-x" / "trans.txt").write_text(line, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        labelled(tmp_path)


def test_a_folder_without_speech_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no speech with text"):
        labelled(tmp_path)
    with pytest.raises(BadInput, match="there is no such folder"):
        labelled(tmp_path / "none")


def test_text_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "a.txt").write_bytes("你好".encode("gbk"))
    with pytest.raises(BadInput, match=r"a\.txt: not UTF-8 at byte 0"):
        labelled(tmp_path)
