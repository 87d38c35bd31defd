"""Reports, reconciliation and health over the API."""

import pytest

from cti.errors import StorageError
from cti.model.queries import CallFilter, CallRow
from cti.model.reconciliation import Difference
from cti.model.tables import ReportKind
from tests.builders import NOW, later
from tests.fakes.site import Site

DIFFERENCE = Difference(
    node="pbx",
    channel_id="waihu-c-1",
    call_id=None,
    subject="unknown_channel",
    ours=None,
    theirs="1",
    message="m",
)


@pytest.mark.parametrize("kind", list(ReportKind))
async def test_a_report_covers_the_last_day_unless_told_otherwise(site: Site, kind: ReportKind) -> None:
    told = await site.told("GET", f"reports/{kind}")
    assert told["rows"][0] == {"agent": "anna", "placed": 3, "rate": 0.5}
    assert site.reports.asked == [(kind, later(-86400), NOW)]


async def test_a_report_comes_as_csv(site: Site) -> None:
    answer = await site.ask("GET", "reports/calls_by_agent?format=csv")
    assert await answer.text() == "agent,placed,rate\r\nanna,3,0.5\r\n'=2+3,0,\r\n"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("reports/calls_by_moon", 404),
        ("reports/agent_time?since=2026-11-23T10:00:00Z&until=2026-11-23T10:00:00Z", 422),
        ("reports/agent_time?since=today", 422),
    ],
)
async def test_a_report_that_cannot_be_made_is_refused(site: Site, path: str, status: int) -> None:
    await site.refused("GET", path, status=status)
    assert site.reports.asked == []


async def test_reconciliation_is_ok_when_something_was_compared_and_nothing_differs(site: Site) -> None:
    assert (await site.told("POST", "reconcile"))["ok"] is True
    site.reconciler.compared = 0
    assert (await site.told("POST", "reconcile"))["ok"] is False
    site.reconciler.compared, site.reconciler.differences = 1, (DIFFERENCE,)
    told = await site.told("POST", "reconcile", json={"since": "2026-11-23T08:00:00Z"})
    assert (told["ok"], told["since"]) == (False, "2026-11-23T08:00:00.000000Z")
    assert told["differences"][0]["subject"] == "unknown_channel"


async def test_health_says_to_anybody_whether_all_is_well_and_to_leaders_what_is_not(site: Site) -> None:
    assert await site.told("GET", "health", as_=None) == {
        "status": "ok",
        "version": "0.1.0",
        "recording": "ok",
    }
    site.nodes.connected = False
    assert "nodes" not in await site.told("GET", "health", as_=None, status=503)
    assert (await site.told("GET", "health", status=503))["nodes"][0]["connected"] is False


async def test_health_sees_a_database_that_is_gone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(wanted: CallFilter) -> list[CallRow]:
        raise StorageError("the database is locked", temporary=True)

    monkeypatch.setattr(site.store.facts, "call_rows", gone)
    assert (await site.told("GET", "health", status=503))["database"] == "the database is locked"
