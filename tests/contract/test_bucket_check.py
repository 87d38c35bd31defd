"""`cti check` on a real S3 server."""

import socket
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from cti.errors import RecordingError
from cti.node.bucket import recordings_bucket
from cti.recording.plan import Patience, S3Place
from cti.recording.s3_store import S3Store
from tests.fakes.s3_server import KEYS, s3_server
from tests.waiting import PATIENCE_SECONDS

QUICK = Patience(connect_seconds=PATIENCE_SECONDS, read_seconds=PATIENCE_SECONDS, attempts=1)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def test_a_real_bucket_is_proved_and_a_wrong_one_named(tmp_path: Path, keys: None) -> None:
    with s3_server(tmp_path / "log") as place:
        place = replace(place, prefix="calls/here")
        good = recordings_bucket(lambda: S3Store(place, patience=QUICK), place.bucket)
        other = replace(place, bucket="nobodys")
        bad = recordings_bucket(lambda: S3Store(other, patience=QUICK), other.bucket)
        left = boto3.client("s3", endpoint_url=place.endpoint, region_name="us-east-1").list_objects_v2(
            Bucket=place.bucket
        )

    assert good.ok, good.message
    assert left["KeyCount"] == 0
    assert not bad.ok
    assert "nobodys" in bad.message
    assert "NoSuchBucket" in bad.message


def test_a_server_that_is_away_is_named(keys: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as freed:
        endpoint = f"http://127.0.0.1:{freed.getsockname()[1]}"
    away = S3Place(bucket="calls", endpoint=endpoint, region="x")
    finding = recordings_bucket(lambda: S3Store(away, patience=QUICK), "calls")

    assert not finding.ok
    assert endpoint in finding.message


def test_a_profile_that_is_not_there_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobodys")

    with pytest.raises(RecordingError, match=r"the S3 bucket calls .* cannot be asked: .*nobodys"):
        S3Store(S3Place(bucket="calls"))
