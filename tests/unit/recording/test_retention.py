"""What is deleted when, and what never is."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cti.model.recordings import RetentionClass
from cti.recording.retention import RetentionKeeper, cutoffs
from tests.builders import NOW
from tests.unit.recording.keeping import Bench

CLASSES = (RetentionClass(name="short", days=10), RetentionClass(name="long", days=100))


def retention(bench: Bench, **more: Any) -> RetentionKeeper:
    return RetentionKeeper(
        store=bench.store,
        archive=bench.archive(),
        clock=bench.clock,
        locks=bench.locks,
        classes=CLASSES,
        **{"bite": 2, **more},
    )


def name(n: int) -> str:
    return f"{n:032x}"


def days(bench: Bench, count: float) -> None:
    bench.clock.advance(count * 86_400)


def test_each_class_has_its_time_and_the_default_covers_what_has_none() -> None:
    short, long = NOW - timedelta(days=10), NOW - timedelta(days=100)
    assert cutoffs(CLASSES, "", NOW) == {"short": short, "long": long}
    assert cutoffs(CLASSES, "long", NOW) == {"short": short, "long": long, "": long}
    assert cutoffs((), "", NOW) == {}


async def test_a_backlog_goes_in_bites_and_only_what_is_past_its_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for n in range(5):
        await bench.keep(call_id=name(n), retention="short")
    await bench.keep(call_id=name(7), retention="long")
    await bench.keep(call_id=name(8), retention="unknown")
    await bench.keep(call_id=name(9))
    days(bench, 9.9)
    assert await retention(bench).step() == 0
    days(bench, 0.2)
    assert await retention(bench).step() == 5
    assert await retention(bench).step() == 0
    assert bench.files() == [f"2026/{name(n)}.wav" for n in (7, 8, 9)]
    days(bench, 1000)
    assert await retention(bench, default="short").step() == 2
    assert bench.files() == [f"2026/{name(8)}.wav"]
    facts = await bench.facts(name(0))
    assert (facts.path, facts.deleted_at) == (None, NOW + timedelta(days=10.1))


async def test_nothing_under_hold_goes_and_it_goes_when_the_hold_does(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keep(call_id=name(1), retention="short")
    await bench.store.set_hold(name(1), held=True, by="lea", reason="", at=NOW)
    days(bench, 1000)
    assert await retention(bench).step() == 0
    assert len(bench.files()) == 1
    await bench.store.set_hold(name(1), held=False, by="lea", reason="", at=NOW)
    assert await retention(bench).step() == 1
    assert bench.files() == []


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    "step",
    [
        "cti.recording.archive.Archive.remove_all",
        "tests.fakes.memory_recordings.MemoryRecordings.finish_deleting",
    ],
)
async def test_a_kill_in_between_leaves_nothing_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    bench = Bench(tmp_path)
    for n in range(3):
        await bench.keep(call_id=name(n), retention="short")
    days(bench, 11)

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(step, die)
        with pytest.raises(Killed):
            await retention(bench).step()
    assert await retention(bench).step() == 3
    assert bench.files() == []
    assert all(facts.deleted_at for facts in bench.tables.recordings.values())


async def test_a_file_that_cannot_go_now_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)
    for n in range(4):
        await bench.keep(call_id=name(n), retention="short")
    days(bench, 11)
    unlink = Path.unlink

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path.name.startswith((name(0), name(2))):
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as denied:
        denied.setattr(Path, "unlink", refuse)
        assert await retention(bench).step() == 2
    assert bench.files() == [f"2026/{name(n)}.wav" for n in (0, 2)]
    assert await retention(bench).step() == 2
