"""Recordings in the settings."""

import base64
from pathlib import Path

import pytest

from cti.recording.plan import S3Place
from tests.unit.settings.files import read, wrong

KEY = "2026a:" + base64.b64encode(bytes(32)).decode()


def test_the_key_of_recordings_stands_in_the_environment_and_is_never_shown(tmp_path: Path) -> None:
    settings = read(tmp_path, "", {"WAIHU_RECORDING_KEY": KEY})
    assert settings.recording.plan().keys == KEY
    assert KEY[8:] not in repr(settings) + repr(settings.recording.plan())


@pytest.mark.parametrize(
    ("text", "environ", "problem"),
    [
        ("", {"WAIHU_RECORDING_KEY": "2026a:secret"}, "the key 2026a is not base64"),
        ("", {"WAIHU_RECORDING_KEY": "2026a:c2VjcmV0"}, "the key 2026a has 6 bytes; it needs 32"),
        ('[recording]\ntemplate = "{date}"', {}, "the last part must hold {call_id}"),
        ('[recording]\ntemplate = "../{call_id}"', {}, "begin with a dot"),
        ('[recording]\nretention = "x"', {}, "there is no class 'x'"),
        ('[recording]\ncompress = "mp3"', {}, "'none', 'flac' or 'opus'"),
        ('[[recording.classes]]\nname = "a"\ndays = 0', {}, "recording.classes[0].days"),
        ('[recording.s3]\nbucket = "B"', {}, "recording.s3.bucket"),
        ('[recording.s3]\nbucket = "abc"\nprefix = "../x"', {}, "recording.s3.prefix"),
    ],
)
def test_wrong_settings_of_recordings_are_named(
    tmp_path: Path, text: str, environ: dict[str, str], problem: str
) -> None:
    told = wrong(tmp_path, text, environ)
    assert problem in told
    assert "c2VjcmV0" not in told


def test_recordings_may_be_moved_to_any_s3_store(tmp_path: Path) -> None:
    text = '[recording.s3]\nbucket = "abc"\nendpoint = "http://s3.local:9000/"\nprefix = "a/b"'
    place = read(tmp_path, text, {"WAIHU_RECORDING__S3__REGION": "eu-1"}).recording.plan().s3
    assert place == S3Place(bucket="abc", endpoint="http://s3.local:9000", region="eu-1", prefix="a/b")
