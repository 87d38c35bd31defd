"""Campaigns and their lists over the API."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fakes.site import TOKENS, Site


async def test_a_campaign_takes_from_the_settings_what_is_not_given(site: Site) -> None:
    made = await site.told("POST", "campaigns", json={"name": "winter", "ring_seconds": 20}, status=201)
    assert (made["node"], made["trunk"], made["ring_seconds"], made["grace_seconds"]) == (
        "pbx",
        "carrier",
        20,
        2,
    )
    assert made["state"] == "stopped"


async def test_a_name_that_is_taken_is_a_conflict(site: Site) -> None:
    assert (await site.refused("POST", "campaigns", json={"name": "autumn"}, status=409))[
        "kind"
    ] == "conflict"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "17"},
        {"name": "a/b"},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x", "ring_seconds": 3},
        {"name": "x", "grace_seconds": 0},
        {"name": "x", "message": "a&b"},
        {"name": "x", "message": "sorry,Hangup"},
        {"name": "x", "message": "/etc/sorry"},
        {"name": "x", "caller_id": "Boss"},
        {"name": "x", "caller_id": "+1\u0663\u0663\u0663\u0663\u0663\u0663\u0663"},
        {"name": "x", "trunk": "carrier..old"},
        {"name": "x", "max_lines": 1.5},
        {"name": "x", "trunk": "carrier,30,g"},
        {"name": "x", "record": "yes"},
        {"name": "x", "state": "running"},
    ],
)
async def test_a_wrong_campaign_is_refused(site: Site, wrong: dict[str, object]) -> None:
    assert (await site.refused("POST", "campaigns", json=wrong, status=422))["kind"] == "bad_input"
    assert len((await site.told("GET", "campaigns"))["campaigns"]) == 1


async def test_a_campaign_is_moved_by_name_or_by_id(site: Site) -> None:
    assert (await site.told("POST", "campaigns/autumn/pause"))["state"] == "paused"
    assert (await site.told("POST", "campaigns/1/start"))["state"] == "running"
    assert (await site.told("POST", "campaigns/1/stop"))["state"] == "stopped"
    await site.refused("POST", "campaigns/2/start", status=404)


async def test_a_list_is_imported_and_refused_rows_are_told(site: Site) -> None:
    content = "name,number\nAda,030 23125001\nBob,xyz\n王|$;,+493023125002\n".encode()
    told = await site.told("POST", "campaigns/autumn/lists?name=first&source=a.csv", data=content, status=201)
    assert (told["taken"], told["refused_count"]) == (2, 1)
    reason = "number: not a phone number: 'xyz'"
    assert told["refused"] == [{"line": 3, "code": "bad_number", "reason": reason}]
    progress = (await site.told("GET", "campaigns/autumn"))["progress"]
    assert (progress["total"], progress["pending"]) == (2, 2)


async def test_a_file_with_a_wrong_header_is_refused_as_a_whole(site: Site) -> None:
    error = await site.refused("POST", "campaigns/1/lists?name=x", data=b"a,b\n1,2\n", status=422)
    assert "no column for the number; found: 'a', 'b'" in error["message"]
    assert site.store.tables.contacts == {}


@pytest.mark.parametrize(
    "query",
    [
        *("", "?name=", "?name=a%0Ab", "?name=a&name=b", "?name=a&colour=1", "?name=a&dry_run=x"),
        *("?name=a&region=Germany", "?name=a&region=ZZ", "?name=a&rule=y", "?name=a&encoding=martian"),
        *("?name=a&mapping=x", "?name=a&mapping=[]", '?name=a&mapping={"b":"c"}', "?name=a&priority=1001"),
    ],
)
async def test_a_list_needs_one_usable_name(site: Site, query: str) -> None:
    await site.refused("POST", f"campaigns/1/lists{query}", data=b"number\n+493023125001\n", status=422)


async def test_a_large_file_comes_in_pieces(site: Site) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"name,number\n"
        for number in range(3000):
            yield f"N,+4930{20000000 + number}\n".encode()

    told = await site.told("POST", "campaigns/1/lists?name=big", data=pieces(), status=201)
    assert told["taken"] == 3000


async def test_an_upload_that_breaks_off_leaves_nothing_and_is_no_bug_of_ours(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    assert site.client.port
    reader, writer = await asyncio.open_connection("127.0.0.1", site.client.port)
    head = f"POST /api/v1/campaigns/1/lists?name=x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKENS['lead']}\r\n"
    writer.write(f"{head}Content-Length: 10000\r\n\r\nnumber\n+493023125001\n+4930".encode())
    await writer.drain()
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    assert site.store.tables.contacts == {}
    assert "Traceback" not in caplog.text
