"""`cti search` and `cti transcripts` against a running API."""

import json
from pathlib import Path
from typing import Any

from tests.builders import a_call, later
from tests.talk import A, C, a_transcript, said
from tests.unit.cli.conftest import Terminal


def spoken(terminal: Terminal, *segments: Any, at: float = 0) -> str:
    async def store() -> str:
        call = a_call(placed_at=later(at), campaign_id=1, agent_id=terminal.site.anna)
        await terminal.site.store.calls.place([(call, None)])
        await terminal.site.store.transcripts.save(a_transcript(call.id, segments))
        return call.id

    found: str = terminal.meanwhile(store())
    return found


def test_hits_are_a_table_with_the_second_and_marks(terminal: Terminal) -> None:
    call_id = spoken(terminal, said(C, "well a refund please", at=64.0), said(A, "no", at=70))

    header, hit = terminal.said(
        "search", "refund", "--speaker", "customer", "--since", "2026-11-01"
    ).splitlines()

    assert header.split() == ["call", "placed_at", "agent", "speaker", "at", "text"]
    assert hit.split(maxsplit=5) == [
        call_id,
        "2026-11-23T09:00:00.000000Z",
        "anna",
        "customer",
        "01:05",
        "well a *refund* please",
    ]


def test_hits_as_json_and_csv(terminal: Terminal) -> None:
    spoken(terminal, said(C, "退 款 谢谢"))

    (hit,) = json.loads(terminal.said("search", "退款", "--json"))
    assert (hit["text"], hit["marks"]) == ("退 款 谢谢", [[0, 3]])
    assert "退 款 谢谢" in terminal.said("search", "退款", "--csv")


def test_more_hits_than_a_page_has(terminal: Terminal) -> None:
    spoken(terminal, *(said(C, f"refund {n}", at=n) for n in range(250)))

    assert len(json.loads(terminal.said("search", "refund", "--json", "--limit", "230"))) == 230


def test_a_query_that_cannot_be_read_is_one_line(terminal: Terminal) -> None:
    assert "letter 1: the quotation mark is not closed" in terminal.said("search", '"refund', code=1)


def test_a_transcript_is_shown_and_written(terminal: Terminal, tmp_path: Path) -> None:
    call_id = spoken(terminal, said(A, "hello\x1b[31m there", at=3), said(C, "hi", at=65))
    shown = "[00:03] Agent: hello [31m there\n[01:05] Customer: hi\n"

    assert terminal.said("transcripts", "show", call_id) == shown
    assert "small-en-us" in terminal.said("transcripts", "versions", call_id)
    subtitles = terminal.said("transcripts", "export", call_id, "--format", "srt")
    assert "00:01:05,000 --> 00:01:05,500\nCustomer: hi" in subtitles
    path = tmp_path / "call.vtt"
    terminal.said("transcripts", "export", call_id, "--format", "vtt", "--output", str(path))
    assert path.read_text(encoding="utf-8").startswith("WEBVTT")
    assert json.loads(terminal.said("transcripts", "export", call_id, "--format", "json"))["version"] == 1


def test_what_cannot_be_shown_is_said(terminal: Terminal, tmp_path: Path) -> None:
    call_id = spoken(terminal)

    assert "there is no call" in terminal.said("transcripts", "show", "f" * 32, code=1)
    assert "no id of a call" in terminal.said("transcripts", "show", "../agents", code=1)
    assert "no transcript of version 9" in terminal.said(
        "transcripts", "show", call_id, "--version", "9", code=1
    )
    nowhere = str(tmp_path / "none" / "x")
    assert "--output" in terminal.said("transcripts", "export", call_id, "--output", nowhere, code=1)
