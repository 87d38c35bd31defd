"""Transcription over the API: its standing, ordering it anew, and what workers do."""

from typing import Any

from cti.asr.wire import transcript_record
from cti.model.calls import Call
from cti.model.queries import RecordingFacts
from cti.model.transcription import transcribe_work
from tests.builders import NOW, a_call
from tests.fakes.site import Site
from tests.fakes.transcription import a_transcript


async def recorded(site: Site, *, ordered: bool = True) -> Call:
    call = a_call(campaign_id=1)
    await site.store.calls.place([(call, None)])
    facts = RecordingFacts(path="2026/11/23/x.wav", seconds=2.0, size_bytes=64_044)
    then = [transcribe_work(call.id, {})] if ordered else []
    await site.store.recordings.save_recording(call.id, facts, at=NOW, works=then)
    return call


async def taken(site: Site) -> dict[str, Any]:
    (work,) = (await site.told("POST", "transcription/work/take", as_="worker", json={"worker": "w1"}))[
        "works"
    ]
    return dict(work)


async def done(site: Site, work: dict[str, Any], fingerprint: str = "f1") -> Any:
    body = {"work": work, "transcript": transcript_record(a_transcript(work["key"], fingerprint))}
    return (await site.told("POST", "transcription/work/done", as_="worker", json=body))["version"]


async def test_a_worker_takes_a_recording_and_hands_its_transcript_in(site: Site) -> None:
    call = await recorded(site)
    work = await taken(site)
    assert (work["key"], work["payload"]["call_id"]) == (call.id, call.id)
    begun = {"work": work, "fingerprint": "f1"}
    assert (await site.told("POST", "transcription/work/begin", as_="worker", json=begun))["go"] is True

    assert await done(site, work) == 1

    stored = await site.store.transcripts.current(call.id)
    assert stored is not None
    assert stored.segments == a_transcript(call.id).segments
    told = await site.told("GET", "transcription")
    assert (told["waiting"], told["running"], told["done_last_hour"]) == (0, 0, 1)
    assert told["workers_seen"] == ["nameless", "w1"]


async def test_a_result_whose_answer_was_lost_may_be_handed_in_again(site: Site) -> None:
    call = await recorded(site)
    work = await taken(site)
    assert [await done(site, work), await done(site, work)] == [1, 1]
    assert len(await site.store.transcripts.versions(call.id)) == 1


async def test_a_result_of_a_lost_lease_is_refused_and_nothing_stored(site: Site) -> None:
    call = await recorded(site)
    work = await taken(site)
    work["lease"] = "somebody else's"
    assert await done(site, work) is None
    assert await site.store.transcripts.current(call.id) is None
    kept = await site.told("POST", "transcription/work/keep", as_="worker", json={"works": [work]})
    assert kept["lost"] == [work["id"]]


async def test_what_is_transcribed_already_is_not_begun_again(site: Site) -> None:
    call = await recorded(site)
    await done(site, await taken(site))
    await site.told("POST", f"calls/{call.id}/transcription", status=202)
    work = await taken(site)
    again = {"work": work, "fingerprint": "f1"}
    assert (await site.told("POST", "transcription/work/begin", as_="worker", json=again))["go"] is False
    assert (await site.told("GET", "transcription"))["running"] == 0


async def test_another_model_makes_another_version_and_keeps_the_first(site: Site) -> None:
    call = await recorded(site)
    await done(site, await taken(site))
    await site.told("POST", f"calls/{call.id}/transcription", status=202, json={"model": "large"})
    work = await taken(site)
    assert work["payload"]["model"] == "large"
    assert await done(site, work, "f2") == 2
    assert [one.fingerprint for one in await site.store.transcripts.versions(call.id)] == ["f2", "f1"]


async def test_a_failure_for_good_is_a_dead_letter_that_can_be_tried_again(site: Site) -> None:
    call = await recorded(site)
    failed = {"work": await taken(site), "error": "1 channel", "for_good": True}
    await site.told("POST", "transcription/work/failed", as_="worker", json=failed)
    (dead,) = (await site.told("GET", "transcription"))["dead_letters"]
    assert (dead["call_id"], dead["error"]) == (call.id, "1 channel")

    assert await site.told("POST", f"transcription/dead/{dead['id']}/retry") == {"retried": 1}

    assert (await taken(site))["attempts"] == 1
    await site.refused("POST", f"transcription/dead/{dead['id']}/retry", status=404)


async def test_all_dead_letters_can_be_tried_again_at_once(site: Site) -> None:
    for _ in range(2):
        await recorded(site)
        failed = {"work": await taken(site), "error": "x", "for_good": True}
        await site.told("POST", "transcription/work/failed", as_="worker", json=failed)
    assert await site.told("POST", "transcription/dead/retry") == {"retried": 2}
    assert (await site.told("GET", "transcription"))["waiting"] == 2


async def test_work_that_is_given_back_does_not_count(site: Site) -> None:
    await recorded(site)
    for _ in range(3):
        work = await taken(site)
        await site.told("POST", "transcription/work/give-back", as_="worker", json={"work": work})
    assert (await taken(site))["attempts"] == 1


async def test_a_call_without_recording_cannot_be_ordered(site: Site) -> None:
    call = a_call()
    await site.store.calls.place([(call, None)])
    error = await site.refused("POST", f"calls/{call.id}/transcription", status=404)
    assert error["message"] == f"call {call.id} has no recording"
    await site.refused("POST", f"calls/{'0' * 32}/transcription", status=404)


async def test_what_is_no_work_and_no_transcript_is_refused_with_what_is_wrong(site: Site) -> None:
    call = await recorded(site)
    work = await taken(site)
    good = transcript_record(a_transcript(call.id))

    async def refused(step: str, body: Any) -> str:
        error = await site.refused("POST", f"transcription/work/{step}", as_="worker", status=422, json=body)
        return str(error["message"])

    assert "id, lease or payload" in await refused("begin", {"work": work | {"id": "x"}, "fingerprint": "f"})
    assert "no leased work" in await refused("keep", {"works": [{}]})
    assert "work.kind" in await refused("keep", {"works": [work | {"kind": "recording.collect"}]})
    assert "`work` and `transcript`" in await refused("done", [])
    assert "no transcript" in await refused("done", {"work": work, "transcript": good | {"seconds": "long"}})
    assert "about call" in await refused("done", {"work": work, "transcript": good | {"call_id": "other"}})
    assert "no words" in await refused(
        "done",
        {
            "work": work,
            "transcript": good | {"segments": [{"speaker": "agent", "text": "", "words": []}]},
        },
    )


async def test_a_transcript_larger_than_a_usual_body_is_taken(site: Site) -> None:
    call = await recorded(site)
    work = await taken(site)
    long = transcript_record(a_transcript(call.id))
    long["segments"] *= 2000
    body = {"work": work, "transcript": long}
    assert (await site.told("POST", "transcription/work/done", as_="worker", json=body))["version"] == 1
    stored = await site.store.transcripts.current(call.id)
    assert stored is not None
    assert len(stored.segments) == 2000


async def test_workers_are_told_how_many_calls_are_up(site: Site) -> None:
    told = await site.told("POST", "transcription/work/pressure", as_="worker", json={})
    assert told == {"live_calls": 3}


async def test_the_health_page_tells_leaders_of_the_queue(site: Site) -> None:
    await recorded(site)
    health = await (await site.ask("GET", "health")).json()
    assert health["transcription"]["waiting"] == 1
    assert "transcription" not in await (await site.ask("GET", "health", as_=None)).json()
