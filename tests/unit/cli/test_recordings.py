"""Recordings on the command line."""

import base64
import hashlib
import json
from typing import Any

from cti.model.queries import RecordingFacts
from cti.recording.keys import KeyRing
from tests.builders import NOW, a_call
from tests.unit.cli.conftest import Terminal


def call_id(number: int) -> str:
    return f"{number:032x}"


def recorded(terminal: Terminal, number: int, content: bytes = b"sound", **given: Any) -> str:
    """Store a call that ended with a file; return its id."""
    site, digest = terminal.site, hashlib.sha256(content).hexdigest()
    (site.recordings / f"{number}.wav").write_bytes(content)
    call = a_call(id=call_id(number), recording="a", answered_at=NOW, ended_at=NOW, **given)
    terminal.meanwhile(site.store.calls.place([(call, None)]))
    facts = RecordingFacts(
        path=f"{number}.wav", sha256=digest, size_bytes=len(content), retention="short", recorded_at=NOW
    )
    terminal.meanwhile(site.store.recordings.save_recording(call.id, facts, at=NOW))
    return call.id


def test_verify_reads_all_of_them_and_ends_badly_when_one_was_changed(terminal: Terminal) -> None:
    for number in range(1, 46):
        recorded(terminal, number)
    assert "45 recordings checked, 0 are not as they were kept" in terminal.said("recordings", "verify")
    (terminal.site.recordings / "33.wav").write_bytes(b"other")
    told = terminal.said("recordings", "verify", "--json", code=1)
    (bad,) = json.loads(told)
    assert bad["call_id"] == call_id(33)
    assert "45 recordings checked, 1 are not" in terminal.said("recordings", "verify", code=1)


def test_a_hold_is_set_shown_and_cleared(terminal: Terminal) -> None:
    call = recorded(terminal, 1)
    assert terminal.said("recordings", "hold", call, "--reason", "claim 7") == f"call {call}: held\n"
    shown = terminal.said("recordings", "show", call)
    assert "claim 7" in shown
    assert terminal.said("recordings", "retention").splitlines()[2].split() == ["short", "30", "1", "1"]
    terminal.said("recordings", "release", call)
    (told,) = json.loads(terminal.said("recordings", "show", call, "--json"))
    assert [step["held"] for step in told["holds"]] == [True, False]
    assert "no recording" in terminal.said("recordings", "hold", "f" * 32, code=1)


def test_a_running_call_is_paused_and_resumed(terminal: Terminal) -> None:
    call = a_call(id=call_id(1), recording="a", answered_at=NOW)
    terminal.meanwhile(terminal.site.store.calls.place([(call, None)]))
    paused = terminal.said("calls", "recording", "pause", call.id)
    assert paused == f"call {call.id}: the recording holds silence\n"
    assert "silence already" in terminal.said("calls", "recording", "pause", call.id)
    assert "holds sound" in terminal.said("calls", "recording", "resume", call.id)
    assert "no call" in terminal.said("calls", "recording", "pause", "f" * 32, code=1)
    assert call.id in terminal.said("calls", "--columns", "id")


def test_without_a_key_nothing_is_encrypted_anew_and_a_key_is_made(terminal: Terminal) -> None:
    assert "WAIHU_RECORDING_KEY" in terminal.said("recordings", "rotate", code=1)
    text = terminal.said("recordings", "key", "2026a").strip()
    assert len(base64.b64decode(text.partition(":")[2])) == 32
    assert KeyRing.read(text).current == "2026a"
    assert terminal.said("recordings", "key", "2026a").strip() != text
