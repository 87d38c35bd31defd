"""A real S3 server in a process of its own (moto), with one bucket."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from cti.recording.plan import S3Place
from lab.ports import free_port

BUCKET: Final = "recordings"
KEYS: Final = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@contextmanager
def s3_server(log: Path) -> Iterator[S3Place]:
    """Serve for as long as the block lasts."""
    port = free_port()
    server = Path(sys.executable).parent / "moto_server"
    with log.open("wb") as output:
        process = subprocess.Popen([server, "-p", str(port)], stdout=output, stderr=output)
        try:
            place = S3Place(bucket=BUCKET, endpoint=f"http://127.0.0.1:{port}", region="us-east-1")
            _make_bucket(process, place, log)
            yield place
        finally:
            process.terminate()
            process.wait(10)


def _make_bucket(process: "subprocess.Popen[bytes]", place: S3Place, log: Path) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=place.endpoint,
        region_name=place.region,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )
    while True:
        try:
            client.create_bucket(Bucket=place.bucket)
            return
        except BotoCoreError:
            if process.poll() is not None:
                pytest.fail(f"the S3 server ended: {log.read_text()}")
            time.sleep(0.1)
