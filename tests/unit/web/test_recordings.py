"""Recordings over the API: heard, drawn, paused, held, checked."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cti.model.call_record import moment
from cti.model.calls import Call
from cti.model.events import RecordingPaused
from cti.model.queries import RecordingFacts
from cti.model.recordings import Peaks, SoundFormat
from tests.builders import NOW, a_call, later
from tests.fakes.site import Site

SOUND = bytes(range(256)) * 4


def call_id(number: int) -> str:
    return f"{number:032x}"


async def stored(site: Site, number: int = 1, **given: Any) -> Call:
    call = a_call(id=call_id(number), placed_at=later(number), campaign_id=1, **given)
    await site.store.calls.place([(call, None)])
    return call


async def recorded(site: Site, path: str | None, **given: Any) -> str:
    """Store a call of anna with these facts; return the recording's address."""
    await stored(site, agent_id=site.anna)
    facts = RecordingFacts(path=path, **given)
    await site.store.recordings.save_recording(call_id(1), facts, at=NOW)
    return f"calls/{call_id(1)}/recording"


async def talking(site: Site, **given: Any) -> str:
    """Store a call of anna that is up and recorded; return the recording's address."""
    await stored(site, agent_id=site.anna, **{"recording": "a", "answered_at": NOW} | given)
    return f"calls/{call_id(1)}/recording"


async def test_a_recording_is_sent_as_a_whole(site: Site) -> None:
    (site.recordings / "ab").mkdir()
    (site.recordings / "ab" / "x.wav").write_bytes(SOUND)
    answer = await site.ask("GET", await recorded(site, "ab/x.wav"), as_="anna")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/wav")
    assert await answer.read() == SOUND


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, SOUND[:10]),
        ("bytes=1000-", 206, SOUND[1000:]),
        ("bytes=-24", 206, SOUND[-24:]),
        ("bytes=0-99999", 206, SOUND),
        ("bytes=5000-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=9-1", 200, SOUND),
        ("bytes=0-1,5-6", 200, SOUND),
        ("lines=0-1", 200, SOUND),
        ("bytes=", 200, SOUND),
    ],
)
async def test_a_player_may_jump_in_a_recording(
    site: Site, asked: str, status: int, part: bytes | None
) -> None:
    (site.recordings / "x.wav").write_bytes(SOUND)
    answer = await site.ask("GET", await recorded(site, "x.wav"), headers={"Range": asked})
    assert answer.status == status
    if part is not None:
        assert await answer.read() == part
        assert answer.headers["Content-Length"] == str(len(part))
    if status != 200:
        assert answer.headers["Content-Range"].endswith(f"/{len(SOUND)}")


async def test_a_recording_that_is_not_there_says_why(site: Site) -> None:
    error = await site.refused("GET", await recorded(site, None, problem="the file is empty"), status=404)
    assert "the file is empty" in error["message"]


async def test_a_call_without_a_recording_is_not_found(site: Site) -> None:
    await stored(site, 1)
    await site.refused("GET", f"calls/{call_id(1)}/recording", status=404)


@pytest.mark.parametrize("path", ["../secret", "gone.wav", "/etc/passwd", "link", ".", "x/../../secret"])
async def test_nothing_but_a_recording_is_handed_out(site: Site, path: str) -> None:
    (site.recordings.parent / "secret").write_bytes(b"secret")
    (site.recordings / "link").symlink_to(site.recordings.parent / "secret")
    answer = await site.ask("GET", await recorded(site, path))
    assert answer.status == 404
    assert b'"secret"' not in await answer.read()


async def test_a_player_that_knows_another_version_gets_all_of_it(site: Site) -> None:
    (site.recordings / "x.wav").write_bytes(SOUND)
    path = await recorded(site, "x.wav", sha256="ab" * 32)
    etag = f'"{"ab" * 32}"'

    async def status(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await site.ask("GET", path, headers=named)
        assert answer.headers["ETag"] == etag
        return answer.status

    assert await status(Range="bytes=0-1", If_Range=etag) == 206
    assert await status(Range="bytes=0-1", If_Range='"other"') == 200
    assert await status(Range="bytes=0-1", If_Range="Mon, 23 Nov 2026 12:00:00 GMT") == 200
    assert await status(If_None_Match=f'"x", {etag}') == 304
    assert await status(If_None_Match='"x"') == 200


async def test_a_head_tells_all_but_the_sound(site: Site) -> None:
    (site.recordings / "x.opus").write_bytes(SOUND)
    path = await recorded(site, "x.opus", format=SoundFormat.OPUS)
    answer = await site.ask("HEAD", path, headers={"Range": "bytes=0-9"})
    assert (answer.status, answer.headers["Content-Type"]) == (206, "audio/ogg")
    assert (answer.headers["Content-Length"], await answer.read()) == ("10", b"")
    assert answer.headers["Content-Disposition"] == f'inline; filename="{call_id(1)}.opus"'


async def test_what_retention_deleted_is_gone_and_its_row_says_when(site: Site) -> None:
    path = await recorded(site, "x.wav", retention="short", recorded_at=NOW)
    await site.store.recordings.begin_deleting({"short": later(9)}, limit=1, at=later(10))
    assert (await site.refused("GET", path, status=410))["kind"] == "gone"
    await site.store.recordings.finish_deleting(call_id(1), at=later(11))
    await site.refused("GET", path, status=410)
    await site.refused("GET", f"{path}/peaks", status=410)
    assert (await site.told("GET", f"{path}/facts"))["deleted_at"] == moment(later(11))


async def test_a_page_can_draw_a_recording(site: Site) -> None:
    path = await recorded(site, "x.wav", recorded_at=NOW)
    await site.refused("GET", f"{path}/peaks", status=404)
    facts = RecordingFacts(path="x.wav", recorded_at=NOW)
    outline = Peaks(bucket_ms=100, channels=2, levels=bytes([254, 3, 0, 0, 128, 127, 1, 2]))
    await site.store.recordings.save_recording(call_id(1), facts, at=NOW, peaks=outline)
    assert await site.told("GET", f"{path}/peaks", as_="anna") == {
        "bucket_seconds": 0.1,
        "customer": {"low": [-2, -128], "high": [3, 127]},
        "agent": {"low": [0, 1], "high": [0, 2]},
        "pauses": [],
    }


async def test_an_agent_pauses_his_own_call_and_everybody_learns_of_it(site: Site) -> None:
    path, events = await talking(site), []
    site.bus.tap(events.append)
    paused = {"call_id": call_id(1), "paused": True, "changed": True}
    assert await site.told("POST", f"{path}/pause", as_="anna") == paused
    assert await site.told("POST", f"{path}/pause", as_="lead") == paused | {"changed": False}
    resumed = {"call_id": call_id(1), "paused": False, "changed": True}
    assert await site.told("POST", f"{path}/resume", as_="anna") == resumed
    assert await site.told("POST", f"{path}/resume", as_="anna") == resumed | {"changed": False}
    assert [(event.paused, event.by) for event in events if isinstance(event, RecordingPaused)] == [
        (True, "anna"),
        (False, "anna"),
    ]
    await site.store.recordings.save_recording(call_id(1), RecordingFacts(path="x", recorded_at=NOW), at=NOW)
    (pause,) = (await site.told("GET", f"{path}/facts", as_="anna"))["pauses"]
    assert (pause["start"], pause["end"], pause["by"]) == (0.0, 0.0, "anna")


async def test_only_a_call_that_is_up_answered_and_recorded_can_be_paused(site: Site) -> None:
    await site.refused("POST", f"calls/{call_id(9)}/recording/pause", status=404)
    path = await talking(site, answered_at=None)
    await site.refused("POST", f"{path}/pause", status=409)
    site.store.tables.calls[call_id(1)] = replace(
        site.store.tables.calls[call_id(1)], answered_at=NOW, recording=None
    )
    await site.refused("POST", f"{path}/pause", status=409)
    assert site.store.tables.recording_pauses[call_id(1)] == []


async def test_an_agent_neither_pauses_nor_hears_another_s_call(site: Site) -> None:
    await stored(site, agent_id=site.bob, recording="a", answered_at=NOW)
    path = f"calls/{call_id(1)}/recording"
    for method, what in (("POST", "/pause"), ("POST", "/resume"), ("GET", ""), ("GET", "/facts")):
        await site.refused(method, path + what, as_="anna", status=403)
    for method, what in (("PUT", f"{path}/hold"), ("GET", "recordings"), ("POST", "recordings/verify")):
        await site.refused(method, what, as_="anna", json={"held": True}, status=403)


async def test_a_hold_has_a_history(site: Site) -> None:
    path = await recorded(site, "x.wav", retention="short", recorded_at=NOW)
    told = await site.told("PUT", f"{path}/hold", json={"held": True, "reason": "claim 7"})
    assert (told["held"], told["delete_after"]) == (True, moment(NOW + timedelta(days=30)))
    told = await site.told("PUT", f"{path}/hold", as_="admin", json={"held": False})
    assert [(step["held"], step["by"], step["reason"]) for step in told["holds"]] == [
        (True, "lead", "claim 7"),
        (False, "admin", ""),
    ]
    await site.refused("PUT", f"{path}/hold", json={"held": "yes"}, status=422)
    counts = await site.told("GET", "recordings")
    assert counts == {
        "recordings": 1,
        "classes": [
            {"class": "long", "days": 3650, "recordings": 0, "held": 0},
            {"class": "short", "days": 30, "recordings": 1, "held": 0},
        ],
    }


async def test_a_changed_file_is_found_by_its_checksum(site: Site) -> None:
    (site.recordings / "x.wav").write_bytes(SOUND)
    digest = hashlib.sha256(SOUND).hexdigest()
    await recorded(site, "x.wav", sha256=digest, size_bytes=len(SOUND))
    told = await site.told("POST", "recordings/verify", json={"limit": 1})
    assert told == {"checked": 1, "bad": [], "next": call_id(1)}
    assert (await site.told("POST", "recordings/verify", json={"after": told["next"]}))["checked"] == 0
    (site.recordings / "x.wav").write_bytes(SOUND[:-1] + b"x")
    (bad,) = (await site.told("POST", "recordings/verify"))["bad"]
    assert (bad["call_id"], "checksum" in bad["problem"]) == (call_id(1), True)
    (site.recordings / "x.wav").unlink()
    (bad,) = (await site.told("POST", "recordings/verify"))["bad"]
    assert "not in its place" in bad["problem"]


async def test_without_a_key_nothing_is_encrypted_anew(site: Site) -> None:
    error = await site.refused("POST", "recordings/rotate", status=422)
    assert "WAIHU_RECORDING_KEY" in error["message"]


async def test_no_room_for_recordings_shows_and_is_no_reason_to_start_anew(site: Site) -> None:
    assert (await site.told("GET", "health"))["recording"] == "ok"
    site.space.disk_full("the disk under /r is full")
    told = await site.told("GET", "health")
    assert (told["status"], told["recording"]) == ("degraded", "stopped")
    assert told["recording_stopped"] == [{"node": None, "reason": "the disk under /r is full"}]
