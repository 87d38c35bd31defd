"""Agents over the API."""

import pytest

from cti.errors import Conflict, CtiError, NodeDown, NodeRefused, NodeSilent, StorageError
from tests.fakes.site import Site


async def test_an_agent_is_made_with_campaigns_by_name_or_id(site: Site) -> None:
    body = {"login": "cid", "name": "Cid | 赵", "endpoint": "a003", "campaigns": ["autumn"]}
    made = await site.told("POST", "agents", json=body, status=201)
    assert (made["login"], made["name"], made["node"]) == ("cid", "Cid | 赵", "pbx")
    assert made["campaign_ids"] == [1]
    moved = await site.told("PUT", "agents/cid/campaigns", json={"campaigns": []})
    assert moved["campaign_ids"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"login": "a b", "name": "x", "endpoint": "e"}, "login", id="login with a space"),
        pytest.param({"login": "../x", "name": "x", "endpoint": "e"}, "login", id="login with a path"),
        pytest.param({"login": "x", "name": "a\r\nb", "endpoint": "e"}, "name", id="line break in a name"),
        pytest.param({"login": "x", "name": "x", "endpoint": "a,b"}, "endpoint", id="endpoint with a comma"),
        pytest.param({"login": "x", "name": "x"}, "endpoint", id="no endpoint"),
        pytest.param({"login": 5, "name": "x", "endpoint": "e"}, "login", id="wrong type"),
        pytest.param(
            {"login": "x", "name": "x", "endpoint": "e", "role": "admin"}, "role", id="unknown field"
        ),
    ],
)
async def test_a_wrong_field_is_named(site: Site, body: dict[str, object], field: str) -> None:
    error = await site.refused("POST", "agents", json=body, status=422)
    assert [problem["field"] for problem in error["problems"]] == [field]


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"null", b'"x"', b"\xff", b'{"login": "\\ud800"}', b"[" * 5000]
)
async def test_a_body_that_is_no_object_is_refused(site: Site, content: bytes) -> None:
    error = await site.refused("POST", "agents", data=content, status=422)
    assert error["kind"] == "bad_input"


async def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    error = await site.refused("POST", "agents", data=b" " * 100_000, status=413)
    assert error["kind"] == "too_large"


async def test_an_unknown_node_is_named_with_those_there_are(site: Site) -> None:
    body = {"login": "x", "name": "x", "endpoint": "e", "node": "nowhere"}
    assert "pbx" in (await site.refused("POST", "agents", json=body, status=422))["message"]


async def test_an_unknown_campaign_is_not_found(site: Site) -> None:
    body = {"login": "x", "name": "x", "endpoint": "e", "campaigns": ["winter"]}
    assert "winter" in (await site.refused("POST", "agents", json=body, status=404))["message"]


async def test_an_agent_acts_for_himself(site: Site) -> None:
    assert (await site.told("POST", "agents/anna/login", as_="anna"))["state"] == "ready"
    paused = await site.told("POST", "agents/anna/pause", json={"reason": "lunch"}, as_="anna")
    assert (paused["state"], paused["reason"]) == ("paused", "lunch")
    assert (await site.told("POST", "agents/anna/ready", as_="anna"))["state"] == "ready"
    assert (await site.told("POST", "agents/anna/logout", as_="anna"))["state"] == "logged_out"
    assert (await site.told("POST", "agents/anna/login", json={"ready": False}))["state"] == "paused"


async def test_hanging_up_without_a_call_is_a_conflict(site: Site) -> None:
    assert (await site.refused("POST", "agents/anna/hangup", status=409))["kind"] == "conflict"


async def test_an_agent_that_is_not_there_is_not_found(site: Site) -> None:
    assert "carl" in (await site.refused("POST", "agents/carl/ready", status=404))["message"]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Conflict("x"), 409, "conflict"),
        (NodeDown("x"), 503, "node_down"),
        (NodeRefused("x"), 502, "node_refused"),
        (NodeSilent("x"), 504, "node_silent"),
        (StorageError("x", temporary=True), 503, "storage_away"),
        (StorageError("x", temporary=False), 500, "storage"),
        (CtiError("x"), 500, "internal"),
    ],
)
async def test_what_the_service_cannot_do_is_told_in_its_own_words(
    site: Site, error: CtiError, status: int, kind: str
) -> None:
    site.agents.fails = error
    assert await site.refused("POST", "agents/anna/ready", status=status) == {"kind": kind, "message": "x"}


async def test_a_bug_of_ours_tells_nothing_of_itself(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.agents.fails = ZeroDivisionError("secret")  # type: ignore[assignment]
    error = await site.refused("POST", "agents/anna/ready", status=500)
    assert "secret" not in error["message"]
    assert "secret" in caplog.text
