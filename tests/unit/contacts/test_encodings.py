"""Text in whatever encoding it comes."""

from pathlib import Path

import pytest

from cti.contacts.encodings import Place, check_encoding, encoding_of, utf8_pieces
from cti.errors import BadInput

CHINESE = "姓名,手机号,城市\n王芳,13800138000,北京\n李雷,13800138001,上海\n"


def kept(folder: Path, content: bytes) -> Path:
    path = folder / "list.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        pytest.param(CHINESE.encode(), "utf-8", id="utf-8"),
        pytest.param(b"\xef\xbb\xbf" + CHINESE.encode(), "utf-8", id="utf-8 with its mark"),
        pytest.param(CHINESE.encode("gbk"), "gb18030", id="gbk"),
        pytest.param((CHINESE + "𠮷野家,13800138002,a").encode("gb18030"), "gb18030", id="gb18030"),
        pytest.param(CHINESE.encode("utf-16"), "utf-16", id="utf-16 with its mark"),
        pytest.param("name,number\nAda,+493023125001\n".encode("utf-16-le"), "utf-16-le", id="utf-16 little"),
        pytest.param("name,number\nAda,+493023125001\n".encode("utf-16-be"), "utf-16-be", id="utf-16 big"),
        pytest.param("name,number\nJürgen Groß,1\n".encode("latin-1"), "utf-8", id="latin-1 is not guessed"),
        pytest.param("name,number\nMüller,1\nGrün,2\nÄrmel,3".encode("cp1252"), "utf-8", id="nor cp1252"),
        pytest.param(b"name,number\nA\x00B,1\n", "utf-8", id="a zero byte is a slip"),
        pytest.param(b"", "utf-8", id="empty"),
    ],
)
def test_the_encoding_is_found_or_it_is_utf8_with_slips(
    tmp_path: Path, content: bytes, encoding: str
) -> None:
    assert encoding_of(kept(tmp_path, content)) == encoding


@pytest.mark.parametrize("region", ["KR", "JP", "TW"])
def test_chinese_is_not_guessed_where_the_same_bytes_mean_something_else(tmp_path: Path, region: str) -> None:
    assert encoding_of(kept(tmp_path, CHINESE.encode("gbk")), region=region) == "utf-8"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8", "big5"])
def test_a_file_is_handed_on_as_utf8_also_where_a_piece_cuts_a_letter(tmp_path: Path, encoding: str) -> None:
    text = "a" + "王" * 70_000
    place = Place()

    pieces = list(utf8_pieces(kept(tmp_path, text.encode(encoding)), encoding, place))

    assert b"".join(pieces).decode() == text
    assert place.bytes == len(text.encode(encoding))


def test_a_file_that_is_not_of_the_encoding_asked_for_is_refused_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the file is not gb18030: near byte 6"):
        list(utf8_pieces(kept(tmp_path, b"phone\n\xff\xff"), "gb18030", Place()))


@pytest.mark.parametrize(
    ("asked", "known"), [("GBK", "gb18030"), ("GB2312", "gb18030"), ("UTF8", "utf-8"), ("", "")]
)
def test_an_encoding_is_asked_for_by_its_usual_names(asked: str, known: str) -> None:
    assert check_encoding(asked) == known


@pytest.mark.parametrize("asked", ["martian", "rot13", "zlib", "utf-7", "idna"])
def test_another_encoding_is_refused_naming_those_that_are_known(asked: str) -> None:
    with pytest.raises(BadInput, match=r"encoding: .* is not one of big5, cp1251"):
        check_encoding(asked)
