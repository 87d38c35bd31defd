"""`cti transcripts status | retry`."""

from datetime import timedelta

from cti.cli.transcription import status_lines
from cti.model.queries import RecordingFacts
from cti.model.transcription import transcribe_work
from cti.model.work import TRANSCRIBE
from tests.builders import NOW, a_call
from tests.unit.cli.conftest import Terminal


def dead_letter(terminal: Terminal) -> str:
    """Leave one recording that failed for good; return the call's id."""
    store, call = terminal.site.store, a_call()

    async def make() -> None:
        await store.calls.place([(call, None)])
        await store.recordings.save_recording(call.id, RecordingFacts(path="a.wav"), at=NOW)
        await store.work.add([transcribe_work(call.id, {})], now=NOW)
        (work,) = await store.work.lease(
            kinds=[TRANSCRIBE], limit=1, now=NOW, lease_for=timedelta(seconds=60)
        )
        await store.work.bury(work, error="1 channel", now=NOW)

    terminal.meanwhile(make())
    return call.id


def test_the_queue_and_what_failed_are_shown(terminal: Terminal) -> None:
    call_id = dead_letter(terminal)
    lines = terminal.said("transcripts", "status").splitlines()
    assert lines[0] == "0 wait, 0 run, 1 failed for good"
    assert lines[-1].split()[1:] == [call_id, "1", "channel"]
    assert '"dead": 1' in terminal.said("transcripts", "status", "--json")


def test_the_age_and_the_workers_are_told_where_there_are_any() -> None:
    told = {
        "waiting": 3,
        "running": 1,
        "dead": 0,
        "done_last_hour": 12,
        "oldest_due_at": NOW.isoformat(),
        "workers_wanted": 2,
        "workers_alive": 1,
        "workers_seen": ["w1", "w2"],
        "redis": "away",
    }
    assert status_lines(told, NOW + timedelta(seconds=90)) == [
        "3 wait, 1 run, 0 failed for good",
        "12 done within the last hour",
        "the oldest is due for 1.5 min",
        "1 of 2 workers beside the service run",
        "workers that asked lately: w1, w2",
        "Redis: away",
    ]


def test_what_failed_is_tried_again_one_by_one_or_all_together(terminal: Terminal) -> None:
    first = dead_letter(terminal)
    dead_letter(terminal)
    assert (
        terminal.said("transcripts", "retry", first, "--model", "big")
        == f"call {first} will be transcribed\n"
    )
    assert terminal.said("transcripts", "retry", "--dead") == "1 are tried again\n"
    assert terminal.said("transcripts", "status").splitlines()[0] == "2 wait, 0 run, 0 failed for good"


def test_one_call_or_all_and_not_both(terminal: Terminal) -> None:
    assert "not both" in terminal.said("transcripts", "retry", code=1)
    assert "not both" in terminal.said("transcripts", "retry", "0" * 32, "--dead", code=1)
    assert "for one call" in terminal.said("transcripts", "retry", "--dead", "--model", "x", code=1)
