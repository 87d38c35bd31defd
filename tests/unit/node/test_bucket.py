"""`cti check` and the store that recordings are moved to."""

from collections.abc import Iterable

import pytest

from cti.errors import RecordingError
from cti.model.findings import Finding
from cti.node.bucket import recordings_bucket


class Store:
    """Objects in memory, and what is forbidden."""

    def __init__(self, *forbidden: str) -> None:
        self.objects: dict[str, bytes] = {}
        self.forbidden = forbidden

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        self.may("put")
        self.objects[key] = b"".join(chunks)
        return len(self.objects[key])

    def size(self, key: str) -> int | None:
        if key not in self.objects:
            self.may("list")
            return None
        return len(self.objects[key])

    def read(self, key: str, start: int, length: int) -> bytes:
        self.may("get")
        return self.objects[key][start : start + length]

    def remove(self, key: str) -> None:
        self.may("delete")
        self.objects.pop(key, None)

    def may(self, what: str) -> None:
        if what in self.forbidden:
            raise RecordingError(f"AccessDenied: {what}")


class Changing(Store):
    def read(self, key: str, start: int, length: int) -> bytes:
        return b"<html>welcome</html>"


class Keeping(Store):
    def remove(self, key: str) -> None: ...


def looked_at(store: Store) -> Finding:
    return recordings_bucket(lambda: store, "calls")


def test_a_bucket_that_does_all_is_ready_and_nothing_stays_in_it() -> None:
    store = Store()
    finding = looked_at(store)

    assert (finding.subject, finding.ok, finding.mend) == ("S3 bucket calls", True, "")
    assert store.objects == {}


@pytest.mark.parametrize("what", ["list", "put", "get", "delete"])
def test_each_right_that_is_missing_is_found(what: str) -> None:
    store = Store(what)
    finding = looked_at(store)

    assert not finding.ok
    assert what in finding.message
    assert "s3:ListBucket" in finding.mend
    assert bool(store.objects) == (what == "delete"), "what could be removed was"


@pytest.mark.parametrize(
    ("store", "told"),
    [
        pytest.param(Changing(), "is not what was written", id="something that answers, and is no store"),
        pytest.param(Keeping(), "is still there", id="nothing can be removed"),
    ],
)
def test_a_store_that_only_seems_to_obey_is_found(store: Store, told: str) -> None:
    assert told in looked_at(store).message


def test_a_store_that_cannot_even_be_opened_is_a_finding() -> None:
    def refused() -> Store:
        raise RecordingError("the config profile (calls) could not be found")

    assert "profile" in recordings_bucket(refused, "calls").message
